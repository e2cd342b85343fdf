"""Predictors of how far a step may go, all in one currency: τ = ‖θ − θ₀‖ along the same unit ray.

A predictor is one function ``(ray, ratio) -> τ``, entered in :data:`PREDICTORS` with its group (one of
:data:`GROUPS`), cost and reference; ``ratio`` is the loss ratio q that counts as damage, used by those that model the
loss. ∞ means "nothing limits the step".

>>> from workbench.steps import PREDICTORS
>>> "bound" in PREDICTORS and "replay" in PREDICTORS
True
"""

# the order of these imports is the order of the registry
# isort: off
from workbench.steps.predictors.registry import GROUPS, PREDICTORS, predict
from workbench.steps.predictors import radius, quadratic, replay, line_search, curvature, smoothness
# isort: on

__all__ = [
    "GROUPS",
    "PREDICTORS",
    "curvature",
    "line_search",
    "predict",
    "quadratic",
    "radius",
    "replay",
    "smoothness",
]
