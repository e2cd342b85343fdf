"""The flows room: watch one point cloud flow into another, and compare the estimators that drive it.

>>> from workbench import flows
>>> x, y = flows.cloud("torus", 500), flows.cloud("cube", 500, seed=1)
>>> flow = flows.gradient_flow(x, y, steps=20)
>>> bool(flow.sw2[-1] < 0.1 * flow.sw2[0])
True
"""

from typing import TYPE_CHECKING, Any

from workbench import transport
from workbench.clouds import (
    SHAPES,
    Reading,
    cloud,
    digit,
    load_cloud,
    photograph,
    read_cloud,
    read_picture,
    terrain_heights,
    text_cloud,
)
from workbench.flows.colour import colour_transfer
from workbench.flows.comparison import PAIRS, compare_estimators, compare_on, methods_for
from workbench.flows.directed import (
    amortisation_study,
    directed_at,
    directed_flows,
    directed_quadratures,
    directed_slices,
    kappa_profile,
    slice_searches,
    triangle_counterexample,
)
from workbench.flows.direction_costs import direction_costs
from workbench.flows.flow import gradient_flow
from workbench.flows.paper import seed_experiment
from workbench.transport import (
    ESTIMATORS,
    Axes,
    DirectedEstimate,
    Estimate,
    MaxSliced,
    best_axis,
    design_degree,
    design_sizes,
    design_table,
    directed_sliced_wasserstein,
    directed_sliced_wasserstein_gradient,
    directions,
    harmonic_weights,
    max_sliced_wasserstein,
    projected_costs,
    sinkhorn_divergence,
    sliced_wasserstein,
    sliced_wasserstein_gradient,
    vmf_directions,
    wasserstein,
)

if TYPE_CHECKING:
    from workbench.transport import SlicedWassersteinLoss, sliced_wasserstein_loss

__all__ = [
    "ESTIMATORS",
    "PAIRS",
    "SHAPES",
    "Axes",
    "DirectedEstimate",
    "Estimate",
    "MaxSliced",
    "Reading",
    "SlicedWassersteinLoss",
    "amortisation_study",
    "best_axis",
    "cloud",
    "colour_transfer",
    "compare_estimators",
    "compare_on",
    "design_degree",
    "design_sizes",
    "design_table",
    "digit",
    "directed_at",
    "directed_flows",
    "directed_quadratures",
    "directed_sliced_wasserstein",
    "directed_sliced_wasserstein_gradient",
    "directed_slices",
    "direction_costs",
    "directions",
    "gradient_flow",
    "harmonic_weights",
    "kappa_profile",
    "load_cloud",
    "max_sliced_wasserstein",
    "methods_for",
    "photograph",
    "projected_costs",
    "read_cloud",
    "read_picture",
    "seed_experiment",
    "sinkhorn_divergence",
    "slice_searches",
    "sliced_wasserstein",
    "sliced_wasserstein_gradient",
    "sliced_wasserstein_loss",
    "terrain_heights",
    "text_cloud",
    "triangle_counterexample",
    "vmf_directions",
    "wasserstein",
]


def __getattr__(name: str) -> Any:
    """Hand the torch losses on from :mod:`workbench.transport`, which imports torch when they are first asked for."""
    if name in ("SlicedWassersteinLoss", "sliced_wasserstein_loss"):
        return getattr(transport, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
