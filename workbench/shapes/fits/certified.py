"""Lower bounds, with all rounding counted, for the error that any training of a linear family can reach.

For coefficients c of the family min ‖y − A c‖² is a number, whoever searches it. Two bounds of it, both from below:

* A has full rank: with r = y − A ĉ and g = Aᵀr, ‖y − A c‖² ≥ ‖r‖² − ‖g‖²/σ² for *every* c, where σ² is below the
  smallest eigenvalue of AᵀA. That is proved by a Cholesky factorisation of AᵀA − α that runs to its end (Rump 2006).
* Otherwise: F(c) = ‖y − A c‖² + λ‖c‖² is strongly convex, so F(c) ≥ F(ĉ) − ‖∇F(ĉ)‖²/(4λ), and
  ‖y − A c‖² ≥ F(c) − λ R² for every c with ‖c‖ ≤ R.

Both hold for any ĉ; the nearer it is to the optimum, the better they are. Residuals and gradients are bounded with the
usual γ_k = k u/(1 − k u) of the longest sums in them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from workbench.shapes.fits.bases import Design
from workbench.shapes.fits.ridge import BandEngine, DenseEngine, Engine, engine_for

Floats = NDArray[np.float64]
UNIT = 2.0**-53
TIMES = 10.0
"""How many times the root mean square of the coefficients with the largest λ the bounded ones may have."""
RIDGES = 10.0 ** -np.arange(8.0, 16.0)


@dataclass(frozen=True)
class Floor:
    """No coefficients (of root mean square up to ``radius``, where that is finite) have a mean square error below
    ``mse``; ``reached`` is what the computed ones have."""

    mse: float
    reached: float
    radius: float
    coefficients: Floats


def certified_floor(design: Design, values: Floats) -> Floor:
    """Return the certified least mean square error of a linear family on ``values`` (n, channels).

    Cost: a few factorisations more than a fit.

    >>> from workbench.shapes.fits.bases import HATS
    >>> x = np.linspace(-0.9, 0.9, 40)[:, None]
    >>> floor = certified_floor(HATS.design(x, (5,)), np.abs(x - 0.3))
    >>> bool(floor.mse <= floor.reached < 1.000001 * floor.mse), floor.radius
    (True, inf)
    """
    design = design._replace(penalty=None)
    used = np.flatnonzero(np.asarray(abs(design.matrix).sum(axis=0)).ravel() > 0)
    if len(used) < design.matrix.shape[1]:  # a coefficient that no sample sees does not matter
        rank = np.empty(design.matrix.shape[1], np.int64)
        rank[design.order] = np.arange(len(rank))
        design = Design(design.matrix[:, used], np.argsort(rank[used]), design.sides)
    engine = engine_for(design)
    best = Floor(0.0, np.inf, np.inf, np.zeros((design.matrix.shape[1], values.shape[1])))
    radius = None
    for relative in RIDGES:
        try:
            found = _bounded(engine, design.matrix, values, relative * engine.scale, radius)
        except linalg.LinAlgError:  # too near to singular for this λ
            break
        radius = found.radius
        if found.mse < best.mse:  # the bound rises with a smaller λ until rounding is more than the radius costs
            break
        if found.mse > best.mse or not np.isfinite(best.reached):
            best = found
    full = _full_rank(engine, design, values, best.coefficients)
    return full if full is not None and full.mse >= best.mse * (1 - 1e-9) else best


def _gamma(k: float) -> float:
    return k * UNIT / (1 - k * UNIT)


def _residual(matrix: sparse.csr_array | Floats, values: Floats, c: Floats) -> tuple[Floats, Floats]:
    """Return y − A c as computed, and a bound of its error entry by entry."""
    terms = int(np.diff(matrix.indptr).max()) if sparse.issparse(matrix) else matrix.shape[1]
    r = values - matrix @ c
    return r, _gamma(terms + 3) * (abs(matrix) @ abs(c) + abs(values))


def _gradient(matrix: sparse.csr_array | Floats, r: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Return Aᵀr as computed, and a bound of its error, that of r included."""
    magnitude = abs(matrix).T
    bound = np.asarray(magnitude @ (_gamma(matrix.shape[0] + 3) * abs(r) + 1.01 * error))
    return np.asarray(matrix.T @ r), bound


def _below(values: Floats, error: Floats) -> float:
    """Return a lower bound of the sum of squares of numbers known up to ``error``."""
    least = np.maximum(np.abs(values) - error, 0)
    return float((least**2).sum() * (1 - _gamma(values.size + 3)))


def _above(values: Floats, error: Floats) -> float:
    return float(((np.abs(values) + error) ** 2).sum() * (1 + _gamma(values.size + 3)))


def _refined(engine: Engine, matrix: sparse.csr_array | Floats, values: Floats, lam: float) -> Floats:
    c = engine.solve(lam, np.asarray(matrix.T @ values))
    for _ in range(3):
        c = c + engine.solve(lam, np.asarray(matrix.T @ (values - matrix @ c)) - lam * c)
    return c


def _bounded(
    engine: Engine, matrix: sparse.csr_array | Floats, values: Floats, lam: float, radius: float | None
) -> Floor:
    """Return the bound for coefficients up to a radius, from one λ."""
    c = _refined(engine, matrix, values, lam)
    if radius is None:
        radius = TIMES * max(float(np.sqrt(np.mean(c**2))), float(np.abs(values).max()))
    r, error = _residual(matrix, values, c)
    g, g_error = _gradient(matrix, r, error)
    slope = g - lam * c  # half of −∇F
    slack = _above(slope, g_error + 3 * UNIT * lam * abs(c) + UNIT * abs(slope)) / lam
    norm = float((c**2).sum())
    bound = _below(r, error) + lam * norm * (1 - _gamma(c.size + 3)) - slack - lam * radius**2 * c.size * (1 + 1e-14)
    mean = 1 / values.size
    return Floor(max(bound, 0.0) * mean * (1 - 4 * UNIT), _above(r, error) * mean, radius, c)


def _full_rank(engine: Engine, design: Design, values: Floats, start: Floats) -> Floor | None:
    """Return the bound for every coefficient, or None where a positive smallest eigenvalue is not proved."""
    matrix = design.matrix
    least = smallest_eigenvalue(engine, design)
    if least <= 0:
        return None
    c = start.copy()
    for _ in range(3):
        c = c + engine.solve(1e-3 * least, np.asarray(matrix.T @ (values - matrix @ c)))
    r, error = _residual(matrix, values, c)
    g, g_error = _gradient(matrix, r, error)
    mean = 1 / values.size
    bound = _below(r, error) - _above(g, g_error) / least * (1 + 4 * UNIT)
    return Floor(max(bound, 0.0) * mean * (1 - 4 * UNIT), _above(r, error) * mean, np.inf, c)


def smallest_eigenvalue(engine: Engine, design: Design) -> float:
    """Return a number that the smallest eigenvalue of AᵀA certainly exceeds; 0 if none could be proved.

    AᵀA − α is factorised for α half the estimated smallest eigenvalue. If that works in floats, the true matrix is at
    least α minus what rounding in the product and in the factorisation can do, γ tr(AᵀA).
    """
    count = design.matrix.shape[1]
    if sparse.issparse(design.matrix):
        longest = int(np.diff(sparse.csc_array(design.matrix).indptr).max())
    else:
        longest = design.matrix.shape[0]
    width = engine.width if isinstance(engine, BandEngine) else count
    doubt = 1.1 * (_gamma(longest + 2) + _gamma(width + 4)) * engine.scale * count
    if isinstance(engine, DenseEngine):
        return _smallest_dense(design.matrix, doubt)
    try:
        top = engine.condition(doubt)
        estimate = 2 * engine.scale / top  # σ_max is within a small factor of the mean diagonal entry
        for alpha in estimate * 2.0 ** -np.arange(0.0, 8.0, 1.0):
            if alpha <= 2 * doubt:
                return 0.0
            try:
                engine.factor(-alpha)
            except linalg.LinAlgError:
                continue
            return alpha - doubt
    except linalg.LinAlgError:
        return 0.0
    return 0.0


def _smallest_dense(matrix: sparse.csr_array | Floats, doubt: float) -> float:
    matrix = matrix.toarray() if sparse.issparse(matrix) else matrix
    gram = matrix.T @ matrix
    estimate = float(linalg.eigvalsh(gram, subset_by_index=(0, 0), check_finite=False)[0])
    alpha = estimate / 2
    if alpha <= 2 * doubt:
        return 0.0
    gram[np.diag_indices_from(gram)] -= alpha
    try:
        linalg.cholesky(gram, lower=True, check_finite=False)
    except linalg.LinAlgError:
        return 0.0
    return alpha - doubt
