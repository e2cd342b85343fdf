"""The Fisher metric on the couplings of a lattice model, and its scalar curvature.

Exact on any Ising torus (:func:`ising_curvature`, :func:`trace_norm`, :func:`third_cumulant`), by enumeration on any
small graph (:func:`enumerate_curvature`), by cluster Monte Carlo on what has no exact solution
(:func:`monte_carlo_curvature`); and what becomes of it with size (:func:`curvature_scaling`, :func:`falsify`).

Densities are curved too: fields on a grid (:func:`curvature_field`, :func:`web`), two measures
(:func:`entropic_curvature`), a whole periodic box (:func:`periodic_transport`).
"""

from workbench.fisher.costs import estimate_cost
from workbench.fisher.coupling_sweep import coupling_sweep, critical_coupling
from workbench.fisher.cumulants import third_cumulant
from workbench.fisher.curvature import ENGINES, ising_curvature
from workbench.fisher.entropic import (
    FIELDS,
    TENSORS,
    Bumps,
    FieldReading,
    Normal,
    PeriodicTransport,
    PowerLaw,
    Table,
    cloud_in_cell,
    curvature_field,
    curvature_statistics,
    eigenvalue_shares,
    entropic_curvature,
    field,
    periodic_reconstruction,
    periodic_transport,
    read_field,
    scale_flow,
    web,
    web_report,
    web_study,
)
from workbench.fisher.enumeration import enumerate_curvature, enumerate_moments
from workbench.fisher.graphs import GRAPHS, Graph, from_edges
from workbench.fisher.identity import random_ricci_terms
from workbench.fisher.monte_carlo import (
    ALGORITHMS,
    MODELS,
    live_curvature,
    monte_carlo_curvature,
    monte_carlo_survey,
    sampled_trace_norm,
)
from workbench.fisher.paper import CANDIDATES, EXPONENTS, published
from workbench.fisher.regulators import (
    CONVERGENCE_MODELS,
    LEARNER_LOSSES,
    REGULATOR_SOURCES,
    STEP_RULES,
    RegulatorReading,
    alpha_of,
    beta_of,
    damping_threshold,
    digits_metric,
    gaussian_charts,
    graph_metric,
    in_chart,
    measured_convergence,
    optimal_damping,
    phase_diagram,
    read_regulator,
    regimes,
    regulator_report,
    regulator_study,
    torus_regimes,
    torus_spectrum,
)
from workbench.fisher.scaling import (
    curvature_scaling,
    effective_exponents,
    extrapolated_curvature,
    falsify,
    fit_logarithm,
    fit_power_law,
)
from workbench.fisher.shipped import (
    compare_model,
    exact_scaling,
    shipped_extrapolation,
    shipped_scaling,
    shipped_survey,
)
from workbench.fisher.torus import J_CRITICAL, critical_partner
from workbench.fisher.trace_norm import trace_norm

__all__ = [
    "ALGORITHMS",
    "CANDIDATES",
    "CONVERGENCE_MODELS",
    "ENGINES",
    "EXPONENTS",
    "FIELDS",
    "GRAPHS",
    "J_CRITICAL",
    "LEARNER_LOSSES",
    "MODELS",
    "REGULATOR_SOURCES",
    "STEP_RULES",
    "TENSORS",
    "Bumps",
    "FieldReading",
    "Graph",
    "Normal",
    "PeriodicTransport",
    "PowerLaw",
    "RegulatorReading",
    "Table",
    "alpha_of",
    "beta_of",
    "cloud_in_cell",
    "compare_model",
    "coupling_sweep",
    "critical_coupling",
    "critical_partner",
    "curvature_field",
    "curvature_scaling",
    "curvature_statistics",
    "damping_threshold",
    "digits_metric",
    "effective_exponents",
    "eigenvalue_shares",
    "entropic_curvature",
    "enumerate_curvature",
    "enumerate_moments",
    "estimate_cost",
    "exact_scaling",
    "extrapolated_curvature",
    "falsify",
    "field",
    "fit_logarithm",
    "fit_power_law",
    "from_edges",
    "gaussian_charts",
    "graph_metric",
    "in_chart",
    "ising_curvature",
    "live_curvature",
    "measured_convergence",
    "monte_carlo_curvature",
    "monte_carlo_survey",
    "optimal_damping",
    "periodic_reconstruction",
    "periodic_transport",
    "phase_diagram",
    "published",
    "random_ricci_terms",
    "read_field",
    "read_regulator",
    "regimes",
    "regulator_report",
    "regulator_study",
    "sampled_trace_norm",
    "scale_flow",
    "shipped_extrapolation",
    "shipped_scaling",
    "shipped_survey",
    "third_cumulant",
    "torus_regimes",
    "torus_spectrum",
    "trace_norm",
    "web",
    "web_report",
    "web_study",
]
