"""Directed slices: the sliced distance with directions gathered around an axis, and the axis that sees most.

With f(θ) = W_p^p of the clouds projected on θ, the law vMF(ε, κ) of directions gives

    F_κ(ε) = E_{θ ~ vMF(ε, κ)} f(θ),      v-DSW_p^p = max over ε of F_κ(ε),

between SW (κ → 0) and Max-SW (κ → ∞). The paper searches ε by 50 small steps of Adam, or predicts it by a trained
network. Neither is needed:

* f is even, so κ tilts little: F_κ(ε) ≤ SW · cosh κ / 0F1(d/2; κ²/4), 1.313 SW at κ = 1 in three dimensions.
* To second order in κ, F_κ(ε) = SW + a_2(κ) εᵀBε with B = d(d + 2)/2 · E f(θ)(θθᵀ − I/d): the best axis is the top
  eigenvector of a d × d matrix, from the same directions that give SW.
* On fixed directions F_κ is *convex* in ε, so ε ← ∇F/|∇F| never descends (Journée, Nesterov, Richtárik, Sepulchre,
  "Generalized power method", 2010), and Newton steps finish it.

Reference: K. Nguyen, T. Ren, H. Nguyen, L. Rout, T. Nguyen, N. Ho, "Self-attention amortized distributional projection
optimization for sliced Wasserstein point-cloud reconstruction", ICML 2023, arXiv 2301.04791.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.transport.estimators.base import Rule
from workbench.transport.evaluate import check_power, draw, make_rule, mean_and_error
from workbench.transport.max_sliced import search_pair
from workbench.transport.measures import Cloud
from workbench.transport.sliced import PRECISIONS, Estimate, prepared_pair
from workbench.transport.vmf import (
    RULES,
    Vectors,
    check_kappa,
    check_location,
    chosen_rule,
    even_density,
    log_peak,
    orthonormal_frame,
)

LOOK_DIRECTIONS = 300
NEWTON_STEPS = 25
STARTS = 6
REFINEMENTS = 6
SETTLED = 1e-12


@dataclass(frozen=True)
class DirectedEstimate(Estimate):
    """An estimate of F_κ(ε) with its standard error, and the ``location`` ε (d,) that it belongs to."""

    location: NDArray[np.float64]


@dataclass(frozen=True)
class Axes:
    """Eigenpairs of B, largest first: ``values`` (d,), ``vectors`` (d, d) one a row; ``is_unique`` if the first stands
    out from the second by more than rounding. ``mean_cost`` is SW_p^p from the same directions.
    """

    values: NDArray[np.float64]
    vectors: NDArray[np.float64]
    mean_cost: float
    is_unique: bool

    @property
    def best(self) -> NDArray[np.float64]:
        """The first axis."""
        return self.vectors[0]


@dataclass(frozen=True)
class Look:
    """Directions (L, d), weights of a rule for the *uniform* law (L,), and the costs f along them (L,)."""

    directions: Vectors
    weights: Vectors
    costs: Vectors

    @property
    def dim(self) -> int:
        """The dimension of the directions."""
        return self.directions.shape[1]

    @property
    def mean_cost(self) -> float:
        """SW_p^p as these directions see it."""
        return float(self.weights @ self.costs / self.weights.sum())

    def value(self, kappa: float, location: Vectors) -> Vectors:
        """Return F_κ at one location (d,) or many (k, d)."""
        density = even_density(kappa, location @ self.directions.T, self.dim)
        return density @ (self.weights * self.costs)

    def slope(self, kappa: float, location: Vectors) -> tuple[float, Vectors, Vectors]:
        """Return F, its gradient (d,) and Hessian (d, d) in ε as a vector of space, not of the sphere."""
        t = self.directions @ location
        scaled = self.weights * self.costs * np.exp(kappa * (np.abs(t) - 1) + log_peak(kappa, self.dim))
        even = 0.5 * scaled * (1 + np.exp(-2 * kappa * np.abs(t)))
        odd = 0.5 * scaled * -np.expm1(-2 * kappa * np.abs(t)) * np.sign(t)
        hessian = kappa**2 * (self.directions.T * even) @ self.directions
        return float(even.sum()), kappa * odd @ self.directions, hessian


def look(x: Cloud, y: Cloud, n_directions: int, rng: np.random.Generator, power: int = 2) -> Look:
    """Return the costs along a randomly rotated design."""
    rule = make_rule("design", n_directions, x.dim, rng)
    return Look(rule.directions, rule.weights, draw(x, y, rule, power=power).costs)


def axes_of(seen: Look) -> Axes:
    """Return the eigenpairs of B = d(d + 2)/2 Σ w f (θθᵀ − I/d)."""
    dim = seen.dim
    weighted = seen.weights * seen.costs
    moment = (seen.directions.T * weighted) @ seen.directions
    form = dim * (dim + 2) / 2 * (moment - weighted.sum() / dim * np.eye(dim))
    values, vectors = np.linalg.eigh((form + form.T) / 2)
    values, vectors = values[::-1], vectors[:, ::-1].T
    scale = max(float(np.abs(weighted).sum()), np.finfo(float).tiny)
    is_unique = dim == 1 or bool(values[0] - values[1] > 1e-9 * scale)
    return Axes(values, np.array([_signed(v) for v in vectors]), float(weighted.sum()), is_unique)


def _signed(vector: Vectors) -> Vectors:
    """Return ±vector with its largest entry positive: an axis has no sign."""
    return vector * np.sign(vector[np.argmax(np.abs(vector) > np.abs(vector).max() - 1e-9)])


def climb(seen: Look, kappa: float, start: Vectors) -> tuple[float, Vectors]:
    """Return the local maximum of F_κ on fixed directions reached from ``start``: (value, ε). Never descends."""
    here = start
    value, gradient, hessian = seen.slope(kappa, here)
    for _ in range(NEWTON_STEPS):
        length = np.linalg.norm(gradient)
        if kappa == 0 or length == 0:
            break
        moved = _newton(here, gradient, hessian)
        found = seen.slope(kappa, moved) if moved is not None else None
        if found is None or found[0] < value:
            moved = gradient / length  # F is convex in ε: this step cannot descend
            found = seen.slope(kappa, moved)
        gained = found[0] - value
        here, (value, gradient, hessian) = moved, found
        if gained <= SETTLED * value:
            break
    return value, _signed(here)


def _newton(here: Vectors, gradient: Vectors, hessian: Vectors) -> Vectors | None:
    """Return a Newton step on the sphere towards a maximum; None where the Hessian is not negative across ε."""
    basis = orthonormal_frame(here)[1:]
    across = basis @ hessian @ basis.T - (here @ gradient) * np.eye(len(here) - 1)
    if not len(across) or np.linalg.eigvalsh(across)[-1] >= 0:
        return None
    moved = here - basis.T @ np.linalg.solve(across, basis @ gradient)
    return moved / np.linalg.norm(moved)


def best_location(seen: Look, kappa: float) -> tuple[float, Vectors]:
    """Return the largest F_κ on fixed directions and its ε: climbs from B's first axis and from the best directions."""
    starts = [axes_of(seen).best]
    if kappa > 0 and seen.dim > 1:
        at_nodes = np.concatenate([seen.value(kappa, block) for block in _blocks(seen.directions)])
        apart = np.cos(0.6)
        for index in np.argsort(at_nodes)[::-1]:
            if len(starts) > STARTS:
                break
            if all(abs(seen.directions[index] @ other) < apart for other in starts[1:]):
                starts.append(seen.directions[index])
    return max((climb(seen, kappa, start) for start in starts), key=lambda pair: pair[0])


def _blocks(directions: Vectors) -> list[Vectors]:
    return np.array_split(directions, max(len(directions) * len(directions) // 1_000_000, 1))


def refine(
    x: Cloud, y: Cloud, kappa: float, location: Vectors, n: int, rng: np.random.Generator, power: int
) -> Vectors:
    """Return ε moved to the maximum by fresh directions gathered around it, for κ that a uniform look cannot resolve.

    The directions come from vMF(ε, κ/2), wider than the law itself, and are weighed back to the uniform law; a move
    that leaves their reach is followed by another look.
    """
    method = chosen_rule("auto", 0.5 * kappa, x.dim, 0)
    for _ in range(REFINEMENTS):
        rule: Rule = RULES[method](0.5 * kappa, location, n, rng)
        back = 1 / (n * even_density(0.5 * kappa, rule.directions @ location, x.dim))
        seen = Look(rule.directions, back, draw(x, y, Rule(rule.directions, rule.weights), power=power).costs)
        _, moved = climb(seen, kappa, location)
        turned = np.arccos(min(abs(float(moved @ location)), 1.0))
        location = moved
        if turned < 0.1 / np.sqrt(kappa):
            break
    return location


def find_location(x: Cloud, y: Cloud, kappa: float, n: int, rng: np.random.Generator, power: int) -> Vectors:
    """Return the best ε: from a look all around; where κ is too large for that, refined from there and from Max-SW.

    As κ grows the best ε may jump from one maximum of f to another, which a look with wide caps ranks otherwise: so the
    direction of the largest slice (certified to 1e-3 in up to three dimensions) is refined too, and the better kept.
    """
    seen = look(x, y, n, rng, power)
    _, location = best_location(seen, min(kappa, _resolved(n, x.dim)))
    if kappa <= _resolved(n, x.dim):
        return location
    if power != 2:
        return refined(x, y, kappa, [location], n // 2, rng, power)
    wide = [replace(cloud, coordinates=cloud.coordinates.astype(np.float64)) for cloud in (x, y)]
    top = search_pair(*wide, 1e-3, 20_000).direction
    return refined(x, y, kappa, [location, top], n // 2, rng, power)


def refined(
    x: Cloud, y: Cloud, kappa: float, starts: Sequence[Vectors], n: int, rng: np.random.Generator, power: int = 2
) -> Vectors:
    """Return the best of the axes that are reached from ``starts`` by directions gathered around them."""
    number = max(n, 50)
    found = [refine(x, y, kappa, start, number, rng, power) for start in starts]
    method = chosen_rule("auto", kappa, x.dim, 0)
    rules = [RULES[method](kappa, where, number, np.random.default_rng(0)) for where in found]
    values = [draw(x, y, rule, power=power).value for rule in rules]
    return _signed(found[int(np.argmax(values))])


def _resolved(n: int, dim: int) -> float:
    """Return the largest κ that a design of n directions resolves."""
    return np.inf if dim == 1 else 0.5 * n if dim == 2 else 0.1 * n if dim == 3 else 2.0


def best_axis(
    x: ArrayLike,
    y: ArrayLike,
    *,
    n_directions: int = LOOK_DIRECTIONS,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    p: int = 2,
    seed: int | np.random.Generator = 0,
) -> Axes:
    """Return the axes that slices around see most and least: the eigenpairs of B, with F_κ(ε) ≈ SW + a_2(κ) εᵀBε.

    Shapes: ``x`` (n, d), ``y`` (m, d). One spherical design of ``n_directions`` gives B; nothing is trained or
    iterated, and the axes turn with the clouds. Where B vanishes (``is_unique`` false) any axis is as good to this
    order. Errors as :func:`~workbench.transport.sliced_wasserstein`; cost n_directions × n × 10 ns.

    >>> import numpy as np
    >>> from workbench import clouds, transport
    >>> x = clouds.cloud("sphere", 300)
    >>> axes = transport.best_axis(x, x + np.array([0.0, 0.0, 1.0]))
    >>> np.abs(axes.best).round(3).tolist(), axes.is_unique
    ([0.0, 0.0, 1.0], True)
    """
    pair = prepared_pair(x, y, x_weights, y_weights, "single")
    n_directions = checks.integer("n_directions", n_directions, minimum=1, maximum=100_000)
    return axes_of(look(*pair, n_directions, checks.generator(seed), check_power(p)))


def directed_sliced_wasserstein(
    x: ArrayLike,
    y: ArrayLike,
    kappa: float = 1.0,
    location: ArrayLike | str = "best",
    *,
    method: str = "auto",
    n_directions: int = 100,
    look_directions: int = LOOK_DIRECTIONS,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    p: int = 2,
    repeats: int = 4,
    seed: int | np.random.Generator = 0,
    precision: str = "single",
) -> DirectedEstimate:
    """Return v-DSW_p^p, the mean cost over directions of vMF(ε, κ), at the best ε or a given one: *squared* for p = 2.

    ``location="best"`` looks along ``look_directions`` directions all around, takes the ε that maximises F_κ there,
    and then measures F_κ(ε) with fresh directions, so no chance of the search enters the value. A vector (d,) is taken
    as ε. ``method`` is a rule of :data:`workbench.transport.vmf.RULES`, ``"vmf-sampling"`` the paper's; ``"auto"``
    takes the reweighted design while it resolves κ and the vMF spiral beyond (sampling where d > 3). The value is the
    mean of ``repeats`` rules of ``n_directions`` directions, the standard error comes from their scatter.

    Shapes, units and errors as :func:`~workbench.transport.sliced_wasserstein`; κ in [0, 1e6]. Cost: (look_directions +
    repeats × n_directions) × n × 10 ns. Reference: arXiv 2301.04791, definitions 3 and 4 as far as the released code
    tells (which *sums* over the points: n times W_2²).

    >>> import numpy as np
    >>> from workbench import clouds, transport
    >>> x = clouds.cloud("torus", 300)
    >>> found = transport.directed_sliced_wasserstein(x, x + np.array([2.0, 0.0, 0.0]))   # |t|² (1 − 2A/κ)
    >>> round(found.value, 4), round(4 * transport.vmf_second_moment(1.0), 4), round(float(found.location[0]), 3)
    (1.4957, 1.4957, 1.0)
    """
    pair, rules, where, power = _directed(
        x, y, kappa, location, method, n_directions, look_directions, x_weights, y_weights, p, repeats, seed, precision
    )
    value, error = mean_and_error([draw(*pair, rule, power=power).value for rule in rules])
    return DirectedEstimate(float(value), float(error), where)


def directed_sliced_wasserstein_gradient(
    x: ArrayLike,
    y: ArrayLike,
    kappa: float = 1.0,
    location: ArrayLike | str = "best",
    *,
    method: str = "auto",
    n_directions: int = 100,
    look_directions: int = LOOK_DIRECTIONS,
    x_weights: ArrayLike | None = None,
    y_weights: ArrayLike | None = None,
    p: int = 2,
    repeats: int = 1,
    seed: int | np.random.Generator = 0,
    precision: str = "single",
) -> tuple[DirectedEstimate, NDArray[np.float64]]:
    """Return (estimate, gradient in the points of ``x`` (n, d)) of :func:`directed_sliced_wasserstein`.

    ε is held while differentiating: at a maximum over ε the derivative through it vanishes (the envelope theorem), and
    for a given ε there is none. Arguments, errors and cost as :func:`directed_sliced_wasserstein`.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> estimate, gradient = directed_sliced_wasserstein_gradient(x, x + [3.0, 0.0, 0.0], kappa=5.0)
    >>> gradient.shape, bool(gradient[:, 0].max() < 0)
    ((50, 3), True)
    """
    pair, rules, where, power = _directed(
        x, y, kappa, location, method, n_directions, look_directions, x_weights, y_weights, p, repeats, seed, precision
    )
    draws = [draw(*pair, rule, power=power, want_x=True) for rule in rules]
    value, error = mean_and_error([one.value for one in draws])
    gradient = np.mean([one.gradient_x for one in draws], axis=0)
    return DirectedEstimate(float(value), float(error), where), gradient


def _directed(
    x: ArrayLike,
    y: ArrayLike,
    kappa: float,
    location: ArrayLike | str,
    method: str,
    n_directions: int,
    look_directions: int,
    x_weights: ArrayLike | None,
    y_weights: ArrayLike | None,
    p: int,
    repeats: int,
    seed: int | np.random.Generator,
    precision: str,
) -> tuple[tuple[Cloud, Cloud], list[Rule], Vectors, int]:
    """Check everything, find ε, and draw the rules."""
    kappa, power = check_kappa(kappa), check_power(p)
    checks.choice("precision", precision, PRECISIONS)
    pair = prepared_pair(x, y, x_weights, y_weights, precision)
    n_directions = checks.integer("n_directions", n_directions, minimum=1, maximum=1_000_000)
    look_directions = checks.integer("look_directions", look_directions, minimum=1, maximum=100_000)
    repeats = checks.integer("repeats", repeats, minimum=1)
    rule = RULES[chosen_rule(method, kappa, pair[0].dim, n_directions)]
    dims = rule.facts.get("dims")
    if dims is not None and pair[0].dim not in dims:
        allowed = " or ".join(map(str, dims))
        raise ValueError(f"the vMF rule {rule.name!r} is for {allowed} dimensions, got {pair[0].dim}; use 'auto'")
    rng = checks.generator(seed)
    if isinstance(location, str):
        checks.choice("location", location, ["best"])
        where = find_location(*pair, kappa, look_directions, rng, power)
    else:
        where = check_location(location, pair[0].dim)
    return pair, [rule(kappa, where, n_directions, stream) for stream in rng.spawn(repeats)], where, power
