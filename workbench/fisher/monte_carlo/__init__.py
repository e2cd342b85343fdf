"""Cluster Monte Carlo for models without an exact solution: samplers, unbiased estimators, error bars."""

from workbench.fisher.monte_carlo.autocorrelation import autocorrelation, blocked_error, integrated_time
from workbench.fisher.monte_carlo.growth import Cells, growth_dataset
from workbench.fisher.monte_carlo.live import live_curvature
from workbench.fisher.monte_carlo.models import MODELS, Model
from workbench.fisher.monte_carlo.run import Run, monte_carlo_curvature
from workbench.fisher.monte_carlo.samplers import ALGORITHMS, Chain
from workbench.fisher.monte_carlo.survey import monte_carlo_survey
from workbench.fisher.monte_carlo.trace import sampled_trace_norm

__all__ = [
    "ALGORITHMS",
    "MODELS",
    "Cells",
    "Chain",
    "Model",
    "Run",
    "autocorrelation",
    "blocked_error",
    "growth_dataset",
    "integrated_time",
    "live_curvature",
    "monte_carlo_curvature",
    "monte_carlo_survey",
    "sampled_trace_norm",
]
