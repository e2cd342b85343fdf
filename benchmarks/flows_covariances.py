"""The certified Bures–Wasserstein mean and distance beside POT, pyRiemann and geomstats: time, and what is reached.

    python benchmarks/flows_covariances.py [--quick] [--write]

pyRiemann and geomstats are none of our dependencies; they are installed into an environment of their own the first
time (see rivals.py), and time themselves there on the same matrices. CPU time of one thread, the best of the rounds:
noise only ever adds. Ours stops at a certified gap of 1e-12; POT, pyRiemann and geomstats at a movement of 1e-8, after
at most 2000 steps. The excess of V of theirs is taken against ours.
"""

import contextlib
import io
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import ot
import rivals
from report import finish, heading, options

from workbench import flows

SIZES = ((30, 4), (30, 12), (100, 20))
CONDITIONS = (1e2, 1e4, 1e6, 1e8, 1e10, 1e12)
PACKAGES = {
    "pyriemann": ("array-api-compat", "array-api-extra", "pyriemann==0.12"),
    "geomstats": ("numpy==1.26.4", "geomstats==2.8.0"),  # its imports ask for a NumPy below 2
}
RIVALS = """
import json, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
path, rounds, wanted = sys.argv[1], int(sys.argv[2]), sys.argv[3]
batches = dict(np.load(path))

def tried(run, count):
    best, answer, trouble = float("inf"), None, None
    for _ in range(count):
        started = time.process_time()
        try:
            with np.errstate(all="ignore"):
                answer = np.asarray(run())
        except Exception as error:
            trouble = type(error).__name__
            break
        best = min(best, time.process_time() - started)
    return [best if trouble is None else None, None if answer is None else np.real(answer).tolist(), trouble]

def pyriemann():
    from pyriemann.utils.distance import distance_wasserstein
    from pyriemann.utils.mean import mean_wasserstein
    return (lambda x: mean_wasserstein(x, tol=1e-8, maxiter=2000),
            lambda a, b: distance_wasserstein(a, b) ** 2)

def geomstats():
    import os
    os.environ["GEOMSTATS_BACKEND"] = "numpy"
    from geomstats.geometry.spd_matrices import SPDBuresWassersteinMetric, SPDMatrices
    from geomstats.learning.frechet_mean import FrechetMean
    def space(n):
        made = SPDMatrices(n, equip=False)
        made.equip_with_metric(SPDBuresWassersteinMetric)
        return made
    def mean(x):
        estimator = FrechetMean(space(x.shape[-1]))
        estimator.optimizer.max_iter, estimator.optimizer.epsilon = 2000, 1e-8
        return estimator.fit(x).estimate_
    return mean, lambda a, b: space(len(a)).metric.squared_dist(a, b)

mean, distance = {"pyriemann": pyriemann, "geomstats": geomstats}[wanted]()
found = {key: tried(lambda: mean(x), rounds) for key, x in batches.items() if "pair" not in key}
found |= {key: tried(lambda: distance(*x), 1) for key, x in batches.items() if "pair" in key}
print(json.dumps(found))
"""


def pot(x: np.ndarray) -> np.ndarray:
    """Return POT's fixed point."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return ot.gaussian.bures_barycenter_fixpoint(x, eps=1e-8, num_iter=2000)


def pairs() -> dict[str, tuple[np.ndarray, float]]:
    """Return pairs of matrices (2, n, n) whose squared distance is known, by what they are."""
    a = np.diag([1.0, 1e-4, 1e-8, 1e-12])
    b = a + 1e-9 * np.diag([1.0, 2.0, 3.0, 4.0])
    known = 4.07199458136e-9
    frame, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))
    turned = np.stack([frame @ a @ frame.T, frame @ b @ frame.T])
    turned = (turned + np.swapaxes(turned, 1, 2)) / 2
    return {
        "pair: near, condition 1e12, diagonal": (np.stack([a, b]), known),
        "pair: the same, turned": (turned, known),
        "pair: a matrix and itself": (np.stack([turned[0], turned[0]]), 0.0),
        "pair: singular, diag(4, 0) and diag(0, 1)": (np.stack([np.diag([4.0, 0.0]), np.diag([0.0, 1.0])]), 5.0),
    }


def theirs(batches: dict[str, np.ndarray], rounds: int) -> tuple[dict, list[str]]:
    """Return what the rivals reach on the same matrices, and their versions."""
    found, told = {}, []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "batches.npz"
        np.savez(path, **batches)
        for name, packages in PACKAGES.items():
            try:
                python, versions = rivals.environment(name, packages)
                told += versions
                found[name] = rivals.asked(python, RIVALS, path, rounds, name)
            except (OSError, RuntimeError) as error:
                found[name] = str(error)
    return found, told


def timed(run: object, x: np.ndarray, rounds: int) -> tuple[float | None, np.ndarray | None, str]:
    """Return the best CPU time, the answer, and the name of the error instead of them."""
    best, answer = np.inf, None
    for _ in range(rounds):
        started = time.process_time()
        try:
            answer = run(x)
        except Exception as error:
            return None, None, type(error).__name__
        best = min(best, time.process_time() - started)
    return best, answer, ""


def cells(seconds: float | None, mean: np.ndarray | None, trouble: str | None, ours: float, x: np.ndarray, v: float):
    """Return milliseconds, the ratio to ours and the excess of V; or the trouble."""
    if seconds is None or mean is None:
        return ["—", "—", trouble or "failed"]
    try:
        excess = f"{float(np.mean(flows.bures_distance(np.asarray(mean), x))) / v - 1:.1e}"
    except ValueError as error:
        excess = "no covariance" if "eigenvalue" in str(error) else "NaN"
    return [f"{1e3 * seconds:.1f}", f"{seconds / ours:.2g}", excess]


def main() -> None:
    """Print one row a size and condition, then the distances."""
    given = options(__doc__)
    rounds = 1 if given.quick else 5
    batches = {
        f"{count} {n} {condition:g}": flows.random_covariances(count, n, condition=condition)
        for count, n in SIZES[: 1 if given.quick else None]
        for condition in CONDITIONS
    }
    batches["30 4 singular"] = np.stack([a @ a.T for a in np.random.default_rng(1).normal(size=(30, 4, 2))])
    known = pairs()
    found, told = theirs(batches | {name: pair for name, (pair, _) in known.items()}, rounds)
    others = [name for name in PACKAGES if isinstance(found[name], dict)]
    command = "python benchmarks/flows_covariances.py --write"
    lines = [
        *heading("Bures–Wasserstein mean and distance", command, ("numpy", "POT")),
        f"{'; '.join(told)}.",
        *[f"{name} did not run: {found[name]}" for name in PACKAGES if name not in others],
        "",
        "| N | n | condition | ours, ms | steps | gap ÷ V | "
        + " | ".join(f"{name}, ms | ÷ ours | excess of V" for name in ("POT", *others))
        + " |",
        "|---|---|---|---|---|---" + "|---" * 3 * (1 + len(others)) + "|",
    ]
    for name, x in batches.items():
        flows.bures_mean(x)
        seconds, best, _ = timed(flows.bures_mean, x, rounds)
        row = [*name.split(), f"{1e3 * seconds:.1f}", f"{best.iterations}", f"{best.gap / best.value:.1e}"]
        row += cells(*timed(pot, x, rounds), seconds, x, best.value)
        for other in others:
            row += cells(*found[other][name], seconds, x, best.value)
        lines.append(f"| {' | '.join(row)} |")
    lines += ["", "| squared distance of | truth | ours | POT | " + " | ".join(others) + " |"]
    lines.append("|---|---|---|---" + "|---" * len(others) + "|")
    for name, (pair, truth) in known.items():
        with np.errstate(all="ignore"):
            answers = [flows.bures_distance(*pair), ot.gaussian.bures_distance(*pair) ** 2]
        answers += [found[other][name][1] if found[other][name][1] is not None else np.nan for other in others]
        shown = " | ".join(f"{float(np.real(answer)):.10g}" for answer in answers)
        lines.append(f"| {name.removeprefix('pair: ')} | {truth:.10g} | {shown} |")
    finish("flows_covariances", lines, write=given.write)


if __name__ == "__main__":
    main()
