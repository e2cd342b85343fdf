"""The softmax radii of the batch, smallest over the samples."""

from workbench.steps.exact import exact_radius
from workbench.steps.predictors.registry import PREDICTORS
from workbench.steps.radii import bound_radius, dominance_radius
from workbench.steps.ray import Ray

GHOSTS = "P. Sao, Ghosts of Softmax, arXiv 2603.13552"


@PREDICTORS.add(
    "bound", label="bound ρ_a", formula=r"\pi/\max_i\Delta_i", cost="one JVP", reference=GHOSTS, group="radius"
)
def bound(ray: Ray, ratio: float) -> float:
    """The bound radius ρ_a (slopes are already divided by the temperature)."""
    return float(bound_radius(ray.slopes).min())


@PREDICTORS.add(
    "dominance",
    label="dominance ρ_dom",
    formula=r"\min_i\sqrt{u_i^2+\pi^2/\Delta_i^2}",
    cost="one JVP",
    reference="derived here from arXiv 2603.13552",
    group="radius",
)
def dominance(ray: Ray, ratio: float) -> float:
    """The dominance bound ρ_dom."""
    return float(dominance_radius(ray.logits, ray.slopes).min())


@PREDICTORS.add(
    "exact",
    label="exact ρ*",
    formula=r"\min_i\min\{|\tau|:\sum_k e^{z_{ik}+a_{ik}\tau}=0\}",
    cost="one JVP, then about 0.1 ms a sample at 10 classes",
    reference=GHOSTS,
    group="radius",
)
def exact(ray: Ray, ratio: float) -> float:
    """The exact radius ρ* of the linearised logits."""
    return float(exact_radius(ray.logits, ray.slopes).radius.min())
