"""Gradient-normalised smoothness on the ray: how far the gradient field is its own linearisation."""

import math
from collections.abc import Callable

from workbench.steps.predictors.registry import PREDICTORS
from workbench.steps.radii import bound_radius
from workbench.steps.ray import Ray

GROWTH = 1.3


@PREDICTORS.add(
    "smoothness",
    label="smoothness γ_v",
    formula=r"\max\{\gamma:\|\nabla L(sv)-g-sHv\|\leq s\|g\|/\gamma\ \forall s\leq\gamma\}",
    cost="one HVP and about 30 gradients",
    reference="A. Semenov, M. Jaggi & N. Doikov, arXiv 2506.13710, restricted here to the ray",
    group="smoothness",
)
def smoothness(ray: Ray, ratio: float) -> float:
    """Largest γ such that, at every s ≤ γ, the gradient's linearisation errs by at most s‖g‖/γ.

    The paper's γ(x) takes all displacements of a ball; only those along v are tried here, hence γ_v ≥ γ. Scanned on a
    grid of ratio 1.3 and refined by bisection; ∞ if the error never counts within six decades, 0 for a zero gradient.
    """
    norm = float(ray.gradient.norm())
    if norm == 0:
        return 0.0
    worst = 0.0  # the largest error/s so far

    def error_rate(s: float) -> float:
        error = ray.gradient_at(s) - ray.gradient - s * ray.curved_direction
        return float(error.norm()) / s

    # from s = 1 % of the bound radius: nearer, rounding in the difference would count
    low, s = 0.0, 0.01 * float(bound_radius(ray.slopes).min())
    if not math.isfinite(s):
        return math.inf
    end = s * 1e6
    while s <= end:
        rate = max(worst, error_rate(s))
        if not s * rate <= norm:
            return _refine(error_rate, worst, low, s, norm)
        worst, low, s = rate, s, s * GROWTH
    return math.inf


def _refine(error_rate: Callable[[float], float], worst: float, low: float, high: float, norm: float) -> float:
    """Bisect for γ·max_{s≤γ} error(s)/s = ‖g‖ between a radius that holds and one that does not."""
    while high - low > 1e-3 * high:
        middle = 0.5 * (low + high)
        rate = max(worst, error_rate(middle))
        if middle * rate <= norm:
            worst, low = rate, middle
        else:
            high = middle
    return low
