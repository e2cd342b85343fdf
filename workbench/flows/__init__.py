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
    equivalent_change,
    find_cycle,
    holm,
    joint_rounding_test,
    low_precision_run,
    precision_climate,
    precision_sweep,
    read_runs,
    round_to,
    rounding_test,
    soil_column,
    soil_deviation,
    soil_exact,
    stagnation_profile,
    stagnation_threshold,
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
from workbench.flows.exact import compare_solvers, exact_scaling, sns_experiment, sparsity_decay
from workbench.flows.flow import gradient_flow
from workbench.flows.paper import seed_experiment
from workbench.transport import (
    ESTIMATORS,
    OT_SOLVERS,
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
    entropic_plan,
    exact_transport,
    gaussian_wasserstein,
    harmonic_weights,
    max_sliced_wasserstein,
    projected_costs,
    sinkhorn_divergence,
    sliced_wasserstein,
    sliced_wasserstein_gradient,
    transport_bounds,
    vmf_directions,
    wasserstein,
)

if TYPE_CHECKING:
    from workbench.flows.covariances.layer import SPDBatchNorm
    from workbench.transport import SlicedWassersteinLoss, sliced_wasserstein_loss

__all__ = [
    "ESTIMATORS",
    "MODELS",
    "OT_SOLVERS",
    "PAIRS",
    "SHAPES",
    "SPD_LAYERS",
    "SPD_METRICS",
    "Axes",
    "BuresMean",
    "CovarianceReading",
    "Cycle",
    "DirectedEstimate",
    "Estimate",
    "MaxSliced",
    "Reading",
    "RoundingTest",
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
    "compare_runs",
    "compare_solvers",
    "covariance_batch",
    "covariance_distance",
    "covariance_geodesic",
    "covariance_mean",
    "design_degree",
    "design_sizes",
    "design_table",
    "detectable_shift",
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
    "entropic_plan",
    "equivalent_change",
    "exact_scaling",
    "exact_transport",
    "find_cycle",
    "folding",
    "gaussian_wasserstein",
    "gradient_flow",
    "harmonic_weights",
    "holm",
    "joint_rounding_test",
    "kappa_profile",
    "load_cloud",
    "low_precision_run",
    "max_sliced_wasserstein",
    "methods_for",
    "photograph",
    "precision_climate",
    "precision_sweep",
    "projected_costs",
    "random_covariances",
    "read_cloud",
    "read_covariances",
    "read_picture",
    "read_runs",
    "round_to",
    "rounding_test",
    "seed_experiment",
    "sinkhorn_divergence",
    "slice_searches",
    "sliced_wasserstein",
    "sliced_wasserstein_gradient",
    "sliced_wasserstein_loss",
    "sns_experiment",
    "soil_column",
    "soil_deviation",
    "soil_exact",
    "sparsity_decay",
    "spd_batchnorm_study",
    "stagnation_profile",
    "stagnation_threshold",
    "terrain_heights",
    "text_cloud",
    "transport_bounds",
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
