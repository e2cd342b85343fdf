"""Spreads measured at the input of the last linear layer: no rows × classes numbers, and half a forward less.

The same three methods as :func:`workbench.steps.logits_and_slopes`, which is the slow way and the judge of this one:
the guard measures its first step by both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from workbench.steps.head import CHUNK, Change, HeadInput, Parts, head_input, slopes_of, spread_and_blocks
from workbench.steps.head_screen import pays, screened
from workbench.steps.jvp import NotFiniteError, TangentError, dual_pass, plain_passes
from workbench.steps.passes import call, evaluation
from workbench.steps.reading import kept, places

LAUNCHES_SPARED = 8
"""Blocks of classes are so much wider on a GPU, whose kernels cost more to launch than to run."""
SAME = 0.02  # a kept input may differ from a computed one by this part of the change that is measured


@dataclass(frozen=True)
class HeadSpread:
    """The spread of each row that counts, where the rows came from, and what it takes to say which classes made it."""

    spread: Tensor
    sample: Tensor
    position: Tensor
    samples: int
    parts: Parts
    top: Tensor
    bottom: Tensor
    chunk: int

    def extremes(self, row: int) -> tuple[int, int]:
        """Return the class that rises most in a row, and the one that falls most."""
        ends = []
        for blocks, end in ((self.top, torch.argmax), (self.bottom, torch.argmin)):
            start = int(blocks[row]) * self.chunk
            ends.append(start + int(end(slopes_of(row, slice(start, start + self.chunk), self.parts))))
        return ends[0], ends[1]


class KeptInputError(Exception):
    """What the training's forward gave to the head is not what a pass without dice and batch statistics gives."""


def head_spreads(
    model: nn.Module,
    head: nn.Linear,
    inputs: Any,
    method: str,
    direction: Mapping[str, Tensor],
    base: Mapping[str, Tensor],
    *,
    length: float,
    targets: Tensor | None,
    ignore_index: int,
    shift: bool | None,
    widest_only: bool = False,
) -> HeadSpread:
    """Measure along ``direction`` from ``base`` by "exact" or "replay" (over ``length``), at the input of ``head``."""
    if method == "exact":
        parts, shape = dual_pass(model, inputs, direction, base, lambda forward: _unpacked(head_input(head, forward)))
    else:

        def rows(forward: Callable[[], Any]) -> tuple[HeadInput, tuple[int, ...]]:
            found = head_input(head, forward)
            return found, found.shape

        with plain_passes(model, inputs, direction, base, rows, torch.float32) as at:
            (after, shape), (before, _) = at(length), at(0.0)
        parts = (
            before.hidden,
            after.hidden - before.hidden,
            after.weight,
            None if after.weight is before.weight else Change(after.weight, before.weight),
            None if after.bias is before.bias else Change(after.bias, before.bias),
        )
    scale = 1.0 if method == "exact" else 1.0 / length
    return _spread(model, inputs, parts, shape, scale, targets, ignore_index, shift, widest_only)


def spreads_from_kept(
    model: nn.Module,
    head: nn.Linear,
    inputs: Any,
    hidden: Tensor,
    old: Callable[[Tensor | None], Tensor | None],
    *,
    length: float,
    targets: Tensor | None,
    ignore_index: int,
    shift: bool | None,
    widest_only: bool = False,
    check: Callable[[], HeadInput] | None = None,
) -> HeadSpread:
    """Measure the change of the logits since the training's own forward gave ``hidden`` to ``head``: one pass.

    With ``widest_only`` the spreads of the other rows may be lower bounds.
    ``old`` gives the value before the step of a parameter that moved, else None. ``check`` computes the head's
    input before the step anew; :class:`KeptInputError` if that is something else.
    """
    with evaluation(model), torch.autocast(hidden.device.type, enabled=False):
        after = head_input(head, lambda: call(model, inputs, {}))
    if after.hidden.dtype != hidden.dtype or after.shape != tuple(hidden.shape[:-1]):
        raise KeptInputError
    hidden = hidden.reshape(-1, hidden.shape[-1])
    moved = after.hidden - hidden
    if check is not None and hidden.numel():
        apart = (check().hidden - hidden).abs().max()
        if not apart <= SAME * moved.abs().max() + 1e-5 * hidden.abs().max():
            raise KeptInputError
    before = [None if p is None else old(p) for p in (head.weight, head.bias)]
    weight_dot, bias_dot = (
        None if v is None else Change(p.detach(), v) for p, v in zip((head.weight, head.bias), before, strict=True)
    )
    parts = (hidden, moved, after.weight, weight_dot, bias_dot)
    return _spread(model, inputs, parts, after.shape, 1.0 / length, targets, ignore_index, shift, widest_only)


def _unpacked(found: HeadInput) -> tuple[Parts, tuple[int, ...]]:
    h, h_dot = forward_ad.unpack_dual(found.hidden)
    w, w_dot = forward_ad.unpack_dual(found.weight)
    b_dot = None if found.bias is None else forward_ad.unpack_dual(found.bias).tangent
    if h_dot is None and w_dot is None and b_dot is None:
        raise TangentError("parameters move and no tangent arrives at the last layer")
    return (h, h_dot, w, w_dot, b_dot), found.shape


def _spread(
    model: nn.Module,
    inputs: Any,
    parts: Parts,
    shape: tuple[int, ...],
    scale: float,
    targets: Tensor | None,
    ignore_index: int,
    shift: bool | None,
    widest_only: bool,
) -> HeadSpread:
    h, h_dot, w, w_dot, b_dot = parts
    sample, position = places(shape, h.device)
    keep = kept(targets, shape, ignore_index, shift, inputs, type(model).__name__)
    if keep is not None:  # positions that nobody is trained on never reach the head
        keep = keep.to(h.device)
        sample, position, h = sample[keep], position[keep], h[keep]
        h_dot = None if h_dot is None else h_dot[keep]
    with torch.autocast(h.device.type, enabled=False):
        chunk = CHUNK if h.device.type == "cpu" else LAUNCHES_SPARED * CHUNK
        parts = (h, h_dot, w, w_dot, b_dot)
        spread, top, bottom = (screened if widest_only and pays(parts) else spread_and_blocks)(parts, chunk)
    spread *= scale
    if spread.numel() and not bool(torch.isfinite(spread).all()):
        raise NotFiniteError("the model's logits or slopes hold NaN or infinity along this direction")
    return HeadSpread(spread, sample, position, shape[0], parts, top, bottom, chunk)
