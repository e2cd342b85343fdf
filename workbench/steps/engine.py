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
from workbench.steps.measure import Measure
from workbench.steps.ranks import Ranks
from workbench.steps.snapshot import Snapshot

MODES = {
    "warn": "measure and say what would be done; change nothing",
    "cap": "shorten a step that is too long",
    "set": "give every step the length r_max",
    "refuse": "take back a step that is too long",
}
"""Mode → what it does."""
MEASURES = (*METHODS, "auto")


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
        self.measure = Measure(
            model,
            self.ranks,
            method=checks.choice("measure", measure, MEASURES),
            quantile=checks.real("quantile", quantile, exclusive_minimum=0, maximum=1),
            temperature=checks.real("temperature", temperature, exclusive_minimum=0),
            verify=bool(verify),
            reading=reading,
        )
        self.log = GuardLog(on_step)
        self.since_measured = 0
        self.names()

    def names(self) -> dict[nn.Parameter, str]:
        """Return the optimiser's parameters with their names in the model; all must belong to it."""
        owned = {parameter: name for name, parameter in self.model.named_parameters()}
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        strangers = sum(p not in owned for p in parameters)
        if strangers:
            raise ValueError(
                f"{strangers} of the optimiser's {len(parameters)} parameters do not belong to the model; "
                "pass the module that owns all of them"
            )
        if any(hasattr(p, "placements") for p in parameters) or any(
            type(m).__name__ == "FullyShardedDataParallel" for m in self.model.modules()
        ):
            raise ValueError(
                "the parameters are sharded over processes (FSDP): no process can repeat a forward on its own. Train "
                "with DistributedDataParallel, or guard a run that fits one device"
            )
        return {p: owned[p] for p in parameters}

    def gradients_are_finite(self) -> bool:
        """Return whether all gradients are finite on all ranks; raises ``ValueError`` if one has no gradient at all."""
        gradients = [p.grad for group in self.optimizer.param_groups for p in group["params"] if p.grad is not None]
        values = [_values(g) for g in gradients]
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

    def rescale(
        self,
        before: Snapshot,
        names: list[str],
        batches: Sequence[Any],
        goals: Sequence[Any],
        sample_ids: Any = None,
    ) -> None:
        """Measure along the update that was just made, decide by the mode, and note it.

        Raises whatever the measurement raises; then the caller puts ``before`` back.
        """
        update = before.update()
        length = float(self.ranks.gather([_length(update)]).max())  # one number on all ranks; NaN stays NaN
        if not math.isfinite(length):
            self.refuse(before, "update not finite")
            return
        if length == 0:
            self.log.add(0.0, 0.0, False, "no update")
            return
        measured = self.is_due()
        if measured:
            direction = {name: u / length for name, u in zip(names, update, strict=True)}
            start = dict(self.model.named_parameters()) | dict(zip(names, before.values, strict=True))
            try:
                found = self.measure(batches, goals, direction, start, length, self.log.radius)
            except NotFiniteError:
                self.refuse(before, "logits not finite")
                return
            sample = self._named(sample_ids, found.sample, found.rank)
            self.log.radius = found.radius
            self.log.bottleneck = (sample, found.position, found.rank, found.rising, found.falling)
        self.since_measured += 1
        self._decide(before, update, length, measured)

    def refuse(self, before: Snapshot | None, reason: str) -> None:
        """Put ``before`` back and note why; in mode "warn" only note it."""
        if self.mode == "warn":
            self.log.refuse(reason, taken=True)
            return
        if before is not None:
            before.restore()
        self.log.refuse(reason)

    def _decide(self, before: Snapshot, update: list[Tensor], length: float, measured: bool) -> None:
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
        before.move(factor, update)
        taken = length * factor
        if before.rounds:  # 16-bit parameters move by whole units of theirs, if at all
            taken = float(self.ranks.gather([_length(before.update())]).max())
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


def _length(update: list[Tensor]) -> float:
    """Return the Euclidean length over all tensors, accumulated in float64."""
    if not update:
        return 0.0
    wide = torch.float32 if update[0].device.type == "mps" else torch.float64
    lengths = [torch.linalg.vector_norm(torch.view_as_real(u) if u.is_complex() else u, dtype=wide) for u in update]
    return float(torch.stack([length.to(lengths[0].device) for length in lengths]).norm())
