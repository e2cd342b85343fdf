"""Climate in few bits: exact rounding, models, cycles, a test by whole runs (arXiv 2104.15076, as far as it was read).

>>> from workbench import flows
>>> flows.find_cycle("lorenz63", 10, (1, 2, 20)).period
1786
"""

from workbench.flows.bits.climate_test import RoundingTest, detectable_shift, holm, rounding_test
from workbench.flows.bits.cycles import Cycle, find_cycle
from workbench.flows.bits.joint_test import joint_rounding_test
from workbench.flows.bits.models import MODELS
from workbench.flows.bits.own_runs import read_runs
from workbench.flows.bits.rounding import ROUNDINGS, round_to
from workbench.flows.bits.runs import low_precision_run
from workbench.flows.bits.soil import soil_column, soil_deviation, soil_exact, stagnation_profile, stagnation_threshold
from workbench.flows.bits.studies import compare_runs, equivalent_change, precision_climate, precision_sweep

__all__ = [
    "MODELS",
    "ROUNDINGS",
    "Cycle",
    "RoundingTest",
    "compare_runs",
    "detectable_shift",
    "equivalent_change",
    "find_cycle",
    "holm",
    "joint_rounding_test",
    "low_precision_run",
    "precision_climate",
    "precision_sweep",
    "read_runs",
    "round_to",
    "rounding_test",
    "soil_column",
    "soil_deviation",
    "soil_exact",
    "stagnation_profile",
    "stagnation_threshold",
]
