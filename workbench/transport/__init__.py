"""Optimal transport for every room: checked clouds, the sliced distance and its estimators, exact and entropic plans.

>>> from workbench import clouds, transport
>>> x, y = clouds.cloud("torus", 500), clouds.cloud("cube", 500, seed=1)
>>> estimate = transport.sliced_wasserstein(x, y)
>>> bool(estimate.value > 0)
True

From the ground up: ``measures`` (a checked cloud), ``kernel`` and ``equal`` (compiled, in float32: clouds of any
masses, and the fast path for equal ones), ``single`` and ``double`` (some directions), ``lines`` (all directions, on
all cores), ``estimators`` and ``designs`` (which directions with which weights), ``evaluate`` (one draw of an
estimator), and what people call: ``sliced``, ``exact``, ``torch_loss``.
"""

from typing import TYPE_CHECKING, Any

from workbench.transport.designs import design_degree, design_sizes, design_table
from workbench.transport.estimators import ESTIMATORS
from workbench.transport.estimators.harmonic import harmonic_weights
from workbench.transport.exact import sinkhorn_divergence, wasserstein
from workbench.transport.sliced import (
    Estimate,
    directions,
    projected_costs,
    sliced_wasserstein,
    sliced_wasserstein_gradient,
)

if TYPE_CHECKING:
    from workbench.transport.torch_loss import SlicedWassersteinLoss, sliced_wasserstein_loss

__all__ = [
    "ESTIMATORS",
    "Estimate",
    "SlicedWassersteinLoss",
    "design_degree",
    "design_sizes",
    "design_table",
    "directions",
    "harmonic_weights",
    "projected_costs",
    "sinkhorn_divergence",
    "sliced_wasserstein",
    "sliced_wasserstein_gradient",
    "sliced_wasserstein_loss",
    "wasserstein",
]


def __getattr__(name: str) -> Any:
    """Import the torch losses when they are first asked for: torch takes seconds to import."""
    if name in ("SlicedWassersteinLoss", "sliced_wasserstein_loss"):
        from workbench.transport import torch_loss

        value = getattr(torch_loss, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
