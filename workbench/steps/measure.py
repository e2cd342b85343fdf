"""The bound radius of a batch along an update, one and the same on all ranks: the engine of the guards."""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workbench.steps.jvp import ForwardModeError, NotFiniteError, TangentError, logits_and_slopes
from workbench.steps.ranks import Ranks


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
    ) -> None:
        self.model, self.ranks = model, ranks
        self.method, self._may_change = ("exact", True) if method == "auto" else (method, False)
        self.quantile, self.temperature, self._unverified = quantile, temperature, verify
        self._reading = dict(reading)

    def __call__(
        self,
        batches: Sequence[Any],
        targets: Sequence[Tensor | None],
        direction: Mapping[str, Tensor],
        start: Mapping[str, Tensor],
        length: float,
        last_radius: float = math.nan,
    ) -> Measured:
        """Measure along ``direction`` from the parameters ``start``, for a step of ``length``.

        ``last_radius`` helps finite differences to find their step.

        Raises :class:`NotFiniteError` on every rank if logits or slopes of one are not finite, and whatever a
        measurement raises, on every rank, so that none waits for another.
        """
        spreads, row, trouble = torch.empty(0), (-1,) * 4, None
        step = 0.02 * last_radius if math.isfinite(last_radius) and last_radius > 0 else None
        if self.method == "replay":
            step = length
        try:
            try:
                spreads, row = self._spreads(batches, targets, direction, start, step)
            except (ForwardModeError, TangentError) as error:
                if not self._may_change:
                    raise
                self.method, self._may_change = "finite-difference", False
                warnings.warn(f"the guard measures by finite differences from now on: {error}", stacklevel=6)
                spreads, row = self._spreads(batches, targets, direction, start, step)
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

    def _spreads(
        self,
        batches: Sequence[Any],
        targets: Sequence[Tensor | None],
        direction: Mapping[str, Tensor],
        start: Mapping[str, Tensor],
        step: float | None,
    ) -> tuple[Tensor, tuple[int, ...]]:
        """Return the spreads of all rows of this rank, and sample, position, rising and falling class of the widest."""
        spreads, best, widest, offset = [], (-1,) * 4, -1.0, 0
        for batch, goal in zip(batches, targets, strict=True):
            found = logits_and_slopes(
                self.model,
                batch,
                direction,
                method=self.method,
                targets=goal,
                parameters=start,
                step=step,
                verify=self._unverified and offset == 0,
                **self._reading,
            )
            spreads.append(found.spread)
            if found.sample.numel():
                k = int(spreads[-1].argmax())
                if float(spreads[-1][k]) > widest:
                    widest, slopes = float(spreads[-1][k]), found.slopes[k]
                    place = int(found.sample[k]) + offset, int(found.position[k])
                    best = (*place, int(slopes.argmax()), int(slopes.argmin()))
            offset += found.samples
        return torch.cat(spreads), best
