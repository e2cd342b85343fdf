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

from workbench.transport.assignment import exact_transport
from workbench.transport.bounds import Bounds, transport_bounds
from workbench.transport.bures_mean import BuresMean, bures_mean
from workbench.transport.designs import design_degree, design_sizes, design_table
from workbench.transport.directed import (
    Axes,
    DirectedEstimate,
    best_axis,
    directed_sliced_wasserstein,
    directed_sliced_wasserstein_gradient,
)
from workbench.transport.entropic import entropic_plan
from workbench.transport.estimators import ESTIMATORS
from workbench.transport.estimators.harmonic import harmonic_weights
from workbench.transport.exact import sinkhorn_divergence, wasserstein
from workbench.transport.gaussians import (
    bures_distance,
    bures_exp,
    bures_geodesic,
    bures_inner,
    bures_log,
    bures_map,
    bures_transport,
    gaussian_wasserstein,
)
from workbench.transport.max_sliced import MaxSliced, max_sliced_wasserstein
from workbench.transport.newton import OT_SOLVERS  # from here, so that its solvers have entered
from workbench.transport.sliced import (
    Estimate,
    directions,
    projected_costs,
    sliced_wasserstein,
    sliced_wasserstein_gradient,
)
from workbench.transport.solution import Solution
from workbench.transport.spd_metrics import SPD_METRICS, covariance_distance, covariance_geodesic, covariance_mean
from workbench.transport.surfaces import SurfaceLines, surface_lines
from workbench.transport.vmf import cap_angle, vmf_directions, vmf_harmonic, vmf_mean, vmf_second_moment
from workbench.transport.weighted import WeightedLines, weighted_lines

if TYPE_CHECKING:
    from workbench.transport.torch_loss import SlicedWassersteinLoss, sliced_wasserstein_loss

__all__ = [
    "ESTIMATORS",
    "OT_SOLVERS",
    "SPD_METRICS",
    "Axes",
    "Bounds",
    "BuresMean",
    "DirectedEstimate",
    "Estimate",
    "MaxSliced",
    "SlicedWassersteinLoss",
    "Solution",
    "SurfaceLines",
    "WeightedLines",
    "best_axis",
    "bures_distance",
    "bures_exp",
    "bures_geodesic",
    "bures_inner",
    "bures_log",
    "bures_map",
    "bures_mean",
    "bures_transport",
    "cap_angle",
    "covariance_distance",
    "covariance_geodesic",
    "covariance_mean",
    "design_degree",
    "design_sizes",
    "design_table",
    "directed_sliced_wasserstein",
    "directed_sliced_wasserstein_gradient",
    "directions",
    "entropic_plan",
    "exact_transport",
    "gaussian_wasserstein",
    "harmonic_weights",
    "max_sliced_wasserstein",
    "projected_costs",
    "sinkhorn_divergence",
    "sliced_wasserstein",
    "sliced_wasserstein_gradient",
    "sliced_wasserstein_loss",
    "surface_lines",
    "transport_bounds",
    "vmf_directions",
    "vmf_harmonic",
    "vmf_mean",
    "vmf_second_moment",
    "wasserstein",
    "weighted_lines",
]


def __getattr__(name: str) -> Any:
    """Import the torch losses when they are first asked for: torch takes seconds to import."""
    if name in ("SlicedWassersteinLoss", "sliced_wasserstein_loss"):
        from workbench.transport import torch_loss

        value = getattr(torch_loss, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
