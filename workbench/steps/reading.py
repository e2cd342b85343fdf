"""How a model's output and its targets are read: rows of logits, and which of them the loss looks at."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from workbench.steps.passes import Call

OUTPUTS = ("auto", "classes", "binary")


def as_rows(output: Any, outputs: str, class_axis: int) -> tuple[Tensor, tuple[int, ...]]:
    """Return the logits as (rows, classes) and the shape (batch, positions...) that the rows came from.

    An output with an entry or attribute ``logits`` (as transformers' models have) is read as that. A binary logit z
    becomes the pair (0, z). Raises ``ValueError`` for an output without logits or class axis.
    """
    if not isinstance(output, Tensor):
        named = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", None)
        output = named if isinstance(named, Tensor) else output
    if not isinstance(output, Tensor) or not output.is_floating_point():
        kind = f"a {output.dtype} tensor" if isinstance(output, Tensor) else type(output).__name__
        raise ValueError(
            f"the model returned {kind}; a tensor of logits is needed. Pass logits=lambda out: ... to pick it out"
        )
    if outputs == "binary":
        shape = tuple(output.shape[:-1]) if output.ndim > 1 and output.shape[-1] == 1 else tuple(output.shape)
        if not shape:
            raise ValueError("the model returned a single number for the whole batch; one logit a sample is needed")
        return _binary_pair(output.reshape(-1)), shape
    if output.ndim < 2 or not -output.ndim <= class_axis < output.ndim:
        raise ValueError(
            f"the model's output of shape {tuple(output.shape)} has no class axis {class_axis}; logits of shape "
            '(batch, ..., classes) are needed. If it is one logit a sample, pass outputs="binary"'
        )
    output = output.movedim(class_axis, -1)
    shape = tuple(output.shape[:-1])
    if output.shape[-1] == 1:
        if outputs == "classes":
            raise ValueError('the class axis has length 1; cross-entropy needs 2 classes. Pass outputs="binary"')
        return _binary_pair(output.reshape(-1)), shape
    return output.reshape(-1, output.shape[-1]), shape


def _binary_pair(logit: Tensor) -> Tensor:
    return torch.stack([torch.zeros_like(logit), logit], dim=-1)


def places(shape: tuple[int, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the sample and the position of each row."""
    positions = math.prod(shape[1:])
    rows = torch.arange(shape[0] * positions, device=device)
    return rows // max(positions, 1), rows % max(positions, 1)


def kept(
    targets: Tensor | None, shape: tuple[int, ...], ignore_index: int, shift: bool | None, inputs: Any, name: str
) -> Tensor | None:
    """Return which rows the loss looks at, (rows,) bool, or None for all of them.

    Without ``targets``, ``inputs["labels"]`` is read if it fits the logits, as the framework means it: shifted by one
    if ``name``, the model's class, is a causal language model or the labels repeat the tokens. ``shift`` True means
    that position t is trained on target t + 1. ``shift=None`` refuses targets that repeat the tokens: nobody can tell
    a language model's labels before their shift from a model that is trained to copy. Raises ``ValueError``.
    """
    inputs = _by_name(inputs)
    if targets is None:
        labels = inputs.get("labels")
        if not isinstance(labels, Tensor) or labels.is_floating_point() or tuple(labels.shape) != shape:
            return None
        if shift is None:
            shift = name.endswith(("ForCausalLM", "LMHeadModel")) or _repeats(labels, inputs, ignore_index)
        targets = labels
    if targets.is_floating_point():  # class probabilities or binary targets: nothing is ignored
        return None
    if targets.numel() != math.prod(shape):
        raise ValueError(
            f"targets of shape {tuple(targets.shape)} do not match the logits' positions {shape}; "
            "is class_axis the right one?"
        )
    if shift is None and tuple(targets.shape) == shape and _repeats(targets, inputs, ignore_index):
        raise ValueError(
            "the targets repeat the input tokens, position by position: these are a language model's labels before "
            "they are shifted by one, as transformers takes them. Pass shift=True to read them so (position t is "
            "trained on target t + 1), or shift=False if the model is trained to copy its input"
        )
    if shift:
        if len(shape) != 2:
            raise ValueError(f"shift=True needs logits of shape (batch, positions, classes), got rows of shape {shape}")
        targets = torch.cat([targets.reshape(shape)[:, 1:], targets.new_full((shape[0], 1), ignore_index)], dim=1)
    return targets.reshape(-1) != ignore_index


def _by_name(inputs: Any) -> Mapping[Any, Any]:
    """Return all inputs by name, the positional ones by number."""
    if isinstance(inputs, Call):
        return {**dict(enumerate(inputs.arguments)), **inputs.keywords}
    if isinstance(inputs, Mapping):
        return inputs
    return dict(enumerate(inputs if isinstance(inputs, tuple) else (inputs,)))


def _repeats(targets: Tensor, inputs: Mapping[Any, Any], ignore_index: int) -> bool:
    """Return whether ``targets`` (batch, positions) equal one of the integer inputs wherever they are not ignored."""
    counts = targets != ignore_index
    if targets.ndim != 2 or targets.shape[1] < 2 or int(counts.sum()) < 2:
        return False
    for name, value in inputs.items():
        tokens = isinstance(value, Tensor) and not value.is_floating_point() and not value.is_complex()
        if name == "labels" or not tokens or value.dtype == torch.bool or value.shape != targets.shape:
            continue
        if bool((value.to(targets.device) == targets)[counts].all()):
            return True
    return False


def absent(*logits: Tensor) -> Tensor | None:
    """Return which classes are masked out in all of ``logits``, or None if none is.

    Masked out is a logit of −∞, or one of the lowest numbers of its type, which stand for it.
    """
    floors = [0.5 * torch.finfo(values.dtype).min for values in logits]
    if any(v.numel() == 0 or float(v.amin()) > floor for v, floor in zip(logits, floors, strict=True)):
        return None  # one look at the smallest is all that most models need
    return torch.stack([values <= floor for values, floor in zip(logits, floors, strict=True)]).all(0)


def without_absent(logits: Tensor, slopes: Tensor) -> tuple[Tensor, Tensor]:
    """Return logits of −∞ for masked classes, and for their slopes that of the top class.

    A class that is masked out has no probability; one that moves with the top class adds nothing to any spread. Rows
    without any class left are left as they are, to be refused as not finite.
    """
    gone = absent(logits)
    if gone is None:
        return logits, slopes
    gone &= ~gone.all(dim=-1, keepdim=True)
    top = slopes.gather(-1, logits.argmax(dim=-1, keepdim=True))
    return torch.where(gone, -torch.inf, logits), torch.where(gone, top, slopes)
