"""Fits of signals at equal numbers: closed forms with proved limits, trained grids, and quality on samples not seen."""

from workbench.shapes.fits.compare import compare_fits
from workbench.shapes.fits.empty import Emptiness, check_empty, prove_empty
from workbench.shapes.fits.fit import best_linear_fit, fit_signal
from workbench.shapes.fits.grammar import Formula, parse_formula
from workbench.shapes.fits.methods import FITS
from workbench.shapes.fits.order import approximation_order, approximation_orders
from workbench.shapes.fits.report import fits_report
from workbench.shapes.fits.signals import SIGNALS, Signal, signal

__all__ = [
    "FITS",
    "SIGNALS",
    "Emptiness",
    "Formula",
    "Signal",
    "approximation_order",
    "approximation_orders",
    "best_linear_fit",
    "check_empty",
    "compare_fits",
    "fit_signal",
    "fits_report",
    "parse_formula",
    "prove_empty",
    "signal",
]
