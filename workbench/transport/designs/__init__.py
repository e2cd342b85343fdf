"""Antipodally symmetric spherical designs: tables on the ordinary sphere, and lines of the root system E6 on S⁵.

A table of L unit vectors θ_i in R³ stands for the 2L points ±θ_i. It is a *design of degree T* when

    (1/L) Σ_i q(θ_i) = mean of q over the sphere        for every polynomial q of degree ≤ T + 1

(odd degrees come free with the symmetry). The integrand of the sliced Wasserstein distance is even, so one point of
each antipodal pair suffices. ``make.py`` in this folder makes the tables and says how well each one holds.

Reference: R. S. Womersley, "Efficient spherical designs with good geometric properties", arXiv 1709.01624.
"""

from workbench.transport.designs.roots import root_lines, root_rule
from workbench.transport.designs.tables import design_degree, design_sizes, design_table

__all__ = ["design_degree", "design_sizes", "design_table", "root_lines", "root_rule"]
