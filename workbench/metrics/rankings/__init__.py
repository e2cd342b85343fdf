"""Rankings: AUROC and average precision, what each sees of a mistake, and what neither says.

McDermott, Zhang, Hansen, Angelotti, Gallifant, "A closer look at AUROC and AUPRC under class imbalance", NeurIPS 2024,
arXiv 2401.06091.
"""

from workbench.metrics.rankings.blind import ranking_confusions, ranking_invariances
from workbench.metrics.rankings.drift import RULES, SETUPS, repair_drift
from workbench.metrics.rankings.examples import binormal, example, moved
from workbench.metrics.rankings.extremes import ap_range
from workbench.metrics.rankings.files import RankingReading, read_rankings
from workbench.metrics.rankings.group_repairs import group_repairs
from workbench.metrics.rankings.inputs import Sample, sample
from workbench.metrics.rankings.levels import Levels, levels
from workbench.metrics.rankings.mistakes import mend, repairs
from workbench.metrics.rankings.paired import compare
from workbench.metrics.rankings.ranking import ranking
from workbench.metrics.rankings.report import at_firing_rate, firing_rate_at, ranking_report
from workbench.metrics.rankings.resampling import bootstrap
from workbench.metrics.rankings.scores import RANKING_SCORES, chance_ap
from workbench.metrics.rankings.study import binormal_truth, interval_study

__all__ = [
    "RANKING_SCORES",
    "RULES",
    "SETUPS",
    "Levels",
    "RankingReading",
    "Sample",
    "ap_range",
    "at_firing_rate",
    "binormal",
    "binormal_truth",
    "bootstrap",
    "chance_ap",
    "compare",
    "example",
    "firing_rate_at",
    "group_repairs",
    "interval_study",
    "levels",
    "mend",
    "moved",
    "ranking",
    "ranking_confusions",
    "ranking_invariances",
    "ranking_report",
    "read_rankings",
    "repair_drift",
    "repairs",
    "sample",
]
