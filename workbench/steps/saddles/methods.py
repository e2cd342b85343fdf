"""How a saddle is searched: on a surrogate with a trust radius, by a dimer, by eigenvector following.

Every method takes an :class:`~workbench.steps.saddles.oracle.Oracle`, a start, a unit axis and :class:`Options`, and
returns the point where the gradient's largest component fell below the tolerance. It raises ``Stop`` where it must end.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.registry import Fact, Registry
from workbench.steps.saddles.dimer import Dimer, limited
from workbench.steps.saddles.distances import DISTANCES, farthest_points, groups
from workbench.steps.saddles.modes import Spectrum, spectrum, without_rigid
from workbench.steps.saddles.oracle import Oracle, Stop
from workbench.steps.saddles.surrogate import Data, Surrogate, make_data
from workbench.steps.saddles.training import first_guess, train

Array = NDArray[np.float64]
SADDLE_METHODS = Registry(
    "saddle method",
    facts={
        "surrogate": Fact(bool, says="whether it works on a surrogate"),
        "needs": Fact(str, required=False, says="the package that must be installed"),
    },
)
PAPER = "R. Goswami, H. Jónsson, arXiv 2510.06030"
INNER = 200
"""Most steps on the surrogate between two calls."""
FIRST = 0.1
"""Displacement of the second observation along the axis, as a share of the longest step times ten."""
NEAR = 1e-3
"""Observations nearer than this to a newer one are dropped: they only ruin the condition number."""
FLIPS, WINDOW, MORE, LARGEST_SUBSET = 0.8, 5, 2, 30
THOROUGH, WARM = 40, 12
"""Iterations of the first training, and of those that start at the hyper-parameters before."""
SHARE_OF_STEP = 0.2
"""A dimer's steps on a surrogate ÷ those on the surface. A step of the full length against a stiff direction leads to
where a surrogate that has seen no repulsion lets it go on; on the surface itself the repulsion would throw it back."""
SHARE_OF_GAP = 0.5 * (1 - 2 / 3)
"""No atom moves more than this share of the way to its nearest neighbour in one step."""


@dataclass
class Options:
    """What a search may do: see :func:`workbench.steps.saddle`."""

    trust: str = "assignment"
    threshold: float | str = "adaptive"
    subset: int | None = 10
    barrier: bool = True
    tolerance: float = 0.01
    longest: float = 0.1


@dataclass
class Log:
    """What a surrogate search did between its calls."""

    thresholds: list[float] = field(default_factory=list)
    rejected: list[Array] = field(default_factory=list)
    inner_steps: list[int] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    subset: list[int] = field(default_factory=list)
    radius: list[float] = field(default_factory=list)
    phi: list[Array] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    path: list[Array] = field(default_factory=list)
    model: Surrogate | None = None


Method = Callable[[Oracle, Array, Array, Options, Log], Array]


def converged(gradient: Array, tolerance: float) -> bool:
    """Return whether the largest component of a gradient is below the tolerance."""
    return bool(np.abs(gradient).max() < tolerance)


# ---- on the true surface -------------------------------------------------------------------------------------------


@SADDLE_METHODS.add(
    "dimer",
    label="dimer",
    formula=r"F=-g+2(g\cdot\tau)\tau",
    reference="G. Henkelman, H. Jónsson, J. Chem. Phys. 111 (1999) 7010",
    cost="2 to 6 calls a step",
    surrogate=False,
)
def dimer(oracle: Oracle, x: Array, axis: Array, options: Options, log: Log) -> Array:
    """Climb with a dimer on the surface itself."""
    state = Dimer(axis, oracle.surface.species, oracle.gradient, options.longest)
    while True:
        log.path.append(x.copy())
        _, g = oracle(x)
        if converged(g, options.tolerance):
            return x
        state.rotate(x, g)
        x = x + state.step(x, g)


@SADDLE_METHODS.add(
    "eigenvector-following",
    label="eigenvector following",
    formula=r"\Delta=-\sum_i \pm v_i (v_i\cdot g)/|\lambda_i|",
    reference="C. Cerjan, W. Miller, J. Chem. Phys. 75 (1981) 2800; J. Bofill, J. Comput. Chem. 15 (1994) 1",
    cost="one call a step, after one for each coordinate",
    surrogate=False,
)
def eigenvector_following(oracle: Oracle, x: Array, axis: Array, options: Options, log: Log) -> Array:
    """Follow the lowest mode of a Hessian measured once by differences and then updated from the steps (Bofill)."""
    species = oracle.surface.species
    _, g = oracle(x)
    log.path.append(x.copy())
    if converged(g, options.tolerance):
        return x
    shift = 1e-4
    hessian = np.array([(oracle.gradient(x + shift * v) - g) / shift for v in np.eye(x.size)])
    hessian = (hessian + hessian.T) / 2
    while True:
        step = following_step(spectrum(hessian, x, species), g, axis, x, options.longest, species)
        new = x + step
        log.path.append(new.copy())
        _, g_new = oracle(new)
        if converged(g_new, options.tolerance):
            return new
        hessian = bofill(hessian, step, g_new - g)
        x, g = new, g_new


def bofill(hessian: Array, step: Array, change: Array) -> Array:
    """Return Bofill's update of a Hessian: between the symmetric rank-one and Powell's, so it may be indefinite.

    >>> bofill(np.eye(2), np.array([1.0, 0.0]), np.array([-2.0, 0.0])).tolist()
    [[-2.0, 0.0], [0.0, 1.0]]
    """
    residual = change - hessian @ step
    along, size, square = float(residual @ step), float(step @ step), float(residual @ residual)
    if square * size < 1e-20:
        return hessian
    share = along**2 / (square * size)
    powell = (np.outer(residual, step) + np.outer(step, residual)) / size - along * np.outer(step, step) / size**2
    rank_one = np.outer(residual, residual) / along if abs(along) > 1e-12 else 0.0
    return hessian + share * rank_one + (1 - share) * powell


def following_step(found: Spectrum, g: Array, axis: Array, x: Array, longest: float, species: Any) -> Array:
    """Return a step up along the lowest mode and down along all others, each by its Newton length, then limited.

    In a convex region the step is uphill along the lowest mode; where the gradient has no part along it, along the
    ``axis``.
    """
    lowest, mode = found.values[0], found.vectors[:, 0]
    parts = found.vectors.T @ g
    lengths = -parts / np.maximum(np.abs(found.values), 1e-3)
    up = parts[0] / max(abs(lowest), 1e-3)
    if lowest > 0:  # uphill as far as allowed; Newton's own step would go down to the minimum
        side = parts[0] if abs(parts[0]) > 1e-10 else float(axis @ mode)
        up = longest if side >= 0 else -longest
    lengths[0] = up
    step = found.vectors @ lengths
    if species is not None:
        step = limited_by_gaps(step, x)
    return limited(step, longest, species)


def limited_by_gaps(step: Array, x: Array) -> Array:
    """Return the step, shortened so that every atom keeps well away from its nearest neighbour."""
    points = x.reshape(-1, 3)
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    moved = np.linalg.norm(step.reshape(-1, 3), axis=1)
    excess = float((moved / (SHARE_OF_GAP * gaps.min(axis=1))).max())
    return step / excess if excess > 1 else step


# ---- on a surrogate ------------------------------------------------------------------------------------------------


class Trust:
    """How far a point is from all that has been observed, and how far it may be."""

    def __init__(self, species: Any, options: Options) -> None:
        self.species, self.options = species, options
        self.groups = groups(species) if species is not None else None
        self.kind = DISTANCES[options.trust]

    def threshold(self, count: int) -> float:
        """Return Θ after ``count`` observations; ``adaptive``: min(0.15 + 0.35(1 − 2^(−N/50)), max(0.2, 1.3/√n))."""
        if self.options.threshold != "adaptive":
            return float(self.options.threshold)
        atoms = 1 if self.species is None else len(self.species)
        return min(0.15 + 0.35 * (1 - 2 ** (-count / 50)), max(0.2, 1.3 / np.sqrt(atoms)))

    def distance(self, a: Array, b: Array) -> float:
        """Return the distance of two configurations."""
        if self.groups is None:
            return float(np.linalg.norm(a - b))
        return self.kind(a.reshape(-1, 3), b.reshape(-1, 3), self.groups)

    def within(self, x: Array, data: Array, threshold: float) -> bool:
        """Return whether an observation lies within the threshold; exact, though most matrices are never assigned."""
        if self.groups is None:
            return bool((np.linalg.norm(data - x, axis=1) <= threshold).any())
        moved = np.linalg.norm((data - x).reshape(len(data), -1, 3), axis=2)
        if self.options.trust.startswith("assignment"):  # the identity is one of the permutations: an upper bound
            bounds = [moved[:, atoms].mean(axis=1) for atoms in self.groups]
            upper = np.sum(bounds, axis=0) if self.options.trust == "assignment" else np.max(bounds, axis=0)
            if upper.min() <= threshold:
                return True
        order = np.argsort(moved.mean(axis=1))
        return any(self.distance(x, data[k]) <= threshold for k in order)


def _surrogate_search(
    oracle: Oracle, x: Array, axis: Array, options: Options, log: Log, inner: Callable[..., Any]
) -> Array:
    """Observe, train, climb on the surrogate within the trust radius, and observe again where that ended."""
    surface = oracle.surface
    constant = 0.0 if surface.species is None else 1.0
    model = Surrogate(surface.size, surface.species, constant=constant)
    trust = Trust(surface.species, options)
    size, first = options.subset, True
    log.path.append(x.copy())
    _, g = oracle(x) if not oracle.calls else (oracle.energies[0], oracle.gradients[0])
    if converged(g, options.tolerance):
        return x
    oracle(x + 10 * FIRST * options.longest * axis)
    x = oracle.x[0]
    while True:
        data = _observed(oracle, model)
        reference = float(data.energies.max())
        used, radius = _pruned(data, size, trust)
        started = time.perf_counter()
        if first:
            model.scales, model.variance = np.exp(first_guess(model, used)), 1.0
        effort = THOROUGH if first else WARM
        phi, _ = train(model, used, reference, with_barrier=options.barrier, iterations=effort)
        first = False
        model.condition(data, reference=reference)
        log.seconds.append(time.perf_counter() - started)
        log.phi.append(phi)
        log.subset.append(len(used))
        log.radius.append(radius)
        if size is not None and oscillates(log.phi):
            size = min(size + MORE, LARGEST_SUBSET)
        log.model = model
        true = float(np.abs(g).max())
        goal = max(true / 10, options.tolerance / 10) / surface.scale
        x, steps, why = inner(model, x, axis, goal, options, trust, data.x, log)
        log.inner_steps.append(steps)
        log.stopped.append(why)
        _, g = oracle(x)
        if converged(g, options.tolerance):
            return x


def _observed(oracle: Oracle, model: Surrogate) -> Data:
    """Return all observations in the surrogate's unit of energy, without those that a newer one repeats."""
    x = np.array(oracle.x)
    kept = [k for k in range(len(x)) if k == len(x) - 1 or np.linalg.norm(x[k + 1 :] - x[k], axis=1).min() > NEAR]
    scale = oracle.surface.scale
    energies, gradients = np.array(oracle.energies)[kept] / scale, np.array(oracle.gradients)[kept] / scale
    return make_data(model.features, x[kept], energies, gradients)


def _pruned(data: Data, size: int | None, trust: Trust) -> tuple[Data, float]:
    """Return the observations that the hyper-parameters are trained on, and their covering radius."""
    if size is None or len(data) <= size:
        return data, 0.0
    n = len(data)
    matrix = np.zeros((n, n))
    for i in range(n):
        for j in range(i):
            matrix[i, j] = matrix[j, i] = trust.distance(data.x[i], data.x[j])
    chosen = farthest_points(matrix, size, latest=2)
    return data.subset(chosen.indices), chosen.radius


def oscillates(phi: list[Array]) -> bool:
    """Return whether more than 80 % of the last changes of hyper-parameters turned round: the subset is too small."""
    if len(phi) < WINDOW:
        return False
    changes = np.diff(np.array(phi[-WINDOW:]), axis=0)
    flips = changes[1:] * changes[:-1] < 0
    return bool(flips.mean() > FLIPS)


def _climb(
    propose: Callable[[Array], tuple[Array, bool]], x: Array, trust: Trust, data: Array, log: Log
) -> tuple[Array, int, str]:
    """Take proposed steps until it is there, a step leaves the trusted region, or it took too many."""
    threshold = trust.threshold(len(data))
    log.thresholds.append(threshold)
    start = x
    for count in range(INNER):
        step, there = propose(x)
        if there and x is not start:
            return x, count, "converged on the surrogate"
        while not trust.within(x + step, data, threshold):
            log.rejected.append(x + step)
            if x is not start:
                return x, count, "left the trusted region"
            step = step / 2
        x = x + step
        log.path.append(x.copy())
    return x, INNER, "took all its steps"


def _follow(
    model: Surrogate, x: Array, axis: Array, goal: float, options: Options, trust: Trust, data: Array, log: Log
) -> tuple[Array, int, str]:
    """Follow the lowest mode of the surrogate's own Hessian: no rotations at all."""

    def propose(x: Array) -> tuple[Array, bool]:
        _, g = model.predict(x)
        found = spectrum(model.hessian(x), x, model.species)
        there = bool(np.abs(g).max() < goal) and found.values[0] < 0
        return following_step(found, g, axis, x, options.longest, model.species), there

    return _climb(propose, x, trust, data, log)


def _dimer_on(
    model: Surrogate, x: Array, axis: Array, goal: float, options: Options, trust: Trust, data: Array, log: Log
) -> tuple[Array, int, str]:
    """Climb with a dimer on the surrogate; the axis is kept for the next surrogate.

    Its rotations are taken as converged: they end at the lowest mode, which the surrogate knows in closed form.
    """
    state = Dimer(axis, model.species, lambda x: model.predict(x)[1], SHARE_OF_STEP * options.longest)

    def propose(x: Array) -> tuple[Array, bool]:
        g = model.predict(x)[1]
        found = spectrum(model.hessian(x), x, model.species)
        state.turn(found.vectors[:, 0], float(found.values[0]))
        axis[:] = state.axis
        step = state.step(x, g)
        if model.species is not None:
            step = limited_by_gaps(step, x)
        return step, bool(np.abs(g).max() < goal) and state.curvature < 0

    return _climb(propose, x, trust, data, log)


_SURROGATE = {"reference": PAPER, "surrogate": True}


@SADDLE_METHODS.add("gp", label="surrogate, mode following", cost="a call, and training on a subset", **_SURROGATE)
def gp(oracle: Oracle, x: Array, axis: Array, options: Options, log: Log) -> Array:
    """Follow the surrogate's lowest mode; hyper-parameters on a pruned set."""
    return _surrogate_search(oracle, x, axis, options, log, _follow)


@SADDLE_METHODS.add("gp-all", label="surrogate, no pruning", cost="a call, and training on all data", **_SURROGATE)
def gp_all(oracle: Oracle, x: Array, axis: Array, options: Options, log: Log) -> Array:
    """Follow the surrogate's lowest mode; hyper-parameters on all observations."""
    return gp(oracle, x, axis, Options(**{**vars(options), "subset": None}), log)


@SADDLE_METHODS.add(
    "gp-dimer", label="surrogate with a dimer (after the paper)", cost="a call, and training", **_SURROGATE
)
def gp_dimer(oracle: Oracle, x: Array, axis: Array, options: Options, log: Log) -> Array:
    """Climb with a dimer on the surrogate, as the paper does: the first rotations are made on the surface itself.

    Steps on the surrogate are a fifth as long as on the surface, since a full step against a stiff direction ends where
    a surrogate that has seen no repulsion goes on climbing; and rotations on it are converged. On clusters of seven
    atoms it takes both: none of the first four searches of the shipped study reached a saddle with the surface's own
    steps and rotations (none of two with converged rotations alone, one of three with short steps alone), 46 of 50 do
    with both.
    """
    _, g = oracle(x)
    if converged(g, options.tolerance):
        return x
    state = Dimer(axis, oracle.surface.species, oracle.gradient, options.longest)
    state.rotate(x, g)
    return _surrogate_search(oracle, x, state.axis.copy(), options, log, _dimer_on)


def start_axis(rng: np.random.Generator, x: Array, species: Any) -> Array:
    """Return a random unit direction that is no rigid motion."""
    direction = without_rigid(rng.normal(size=x.size), x, species)
    size = float(np.linalg.norm(direction))
    if size < 1e-12:
        raise Stop("there is no internal direction to search in")
    return direction / size
