"""The last linear layer of a model: spreads over its classes without ever holding rows × classes numbers.

A logit's slope is a_k = ḣ·W_k + h·Ẇ_k + ḃ_k, h the input of the layer. So a measurement needs h and ḣ only, stops the
forward where the layer begins, and runs over the classes in blocks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workbench import checks
from workbench.steps.reading import logits_in

CHUNK = 2048
BLOCK_ROWS = 2048


@dataclass(frozen=True)
class Change:
    """new − old of a weight, taken some classes at a time, so that the whole difference is never held."""

    new: Tensor
    old: Tensor

    def __getitem__(self, classes: slice) -> Tensor:
        return self.new[classes] - self.old[classes]


Parts = tuple[Tensor, Tensor | None, Tensor, Tensor | Change | None, Tensor | Change | None]
"""(h, ḣ, W, Ẇ, ḃ)"""


def logit_spread(
    hidden: Tensor,
    hidden_dot: Tensor | None,
    weight: Tensor,
    weight_dot: Tensor | None = None,
    bias_dot: Tensor | None = None,
    *,
    chunk: int = CHUNK,
) -> Tensor:
    """Return max_k a_k − min_k a_k of each row, a = ḣWᵀ + hẆᵀ + ḃ, from blocks of ``chunk`` classes.

    ``hidden`` h and ``hidden_dot`` ḣ (rows, d), ``weight`` W and ``weight_dot`` Ẇ (classes, d), ``bias_dot`` ḃ
    (classes,); what stands still may be None. For a finite step, ḣ = h₁ − h₀ and Ẇ = W₁ − W₀ with h = h₀ and W = W₁
    give the change of the logits exactly. Computed in float32 or better. Memory: no more than 2048 × ``chunk`` numbers,
    whatever the vocabulary.
    Raises ``ValueError`` for shapes that do not fit.

    >>> import torch
    >>> from workbench import steps
    >>> h, w = torch.tensor([[1.0, 2.0]]), torch.eye(3, 2)
    >>> steps.logit_spread(h, torch.tensor([[0.5, -0.25]]), w).tolist()  # a = (0.5, −0.25, 0)
    [0.75]
    """
    chunk = checks.integer("chunk", chunk, minimum=1)
    parts = (hidden, hidden_dot, weight, weight_dot, bias_dot)
    _checked_shapes(*parts)
    return spread_and_blocks(parts, chunk)[0]


def spread_and_blocks(
    parts: Parts, chunk: int = CHUNK, only: Sequence[int] | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the spread of each row, and in which blocks of ``chunk`` classes its largest and smallest slope are.

    ``only`` are the blocks to look into, if it is known that both are in these.
    """
    left, like = of_rows(parts)
    rows, classes = len(parts[0]), len(parts[2])
    high = like.new_full((rows,), -torch.inf)
    low, top, bottom = -high, torch.zeros_like(high, dtype=torch.int32), torch.zeros_like(high, dtype=torch.int32)
    room = high.new_empty(min(rows, BLOCK_ROWS) * min(classes, chunk))  # one block, used again and again
    for number in range(-(-classes // chunk)) if only is None else only:
        start = number * chunk
        right, shift = of_classes(parts, slice(start, start + chunk), like)
        count = min(classes, start + chunk) - start
        for first in range(0, rows, BLOCK_ROWS):
            part = slice(first, first + BLOCK_ROWS)
            block = _slopes([h[part] for h in left], right, shift, room[: min(rows - first, BLOCK_ROWS) * count], count)
            most, least = block.amax(1), block.amin(1)  # aminmax does both at once, and is slower
            top[part].masked_fill_(most > high[part], number)
            bottom[part].masked_fill_(least < low[part], number)
            torch.maximum(high[part], most, out=high[part])
            torch.minimum(low[part], least, out=low[part])
    return high - low, top, bottom


def slopes_of(row: int, columns: slice, parts: Parts) -> Tensor:
    """Return a = ḣWᵀ + hẆᵀ + ḃ of one row and some classes, (classes,)."""
    left, like = of_rows(parts)
    right, shift = of_classes(parts, columns, like)
    count = len(parts[2][columns])
    return _slopes([h[row : row + 1] for h in left], right, shift, like.new_empty(count), count)[0]


def _slopes(left: list[Tensor], right: list[Tensor], shift: Tensor | None, room: Tensor, classes: int) -> Tensor:
    block = room.view(-1, classes)
    if not left:
        block.zero_()
    for number, (h, w) in enumerate(zip(left, right, strict=True)):
        torch.mm(h, w.T, out=block) if number == 0 else block.addmm_(h, w.T)
    return block if shift is None else block.add_(shift)


def of_rows(parts: Parts) -> tuple[list[Tensor], Tensor]:
    """Return those of ḣ and h that stand before something that moves, and a number of the precision to work in."""
    hidden, hidden_dot, weight, weight_dot, _ = parts
    precise = torch.promote_types(torch.promote_types(hidden.dtype, weight.dtype), torch.float32)
    moving = [h.to(precise) for h, other in ((hidden_dot, weight), (hidden, weight_dot)) if not _still(h, other)]
    return moving, hidden.new_empty(0, dtype=precise)


def of_classes(parts: Parts, columns: slice, like: Tensor) -> tuple[list[Tensor], Tensor | None]:
    """Return W and Ẇ of some classes to match :func:`of_rows`, and their ḃ."""
    hidden, hidden_dot, weight, weight_dot, bias_dot = parts
    pairs = ((hidden_dot, weight), (hidden, weight_dot))
    moving = [w[columns].to(like) for h, w in pairs if not _still(h, w)]
    return moving, None if bias_dot is None else bias_dot[columns].to(like)


def _still(*factors: Tensor | Change | None) -> bool:
    return any(factor is None for factor in factors)


def _checked_shapes(
    hidden: Tensor, hidden_dot: Tensor | None, weight: Tensor, weight_dot: Tensor | None, bias_dot: Tensor | None
) -> None:
    if hidden.ndim != 2 or weight.ndim != 2 or hidden.shape[1] != weight.shape[1]:
        raise ValueError(
            f"hidden (rows, d) and weight (classes, d) do not fit: {tuple(hidden.shape)} and {tuple(weight.shape)}"
        )
    for name, value, like in (("hidden_dot", hidden_dot, hidden.shape), ("weight_dot", weight_dot, weight.shape)):
        if value is not None and value.shape != like:
            raise ValueError(f"{name} must have shape {tuple(like)}, got {tuple(value.shape)}")
    if bias_dot is not None and bias_dot.shape != weight.shape[:1]:
        raise ValueError(f"bias_dot must have shape {tuple(weight.shape[:1])}, got {tuple(bias_dot.shape)}")


@dataclass(frozen=True)
class HeadInput:
    """What the last layer is given and holds, in one forward: h (rows, d), W, b, and the shape its rows came from."""

    hidden: Tensor
    weight: Tensor
    bias: Tensor | None
    shape: tuple[int, ...]


class _Reached(Exception):
    """Ends a forward where the head begins."""


def head_input(head: nn.Linear, forward: Callable[[], Any]) -> HeadInput:
    """Run ``forward`` until ``head`` is reached and return what it would work on; the layer itself is not computed."""
    found: list[HeadInput] = []

    def stop(module: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        hidden = arguments[0] if arguments else keywords["input"]
        shape = tuple(hidden.shape[:-1])
        found.append(HeadInput(hidden.reshape(-1, hidden.shape[-1]), module.weight, module.bias, shape))
        raise _Reached

    handle = head.register_forward_pre_hook(stop, with_kwargs=True)
    try:
        forward()
    except _Reached:
        return found[0]
    finally:
        handle.remove()
    raise RuntimeError("the forward ended without the layer that gave its logits before")


def find_head(model: nn.Module, forward: Callable[[], Any], logits: Callable[[Any], Tensor] | None) -> nn.Linear | None:
    """Return the linear layer whose output is what ``forward`` returns as logits, class axis last, or None."""
    seen: dict[nn.Module, list[tuple[Tensor, int]]] = {}

    def note(module: nn.Module, _inputs: Any, output: Any) -> None:
        seen.setdefault(module, []).append((output, output._version))

    plain = [m for m in model.modules() if isinstance(m, nn.Linear) and type(m).forward is nn.Linear.forward]
    handles = [module.register_forward_hook(note) for module in plain]
    try:
        returned = forward()
    finally:
        for handle in handles:
            handle.remove()
    output = logits_in(returned, logits)
    return next((m for m, calls in seen.items() if len(calls) == 1 and is_output(output, *calls[0])), None)


def is_output(output: Any, produced: Tensor, version: int) -> bool:
    """Return whether ``output`` is what a layer ``produced``, unchanged since its ``version``, row for row."""
    return (
        isinstance(output, Tensor)
        and output.data_ptr() == produced.data_ptr()
        and output.dtype == produced.dtype
        and output.numel() == produced.numel()
        and output.shape[-1:] == produced.shape[-1:]
        and output.is_contiguous()
        and produced.is_contiguous()
        and produced._version == version
    )
