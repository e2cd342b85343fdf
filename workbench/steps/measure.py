"""The bound radius of a batch along an update, one and the same on all ranks: the engine of the guards."""

import functools
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workbench.steps.head import HeadInput, find_head, head_input
from workbench.steps.head_spreads import HeadSpread, KeptInputError, head_spreads, spreads_from_kept
from workbench.steps.jvp import ForwardModeError, Linearisation, NotFiniteError, TangentError, logits_and_slopes
from workbench.steps.passes import call, evaluation, unwrapped
from workbench.steps.ranks import Ranks
from workbench.steps.sharded import sharded_replay
from workbench.steps.snapshot import Snapshot

CHECK_EVERY = 50
"""Measurements from a kept input of the last layer between two of which that input is computed anew."""


class NotMeasuredError(RuntimeError):
    """Only the last layer was copied before a step, and that is not enough to measure it."""


@dataclass(frozen=True)
class Batch:
    """What the model was called with, the targets if they were given, and the last layer's input if it was kept."""

    inputs: Any
    targets: Tensor | None = None
    hidden: Tensor | None = None


@dataclass(frozen=True)
class Update:
    """A step that was just made: what was before it, the parameters' names, and its length."""

    before: Snapshot
    names: Sequence[str]
    length: float
    model: nn.Module
    partial: bool = False  # whether only the last layer was copied

    def direction(self, prefix: str) -> dict[str, Tensor]:
        """Return the unit vector along the step by name, without the ``prefix`` of a wrapper."""
        change = self.before.update()
        torch._foreach_div_(change, self.length)
        return {n.removeprefix(prefix): u for n, u in zip(self.names, change, strict=True)}

    def start(self, prefix: str) -> dict[str, Tensor]:
        """Return all parameters before the step by name."""
        values = dict(self.model.named_parameters())
        values.update(zip(self.names, self.before.values, strict=True))
        return {name.removeprefix(prefix): value for name, value in values.items()}


@dataclass(frozen=True)
class Measured:
    """A bound radius and the row with the widest slopes: its rank, sample, position and the classes that set it."""

    radius: float
    rank: int
    sample: int
    position: int
    rising: int
    falling: int


class Measure:
    """Measures ρ_a = πT/Δ over all micro-batches and ranks, Δ the ``quantile`` of the rows' spreads.

    ``method`` "auto" is exact until forward mode fails, then finite differences, and a warning says why. ``method``
    and ``reading`` (outputs, class_axis, logits, ignore_index, shift) as in
    :func:`workbench.steps.logits_and_slopes`; ``verify`` compares the first measurement with another one.
    """

    def __init__(
        self,
        model: nn.Module,
        ranks: Ranks,
        *,
        method: str,
        quantile: float,
        temperature: float,
        verify: bool,
        reading: Mapping[str, Any],
        sharded: bool = False,
        keeps: bool = True,
    ) -> None:
        self.model, self.ranks, self._sharded = model, ranks, sharded
        self.method, self._may_change = ("exact", True) if method == "auto" else (method, False)
        self.quantile, self.temperature, self._unverified = quantile, temperature, verify
        self.head: nn.Linear | bool | None = None  # the last layer; None until looked for, False if there is none
        self._good, self._until_check = keeps, 1  # whether kept inputs of the head are good; steps to the next check
        self.reading = dict(reading)

    def __call__(self, batches: Sequence[Batch], update: Update, last_radius: float = math.nan) -> Measured:
        """Measure along an update that was just made.

        ``last_radius`` helps finite differences to find their step.

        Raises :class:`NotFiniteError` on every rank if logits or slopes of one are not finite, and whatever a
        measurement raises, on every rank, so that none waits for another.
        """
        spreads, row, trouble = torch.empty(0), (-1,) * 4, None
        step = 0.02 * last_radius if math.isfinite(last_radius) and last_radius > 0 else None
        if self.method == "replay":
            step = update.length
        try:
            try:
                spreads, row = self._spreads(batches, update, step)
            except (ForwardModeError, TangentError) as error:
                if not self._may_change:
                    raise
                self.method, self._may_change = "finite-difference", False
                warnings.warn(f"the guard measures by finite differences from now on: {error}", stacklevel=6)
                spreads, row = self._spreads(batches, update, step)
        except Exception as error:  # told to all ranks, then raised
            trouble = error
        fatal = trouble is not None and not isinstance(trouble, NotFiniteError)
        widest = float(spreads.max()) if spreads.numel() else -1.0
        table = self.ranks.gather([float(fatal), float(trouble is not None), float(spreads.numel()), widest, *row])
        if trouble is not None and (fatal or not table[:, 0].any()):
            raise trouble
        if table[:, 0].any():
            failed = int(table[:, 0].argmax())
            raise RuntimeError(f"the measurement failed on rank {failed}, which says why; no rank takes the step")
        if table[:, 1].any():
            raise NotFiniteError(f"the logits or slopes on rank {int(table[:, 1].argmax())} are NaN or infinite")
        if not table[:, 2].any():
            raise ValueError("every position of the batch is ignored; there is nothing to measure")
        rank = int(table[:, 3].argmax())
        delta = float(table[rank, 3]) if self.quantile == 1 else self.ranks.quantile(spreads, self.quantile)
        radius = math.pi * self.temperature / delta if delta > 0 else math.inf
        self._unverified = False
        return Measured(radius, rank, *(int(entry) for entry in table[rank, 4:]))

    @property
    def keeps(self) -> bool:
        """Whether what the training gives to the last layer is of use."""
        return self._good and self.method == "replay"

    def enough(self) -> list[nn.Parameter] | None:
        """Return the parameters whose old values are all that the next measurement needs, or None for all of them."""
        if not (self.keeps and isinstance(self.head, nn.Linear)) or self._until_check == 1:
            return None  # a check of what was kept runs the model with its old parameters
        return [p for p in (self.head.weight, self.head.bias) if p is not None]

    def _spreads(self, batches: Sequence[Batch], update: Update, step: float | None) -> tuple[Tensor, tuple[int, ...]]:
        """Return the spreads of all rows of this rank, and sample, position, rising and falling class of the widest."""
        spreads, best, widest, offset = [], (-1,) * 4, -1.0, 0
        for batch in batches:
            found = self._one(batch, update, step, verify=self._unverified and offset == 0)
            spreads.append(found.spread)
            if found.sample.numel():
                most, k = (float(v) for v in found.spread.max(dim=0))
                if most > widest:
                    widest, k = most, int(k)
                    best = (int(found.sample[k]) + offset, int(found.position[k]), *found.extremes(k))
            offset += found.samples
        return torch.cat(spreads), best

    def _one(self, batch: Batch, update: Update, step: float | None, *, verify: bool) -> Linearisation | HeadSpread:
        inner, prefix = unwrapped(self.model)
        reads = {key: self.reading.get(key) for key in ("shift", "ignore_index")}
        reads |= {"targets": batch.targets, "length": update.length}
        fast = {"widest_only": self.quantile == 1}
        short = isinstance(self.head, nn.Linear) and self.method != "finite-difference"
        if short and self.keeps and batch.hidden is not None:
            self._until_check = (self._until_check or CHECK_EVERY) - 1
            check = None
            if self._until_check == 0 and update.partial:
                self._until_check = 1
            elif self._until_check == 0:
                check = functools.partial(_input_at, inner, self.head, batch.inputs, update.start(prefix))
            try:
                old = update.before.old
                return spreads_from_kept(
                    inner, self.head, batch.inputs, batch.hidden, old, check=check, **reads, **fast
                )
            except KeptInputError:
                self._good = False
                warnings.warn(
                    "the guard runs the model twice at each measured step from now on: what the training's forward "
                    "gave to the last layer is not what a pass in eval mode gives (dropout, batch statistics)",
                    stacklevel=8,
                )
        if update.partial:
            raise NotMeasuredError
        if self._sharded:
            return sharded_replay(inner, batch.inputs, batch.targets, update.before, update.length, self.reading)
        direction, start = update.direction(prefix), update.start(prefix)
        if short:
            return head_spreads(inner, self.head, batch.inputs, self.method, direction, start, **reads, **fast)
        found = logits_and_slopes(
            inner,
            batch.inputs,
            direction,
            method=self.method,
            targets=batch.targets,
            parameters=start,
            step=step,
            verify=verify,
            **self.reading,
        )
        if self.head is None and self.method != "finite-difference":
            self.head, again = self._looked_for(inner, batch.inputs, direction, start, found, reads)
            return again
        return found

    def _looked_for(
        self,
        model: nn.Module,
        inputs: Any,
        direction: Mapping[str, Tensor],
        start: Mapping[str, Tensor],
        found: Linearisation,
        reads: dict[str, Any],
    ) -> tuple[nn.Linear | bool, Linearisation | HeadSpread]:
        """Return the last linear layer and a measurement at its input, if that says what the whole logits said."""
        if self.reading.get("class_axis", -1) != -1 or self.reading.get("outputs") == "binary":
            return False, found
        if not found.sample.numel():
            return False, found
        with evaluation(model):
            head = find_head(model, lambda: call(model, inputs, start), self.reading.get("logits"))
        if head is None:
            return False, found
        try:
            again = head_spreads(model, head, inputs, self.method, direction, start, **reads)
        except (RuntimeError, ValueError):
            return False, found
        same = again.samples == found.samples and again.sample.equal(found.sample)
        same = same and again.position.equal(found.position)
        apart = (again.spread - found.spread.to(again.spread)).abs().max() if same else math.inf
        narrow = torch.finfo(found.slopes.dtype).bits < 32
        agrees = apart <= (0.05 if narrow else 2e-3) * found.spread.max()
        return (head, again) if agrees else (False, found)


def _input_at(model: nn.Module, head: nn.Linear, inputs: Any, parameters: Mapping[str, Tensor]) -> HeadInput:
    with evaluation(model), torch.autocast(head.weight.device.type, enabled=False):
        return head_input(head, lambda: call(model, inputs, parameters))
