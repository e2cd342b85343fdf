"""Where the error of a learned field comes from, with what is proved and what is sampled kept apart.

Let X follow v* and Y follow v̂ from the same x₀, and e(t)² = E‖v*(X_t, t) − v̂(X_t, t)‖². Then, up to a time T,

    W₂(p_T, p̂_T) ≤ (E‖X_T − Y_T‖²)^½ ≤ ∫₀ᵀ exp(∫ₜᵀ λ) e(t) dt,   λ(t) ≥ sup_x λ_max(sym ∇v̂(x, t)),

and W₂² ≤ e^{(1 + 2L̂)T} ∫₀ᵀ e², the classical form. The middle term is a plain mean once v* is known, so it has a
standard error and is the upper bound to read. The suprema λ and L̂ are *sampled* here, which proves nothing; the product
of the norms of a network's layers is a proof, and far larger. Bounds are kept as decimal logarithms: e^{2L̂} overflows.
"""

import math
from typing import Any

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.fields.core.exact import ExactField, exact_field
from workbench.fields.core.integrators import SOLVERS, integrate
from workbench.fields.core.irreducible import nodes_of
from workbench.fields.core.laws import FiniteSample, Floats
from workbench.fields.core.probe import NODES, Probe, probe
from workbench.progress import Progress
from workbench.transport import wasserstein

REFERENCE = 80
"""Steps of order 4 that stand for the exact flow of a field: off by 1e-6 where clusters separate."""
HALVED = 200
"""Paths on which the solver is run again with half its step, for its order."""
ROUNDING = 1e-6
"""Distance of both halvings below which the single precision of a network hides the order of a solver."""
SLOPES = 400
"""Points of both flows at which the slope of the field is read, at each node."""
MOST_MATCHED = 1000
"""Points between which W₂ is computed; more say little more, for the floor falls slowly."""
MOST_PATHS = 50_000
LOG10 = math.log(10)


@results.experiment
def error_budget(
    field: Any,
    source: Any,
    target: Any,
    coupling: str = "independent",
    points: Any = None,
    until: float = 0.95,
    steps: int = 50,
    solver: str = "rk4",
    paths: int = 1000,
    seed: int = 0,
    reference: int = REFERENCE,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Split the error of ``field`` against the exact one, from the field itself to the law that a solver delivers.

    ``field``: a callable (x (n, d), t) → (n, d), such as a network; with a ``jacobian`` its slopes are read, with a
    ``lipschitz`` its proof. Laws and coupling as :func:`exact_field`; ``points`` (n, d) are those it was trained on.
    Times run from 0 to ``until``; ``steps`` of ``solver`` are what a user would take. ``reference`` steps of order 4
    stand for the exact flows (in high dimensions fewer are cheaper; the order of 80 is 1e-6 where clusters separate).

    The Dataset holds, all as root mean squares in units of the data: ``field_error`` e(t) along ``time``;
    ``estimation`` (v*_n against v*) and ``approximation`` (v̂ against v*_n), NaN without ``points``; ``coupled``
    (E‖X − Y‖²)^½, ``integration`` (the solver against 80 steps of order 4) with its measured ``order``, ``total``
    (E‖X − Ŷ‖²)^½ for the solver's Ŷ; ``wasserstein`` W₂ between samples of p and p̂ with its ``floor`` between two
    samples of p; and as decimal logarithms ``one_sided``, ``classical`` (sampled) and ``certified`` (proved).

    Raises ``ValueError`` for laws without an exact field, a field of another shape, times past the field's last.
    Cost: for a 128 × 3 network about 1 s for 1,000 paths.

    Reference: the bound is Grönwall's; see Benton et al., "Error bounds for flow matching methods", 2024, theorem 1.

    >>> truth = exact_field("gaussian", "two-blobs")
    >>> ds = error_budget(truth, "gaussian", "two-blobs", paths=200)
    >>> float(ds.coupled), bool(ds.integration < 1e-3)
    (0.0, True)
    """
    progress = progress or Progress()
    exact = exact_field(source, target, coupling)
    until = checks.real("until", until, exclusive_minimum=0)
    if until > exact.last_time:
        raise ValueError(f"until must be at most {exact.last_time:g} for these laws, got {until:g}")
    steps = checks.integer("steps", steps, minimum=1, maximum=10_000)
    checks.choice("solver", solver, SOLVERS)
    paths = checks.integer("paths", paths, minimum=100, maximum=MOST_PATHS)
    reference = checks.integer("reference", reference, minimum=NODES, maximum=1000)
    rng = checks.generator(seed)
    _check_field(field, exact)
    memory = None if points is None else exact_field(exact.source, FiniteSample(points), "independent")

    x0, x1 = exact.couple(paths, rng)
    apart = probe(x0, x1, until)
    ours, truth = _at_nodes(field, apart), exact(apart.x, apart.times)
    squares = np.sum((ours - truth) ** 2, axis=1)
    mean_square, mean_error = apart.mean(squares)
    nodes = squares.reshape(NODES, -1)
    progress.update(1, 6, "following the exact field")
    estimated = approximated = math.nan
    if memory is not None:
        remembered = memory(apart.x, apart.times)
        estimated = math.sqrt(until * apart.distance(remembered, truth)[0])
        approximated = math.sqrt(until * apart.distance(ours, remembered)[0])

    start = exact.source.sample(paths, rng) if coupling != "paired" else exact.couple(paths, rng)[0]
    frames = NODES + 1
    true_path = integrate(exact, start, reference, end=until, frames=frames)
    progress.update(2, 6, "following the learned field")
    own_path = integrate(field, start, reference, end=until, frames=frames)
    progress.update(3, 6, "the solver's steps")
    once = integrate(field, start, steps, solver, end=until).end
    twice = integrate(field, start[:HALVED], 2 * steps, solver, end=until).end
    off, half = _distance(once, own_path.end)[0], _distance(twice, own_path.end[:HALVED])[0]
    order = math.log2(_distance(once[:HALVED], own_path.end[:HALVED])[0] / half) if half > ROUNDING else math.nan
    coupled, total = _distance(true_path.end, own_path.end), _distance(true_path.end, once)
    progress.update(4, 6, "the slopes of the field")
    times, weights = nodes_of(until, NODES)
    level = np.sqrt(nodes.mean(axis=1))
    rise, largest = _slopes(field, true_path.path, own_path.path, true_path.times, times)
    progress.update(5, 6, "the distance of the laws")
    count = min(MOST_MATCHED, paths)
    fresh = [(1 - until) * a + until * b for a, b in (exact.couple(count, rng) for _ in range(2))]
    found = math.sqrt(wasserstein(fresh[0], once[:count]))
    floor = math.sqrt(wasserstein(fresh[0], fresh[1]))
    log_square = math.log(until * mean_square) if mean_square > 0 else -math.inf
    proof = field.lipschitz() if hasattr(field, "lipschitz") else math.nan
    bounds = {
        "one_sided": _one_sided(level, weights * until, rise),
        "classical": 0.5 * ((1 + 2 * largest) * until + log_square) / LOG10,
        "certified": 0.5 * ((1 + 2 * proof) * until + log_square) / LOG10,
    }
    progress.update(6, 6, "done")
    return results.dataset(
        {
            "field_error": (("time",), level, "root mean square error of the field at a time"),
            "field_error_error": (("time",), _root_error(nodes), "standard error of the field's error"),
            "whole": ((), math.sqrt(until * mean_square), "(∫ e²)^½ of the field"),
            "whole_error": ((), _of_root(until * mean_square, until * mean_error), "standard error of (∫ e²)^½"),
            "estimation": ((), estimated, "memoriser against the exact field, (∫ E‖v*_n − v*‖²)^½"),
            "approximation": ((), approximated, "learned field against the memoriser, (∫ E‖v̂ − v*_n‖²)^½"),
            "coupled": ((), coupled[0], "distance of both flows from the same start, (E‖X − Y‖²)^½"),
            "coupled_error": ((), coupled[1], "standard error of the distance of both flows"),
            "integration": ((), off, "distance that the solver's steps add, (E‖Y − Ŷ‖²)^½"),
            "order": ((), order, "measured order of the solver"),
            "total": ((), total[0], "exact flow against the solver's learned flow, (E‖X − Ŷ‖²)^½"),
            "total_error": ((), total[1], "standard error of the whole distance"),
            "wasserstein": ((), found, "W₂ between samples of both laws"),
            "floor": ((), floor, "W₂ between two samples of the exact law"),
            "slope": (("time",), rise, "largest sampled λ_max(sym ∇v̂) at a time"),
            "lipschitz": ((), largest, "largest sampled ‖∇v̂‖₂"),
            "lipschitz_proved": ((), proof, "proved Lipschitz constant"),
            "one_sided": ((), bounds["one_sided"], "log₁₀ of the one-sided bound (sampled slopes)"),
            "classical": ((), bounds["classical"], "log₁₀ of the classical bound (sampled slopes)"),
            "certified": ((), bounds["certified"], "log₁₀ of the classical bound (proved constant)"),
            "exact_end": (("path", "axis"), true_path.end[:MOST_MATCHED, :2], "ends of the exact flow"),
            "learned_end": (("path", "axis"), once[:MOST_MATCHED, :2], "ends of the learned flow with the solver"),
        },
        {
            "time": (("time",), times, "time"),
            "path": (("path",), np.arange(min(paths, MOST_MATCHED)), "path"),
            "axis": (("axis",), np.arange(min(exact.dimension, 2)), "coordinate"),
        },
    )


def _at_nodes(field: Any, apart: Probe) -> Floats:
    """Return the velocities at the points of a probe, asked with one time at once: more no callable need know."""
    each = len(apart.x) // NODES
    rows = [slice(k, k + each) for k in range(0, len(apart.x), each)]
    return np.concatenate([np.asarray(field(apart.x[part], float(apart.times[part.start]))) for part in rows])


def _check_field(field: Any, exact: ExactField) -> None:
    if not callable(field):
        raise TypeError(f"the field must be a callable (x, t) → velocities, got {type(field).__name__}")
    shape = (2, exact.dimension)
    found = np.shape(field(np.zeros(shape), 0.5 * exact.last_time))
    if found != shape:
        raise ValueError(f"the field returned shape {found} for points of shape {shape}; it must return velocities")


def _distance(a: Floats, b: Floats) -> tuple[float, float]:
    """Return (E‖a − b‖²)^½ and its standard error."""
    squares = np.sum((a - b) ** 2, axis=1)
    mean = float(squares.mean())
    return math.sqrt(mean), _of_root(mean, float(squares.std(ddof=1)) / math.sqrt(len(squares)))


def _of_root(mean: float, error: float) -> float:
    """Return the standard error of a root by the slope of the root."""
    return error / (2 * math.sqrt(mean)) if mean > 0 else 0.0


def _root_error(nodes: Floats) -> Floats:
    means, errors = nodes.mean(axis=1), nodes.std(axis=1, ddof=1) / math.sqrt(nodes.shape[1])
    return np.array([_of_root(float(m), float(e)) for m, e in zip(means, errors, strict=True)])


def _slopes(field: Any, one: Floats, two: Floats, at: Floats, times: Floats) -> tuple[Floats, float]:
    """Return the largest λ_max(sym ∇v̂) on both flows near each of ``times``, and the largest ‖∇v̂‖₂; NaN if unknown."""
    if not hasattr(field, "jacobian"):
        return np.full(len(times), np.nan), math.nan
    rise, largest = np.empty(len(times)), 0.0
    for k, t in enumerate(times):
        frame = int(np.argmin(np.abs(at - t)))
        x = np.concatenate([one[frame, : SLOPES // 2], two[frame, : SLOPES // 2]])
        slopes = field.jacobian(x, float(t))
        rise[k] = np.linalg.eigvalsh(0.5 * (slopes + slopes.transpose(0, 2, 1)))[:, -1].max()
        largest = max(largest, float(np.linalg.norm(slopes, 2, axis=(1, 2)).max()))
    return rise, largest


def _one_sided(level: Floats, weights: Floats, rise: Floats) -> float:
    """Return log₁₀ ∫ exp(∫ₜᵀ λ) e dt; the inner integral runs over the later nodes and half of one's own."""
    after = np.cumsum((weights * rise)[::-1])[::-1] - 0.5 * weights * rise
    with np.errstate(divide="ignore"):
        exponents = after + np.log(level * weights)
    top = exponents.max()
    return float((top + math.log(np.exp(exponents - top).sum())) / LOG10) if np.isfinite(top) else float(top)
