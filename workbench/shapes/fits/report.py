"""What the page shows of a signal: the fit by one method beside the closed forms with as many numbers, and proofs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from workbench import checks, results
from workbench.progress import Progress
from workbench.shapes.fits.empty import cell_signs, range_on_box, rounded_down
from workbench.shapes.fits.fit import (
    PART,
    SEEN,
    as_displayed,
    axes_of,
    floors,
    gradient_defect,
    part_errors,
    pictured,
    psnr,
    quality,
    told,
    training_curve,
)
from workbench.shapes.fits.methods import FITS, STOPPINGS, Fitted, checked_budget, checked_method
from workbench.shapes.fits.signals import AXES, Signal, centres
from workbench.shapes.fits.signals import signal as as_signal

RIVALS = ("linear", "metric", "bspline", "pspline")
BOX = (-0.15, -0.15, -0.15, 0.15, 0.15, 0.15)
"""The box that is asked about where a distance is fitted: low x, y, z, then high."""


@results.experiment
def fits_report(
    signal: str | ArrayLike | Signal = "temple",
    method: str = "bspline",
    parameters: int = 5808,
    *,
    size: int | None = None,
    held_out: float | str = 0.5,
    steps: int = 300,
    stopping: str = "last",
    seed: int = 0,
    box: Sequence[float] = BOX,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Fit a signal by a method and by the closed forms of as many numbers, and bound what training can reach.

    Returns what :func:`workbench.shapes.fit_signal` does, and over rival (linear grid, metric grids, cubic and
    smoothing splines, and the method) ``rival_psnr`` with part, ``rival_seconds`` and ``rival_numbers``;
    ``psnr_limit``, the proved most of the three metric grids with a linear head, on the training samples and on all. Of
    a signed distance also ``node_value`` of the linear grid, the proved ``cell_sign`` of its middle layer, the shares
    proved, and for ``box`` (low x, y, z, high x, y, z) ``box_sign`` and ``box_least``: 0 where the fit has zeros in it.
    Raises ``ValueError`` as :func:`fit_signal`. Cost: a second for the closed forms, with 5808 numbers.

    >>> ds = fits_report("sine", "linear", 24, size=200)
    >>> ds.rival.values.tolist(), bool(ds.rival_psnr[0, 1] > 40)
    (['linear', 'metric', 'bspline', 'pspline'], True)
    """
    target = as_signal(signal, size)
    chosen, budget = checked_method(method), checked_budget(parameters)
    chosen_stop = checks.choice("stopping", stopping, STOPPINGS)
    ends = checks.finite_array("box", box, ndim=1)
    if len(ends) != 6 or not all(-1 <= a < b <= 1 for a, b in zip(ends[:3], ends[3:], strict=True)):
        raise ValueError(f"box must be low x, y, z, high x, y, z with −1 ≤ low < high ≤ 1, got {ends.tolist()}")
    rivals = [*RIVALS, *([chosen] if chosen not in RIVALS else [])]
    for name in rivals:
        FITS[name].fact("sizes")(target, budget)  # refuses too few numbers before any work
    progress = progress or Progress()
    rng = checks.generator(seed)
    held = target.held(held_out, rng)
    start = int(rng.integers(2**31))
    made: dict[str, Fitted] = {}

    def fitted(name: str) -> Fitted:
        if name not in made:
            settings = {"steps": steps, "seed": start, "stopping": chosen_stop, "progress": progress}
            made[name] = FITS[name](target, ~held, budget, **settings)
        return made[name]

    own = fitted(chosen)
    variables = quality(target, own, held) | pictured(target, own.shown, held)
    coordinates = axes_of(target) | PART
    if own.step.size:
        variables |= training_curve(target, own)
        coordinates["step"] = (("step",), own.step, "step")
    attrs = told(target) | {"method": chosen, "method_label": FITS[chosen].label}
    progress.publish(
        results.stamp(
            results.unfinished(
                _dataset(target, variables | _rivals(target, {chosen: own}, held), coordinates, [chosen], attrs),
                "the other families",
            ),
            "workbench.shapes.fits_report",
            {"method": chosen, "parameters": budget, "seed": seed},
        )
    )
    for name in rivals:
        fitted(name)
    variables |= _rivals(target, {name: made[name] for name in rivals}, held)
    variables |= floors(target, "metric", budget, held)
    coordinates |= SEEN
    if target.kind == "distance":
        more, axes = _proofs(target, made["linear"], made["bspline"], own, ends)
        variables |= more
        coordinates |= axes
    progress.update(1, 1, "done")
    return _dataset(target, variables, coordinates, rivals, attrs)


def _dataset(
    target: Signal,
    variables: dict[str, Any],
    coordinates: dict[str, Any],
    rivals: list[str],
    attrs: dict[str, Any],
) -> xr.Dataset:
    return results.dataset(variables, coordinates | {"rival": (("rival",), rivals, "family")}, attrs)


def _rivals(target: Signal, made: dict[str, Fitted], held: np.ndarray) -> dict[str, Any]:
    errors = [part_errors(target, fit.shown, held) for fit in made.values()]
    displayed = [part_errors(target, as_displayed(target, fit.shown), held) for fit in made.values()]
    ratio, shown = ([[psnr(v, target.span) for v in row] for row in many] for many in (errors, displayed))
    one = ("rival",)
    return {
        "rival_psnr": (("rival", "part"), np.array(ratio), "peak signal-to-noise ratio", "dB"),
        "rival_displayed": (("rival", "part"), np.array(shown), "the ratio of what a screen shows", "dB"),
        "rival_seconds": (one, np.array([fit.seconds for fit in made.values()]), "processor time of the fit", "s"),
        "rival_numbers": (one, np.array([fit.parameters for fit in made.values()]), "numbers of the fit"),
        "rival_label": (one, np.array([FITS[name].label for name in made]), "family"),
    }


def _proofs(
    target: Signal, linear: Fitted, cubic: Fitted, own: Fitted, box: np.ndarray
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is proved of the grid fits of a distance, and the eikonal defects."""
    assert linear.coefficients is not None
    assert cubic.coefficients is not None
    side, d = linear.sides[0], target.dimension
    grid = linear.coefficients[:, 0].reshape((side,) * d)
    least, most = range_on_box(grid, box[:3], box[3:])
    sign = 1 if least > 0 else -1 if most < 0 else 0
    signs = cell_signs(linear.coefficients[:, 0], linear.sides, d, "linear")
    proved = [float(np.mean(signs != 0))]
    proved.append(float(np.mean(cell_signs(cubic.coefficients[:, 0], cubic.sides, d, "bspline") != 0)))
    defects = [float(gradient_defect(target, v).mean()) for v in (own.shown, linear.shown, target.values)]
    middles = centres(side - 1)
    cells = ("cell_row", "cell_column")
    variables = {
        "node_value": (("node",), linear.coefficients[:, 0], "values of the linear grid at its nodes"),
        "node_side": ((), side, "nodes along an axis"),
        "cell_sign": (cells, signs[(side - 1) // 2], "proved sign of the linear grid in its middle layer"),
        "proved_share": (("proved",), np.array(proved), "share of cells where a sign is proved"),
        "eikonal": (("whose",), np.array(defects), "mean of | |∇f| − 1 |"),
        "box": (("end",), box, "the box: low x, y, z, high x, y, z"),
        "box_sign": ((), sign, "proved sign on the box; 0: the fit has a zero there"),
        "box_least": ((), rounded_down(min(abs(least), abs(most))) if sign else 0.0, "|f| is at least this on the box"),
        "box_range": (("extreme",), np.array([float(least), float(most)]), "extremes on the box"),
    }
    coordinates = {
        "node": (("node",), np.arange(grid.size), "node, x fastest"),
        "cell_row": (("cell_row",), middles, "y"),
        "cell_column": (("cell_column",), middles, "x"),
        "proved": (("proved",), ["linear", "bspline"], "grid"),
        "whose": (("whose",), ["fit", "linear grid", "signal"], "whose"),
        "end": (("end",), [f"{word} {name}" for word in ("low", "high") for name in "xyz"], "end"),
        "extreme": (("extreme",), ["least", "most"], "extreme"),
    }
    assert AXES[d][-1] == "column"
    return variables, coordinates
