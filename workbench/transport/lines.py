"""Transport along many directions at once: checked clouds in, costs and gradients out, on all cores.

``dtype=float32`` runs the fused kernel (``kernel.py``); ``dtype=float64`` runs plain NumPy sorting, slower and
accurate to rounding error, for tests and for whoever needs the last digits.

Directions are dealt to at most ``MOST_PARTS`` parts whose number depends on the problem only, and the parts are added
in their order, so the result does not depend on the number of threads.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.parallel import available_cores
from workbench.transport import double, single
from workbench.transport.measures import Cloud, Floats, in_one_unit, rescaled

MOST_PARTS = 16
WORK_PER_PART = 200_000
WORTH_A_MEMORY_CHECK = 2**26


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
    O(n L) time (a radix sort) and O(n) memory per part in float32; O(n log n · L) time in float64. Raises
    ``ValueError`` if a cost exceeds the largest number.

    >>> from workbench.transport.measures import prepare_pair
    >>> x, y = prepare_pair([[0.0, 0.0], [1.0, 0.0]], [[3.0, 0.0], [4.0, 0.0]])
    >>> transport(x, y, np.eye(2), np.full(2, 0.5)).costs.round(5).tolist()
    [9.0, 0.0]
    """
    x, y, unit = in_one_unit(x, y)
    is_single = x.coordinates.dtype == np.float32
    parts = _parts(len(directions), max(x.n, y.n))
    if is_single:
        _check_memory(x, y, min(len(parts), MOST_PARTS), want_x, want_y)
    run_part = single.run_part if is_single else double.run_part

    def run(part: slice) -> tuple[Floats, Floats | None, Floats | None]:
        return run_part(x, y, directions[part], weights[part], power, want_x, want_y)

    _ = x.radius, y.radius  # computed once, before threads ask for them
    costs, gradient_x, gradient_y = [], None, None
    for cost, part_x, part_y in _in_order(run, parts, threads):
        costs.append(cost)
        gradient_x = _added(gradient_x, part_x)
        gradient_y = _added(gradient_y, part_y)
    return Transport(
        rescaled("the cost along a direction", np.concatenate(costs), power * unit),
        rescaled("the gradient", x.restore(gradient_x), (power - 1) * unit) if want_x else None,
        rescaled("the gradient", y.restore(gradient_y), (power - 1) * unit) if want_y else None,
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
    return ThreadPoolExecutor(threads, thread_name_prefix="transport")


def _check_memory(x: Cloud, y: Cloud, parts: int, want_x: bool, want_y: bool) -> None:
    running = min(parts, available_cores())
    scratch = 4 * 8 * (x.n + y.n) * running
    gradients = 4 * x.dim * (want_x * x.n + want_y * y.n) * parts
    if scratch + gradients > WORTH_A_MEMORY_CHECK:  # asking how much is free takes longer than a small step
        checks.memory(scratch + gradients, f"transport between {x.n} and {y.n} points")
