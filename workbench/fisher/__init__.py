"""The Fisher metric on the couplings of a lattice model, and its scalar curvature.

Exact on any Ising torus (:func:`ising_curvature`, :func:`trace_norm`, :func:`third_cumulant`), by enumeration on any
small graph (:func:`enumerate_curvature`), by cluster Monte Carlo on what has no exact solution
(:func:`monte_carlo_curvature`); and what becomes of it with size (:func:`curvature_scaling`, :func:`falsify`).
"""

from workbench.fisher.costs import estimate_cost
from workbench.fisher.coupling_sweep import coupling_sweep, critical_coupling
from workbench.fisher.cumulants import third_cumulant
from workbench.fisher.curvature import ENGINES, ising_curvature
from workbench.fisher.enumeration import enumerate_curvature, enumerate_moments
from workbench.fisher.graphs import GRAPHS, Graph, from_edges
from workbench.fisher.identity import random_ricci_terms
from workbench.fisher.monte_carlo import (
    ALGORITHMS,
    MODELS,
    live_curvature,
    monte_carlo_curvature,
    monte_carlo_survey,
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
    "GRAPHS",
    "J_CRITICAL",
    "LEARNER_LOSSES",
    "MODELS",
    "REGULATOR_SOURCES",
    "STEP_RULES",
    "Graph",
    "RegulatorReading",
    "alpha_of",
    "beta_of",
    "compare_model",
    "coupling_sweep",
    "critical_coupling",
    "critical_partner",
    "curvature_scaling",
    "damping_threshold",
    "digits_metric",
    "effective_exponents",
    "enumerate_curvature",
    "enumerate_moments",
    "estimate_cost",
    "exact_scaling",
    "extrapolated_curvature",
    "falsify",
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
    "phase_diagram",
    "published",
    "random_ricci_terms",
    "read_regulator",
    "regimes",
    "regulator_report",
    "regulator_study",
    "shipped_extrapolation",
    "shipped_scaling",
    "shipped_survey",
    "third_cumulant",
    "torus_regimes",
    "torus_spectrum",
    "trace_norm",
]
