"""The widest spread over a large vocabulary, found by 16-bit products and proved in single precision.

Where the processor multiplies bfloat16 several times faster than float32, the slopes of all rows are computed in it
first, each between two bounds that hold whatever its rounding did. Only rows whose upper bound reaches the best lower
bound can be the widest; those, a few as a rule, are then computed in float32, and only in the blocks of classes where
their largest and their smallest slope may be. The answer is that of float32.
"""

import math

import torch
from torch import Tensor

from workbench.steps.head import BLOCK_ROWS, Parts, of_classes, of_rows, spread_and_blocks

LEAST_CLASSES, LEAST_ROWS = 4096, 32
"""Fewer are done before two passes over them would pay."""
LEAST_SQUARED = 2e-19
"""Numbers below have no square in float32."""
UNIT = 2.0**-9
"""Largest relative error of rounding to bfloat16."""


def has_fast_bfloat16(device: torch.device) -> bool:
    """Return whether a CPU has products of bfloat16 in its instruction set (AVX-512 BF16 or AMX)."""
    if device.type != "cpu" or not torch.backends.mkldnn.is_available() or not torch.backends.mkldnn.enabled:
        return False
    asked = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(bool(ask()) for ask in asked if ask is not None)


def pays(parts: Parts) -> bool:
    """Return whether rows and classes are many, in float32, and without a bias that moves (it has no bound here)."""
    hidden, hidden_dot, weight, weight_dot, bias_dot = parts
    single = hidden.dtype == weight.dtype == torch.float32 and not (hidden_dot is None and weight_dot is None)
    large = len(weight) >= LEAST_CLASSES and len(hidden) >= LEAST_ROWS
    return single and large and bias_dot is None and has_fast_bfloat16(hidden.device)


def screened(parts: Parts, chunk: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return what :func:`workbench.steps.head.spread_and_blocks` does: exact for the row of the widest spread.

    The others may be lower bounds, none of them above the widest; their blocks are meaningless. Falls back to the
    whole if numbers are not finite, or if most rows may be the widest.
    """
    up, down, off = _bounds(parts, chunk)
    most_down, least_up = (up - off).amax(0), (down + off).amin(0)
    lower, upper = most_down - least_up, (up + off).amax(0) - (down - off).amin(0)
    may_be = upper >= lower.max()
    count = int(may_be.sum())
    if not bool(torch.isfinite(upper - lower).all()) or not 0 < count <= len(upper) // 2:
        return spread_and_blocks(parts, chunk)
    hidden, hidden_dot, *others = parts
    some: Parts = (hidden[may_be], None if hidden_dot is None else hidden_dot[may_be], *others)  # type: ignore[assignment]
    # a block whose best bound is below what another block reaches for certain holds no end of a row
    ends = ((up + off >= most_down) | (down - off <= least_up))[:, may_be].any(1)
    exact, exact_top, exact_bottom = spread_and_blocks(some, chunk, ends.nonzero()[:, 0].tolist())
    spread = torch.minimum(lower.clamp(min=0.0), exact.max())
    top, bottom = (torch.zeros(len(spread), dtype=torch.int32) for _ in range(2))
    spread[may_be], top[may_be], bottom[may_be] = exact, exact_top, exact_bottom
    return spread, top, bottom


def _bounds(parts: Parts, chunk: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the largest and the smallest slope of each row in each block of classes, (blocks, rows), as bfloat16 has
    them, and how far either may be off.

    With x and y rounded to bfloat16 by factors 1 + δ, |δ| ≤ 2⁻⁹, summed in float32 and rounded once more, a product
    is off by at most (2·2⁻⁹ + 2⁻¹⁸ + n·2⁻²⁴)·Σ|x_j y_j| and 2⁻⁹ of itself; Σ|x_j y_j| ≤ ‖x‖·‖y‖, here for the two
    halves [ḣ, h] and [W, Ẇ] apart, whose sizes differ.
    """
    left, like = of_rows(parts)
    rows, classes = len(parts[0]), len(parts[2])
    lost = LEAST_SQUARED * math.sqrt(parts[2].shape[1])
    lengths = [half.norm(dim=1) + lost for half in left]
    narrow = torch.cat(left, dim=1).bfloat16()
    width = narrow.shape[1]
    off = 2.02 * UNIT + width * 2.0**-23
    up, down, wrong = (like.new_empty(-(-classes // chunk), rows) for _ in range(3))
    room = narrow.new_empty(min(rows, BLOCK_ROWS) * min(classes, chunk))
    halves = narrow.new_empty(min(classes, chunk), width)
    for number, start in enumerate(range(0, classes, chunk)):
        right, _ = of_classes(parts, slice(start, start + chunk), like)
        count = min(classes, start + chunk) - start
        _narrowed(right, halves[:count])
        longest = [half.norm(dim=1).max() + lost for half in right]
        for first in range(0, rows, BLOCK_ROWS):
            part = slice(first, first + BLOCK_ROWS)
            block = room[: min(rows - first, BLOCK_ROWS) * count].view(-1, count)
            torch.mm(narrow[part], halves[:count].T, out=block)
            up[number, part], down[number, part] = block.amax(1), block.amin(1)
        wrong[number] = sum(off * h * w for h, w in zip(lengths, longest, strict=True))
    wrong += 1.02 * UNIT * torch.maximum(up.abs(), down.abs())
    return up, down, wrong


def _narrowed(right: list[Tensor], room: Tensor) -> None:
    """Write [W, Ẇ] of some classes into ``room`` in bfloat16."""
    start = 0
    for half in right:
        room[:, start : start + half.shape[1]].copy_(half)
        start += half.shape[1]
