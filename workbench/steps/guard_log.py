"""What a guarded optimiser did at each step, as records while it runs and as a Dataset afterwards."""

import json
import math
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr

import workbench
from workbench import results

COLUMNS = {
    "update_norm": ("length of the optimiser's update", "τ", float),
    "radius": ("bound radius along the update", "τ", float),
    "r_proposed": ("r of the optimiser's update", "1", float),
    "r_taken": ("r of the step taken", "1", float),
    "engaged": ("whether the guard changed the step", "1", bool),
    "measured": ("whether the radius was measured at this step", "1", bool),
    "sample": ("bottleneck sample", "1", int),
    "position": ("bottleneck position in the sequence", "1", int),
    "rank": ("rank that holds the bottleneck sample", "1", int),
    "outcome": ("what was done", "1", str),
}
"""Field of a record → long name, units and type of its variable."""


PATIENCE = 10
"""Refused steps in a row after which the log warns."""


@dataclass(frozen=True)
class StepRecord:
    """What happened at one step; the fields are those of ``COLUMNS``."""

    update_norm: float
    radius: float
    r_proposed: float
    r_taken: float
    engaged: bool
    measured: bool
    sample: int
    position: int
    rank: int
    outcome: str

    @property
    def refused(self) -> bool:
        """Whether the step was not taken."""
        return self.outcome.startswith("refused")


class GuardLog:
    """The records of all steps so far, the bound radius in force, and the row that set it."""

    def __init__(self) -> None:
        self.radius = math.nan
        self.bottleneck = (-1, -1, 0)
        self._records: list[StepRecord] = []

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[StepRecord]:
        return iter(self._records)

    @property
    def engaged(self) -> bool:
        """Whether the last step was changed."""
        return bool(self._records) and self._records[-1].engaged

    def add(self, length: float, taken: float, measured: bool, outcome: str) -> None:
        """Note a step: the optimiser's update of ``length`` became one of length ``taken``."""
        engaged = outcome in ("capped", "set")
        numbers = (length, self.radius, self._in_radii(length), self._in_radii(taken))
        self._records.append(StepRecord(*numbers, engaged, measured, *self.bottleneck, outcome))

    def refuse(self, reason: str) -> None:
        """Note a step that was not taken."""
        numbers = (math.nan, self.radius, math.nan, 0.0)
        self._records.append(StepRecord(*numbers, False, False, *self.bottleneck, f"refused: {reason}"))
        last = self._records[-PATIENCE:]
        before = self._records[-PATIENCE - 1 : -PATIENCE]
        if len(last) == PATIENCE and all(r.refused for r in last) and not (before and before[0].refused):
            warnings.warn(
                f"the guard has refused {PATIENCE} steps in a row, the last one for: {reason}. The model does not "
                "change; look at the loss, the data and the log's outcome",
                RuntimeWarning,
                stacklevel=4,
            )

    def _in_radii(self, length: float) -> float:
        if length == 0:
            return 0.0
        return length / self.radius if self.radius > 0 else math.inf

    def dataset(self, options: dict[str, Any]) -> xr.Dataset:
        """Return all records over ``step``; ``options`` become the recorded parameters."""
        variables = {
            name: (("step",), np.array([getattr(r, name) for r in self._records], dtype=kind), long_name, units)
            for name, (long_name, units, kind) in COLUMNS.items()
        }
        steps = (("step",), np.arange(len(self._records)), "training step")
        attrs = {
            "function": "workbench.steps.SafeStep",
            "parameters": json.dumps(results.describe(options)),
            "seed": "none",
            "version": workbench.__version__,
            "seconds": 0.0,
        }
        return results.validate(results.dataset(variables, {"step": steps}, attrs))

    def state(self) -> dict[str, Any]:
        """Return everything as plain numbers, lists and words."""
        return {
            "radius": self.radius,
            "bottleneck": list(self.bottleneck),
            "records": [asdict(record) for record in self._records],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state`."""
        self._records = [
            StepRecord(**{"rank": 0, **record}) for record in state["records"]
        ]  # rank: not in older states
        sample, position, rank = (int(entry) for entry in (*state["bottleneck"], 0)[:3])
        self.radius, self.bottleneck = float(state["radius"]), (sample, position, rank)
