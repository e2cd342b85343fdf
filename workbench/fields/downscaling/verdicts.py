"""What WassDiff claims of its regulariser, and what holds for Gaussian pixels and on the field whose law is known.

Of the paper only the abstract and the code could be read, and its data (radar rain over the United States) were not at
hand: its numbers stay open, its mechanism is judged.
"""

import math

import numpy as np
from scipy.stats import t as student

from workbench import data
from workbench.fields.core.laws import Floats
from workbench.fields.downscaling.field import MEAN, SPREAD
from workbench.fields.downscaling.gain import rain_quantile, wdr_inflation
from workbench.fields.downscaling.methods import WEIGHT
from workbench.verdicts import Claim, Numbers, Rule, above, at_most, below, outside, said_in

STUDY = "fields/downscaling.nc"
SCRIPT = "python data/make_fields_downscaling.py"
BATCH = 12
"""Of the paper's training."""
SMALL = 0.01
"""Relative error of a spread that nobody would mind."""


def _paired(values: Floats) -> tuple[float, float]:
    """Return the mean of paired differences and half its 95 % interval."""
    count = len(values)
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(count) * student.ppf(0.975, count - 1))


def direction() -> Numbers:
    """Return how the regulariser changes the 99.9 % rain of trained networks, paired over seeds."""
    ds = data.result(STUDY)
    one, score = ds.sel(downscaler="wdr"), ds.sel(downscaler="score-wdr")
    return {
        "difference": float(one.difference),
        "reach": float(one.reach),
        "low": float(one.difference - one.reach),
        "seeds": ds.sizes["seed"],
        "days": int(ds.days),
        "score": float(score.difference),
        "score_reach": float(score.reach),
        "gated": float(ds.difference.sel(downscaler="wdr-gated")),
    }


def benefit() -> Numbers:
    """Return how much nearer the exact tail and the exact law of pixels the regulariser brings a trained network."""
    ds = data.result(STUDY)
    plain, wdr, mapped = (ds.sel(downscaler=name) for name in ("diffusion", "wdr", "quantile-mapping"))
    tail, tail_reach = _paired(np.abs(wdr.log_exact.values) - np.abs(plain.log_exact.values))
    law, law_reach = _paired(wdr.wasserstein.values - plain.wasserstein.values)
    crps, crps_reach = _paired(wdr.crps.values - plain.crps.values)
    return {
        "tail": tail,
        "tail_reach": tail_reach,
        "tail_high": tail + tail_reach,
        "law": law,
        "law_reach": law_reach,
        "law_high": law + law_reach,
        "crps": crps,
        "crps_reach": crps_reach,
        "plain": float(plain.log_exact.mean()),
        "wdr": float(wdr.log_exact.mean()),
        "exact": float(ds.log_exact.sel(downscaler="exact").mean()),
        "mapped": float(mapped.log_exact.mean()),
        "plain_bias": float(plain.bias.mean()),
        "wdr_bias": float(wdr.bias.mean()),
        "seeds": ds.sizes["seed"],
    }


def spread() -> Numbers:
    """Return κ at the optimum of the paper's w by three samplers, large batches and the paper's, and the rain of it."""
    ode, sde, pc = (wdr_inflation(SPREAD, WEIGHT, sampler=name) for name in ("ode", "sde", "pc"))
    few_ode, few_pc = (wdr_inflation(SPREAD, WEIGHT, sampler=name, batch=BATCH) for name in ("ode", "pc"))
    return {
        "ode": ode,
        "sde": sde,
        "pc": pc,
        "few_ode": few_ode,
        "few_pc": few_pc,
        "batch": BATCH,
        "worst": max(ode, sde, pc, few_ode, few_pc) - 1,
        "own": few_pc - 1,
        "true": float(rain_quantile(MEAN, SPREAD, 0.999)),
        "made": float(rain_quantile(MEAN, SPREAD * ode, 0.999)),
    }


PAPER = (
    "Y. Liu et al., “Downscaling extreme precipitation with Wasserstein regularized diffusion”, arXiv 2410.00381 (of "
    "which the abstract and the code were read)"
)
CLAIMS = said_in(
    PAPER,
    (
        Claim(
            "A Wasserstein term in the loss makes a diffusion model produce heavier extremes of rain.",
            direction,
            "log of the 99.9 % rain changes by {difference:+.3f} ± {reach:.3f}, paired over {seeds} seeds on {days} "
            "fields (preconditioned networks; acting for σ < s/2 only {gated:+.3f}; in the paper's score form "
            "{score:+.3f} ± {score_reach:.3f})",
            Rule(above("low", 0.0), settled=outside("difference", 0.0, "reach")),
            SCRIPT,
            {"low": "the lower end of the 95 % interval", "difference": "the change", "reach": "half its interval"},
        ),
        Claim(
            "Samples are the better for it: their extremes and their law are nearer the truth.",
            benefit,
            "the distance of log q99.9 to the exact one changes by {tail:+.3f} ± {tail_reach:.3f}, W₁ of pixels by "
            "{law:+.2f} ± {law_reach:.2f} mm, CRPS by {crps:+.3f} ± {crps_reach:.3f} mm ({seeds} seeds; log-ratio "
            "{plain:+.3f} with w = 0, {wdr:+.3f} with w = 0.2, {exact:+.3f} with the exact score, {mapped:+.3f} with "
            "quantile mapping; bias {plain_bias:+.2f} and {wdr_bias:+.2f} mm)",
            Rule(
                below("tail_high", 0.0) & below("law_high", 0.0),
                partly=below("tail_high", 0.0),
                settled=outside("tail", 0.0, "tail_reach"),
            ),
            SCRIPT,
            {
                "tail_high": "the upper end of the interval of the tail",
                "law_high": "that of W₁",
                "tail": "the change of the tail",
                "tail_reach": "half its interval",
            },
        ),
        Claim(
            "Matching distributions in the loss leaves the spread of the samples right.",
            spread,
            "at its own optimum w = 0.2 multiplies the spread of a Gaussian pixel by {ode:.4f} with the "
            "probability-flow ODE (99.9 % rain {true:.0f} → {made:.0f} mm), by {sde:.4f} with the reverse SDE and by "
            "{pc:.4f} with the paper's predictor and corrector (large batch); with its batch of {batch} by "
            "{few_ode:.4f} (ODE) and {few_pc:.4f} (its own sampler); no condition",
            Rule(at_most("worst", SMALL), partly=at_most("own", SMALL)),
            "fields.wdr_inflation(0.2, 0.2, sampler='pc', batch=12)",
            {"worst": "the largest excess of all samplers", "own": "that of the paper's sampler with its batch"},
        ),
    ),
)
