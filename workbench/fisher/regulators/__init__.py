"""Good regulators put to the test: regimes of learning read from a Fisher matrix, and what learners really want.

After M. Zhuravlev, arXiv 2603.09067: :func:`regimes` is the paper's recipe, :func:`optimal_damping` its law and the
general one, :func:`measured_convergence` what gradient descent does, :func:`in_chart` what depends on the parameters,
:func:`torus_regimes` the recipe along the exact Ising torus, :func:`regulator_report` all of it at once. The reading of
α as quantum or classical is a conjecture, as the author says, and nothing here tests it.
"""

from workbench.fisher.regulators.damping import (
    CONVERGENCE_MODELS,
    alpha_of,
    beta_of,
    damping_threshold,
    optimal_damping,
)
from workbench.fisher.regulators.files import RegulatorReading, read_regulator
from workbench.fisher.regulators.landscape import phase_diagram, torus_regimes
from workbench.fisher.regulators.learning import LEARNER_LOSSES, STEP_RULES, measured_convergence
from workbench.fisher.regulators.regimes import gaussian_charts, in_chart, regimes
from workbench.fisher.regulators.report import REGULATOR_SOURCES, regulator_report
from workbench.fisher.regulators.spectra import digits_metric, graph_metric, torus_spectrum
from workbench.fisher.regulators.study import regulator_study

__all__ = [
    "CONVERGENCE_MODELS",
    "LEARNER_LOSSES",
    "REGULATOR_SOURCES",
    "STEP_RULES",
    "RegulatorReading",
    "alpha_of",
    "beta_of",
    "damping_threshold",
    "digits_metric",
    "gaussian_charts",
    "graph_metric",
    "in_chart",
    "measured_convergence",
    "optimal_damping",
    "phase_diagram",
    "read_regulator",
    "regimes",
    "regulator_report",
    "regulator_study",
    "torus_regimes",
    "torus_spectrum",
]
