"""The frame of the metrics room."""

from typing import Any

from workbench import metrics
from workbench.figures import metrics as figures
from workbench.metrics.rankings.examples import binormal
from workbench.ui.kit.room import Room
from workbench.ui.metrics.drift import DriftView
from workbench.ui.metrics.rankings import RankingsView
from workbench.ui.metrics.signal_data import PhotographsView, SignalPointsView
from workbench.ui.metrics.signals import SignalsView


class MetricsRoom(Room):
    """Find out what a yardstick sees and what it is blind to."""

    slug = "metrics"
    paper = (
        "After M. McDermott et al., “A closer look at AUROC and AUPRC under class imbalance”, NeurIPS 2024, arXiv "
        "2401.06091 (rankings), and “Information-estimation metric”, arXiv 2510.02514 (signals)."
    )
    view_classes = (RankingsView, DriftView, SignalsView, SignalPointsView, PhotographsView)

    @classmethod
    def thumbnail(cls) -> Any:
        """Return both curves of a ranking with rare positives."""
        return figures.roc_and_pr(metrics.ranking(*binormal(2000, prevalence=0.05)))
