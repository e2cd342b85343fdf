"""What is claimed of AUROC and AUPRC, and what holds.

The paper's abstract, a figure's caption and its notebooks could be read, the final theorems could not; its review of
papers by language models and its fairness data are not repeated here.
"""

import numpy as np

from workbench import data
from workbench.metrics.rankings.blind import in_words
from workbench.metrics.rankings.examples import binormal
from workbench.metrics.rankings.extremes import ap_of, extremes
from workbench.metrics.rankings.inputs import sample
from workbench.metrics.rankings.levels import levels
from workbench.metrics.rankings.mistakes import neighbours
from workbench.metrics.rankings.scores import RANKING_SCORES, auroc, average_precision
from workbench.verdicts import Claim, Numbers, Rule, above, at_least, at_most, below, outside, within

DRIFT = "python data/make_metrics_rankings.py: metrics.repair_drift(seeds=400)"
INTERVALS = "python data/make_metrics_rankings.py: metrics.interval_study(samples=1000)"
COUNTER_EXAMPLE = [0] * 10 + [1] * 10 + [0, 1]
"""From the top: ten negatives, ten positives, one negative, one positive."""


def identities() -> Numbers:
    """Compare both scores with the paper's averages over the positives, with and without ties."""
    worst = {"auroc": 0.0, "ap": 0.0, "tied": 0.0}
    rng = np.random.default_rng(0)
    for rounded in (False, True):
        y = rng.random(2000) < 0.1
        scores = rng.normal(size=2000) + 1.5 * y
        scores = scores.round(1) if rounded else scores
        fired = np.array([np.mean(scores >= s) for s in scores[y]])
        false = np.array([np.mean(scores[~y] >= s) for s in scores[y]])
        found = levels(sample(y, scores))
        worst["ap"] = max(worst["ap"], abs(1 - np.mean(~y) * np.mean(false / fired) - RANKING_SCORES["ap"](found)))
        off = abs(1 - np.mean(false) - RANKING_SCORES["auroc"](found))
        worst["tied" if rounded else "auroc"] = off
    return worst


def equal_gains() -> Numbers:
    """Mend every neighbouring mistake of a sample and compare both gains with their formulas."""
    y, scores = binormal(400, prevalence=0.1, separation=1.5, seed=4)
    found = levels(sample(y, scores))
    mistakes = neighbours(found)
    off, gains = [], []
    for k, g in enumerate(mistakes.level):
        p, n = found.positives.copy(), found.negatives.copy()
        p[[g, g + 1]], n[[g, g + 1]] = p[[g + 1, g]], n[[g + 1, g]]
        mended = found._replace(positives=p, negatives=n)
        gains.append(auroc(mended) - auroc(found))
        off.append(abs(average_precision(mended) - average_precision(found) - mistakes.ap_gain[k]))
    return {"spread": float(np.ptp(gains)), "count": len(gains), "gain": float(gains[0]), "off": max(off)}


def falling_gains() -> Numbers:
    """Ask how often AP's gain falls from a mistake to the next, and how far a made order goes the other way."""
    shares, count = [], 0
    for seed in range(20):
        y, scores = binormal(2000, prevalence=0.1, separation=1.8, seed=seed)
        gain = neighbours(levels(sample(y, scores))).ap_gain
        shares.append(np.mean(np.diff(gain) <= 0))
        count += len(gain) - 1
    order = np.arange(len(COUNTER_EXAMPLE), 0, -1.0)
    made = neighbours(levels(sample(COUNTER_EXAMPLE, order)))
    return {
        "share": float(np.mean(shares)),
        "error": float(np.std(shares, ddof=1) / np.sqrt(len(shares))),
        "steps": count,
        "factor": float(made.ap_gain[1] / made.ap_gain[0]),
        "upper": int(made.rank[0]),
        "lower": int(made.rank[1]),
    }


def _end(file: str, setup: str, rule: str) -> tuple[float, float]:
    ds = data.result(f"metrics/{file}.nc").sel(setup=setup, rule=rule).isel(step=-1)
    return float(ds.gap_change), 1.96 * float(ds.gap_change_error)


def drift_in_their_setup() -> Numbers:
    """Compare the change of the gap after 50 repairs by AP and at random, at both AUROCs."""
    numbers: dict[str, float] = {}
    for name, file in (("strong", "rankings_drift_small"), ("weak", "rankings_drift_weak")):
        for rule in ("ap", "random"):
            numbers[f"{name}_{rule}"], numbers[f"{name}_{rule}_error"] = _end(file, "paper", rule)
    numbers["least"] = min(
        numbers[f"{name}_ap"] - numbers[f"{name}_ap_error"] - numbers[f"{name}_random"] for name in ("strong", "weak")
    )
    return numbers


def cause_of_drift() -> Numbers:
    """Change the prevalence alone, the score scale alone, and neither."""
    numbers: dict[str, float] = {}
    for setup in ("paper", "same-scale", "scale-only", "equal"):
        name = setup.replace("-", "_")
        numbers[name], numbers[f"{name}_error"] = _end("rankings_drift", setup, "ap")
    return numbers


def same_auroc() -> Numbers:
    """Give the range of AP at AUROC 0.9 for 10 positives among 100, and for equal classes."""
    numbers = {}
    for name, p, m in (("rare", 10, 90), ("even", 50, 50)):
        low, high, *_ = extremes(p, m, round(0.1 * p * m))
        numbers |= {f"{name}_low": ap_of(low), f"{name}_high": ap_of(high)}
        numbers[f"{name}_order"] = in_words(low, m)
    numbers["width"] = numbers["rare_high"] - numbers["rare_low"]
    return numbers


def released_rule() -> Numbers:
    """Compare the released notebook's rule (the topmost mistake) with the mistake that truly gains most AP."""
    ds = data.result("metrics/rankings_drift_small.nc").sel(setup="paper")
    ends = ds.isel(step=-1)
    return {
        "best_ap": float(ends.ap.sel(rule="ap")),
        "topmost_ap": float(ends.ap.sel(rule="topmost")),
        "best_gap": float(ends.gap_change.sel(rule="ap")),
        "topmost_gap": float(ends.gap_change.sel(rule="topmost")),
        "gap_error": 1.96 * float(ends.gap_change_error.sel(rule="topmost")),
        "off": abs(float(ends.gap_change.sel(rule="ap") - ends.gap_change.sel(rule="topmost"))),
    }


def error_bars() -> Numbers:
    """Hold formulas against the spread over samples, from 100 positives on and with 10."""
    ds = data.result("metrics/rankings_intervals.nc")
    many, few = ds.isel(size=slice(1, None)), ds.isel(size=0)
    ratio = many.formula / many.deviation
    return {
        "worst": float(abs(ratio - 1).max()),
        "coverage": float(many.coverage.min()),
        "few": int(few.positives),
        "few_coverage": float(few.coverage.sel(metric="ap")),
        "few_auroc": float(few.coverage.sel(metric="auroc")),
        "few_ratio": float((few.formula / few.deviation).sel(metric="ap")),
        "formula": float(many.formula.sel(metric="ap").isel(size=-1)),
        "deviation": float(many.deviation.sel(metric="ap").isel(size=-1)),
        "resampled": float(many.resampled.sel(metric="ap").isel(size=-1)),
    }


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "AUROC and AUPRC are one average over the positives of the false positive rate, AUPRC's weighted by one over "
        "the firing rate.",
        identities,
        "On 2,000 scores AP differs from the identity by {ap:.0e}, with ties or without, AUROC by {auroc:.0e} without "
        "ties. With ties the printed form loses half of every tied pair ({tied:.4f} here).",
        Rule(
            at_most("ap", 1e-12) & at_most("auroc", 1e-12) & at_most("tied", 1e-12),
            partly=at_most("ap", 1e-12) & at_most("auroc", 1e-12),
        ),
        "metrics.ranking(y, scores)",
        {"ap": "the difference for AP", "auroc": "that for AUROC without ties", "tied": "that for AUROC with ties"},
    ),
    Claim(
        "Mending any neighbouring mistake improves AUROC by the same amount.",
        equal_gains,
        "Each of {count} mistakes gains {gain:.3e}, all within {spread:.0e}; AP's formula (t + 1)/(P k (k + 1)) is off "
        "by {off:.0e} at most.",
        Rule(at_most("spread", 1e-12) & at_most("off", 1e-12)),
        "metrics.repairs(y, scores)",
        {"spread": "the spread of the gains", "off": "the error of AP's formula"},
    ),
    Claim(
        "AUPRC favours mending mistakes in descending order of score.",
        falling_gains,
        "In binormal samples {share:.1%} ± {error:.1%} of {steps} steps from a mistake to the next lose gain, not all. "
        "Of ten negatives, ten positives, a negative and a positive, rank {lower} gains {factor:.2f} times what rank "
        "{upper} does. It holds where recall over rank falls from mistake to mistake, as on a concave ROC curve.",
        Rule(at_least("share", 1) & at_most("factor", 1), partly=at_least("share", 0.9)),
        "metrics.repairs(y, scores)",
        {"share": "the share of falling steps", "factor": "the gain of the lower mistake over that of the upper"},
    ),
    Claim(
        "Mending by AUPRC favours the group of higher prevalence, by AUROC (at random) it does not.",
        drift_in_their_setup,
        "Two groups of 200 with scores scaled to prevalences 0.05 and 0.01, 50 repairs: the gap of AUROCs changes by "
        "{strong_ap:+.5f} ± {strong_ap_error:.5f} (at random {strong_random:+.5f} ± {strong_random_error:.5f}) at "
        "AUROC 0.85, by {weak_ap:+.5f} ± {weak_ap_error:.5f} ({weak_random:+.5f} ± {weak_random_error:.5f}) at 0.65.",
        Rule(above("least", 0.01), partly=above("least", 0)),
        DRIFT,
        {"least": "the lower end of what AP adds over random, the smaller of both AUROCs"},
    ),
    Claim(
        "The prevalence is what makes AUPRC favour a group.",
        cause_of_drift,
        "Two groups of 400, repairs by AP. Scores scaled to the prevalence: {paper:+.5f} ± {paper_error:.5f}. Only the "
        "prevalence differs: {same_scale:+.5f} ± {same_scale_error:.5f}. Only the score scale differs: "
        "{scale_only:+.5f} ± {scale_only_error:.5f}. Neither: {equal:+.5f} ± {equal_error:.5f}. The cause is the score "
        "scale; prevalence enters because calibrated scores carry it.",
        Rule(
            outside("same_scale", 0, "same_scale_error") & above("same_scale", "scale_only"),
            partly=above("same_scale", "same_scale_error"),
        ),
        DRIFT,
        {
            "same_scale": "the change with the prevalence alone",
            "same_scale_error": "its interval",
            "scale_only": "that with the scale alone",
        },
    ),
    Claim(
        "(The belief that the paper refutes.) Under class imbalance AUPRC tells what AUROC tells, only better.",
        same_auroc,
        "At AUROC 0.9 AP lies anywhere in [{rare_low:.4f}, {rare_high:.4f}] with 10 positives of 100 (the least: "
        "{rare_order}), and in [{even_low:.3f}, {even_high:.3f}] with equal classes: the two measure different things, "
        "and neither refutes the other.",
        Rule(below("width", 0.05)),
        "metrics.ap_range(10, 90, 0.9)",
        {"width": "the width of the range"},
    ),
    Claim(
        "(Of the released notebook.) Mending the topmost mistake is mending by AUPRC.",
        released_rule,
        "After 50 repairs AP is {topmost_ap:.4f} by the topmost and {best_ap:.4f} by the best mistake; the gap changes "
        "by {topmost_gap:+.4f} and {best_gap:+.4f} ± {gap_error:.4f}.",
        Rule(within("topmost_ap", "best_ap", 1e-9), partly=at_most("off", "gap_error", times=2)),
        DRIFT,
        {
            "topmost_ap": "AP by the topmost",
            "best_ap": "AP by the best",
            "off": "the difference of the gaps",
            "gap_error": "its interval",
        },
    ),
    Claim(
        "(Not in the paper.) The influence function gives AP an error bar without resampling.",
        error_bars,
        "From 100 positives on, formula and spread over 1,000 samples agree within {worst:.1%} and 95 % intervals hold "
        "at least {coverage:.1%} of the time; with 20,000 items of which 5 % are positive the error of AP is "
        "{formula:.5f} by formula, {deviation:.5f} over samples and {resampled:.5f} by one bootstrap. With {few} "
        "positives the interval of AP holds {few_coverage:.1%} of the time, DeLong's of AUROC {few_auroc:.1%}.",
        Rule(at_most("worst", 0.1) & at_least("coverage", 0.93), partly=at_least("coverage", 0.9)),
        INTERVALS,
        {"worst": "the largest difference", "coverage": "the smallest coverage"},
    ),
)
