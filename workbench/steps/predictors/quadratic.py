"""Second-order models of the loss along the ray: s = g·v, κ = v·Hv, or its Gauss–Newton part."""

import math

from workbench.steps.predictors.registry import PREDICTORS
from workbench.steps.ray import FloatArray, Ray, softmax


@PREDICTORS.add(
    "quadratic-return",
    label="quadratic, 2|g·v|/κ",
    formula=r"2|g\cdot v|/\kappa_v",
    cost="two HVP-sized passes",
    reference="textbook; a distance, unlike the learning rate 2/κ of arXiv 2603.13552",
    group="quadratic",
)
def quadratic_return(ray: Ray, ratio: float) -> float:
    """Where the quadratic model is back at L(0): 2|g·v|/κ downhill, 0 uphill, ∞ without positive curvature."""
    if ray.slope >= 0:
        return 0.0
    return -2 * ray.slope / ray.curvature if ray.curvature > 0 else math.inf


@PREDICTORS.add(
    "quadratic-root",
    label="quadratic, L×q",
    formula=r"[-s+\sqrt{s^2+2\kappa(q-1)L_0}]/\kappa",
    cost="two HVP-sized passes",
    reference="textbook second-order Taylor model",
    group="quadratic",
)
def quadratic_root(ray: Ray, ratio: float) -> float:
    """Where the quadratic model reaches q·L(0)."""
    return _root(ray.slope, ray.curvature, (ratio - 1) * ray.loss)


@PREDICTORS.add(
    "gauss-newton-root",
    label="Gauss–Newton, L×q",
    formula=r"\kappa=\mathrm{mean}_i\,\mathrm{Var}_{p_i}(a_i)",
    cost="one JVP (curvature comes free)",
    reference="N. Schraudolph, Fast curvature matrix-vector products, Neural Computation 14 (2002)",
    group="quadratic",
)
def gauss_newton_root(ray: Ray, ratio: float) -> float:
    """The same with the Gauss–Newton curvature, which the slopes give for free."""
    slope = float((_softmax_residual(ray) * ray.slopes).sum(axis=1).mean())
    return _root(slope, ray.gauss_newton_curvature, (ratio - 1) * ray.loss)


def _softmax_residual(ray: Ray) -> FloatArray:
    """Return softmax(z) − one-hot(y), the gradient of each sample's loss in its logits."""
    residual = softmax(ray.logits)
    residual[range(len(residual)), ray.labels] -= 1
    return residual


def _root(slope: float, curvature: float, rise: float) -> float:
    """Return the smallest τ > 0 with slope·τ + curvature·τ²/2 = rise, ∞ if the model never rises so far."""
    discriminant = slope**2 + 2 * curvature * rise
    if discriminant < 0 or (curvature <= 0 and slope <= 0):
        return math.inf
    # rise·2/(s + √…) is the stable form of (−s + √…)/κ and covers κ = 0 and κ < 0 alike
    denominator = slope + math.sqrt(discriminant)
    return 2 * rise / denominator if denominator > 0 else math.inf
