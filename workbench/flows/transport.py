"""Transport along many directions at once: checked clouds in, costs and gradients out, on all cores.

``dtype=float32`` runs the fused kernel (``kernel.py``); ``dtype=float64`` runs plain NumPy sorting, slower and
accurate to rounding error, for tests and for whoever needs the last digits.

Directions are dealt to at most ``MOST_PARTS`` parts whose number depends on the problem only, and the parts are added
in their order, so the result does not depend on the number of threads.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks

Floats = NDArray[np.floating]
MOST_PARTS = 16
WORK_PER_PART = 200_000
WORTH_A_MEMORY_CHECK = 2**26
RADIUS_SLACK = np.float32(1.00001)


@dataclass(frozen=True)
class Cloud:
    """A checked cloud, centred on its mean: ``coordinates`` (d, n), ``masses`` (n,) summing to 1 or None if equal.

    Atoms of zero weight are left out; ``kept`` holds the indices of the others among the ``size`` given.
    """

    centre: NDArray[np.float64]
    coordinates: Floats
    masses: NDArray[np.float64] | None
    kept: NDArray[np.intp] | None
    size: int

    @property
    def dim(self) -> int:
        """The number of axes."""
        return self.coordinates.shape[0]

    @property
    def n(self) -> int:
        """The number of atoms with positive weight."""
        return self.coordinates.shape[1]

    @property
    def all_masses(self) -> NDArray[np.float64]:
        """The masses, written out: (n,), summing to 1."""
        return np.full(self.n, 1 / self.n) if self.masses is None else self.masses

    @cached_property
    def radius(self) -> np.float32:
        """A bound on the absolute value of every projection of the centred cloud, safe against rounding.

        In float64, where the squares of small float32 coordinates do not vanish.
        """
        squared = np.zeros(self.n)
        for axis in self.coordinates:
            squared += np.square(axis, dtype=np.float64)
        return np.float32(np.sqrt(squared.max())) * RADIUS_SLACK

    def restore(self, gradient: Floats) -> NDArray[np.float64]:
        """Return a (d, n) gradient as (size, d), with zeros for atoms of zero weight."""
        if self.kept is None:
            return np.ascontiguousarray(gradient.T, dtype=np.float64)
        full = np.zeros((self.size, self.dim))
        full[self.kept] = gradient.T
        return full


def points(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return ``value`` as a finite ``(n, d)`` array with at least one point and one axis."""
    return checks.finite_array(name, value, ndim=2)


def masses(name: str, value: ArrayLike | None, n: int) -> NDArray[np.float64] | None:
    """Return weights normalised to sum 1, or None if there are none; negative or zero-sum weights are refused."""
    if value is None:
        return None
    weights = checks.finite_array(name, value, ndim=1)
    if len(weights) != n:
        raise ValueError(f"{name} has {len(weights)} entries for {n} points; give one weight per point")
    if weights.min() < 0:
        raise ValueError(f"{name} holds negative weights (smallest {weights.min():g}); weights must be at least 0")
    total = weights.sum()
    if not 0 < total < np.inf:
        raise ValueError(f"{name} must have a positive, finite sum, got {total:g}")
    return weights / total


def prepare(
    name: str, value: ArrayLike, weights: ArrayLike | None = None, dtype: type[np.floating] = np.float32
) -> Cloud:
    """Check a cloud and its weights and put it in the form of the kernel."""
    array = points(name, value)
    shares = masses(f"{name}_weights", weights, len(array))
    size, kept = len(array), None
    if shares is not None and not shares.all():
        kept = np.flatnonzero(shares)
        array, shares = array[kept], shares[kept]
    if shares is not None and shares.min() == shares.max():
        shares = None
    rows = np.ascontiguousarray(array.T)
    centre = rows.mean(axis=1) if shares is None else rows @ shares
    coordinates = np.empty(rows.shape, dtype)
    with np.errstate(over="ignore"):
        np.subtract(rows, centre[:, None], out=coordinates, casting="unsafe")
        extent = np.square(np.abs(coordinates).max())
    if not np.isfinite(extent) or not np.isfinite(centre).all():
        raise ValueError(f"{name} has coordinates too large for {np.dtype(dtype)}; rescale the cloud")
    return Cloud(centre, coordinates, shares, kept, size)


def check_same_dim(x: Cloud, y: Cloud) -> None:
    """Refuse two clouds that live in spaces of different dimension."""
    if x.dim != y.dim:
        raise ValueError(f"x lies in {x.dim} dimensions and y in {y.dim}; both clouds need the same number of columns")


@dataclass(frozen=True)
class Transport:
    """Costs W_p^p per direction (L,), and Σ_l w_l ∂cost_l/∂points for the clouds that were asked for."""

    costs: NDArray[np.float64]
    gradient_x: NDArray[np.float64] | None
    gradient_y: NDArray[np.float64] | None


def transport(
    x: Cloud,
    y: Cloud,
    directions: NDArray[np.float64],
    weights: NDArray[np.float64],
    *,
    power: int = 2,
    want_x: bool = False,
    want_y: bool = False,
    threads: int | None = None,
) -> Transport:
    """Match the two clouds along every direction.

    ``directions`` (L, d) are unit vectors, ``weights`` (L,) the factors of the costs in the gradient. Costs
    O(n L) time (a radix sort) and O(n) memory per part in float32; O(n log n · L) time in float64.
    """
    single = x.coordinates.dtype == np.float32
    parts = _parts(len(directions), max(x.n, y.n))
    if single:
        _check_memory(x, y, min(len(parts), MOST_PARTS), want_x, want_y)
        from workbench.flows.fused import run_part
    else:
        from workbench.flows.accurate import run_part

    def run(part: slice) -> tuple[Floats, Floats | None, Floats | None]:
        return run_part(x, y, directions[part], weights[part], power, want_x, want_y)

    _ = x.radius, y.radius  # computed once, before threads ask for them
    costs, gradient_x, gradient_y = [], None, None
    for cost, part_x, part_y in _in_order(run, parts, threads):
        costs.append(cost)
        gradient_x = _added(gradient_x, part_x)
        gradient_y = _added(gradient_y, part_y)
    return Transport(
        np.concatenate(costs),
        x.restore(gradient_x) if want_x else None,
        y.restore(gradient_y) if want_y else None,
    )


def _parts(n_directions: int, n: int) -> list[slice]:
    """Deal the directions to a power of two of parts, each with enough work to be worth a thread."""
    number = 1
    while number < min(MOST_PARTS, n_directions) and n_directions * n >= 2 * number * WORK_PER_PART:
        number *= 2
    edges = np.linspace(0, n_directions, min(number, n_directions) + 1).astype(int)
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]


def _in_order(run, parts: list[slice], threads: int | None) -> Iterator:
    """Yield ``run(part)`` in the order of the parts, computed on ``threads`` threads (default: all cores)."""
    number = available_cores() if threads is None else checks.integer("threads", threads, minimum=1)
    if number == 1 or len(parts) == 1:
        yield from map(run, parts)
        return
    waiting = [_pool(number).submit(run, part) for part in parts]
    waiting.reverse()
    while waiting:
        yield waiting.pop().result()  # popped, so that a part's memory is free once it is added


def _added(total: Floats | None, part: Floats | None) -> Floats | None:
    if total is None or part is None:
        return part
    total += part
    return total


@lru_cache(maxsize=8)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="flows")


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check_memory(x: Cloud, y: Cloud, parts: int, want_x: bool, want_y: bool) -> None:
    running = min(parts, available_cores())
    scratch = 4 * 8 * (x.n + y.n) * running
    gradients = 4 * x.dim * (want_x * x.n + want_y * y.n) * parts
    if scratch + gradients > WORTH_A_MEMORY_CHECK:  # asking how much is free takes longer than a small step
        checks.memory(scratch + gradients, f"transport between {x.n} and {y.n} points")
