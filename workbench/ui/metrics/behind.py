"""The studies behind the verdicts of this room."""

from workbench.figures import metrics as figures
from workbench.ui.kit.shipped import Shipped, ShippedView, choice_of

SHELF = (
    Shipped("metrics/rewards_correlations.nc", "Rewards: what follows the regret", figures.regret_correlation_bars),
    Shipped("metrics/rewards_bounds.nc", "Rewards: regret over distance in small worlds", figures.bound_spread),
    Shipped("metrics/rewards_fooled.nc", "Rewards: pairs that fool each distance", figures.fooling_curves),
    Shipped("metrics/rankings_intervals.nc", "Rankings: do the intervals cover?", figures.interval_coverage),
    Shipped("metrics/signals_masking.nc", "Signals: noise on patches of rising contrast", figures.masking),
    Shipped("metrics/signals_digits.nc", "Signals: recognising digits", figures.recognition),
    Shipped("metrics/spectra_coverage.nc", "Spectra: do the error bars of α cover?", figures.coverage_of_bars),
    Shipped("metrics/spectra_unlearned.nc", "Spectra: layers that never learned", figures.erg_against_alpha),
)  # fmt: skip


class MetricsBehindView(ShippedView):
    """What the verdicts on yardsticks rest on."""

    shelf = SHELF
    chosen = choice_of(SHELF)
