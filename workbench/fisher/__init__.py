"""The Fisher metric on the couplings of a lattice model, and its scalar curvature."""

from workbench.fisher.cumulants import third_cumulant
from workbench.fisher.curvature import ENGINES, estimate_cost, ising_curvature
from workbench.fisher.enumeration import enumerate_curvature, enumerate_moments
from workbench.fisher.graphs import GRAPHS, Graph, from_edges
from workbench.fisher.torus import J_CRITICAL, critical_partner
from workbench.fisher.trace_norm import trace_norm

__all__ = [
    "ENGINES",
    "GRAPHS",
    "J_CRITICAL",
    "Graph",
    "critical_partner",
    "enumerate_curvature",
    "enumerate_moments",
    "estimate_cost",
    "from_edges",
    "ising_curvature",
    "third_cumulant",
    "trace_norm",
]
