"""The experiments of the steps room: each is one function that returns a Dataset, on digits or on data handed in."""

from workbench.steps.experiments.bottlenecks import bottlenecks
from workbench.steps.experiments.counterexamples import counterexamples
from workbench.steps.experiments.limits import limits, prediction_spread
from workbench.steps.experiments.r_sweep import sweep_radius, sweep_study
from workbench.steps.experiments.spike import spike, spike_table
from workbench.steps.experiments.spike_survival import spike_survival
from workbench.steps.experiments.taylor import taylor_orders
from workbench.steps.experiments.temperature import temperature_scaling
from workbench.steps.experiments.text_survival import text_survival
from workbench.steps.experiments.zeros_map import zeros_map

__all__ = [
    "bottlenecks",
    "counterexamples",
    "limits",
    "prediction_spread",
    "spike",
    "spike_survival",
    "spike_table",
    "sweep_radius",
    "sweep_study",
    "taylor_orders",
    "temperature_scaling",
    "text_survival",
    "zeros_map",
]
