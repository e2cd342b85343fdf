"""Least squares with a ridge that leaving one sample out chooses, exactly: two engines, one answer.

min ‖y − A c‖² + λ cᵀQc has the normal equations (AᵀA + λQ) c = Aᵀy, where Q = 1, a ridge, unless a family has one of
its own. The error of the fit that has not seen sample i is
r_i / (1 − h_i), h_i = a_iᵀ (AᵀA + λ)⁻¹ a_i, so leave-one-out costs one fit and the leverages h. Where the functions are
local, AᵀA is a band: it is factorised in P b² operations, and the entries of its inverse inside the band, which are all
that the leverages ask for, follow from the factor at the same cost (Takahashi, Fagan, Chen 1973). Otherwise the
eigenvalues of AᵀA serve all λ at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import linalg, sparse

from workbench import checks
from workbench.progress import Progress
from workbench.shapes.fits.bases import Design

Floats = NDArray[np.float64]
SMALLEST_RIDGE, LARGEST_RIDGE = 1e-9, 1e3
"""In units of the mean diagonal entry of AᵀA."""
MOST_WORK = 3e10
"""Multiplications of one factorisation."""
MOST_DENSE = 4096


@dataclass(frozen=True)
class RidgeFit:
    """Coefficients (P, channels) for a ridge λ, the leverages (n,), and the leave-one-out mean square error."""

    coefficients: Floats
    ridge: float
    leverage: Floats
    loo: float
    condition: float


class Engine(Protocol):
    """What both engines do: a solution of (AᵀA + λ) c = b, leverages, and a condition number."""

    scale: float

    def solve(self, ridge: float, right: Floats) -> Floats:
        """Return (AᵀA + λ)⁻¹ b for b (P, channels)."""
        ...

    def leverages(self, ridge: float) -> Floats:
        """Return h_i for every sample."""
        ...

    def condition(self, ridge: float) -> float:
        """Return the condition number of AᵀA + λ."""
        ...


def fit_ridge(
    design: Design, values: Floats, ridge: float | str = "loo", *, progress: Progress | None = None
) -> RidgeFit:
    """Return the fit of ``values`` (n, channels), with the ridge given or the one with the least leave-one-out error.

    ``ridge`` is in units of the mean diagonal of AᵀA; 0 means the smallest that is used, 1e-9. All channels share it.
    Raises ``ValueError`` for a negative ridge or work beyond the limits. Cost: about ten factorisations with "loo".
    """
    progress = progress or Progress()
    if ridge != "loo":
        if isinstance(ridge, str):
            raise ValueError(f"ridge must be 'loo' or a number, got {ridge[:40]!r}")
        ridge = max(checks.real("ridge", ridge, minimum=0, maximum=1e6), SMALLEST_RIDGE)
    engine = engine_for(design)
    right = np.asarray(design.matrix.T @ values)

    def at(relative: float) -> RidgeFit:
        lam = relative * engine.scale
        c = engine.solve(lam, right)
        held_back = lam * (c if design.penalty is None else np.asarray(design.penalty @ c))
        c += engine.solve(lam, np.asarray(design.matrix.T @ (values - design.matrix @ c)) - held_back)
        leverage = engine.leverages(lam)
        left = (values - design.matrix @ c) / np.maximum(1 - leverage, 1e-12)[:, None]
        return RidgeFit(c, lam, leverage, float(np.mean(left**2)), np.nan)

    found = least_of(at, progress) if ridge == "loo" else at(ridge)
    progress.update(1, 1, "condition")
    return RidgeFit(found.coefficients, found.ridge, found.leverage, found.loo, engine.condition(found.ridge))


def least_of(at: Callable[[float], RidgeFit], progress: Progress) -> RidgeFit:
    """Return the fit with the least leave-one-out error: over every second power of ten, then beside the best."""
    low, high = np.log10(SMALLEST_RIDGE), np.log10(LARGEST_RIDGE)
    tried: dict[float, RidgeFit] = {}
    todo = list(np.linspace(low, high, round((high - low) / 2) + 1))
    for step in (1.0, 0.5, 0.25, 0.0):
        for power in todo:
            progress.update(len(tried), 13, "leaving one out")
            tried[power] = at(10**power)
        best = min(tried, key=lambda power: tried[power].loo)
        todo = [p for p in (best - step, best + step) if low <= p <= high and p not in tried]
    return tried[best]


def engine_for(design: Design) -> Engine:
    """Return the engine that needs less work; ``ValueError`` where both need more than the limits."""
    matrix = design.matrix
    count = matrix.shape[1]
    if sparse.issparse(matrix):
        ordered = sparse.csr_array(matrix[:, design.order])
        penalty = None if design.penalty is None else design.penalty[design.order][:, design.order]
        engine = BandEngine(ordered, design.order, penalty)
        width = engine.width
        narrow = width < count // 2 or count > MOST_DENSE or penalty is not None
        if count * (width + 1) ** 2 < MOST_WORK and narrow:
            return engine
        if count > MOST_DENSE:
            raise ValueError(
                f"{count:,} coefficients a channel that meet {width:,} others each are too much work; give fewer "
                "parameters"
            )
        matrix = matrix.toarray()
    if count > MOST_DENSE:
        raise ValueError(
            f"a family whose functions reach everywhere takes up to {MOST_DENSE} coefficients a channel, got "
            f"{count:,}; give fewer parameters"
        )
    return DenseEngine(matrix)


class DenseEngine:
    """All eigenvalues of AᵀA, for functions that reach everywhere."""

    def __init__(self, matrix: Floats) -> None:
        gram = matrix.T @ matrix
        self.scale = float(np.mean(np.diag(gram)))
        eigenvalues, self._vectors = linalg.eigh(gram, overwrite_a=True, check_finite=False)
        self._eigenvalues = np.maximum(eigenvalues, 0)
        self._squares = (matrix @ self._vectors) ** 2

    def solve(self, ridge: float, right: Floats) -> Floats:
        """Return (AᵀA + λ)⁻¹ b."""
        return self._vectors @ ((self._vectors.T @ right) / (self._eigenvalues + ridge)[:, None])

    def leverages(self, ridge: float) -> Floats:
        """Return h_i for every sample."""
        return self._squares @ (1 / (self._eigenvalues + ridge))

    def condition(self, ridge: float) -> float:
        """Return the condition number of AᵀA + λ."""
        return float((self._eigenvalues[-1] + ridge) / (self._eigenvalues[0] + ridge))


class BandEngine:
    """A band Cholesky factor for each λ, and the band of the inverse for the leverages."""

    def __init__(
        self, ordered: sparse.csr_array, order: NDArray[np.int64], penalty: sparse.csr_array | None = None
    ) -> None:
        self._matrix, self._order = ordered, order
        count = ordered.shape[1]
        self._penalty = sparse.eye_array(count, format="csr") if penalty is None else penalty
        parts = [sparse.coo_array(part) for part in (ordered.T @ ordered, self._penalty)]
        self.width = max(int(np.max(np.abs(part.row - part.col), initial=0)) for part in parts)
        checks.memory(40.0 * (self.width + 1) * count, "the band of this fit")
        self._band, self._ridge_band = (self._lower_band(part) for part in parts)
        self.scale = float(np.mean(self._band[0]))
        self._kept: tuple[float, Floats] | None = None

    def _lower_band(self, part: sparse.coo_array) -> Floats:
        made = np.zeros((self.width + 1, part.shape[0]))
        lower = part.row >= part.col
        made[(part.row - part.col)[lower], part.col[lower]] = part.data[lower]
        return made

    def factor(self, ridge: float) -> Floats:
        """Return the lower Cholesky factor of AᵀA + λQ as LAPACK keeps a band: [k, j] is the entry (j + k, j)."""
        if self._kept is None or self._kept[0] != ridge:
            shifted = self._band + ridge * self._ridge_band
            factor = linalg.cholesky_banded(shifted, overwrite_ab=True, lower=True, check_finite=False)
            self._kept = (ridge, factor)
        return self._kept[1]

    def solve(self, ridge: float, right: Floats) -> Floats:
        """Return (AᵀA + λ)⁻¹ b."""
        made = np.empty_like(right)
        made[self._order] = linalg.cho_solve_banded((self.factor(ridge), True), right[self._order], check_finite=False)
        return made

    def leverages(self, ridge: float) -> Floats:
        """Return h_i for every sample."""
        inverse = band_of_inverse(np.ascontiguousarray(self.factor(ridge).T))
        matrix = self._matrix
        return row_forms(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data, inverse)

    def condition(self, ridge: float) -> float:
        """Return the condition number of AᵀA + λ from twenty steps of the power method at both ends."""
        rng = np.random.default_rng(0)  # a start for the iterations; the answer does not depend on it in the limit
        v = w = rng.normal(size=(self._band.shape[1], 1))
        large = small = 0.0
        factor = (self.factor(ridge), True)
        for _ in range(20):
            v = np.asarray(self._matrix.T @ (self._matrix @ v)) + ridge * (self._penalty @ v)
            large = float(np.linalg.norm(v))
            v /= large
            w = linalg.cho_solve_banded(factor, w, check_finite=False)
            small = float(np.linalg.norm(w))
            w /= small
        return large * small


@njit(cache=True, nogil=True, fastmath=True)
def band_of_inverse(factor: NDArray) -> NDArray:  # pragma: no cover - compiled
    """Return the entries inside the band of (C Cᵀ)⁻¹ from the factor; both are [j, k] for the entry (j + k, j).

    Row i of the inverse follows from the rows after it: Z_ij = δ_ij/c_ii² − Σ_k (C_ki/C_ii) Z_kj.
    """
    count, width = factor.shape[0], factor.shape[1] - 1
    inverse = np.zeros((count, width + 1))
    column = np.empty(width + 1)
    row = np.empty(width + 1)
    for i in range(count - 1, -1, -1):
        reach = min(width, count - 1 - i)
        scale = 1 / factor[i, 0]
        for k in range(1, reach + 1):
            column[k] = factor[i, k] * scale
            row[k] = 0.0
        for k in range(1, reach + 1):  # a symmetric matrix times a vector, each entry read once
            own = column[k] * inverse[i + k, 0]
            for d in range(k + 1, reach + 1):
                entry = inverse[i + k, d - k]
                row[d] += column[k] * entry
                own += column[d] * entry
            row[k] += own
        total = scale * scale
        for k in range(1, reach + 1):
            inverse[i, k] = -row[k]
            total += column[k] * row[k]
        inverse[i, 0] = total
    return inverse


@njit(cache=True, nogil=True)
def row_forms(starts: NDArray, columns: NDArray, values: NDArray, inverse: NDArray) -> NDArray:  # pragma: no cover
    """Return aᵀ Z a for every sparse row a, where Z is known inside its band."""
    made = np.zeros(len(starts) - 1)
    for row in range(len(made)):
        total = 0.0
        for a in range(starts[row], starts[row + 1]):
            for b in range(starts[row], starts[row + 1]):
                i, j = columns[a], columns[b]
                total += values[a] * values[b] * (inverse[j, i - j] if i >= j else inverse[i, j - i])
        made[row] = total
    return made
