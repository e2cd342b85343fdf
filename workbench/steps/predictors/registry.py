"""The registry of predictors and the one way to call them."""

import math

from workbench import checks
from workbench.registry import Fact, Registry
from workbench.steps.ray import Ray

GROUPS = {
    "radius": "softmax radii",
    "quadratic": "second order",
    "replay": "linear replay",
    "line-search": "loss along the ray",
    "smoothness": "smoothness",
}
"""The kinds of predictors, name → what a legend calls them; each has a colour and a mark of its own in figures."""

PREDICTORS = Registry("predictor", facts={"group": Fact(str, choices=GROUPS, says=f"one of {', '.join(GROUPS)}")})


def predict(predictor: str, ray: Ray, *, ratio: float = 2.0) -> float:
    """Return what the named predictor says about ``ray``: a distance τ ≥ 0, ∞ allowed.

    ``ratio`` > 1 is the loss ratio L(τ)/L(0) counted as damage. Raises ``ValueError`` for an unknown name.

    >>> import torch
    >>> model = torch.nn.Linear(1, 2, bias=False)
    >>> _ = torch.nn.init.zeros_(model.weight)
    >>> apart = {"weight": torch.tensor([[1.0], [-1.0]])}
    >>> ray = Ray(model, torch.ones(1, 1), torch.tensor([1]), apart)
    >>> round(predict("exact", ray) * 2**0.5, 6)  # two equal logits that part at √2: π/√2 away
    3.141593
    """
    ratio = checks.real("ratio", ratio, exclusive_minimum=1)
    tau = float(PREDICTORS[predictor](ray, ratio))
    if math.isnan(tau) or tau < 0:
        raise ArithmeticError(f"the predictor {predictor!r} returned {tau}, which is no distance")
    return tau
