"""A generator of handwritten digits that is trained with SW₂² as its loss, by each estimator in turn.

g_θ carries noise in R^k to pictures in R^64; a step draws a batch of noise, one of pictures, and directions by the
estimator, and follows the gradient of SW₂²(g_θ(z), x). Control variates promise a gradient of smaller variance; what is
measured here is that variance at the generators on the way, and what becomes of it: W₂ to digits never trained on.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from sklearn.datasets import load_digits

from workbench import checks, results
from workbench.fields.core.laws import Floats
from workbench.fields.core.network import Adam, Singles, forward, pull_back, split
from workbench.progress import Progress
from workbench.transport import ESTIMATORS, sliced_wasserstein_gradient, wasserstein

HELD_OUT = 397
GREY = 16.0
LATENT, WIDTH = 16, 128
SIDES = (LATENT, WIDTH, WIDTH, 64)
REPEATS = 16
"""Draws of directions from which the variance of a gradient is told."""
SHOWN = 64
ANY_DIMENSION = tuple(name for name, entry in ESTIMATORS.items() if "dim" not in entry.facts and name != "spiral")
"""Estimators that draw directions in R^64; "design" stands in by orthogonal blocks there and is left out by default."""
COMPARED = tuple(name for name in ANY_DIMENSION if name not in ("design", "harmonic-cv"))


@results.experiment
def train_generator(
    method: str = "monte-carlo",
    n_directions: int = 50,
    steps: int = 600,
    batch: int = 128,
    rate: float = 1e-3,
    looks: int = 6,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Train a 16–128–128–64 network on scikit-learn's digits with SW₂² as its loss.

    ``method``: an estimator of :data:`workbench.transport.ESTIMATORS` that works in 64 dimensions, with
    ``n_directions`` at each step. Of the 1,797 pictures (values 0 to 1) 397 are kept out. ``seed`` draws the split,
    the start, batches and directions: with one seed, methods start alike and see the same batches.

    The Dataset holds along ``step``: ``wasserstein`` W₂ between 397 generated and the held-out pictures; ``variance``,
    the total variance of the gradient in the pictures over draws of directions ÷ its squared length; ``loss``. Scalar:
    ``floor``, W₂ between 397 training pictures and the held-out ones. ``picture`` (64, 64) are generated ones.

    Raises ``ValueError`` for an estimator that does not work in 64 dimensions. Cost: about 2 ms a step.

    Reference: Deshpande, Zhang, Schwing, "Generative modeling using the sliced Wasserstein distance", 2018; Nguyen and
    Ho, "Sliced Wasserstein estimation with control variates", arXiv 2305.00402.

    >>> ds = train_generator(steps=20, batch=32, n_directions=10, looks=2)
    >>> bool(ds.wasserstein[-1] < ds.wasserstein[0]), ds.picture.shape
    (True, (64, 64))
    """
    progress = progress or Progress()
    checks.choice("method", method, ANY_DIMENSION)
    n_directions = checks.integer("n_directions", n_directions, minimum=2, maximum=5000)
    steps = checks.integer("steps", steps, minimum=1, maximum=20_000)
    batch = checks.integer("batch", batch, minimum=8, maximum=1400)
    rate = checks.real("rate", rate, exclusive_minimum=0)
    looks = checks.integer("looks", looks, minimum=1, maximum=min(100, steps))
    seed = checks.integer("seed", seed, minimum=0)
    split_rng, training, directions = (np.random.default_rng([k, seed]) for k in range(3))
    pictures = load_digits().data / GREY
    order = split_rng.permutation(len(pictures))
    kept, seen = pictures[order[:HELD_OUT]], pictures[order[HELD_OUT:]]
    theta, shapes = _fresh(training)
    weights, biases = split(theta, shapes)
    slopes, adam = np.zeros_like(theta), Adam(theta, rate)
    tests = split_rng.normal(size=(HELD_OUT, LATENT)).astype(np.float32)
    every = max(steps // looks, 1)
    told = [*range(0, steps, every), steps]
    found = {name: np.full(len(told), np.nan) for name in ("wasserstein", "variance", "loss")}
    losses: list[float] = []

    def drawn() -> tuple[Singles, Floats]:
        z = training.normal(size=(batch, LATENT)).astype(np.float32)
        return z, seen[training.integers(len(seen), size=batch)]

    def look(step: int) -> Singles:
        made = forward(weights, biases, tests)[0]
        k = told.index(step)
        found["wasserstein"][k] = math.sqrt(wasserstein(made, kept))
        z, x = drawn()
        found["variance"][k] = _variance(forward(weights, biases, z)[0], x, method, n_directions, [3, seed, step])
        found["loss"][k] = np.mean(losses) if losses else np.nan
        losses.clear()
        return made

    last = look(0)
    for step in range(1, steps + 1):
        z, x = drawn()
        made, hidden, bends = forward(weights, biases, z)
        loss, slope = sliced_wasserstein_gradient(made, x, method=method, n_directions=n_directions, seed=directions)
        losses.append(float(loss))
        pull_back(weights, hidden, bends, slope.astype(np.float32), slopes)
        adam.step(slopes)
        if step % 5 == 0 or step == steps:
            progress.update(step, steps, f"step {step:,} of {steps:,}")
        if step in told:
            if not np.isfinite(theta).all():
                raise ValueError(f"the training left the numbers at step {step}; take a smaller rate than {rate:g}")
            last = look(step)
    floor = math.sqrt(wasserstein(seen[:HELD_OUT], kept))
    return results.dataset(
        {
            "wasserstein": (("step",), found["wasserstein"], "W₂ between generated and held-out digits"),
            "variance": (("step",), found["variance"], "variance of the gradient over directions ÷ its squared length"),
            "loss": (("step",), found["loss"], "mean SW₂² of the batches since the last look"),
            "floor": ((), floor, "W₂ between training and held-out digits"),
            "picture": (("shown", "pixel"), last[:SHOWN].astype(np.float64), "generated digits, grey from 0 to 1"),
        },
        {
            "step": (("step",), told, "training step"),
            "shown": (("shown",), np.arange(SHOWN), "picture"),
            "pixel": (("pixel",), np.arange(64), "pixel, row by row"),
        },
    )


def _fresh(rng: np.random.Generator) -> tuple[Singles, list[tuple[int, ...]]]:
    """Return the parameters of the generator before training, and the shapes of its layers."""
    rows, shapes = [], []
    for into, out in itertools.pairwise(SIDES):
        reach = 1 / math.sqrt(into)
        rows += [rng.uniform(-reach, reach, out * into), rng.uniform(-reach, reach, out)]
        shapes.append((out, into))
    return np.concatenate(rows).astype(np.float32), shapes


def _variance(made: Singles, x: Floats, method: str, n_directions: int, seed: list[int]) -> float:
    """Return the total variance of the gradient over draws of directions, relative to the squared length of its mean.

    The squared length of the mean of R draws holds variance/R, which is taken off.
    """
    rng = np.random.default_rng(seed)
    drawn = np.stack(
        [
            sliced_wasserstein_gradient(made, x, method=method, n_directions=n_directions, seed=rng)[1]
            for _ in range(REPEATS)
        ]
    )
    spread = float(drawn.var(axis=0, ddof=1).sum())
    length = float(np.sum(drawn.mean(axis=0) ** 2)) - spread / REPEATS
    return spread / length if length > 0 else math.nan


@results.experiment
def generator_study(
    methods: Sequence[str] = COMPARED,
    seeds: Sequence[int] = tuple(range(8)),
    n_directions: int = 50,
    steps: int = 600,
    looks: int = 6,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Train a generator by every estimator in ``methods`` and with every seed, and pair them with Monte Carlo.

    Dimensions (estimator, seed, step) for ``wasserstein`` and ``variance``; ``difference`` (estimator,) is the mean
    over seeds of W₂ at the end minus that of "monte-carlo" with the same start and batches, ``reach`` half its 95 %
    interval (Student's t); ``variance_ratio`` the mean variance of the gradient ÷ Monte Carlo's over all looks but the
    first, ``variance_ratio_start`` that before training. Cost: about 2 ms for each step, method and seed.

    >>> generator_study(("monte-carlo", "orthogonal"), (0, 1), 10, steps=4, looks=1).difference.shape
    (2,)
    """
    from scipy.stats import t as student

    progress = progress or Progress()
    for name in methods:
        checks.choice("method", name, ANY_DIMENSION)
    if "monte-carlo" not in methods or len(seeds) < 2:
        raise ValueError("a study pairs with Monte Carlo over seeds: give 'monte-carlo' and two seeds or more")
    made: list[list[Any]] = []
    for j, method in enumerate(methods):
        made.append([])
        for k, seed in enumerate(seeds):
            progress.update(j * len(seeds) + k, len(methods) * len(seeds), f"{method}, seed {seed}")
            made[-1].append(train_generator(method, n_directions, steps, looks=looks, seed=seed))
    progress.update(1, 1, "done")
    distance = np.array([[one.wasserstein.values for one in row] for row in made])
    variance = np.array([[one.variance.values for one in row] for row in made])
    base = list(methods).index("monte-carlo")
    apart = distance[:, :, -1] - distance[base, :, -1]
    error = apart.std(axis=1, ddof=1) / math.sqrt(len(seeds))
    later, fresh = variance[:, :, 1:].mean(axis=(1, 2)), variance[:, :, 0].mean(axis=1)
    dims = ("estimator", "seed", "step")
    first = made[0][0]
    return results.dataset(
        {
            "wasserstein": (dims, distance, first.wasserstein.attrs["long_name"]),
            "variance": (dims, variance, first.variance.attrs["long_name"]),
            "floor": (("seed",), [float(one.floor) for one in made[0]], first.floor.attrs["long_name"]),
            "difference": (("estimator",), apart.mean(axis=1), "W₂ at the end minus Monte Carlo's, mean over seeds"),
            "reach": (("estimator",), error * student.ppf(0.975, len(seeds) - 1), "half of its 95 % interval"),
            "variance_ratio": (("estimator",), later / later[base], "variance of the gradient ÷ Monte Carlo's"),
            "variance_ratio_start": (("estimator",), fresh / fresh[base], "variance ÷ Monte Carlo's before training"),
            "picture": (("estimator", "shown", "pixel"), np.stack([row[0].picture.values for row in made]),
                        "generated digits of the first seed, grey from 0 to 1"),
        },
        {
            "estimator": (("estimator",), list(methods), "estimator"),
            "seed": (("seed",), list(seeds), "seed"),
            **{name: (first[name].dims, first[name].values, first[name].attrs["long_name"])
               for name in ("step", "shown", "pixel")},
        },
    )  # fmt: skip
