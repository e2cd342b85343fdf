"""What the paper claims and what our shipped runs say; numbers come from the files, outcomes from stated rules."""

import numpy as np
import xarray as xr

from workbench import data
from workbench.flows.bits import verdicts as bits
from workbench.flows.covariances.verdicts import CLAIMS as COVARIANCES
from workbench.flows.directed.verdicts import CLAIMS as DIRECTED
from workbench.flows.exact import verdicts as exact
from workbench.verdicts import Claim, Numbers, Rule, Verdict, at_least, at_most, below, judge, said_in, within

ERRORS = "flows.compare_estimators(repeats=200)"
PAPER = "flows.seed_experiment(n_directions=(10, 10, 10, 3, 10))"
VARIATES = ("lower-cv", "upper-cv")
PRINTED = 300.0
"""The size of the distances that the paper's table prints at step 3000."""


def verdicts() -> list[Verdict]:
    """Return the rows of the flows room's verdict table."""
    return judge(CLAIMS)


def _shipped(name: str) -> xr.Dataset:
    return data.result(f"flows/{name}.nc")


def _ratio(pair: str, estimator: str) -> float:
    return float(_shipped("errors").rmse_ratio.sel(pair=pair, estimator=estimator))


def variates_help() -> Numbers:
    """Compare the control variates' errors with Monte Carlo's, on centred clouds and on moved ones."""
    lower, upper = ([_ratio(pair, name) for pair in ("torus-cube", "translated")] for name in VARIATES)
    return {
        "lower": lower[0],
        "upper": upper[0],
        "lower_moved": lower[1],
        "upper_moved": upper[1],
        "centred": max(lower[0], upper[0]),
        "moved": max(lower[1], upper[1]),
    }


def variates_cost() -> Numbers:
    """Compare the time of one estimate."""
    ds = _shipped("errors")
    seconds = ds.seconds_per_draw.mean("pair")
    each = [float(seconds.sel(estimator=name) / seconds.sel(estimator="monte-carlo")) for name in VARIATES]
    return {"lower": each[0], "upper": each[1], "overhead": max(each)}


def flows_closer() -> Numbers:
    """Count the checkpoints at which both control variates are nearer to the target than Monte Carlo."""
    w2 = _shipped("paper").w2.mean("seed")
    plain = w2.sel(estimator="monte-carlo")
    nearer = (w2.sel(estimator=list(VARIATES)) < plain).all("estimator")
    first, last = int(w2.checkpoint[0]), int(w2.checkpoint[-1])
    names = {"monte_carlo": "monte-carlo", "lower": "lower-cv", "upper": "upper-cv", "orthogonal": "orthogonal"}
    at_first = {name: float(w2.sel(estimator=key, checkpoint=first)) for name, key in names.items()}
    ends = [float(w2.sel(estimator=key, checkpoint=last)) for key in ("monte-carlo", *VARIATES)]
    return {
        **at_first,
        "first": first,
        "last": last,
        "ends": ", ".join(f"{end:.1e}" for end in ends),
        "leads": int(nearer.sum()),
        "count": nearer.size,
    }


def squared_or_not() -> Numbers:
    """Compare W₂ and W₂² of plain Monte Carlo at the table's first step with the size of what is printed."""
    w2 = _shipped("paper").w2.sel(estimator="monte-carlo").isel(checkpoint=0)
    squared = float(w2.mean("seed"))
    return {"squared": squared, "root": float(np.sqrt(squared)), "step": int(w2.checkpoint), "printed": PRINTED}


def design() -> Numbers:
    """Compare the randomly rotated design's error with Monte Carlo's on three pairs."""
    pairs = {"cube": "torus-cube", "blobs": "sphere-two-blobs", "end": "near-convergence"}
    ratios = {name: _ratio(pair, "design") for name, pair in pairs.items()}
    return {**ratios, "worst": max(ratios.values()), "best": min(ratios.values())}


ESTIMATORS: tuple[Claim, ...] = (
    Claim(
        "Gaussian control variates reduce the error of the sliced Wasserstein distance.",
        variates_help,
        "RMSE ÷ Monte Carlo at L = 100: on centred shapes {lower:.2g} (lower) and {upper:.2g} (upper); where a "
        "translation dominates {lower_moved:.2g} and {upper_moved:.2g}.",
        Rule(below("centred", 0.9) & below("moved", 0.5), partly=below("moved", 0.5)),
        ERRORS,
        {"centred": "the larger ratio on centred shapes", "moved": "the larger one on moved shapes"},
    ),
    Claim(
        "They cost hardly more than plain Monte Carlo.",
        variates_cost,
        "One estimate takes {lower:.2f} (lower) and {upper:.2f} (upper) times as long (n = 2048, L = 100).",
        Rule(below("overhead", 1.5), partly=below("overhead", 3)),
        ERRORS,
        {"overhead": "the larger of the two"},
    ),
    Claim(
        "Flows driven by them are closer to the target at every step of the table.",
        flows_closer,
        "Both are closer than Monte Carlo at {leads} of {count} checkpoints. Exact W₂² at step {first}: Monte Carlo "
        "{monte_carlo:.1f}, lower {lower:.1f}, upper {upper:.1f}; three orthogonal directions {orthogonal:.1f}. At "
        "step {last}, in the limit cycle of a constant step: {ends}.",
        Rule(at_least("leads", "count"), partly=at_least("leads", "count", times=0.5)),
        PAPER,
        {"leads": "checkpoints where both are closer", "count": "checkpoints"},
    ),
    Claim(
        "The distances of the table are W₂.",
        squared_or_not,
        "At step {step} plain Monte Carlo stands at W₂ = {root:.1f}, W₂² = {squared:.0f}; the table prints numbers "
        "near {printed:.0f}.",
        Rule(within("root", "printed", "printed", times=0.1)),
        PAPER,
        {"root": "W₂", "printed": "printed"},
    ),
    Claim(
        "(Not in the paper.) A randomly rotated spherical design is the better estimator in three dimensions.",
        design,
        "RMSE ÷ Monte Carlo at L = 100: {cube:.2g} on torus → cube, {blobs:.2g} on sphere → two blobs, {end:.2g} near "
        "the end of a flow.",
        Rule(at_most("worst", 0.5), partly=below("best", 1)),
        ERRORS,
        {"worst": "the largest ratio", "best": "the smallest"},
    ),
)

CLAIMS: tuple[Claim, ...] = (
    *said_in("K. Nguyen and N. Ho, ICLR 2024, arXiv 2305.00402 (estimators)", ESTIMATORS),
    *said_in("arXiv 2301.04791 (directed slices)", DIRECTED),
    *said_in("arXiv 2504.00660 (covariances)", COVARIANCES),
    *said_in("arXiv 2401.12253 (sparse Newton iterations)", exact.CLAIMS),
    *said_in("arXiv 2104.15076 (climate in few bits)", bits.CLAIMS),
)
