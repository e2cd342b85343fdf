"""Step lengths from the loss itself: Polyak's, and the largest step that still pays (Armijo, critical)."""

import math

from workbench.steps.predictors.registry import PREDICTORS
from workbench.steps.radii import bound_radius
from workbench.steps.ray import Ray
from workbench.steps.search import first_crossing

SUFFICIENT = 1e-4


@PREDICTORS.add(
    "polyak",
    label="Polyak, L/‖g‖",
    formula=r"L_0/\|g\|",
    cost="one gradient",
    reference="B. Polyak, Introduction to Optimization (1987); optimal value taken as 0",
    group="line-search",
)
def polyak(ray: Ray, ratio: float) -> float:
    """Polyak's step as a distance: η‖g‖ = L/‖g‖, the optimum of the loss taken as zero."""
    norm = float(ray.gradient.norm())
    return ray.loss / norm if norm > 0 else math.inf


@PREDICTORS.add(
    "armijo",
    label="Armijo, c = 1e-4",
    formula=r"\max\{\tau: L(\tau)\leq L_0+c\,\tau\,g\cdot v\}",
    cost="about 40 forward passes",
    reference="L. Armijo, Pacific J. Math. 16 (1966); S. Vaswani et al., arXiv 1905.09997",
    group="line-search",
)
def armijo(ray: Ray, ratio: float) -> float:
    """First τ at which sufficient decrease fails; 0 along a direction that does not descend."""
    return _fails_to_decrease(ray, SUFFICIENT)


@PREDICTORS.add(
    "critical",
    label="critical step, L(τ) = L₀",
    formula=r"\min\{\tau>0: L(\tau)=L_0\}",
    cost="about 40 forward passes",
    reference="D. Kalra & M. Barkeshli, arXiv 2406.09405 (critical learning rate)",
    group="line-search",
)
def critical(ray: Ray, ratio: float) -> float:
    """First τ at which the loss is back at its start; 0 along a direction that does not descend."""
    return _fails_to_decrease(ray, 0.0)


def _fails_to_decrease(ray: Ray, sufficient: float) -> float:
    if ray.slope >= 0:
        return 0.0

    def excess(tau: float) -> float:
        return ray.loss_at(tau) - ray.loss - sufficient * tau * ray.slope

    scale = 0.01 * float(bound_radius(ray.slopes).min())
    return first_crossing(excess, scale, growth=1.3)
