"""Linear replay: follow the loss of the *linearised* logits, which the JVP has paid for."""

from workbench.steps.predictors.registry import PREDICTORS
from workbench.steps.ray import Ray, mean_loss
from workbench.steps.search import first_crossing


@PREDICTORS.add(
    "replay",
    label="linear replay, L×q",
    formula=r"\min\{\tau: \mathrm{CE}(z+\tau a)=qL_0\}",
    cost="one JVP, then softmaxes only",
    reference="derived here: the lazy (linearised) network's own loss",
    group="replay",
)
def replay(ray: Ray, ratio: float) -> float:
    """Smallest τ at which the loss of z + τa reaches q·L(0)."""
    logits, slopes, labels = ray.logits, ray.slopes, ray.labels

    def excess(tau: float) -> float:
        return mean_loss(logits + tau * slopes, labels) - ratio * ray.loss

    return first_crossing(excess, _smallest_scale(ray))


def _smallest_scale(ray: Ray) -> float:
    """Return a length well below anything that matters: 1 % of the bound radius."""
    from workbench.steps.radii import bound_radius

    return 0.01 * float(bound_radius(ray.slopes).min())
