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
from workbench.flows.covariances.audit import batchnorm_audit
from workbench.flows.covariances.batch import covariance_batch, folding, random_covariances
from workbench.flows.covariances.files import CovarianceReading, read_covariances, trial_covariances
from workbench.flows.covariances.study import SPD_LAYERS, digit_covariances, spd_batchnorm_study
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
    SPD_METRICS,
    Axes,
    BuresMean,
    DirectedEstimate,
    Estimate,
    MaxSliced,
    best_axis,
    bures_distance,
    bures_exp,
    bures_geodesic,
    bures_inner,
    bures_log,
    bures_map,
    bures_mean,
    bures_transport,
    covariance_distance,
    covariance_geodesic,
    covariance_mean,
    design_degree,
    design_sizes,
    design_table,
    directed_sliced_wasserstein,
    directed_sliced_wasserstein_gradient,
    directions,
    gaussian_wasserstein,
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
    from workbench.flows.covariances.layer import SPDBatchNorm
    from workbench.transport import SlicedWassersteinLoss, sliced_wasserstein_loss

__all__ = [
    "ESTIMATORS",
    "PAIRS",
    "SHAPES",
    "SPD_LAYERS",
    "SPD_METRICS",
    "Axes",
    "BuresMean",
    "CovarianceReading",
    "DirectedEstimate",
    "Estimate",
    "MaxSliced",
    "Reading",
    "SPDBatchNorm",
    "SlicedWassersteinLoss",
    "amortisation_study",
    "batchnorm_audit",
    "best_axis",
    "bures_distance",
    "bures_exp",
    "bures_geodesic",
    "bures_inner",
    "bures_log",
    "bures_map",
    "bures_mean",
    "bures_transport",
    "cloud",
    "colour_transfer",
    "compare_estimators",
    "compare_on",
    "covariance_batch",
    "covariance_distance",
    "covariance_geodesic",
    "covariance_mean",
    "design_degree",
    "design_sizes",
    "design_table",
    "digit",
    "digit_covariances",
    "directed_at",
    "directed_flows",
    "directed_quadratures",
    "directed_sliced_wasserstein",
    "directed_sliced_wasserstein_gradient",
    "directed_slices",
    "direction_costs",
    "directions",
    "folding",
    "gaussian_wasserstein",
    "gradient_flow",
    "harmonic_weights",
    "kappa_profile",
    "load_cloud",
    "max_sliced_wasserstein",
    "methods_for",
    "photograph",
    "projected_costs",
    "random_covariances",
    "read_cloud",
    "read_covariances",
    "read_picture",
    "seed_experiment",
    "sinkhorn_divergence",
    "slice_searches",
    "sliced_wasserstein",
    "sliced_wasserstein_gradient",
    "sliced_wasserstein_loss",
    "spd_batchnorm_study",
    "terrain_heights",
    "text_cloud",
    "trial_covariances",
    "triangle_counterexample",
    "vmf_directions",
    "wasserstein",
]


def __getattr__(name: str) -> Any:
    """Return what needs torch, the losses and the layer, importing torch when it is first asked for."""
    if name in ("SlicedWassersteinLoss", "sliced_wasserstein_loss"):
        return getattr(transport, name)
    if name == "SPDBatchNorm":
        from workbench.flows.covariances.layer import SPDBatchNorm

        return SPDBatchNorm
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
