"""The estimators of SW_2², one file per family, found by name in ``ESTIMATORS``.

Each is a function ``(n_directions, dim, rng) -> Rule``: which directions, with which weights, and for the control
variates of the seed which correction. Adding one is adding one such function with the decorator.
"""

# The order of these imports is the order of the registry.
# ruff: noqa: I001
from workbench.transport.estimators.base import ESTIMATORS, Rule
from workbench.transport.estimators import (
    monte_carlo,
    control_variates,
    orthogonal,
    spiral,
    equispaced,
    design,
    harmonic,
    roots,
)

__all__ = [
    "ESTIMATORS",
    "Rule",
    "control_variates",
    "design",
    "equispaced",
    "harmonic",
    "monte_carlo",
    "orthogonal",
    "roots",
    "spiral",
]
