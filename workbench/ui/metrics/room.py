"""The frame of the metrics room."""

from typing import Any

from workbench import metrics
from workbench.figures import metrics as figures
from workbench.metrics.rankings.examples import binormal
from workbench.ui.kit.room import Room
from workbench.ui.metrics.behind import MetricsBehindView
from workbench.ui.metrics.confusion import ConfusionView
from workbench.ui.metrics.drift import DriftView
from workbench.ui.metrics.embeddings import EmbeddingsView, ZeroShotView
from workbench.ui.metrics.rankings import RankingsView
from workbench.ui.metrics.regret_proof import RegretCheckView
from workbench.ui.metrics.rewards import RewardsView
from workbench.ui.metrics.signal_data import PhotographsView, SignalPointsView
from workbench.ui.metrics.signals import SignalsView
from workbench.ui.metrics.spectra import SpectraView


class MetricsRoom(Room):
    """Find out what a yardstick sees and what it is blind to."""

    slug = "metrics"
    view_classes = (
        RankingsView,
        DriftView,
        RewardsView,
        RegretCheckView,
        SignalsView,
        SignalPointsView,
        PhotographsView,
        SpectraView,
        EmbeddingsView,
        ZeroShotView,
        ConfusionView,
        MetricsBehindView,
    )

    @classmethod
    def thumbnail(cls) -> Any:
        """Return both curves of a ranking with rare positives."""
        return figures.roc_and_pr(metrics.ranking(*binormal(2000, prevalence=0.05)))
