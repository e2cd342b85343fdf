"""The core of the fields room beside what a user would otherwise write or install: `python benchmarks/fields_core.py`.

Evaluation of the exact field against a NumPy loop over components and against torch; training steps against a plain
torch loop; batches matched against the matchers of torchcfm, which is installed in an environment of its own (see
``rivals.py``), without the packages that it declares and its matchers do not import; the error budget. Ratios are of
the fastest of several runs on one thread.
"""

import argparse
import functools
import subprocess
import time
from collections.abc import Callable

import numpy as np
from rivals import asked, environment

from workbench.fields import (
    LAWS,
    FieldNetwork,
    GaussianMixture,
    error_budget,
    exact_field,
    matched,
    shipped_network,
    standard_gaussian,
)
from workbench.fields.core.shipped import SHIPPED_LAW, shipped_sample
from workbench.fields.core.training import train

T = 0.6


def fastest(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the seconds of the fastest of several runs, after one that does not count."""
    work()
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def numpy_loop(x: np.ndarray, found) -> np.ndarray:
    """Return the velocity by a plain loop over components, as one writes it first."""
    exponents = np.empty((len(x), len(found.means)))
    velocities = np.empty((len(x), len(found.means), x.shape[1]))
    for k in range(len(found.means)):
        away = x - found.means[k]
        exponents[:, k] = found.log_weights[k] - 0.5 * np.einsum("na,ab,nb->n", away, found.precisions[k], away)
        velocities[:, k] = found.drifts[k] + away @ found.gains[k].T
    r = np.exp(exponents - exponents.max(axis=1, keepdims=True))
    return np.einsum("nk,nka->na", r / r.sum(axis=1, keepdims=True), velocities)


def torch_field(x: np.ndarray, found) -> np.ndarray:
    """Return the velocity by torch in double precision, all components at once."""
    import torch

    points, means = torch.from_numpy(x), torch.from_numpy(found.means)
    away = points[:, None] - means
    own = torch.einsum("kab,nkb->nka", torch.from_numpy(found.precisions), away)
    r = torch.softmax(torch.from_numpy(found.log_weights) - 0.5 * (own * away).sum(-1), dim=1)
    v = torch.from_numpy(found.drifts) + torch.einsum("kab,nkb->nka", torch.from_numpy(found.gains), away)
    return (r[..., None] * v).sum(1).numpy()


def memoriser_loop(x: np.ndarray, points: np.ndarray, t: float) -> np.ndarray:
    """Return the memoriser's velocity by a plain loop over the training points."""
    exponents = np.empty((len(x), len(points)))
    for j, y in enumerate(points):
        exponents[:, j] = -np.sum((x - t * y) ** 2, axis=1) / (2 * (1 - t) ** 2)
    r = np.exp(exponents - exponents.max(axis=1, keepdims=True))
    return (r / r.sum(axis=1, keepdims=True) @ points - x) / (1 - t)


def evaluation(quick: bool) -> list[str]:
    """Return the rows of the table on exact fields."""
    rows = []
    n = 5_000 if quick else 50_000
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 2))
    for name in (SHIPPED_LAW, "moons"):
        field = exact_field(standard_gaussian(2), LAWS[name]())
        found = field.slice(T)
        k = len(found.means)
        np.testing.assert_allclose(field(x, T), numpy_loop(x, found), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(field(x, T), torch_field(x, found), rtol=1e-9, atol=1e-12)
        own = fastest(functools.partial(field, x, T))
        loop, rival = (fastest(functools.partial(way, x, found)) for way in (numpy_loop, torch_field))
        rows.append(f"| {name}, {k} components | {1e9 * own / (n * k):.1f} | {loop / own:.1f} | {rival / own:.1f} |")
    for d in (4, 8, 16):
        rows.append(in_many_dimensions(d, n // 10, rng))
    points = rng.normal(size=(1024, 2))
    field = exact_field(standard_gaussian(2), points)
    few = x[: n // 10]
    np.testing.assert_allclose(field(few, T), memoriser_loop(few, points, T), rtol=1e-8, atol=1e-10)
    own, loop = fastest(lambda: field(few, T)), fastest(lambda: memoriser_loop(few, points, T))
    rows.append(f"| memoriser, 1,024 points | {1e9 * own / (len(few) * 1024):.2f} | {loop / own:.1f} | |")
    return [
        "| exact field | ns a point and component | NumPy loop ÷ ours | torch ÷ ours |",
        "|---|---|---|---|",
        *rows,
    ]


def in_many_dimensions(d: int, n: int, rng: np.random.Generator, k: int = 16) -> str:
    """Return the row of a mixture with full covariances in ``d`` dimensions."""
    roots = rng.normal(size=(k, d, d))
    covariances = np.einsum("kab,kcb->kac", roots, roots) / d + 0.2 * np.eye(d)
    law = GaussianMixture(np.full(k, 1 / k), 1.5 * rng.normal(size=(k, d)), covariances)
    field, x = exact_field(standard_gaussian(d), law), rng.normal(size=(n, d))
    found = field.slice(T)
    np.testing.assert_allclose(field(x, T), numpy_loop(x, found), rtol=1e-8, atol=1e-10)
    own = fastest(functools.partial(field, x, T))
    loop, rival = (fastest(functools.partial(way, x, found)) for way in (numpy_loop, torch_field))
    told = f"{1e9 * own / (n * k):.1f} | {loop / own:.1f} | {rival / own:.1f} |"
    return f"| full covariances, d = {d}, {k} components | {told}"


def draws(batch: int):
    """Return a function that draws pairs and times as training does."""
    rng = np.random.default_rng(0)
    law = LAWS[SHIPPED_LAW]()
    points = law.sample(128, rng)

    def draw():
        return rng.normal(size=(batch, 2)), points[rng.integers(128, size=batch)], 0.95 * rng.random(batch)

    return draw


def torch_training(steps: int, batch: int) -> None:
    """Train the same network by torch's own differentiation and Adam, as one writes it first."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    layers = [nn.Linear(3, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU()]
    network = nn.Sequential(*layers, nn.Linear(128, 2))
    adam = torch.optim.Adam(network.parameters(), lr=1e-3)
    draw = draws(batch)
    for _ in range(steps):
        x0, x1, t = (torch.from_numpy(part).float() for part in draw())
        entering = torch.cat([x0 + t[:, None] * (x1 - x0), t[:, None]], dim=1)
        loss = ((network(entering) - (x1 - x0)) ** 2).sum(1).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()


def training(quick: bool) -> list[str]:
    """Return the rows of the table on training."""
    steps, batch = (20 if quick else 200), 512
    network = FieldNetwork.fresh(2, seed=0)
    own = fastest(lambda: train(network, draws(batch), steps), 3)
    rival = fastest(lambda: torch_training(steps, batch), 3)
    return [
        "| training, 128 × 3, batches of 512 | ms a step | torch ÷ ours |",
        "|---|---|---|",
        f"| independent pairs | {1e3 * own / steps:.2f} | {rival / own:.2f} |",
    ]


PACKAGE = "torchcfm==1.0.7"
RIVAL = """
import json, time, torch
from torchcfm.conditional_flow_matching import ExactOptimalTransportConditionalFlowMatcher
torch.set_num_threads(1)
matcher, found = ExactOptimalTransportConditionalFlowMatcher(0.0), {}
for n in (64, 256, 512):
    x0, x1 = torch.randn(n, 2), torch.randn(n, 2)
    best = 1e9
    for _ in range(20):
        begun = time.perf_counter()
        matcher.sample_location_and_conditional_flow(x0, x1)
        best = min(best, time.perf_counter() - begun)
    found[n] = best
print(json.dumps(found))
"""


def matchers(quick: bool) -> list[str]:
    """Return how long torchcfm's matcher takes for a batch beside ours."""
    python, _ = environment("fields-core", ())
    pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", PACKAGE]
    done = subprocess.run(pip, capture_output=True, text=True)
    try:
        theirs = asked(python, RIVAL)
    except RuntimeError as error:
        return [f"torchcfm could not be asked: {error} {done.stderr.strip()[-120:]}"]
    rng = np.random.default_rng(0)
    rows = []
    for n, seconds in theirs.items():
        x0, x1 = rng.normal(size=(int(n), 2)), rng.normal(size=(int(n), 2))
        own = fastest(functools.partial(matched, x0, x1), 3 if quick else 20)
        rows.append(f"| {n} | {1e3 * own:.2f} | {seconds / own:.2f} |")
    return ["| pairs matched optimally | ms | torchcfm ÷ ours |", "|---|---|---|", *rows]


def budget(quick: bool) -> list[str]:
    """Return how long one error budget takes."""
    paths = 200 if quick else 2000
    law = LAWS[SHIPPED_LAW]()

    def work():
        return error_budget(
            shipped_network(128, 800), standard_gaussian(2), law, points=shipped_sample(128), paths=paths
        )

    seconds = fastest(work, 2)
    ds = work()
    return [
        "| error budget | s | both flows | log₁₀ classical bound |",
        "|---|---|---|---|",
        f"| {paths:,} paths | {seconds:.2f} | {float(ds.coupled):.3f} ± {float(ds.coupled_error):.3f} | "
        f"{float(ds.classical):.1f} |",
    ]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    given = parser.parse_args()
    tables = [evaluation(given.quick), training(given.quick), matchers(given.quick), budget(given.quick)]
    print("\n\n".join("\n".join(table) for table in tables))


if __name__ == "__main__":
    main()
