"""What the guards share: measure an update that was just made, decide, scale it or take it back, and note it."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workbench import checks
from workbench.steps.guard_log import GuardLog, StepRecord
from workbench.steps.jvp import METHODS, NotFiniteError
from workbench.steps.measure import Batch, Measure, Measured, NotMeasuredError, Update
from workbench.steps.ranks import Ranks
from workbench.steps.sharded import checked_shards
from workbench.steps.snapshot import Room, Snapshot, averages, local

MODES = {
    "warn": "measure and say what would be done; change nothing",
    "cap": "shorten a step that is too long",
    "set": "give every step the length r_max",
    "refuse": "take back a step that is too long",
}
"""Mode → what it does."""
MEASURES = (*METHODS, "auto")
"""How the slopes of a step are found; "auto" takes the best that the model allows."""


class Engine:
    """The decision on one step, with the options of the guards already read; see :class:`workbench.steps.SafeStep`."""

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        *,
        r_max: float,
        quantile: float,
        every: int,
        measure: str,
        mode: str,
        temperature: float,
        group: Any,
        verify: bool,
        reading: Mapping[str, Any],
        on_step: Callable[[StepRecord], None] | None = None,
    ) -> None:
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise TypeError(f"optimizer must be a torch.optim.Optimizer, got {type(optimizer).__name__}")
        if not isinstance(model, nn.Module):
            raise TypeError(f"model must be a torch.nn.Module, got {type(model).__name__}")
        if on_step is not None and not callable(on_step):
            raise TypeError(f"on_step must be callable with a record, got {type(on_step).__name__}")
        self.optimizer, self.model = optimizer, model
        self.r_max = checks.real("r_max", r_max, exclusive_minimum=0)
        self.every = checks.integer("every", every, minimum=1)
        self.mode = checks.choice("mode", mode, tuple(MODES))
        self.ranks = Ranks(group, model)
        measure = checks.choice("measure", measure, MEASURES)
        self._sharded = checked_shards(model, measure, self.ranks.size)
        self.measure = Measure(
            model,
            self.ranks,
            method="replay" if self._sharded else measure,
            sharded=self._sharded,
            quantile=checks.real("quantile", quantile, exclusive_minimum=0, maximum=1),
            temperature=checks.real("temperature", temperature, exclusive_minimum=0),
            verify=bool(verify),
            reading=reading,
            keeps=not averages(optimizer),  # what switches parameters between the modes leaves no mark on them
        )
        self.log = GuardLog(on_step)
        self.since_measured = 0
        self._names: dict[nn.Parameter, str] = {}
        self._room, self._copies_all = Room(), self.ranks.size > 1
        self.names()

    def names(self) -> dict[nn.Parameter, str]:
        """Return the optimiser's parameters with their names in the model; all must belong to it."""
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        if len(parameters) == len(self._names) and all(p in self._names for p in parameters):
            return self._names
        owned = {parameter: name for name, parameter in self.model.named_parameters()}
        strangers = sum(p not in owned for p in parameters)
        if strangers:
            raise ValueError(
                f"{strangers} of the optimiser's {len(parameters)} parameters do not belong to the model; "
                "pass the module that owns all of them"
            )
        self._names = {p: owned[p] for p in parameters}
        return self._names

    def gradients_are_finite(self) -> bool:
        """Return whether all gradients are finite on all ranks; raises ``ValueError`` if one has no gradient at all."""
        gradients = [p.grad for group in self.optimizer.param_groups for p in group["params"] if p.grad is not None]
        values = [_values(local(g)) for g in gradients]
        # one norm is quicker than looking at every entry; it may overflow where no entry does
        finite = not values or math.isfinite(float(nn.utils.get_total_norm(values)))
        finite = finite or all(bool(torch.isfinite(v).all()) for v in values)
        missing, lost = self.ranks.gather([float(not gradients), float(not finite)]).any(axis=0)
        if missing:
            raise ValueError("no parameter of the optimiser has a gradient; call loss.backward() before the step")
        return not lost

    def is_due(self) -> bool:
        """Return whether the next step is measured, not only scaled by the last radius."""
        return self.since_measured % self.every == 0 or math.isnan(self.log.radius)

    def snapshot(self, *, with_state: bool, only: list[nn.Parameter] | None = None) -> tuple[Snapshot, list[str]]:
        """Return a copy of what the next step moves, or of a part of it, and the names of the parameters in it."""
        names = self.names()
        if only is not None:
            names = {p: name for p, name in names.items() if any(p is q for q in only)}
        with torch.no_grad():
            return Snapshot(self.optimizer, list(names), with_state=with_state, room=self._room), list(names.values())

    def enough(self) -> list[nn.Parameter] | None:
        """Return what must be copied before a step that will be left as it is; None for all that it moves.

        Where the training's own forward says the rest the last layer is enough, and nothing for a step that is not
        measured. The first step, which finds that layer, and ranks, which must agree, need everything.
        """
        if self._copies_all or not self.since_measured:
            return None
        return [] if self.since_measured % self.every else self.measure.enough()

    def rescale(
        self,
        before: Snapshot,
        names: list[str],
        batches: Sequence[Batch],
        sample_ids: Any = None,
    ) -> None:
        """Measure along the update that was just made, decide by the mode, and note it.

        Raises whatever the measurement raises; then the caller puts ``before`` back.
        """
        length = self._length(before)
        if not math.isfinite(length):
            self.refuse(before, "update not finite")
            return
        if length == 0:
            self.log.add(0.0, 0.0, False, "no update")
            return
        measured = self.is_due()
        if measured:
            found = self._measured(Update(before, names, length, self.model), batches)
            if found is None:
                self.refuse(before, "logits not finite")
                return
            sample = self._named(sample_ids, found.sample, found.rank)
            self.log.radius = found.radius
            self.log.bottleneck = (sample, found.position, found.rank, found.rising, found.falling)
        self.since_measured += 1
        self._decide(before, length, measured)

    def watch(self, before: Snapshot | None, names: list[str], batches: Sequence[Batch]) -> None:
        """Note r of a step of which only the last layer was copied: nothing can be changed, and no length is known.

        r is the widest change of a logit gap over π, whatever the length of the update.
        """
        measured = before is not None
        self.since_measured += 1
        if not measured:
            self.log.add_without_length(math.nan, "not measured")
            return
        try:
            found = self._measured(Update(before, names, 1.0, self.model, partial=True), batches)
        except NotMeasuredError:
            self._copies_all = True  # there is no other way with this model
            self.log.add_without_length(math.nan, "not measured")
            return
        if found is None:
            self.refuse(before, "logits not finite")
            return
        r = 1.0 / found.radius if found.radius > 0 else math.inf
        self.log.bottleneck = (found.sample, found.position, found.rank, found.rising, found.falling)
        self.log.add_without_length(r, "kept" if r <= self.r_max else "would be capped")

    def _measured(self, made: Update, batches: Sequence[Batch]) -> Measured | None:
        """Return the measurement, or None if logits or slopes are not finite."""
        try:
            return self.measure(batches, made, self.log.radius)
        except NotFiniteError:
            return None

    def _length(self, before: Snapshot) -> float:
        """Return the length of the update, one number on all ranks; NaN stays NaN."""
        whole, shards = before.lengths()
        if not self._sharded:
            return float(self.ranks.gather([whole]).max())
        table = self.ranks.gather([whole, shards])
        return float(np.hypot(table[:, 0].max(), np.linalg.norm(table[:, 1])))

    def refuse(self, before: Snapshot | None, reason: str) -> None:
        """Put ``before`` back and note why; in mode "warn" only note it."""
        if self.mode == "warn":
            self.log.refuse(reason, taken=True)
            return
        if before is not None:
            before.restore()
        self.log.refuse(reason)

    def _decide(self, before: Snapshot, length: float, measured: bool) -> None:
        radius = self.log.radius
        # constant slopes: nothing limits the step, nothing sets it
        factor = 1.0 if math.isinf(radius) else self.r_max * radius / length
        if self.mode != "set":
            factor = min(1.0, factor)
        if factor == 1.0 or self.mode == "warn":
            self.log.add(length, length, measured, "kept" if factor == 1.0 else "would be capped")
            return
        if self.mode == "refuse":
            before.restore()
            self.log.add(length, 0.0, measured, "refused: r above r_max")
            return
        before.move(factor)
        taken = length * factor
        if before.rounds:  # 16-bit parameters move by whole units of theirs, if at all
            taken = self._length(before)
        self.log.add(length, taken, measured, {"cap": "capped", "set": "set"}[self.mode])

    def _named(self, sample_ids: Any, sample: int, rank: int) -> int:
        """Return the caller's name of a sample, which only the rank that holds it knows."""
        if sample_ids is None:
            return sample
        named = np.asarray(sample_ids).reshape(-1)
        here = int(named[sample]) if sample < len(named) else -1
        return int(self.ranks.gather([float(here)])[rank, 0])

    def state(self) -> dict[str, Any]:
        """Return the radius in force and the log as plain numbers, lists and words."""
        return {"since_measured": self.since_measured, **self.log.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from :meth:`state`."""
        self.since_measured = int(state["since_measured"])
        self.log.restore(state)


def _values(gradient: Tensor) -> Tensor:
    return gradient.coalesce().values() if gradient.is_sparse else gradient
