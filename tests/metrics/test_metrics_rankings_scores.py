"""AUROC and AP against brute force over pairs, exact fractions and scikit-learn."""

from fractions import Fraction

import pytest

from workbench import metrics
from workbench.metrics.rankings.examples import binormal


def by_pairs(y, scores):
    """AUROC over all pairs and AP at the ends of the levels, in exact fractions."""
    up = [s for s, one in zip(scores, y, strict=True) if one]
    down = [s for s, one in zip(scores, y, strict=True) if not one]
    pairs = sum(Fraction(2 * (a > b) + (a == b), 2) for a in up for b in down)
    precisions = []
    for s in up:
        true, fired = sum(a >= s for a in up), sum(a >= s for a in scores)
        precisions.append(Fraction(true, fired))
    return pairs / (len(up) * len(down)), sum(precisions, Fraction(0)) / len(up)


@pytest.mark.parametrize("decimals", [None, 1, 0])
@pytest.mark.parametrize("seed", range(5))
def test_both_scores_equal_brute_force_in_fractions(decimals, seed):
    y, scores = binormal(60, prevalence=0.3, separation=1.0, seed=seed)
    scores = scores if decimals is None else scores.round(decimals)
    found = metrics.ranking(y, scores).isel(part=0)
    auroc, ap = by_pairs(y, scores.tolist())
    assert float(found.auroc) == float(auroc)
    assert float(found.ap) == pytest.approx(float(ap), abs=2e-16)
