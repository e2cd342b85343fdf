"""The Fisher metric on the couplings of a lattice model, and its scalar curvature."""

from workbench.fisher.enumeration import enumerate_curvature, enumerate_moments
from workbench.fisher.graphs import GRAPHS, Graph, from_edges
from workbench.fisher.torus import J_CRITICAL, critical_partner

__all__ = ["GRAPHS", "J_CRITICAL", "Graph", "critical_partner", "enumerate_curvature", "enumerate_moments", "from_edges"]
