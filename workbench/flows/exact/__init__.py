"""Exact and entropic transport in the flows room: the paper's sparse Newton method, its rivals, and the proof.

Tang, Shavlovsky, Rahmanian, Tardini, Thekumparampil, Xiao, Ying, "Accelerating Sinkhorn algorithm with sparse Newton
iterations", ICLR 2024, arXiv 2401.12253. The solvers live in :mod:`workbench.transport`.
"""

from workbench.flows.exact.race import compare_solvers
from workbench.flows.exact.scaling import exact_scaling
from workbench.flows.exact.sparsity import sparsity_decay
from workbench.flows.exact.table import CASES, VARIANTS, sns_experiment

__all__ = ["CASES", "VARIANTS", "compare_solvers", "exact_scaling", "sns_experiment", "sparsity_decay"]
