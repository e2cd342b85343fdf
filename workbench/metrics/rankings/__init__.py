"""Rankings: AUROC and average precision, what each sees of a mistake, and what neither says.

McDermott, Zhang, Hansen, Angelotti, Gallifant, "A closer look at AUROC and AUPRC under class imbalance", NeurIPS 2024,
arXiv 2401.06091.
"""

from workbench.metrics.rankings.inputs import Sample, sample
from workbench.metrics.rankings.levels import Levels, levels
from workbench.metrics.rankings.ranking import ranking
from workbench.metrics.rankings.scores import RANKING_SCORES, chance_ap

__all__ = ["RANKING_SCORES", "Levels", "Sample", "chance_ap", "levels", "ranking", "sample"]
