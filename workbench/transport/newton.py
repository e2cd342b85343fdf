"""Newton methods for entropic transport: the paper's sparse one as published, and an ε-scaled one for any η.

−∇²f = η [[diag(P1), P], [Pᵀ, diag(Pᵀ1)]] with the null vector (1, −1). Once P is concentrated on few entries, a
sparse approximation of this matrix gives nearly Newton's step.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse.linalg import LinearOperator, cg

from workbench.transport.entropic import NEGLIGIBLE, OT_SOLVERS, Dual, sinkhorn_steps
from workbench.transport.solution import Solution

Floats = NDArray[np.float64]
ARMIJO = 1e-4
SLACK = 1e-15
"""Of the dual's size, which the line search allows for rounding."""
FIRST_ETA, ETA_FACTOR = 10.0, 4.0
"""ε-scaling begins at FIRST_ETA ÷ the standard deviation of the costs and multiplies η by ETA_FACTOR."""
COARSE_ERROR = 1e-2
"""L1 error of the marginals at which the next η is taken."""
DENSE_UP_TO = 2000
PATIENCE = 4
"""Newton steps without a smaller error after which rounding is taken to be reached."""
NEAR_ROUNDING = 100.0
HALVINGS = 40


@OT_SOLVERS.add(
    "sns",
    label="SNS: Sinkhorn, then sparse Newton",
    formula=r"\tilde M \Delta z = \nabla f,\; \tilde M: \lceil\lambda n m\rceil \text{ largest entries of } P",
    reference="arXiv 2401.12253, algorithm 1",
    cost="n m an iteration, conjugate gradients on λ n m entries",
    regularised=True,
)
def sns(
    dual: Dual, *, tolerance: float = 1e-13, steps: int = 100, density: float | None = None, sinkhorn_steps: int = 20
) -> Solution:
    """The paper's method: ``sinkhorn_steps`` N₁ of Sinkhorn, then at most ``steps`` of sparse Newton.

    ``density`` λ is the share of the n·m entries of P that the Hessian keeps, the largest ones (default 2/n, as
    published for random costs); its diagonals come from all of P. Conjugate gradients to a relative 1e-12 or 10 (n+m)
    iterations, Armijo backtracking on f. Stops at ``tolerance`` in the L1 error, or when rounding is reached.
    """
    n, m = dual.cost.shape
    x, y, plan, error = _start(dual, sinkhorn_steps, tolerance)
    kept = min(math.ceil((2 / max(n, m) if density is None else density) * n * m), n * m)
    best, since = error, 0
    for step in range(steps):
        if error <= tolerance or (since >= PATIENCE and error <= NEAR_ROUNDING * dual.rounding(dual.eta)):
            break
        flat = plan.ravel()
        largest = np.argpartition(flat, n * m - kept)[n * m - kept :]
        block = sparse.csr_array((flat[largest], np.divmod(largest, m)), shape=(n, m))
        rows, columns = plan.sum(axis=1), plan.sum(axis=0)
        direction, iterations = _sparse_step(block, rows, columns, dual.a - rows, dual.b - columns)
        dual.counts["cg_steps"] += iterations
        x, y, plan, moved = _line_search(dual, dual.eta, x, y, plan, direction)
        dual.counts["newton_steps"] += 1
        error = dual.error(plan)
        dual.record(x, plan, error, is_newton=True)
        since = 0 if error < 0.9 * best else since + 1
        best = min(best, error)
        dual.progress.update(step, steps, f"sparse Newton, error {error:.1e}")
        if not moved:
            break
    return dual.solution("sns", x, y, plan, converged=dual.is_converged(error, tolerance))


def _start(dual: Dual, steps: int, tolerance: float) -> tuple[Floats, Floats, Floats, float]:
    n, m = dual.cost.shape
    if steps:
        return sinkhorn_steps(dual, steps, None, None, tolerance=tolerance)
    x, y = np.full(n, float(dual.cost.min()) / 2), np.full(m, float(dual.cost.min()) / 2)
    plan = dual.plan(x, y)
    shift = -math.log(plan.sum()) / dual.eta / 2  # one number: the total mass
    x, y = x + shift, y + shift
    plan = dual.plan(x, y)
    return x, y, plan, dual.error(plan)


def _sparse_step(
    block: sparse.csr_array, rows: Floats, columns: Floats, rest_a: Floats, rest_b: Floats
) -> tuple[tuple[Floats, Floats], int]:
    """Return η Δ by conjugate gradients with the diagonal as preconditioner, and their number."""
    n, m = block.shape
    diagonal = np.concatenate([rows, columns])
    matrix = sparse.block_array([[sparse.diags_array(rows), block], [block.T, sparse.diags_array(columns)]]).tocsr()
    scale = 1 / np.sqrt(np.maximum(diagonal, 1e-300))
    scaled = (sparse.diags_array(scale) @ matrix @ sparse.diags_array(scale)).tocsr()
    count = 0

    def counted(_: Floats) -> None:
        nonlocal count
        count += 1

    right = scale * np.concatenate([rest_a, rest_b])
    found, _ = cg(scaled, right, rtol=1e-12, atol=0.0, maxiter=10 * (n + m), callback=counted)
    found *= scale
    return (found[:n], found[n:]), count


def _line_search(
    dual: Dual, eta: float, x: Floats, y: Floats, plan: Floats, direction: tuple[Floats, Floats]
) -> tuple[Floats, Floats, Floats, bool]:
    """Return the iterate along ``direction`` (η Δx, η Δy) with enough increase of f; whether there was one."""
    dx, dy = direction[0] / eta, direction[1] / eta
    total = plan.sum()
    slope = float((dual.a - plan.sum(axis=1)) @ dx + (dual.b - plan.sum(axis=0)) @ dy)
    gain = float(dual.a @ dx + dual.b @ dy)
    allowed = SLACK * (abs(float(dual.a @ x)) + abs(float(dual.b @ y)) + 1 / eta)
    length = 1.0
    for _ in range(HALVINGS):
        tried_x, tried_y = x + length * dx, y + length * dy
        tried = dual.plan(tried_x, tried_y, eta)
        dual.counts["line_search_steps"] += 1
        if tried is not None and length * gain - (tried.sum() - total) / eta >= ARMIJO * length * slope - allowed:
            return tried_x, tried_y, tried, True
        length /= 2
    return x, y, plan, False


@OT_SOLVERS.add(
    "newton",
    label="Newton with ε-scaling",
    formula=r"(\mathrm{diag}(b) - P^T \mathrm{diag}(a)^{-1} P)\,\Delta y = \nabla_y f - P^T(\nabla_x f / a)",
    reference="Newton on the Schur complement, a graph Laplacian",
    cost="n m min(n, m) a step, some ten to thirty steps",
    regularised=True,
)
def newton(dual: Dual, *, tolerance: float = 1e-13, steps: int = 200, dense_up_to: int = DENSE_UP_TO) -> Solution:
    """Newton's method while η grows by 4 from 10 ÷ the spread of the costs, one Sinkhorn sweep between the levels.

    The Schur complement on the smaller side is solved by Cholesky up to ``dense_up_to`` points. Above, entries of P
    below 1e-16 min(a_i, b_j)/max(n, m) are dropped, which changes the step by rounding only, and conjugate gradients
    with the diagonal solve it. Stops at ``tolerance`` or when rounding is reached.
    """
    x, y = np.zeros(len(dual.a)), np.zeros(len(dual.b))
    spread = float(dual.cost.std())
    etas = [dual.eta]
    while spread > 0 and etas[0] / ETA_FACTOR > FIRST_ETA / spread:
        etas.insert(0, etas[0] / ETA_FACTOR)
    taken = 0
    for level, eta in enumerate(etas):
        is_last = level == len(etas) - 1
        x = dual.soft_rows(y, eta)
        y = dual.soft_columns(x, eta)
        plan = dual.plan(x, y, eta)
        dual.counts["sinkhorn_steps"] += 1
        error = dual.error(plan)
        dual.record(x, plan, error)
        best, since = error, 0
        while error > (tolerance if is_last else COARSE_ERROR) and taken < steps:
            if since >= PATIENCE and error <= NEAR_ROUNDING * dual.rounding(eta):
                break
            direction = _schur_step(dual, plan, error, dense_up_to)
            x, y, plan, moved = _line_search(dual, eta, x, y, plan, direction)
            taken += 1
            dual.counts["newton_steps"] += 1
            error = dual.error(plan)
            dual.record(x, plan, error, is_newton=True)
            since = 0 if error < 0.9 * best else since + 1
            best = min(best, error)
            dual.progress.update(level, len(etas), f"Newton at η = {eta:.3g}, error {error:.1e}")
            if not moved:
                if error <= NEAR_ROUNDING * dual.rounding(eta):
                    break
                x = dual.soft_rows(y, eta)  # a sweep of Sinkhorn, whatever the error, gains
                y = dual.soft_columns(x, eta)
                plan = dual.plan(x, y, eta)
                dual.counts["sinkhorn_steps"] += 1
    dual.counts["levels"] = len(etas)
    return dual.solution("newton", x, y, plan, converged=dual.is_converged(error, tolerance))


def _schur_step(dual: Dual, plan: Floats, error: float, dense_up_to: int) -> tuple[Floats, Floats]:
    """Return Newton's direction (η Δx, η Δy), the larger side eliminated."""
    if plan.shape[0] < plan.shape[1]:
        dy, dx = _eliminated(plan.T, dual.b, dual.a, error, dense_up_to, dual.counts)
        return dx, dy
    return _eliminated(plan, dual.a, dual.b, error, dense_up_to, dual.counts)


def _eliminated(
    plan: Floats, a: Floats, b: Floats, error: float, dense_up_to: int, counts: dict[str, int]
) -> tuple[Floats, Floats]:
    rows, columns = plan.sum(axis=1), plan.sum(axis=0)
    inverse = 1 / np.maximum(rows, 1e-300)
    rest_a, rest_b = a - rows, b - columns
    right = rest_b - plan.T @ (inverse * rest_a)
    # parts of the graph that hardly hang together must not run away from each other: a ridge that vanishes faster
    # than the error keeps Newton's quadratic convergence
    ridge = min(1e-6, 1e-2 * error**2) * columns + 1e-300
    if plan.shape[1] <= dense_up_to:
        dy = _by_cholesky(plan, inverse, ridge, right)
    else:
        least = NEGLIGIBLE * np.minimum(a[:, None], b) / max(plan.shape)
        where = np.nonzero(plan > least)
        kept = sparse.csr_array((plan[where], where), shape=plan.shape)
        dy, iterations = _by_gradients(kept, inverse, columns, ridge, right)
        counts["cg_steps"] += iterations
    return inverse * (rest_a - plan @ dy), dy


def _by_cholesky(plan: Floats, inverse: Floats, ridge: Floats, right: Floats) -> Floats:
    """Solve the Laplacian; its diagonal is minus the sum of the others, which subtraction would not give."""
    half = np.sqrt(inverse)[:, None] * plan
    weights = half.T @ half  # one factor, twice: half the work, and symmetric to the last bit
    np.fill_diagonal(weights, 0.0)
    diagonal = weights.sum(axis=1) + ridge
    laplacian = np.negative(weights, out=weights)
    np.fill_diagonal(laplacian, diagonal)
    scale = 1 / np.sqrt(diagonal)
    laplacian *= scale[:, None]
    laplacian *= scale
    for extra in (0.0, 1e-15, 1e-13, 1e-11):
        try:
            np.fill_diagonal(laplacian, 1.0 + extra)
            return scale * cho_solve(cho_factor(laplacian, lower=True), scale * right)
        except LinAlgError:
            continue
    return right * scale * scale


def _by_gradients(
    plan: sparse.csr_array, inverse: Floats, columns: Floats, ridge: Floats, right: Floats
) -> tuple[Floats, int]:
    scale = 1 / np.sqrt(columns)
    turned = plan.T.tocsr()
    count = 0

    def apply(v: Floats) -> Floats:
        nonlocal count
        count += 1
        w = scale * v
        return scale * ((columns + ridge) * w - turned @ (inverse * (plan @ w)))

    size = plan.shape[1]
    operator = LinearOperator((size, size), matvec=apply, dtype=np.float64)
    found, _ = cg(operator, scale * right, rtol=1e-11, atol=0.0, maxiter=4 * size)
    return scale * found, count
