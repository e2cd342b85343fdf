"""Predictors of how far a step may go, all in one currency: τ = ‖θ − θ₀‖ along the same unit ray.

A predictor is one function ``(ray, ratio) -> τ``, entered in :data:`PREDICTORS` with its cost and reference; ``ratio``
is the loss ratio q that counts as damage, used by those that model the loss. ∞ means "nothing limits the step".

>>> from workbench.steps import PREDICTORS
>>> "bound" in PREDICTORS and "replay" in PREDICTORS
True
"""

# isort: off — the order of these imports is the order of the registry
from workbench.steps.predictors import curvature, line_search, quadratic, radius, replay, smoothness
from workbench.steps.predictors.registry import PREDICTORS, predict

# isort: on

__all__ = ["PREDICTORS", "curvature", "line_search", "predict", "quadratic", "radius", "replay", "smoothness"]
