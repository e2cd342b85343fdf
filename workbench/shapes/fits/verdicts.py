"""What the paper on MetricGrids claims, and what fits at equal numbers find.

The paper was read in its abstract and in its released code for pictures and distances; its tables were not obtained. It
reports the ratio on the pixels that were fitted; here half of the pixels are held out. All differences are means over
photographs and seeds of pairs that saw the same pixels, with twice their standard error.
"""

import numpy as np
import xarray as xr

from workbench import data
from workbench.verdicts import Claim, Numbers, Rule, above, at_least, below

FRONTIER, LONGER, STOPPED, ORDERS = (f"shapes/fits_{name}.nc" for name in ("frontier", "longer", "stopped", "orders"))
BUDGET = 5808


def _difference(study: xr.Dataset, one: str, other: str, part: str) -> tuple[float, float]:
    """Return the mean of the paired differences in dB at the largest budget, and twice its standard error."""
    ratio = study.psnr.sel(part=part).isel(budget=-1)
    gap = (ratio.sel(fit=one) - ratio.sel(fit=other)).values.ravel()
    return float(gap.mean()), float(2 * gap.std(ddof=1) / np.sqrt(gap.size))


def _pair(one: str, other: str, shipped: str = FRONTIER) -> Numbers:
    study = data.result(shipped)
    seen, seen_error = _difference(study, one, other, "training")
    unseen, unseen_error = _difference(study, one, other, "held out")
    seconds = study.fit_seconds.isel(budget=-1).mean(("signal", "run"))
    return {
        "seen": seen,
        "seen_error": seen_error,
        "unseen": unseen,
        "unseen_error": unseen_error,
        "times": float(seconds.sel(fit=one) / seconds.sel(fit=other)),
        "pairs": study.sizes["signal"] * study.sizes["run"],
    }


def published() -> Numbers:
    """Compare MetricGrids as published with a hash grid and a ReLU decoder."""
    return _pair("metricgrids", "hash")


def grids_with_sines() -> Numbers:
    """Compare three metric grids with one, both under the paper's decoder."""
    return _pair("metricgrids", "hash-sine")


def grids_with_relu() -> Numbers:
    """Compare three metric grids with one, both under a ReLU decoder."""
    return _pair("metric-relu", "hash")


def splines() -> Numbers:
    """Compare MetricGrids with a smoothing spline grid in closed form."""
    return _pair("metricgrids", "pspline")


def splines_longer() -> Numbers:
    """Make that comparison with a longer training."""
    return _pair("metricgrids", "pspline", LONGER)


def splines_stopped() -> Numbers:
    """Make it with trainings that are stopped where samples kept apart like them best."""
    return {**_pair("metricgrids", "pspline", STOPPED), **_kept()}


def published_stopped() -> Numbers:
    """Compare MetricGrids as published with a hash grid, both stopped where they are best."""
    return {**_pair("metricgrids", "hash", STOPPED), **_kept()}


def _kept() -> dict[str, float]:
    """Return the middle step that was kept, and what stopping gains on unseen pixels."""
    stopped, last = data.result(STOPPED), data.result(LONGER)
    unseen = [one.psnr.sel(part="held out", fit="metricgrids") for one in (stopped, last)]
    return {
        "kept": float(stopped.kept_step.sel(fit="metricgrids").median()),
        "gain": float((unseen[0] - unseen[1]).mean()),
    }


def order() -> Numbers:
    """Read the order of the metric grids, and their error beside one grid and cubic splines, on smooth functions."""
    ds = data.result(ORDERS).sel(function=["sine", "chirp", "runge"])
    log = np.log(ds.error.sel(size=slice(96, None)))
    worse = np.exp((log.sel(fit="metric") - log.sel(fit="linear")).mean("size")).values
    cubic = np.exp((log.sel(fit="metric") - log.sel(fit="bspline")).mean("size")).values
    return {
        "order": float(ds.order.sel(fit="metric").max()),
        "splines": float(ds.order.sel(fit="bspline").min()),
        "worse_least": float(worse.min()),
        "worse_most": float(worse.max()),
        "cubic": float(cubic.min()),
    }


def limit() -> Numbers:
    """Read how near a training comes to the proved limit of a linear grid, and whether any passes it."""
    ds = data.result(FRONTIER)
    gap = (ds.psnr_limit - ds.psnr.sel(fit="linear-adam", part="training")).values
    return {"least": float(gap.min()), "mean": float(gap.mean()), "trainings": gap.size}


_TOLD = (
    "{seen:+.2f} ± {seen_error:.2f} dB on pixels seen and {unseen:+.2f} ± {unseen_error:.2f} dB on unseen ones at "
    "equal numbers ({pairs} pairs), in {times:.3g} times the time."
)
_STOPPED = (
    "{unseen:+.2f} ± {unseen_error:.2f} dB on unseen pixels ({pairs} pairs), MetricGrids stopped at step {kept:.0f} of "
    "2,000 in the middle; that gains them {gain:.2f} dB there."
)
_WORDS = {
    "seen": "gain on seen pixels",
    "unseen": "gain on unseen pixels",
    "seen_error": "its error",
    "unseen_error": "its error there",
}
_UNSEEN = {name: _WORDS[name] for name in ("unseen", "unseen_error")}
_BOTH = above("seen", "seen_error") & above("unseen", "unseen_error")
_EITHER = above("seen", "seen_error") | above("unseen", "unseen_error")

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "MetricGrids fit better than a hash grid with a ReLU decoder (instant-NGP) of as many numbers.",
        published,
        _TOLD,
        Rule(_BOTH, partly=_EITHER),
        "shapes.compare_fits()",
        _WORDS,
    ),
    Claim(
        "The three metric grids themselves help, under the paper's decoder.",
        grids_with_sines,
        _TOLD,
        Rule(_BOTH, partly=_EITHER),
        "shapes.compare_fits()",
        _WORDS,
    ),
    Claim(
        "(Ablation.) They help under a ReLU decoder as well.",
        grids_with_relu,
        _TOLD,
        Rule(_BOTH, partly=_EITHER),
        "shapes.compare_fits()",
        _WORDS,
    ),
    Claim(
        "The metric grids approximate arbitrary nonlinear functions to higher order.",
        order,
        "The best fit by three metric grids has order {order:.2f} at most on smooth functions (cubic splines: "
        "{splines:.2f} or more), and errs {worse_least:.1f} to {worse_most:.1f} times as much as one uniform grid of "
        "as many numbers (means from 96 to 384), {cubic:.0f} times as much as cubic splines or more.",
        Rule(at_least("order", 2.5) & below("worse_most", 1), partly=at_least("order", 2.5)),
        "shapes.approximation_orders()",
        {"order": "the order of the metric grids", "worse_most": "their error over that of one grid"},
    ),
    Claim(
        "(Not in the paper.) On unseen pixels MetricGrids beat a smoothing spline grid in closed form.",
        splines,
        _TOLD,
        Rule(above("unseen", "unseen_error")),
        "shapes.compare_fits()",
        _UNSEEN,
    ),
    Claim(
        "(Not in the paper.) On unseen pixels they beat it after seven times as many steps.",
        splines_longer,
        _TOLD,
        Rule(above("unseen", "unseen_error")),
        "shapes.compare_fits(steps=2000)",
        _UNSEEN,
    ),
    Claim(
        "(Not in the paper.) They beat it when a tenth of the seen pixels says where to stop.",
        splines_stopped,
        _STOPPED,
        Rule(above("unseen", "unseen_error")),
        'shapes.compare_fits(steps=2000, stopping="best")',
        _UNSEEN,
    ),
    Claim(
        "(Not in the paper.) Stopped so, MetricGrids are better on unseen pixels than a hash grid with a ReLU decoder.",
        published_stopped,
        _STOPPED,
        Rule(above("unseen", "unseen_error")),
        'shapes.compare_fits(steps=2000, stopping="best")',
        _UNSEEN,
    ),
    Claim(
        "(Not in the paper.) No training of a linear grid passes its proved limit.",
        limit,
        "{trainings} trainings by Adam stay {least:.3f} dB or more below it, {mean:.2f} dB on average.",
        Rule(at_least("least", 0)),
        "shapes.compare_fits()",
        {"least": "the least distance to the limit, dB"},
    ),
)
