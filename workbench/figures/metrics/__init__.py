"""Figures of the metrics room, a module for each family."""

from typing import Any

from workbench.figures.metrics.rankings import roc_and_pr
from workbench.figures.metrics.spectra import (
    alpha_along_training,
    alpha_and_noise,
    coverage_of_bars,
    erg_against_alpha,
    hill_plot,
    layers_of_network,
    tail_of_spectrum,
    threshold_handle,
    threshold_valley,
)

FIGURES = {
    "score_layers": layers_of_network,
    "score_networks": erg_against_alpha,
    "spectrum_report": tail_of_spectrum,
    "tail_coverage": coverage_of_bars,
    "training_spectra": alpha_along_training,
    "unlearned_spectra": erg_against_alpha,
    "ranking": roc_and_pr,
}
STUDIES: dict[str, Any] = {}

__all__ = [
    "FIGURES",
    "STUDIES",
    "alpha_along_training",
    "alpha_and_noise",
    "coverage_of_bars",
    "erg_against_alpha",
    "hill_plot",
    "layers_of_network",
    "roc_and_pr",
    "tail_of_spectrum",
    "threshold_handle",
    "threshold_valley",
]
