"""What the released layer does to its promise, condition by condition: mean, variance, gradients, folds."""

import warnings
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.flows.covariances.batch import folding, random_covariances
from workbench.progress import Progress
from workbench.transport.bures_mean import bures_mean
from workbench.transport.gaussians import Matrices, bures_distance

VARIANTS = ("exact", "paper", "released")


@results.experiment
def batchnorm_audit(
    conditions: Sequence[float] = (1e1, 1e2, 1e4, 1e6, 1e8, 1e10, 1e12),
    *,
    count: int = 30,
    n: int = 12,
    repeats: int = 5,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Measure, on random batches of each condition, what batch normalisation in Bures geometry promises and keeps.

    ``count`` matrices n × n with log-uniform spectra, ``repeats`` batches each. Over (condition, repeat): V at the
    exact mean and its relative certified ``gap``; ``one_step_excess`` of V after one fixed-point step from the
    arithmetic mean (relative) and ``one_step_distance`` to the true mean (in √V); the variance about I; the share of
    matrices ``folded`` at s/σ = 1; what POT's ``bures_barycenter_fixpoint`` reaches (``pot_excess``, NaN where it stops
    with an error or a warning). Over (variant, condition, repeat): the Fréchet ``output_variance`` of the layer's
    output (1 is promised) and ``output_shift``, d² of the output's mean from I; ``gradient`` and
    ``difference_quotient`` of a random linear function of the layer in a random direction. Cost: about 20 s.

    Reference: arXiv 2504.00660 and the code released with it.

    >>> ds = batchnorm_audit((1e4,), count=10, n=3, repeats=1)
    >>> released, exact = (abs(float(ds.output_variance.sel(variant=name)[0, 0]) - 1) for name in ("released", "exact"))
    >>> released > 0.01, bool(ds.gap.max() < 1e-10)
    (True, True)
    """
    progress = progress or Progress()
    conditions = [checks.real("a condition", condition, minimum=1, maximum=1e14) for condition in conditions]
    if not conditions or len(set(conditions)) != len(conditions):
        raise ValueError(f"conditions must be at least one number, each once, got {conditions}")
    count = checks.integer("count", count, minimum=2, maximum=500)
    n = checks.integer("n", n, minimum=1, maximum=64)
    repeats = checks.integer("repeats", repeats, minimum=1, maximum=1000)
    rng = checks.generator(seed)
    shape = (len(conditions), repeats)
    single = {name: np.full(shape, np.nan) for name in SINGLE}
    layered = {name: np.full((len(VARIANTS), *shape), np.nan) for name in LAYERED}
    for i, condition in enumerate(conditions):
        for j in range(repeats):
            progress.update(i * repeats + j, len(conditions) * repeats, f"condition {condition:g}")
            x = random_covariances(count, n, condition=condition, seed=rng)
            for name, number in _measure(x).items():
                single[name][i, j] = number
            for k, variant in enumerate(VARIANTS):
                for name, number in _layer(x, variant, rng.spawn(1)[0]).items():
                    layered[name][k, i, j] = number
    progress.update(1, 1, "done")
    return results.dataset(
        {name: (("condition", "repeat"), single[name], told) for name, told in SINGLE.items()}
        | {name: (("variant", "condition", "repeat"), layered[name], told) for name, told in LAYERED.items()},
        {
            "condition": (("condition",), np.array(conditions), "condition of the matrices, at most"),
            "repeat": (("repeat",), np.arange(repeats), "number of the batch"),
            "variant": (("variant",), np.array(VARIANTS), "how the layer is built"),
        },
    )


SINGLE = {
    "value": "V at the exact mean",
    "gap": "certified gap divided by V",
    "one_step_excess": "V after one step divided by its minimum, minus 1",
    "one_step_distance": "distance of the one-step mean from the mean, divided by √V",
    "variance_about_identity": "mean squared distance to I",
    "folded": "share of the matrices that fold at s/σ = 1",
    "pot_excess": "V at POT's mean divided by the minimum, minus 1",
}
LAYERED = {
    "output_variance": "Fréchet variance of the layer's output",
    "output_shift": "squared distance of the output's mean from I",
    "gradient": "directional derivative that autograd gives",
    "difference_quotient": "the same as a difference quotient",
    "held_back": "share of the matrices that folded or were held back",
}


def _measure(x: Matrices) -> dict[str, float]:
    best = bures_mean(x)
    once = bures_mean(x, max_iterations=2)  # the second iterate is the result of the first step
    found = folding(x, 1 / np.sqrt(best.value), mean=best.mean)
    return {
        "value": best.value,
        "gap": best.gap / best.value,
        "one_step_excess": once.value / best.value - 1,
        "one_step_distance": float(np.sqrt(bures_distance(once.mean, best.mean) / best.value)),
        "variance_about_identity": float(np.mean(bures_distance(np.eye(x.shape[-1]), x))),
        "folded": float(found.folded.mean()),
        "pot_excess": _pot_excess(x, best.value),
    }


def _pot_excess(x: Matrices, least: float) -> float:
    """Return how far POT's mean is from the least V, NaN where it fails or says that it did not converge."""
    import ot

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error", UserWarning)
        try:
            mean = ot.gaussian.bures_barycenter_fixpoint(x, eps=1e-8, num_iter=2000)
            return float(np.mean(bures_distance(mean, x))) / least - 1
        except (UserWarning, np.linalg.LinAlgError, ValueError):
            return np.nan


def _layer(x: Matrices, variant: str, rng: np.random.Generator) -> dict[str, float]:
    import torch

    from workbench.flows.covariances.layer import SPDBatchNorm

    layer = SPDBatchNorm(x.shape[-1], variant=variant, tolerance=1e-15)
    given = torch.from_numpy(x)
    with torch.no_grad():
        out = layer(given).numpy()
    held = layer.folded + layer.capped
    after = bures_mean(out)
    weight, direction = (torch.from_numpy(_symmetric_noise(x.shape, rng)) for _ in range(2))
    layer.scale.data.mul_(0.2)  # small, so that neither folds nor the cap hide the gradient of mean and variance
    # a direction that keeps the matrices definite: X^½ N X^½
    root = torch.from_numpy(np.stack([np.linalg.cholesky(one) for one in x]))
    direction = root @ direction @ root.mT
    moved = given.clone().requires_grad_()
    (layer(moved) * weight).sum().backward()
    step = 1e-5
    with torch.no_grad():
        ends = [float((layer(given + sign * step * direction) * weight).sum()) for sign in (1, -1)]
    return {
        "output_variance": after.value,
        "output_shift": float(bures_distance(after.mean, np.eye(x.shape[-1]))),
        "gradient": float((moved.grad * direction).sum()),  # type: ignore[operator]
        "difference_quotient": (ends[0] - ends[1]) / (2 * step),
        "held_back": held,
    }


def _symmetric_noise(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    noise = rng.normal(size=shape)
    return (noise + np.swapaxes(noise, 1, 2)) / 2
