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
from workbench.flows.bits import (
    MODELS,
    Cycle,
    RoundingTest,
    compare_runs,
    detectable_shift,
    find_cycle,
    holm,
    low_precision_run,
    precision_climate,
    precision_sweep,
    read_runs,
    round_to,
    rounding_test,
    soil_column,
    soil_exact,
    stagnation_profile,
    stagnation_threshold,
)
from workbench.flows.colour import colour_transfer
from workbench.flows.comparison import PAIRS, compare_estimators, compare_on, methods_for
from workbench.flows.direction_costs import direction_costs
from workbench.flows.flow import gradient_flow
from workbench.flows.paper import seed_experiment
from workbench.transport import (
    ESTIMATORS,
    Estimate,
    design_degree,
    design_sizes,
    design_table,
    directions,
    harmonic_weights,
    projected_costs,
    sinkhorn_divergence,
    sliced_wasserstein,
    sliced_wasserstein_gradient,
    wasserstein,
)

if TYPE_CHECKING:
    from workbench.transport import SlicedWassersteinLoss, sliced_wasserstein_loss

__all__ = [
    "ESTIMATORS",
    "MODELS",
    "PAIRS",
    "SHAPES",
    "Cycle",
    "Estimate",
    "Reading",
    "RoundingTest",
    "SlicedWassersteinLoss",
    "cloud",
    "colour_transfer",
    "compare_estimators",
    "compare_on",
    "compare_runs",
    "design_degree",
    "design_sizes",
    "design_table",
    "detectable_shift",
    "digit",
    "direction_costs",
    "directions",
    "find_cycle",
    "gradient_flow",
    "harmonic_weights",
    "holm",
    "load_cloud",
    "low_precision_run",
    "methods_for",
    "photograph",
    "precision_climate",
    "precision_sweep",
    "projected_costs",
    "read_cloud",
    "read_picture",
    "read_runs",
    "round_to",
    "rounding_test",
    "seed_experiment",
    "sinkhorn_divergence",
    "sliced_wasserstein",
    "sliced_wasserstein_gradient",
    "sliced_wasserstein_loss",
    "soil_column",
    "soil_exact",
    "stagnation_profile",
    "stagnation_threshold",
    "terrain_heights",
    "text_cloud",
    "wasserstein",
]


def __getattr__(name: str) -> Any:
    """Hand the torch losses on from :mod:`workbench.transport`, which imports torch when they are first asked for."""
    if name in ("SlicedWassersteinLoss", "sliced_wasserstein_loss"):
        return getattr(transport, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
