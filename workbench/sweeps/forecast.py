"""How long a sweep will take, from what its room says of the experiment's cost: told before it starts.

Estimates are those of :mod:`workbench.costs`, for an ordinary machine and good to a factor of two or three; a function
of another package has none.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from workbench import costs
from workbench.checks import integer
from workbench.costs import Cost
from workbench.sweeps.experiments import Function, find
from workbench.sweeps.grid import Grid, axes_and_fixed

MOST_ASKED = 500
"""Cells that are asked for their cost one by one; in larger grids every so many stand for those around them."""


def cost(function: Function | str, grid: Grid, *, repeats: int = 1, workers: int = 1) -> Cost | None:
    """Return the estimated time and memory of a whole grid on ``workers`` processes; None where nothing is known.

    ``function``, ``grid`` and ``repeats`` are those of :func:`workbench.sweeps.sweep`. Cells whose parameters the
    experiment would refuse cost nothing. Cost of asking: a tenth of a second.

    >>> str(cost("fisher.ising_curvature", {"L": [32, 64], "J": [0.40, 0.44, 0.48]}, repeats=10))
    'about 11 s, 367 MB'
    """
    function = find(function) if isinstance(function, str) else function
    repeats, workers = integer("repeats", repeats, minimum=1), integer("workers", workers, minimum=1)
    axes, fixed = axes_and_fixed(grid)
    count = math.prod(len(values) for values in axes.values())
    points = itertools.product(*axes.values())
    step = math.ceil(count / MOST_ASKED)
    calls = [fixed | dict(zip(axes, point, strict=True)) for point in itertools.islice(points, 0, None, step)]
    known = _asked(function, calls)
    if known is None:
        return None
    seconds = repeats * count * sum(one.seconds for one in known) / max(len(known), 1)
    memory = min(workers, count * repeats) * max((one.bytes for one in known), default=0.0)
    return Cost(seconds / min(workers, max(count * repeats, 1)), memory)


def seconds_of(function: Function, calls: Sequence[Mapping[str, Any]]) -> list[float] | None:
    """Return the estimated seconds of each call, at least a millisecond; None where nothing is known."""
    step = max(1, math.ceil(len(calls) / MOST_ASKED))
    known = _asked(function, calls[::step])
    return None if known is None else [max(known[k // step].seconds, 1e-3) for k in range(len(calls))]


def sentence(seconds: float, left: int, total: int, workers: int) -> str:
    """Say what there is to do: "1,054 cells, 800 of them finished before; the others: about 2 min on 2 workers"."""
    done = f", {total - left:,} of them finished before; the others" if left < total else ""
    where = f" on {workers} workers" if workers > 1 else ""
    time = costs.duration(seconds / max(min(workers, left), 1))
    return f"{total:,} cell{'s' * (total != 1)}{done}: about {time}{where}"


def _asked(function: Function, calls: Iterable[Mapping[str, Any]]) -> list[Cost] | None:
    if costs.estimate_for(function) is None:
        return None
    return [_cost_of(function, call) for call in calls]


def _cost_of(function: Callable[..., Any], call: Mapping[str, Any]) -> Cost:
    try:
        return costs.of(function, **call) or Cost(0.0)
    except (ValueError, TypeError, LookupError):  # the experiment refuses it too, and the sweep records that
        return Cost(0.0)
