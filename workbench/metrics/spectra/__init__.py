"""Spectra: what the eigenvalues of a trained layer say of it without data, with nulls, error bars and blind spots.

C. H. Martin, C. Hinrichs, "SETOL: A Semi-Empirical Theory of (Deep) Learning", arXiv 2507.17912; the released package
is ``weightwatcher``.
"""

from workbench.metrics.spectra.blind import spectra_confusions, spectra_invariances
from workbench.metrics.spectra.erg import Erg, agreeing_share, erg, erg_of_pareto, pareto_limit
from workbench.metrics.spectra.files import read_network
from workbench.metrics.spectra.large import large_spectrum
from workbench.metrics.spectra.laws import TAILS, likelihood_ratio
from workbench.metrics.spectra.layers import Layer, Layers, layers_of
from workbench.metrics.spectra.noise import mp_erg, mp_mean_log, mp_quantile, tw1_cdf, tw1_quantile
from workbench.metrics.spectra.nulls import (
    EdgeTest,
    MatrixError,
    NoiseTail,
    edge_test,
    matrix_error,
    noise_tail,
)
from workbench.metrics.spectra.report import spectrum_report
from workbench.metrics.spectra.scores import SPECTRAL_SCORES, layer_spectra, score_layers
from workbench.metrics.spectra.spectrum import Spectrum, layer_spectrum
from workbench.metrics.spectra.studies import CASES, UNLEARNED, tail_coverage, unlearned_spectra
from workbench.metrics.spectra.table import score_networks
from workbench.metrics.spectra.tails import TailFit, exact_interval, tail_fit
from workbench.metrics.spectra.training import training_spectra

__all__ = [
    "CASES",
    "SPECTRAL_SCORES",
    "TAILS",
    "UNLEARNED",
    "EdgeTest",
    "Erg",
    "Layer",
    "Layers",
    "MatrixError",
    "NoiseTail",
    "Spectrum",
    "TailFit",
    "agreeing_share",
    "edge_test",
    "erg",
    "erg_of_pareto",
    "exact_interval",
    "large_spectrum",
    "layer_spectra",
    "layer_spectrum",
    "layers_of",
    "likelihood_ratio",
    "matrix_error",
    "mp_erg",
    "mp_mean_log",
    "mp_quantile",
    "noise_tail",
    "pareto_limit",
    "read_network",
    "score_layers",
    "score_networks",
    "spectra_confusions",
    "spectra_invariances",
    "spectrum_report",
    "tail_coverage",
    "tail_fit",
    "training_spectra",
    "tw1_cdf",
    "tw1_quantile",
    "unlearned_spectra",
]
