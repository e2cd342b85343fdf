"""Logits and their slopes along a direction in parameter space, without touching the model.

The measurement happens in eval statistics (BatchNorm uses its running estimates, dropout is off), on copies of the
buffers, with the random state put back: afterwards the model, its mode and the random stream are what they were.
"""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.func import functional_call

from workbench import checks
from workbench.steps.attention import differentiable_attention

with warnings.catch_warnings(), forward_ad.dual_level():
    # torch compiles its own decompositions at the first dual number and warns about the compiler it uses
    warnings.simplefilter("ignore", DeprecationWarning)
    forward_ad.make_dual(torch.zeros(1), torch.zeros(1))

METHODS = ("exact", "finite-difference")
OUTPUTS = ("auto", "classes", "binary")
Direction = Mapping[str, Tensor]


class NotFiniteError(ValueError):
    """The logits or slopes of a batch are NaN or infinite."""


@dataclass(frozen=True)
class Linearisation:
    """Logits z and slopes a of one batch along a direction.

    ``logits`` and ``slopes``: (rows, classes); a row is a sample, or one position of a sequence that is not ignored.
    ``sample`` and ``position``: (rows,), where each row came from.
    """

    logits: Tensor
    slopes: Tensor
    sample: Tensor
    position: Tensor


def logits_and_slopes(
    model: nn.Module,
    inputs: Any,
    direction: Direction,
    *,
    method: str = "exact",
    outputs: str = "auto",
    class_axis: int = -1,
    logits: Callable[[Any], Tensor] | None = None,
    targets: Tensor | None = None,
    ignore_index: int = -100,
    parameters: Mapping[str, Tensor] | None = None,
    step: float | None = None,
) -> Linearisation:
    """Return z and a = J v for a batch, v given as parameter name → tensor (names left out stand still).

    ``inputs`` is what the model takes: a tensor, a tuple of positional or a dict of keyword arguments.
    ``outputs``: ``"classes"`` for a class axis (``class_axis``), ``"binary"`` for independent one-logit outputs,
    ``"auto"`` takes a class axis of length 1 for binary. A binary logit z becomes the pair (0, z). ``logits`` picks
    the tensor out of a structured output. Positions whose target is ``ignore_index`` are left out. ``parameters``
    replaces the model's own values.

    ``method="exact"`` is one forward-mode pass (about one gradient); ``"finite-difference"`` two plain passes with a
    central difference over a step that moves no logit gap by more than about 0.1·π (``step`` is tried first).

    Raises ``ValueError`` for an output without class axis, NaN or infinite logits or slopes, wrong names or shapes;
    ``RuntimeError`` if an operation of the model has no forward derivative.
    """
    checks.choice("method", method, METHODS)
    checks.choice("outputs", outputs, OUTPUTS)
    direction = _checked_direction(model, direction)
    base = dict(model.named_parameters()) if parameters is None else dict(parameters)

    def rows(output: Any) -> tuple[Tensor, tuple[int, ...]]:
        return _as_rows(logits(output) if logits is not None else output, outputs, class_axis)

    with torch.no_grad():
        if method == "exact":
            (z, a), shape = _dual(model, inputs, direction, base, rows)
        else:
            (z, a), shape = _difference(model, inputs, direction, base, rows, step)
    sample, position = _places(shape, z.device)
    if targets is not None:
        keep = _kept(targets, shape, ignore_index)
        z, a, sample, position = z[keep], a[keep], sample[keep], position[keep]
    for name, values in (("logits", z), ("slopes", a)):
        if not torch.isfinite(values).all():
            raise NotFiniteError(
                f"the model's {name} hold NaN or infinity along this direction; no radius can be measured"
            )
    return Linearisation(z, a, sample, position)


def dual_outputs(model: nn.Module, inputs: Any, direction: Direction) -> tuple[Tensor, Tensor]:
    """Return the raw output of ``model`` and its derivative along ``direction`` from one dual-number pass."""
    direction = _checked_direction(model, direction)
    with torch.no_grad():
        base = dict(model.named_parameters())
        output, _ = _dual(model, inputs, direction, base, lambda out: (out, tuple(out.shape)))
    return output


@contextmanager
def evaluation(model: nn.Module) -> Iterator[None]:
    """Put every module into eval mode and put each one's own mode back, whatever happens; random state likewise."""
    modes = [(module, module.training) for module in model.modules()]
    devices = sorted({p.device.index for p in model.parameters() if p.device.type == "cuda"})
    with torch.random.fork_rng(devices=devices):
        try:
            for module, _ in modes:
                module.training = False
            yield
        finally:
            for module, training in modes:
                module.training = training


def call(model: nn.Module, inputs: Any, parameters: Mapping[str, Tensor]) -> Any:
    """Call ``model`` with other parameters on copies of its buffers, so that nothing of the model changes."""
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    state = {**parameters, **buffers}
    if isinstance(inputs, Mapping):
        return functional_call(model, state, (), dict(inputs))
    return functional_call(model, state, inputs if isinstance(inputs, tuple) else (inputs,))


def _dual(
    model: nn.Module, inputs: Any, direction: Direction, base: Mapping[str, Tensor], rows: Callable[[Any], Any]
) -> tuple[tuple[Tensor, Tensor], tuple[int, ...]]:
    with ExitStack() as stack:
        stack.enter_context(evaluation(model))
        stack.enter_context(differentiable_attention())
        stack.enter_context(forward_ad.dual_level())
        moving = {name: forward_ad.make_dual(base[name].detach(), v) for name, v in direction.items()}
        try:
            output, shape = rows(call(model, inputs, {**base, **moving}))
        except NotImplementedError as error:
            raise RuntimeError(
                f"an operation of the model has no forward derivative ({error}); use the finite-difference JVP"
            ) from error
        value, slope = forward_ad.unpack_dual(output)
        return (value, torch.zeros_like(value) if slope is None else slope), shape


def _difference(
    model: nn.Module,
    inputs: Any,
    direction: Direction,
    base: Mapping[str, Tensor],
    rows: Callable[[Any], Any],
    step: float | None,
) -> tuple[tuple[Tensor, Tensor], tuple[int, ...]]:
    def at(tau: float) -> tuple[Tensor, tuple[int, ...]]:
        shifted = {name: base[name] + tau * v for name, v in direction.items()}
        return rows(call(model, inputs, {**base, **shifted}))

    with evaluation(model):
        h = _first_step(base, direction) if step is None else step
        for _ in range(6):
            (plus, shape), (minus, _) = at(h), at(-h)
            slopes = (plus - minus) / (2 * h)
            widest = float((slopes.amax(-1) - slopes.amin(-1)).max()) if slopes.numel() else 0.0
            if not math.isfinite(widest):
                h *= 1e-2
            elif h * widest > 0.1 * math.pi:
                h = 0.02 * math.pi / widest
            else:
                break
        return ((plus + minus) / 2, slopes), shape


def _first_step(base: Mapping[str, Tensor], direction: Direction) -> float:
    """Return the usual step of a central difference, ε^(1/3) times the size of the parameters that move."""
    sizes = [base[name].detach().norm() for name in direction]
    size = float(torch.stack(sizes).norm()) if sizes else 1.0
    epsilon = torch.finfo(next(iter(base.values())).dtype).eps
    return epsilon ** (1 / 3) * max(size, 1.0) * 0.1


def _checked_direction(model: nn.Module, direction: Direction) -> dict[str, Tensor]:
    named = dict(model.named_parameters())
    unknown = [name for name in direction if name not in named]
    if unknown:
        raise ValueError(f"the direction names {unknown[:3]}, which are no parameters of the model")
    if not direction:
        raise ValueError("the direction is empty; give at least one parameter that moves")
    for name, v in direction.items():
        if v.shape != named[name].shape:
            raise ValueError(f"the direction of {name!r} has shape {tuple(v.shape)}, not {tuple(named[name].shape)}")
    if not math.isfinite(float(nn.utils.get_total_norm(direction.values()))):
        bad = [name for name, v in direction.items() if not torch.isfinite(v).all()]
        raise ValueError(f"the direction holds NaN, infinity or numbers too large to square, in {bad or 'all of it'}")
    return {name: v.detach().to(named[name].dtype) for name, v in direction.items()}


def _as_rows(output: Any, outputs: str, class_axis: int) -> tuple[Tensor, tuple[int, ...]]:
    """Return the logits as (rows, classes) and the shape (batch, positions...) that the rows came from."""
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


def _places(shape: tuple[int, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    positions = math.prod(shape[1:])
    rows = torch.arange(shape[0] * positions, device=device)
    return rows // max(positions, 1), rows % max(positions, 1)


def _kept(targets: Tensor, shape: tuple[int, ...], ignore_index: int) -> Tensor:
    if targets.is_floating_point():  # class probabilities or binary targets: nothing is ignored
        return torch.ones(math.prod(shape), dtype=torch.bool, device=targets.device)
    if targets.numel() != math.prod(shape):
        raise ValueError(
            f"targets of shape {tuple(targets.shape)} do not match the logits' positions {shape}; "
            "is class_axis the right one?"
        )
    return targets.reshape(-1) != ignore_index
