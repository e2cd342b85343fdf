"""The yardsticks of a ranking, each one number read from its levels: AUROC, average precision, and their relatives.

AUROC = 1 − E₊[FPR] (a tie counts one half), AP = 1 − P(y = 0) E₊[FPR / P(score ≥ s₊)]: the same average over the
positives, weighted by one over the firing rate (McDermott et al., "A closer look at AUROC and AUPRC under class
imbalance", NeurIPS 2024, arXiv 2401.06091, theorem 1). "AUPRC" there is what scikit-learn calls average precision.
"""

import numpy as np
from numba import njit

from workbench.metrics.rankings.levels import Levels
from workbench.registry import Fact, Registry

MOST_FPR = 0.1
"""Up to which false positive rate the partial AUROC reads."""
LEAST_FPR = 1e-3
"""From which false positive rate the logarithmic AUROC reads."""
SAFE_PRODUCT = 2**61

RANKING_SCORES = Registry(
    "ranking score",
    facts={
        "symbol": Fact(str, says="how tables and axes call it"),
        "needs_counts": Fact(bool, says="whether it is defined only where every item counts once"),
    },
)
"""Name → a function of :class:`Levels` that returns one number; all are 1 for a perfect ranking."""


@RANKING_SCORES.add(
    "auroc",
    label="AUROC",
    symbol="AUROC",
    needs_counts=False,
    formula=r"1 - \mathrm{E}_{+}[\mathrm{FPR}]",
    reference="Mann & Whitney 1947; arXiv 2401.06091, theorem 1",
)
def auroc(found: Levels) -> float:
    """Return the probability that a positive stands above a negative, a tie counting one half.

    Without weights the count of pairs is exact, also beyond 2³¹ of them.

    >>> from workbench.metrics.rankings import levels, sample
    >>> auroc(levels(sample([1, 0, 1, 0], [3.0, 2.0, 2.0, 1.0])))
    0.875
    """
    total_p, total_n = found.positives.sum(), found.negatives.sum()
    if found.is_counted and int(total_p) * int(total_n) < SAFE_PRODUCT:
        return int(_twice_pairs(found.positives, found.negatives)) / (2 * int(total_p) * int(total_n))
    return float(_weighted_pairs(found.positives, found.negatives) / (float(total_p) * float(total_n)))


@RANKING_SCORES.add(
    "ap",
    label="AP: average precision (“AUPRC”)",
    symbol="AP",
    needs_counts=False,
    formula=r"1 - P(y{=}0)\,\mathrm{E}_{+}[\mathrm{FPR}/P(s \geq s_{+})]",
    reference="arXiv 2401.06091, theorem 1; sklearn.metrics.average_precision_score",
)
def average_precision(found: Levels) -> float:
    """Return the mean precision at the positives, each read at the end of its level, as scikit-learn does.

    >>> from workbench.metrics.rankings import levels, sample
    >>> round(average_precision(levels(sample([1, 0, 1, 0], [4.0, 3.0, 2.0, 1.0]))), 12)
    0.833333333333
    """
    return float(_average_precision(found.positives, found.negatives))


@RANKING_SCORES.add(
    "ap-tie-mean",
    label="AP, mean over the orders of ties",
    symbol="AP, tie mean",
    needs_counts=True,
    formula=r"\mathrm{E}_{\text{orders of ties}}[\mathrm{AP}]",
    reference="derived here",
)
def tie_averaged_precision(found: Levels) -> float:
    """Return the expected average precision when ties are broken at random, exactly.

    A level of n items, p of them positive, after r items with t positives adds
    Σ_j (p/n) (t + 1 + (j − 1)(p − 1)/(n − 1)) / (r + j), all over P.
    """
    return float(_tie_bracket(found.positives, found.negatives)[1])


@RANKING_SCORES.add(
    "pr-trapezoid",
    label="Trapezoids under the PR curve",
    symbol="PR trapezoids",
    needs_counts=False,
    formula=r"\sum_k (R_k - R_{k-1}) (P_k + P_{k-1})/2",
    reference="sklearn.metrics.auc(recall, precision); optimistic: Davis & Goadrich 2006",
)
def pr_trapezoid(found: Levels) -> float:
    """Return the area of trapezoids under the precision–recall points, which starts at precision 1 by convention.

    Straight lines between these points are not attainable by any threshold: the number is optimistic.
    """
    return float(_pr_trapezoid(found.positives, found.negatives))


@RANKING_SCORES.add(
    "partial-auroc",
    label="Partial AUROC, FPR ≤ 0.1",
    symbol="pAUROC",
    needs_counts=False,
    formula=r"\frac{1}{2}\left(1 + \frac{A - m}{M - m}\right)",
    reference="McClish 1989; sklearn.metrics.roc_auc_score(max_fpr=0.1)",
)
def partial_auroc(found: Levels) -> float:
    """Return the area under the ROC curve up to FPR = 0.1, scaled so that chance is 0.5 and perfect 1."""
    area = float(_roc_area(found.positives, found.negatives, 0.0, MOST_FPR, False))
    least, most = MOST_FPR**2 / 2, MOST_FPR
    return 0.5 * (1 + (area - least) / (most - least))


@RANKING_SCORES.add(
    "log-auroc",
    label="Logarithmic AUROC, FPR ≥ 0.001",
    symbol="log AUROC",
    needs_counts=False,
    formula=r"\frac{1}{3}\int_{0.001}^{1} \mathrm{TPR}\;d\log_{10}\mathrm{FPR}",
    reference="Mysinger & Shoichet 2010",
)
def log_auroc(found: Levels) -> float:
    """Return the mean of TPR over log₁₀ FPR from 0.001 to 1; straight lines of the ROC curve are integrated exactly."""
    return float(_roc_area(found.positives, found.negatives, LEAST_FPR, 1.0, True) / -np.log(LEAST_FPR))


def tie_bracket(found: Levels) -> tuple[float, float, float]:
    """Return AP with every level's negatives first, its mean over all orders, and with every level's positives first.

    The first and the last are the least and the greatest AP that breaking ties can give. Needs levels of counts.
    """
    low, mean, high = _tie_bracket(found.positives, found.negatives)
    return float(low), float(mean), float(high)


def chance_ap(positives: int, total: int) -> float:
    """Return the expected AP of a random order of ``total`` items: (P−1)/(N−1) + (H_N/N)(N−P)/(N−1).

    It lies above the prevalence P/N, most where N is small.

    >>> round(chance_ap(50, 1000), 15)
    0.056167364682205
    """
    harmonic = float(_harmonic(total))
    return (positives - 1) / (total - 1) + harmonic / total * (total - positives) / (total - 1)


# ---- kernels: positives and negatives of each level from the highest score down -------------------------------------
# Sums are compensated (Neumaier): a million terms then err by one rounding, not by a thousand.


@njit(cache=True, nogil=True)
def _added(total, lost, term):
    new = total + term
    lost += (total - new) + term if total >= term else (term - new) + total
    return new, lost


@njit(cache=True, nogil=True)
def _totals(p, n):
    total_p, total_n = 0.0, 0.0
    for g in range(len(p)):
        total_p += p[g]
        total_n += n[g]
    return total_p, total_n


@njit(cache=True, nogil=True)
def _harmonic(n):
    total, lost = 0.0, 0.0
    for k in range(n, 0, -1):
        term = 1.0 / k
        total, lost = _added(total, lost, term)
    return total + lost


@njit(cache=True, nogil=True)
def _twice_pairs(p, n):  # 2 U, exact
    above = np.int64(0)
    twice = np.int64(0)
    for g in range(len(p)):
        twice += n[g] * (2 * above + p[g])
        above += p[g]
    return twice


@njit(cache=True, nogil=True)
def _weighted_pairs(p, n):
    above, total, lost = 0.0, 0.0, 0.0
    for g in range(len(p)):
        term = n[g] * (above + 0.5 * p[g])
        total, lost = _added(total, lost, term)
        above += p[g]
    return total + lost


@njit(cache=True, nogil=True)
def _average_precision(p, n):
    true, fired, total, lost = 0.0, 0.0, 0.0, 0.0
    for g in range(len(p)):
        true += p[g]
        fired += p[g] + n[g]
        if p[g] > 0:
            term = p[g] * (true / fired)
            total, lost = _added(total, lost, term)
    return (total + lost) / true


@njit(cache=True, nogil=True)
def _tie_bracket(p, n):
    low, mean, high = 0.0, 0.0, 0.0
    t, r = 0.0, 0.0
    for g in range(len(p)):
        both = p[g] + n[g]
        if p[g] > 0:
            for j in range(1, p[g] + 1):
                low += (t + j) / (r + n[g] + j)
                high += (t + j) / (r + j)
            slope = (p[g] - 1.0) / (both - 1.0) if both > 1 else 0.0
            share = p[g] / both
            for j in range(1, both + 1):
                mean += share * (t + 1.0 + (j - 1) * slope) / (r + j)
        t += p[g]
        r += both
    return low / t, mean / t, high / t


@njit(cache=True, nogil=True)
def _pr_trapezoid(p, n):
    total_p, _ = _totals(p, n)
    true, fired, before, area = 0.0, 0.0, 1.0, 0.0
    for g in range(len(p)):
        true += p[g]
        fired += p[g] + n[g]
        precision = true / fired
        area += p[g] / total_p * 0.5 * (precision + before)
        before = precision
    return area


@njit(cache=True, nogil=True)
def _roc_area(p, n, low, high, logarithmic):  # under the ROC curve between two FPRs, against dx or dx/x
    total_p, total_n = _totals(p, n)
    true, false, area = 0.0, 0.0, 0.0
    for g in range(len(p)):
        x0, y0 = false / total_n, true / total_p
        if x0 >= high:
            break
        false += n[g]
        true += p[g]
        x1, y1 = false / total_n, true / total_p
        start, end = max(x0, low), min(x1, high)
        if end > start:  # the line y0 + slope (x − x0)
            slope = (y1 - y0) / (x1 - x0)
            if logarithmic:
                area += (y0 - slope * x0) * np.log(end / start) + slope * (end - start)
            else:
                area += (end - start) * (y0 + slope * (0.5 * (start + end) - x0))
    return area
