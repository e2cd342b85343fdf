"""What a run will cost, told before it starts: to a visitor beside the Run button, to a terminal, to a sweep.

A room keeps its estimates in ``workbench/<room>/costs.py``: for each experiment one function of the same name, whose
parameters are those of the experiment's that the estimate reads. :func:`of` finds it and hands them over, defaults
included::

    # workbench/flows/costs.py
    def gradient_flow(x, n, steps, n_directions) -> Cost: ...

    >>> costs.of(flows.gradient_flow, "torus", "cube", steps=1000)      # doctest: +SKIP
    Cost(seconds=3.1, bytes=1224000.0)

Estimates are for two cores of an ordinary machine and good to a factor of two or three; what an estimate refuses (an
unknown name, a size past a limit) the experiment would refuse too.
"""

import importlib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from workbench import checks
from workbench.rooms import ROOMS

QUICK_SECONDS = 2.0
"""Up to here a run starts by itself whenever a parameter changes, and nothing is announced."""


@dataclass(frozen=True)
class Cost:
    """Estimated seconds on the reference machine (2 cores) and peak bytes of memory.

    >>> str(Cost(360, 4e9))
    'about 6 min, 4.0 GB'
    >>> 3 * Cost(1.0, 1e6)
    Cost(seconds=3.0, bytes=1000000.0)
    """

    seconds: float
    bytes: float = 0.0

    @property
    def is_quick(self) -> bool:
        """Whether the run may start by itself whenever a parameter changes."""
        return self.seconds <= QUICK_SECONDS

    def __add__(self, other: "Cost") -> "Cost":
        """Return the cost of one run after the other: times add up, the memory is that of the larger."""
        return Cost(self.seconds + other.seconds, max(self.bytes, other.bytes))

    def __rmul__(self, times: float) -> "Cost":
        """Return the cost of so many runs, one after the other."""
        return Cost(times * self.seconds, self.bytes)

    def __str__(self) -> str:
        parts = [f"about {duration(self.seconds)}"]
        if self.bytes >= 50 * 2**20:
            parts.append(size(self.bytes))
        return ", ".join(parts)


def total(costs: Iterable[Cost]) -> Cost:
    """Return the cost of several runs, one after the other."""
    return sum(costs, start=Cost(0.0))


def of(experiment: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Cost | None:
    """Return what ``experiment(*args, **kwargs)`` will cost; None if its room has no estimate for it.

    Raises ``TypeError`` for arguments that the experiment does not take, and whatever the estimate refuses.
    """
    estimate = estimate_for(experiment)
    if estimate is None:
        return None
    bound = inspect.signature(experiment).bind(*args, **kwargs)
    bound.apply_defaults()
    read = inspect.signature(estimate).parameters
    return estimate(**{name: value for name, value in bound.arguments.items() if name in read})


def estimate_for(experiment: Callable[..., Any]) -> Callable[..., Cost] | None:
    """Return the function of the room's ``costs`` that bears the experiment's name, None if there is none."""
    parts = experiment.__module__.split(".")
    if parts[0] != "workbench" or len(parts) < 2 or parts[1] not in ROOMS:
        return None
    name = f"workbench.{parts[1]}.costs"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None
    found = getattr(module, experiment.__name__, None)
    # The room's costs may hand on those of its families; what they import from elsewhere is no estimate.
    where = getattr(found, "__module__", "")
    is_estimate = inspect.isfunction(found) and where.startswith(f"workbench.{parts[1]}.") and where.endswith(".costs")
    return found if is_estimate else None


def check_memory(cost: Cost, what: str) -> None:
    """Raise ``ValueError`` if ``what`` would need more memory than is free; nothing has been allocated yet."""
    checks.memory(cost.bytes, what)


def duration(seconds: float) -> str:
    """Return seconds as a person says them: "0.4 s", "12 s", "6 min", "2.5 h"."""
    if seconds < 1:
        return f"{max(seconds, 0.1):.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """Return a number of bytes as "120 MB" or "4.0 GB"."""
    return f"{count / 1e6:.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"
