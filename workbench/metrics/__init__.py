"""The metrics room: find out what a yardstick sees, and what it is blind to.

>>> from workbench import metrics
>>> found = metrics.ranking([1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.3, 0.1])
>>> round(float(found.auroc[0]), 4), round(float(found.ap[0]), 4)
(0.8333, 0.8333)
"""

from workbench.metrics.rankings import (
    RANKING_SCORES,
    RankingReading,
    ap_range,
    binormal,
    binormal_truth,
    bootstrap,
    chance_ap,
    compare,
    interval_study,
    mend,
    ranking,
    ranking_confusions,
    ranking_invariances,
    ranking_report,
    read_rankings,
    repair_drift,
    repairs,
)

__all__ = [
    "RANKING_SCORES",
    "RankingReading",
    "ap_range",
    "binormal",
    "binormal_truth",
    "bootstrap",
    "chance_ap",
    "compare",
    "interval_study",
    "mend",
    "ranking",
    "ranking_confusions",
    "ranking_invariances",
    "ranking_report",
    "read_rankings",
    "repair_drift",
    "repairs",
]
