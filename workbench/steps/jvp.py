"""Logits and their slopes along a direction in parameter space, without touching the model.

The measurement happens in eval statistics (BatchNorm uses its running estimates, dropout layers are off), on copies
of the buffers, outside compiled code, with the random state put back: afterwards the model, its mode and the random
stream are what they were.
"""

import functools
import math
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.utils.checkpoint
from torch import Tensor, nn
from torch.autograd import forward_ad

from workbench import checks
from workbench.steps.attention import differentiable_attention
from workbench.steps.passes import call, evaluation, unwrapped, widened
from workbench.steps.reading import OUTPUTS, absent, as_rows, kept, logits_in, places, without_absent

with warnings.catch_warnings(), forward_ad.dual_level():
    # torch compiles its own decompositions at the first dual number and warns about the compiler it uses
    warnings.simplefilter("ignore", DeprecationWarning)
    forward_ad.make_dual(torch.zeros(1), torch.zeros(1))

_FORWARD_MODE = threading.RLock()  # torch has one level of dual numbers for all threads of a process

METHODS = ("exact", "finite-difference", "replay")
AGREEMENT = 0.1  # two measurements of the same spread may differ by this part of the widest
LEAST_GAP, GOOD_GAP, MOST_GAP = 0.002 * math.pi, 0.02 * math.pi, 0.1 * math.pi
Direction = Mapping[str, Tensor]
T = TypeVar("T")
Rows = Callable[[Callable[[], Any]], tuple[Any, tuple[int, ...]]]  # from a forward to its rows and their shape


class NotFiniteError(ValueError):
    """The logits or slopes of a batch are NaN or infinite."""


class TangentError(RuntimeError):
    """The slopes cannot be trusted: a tangent was lost on the way, or two measurements contradict each other."""


class ForwardModeError(RuntimeError):
    """An operation of the model has no forward derivative."""


class ReducedPrecisionError(TangentError):
    """The forward computes in 16 bits by itself, too coarse for finite differences."""


@dataclass(frozen=True)
class Linearisation:
    """Logits z and slopes a of one batch along a direction.

    ``logits`` and ``slopes``: (rows, classes); a row is a sample, or one position of a sequence that is not ignored.
    A class that the model masks out has logit −∞ and the slope of the row's top class: it adds to no spread.
    ``sample`` and ``position``: (rows,), where each row came from; ``samples`` how many the batch has.
    """

    logits: Tensor
    slopes: Tensor
    sample: Tensor
    position: Tensor
    samples: int

    def extremes(self, row: int) -> tuple[int, int]:
        """Return the class that rises most in a row, and the one that falls most."""
        return int(self.slopes[row].argmax()), int(self.slopes[row].argmin())

    @functools.cached_property
    def spread(self) -> Tensor:
        """Δ = max_k a − min_k a of each row, (rows,)."""
        return self.slopes.amax(-1) - self.slopes.amin(-1)


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
    shift: bool | None = None,
    parameters: Mapping[str, Tensor] | None = None,
    step: float | None = None,
    verify: bool = False,
) -> Linearisation:
    """Return z and a = J v for a batch, v given as parameter name → tensor (names left out stand still).

    ``inputs`` is what the model takes: a tensor, a tuple of positional or a dict of keyword arguments, or a
    :class:`workbench.steps.passes.Call` of both.
    ``outputs``: ``"classes"`` for a class axis (``class_axis``), ``"binary"`` for independent one-logit outputs,
    ``"auto"`` takes a class axis of length 1 for binary. A binary logit z becomes the pair (0, z). ``logits`` picks
    the tensor out of a structured output (an entry or attribute ``logits`` is found without). Positions whose target
    is ``ignore_index`` are left out; ``shift`` says that position t is trained on target t + 1, as transformers'
    causal models do with their ``labels``, which are read out of ``inputs`` if they are there. ``parameters`` replaces
    the model's own values.

    ``method="exact"`` is one forward-mode pass (about one gradient); ``"finite-difference"`` two plain passes with a
    central difference over a step that moves no logit gap by more than about 0.1·π (``step`` is tried first), in
    float32 whatever the parameters' type, and in float64 where float32 would lose more than a hundredth.
    ``"replay"`` is the actual change over a step of length ``step``, divided by it: two plain passes in float32, and
    curvature counts.
    ``verify`` measures once more in the other way and compares.

    Raises ``ValueError`` for an output without class axis, NaN or infinite logits or slopes, wrong names or shapes,
    labels that were not shifted; :class:`TangentError` (a ``RuntimeError``) where parameters move and no tangent
    reaches the logits, or two measurements disagree; :class:`ForwardModeError` (a ``RuntimeError``) if an operation
    has no forward derivative.
    """
    checks.choice("method", method, METHODS)
    checks.choice("outputs", outputs, OUTPUTS)
    model, prefix = unwrapped(model)
    direction = _checked_direction(model, {name.removeprefix(prefix): v for name, v in direction.items()})
    base = dict(model.named_parameters())
    if parameters is not None:
        base |= {name.removeprefix(prefix): value for name, value in parameters.items()}

    def rows(forward: Callable[[], Any]) -> tuple[Tensor, tuple[int, ...]]:
        return as_rows(logits_in(forward(), logits), outputs, class_axis)

    with torch.no_grad():
        if method == "exact":
            (z, a), shape = _dual(model, inputs, direction, base, rows)
        elif method == "replay":
            if step is None:
                raise ValueError('the method "replay" needs the length of the step')
            (z, a), shape, h = *_replay(model, inputs, direction, base, rows, step, verify), step
        else:
            (z, a), shape, h = _difference(model, inputs, direction, base, rows, step)
    keep = kept(targets, shape, ignore_index, shift, inputs, type(model).__name__)
    found = linearised(z, a, shape, keep)
    if verify:

        def again(h: float | None, *, adapt: bool) -> tuple[Linearisation, float]:
            (z, a), _, used = _difference(model, inputs, direction, base, rows, h, adapt=adapt)
            z, a = (t if keep is None else t[keep.to(t.device)] for t in without_absent(z, a))
            return Linearisation(z, a, found.sample, found.position, shape[0]), used

        with torch.no_grad():
            _verify(found, again, method, step if method == "exact" else h)
    return found


def linearised(z: Tensor, a: Tensor, shape: tuple[int, ...], keep: Tensor | None) -> Linearisation:
    """Return the rows that ``keep`` counts of (rows, classes) logits and slopes that came from ``shape``.

    Raises :class:`NotFiniteError` if one of them is NaN or infinite.
    """
    z, a = without_absent(z, a)
    sample, position = places(shape, z.device)
    if keep is not None:
        keep = keep.to(z.device)
        z, a, sample, position = z[keep], a[keep], sample[keep], position[keep]
    found = Linearisation(z, a, sample, position, shape[0])
    if z.numel():
        gone = z == -torch.inf if not math.isfinite(float(z.amin())) else None
        finite = bool(torch.isfinite(z).all()) if gone is None else bool((torch.isfinite(z) | gone).all())
        for name, good in (
            ("logits", finite and (gone is None or not bool(gone.all(-1).any()))),
            ("slopes", bool(torch.isfinite(found.spread).all())),  # largest less smallest: no other can hide
        ):
            if not good:
                raise NotFiniteError(
                    f"the model's {name} hold NaN or infinity along this direction; no radius can be measured"
                )
    return found


def _verify(
    found: Linearisation, again: Callable[..., tuple[Linearisation, float]], method: str, h: float | None
) -> None:
    """Raise ``TangentError`` if finite differences contradict what was found; they must agree among themselves first.

    ``again(h, adapt=...)`` is a finite difference and its step.
    """
    if not found.sample.numel():
        return
    if method == "replay":  # curvature is its own: only that the logits move, which a difference checks, is asked
        again(None, adapt=True)
        return
    if method != "exact":
        row, apart = _apart(found, again(0.5 * h, adapt=False)[0])
        if apart:
            raise TangentError(
                f"two finite differences contradict each other ({row}): the forward draws random numbers from a stream "
                "that cannot be put back, computes in reduced precision (autocast inside the forward) or jumps. Use "
                'the method "exact", or verify=False if this is meant'
            )
        return
    try:
        difference, used = again(h, adapt=True)
    except TangentError:
        return  # differences mean nothing here: reduced precision, or no logit moves enough to be seen
    row, apart = _apart(found, difference)
    if apart and not _apart(difference, again(0.5 * used, adapt=False)[0], 0.3 * apart)[1]:
        raise TangentError(
            f"the exact slopes contradict a finite difference ({row}): something in the forward drops or changes the "
            "tangent (detach, .data, NumPy, a custom operator, a straight-through estimator). Use the method "
            '"finite-difference", which sees what the logits do, or verify=False if this is meant'
        )


def _apart(first: Linearisation, second: Linearisation, allowed: float = AGREEMENT) -> tuple[str, float]:
    """Return the row where two measurements of the spreads differ most, in words, and by which part of the widest.

    0 if that is no more than ``allowed``.
    """
    one, two = first.spread.double(), second.spread.double()
    widest = max(float(one.max()), float(two.max()))
    row = int((one - two).abs().argmax())
    words = f"spread {float(one[row]):.4g} against {float(two[row]):.4g} for sample {int(first.sample[row])}"
    apart = float((one[row] - two[row]).abs())
    return words, apart / widest if apart > allowed * widest else 0.0


def dual_outputs(model: nn.Module, inputs: Any, direction: Direction) -> tuple[Tensor, Tensor]:
    """Return the raw output of ``model`` and its derivative along ``direction`` from one dual-number pass."""
    direction = _checked_direction(model, direction)
    with torch.no_grad():
        base = dict(model.named_parameters())
        output, _ = _dual(model, inputs, direction, base, lambda forward: ((out := forward()), tuple(out.shape)))
    return output


def _dual(
    model: nn.Module, inputs: Any, direction: Direction, base: Mapping[str, Tensor], rows: Rows
) -> tuple[tuple[Tensor, Tensor], tuple[int, ...]]:
    def read(forward: Callable[[], Any]) -> tuple[tuple[Tensor, Tensor | None], tuple[int, ...]]:
        output, shape = rows(forward)
        return forward_ad.unpack_dual(output), shape

    (value, slope), shape = dual_pass(model, inputs, direction, base, read)
    if slope is None:
        raise TangentError(
            f"{len(direction)} parameters move and no tangent arrives at the logits: the forward runs code that "
            "forward mode cannot see (a compiled or scripted function, detach, NumPy), or none of these parameters "
            'takes part. Use the method "finite-difference"'
        )
    return (value, slope), shape


def dual_pass(
    model: nn.Module,
    inputs: Any,
    direction: Direction,
    base: Mapping[str, Tensor],
    read: Callable[[Callable[[], Any]], T],
) -> T:
    """Return what ``read`` makes of a forward on dual numbers; it unpacks them itself, while they are alive.

    Threads wait for each other here.
    """
    with _FORWARD_MODE, ExitStack() as stack:
        stack.enter_context(evaluation(model))
        stack.enter_context(differentiable_attention())
        try:
            stack.enter_context(forward_ad.dual_level())
        except RuntimeError as error:
            raise ForwardModeError(
                f"something else in this process is in torch's forward mode, which it can be only once ({error}); use "
                "the finite-difference JVP"
            ) from error
        moving = {name: forward_ad.make_dual(base[name].detach(), v.to(base[name])) for name, v in direction.items()}
        try:
            return read(lambda: call(model, inputs, {**base, **moving}))
        except (NotImplementedError, RuntimeError) as error:
            if not isinstance(error, NotImplementedError) and "forward AD" not in str(error):
                raise
            raise ForwardModeError(
                f"{_without_derivative(error)} has no forward derivative ({error}); use the finite-difference JVP"
            ) from error


def _without_derivative(error: BaseException) -> str:
    """Return what it was that broke off a forward on dual numbers, in words.

    Up to torch 2.11 checkpoints without reentrance save their inputs by an operation that has no forward derivative.
    """
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == torch.utils.checkpoint.__file__:
            return f"gradient checkpointing (of torch {torch.__version__})"
        trace = trace.tb_next
    return "an operation of the model"


def _replay(
    model: nn.Module,
    inputs: Any,
    direction: Direction,
    base: Mapping[str, Tensor],
    rows: Rows,
    length: float,
    repeat: bool,
) -> tuple[tuple[Tensor, Tensor], tuple[int, ...]]:
    """Return logits before a step of ``length``, and their change divided by it; ``repeat`` checks the first pass."""
    with plain_passes(model, inputs, direction, base, rows, torch.float32) as at:
        (after, shape), (before, _) = at(length), at(0.0)
        if repeat and not torch.equal(at(0.0)[0], before):
            raise TangentError(
                "two passes of the same parameters give different logits: the forward draws random numbers from a "
                'stream that cannot be put back. Use the method "exact"'
            )
    gone, slopes = absent(before, after), (after - before).div_(length)
    return (before, slopes if gone is None else torch.where(gone, 0.0, slopes)), shape


@contextmanager
def plain_passes(
    model: nn.Module,
    inputs: Any,
    direction: Direction,
    base: Mapping[str, Tensor],
    rows: Rows,
    least: torch.dtype,
) -> Iterator[Callable[[float], tuple[Any, tuple[int, ...]]]]:
    """Yield a function from τ to what ``rows`` reads at base + τ·direction, in precision ``least`` or better."""
    base, direction = widened({n: p.detach() for n, p in base.items()}, least), widened(dict(direction), least)
    with ExitStack() as stack:
        state = stack.enter_context(evaluation(model))
        for kind in {p.device.type for p in base.values()}:
            if torch.amp.is_autocast_available(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))

        def at(tau: float) -> tuple[Tensor, tuple[int, ...]]:
            state.restore()
            moving = direction.items() if tau else ()
            shifted = {name: torch.add(base[name], v.to(base[name]), alpha=tau) for name, v in moving}
            logits, shape = rows(lambda: call(model, inputs, {**base, **shifted}, least=least))
            values = logits if isinstance(logits, Tensor) else logits.hidden
            if torch.finfo(values.dtype).bits < 32:
                raise ReducedPrecisionError(
                    f"the logits come out in {values.dtype} though parameters and inputs were float32: the forward "
                    "casts them itself (or enters autocast), and differences of such numbers err by tens of percent. "
                    'Use the method "exact", or enter autocast outside the model'
                )
            return logits, shape

        yield at


def _difference(
    model: nn.Module,
    inputs: Any,
    direction: Direction,
    base: Mapping[str, Tensor],
    rows: Rows,
    step: float | None,
    *,
    adapt: bool = True,
) -> tuple[tuple[Tensor, Tensor], tuple[int, ...], float]:
    """Return logits, central differences, the rows' shape and the step used.

    Float16 and bfloat16 numbers are widened to float32 first: a difference of their logits is off by tens of percent.
    """
    wide = widened({name: base[name].detach() for name in direction}, torch.float32)
    h = _first_step(wide) if step is None else step
    for least in (torch.float32, torch.float64):
        (z, slopes), shape, h, noise = _central(model, inputs, direction, base, rows, h, least, adapt)
        if noise <= 0.01 or least == torch.float64 or z.device.type == "mps":
            break
    return (z, slopes), shape, h


def _central(
    model: nn.Module,
    inputs: Any,
    direction: Direction,
    base: Mapping[str, Tensor],
    rows: Rows,
    h: float,
    least: torch.dtype,
    adapt: bool,
) -> tuple[tuple[Tensor, Tensor], tuple[int, ...], float, float]:
    """Return what :func:`_difference` does, and the part of the widest spread that rounding may be."""
    with plain_passes(model, inputs, direction, base, rows, least) as at:
        largest_step = 1e3 * h
        for _ in range(8):
            (plus, shape), (minus, _) = at(h), at(-h)
            gone, slopes, logits = absent(plus, minus), (plus - minus).div_(2 * h), torch.lerp(plus, minus, 0.5)
            if gone is not None:
                slopes, logits = torch.where(gone, 0.0, slopes), torch.where(gone, plus, logits)
            logits, slopes = without_absent(logits, slopes)
            gap = h * float((slopes.amax(-1) - slopes.amin(-1)).max()) if slopes.numel() else 0.0
            size = _size(logits)
            rounding = 4 * torch.finfo(plus.dtype).eps * size
            if not adapt or not slopes.numel():
                break
            if not math.isfinite(gap):
                h *= 1e-2
            elif gap > MOST_GAP:
                h *= GOOD_GAP / gap
            elif gap < LEAST_GAP and rounding > 1e-3 * gap and h < largest_step:
                h *= min(10.0, GOOD_GAP / gap) if gap > 0 else 10.0
            else:
                break
    if slopes.numel() and gap == 0 and bool((plus == minus).all()):
        raise TangentError(
            f"no logit changed when the parameters moved by ±{h:.2g}: the forward does not use the parameters it is "
            "given (a captured graph, cached weights), or none of those that move takes part in these logits"
        )
    return (logits, slopes), shape, h, rounding / gap if gap > 0 else math.inf


def _size(logits: Tensor) -> float:
    """Return the largest modulus, without masked classes."""
    if not logits.numel():
        return 0.0
    low, high = (float(v) for v in torch.aminmax(logits))
    if math.isfinite(low) and math.isfinite(high):
        return max(abs(low), abs(high))
    return float(torch.where(torch.isfinite(logits), logits.abs(), 0.0).max())


def _first_step(moving: Mapping[str, Tensor]) -> float:
    """Return the usual step of a central difference, ε^(1/3) times the size of the parameters that move."""
    size = float(torch.stack([p.norm().double().cpu() for p in moving.values()]).norm())
    epsilon = torch.finfo(next(iter(moving.values())).dtype).eps
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
    return {name: v.detach().to(named[name].device) for name, v in direction.items()}
