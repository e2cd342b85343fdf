"""Which latent dimension is best: what the projection loses falls with it, what the flow adds grows."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.fields.core.budget import error_budget
from workbench.fields.core.integrators import SOLVERS, integrate
from workbench.fields.latent.codecs import PrincipalAxes, axes_of, check_points, pca
from workbench.fields.latent.flow import LEAST_ROWS, SHOWN, latent_flow
from workbench.fields.latent.learners import LEARNERS, digits_law, learned, source_for
from workbench.progress import Progress

DIMS = (2, 4, 8, 16, 32, 64)
AXES = ("sample", "law")
MOST_DIMS = 12
REFERENCE = 32
"""Steps of order 4 for the exact flows; fewer than in the plane, for a step costs d² there."""
TOLD = {
    "reconstruction": "squared error of the projection, E‖x − Px‖²",
    "flow": "squared error of the flow",
    "flow_error": "standard error of the flow's part",
    "total": "reconstruction + flow",
    "total_error": "standard error of the sum",
    "field_square": "squared error of the field, ∫ e²",
    "one_sided": "log₁₀ of the one-sided bound of W₂² (sampled slopes)",
    "classical": "log₁₀ of the classical bound of W₂² (sampled slopes)",
    "wasserstein": "W₂² of latent samples",
    "floor": "W₂² of two latent samples that are no further apart than samples are",
    "integration": "squared error that the solver's steps add",
}


@results.experiment
def best_dimension(
    data: Any = "digits",
    dims: Sequence[int] = DIMS,
    points: int = 600,
    axes: str = "sample",
    learner: str = "mixture",
    components: int = 10,
    steps: int = 24,
    solver: str = "rk4",
    paths: int = 300,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Learn a flow in each latent dimension of ``dims`` and add up what the projection and the flow cost.

    ``data`` "digits": a mixture with the moments of scikit-learn's digits (:func:`digits_law`), of which ``points`` are
    drawn to learn from. The truth is known, so ``reconstruction`` is exact and ``flow`` is E‖X − Ŷ‖², the flows of the
    exact and of the learned field from ``paths`` common starts, an upper bound of W₂² of the latent laws; for PCA
    ``total`` is then one of W₂² in the data's space, both up to their standard errors. ``axes``: principal axes of the
    "sample" or of the "law" itself.

    ``data`` rows (n, d) of one's own: nobody knows the truth; ``reconstruction`` is a mean over rows kept out, ``flow``
    is W₂² of latent samples less its ``floor`` (of rows kept out and rows trained on), below 0 where the flow repeats
    what it has seen; ``flow_error`` is its standard error over rows (see ``flow.sample_errors``). ``points``, ``axes``
    and ``paths`` are not used.

    Along ``dimension``: these, ``field_square`` ∫ e², the bounds of W₂² as decimal logarithms ``one_sided`` and
    ``classical`` (slopes sampled, so no certificates), ``integration``, ``picture`` (dimension, shown, pixel). ``best``
    is the dimension of the least total, ``separated`` whether it lies two standard errors below all others.

    Raises ``ValueError`` for dimensions above the data's or not rising. Cost: for the default about 25 s, most of it in
    the 64 dimensions; rows of one's own about 0.5 s a dimension.

    >>> ds = best_dimension(dims=(1, 2), points=100, components=3, paths=100)
    >>> int(ds.best), bool(ds.reconstruction[1] < ds.reconstruction[0])
    (2, True)
    """
    progress = progress or Progress()
    checks.choice("learner", learner, LEARNERS)
    checks.choice("solver", solver, SOLVERS)
    checks.choice("axes", axes, AXES)
    components = checks.integer("components", components, minimum=1, maximum=30)
    points = checks.integer("points", points, minimum=LEAST_ROWS, maximum=20_000)
    steps = checks.integer("steps", steps, minimum=1, maximum=1000)
    paths = checks.integer("paths", paths, minimum=100, maximum=5000)
    seed = checks.integer("seed", seed, minimum=0)
    own = not isinstance(data, str)
    if own:
        width = check_points("data", data, least=LEAST_ROWS).shape[1]
    else:
        checks.choice("data", data, ("digits",))
        width = 64
    sizes = _dimensions(dims, min(width, 64))
    shown = min(SHOWN, max(len(data) // 5, 8)) if own else SHOWN
    rows: list[dict[str, float]] = []
    pictures = np.full((len(sizes), shown, width), np.nan)
    for j, k in enumerate(sizes):
        progress.update(j, len(sizes), f"{k} latent dimensions")
        if own:
            found, pictures[j] = _of_rows(data, k, learner, components, steps, solver, seed)
        else:
            asked = (k, points, axes, learner, components, steps, solver, paths, seed)
            found, pictures[j] = _of_law(*asked, progress)
        rows.append(found)
    progress.update(1, 1, "done")
    told = {name: np.array([row[name] for row in rows]) for name in TOLD}
    best = int(told["total"].argmin())
    apart = told["total"] - told["total"][best]
    reach = 2 * np.hypot(told["total_error"], told["total_error"][best])
    separated = all(gap > r for i, (gap, r) in enumerate(zip(apart, reach, strict=True)) if i != best)
    return results.dataset(
        {
            **{name: (("dimension",), told[name], words) for name, words in TOLD.items()},
            "best": ((), sizes[best], "latent dimension of the least total"),
            "separated": ((), bool(separated), "whether it lies two standard errors below all others"),
            "picture": (("dimension", "shown", "pixel"), pictures.astype(np.float32), "generated rows"),
        },
        {
            "dimension": (("dimension",), sizes, "latent dimension"),
            "shown": (("shown",), np.arange(shown), "row"),
            "pixel": (("pixel",), np.arange(width), "column"),
        },
        attrs={"truth": "unknown" if own else "known"},
    )


def _dimensions(dims: Sequence[int], most: int) -> list[int]:
    sizes = [checks.integer("dims", k, minimum=1, maximum=most) for k in dims]
    if not sizes or len(sizes) > MOST_DIMS or sorted(set(sizes)) != sizes:
        raise ValueError(f"dims must be 1 to {MOST_DIMS} rising dimensions of at most {most}, got {list(dims)[:20]}")
    return sizes


def _of_law(
    k: int, points: int, axes: str, learner: str, components: int, steps: int, solver: str, paths: int, seed: int,
    progress: Progress,
) -> tuple[dict[str, float], Any]:  # fmt: skip
    """Return the row of a dimension where the truth is known, and generated rows."""
    truth = digits_law()
    rng = np.random.default_rng([0, seed])
    sample = truth.sample(points, rng)
    codec: PrincipalAxes = pca(sample, k) if axes == "sample" else axes_of(truth.mean, truth.covariance, k)
    latent = codec.encode(sample)
    source = source_for(latent)
    field = learned(learner, latent, source, components, seed, progress)
    progress.update(0, 1, f"{k} latent dimensions: the budget")
    ds = error_budget(
        field, source, codec.law(truth), until=1.0, steps=steps, solver=solver, paths=paths, seed=seed,
        reference=REFERENCE,
    )  # fmt: skip
    made = codec.decode(integrate(field, source.sample(SHOWN, rng), steps, solver).end)
    lost = codec.lost(truth)
    flow, error = float(ds.total) ** 2, 2 * float(ds.total) * float(ds.total_error)
    row = {
        "reconstruction": lost,
        "flow": flow,
        "flow_error": error,
        "total": lost + flow,
        "total_error": error,
        "field_square": float(ds.whole) ** 2,
        "one_sided": 2 * float(ds.one_sided),
        "classical": 2 * float(ds.classical),
        "wasserstein": float(ds.wasserstein) ** 2,
        "floor": float(ds.floor) ** 2,
        "integration": float(ds.integration) ** 2,
    }
    return row, made


def _of_rows(
    data: Any, k: int, learner: str, components: int, steps: int, solver: str, seed: int
) -> tuple[dict[str, float], Any]:
    """Return the row of a dimension of a table of one's own, and generated rows."""
    ds = latent_flow(data, k, "pca", learner, components, steps, solver, seed)
    lost, flow = float(ds.reconstruction), float(ds.flow)
    row = dict.fromkeys(TOLD, math.nan)
    row |= {
        "reconstruction": lost, "flow": flow, "flow_error": float(ds.flow_error), "total": lost + flow,
        "total_error": float(ds.total_error), "wasserstein": float(ds.latent), "floor": float(ds.latent_floor),
    }  # fmt: skip
    return row, ds.picture.values


@results.experiment
def dimension_study(
    points: Sequence[int] = (150, 600, 4000),
    dims: Sequence[int] = DIMS,
    seeds: Sequence[int] = (0, 1, 2),
    learner: str = "mixture",
    paths: int = 300,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Repeat :func:`best_dimension` on the digits' law for several sizes of the sample and seeds.

    Dimensions (points, seed, dimension) for ``reconstruction``, ``flow``, ``total``, ``field_square``, ``one_sided``,
    ``classical``; ``best`` (points,) is the dimension of the least mean total, ``lead`` (points,) by how much the mean
    total lies below the second best, paired over seeds, ``lead_error`` its standard error. Cost: about 25 s for each
    size and seed.

    >>> dimension_study((60,), (1, 2), (0, 1), paths=100).total.shape
    (1, 2, 2)
    """
    progress = progress or Progress()
    if not len(points) or len(seeds) < 2:
        raise ValueError("give at least one number of points, and two seeds or more")
    names = ("reconstruction", "flow", "total", "field_square", "one_sided", "classical")
    sizes = _dimensions(dims, 64)
    shape = (len(points), len(seeds), len(sizes))
    told = {name: np.empty(shape) for name in names}
    for i, n in enumerate(points):
        for j, seed in enumerate(seeds):
            progress.update(i * len(seeds) + j, len(points) * len(seeds), f"{n:,} points, seed {seed}")
            ds = best_dimension("digits", sizes, n, learner=learner, paths=paths, seed=seed)
            for name in names:
                told[name][i, j] = ds[name].values
    progress.update(1, 1, "done")
    mean = told["total"].mean(axis=1)
    order = mean.argsort(axis=1)
    at = np.arange(len(points))
    second = order[:, min(1, len(sizes) - 1)]
    lead = told["total"][at, :, second] - told["total"][at, :, order[:, 0]]
    return results.dataset(
        {
            **{name: (("points", "seed", "dimension"), told[name], TOLD[name]) for name in names},
            "best": (("points",), np.array(sizes)[order[:, 0]], "latent dimension of the least mean total"),
            "second": (("points",), np.array(sizes)[second], "the second best"),
            "lead": (("points",), lead.mean(axis=1), "by how much its total lies below the second best"),
            "lead_error": (("points",), lead.std(axis=1, ddof=1) / math.sqrt(len(seeds)), "standard error, over seeds"),
        },
        {
            "points": (("points",), list(points), "points learned from"),
            "seed": (("seed",), list(seeds), "seed"),
            "dimension": (("dimension",), sizes, "latent dimension"),
        },
    )
