"""Directed slices: where two clouds differ, how that is searched, averaged, predicted and followed.

After K. Nguyen, T. Ren, H. Nguyen, L. Rout, T. Nguyen, N. Ho, "Self-attention amortized distributional projection
optimization for sliced Wasserstein point-cloud reconstruction", ICML 2023, arXiv 2301.04791.
"""

from workbench.flows.directed.amortised import NETWORKS, amortisation_study
from workbench.flows.directed.driven import SLICINGS, directed_flows
from workbench.flows.directed.landscape import KAPPAS, LOOK_RESOLVES, directed_at, directed_slices, kappa_profile
from workbench.flows.directed.quadrature import directed_quadratures, triangle_counterexample
from workbench.flows.directed.searches import SEARCHES, slice_searches

__all__ = [
    "KAPPAS",
    "LOOK_RESOLVES",
    "NETWORKS",
    "SEARCHES",
    "SLICINGS",
    "amortisation_study",
    "directed_at",
    "directed_flows",
    "directed_quadratures",
    "directed_slices",
    "kappa_profile",
    "slice_searches",
    "triangle_counterexample",
]
