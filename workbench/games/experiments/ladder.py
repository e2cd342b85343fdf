"""The ladder: seven tests of one game side by side, from the simplest sufficient one to the spectral truth.

Euclidean monotonicity; SGN at w = 1 and at w*; SGN leaf by leaf; Rosen's diagonal weights on the signed Jacobian (J.
B. Rosen, *Existence and uniqueness of equilibrium points for concave N-person games*, 1965), a linear matrix
inequality; block-diagonal P; and Hurwitz. SGN implies Rosen implies block P implies Hurwitz; SGN and Euclid are not
nested, because SGN ignores the signs of the couplings. A solver's "optimal" is always verified again by eigenvalues.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.linalg
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.games.certificates.certify import certify
from workbench.games.gallery.resolve import NAMED, resolve
from workbench.games.models.quadratic import QuadraticGame, block_bounds
from workbench.games.models.region import Box
from workbench.games.models.smooth import SmoothGame
from workbench.games.small_gain.weights import margin as sgn_margin
from workbench.games.small_gain.weights import perron
from workbench.progress import Progress

RUNGS = {
    "euclid": "Euclidean monotone",
    "sgn-1": "SGN at w = 1",
    "sgn": "SGN at w*",
    "leafwise": "SGN leaf by leaf",
    "rosen": "Rosen's weights (LMI)",
    "block": "Block-diagonal P (LMI)",
    "hurwitz": "Hurwitz (spectral)",
}
ROUNDING = 1e-9
Rung = tuple[float, str, str]


@results.experiment
def ladder(
    game: Any,
    region: Box | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    samples: int = 32,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return margin, verdict and reason of each rung, with dimension ``rung``.

    ``game`` is a game of this room, a gallery name (with ``options``) or a gallery :class:`Example`, which bring their
    region. For a game whose Jacobian
    changes, the rungs that have no rigorous test of their own look at ``samples`` points of the region and are at best
    ESTIMATED. Rosen and block P need cvxpy with Clarabel (``pip install geometry-workbench[proofs]``) and are UNKNOWN
    without; they are left out above 80 coordinates. Cost: the two LMIs, about a second for ten coordinates.
    """
    progress = progress or Progress()
    if isinstance(game, NAMED):
        example = resolve(game, options)
        game, region = example.game, example.region if region is None else region
    constant = isinstance(game, QuadraticGame)
    unit = _unit(game) if constant else 1.0
    if unit != 1.0:
        game = QuadraticGame(game.matrix / unit, game.sizes, name=game.name)
    jacobians = _jacobians(game, region, checks.integer("samples", samples, minimum=1), seed)
    bounds = (
        game.bounds() if callable(getattr(game, "bounds", None)) else block_bounds(jacobians, game.sizes, proved=False)
    )
    best = perron(bounds)
    known = [np.eye(game.dimension), np.diag(np.repeat(best.w, game.sizes))]
    proved = "CERTIFIED" if constant else "ESTIMATED"
    tests: dict[str, Callable[[], Rung]] = {
        "euclid": lambda: _verdict(_lowest(jacobians), proved, "λ_min of the symmetric part"),
        "sgn-1": lambda: _verdict(sgn_margin(bounds, np.ones(bounds.players)), _word(bounds), "all weights equal"),
        "sgn": lambda: _certified(game, region, "aggregate", progress),
        "leafwise": lambda: _certified(game, region, "leafwise", progress),
        "rosen": lambda: _lmi(jacobians, game.sizes, "diagonal", known, proved),
        "block": lambda: _lmi(jacobians, game.sizes, "block", known, proved),
        "hurwitz": lambda: _verdict(spectral_margin(jacobians), proved, "smallest real part of an eigenvalue of J"),
    }
    rungs = []
    for k, (name, test) in enumerate(tests.items()):
        progress.update(k, len(tests), RUNGS[name])
        rungs.append(test())
    margins, verdicts, reasons = zip(*rungs, strict=True)
    return results.dataset(
        {
            "margin": (("rung",), unit * np.array(margins), "proved or estimated contraction rate", "1/time"),
            "verdict": (("rung",), np.array(verdicts), "verdict"),
            "reason": (("rung",), np.array(reasons), "reason"),
            "label": (("rung",), np.array([RUNGS[name] for name in tests]), "name of the test"),
        },
        {"rung": (("rung",), np.array(list(tests)), "rung of the ladder")},
        {"game": getattr(game, "name", type(game).__name__)},
    )


def _unit(game: QuadraticGame) -> float:
    """Return the power of two in whose units a game far from 1 is looked at: solvers and tolerances are made for 1."""
    largest = float(np.abs(game.matrix).max())
    return 1.0 if largest == 0 or 1e-6 < largest < 1e6 else float(2.0 ** np.round(np.log2(largest)))


def _jacobians(game: Any, region: Box | None, samples: int, seed: int | np.random.Generator) -> NDArray:
    if isinstance(game, QuadraticGame):
        return game.matrix[None]
    if region is None:
        if not callable(getattr(game, "bounds", None)):
            raise ValueError(
                "this game's curvature changes from point to point: say where, with region=Box(lower, upper)"
            )
        points = checks.generator(seed).normal(size=(samples, game.dimension))
        return game.jacobian(np.concatenate([np.zeros((1, game.dimension)), points]))
    points = np.concatenate([region.centre[None], region.sample(samples, seed)])
    corners = region.vertices() if region.dimension <= 6 else points[:0]
    points = np.concatenate([points, corners])
    return np.stack([game.jacobian(point) for point in points])


def _word(bounds: Any) -> str:
    return "CERTIFIED" if bounds.proved else "ESTIMATED"


def _verdict(value: float, good: str, reason: str) -> Rung:
    """A margin within rounding of zero is never good."""
    scale = 1 + abs(value)
    if value > ROUNDING * scale:
        return value, good, reason
    if value > -ROUNDING * scale:
        return value, "UNKNOWN", f"{reason}: within rounding of zero"
    return value, "REFUSED", reason


def _certified(game: Any, region: Box | None, method: str, progress: Progress) -> Rung:
    if method == "leafwise" and not isinstance(game, SmoothGame):
        return float("nan"), "UNKNOWN", "one set of bounds holds everywhere: there is nothing to split"
    options = {"method": method, "max_boxes": 6000, "seconds": 60.0} if isinstance(game, SmoothGame) else {}
    certificate = certify(game, region, progress=progress, **options)
    value = certificate.margin if np.isfinite(certificate.margin) else certificate.tau
    return value, certificate.status.value, certificate.reason


def _lowest(jacobians: NDArray) -> float:
    return float(np.linalg.eigvalsh(0.5 * (jacobians + jacobians.swapaxes(-1, -2)))[:, 0].min())


def spectral_margin(jacobians: NDArray) -> float:
    """Return the smallest real part of any eigenvalue of any of the Jacobians (n, d, d): the local truth.

    >>> import numpy as np
    >>> round(spectral_margin(np.array([[[1.0, 5.0], [-5.0, 1.0]]])), 6)
    1.0
    """
    return float(np.linalg.eigvals(jacobians).real.min())


def _lmi(jacobians: NDArray, sizes: tuple[int, ...], shape: str, known: list[NDArray], good: str) -> Rung:
    dimension = jacobians.shape[-1]
    if dimension > 80:
        return float("nan"), "UNKNOWN", "left out above 80 coordinates"
    try:
        import cvxpy  # noqa: F401
    except ImportError:
        return float("nan"), "UNKNOWN", "needs cvxpy and Clarabel: install geometry-workbench[proofs]"
    metric = best_metric(jacobians, sizes, shape, known)
    known.append(metric)
    names = {"diagonal": "one weight a player on the signed Jacobian", "block": "one matrix a player"}
    return _verdict(metric_margin(jacobians, metric), good, f"{names[shape]}, verified by eigenvalues")


def metric_margin(jacobians: NDArray, metric: NDArray) -> float:
    """Return the contraction rate in xᵀ P x: the smallest eigenvalue of (sym(P J), P) over all Jacobians."""
    product = metric @ jacobians
    symmetric = 0.5 * (product + product.swapaxes(-1, -2))
    return float(min(scipy.linalg.eigh(s, metric, eigvals_only=True)[0] for s in symmetric))


def best_metric(jacobians: NDArray, sizes: tuple[int, ...], shape: str, known: list[NDArray]) -> NDArray:
    """Return the metric of the given shape ("diagonal" by player or "block") with the best rate, by bisection on LMIs.

    P J + Jᵀ P ≥ 2 α P is solved by Clarabel for one α after the other, between the best of the ``known``
    metrics and the spectral margin, which no metric exceeds. Each candidate counts with the rate that eigenvalues
    give it, not with what the solver says.
    """
    best = max(known, key=lambda metric: metric_margin(jacobians, metric))
    low, high = metric_margin(jacobians, best), spectral_margin(jacobians)
    for k in range(10 if jacobians.shape[-1] <= 12 else 4):
        if high - low <= 1e-4 * (1 + abs(low)):
            break
        alpha = low + (0.98 if k == 0 else 0.5) * (high - low)
        metric = _solve(jacobians, sizes, shape, alpha)
        rate = metric_margin(jacobians, metric) if metric is not None else -np.inf
        if rate > low:
            best, low = metric, rate
        if rate < alpha - 1e-7 * (1 + abs(alpha)):
            high = alpha
    return best


def _solve(jacobians: NDArray, sizes: tuple[int, ...], shape: str, alpha: float) -> NDArray | None:
    """Return P with the largest slack t in P J + Jᵀ P - 2 α P ≥ t I, trace(P) fixed, P positive definite."""
    import cvxpy as cp

    d, edges = jacobians.shape[-1], np.cumsum([0, *sizes])
    slack = cp.Variable()
    if shape == "diagonal":
        w = cp.Variable(len(sizes))
        metric: Any = cp.diag(np.repeat(np.eye(len(sizes)), sizes, axis=0) @ w)
        constraints = [w >= 1e-7, cp.sum(w) == len(sizes)]
    else:
        blocks = [cp.Variable((s, s), symmetric=True) for s in sizes]
        metric = sum(
            np.eye(d)[:, edges[i] : edges[i + 1]] @ block @ np.eye(d)[edges[i] : edges[i + 1]]
            for i, block in enumerate(blocks)
        )
        constraints = [b >> 1e-7 * np.eye(b.shape[0]) for b in blocks] + [cp.trace(metric) == d]
    for jacobian in jacobians:
        shifted = jacobian - alpha * np.eye(d)
        constraints.append(metric @ shifted + shifted.T @ metric >> slack * np.eye(d))
    problem = cp.Problem(cp.Maximize(slack), constraints)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "may be inaccurate": the eigenvalues decide, not the solver
            problem.solve(solver=cp.CLARABEL)
    except cp.error.SolverError:
        return None
    if metric.value is None:
        return None
    value = 0.5 * (np.asarray(metric.value) + np.asarray(metric.value).T)
    return value if np.linalg.eigvalsh(value)[0] > 0 else None
