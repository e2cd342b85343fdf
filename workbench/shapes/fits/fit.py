"""One fit of one signal: its quality on the samples it has seen, beside that on those held out, always both."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.progress import Progress
from workbench.shapes.fits.certified import certified_floor
from workbench.shapes.fits.methods import (
    FITS,
    STOPPINGS,
    Fitted,
    checked_budget,
    checked_method,
    linear_sides,
    solve_linear,
)
from workbench.shapes.fits.signals import AXES, Signal, centres
from workbench.shapes.fits.signals import signal as as_signal

Floats = NDArray[np.float64]
PARTS = ("training", "held out", "all")
LEAST_MSE = 1e-30
"""Of the squared range; what is smaller is rounding."""


def psnr(mse: float, span: float = 1.0) -> float:
    """Return the peak signal-to-noise ratio 10 log₁₀(span²/mse) in dB, NaN for NaN.

    >>> round(psnr(1e-2), 12), round(psnr(4e-2, span=2.0), 12)
    (20.0, 20.0)
    """
    return float(-10 * np.log10(max(mse / span**2, LEAST_MSE))) if mse == mse else np.nan


def part_errors(target: Signal, shown: Floats, held: NDArray[np.bool_]) -> Floats:
    """Return the mean square errors on training samples, those held out (NaN if none), and all."""
    squares = np.mean((shown - target.values) ** 2, axis=1)
    return np.array([part.mean() if part.size else np.nan for part in (squares[~held], squares[held], squares)])


def as_displayed(target: Signal, shown: Floats) -> Floats:
    """Return what a screen shows: values cut to the range, those of a photograph rounded to 8 bits."""
    cut = np.clip(shown, target.low, target.high)
    return np.round(cut * 255) / 255 if target.kind == "photograph" else cut


def gradient_defect(target: Signal, shown: Floats) -> Floats:
    """Return | |∇f| − 1 | by central differences of the samples inside, for one channel."""
    values = shown[:, 0].reshape(target.shape)
    steps = [2 / n for n in target.shape]
    slopes = np.gradient(values, *steps)
    length = np.sqrt(sum(np.square(s) for s in (slopes if isinstance(slopes, (list, tuple)) else [slopes])))
    return np.abs(length[(slice(1, -1),) * target.dimension] - 1)


def axes_of(target: Signal) -> dict[str, Any]:
    """Return the coordinates of the samples and channels, for a Dataset."""
    names = AXES[target.dimension]
    made: dict[str, Any] = {
        name: ((name,), centres(n), "xyz"["xyz".index("x") + len(names) - 1 - k])
        for k, (name, n) in enumerate(zip(names, target.shape, strict=True))
    }
    channels = ["red", "green", "blue"] if target.channels == 3 else ["value"]
    return made | {"channel": (("channel",), channels, "channel")}


def on_axes(target: Signal, values: Floats) -> Floats:
    """Return values of all samples (n, channels) over the axes."""
    return values.reshape(*target.shape, -1)


def quality(target: Signal, fitted: Fitted, held: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the variables that every result on one fit has."""
    mse = part_errors(target, fitted.shown, held)
    displayed = part_errors(target, as_displayed(target, fitted.shown), held)
    decibels = [psnr(value, target.span) for value in mse]
    part = ("part",)
    return {
        "rms": (part, np.sqrt(mse), "root mean square error"),
        "psnr": (part, np.array(decibels), "peak signal-to-noise ratio", "dB"),
        "psnr_displayed": (
            part,
            np.array([psnr(value, target.span) for value in displayed]),
            "peak signal-to-noise ratio of what a screen shows",
            "dB",
        ),
        "parameters_used": ((), fitted.parameters, "numbers of the fit"),
        "fit_seconds": ((), fitted.seconds, "processor time of the fit", "s"),
        "ridge": ((), fitted.ridge, "ridge λ"),
        "condition": ((), fitted.condition, "condition number with the ridge"),
        "psnr_loo": ((), psnr(fitted.loo, target.span), "ratio expected from leaving one out", "dB"),
    }


def floors(target: Signal, method: str, parameters: int, held: NDArray[np.bool_]) -> dict[str, Any]:
    """Return what no coefficients of a linear family can exceed, on the training samples and on all samples."""
    family = FITS[method].fact("family")
    sides = linear_sides(family, target, parameters)
    best, radius = [], []
    for chosen in (~held, np.ones_like(held)):
        found = certified_floor(family.design(target.points[chosen], sides), target.values[chosen] - target.offset)
        best.append(psnr(found.mse, target.span))
        radius.append(found.radius)
    seen = ("seen",)
    return {
        "psnr_limit": (seen, np.array(best), "no coefficients have a larger ratio than this", "dB"),
        "limit_radius": (seen, np.array(radius), "… among those of root mean square up to this"),
    }


def training_curve(target: Signal, fitted: Fitted) -> dict[str, Any]:
    """Return the curve of a training, of its judges (NaN where there are none), and the step that counts."""
    judged = fitted.validation if fitted.validation.size else np.full(len(fitted.step), np.nan)
    curves = [np.array([psnr(value, target.span) for value in one]) for one in (fitted.loss, judged)]
    return {
        "training_psnr": (("step",), curves[0], "ratio on the batch", "dB"),
        "judged_psnr": (("step",), curves[1], "ratio on the samples that judge the training", "dB"),
        "kept_step": ((), fitted.kept, "step of the training that counts"),
    }


def pictured(target: Signal, shown: Floats, held: NDArray[np.bool_]) -> dict[str, Any]:
    """Return signal, fit and mask over the axes."""
    axes = AXES[target.dimension]
    return {
        "signal_value": ((*axes, "channel"), on_axes(target, target.values).astype(np.float32), "the signal"),
        "fit_value": ((*axes, "channel"), on_axes(target, shown).astype(np.float32), "the fit"),
        "held": (axes, held.reshape(target.shape), "whether the sample was held out"),
    }


SEEN = {"seen": (("seen",), ["training", "all"], "samples that the bound is for")}
PART = {"part": (("part",), list(PARTS), "samples")}


def told(target: Signal) -> dict[str, Any]:
    """Return the attributes that name the signal."""
    return {"signal": target.name, "kind": target.kind, "span": target.span, "low": target.low, "high": target.high}


@results.experiment
def fit_signal(
    signal: str | ArrayLike | Signal = "temple",
    method: str = "bspline",
    parameters: int = 5808,
    *,
    size: int | None = None,
    held_out: float | str = 0.5,
    steps: int = 300,
    stopping: str = "last",
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Fit a signal by one method of at most ``parameters`` numbers to a part of its samples; judge it on the rest.

    ``signal`` and ``size`` as for :func:`workbench.shapes.signal`, ``method`` of ``FITS``; ``held_out`` is the random
    share that the fit does not see, or ``"checkerboard"``; ``steps`` are those of a training, ``seed`` chooses the
    samples and starts the training. ``stopping`` "best" takes a tenth of the samples seen out of a training to judge it
    and keeps the step with the least error there, "last" trains on all to the end. Returns ``psnr``, ``rms`` over part
    (training, held out, all), the numbers used, the processor seconds, the picture of fit and signal; of a linear
    family ridge and condition; of a training its curve over ``step``, that of its judges, and the ``kept_step``; of a
    signed distance the mean ``eikonal`` defect | |∇f| − 1 | of fit and signal.
    Raises ``ValueError`` for unknown names and sizes outside the limits, before any work. Cost: 0.1 to 0.5 s for a
    linear family, about 10 ms a step for a training.

    >>> ds = fit_signal("sine", "linear", 24, size=200)
    >>> float(ds.psnr.sel(part="held out")) > 40
    True
    """
    target = as_signal(signal, size)
    name, budget = checked_method(method), checked_budget(parameters)
    checks.choice("stopping", stopping, STOPPINGS)
    FITS[name].fact("sizes")(target, budget)  # refuses too few numbers before any work
    rng = checks.generator(seed)
    held = target.held(held_out, rng)
    settings = {"steps": steps, "seed": int(rng.integers(2**31)), "stopping": stopping}
    fitted = FITS[name](target, ~held, budget, **settings, progress=progress or Progress())
    variables = quality(target, fitted, held) | pictured(target, fitted.shown, held)
    coordinates = axes_of(target) | PART
    if fitted.step.size:
        variables |= training_curve(target, fitted)
        coordinates["step"] = (("step",), fitted.step, "step")
    if target.kind == "distance":
        pair = [float(gradient_defect(target, v).mean()) for v in (fitted.shown, target.values)]
        variables["eikonal"] = (("whose",), np.array(pair), "mean of | |∇f| − 1 |")
        coordinates["whose"] = (("whose",), ["fit", "signal"], "whose")
    return results.dataset(variables, coordinates, told(target) | {"method": name})


@results.experiment
def best_linear_fit(
    signal: str | ArrayLike | Signal = "temple",
    grid: str = "bspline",
    parameters: int = 5808,
    ridge: float | str = "loo",
    *,
    size: int | None = None,
    held_out: float | str = 0.5,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Solve a linear family to its optimum, with a proved bound for everything that might train it.

    ``ridge`` is ``"loo"``, the one with the least exact leave-one-out error, or a number in units of the mean diagonal
    of AᵀA. Beside what :func:`fit_signal` returns: ``psnr_limit`` over seen (training, all): no coefficients have a
    larger ratio on these samples, with rounding counted; ``limit_radius`` is the root mean square up to which that is
    proved, infinite where the samples determine all coefficients. ``coefficient`` (number, channel) are the fit's.
    Raises ``ValueError`` for a method that is not linear. Cost: that of the fit, and twice ten factorisations.

    >>> ds = best_linear_fit("sine", "linear", 24, size=200)
    >>> bool(ds.psnr_limit[0] >= ds.psnr[0])
    True
    """
    target = as_signal(signal, size)
    name, budget = checked_method(grid, linear=True), checked_budget(parameters)
    held = target.held(held_out, seed)
    family = FITS[name].fact("family")
    fitted = solve_linear(family, target, ~held, budget, ridge, progress)
    assert fitted.coefficients is not None
    variables = (
        quality(target, fitted, held) | pictured(target, fitted.shown, held) | floors(target, name, budget, held)
    )
    variables["coefficient"] = (("number", "channel"), fitted.coefficients, "coefficients of the fit")
    variables["side"] = (("grid",), np.array(fitted.sides), "coefficients along an axis")
    number = np.arange(len(fitted.coefficients))
    coordinates = axes_of(target) | PART | SEEN | {"number": (("number",), number, "coefficient")}
    coordinates["grid"] = (("grid",), np.arange(len(fitted.sides)), "grid")
    return results.dataset(variables, coordinates, told(target) | {"method": name})
