"""Signals: the information-estimation metric, a distance that reads the density of what is compared.

G. Ohayon et al., "Learning a distance measure from the information-estimation geometry of data", arXiv 2510.02514. Two
points pass through one noise of every size, and their distance is how differently the best denoiser errs on them. For a
Gaussian it is Mahalanobis' distance.
"""

from workbench.metrics.signals.blind import signal_invariances
from workbench.metrics.signals.confusable import confusable_pairs
from workbench.metrics.signals.denoiser import Denoiser, denoiser_trial, learn_denoiser
from workbench.metrics.signals.distance import iem, information_balance
from workbench.metrics.signals.examples import SIGNAL_EXAMPLES, bumps, paper_mixture, transformed
from workbench.metrics.signals.features import iem_features, iem_matrix
from workbench.metrics.signals.fitting import fit_mixture, mixture_of, read_signals
from workbench.metrics.signals.handles import Drawn, as_lists, dragged, drawn, from_lists, handles, reweighted
from workbench.metrics.signals.mixture import Mixture
from workbench.metrics.signals.photographs import masking_study, photograph_mixture, photograph_study
from workbench.metrics.signals.pictures import DISTORTIONS, GreyPicture, as_grey, distorted, ssim
from workbench.metrics.signals.points import points_report
from workbench.metrics.signals.report import signal_report, signal_state
from workbench.metrics.signals.study import recognition_study
from workbench.metrics.signals.tensor import iem_geodesic, iem_tensor
from workbench.metrics.signals.yardsticks import SIGNAL_DISTANCES

__all__ = [
    "DISTORTIONS",
    "SIGNAL_DISTANCES",
    "SIGNAL_EXAMPLES",
    "Denoiser",
    "Drawn",
    "GreyPicture",
    "Mixture",
    "as_grey",
    "as_lists",
    "bumps",
    "confusable_pairs",
    "denoiser_trial",
    "distorted",
    "dragged",
    "drawn",
    "fit_mixture",
    "from_lists",
    "handles",
    "iem",
    "iem_features",
    "iem_geodesic",
    "iem_matrix",
    "iem_tensor",
    "information_balance",
    "learn_denoiser",
    "masking_study",
    "mixture_of",
    "paper_mixture",
    "photograph_mixture",
    "photograph_study",
    "points_report",
    "read_signals",
    "recognition_study",
    "reweighted",
    "signal_invariances",
    "signal_report",
    "signal_state",
    "ssim",
    "transformed",
]
