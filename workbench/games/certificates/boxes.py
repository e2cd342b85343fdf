"""Rigorous bounds on a box by branch and bound over interval second derivatives.

The region is halved again and again into a tree of boxes. :func:`bounds_on_box` collects the smallest mu and the
largest ell and L over all leaves and refines the leaves that decide them; :func:`split_until` halves every leaf that
fails a test of its own, which is how a leaf-by-leaf certificate with one common w is found.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.games.certificates.intervals import Interval
from workbench.games.models.bounds import Bounds
from workbench.games.models.region import Box
from workbench.games.models.smooth import SmoothGame
from workbench.progress import Progress

CHUNK = 256  # boxes looked at between two looks at the clock


@dataclass(frozen=True)
class Budget:
    """How much work is allowed: boxes evaluated and seconds."""

    boxes: int = 20_000
    seconds: float = 30.0


class BoxTree:
    """The region and its halvings; every leaf has a number, children replace their parent."""

    def __init__(self, region: Box) -> None:
        self.region = region
        self.lower, self.upper = [region.lower], [region.upper]
        self.axis: list[int] = [-1]
        self.children: list[tuple[int, int]] = [(-1, -1)]

    def sides(self, numbers: Sequence[int]) -> tuple[NDArray, NDArray]:
        """Return the lower and upper sides (n, d) of the numbered boxes."""
        return np.array([self.lower[k] for k in numbers]), np.array([self.upper[k] for k in numbers])

    def split(self, number: int, axis: int | None = None) -> tuple[int, int]:
        """Halve a leaf at the midpoint of ``axis`` (default: its longest side relative to the region)."""
        low, high = self.lower[number], self.upper[number]
        k = int(np.argmax((high - low) / self.region.width)) if axis is None else axis
        middle = 0.5 * low[k] + 0.5 * high[k]
        if not low[k] < middle < high[k]:
            raise ValueError("a box became thinner than the numbers allow; the bounds do not get better here")
        left_high, right_low = high.copy(), low.copy()
        left_high[k] = right_low[k] = middle
        first = len(self.axis)
        for a, b in ((low, left_high), (right_low, high)):
            self.lower.append(a)
            self.upper.append(b)
            self.axis.append(-1)
            self.children.append((-1, -1))
        self.axis[number], self.children[number] = k, (first, first + 1)
        return first, first + 1

    def copy(self) -> "BoxTree":
        """Return a tree that can be split further without touching this one."""
        other = BoxTree(self.region)
        other.lower, other.upper = list(self.lower), list(self.upper)
        other.axis, other.children = list(self.axis), list(self.children)
        return other

    def preorder(self) -> list[int]:
        """Return the node numbers so that every box comes before its halves, the lower half first."""
        order, stack = [], [0]
        while stack:
            number = stack.pop()
            order.append(number)
            if self.axis[number] >= 0:
                stack.extend(reversed(self.children[number]))
        return order

    def leaves(self) -> list[int]:
        """Return the numbers of the leaves in the order of :meth:`code`."""
        return [k for k in self.preorder() if self.axis[k] < 0]

    def code(self) -> tuple[int, ...]:
        """Return the tree for a certificate: the halved coordinate of each box in pre-order, -1 for a leaf."""
        return tuple(self.axis[k] for k in self.preorder())


@dataclass(frozen=True, eq=False)
class LeafBounds:
    """mu (n, N), ell (n, N) and L (n, N, N) of n boxes, rigorous."""

    mu: NDArray
    ell: NDArray
    couplings: NDArray


def leaf_bounds(game: SmoothGame, lower: NDArray, upper: NDArray) -> LeafBounds:
    """Return rigorous bounds of the Jacobian's blocks on n boxes with sides (n, d)."""
    return interval_block_bounds(game.jacobian_on(lower, upper), game.sizes)


def interval_block_bounds(jacobian: Interval, sizes: Sequence[int]) -> LeafBounds:
    """Bound block eigenvalues and norms of interval matrices (n, d, d): by entry, or midpoint and radius (Weyl)."""
    edges = np.cumsum([0, *sizes])
    n, players = len(jacobian.lo), len(sizes)
    mu, ell, couplings = np.empty((n, players)), np.empty((n, players)), np.zeros((n, players, players))
    for i in range(players):
        for j in range(players):
            span = (slice(None), slice(edges[i], edges[i + 1]), slice(edges[j], edges[j + 1]))
            low, high = jacobian.lo[span], jacobian.hi[span]
            if low.shape[1:] == (1, 1):
                low, high = low[:, 0, 0], high[:, 0, 0]
                if i == j:
                    mu[:, i], ell[:, i] = low, high
                else:
                    couplings[:, i, j] = np.maximum(np.abs(low), np.abs(high))
                continue
            middle, spread = _centre_and_spread(low, high)
            if i == j:
                values = np.linalg.eigvalsh(middle)
                mu[:, i], ell[:, i] = values[:, 0] - spread, values[:, -1] + spread
            else:
                couplings[:, i, j] = np.linalg.norm(middle, 2, axis=(1, 2)) + spread
    return LeafBounds(mu, ell, couplings)


def _centre_and_spread(low: NDArray, high: NDArray) -> tuple[NDArray, NDArray]:
    """Return the midpoint matrices and a bound of the 2-norm of what is left, rounding included."""
    finite = np.all(np.isfinite(low) & np.isfinite(high), axis=(1, 2))[:, None, None]
    low, high = np.where(finite, low, 0.0), np.where(finite, high, 0.0)
    middle = 0.5 * low + 0.5 * high
    radius = np.where(finite, np.maximum(high - middle, middle - low), np.inf)
    scale = np.linalg.norm(middle, axis=(1, 2))
    return middle, np.linalg.norm(radius, axis=(1, 2)) * (1 + 1e-14) + 64 * low.shape[1] * 2.0**-52 * scale


@dataclass(frozen=True, eq=False)
class BoxBounds:
    """Bounds on a region, the tree that proves them, and whether the tolerance was reached within the budget."""

    bounds: Bounds
    tree: BoxTree
    boxes: int
    finished: bool


def bounds_on_box(
    game: SmoothGame,
    region: Box,
    *,
    tolerance: float = 1e-4,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> BoxBounds:
    """Return bounds within ``tolerance`` (relative to the largest entry) of the best constants on the box.

    A leaf is halved while one of its bounds is worse than the best value seen at a point by more than the tolerance.
    ``finished`` is False if the budget ended first: the bounds still hold, they are only wider.
    """
    budget, progress = budget or Budget(), progress or Progress()
    started = time.monotonic()
    tree = BoxTree(region)
    kept: dict[int, NDArray] = {}
    fresh = [0]
    best, boxes = np.full(_measure_count(game), -np.inf), 0
    while fresh:
        lower, upper = tree.sides(fresh)
        boxes += len(fresh)
        values = _measures(leaf_bounds(game, lower, upper))
        middle = 0.5 * lower + 0.5 * upper
        best = np.maximum(best, _measures(leaf_bounds(game, middle, middle)).max(axis=0))
        kept.update(zip(fresh, values, strict=True))
        worst = np.max(np.abs(best[np.isfinite(best)]), initial=0.0)
        goal = best + tolerance * (worst if worst > 0 else 1.0)
        bad = [k for k, value in kept.items() if np.any(value > goal)]
        spent = time.monotonic() - started
        progress.update(min(boxes, budget.boxes), budget.boxes, f"{boxes} boxes, {len(bad)} still too coarse")
        if not bad or boxes + 2 * len(bad) > budget.boxes or spent > budget.seconds:
            break
        fresh = []
        for k in bad:
            del kept[k]
            fresh.extend(tree.split(k))
    top = np.max(np.array(list(kept.values())), axis=0)
    if not np.all(np.isfinite(top)):
        raise UnboundedDerivative("a second derivative stays unbounded on the region; shrink it or move it")
    return BoxBounds(_as_bounds(top, game.players), tree, boxes, not bad)


class UnboundedDerivative(ValueError):
    """The interval second derivatives are infinite somewhere in the region."""


def _measure_count(game: SmoothGame) -> int:
    return 2 * game.players + game.players**2


def _measures(bounds: LeafBounds) -> NDArray:
    """Everything as numbers whose maximum counts: -mu, ell and L, (n, 2 N + N²)."""
    n = len(bounds.mu)
    return np.concatenate([-bounds.mu, bounds.ell, bounds.couplings.reshape(n, -1)], axis=1)


def _as_bounds(top: NDArray, players: int) -> Bounds:
    mu, ell = -top[:players], top[players : 2 * players]
    couplings = top[2 * players :].reshape(players, players).copy()
    np.fill_diagonal(couplings, 0.0)
    return Bounds(mu, np.maximum(mu, ell), np.maximum(couplings, 0.0))


@dataclass(frozen=True, eq=False)
class SplitResult:
    """The tree, the leaves that pass the test, those that do not, and the number of boxes looked at."""

    tree: BoxTree
    passed: list[int]
    failed: list[int]
    boxes: int


def split_until(
    tree: BoxTree,
    test: Callable[[NDArray, NDArray], NDArray],
    budget: Budget,
    progress: Progress | None = None,
    start: Sequence[int] | None = None,
) -> SplitResult:
    """Halve every leaf on which ``test(lower, upper) -> (n,) bool`` is false, until all pass or the budget ends."""
    progress = progress or Progress()
    started, boxes = time.monotonic(), 0
    passed: list[int] = []
    fresh = list(tree.leaves() if start is None else start)
    while fresh:
        failed = []
        for at in range(0, len(fresh), CHUNK):
            chunk = fresh[at : at + CHUNK]
            if time.monotonic() - started > budget.seconds:
                return SplitResult(tree, passed, failed + fresh[at:], boxes)
            good = test(*tree.sides(chunk))
            boxes += len(chunk)
            passed += [k for k, ok in zip(chunk, good, strict=True) if ok]
            failed += [k for k, ok in zip(chunk, good, strict=True) if not ok]
            progress.update(min(boxes, budget.boxes), budget.boxes, f"{boxes} boxes, {len(failed)} not yet certified")
        if failed and boxes + 2 * len(failed) > budget.boxes:
            return SplitResult(tree, passed, failed, boxes)
        try:
            fresh = [half for k in failed for half in tree.split(k)]
        except ValueError:
            return SplitResult(tree, passed, failed, boxes)
    return SplitResult(tree, passed, [], boxes)


def leaf_margins(bounds: LeafBounds, w: NDArray) -> NDArray:
    """Return α(w) on each leaf, (n,): λ_min(sym(W^½ A W^−½)) in floats; -inf where unbounded."""
    root = np.sqrt(w)
    scaled = root[:, None] * bounds.couplings / root
    finite = np.all(np.isfinite(scaled), axis=(1, 2)) & np.all(np.isfinite(bounds.mu), axis=1)
    matrix = np.zeros_like(scaled)
    matrix[finite] = -0.5 * (scaled[finite] + scaled[finite].transpose(0, 2, 1))
    players = np.arange(len(w))
    matrix[:, players, players] += np.where(finite[:, None], bounds.mu, 0.0)
    return np.where(finite, np.linalg.eigvalsh(matrix)[:, 0], -np.inf)
