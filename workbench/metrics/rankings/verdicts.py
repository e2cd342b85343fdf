"""What is claimed of AUROC and AUPRC, and what holds. The paper's abstract, code and notebooks could be read."""

import numpy as np

from workbench.metrics.rankings.inputs import sample
from workbench.metrics.rankings.levels import levels
from workbench.metrics.rankings.scores import RANKING_SCORES
from workbench.verdicts import Claim, Numbers, Rule, at_most


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
        {"ap": "the difference for AP", "auroc": "that for AUROC without ties", "tied": "with ties"},
    ),
)
