"""The flows room: watch one point cloud flow into another, and compare the estimators that drive it.

>>> from workbench import flows
>>> x, y = flows.cloud("torus", 500), flows.cloud("cube", 500, seed=1)
>>> flow = flows.gradient_flow(x, y, steps=20)
>>> bool(flow.sw2[-1] < 0.1 * flow.sw2[0])
True
"""

from typing import TYPE_CHECKING, Any

from workbench.flows.colour import colour_transfer
from workbench.flows.comparison import PAIRS, compare_estimators, compare_on, methods_for
from workbench.flows.designs import design_degree, design_sizes, design_table
from workbench.flows.estimators import ESTIMATORS
from workbench.flows.estimators.harmonic import harmonic_weights
from workbench.flows.exact import sinkhorn_divergence, wasserstein
from workbench.flows.files import load_cloud
from workbench.flows.flow import gradient_flow
from workbench.flows.real_data import digit, photograph, terrain_heights
from workbench.flows.seed_experiment import seed_experiment
from workbench.flows.shapes import SHAPES, cloud
from workbench.flows.sliced import (
    Estimate,
    directions,
    projected_costs,
    sliced_wasserstein,
    sliced_wasserstein_gradient,
)
from workbench.flows.sphere import direction_costs
from workbench.flows.text import text_cloud

if TYPE_CHECKING:
    from workbench.flows.autograd import SlicedWassersteinLoss, sliced_wasserstein_loss

__all__ = [
    "ESTIMATORS",
    "PAIRS",
    "SHAPES",
    "Estimate",
    "SlicedWassersteinLoss",
    "cloud",
    "colour_transfer",
    "compare_estimators",
    "compare_on",
    "design_degree",
    "design_sizes",
    "design_table",
    "digit",
    "direction_costs",
    "directions",
    "gradient_flow",
    "harmonic_weights",
    "load_cloud",
    "methods_for",
    "photograph",
    "projected_costs",
    "seed_experiment",
    "sinkhorn_divergence",
    "sliced_wasserstein",
    "sliced_wasserstein_gradient",
    "sliced_wasserstein_loss",
    "terrain_heights",
    "text_cloud",
    "wasserstein",
]


def __getattr__(name: str) -> Any:
    """Import the torch losses when they are first asked for: torch takes seconds to import."""
    if name in ("SlicedWassersteinLoss", "sliced_wasserstein_loss"):
        from workbench.flows import autograd

        value = getattr(autograd, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
