"""What a guarded optimiser did at each step, as records while it runs and as a Dataset afterwards."""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr

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
    "rising": ("class whose logit rises most there", "1", int),
    "falling": ("class whose logit falls most there", "1", int),
    "outcome": ("what was done", "1", str),
}
"""Field of a record → long name, units and type of its variable."""

PATIENCE = 10
"""Refused steps in a row after which the log warns."""
LONGEST = 4096
"""Records kept; beyond, of two neighbours in the older half the one of smaller r is dropped."""


@dataclass(frozen=True)
class StepRecord:
    """What happened at one step: its number and the fields of ``COLUMNS``."""

    update_norm: float
    radius: float
    r_proposed: float
    r_taken: float
    engaged: bool
    measured: bool
    sample: int
    position: int
    rank: int
    rising: int
    falling: int
    outcome: str
    step: int

    @property
    def refused(self) -> bool:
        """Whether the step was not taken."""
        return self.outcome.startswith("refused")

    @property
    def severity(self) -> float:
        """r as proposed; a step that has none because something was not finite was worse than any."""
        if math.isnan(self.r_proposed):
            return -1.0 if self.outcome == "not measured" else math.inf
        return self.r_proposed


OLDER = {"rank": 0, "rising": -1, "falling": -1}
"""Fields that records of older versions lack."""


class GuardLog:
    """The records of the steps so far, the bound radius in force, and the row that set it.

    Short runs are kept whole. Of long ones ``LONGEST`` records stay, thinned where they are old; ``counts`` and
    ``worst`` are of all steps. ``on_step`` is called with every record.
    """

    def __init__(self, on_step: Callable[[StepRecord], None] | None = None) -> None:
        self.radius = math.nan
        self.bottleneck = (-1, -1, 0, -1, -1)
        self.worst: StepRecord | None = None
        self.counts: dict[str, int] = {}
        self._steps = self._refused_in_a_row = 0
        self._records: list[StepRecord] = []
        self._on_step = on_step

    def __len__(self) -> int:
        return self._steps

    def __iter__(self) -> Iterator[StepRecord]:
        return iter(self._records)

    @property
    def last(self) -> StepRecord | None:
        """The last step, if there was one."""
        return self._records[-1] if self._records else None

    @property
    def engaged(self) -> bool:
        """Whether the last step was changed."""
        return bool(self._records) and self._records[-1].engaged

    @property
    def refused(self) -> bool:
        """Whether the last step was taken back."""
        return bool(self._records) and self._records[-1].refused

    def add(self, length: float, taken: float, measured: bool, outcome: str) -> None:
        """Note a step: the optimiser's update of ``length`` became one of length ``taken``."""
        engaged = taken != length
        numbers = (length, self.radius, self._in_radii(length), self._in_radii(taken))
        self._note(StepRecord(*numbers, engaged, measured, *self.bottleneck, outcome, self._steps))

    def add_without_length(self, r: float, outcome: str) -> None:
        """Note a step that was left as it was, and whose length nobody has measured; r is NaN if that neither."""
        numbers = (math.nan, math.nan, r, r)
        self._note(StepRecord(*numbers, False, not math.isnan(r), *self.bottleneck, outcome, self._steps))

    def refuse(self, reason: str, *, taken: bool = False) -> None:
        """Note a step that was not taken, or would not have been if it had been the guard's to say."""
        numbers = (math.nan, self.radius, math.nan, math.nan if taken else 0.0)
        outcome = f"would be refused: {reason}" if taken else f"refused: {reason}"
        self._note(StepRecord(*numbers, False, False, *self.bottleneck, outcome, self._steps))

    def skip(self, outcome: str) -> None:
        """Note a step that the training itself left out."""
        self._note(StepRecord(0.0, self.radius, 0.0, 0.0, False, False, *self.bottleneck, outcome, self._steps))

    def _note(self, record: StepRecord) -> None:
        self._steps += 1
        self._records.append(record)
        self.counts[record.outcome] = self.counts.get(record.outcome, 0) + 1
        if record.outcome not in ("no update", "not measured") and (
            self.worst is None or record.severity > self.worst.severity
        ):
            self.worst = record
        if len(self._records) > LONGEST:
            self._records = _thinned(self._records)
        self._refused_in_a_row = self._refused_in_a_row + 1 if record.refused else 0
        if self._on_step is not None:
            self._on_step(record)
        if self._refused_in_a_row == PATIENCE:
            warnings.warn(
                f"the guard has refused {PATIENCE} steps in a row, the last one for: "
                f"{record.outcome.removeprefix('refused: ')}. The model does not change; look at the loss, the data "
                "and the log's outcome",
                RuntimeWarning,
                stacklevel=4,
            )

    def _in_radii(self, length: float) -> float:
        if length == 0:
            return 0.0
        return length / self.radius if self.radius > 0 else math.inf

    def dataset(self, function: str, options: dict[str, Any]) -> xr.Dataset:
        """Return all records over ``step``; ``function`` made them, ``options`` become the recorded parameters."""
        variables = {
            name: (("step",), np.array([getattr(r, name) for r in self._records], dtype=kind), long_name, units)
            for name, (long_name, units, kind) in COLUMNS.items()
        }
        steps = (("step",), np.array([r.step for r in self._records], dtype=int), "training step")
        return results.validate(results.stamp(results.dataset(variables, {"step": steps}), function, options))

    def state(self) -> dict[str, Any]:
        """Return everything as plain numbers, lists and words."""
        return {
            "radius": self.radius,
            "bottleneck": list(self.bottleneck),
            "records": [asdict(record) for record in self._records],
            "steps": self._steps,
            "counts": dict(self.counts),
            "worst": None if self.worst is None else asdict(self.worst),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from :meth:`state`, also from one of an older version, which held every step."""
        self._records = [StepRecord(**{**OLDER, "step": k, **r}) for k, r in enumerate(state["records"])]
        self.radius = float(state["radius"])
        given = [int(entry) for entry in state["bottleneck"]]
        self.bottleneck = (*given, *(-1, -1, 0, -1, -1)[len(given) :])
        self._steps = int(state.get("steps", len(self._records)))
        outcomes = [r.outcome for r in self._records]
        self.counts = dict(state.get("counts", {word: outcomes.count(word) for word in set(outcomes)}))
        worst = state.get("worst")
        self.worst = StepRecord(**worst) if worst else max(self._records, key=lambda r: r.severity, default=None)


def in_words(worst: StepRecord, rows: int | None, r_max: float) -> str:
    """Return one sentence on the worst step: where it came from and what was done."""
    if worst.outcome.removeprefix("would be ").startswith("refused:") and worst.severity == math.inf:
        return f"Step {worst.step} was the worst: {worst.outcome}."
    where = f"sample {worst.sample}" + (f", position {worst.position}" if worst.position > 0 else "")
    sampled = f" (of {rows} samples measured)" if rows is not None else ""
    taken = "" if math.isnan(worst.r_taken) else f", r taken {worst.r_taken:.3g}"
    return (
        f"Step {worst.step} was the worst: the update was {worst.r_proposed:.3g} safe radii long, set by {where}"
        f"{sampled}, where class {worst.rising} rises against class {worst.falling}; outcome: {worst.outcome}"
        f"{taken} (r_max {r_max:g})."
    )


def _thinned(records: list[StepRecord]) -> list[StepRecord]:
    """Return the newer half as it is, and of each pair of neighbours in the older half the one of larger r."""
    old, new = records[: len(records) // 2], records[len(records) // 2 :]
    pairs = [old[k : k + 2] for k in range(0, len(old), 2)]
    return [max(pair, key=lambda r: r.severity) for pair in pairs] + new
