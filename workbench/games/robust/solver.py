"""HiGHS as it is used here: silent from its first line on, one thread, a start if there is one."""

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

INFINITE = highspy.kHighsInf
RELATIVE_GAP = 1e-6


class Silent(highspy.Highs):
    """HiGHS that writes nothing: what a command prints may be read by another program.

    The first instance of a process greets on standard output while its callbacks are set up, which is the first thing
    that construction does; the output is switched off right before that.
    """

    def enableCallbacks(self) -> None:
        """Switch the output off, then do what HiGHS does here."""
        self.setOptionValue("output_flag", False)
        self.setOptionValue("threads", 1)
        super().enableCallbacks()


def minimise(
    rows: sparse.csr_matrix,
    cost: NDArray,
    lower: NDArray,
    upper: NDArray,
    high: NDArray,
    whole: NDArray,
    seconds: float,
    *,
    low: NDArray | None = None,
    start: tuple[NDArray, NDArray] | None = None,
) -> tuple[NDArray, float] | None:
    """Minimise cost·v over lower ≤ rows v ≤ upper, low ≤ v ≤ high, v whole where named; return (v, bound on the cost).

    ``low`` is 0 unless it is given; ``start`` (places, values) names some entries of a first solution. Ends after so
    many ``seconds`` with the best solution by then; None if there is none.
    """
    highs = Silent()
    highs.setOptionValue("time_limit", max(seconds, 0.1))
    highs.setOptionValue("mip_rel_gap", RELATIVE_GAP)
    count = cost.size
    highs.addVars(count, np.zeros(count) if low is None else low, high)
    highs.changeColsCost(count, np.arange(count, dtype=np.int32), cost)
    highs.changeColsIntegrality(
        whole.size, whole.astype(np.int32), np.full(whole.size, highspy.HighsVarType.kInteger, dtype=object)
    )
    highs.addRows(
        lower.size, lower, upper, rows.nnz, rows.indptr[:-1].astype(np.int32), rows.indices.astype(np.int32), rows.data
    )
    if start is not None:
        places, values = start
        highs.setSolution(places.size, places.astype(np.int32), values.astype(np.float64))
    highs.run()
    info = highs.getInfo()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None
    return np.asarray(highs.getSolution().col_value), info.mip_dual_bound
