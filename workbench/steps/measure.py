"""The bound radius of a batch along an update, one and the same on all ranks: the engine of the guards."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workbench.steps.jvp import NotFiniteError, logits_and_slopes
from workbench.steps.ranks import Ranks


@dataclass(frozen=True)
class Measured:
    """A bound radius and the row with the widest slopes: the rank it was on, its sample and position there."""

    radius: float
    rank: int
    sample: int
    position: int


class Measure:
    """Measures ρ_a = πT/Δ over all micro-batches and ranks, Δ the ``quantile`` of the rows' spreads.

    ``method`` and ``reading`` (outputs, class_axis, logits, ignore_index, shift) as in
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
        self.model, self.ranks, self.method = model, ranks, method
        self.quantile, self.temperature, self._unverified = quantile, temperature, verify
        self._reading = dict(reading)

    def __call__(
        self,
        batches: Sequence[Any],
        targets: Sequence[Tensor | None],
        direction: Mapping[str, Tensor],
        start: Mapping[str, Tensor],
        last_radius: float = math.nan,
    ) -> Measured:
        """Measure along ``direction`` from the parameters ``start``; ``last_radius`` helps finite differences.

        Raises :class:`NotFiniteError` on every rank if logits or slopes of one are not finite, and whatever a
        measurement raises, on every rank, so that none waits for another.
        """
        spreads, row, trouble = torch.empty(0), (-1, -1), None
        step = 0.02 * last_radius if math.isfinite(last_radius) and last_radius > 0 else None
        try:
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
        return Measured(radius, rank, int(table[rank, 4]), int(table[rank, 5]))

    def _spreads(
        self,
        batches: Sequence[Any],
        targets: Sequence[Tensor | None],
        direction: Mapping[str, Tensor],
        start: Mapping[str, Tensor],
        step: float | None,
    ) -> tuple[Tensor, tuple[int, int]]:
        """Return the spreads of all rows of this rank, and the sample and position of the widest."""
        spreads, places, offset = [], [], 0
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
            places.append(torch.stack([found.sample + offset, found.position], dim=-1))
            offset += int(found.sample.max()) + 1 if found.sample.numel() else 0
        delta, place = torch.cat(spreads), torch.cat(places)
        if not delta.numel():
            return delta, (-1, -1)
        sample, position = (int(entry) for entry in place[int(delta.argmax())])
        return delta, (sample, position)
