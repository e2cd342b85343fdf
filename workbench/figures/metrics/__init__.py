"""Figures of the metrics room, a module for each family."""

from typing import Any

from workbench.figures.metrics.rankings import (
    HANDLE,
    extreme_orders,
    mistake_gains,
    models_compared,
    nothing_to_show,
    prevalence_curve,
    range_of_ap,
    ranking_strip,
    roc_and_pr,
)
from workbench.figures.metrics.rankings_studies import (
    RULE_LABELS,
    SETUP_LABELS,
    blind_bars,
    drift_curves,
    drift_ends,
    interval_coverage,
    invariance_map,
    replicate_spread,
)
from workbench.figures.metrics.rewards import (
    bound_spread,
    distance_bars,
    fooling_curves,
    map_cell,
    pair_maps,
    regret_cone,
    regret_correlation_bars,
    return_polygon,
    reward_maps,
)

FIGURES = {
    "ranking": roc_and_pr,
    "ranking_report": roc_and_pr,
    "repairs": mistake_gains,
    "ap_range": extreme_orders,
    "compare": models_compared,
    "bootstrap": replicate_spread,
    "repair_drift": drift_curves,
    "interval_study": interval_coverage,
    "ranking_invariances": invariance_map,
    "ranking_confusions": blind_bars,
    "grid_rewards": return_polygon,
    "reward_distances": return_polygon,
    "reward_invariances": invariance_map,
    "reward_blindness": invariance_map,
    "regret_correlations": regret_correlation_bars,
    "regret_bounds": bound_spread,
    "fooled_distances": fooling_curves,
}
STUDIES: dict[str, Any] = {}

__all__ = [
    "FIGURES",
    "HANDLE",
    "RULE_LABELS",
    "SETUP_LABELS",
    "STUDIES",
    "blind_bars",
    "bound_spread",
    "distance_bars",
    "drift_curves",
    "drift_ends",
    "extreme_orders",
    "fooling_curves",
    "interval_coverage",
    "invariance_map",
    "map_cell",
    "mistake_gains",
    "models_compared",
    "nothing_to_show",
    "pair_maps",
    "prevalence_curve",
    "range_of_ap",
    "ranking_strip",
    "regret_cone",
    "regret_correlation_bars",
    "replicate_spread",
    "return_polygon",
    "reward_maps",
    "roc_and_pr",
]
