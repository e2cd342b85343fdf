"""The fields room: learned vector fields, judged against the exact one.

>>> from workbench import fields
>>> field = fields.exact_field("gaussian", "two-blobs")
>>> field([[0.0, 0.0]], 0.0).shape
(1, 2)
"""

from workbench.fields.core.budget import error_budget
from workbench.fields.core.couplings import batch_bias, couple, matched
from workbench.fields.core.exact import COUPLINGS, ExactField, exact_field, geometric_mean
from workbench.fields.core.integrators import SOLVERS, Trajectory, integrate
from workbench.fields.core.irreducible import irreducible_loss
from workbench.fields.core.laws import LAWS, FiniteSample, GaussianMixture, gaussian, standard_gaussian
from workbench.fields.core.network import FieldNetwork, read_network
from workbench.fields.core.probe import field_distance
from workbench.fields.core.report import budget_study, field_report, training_study
from workbench.fields.core.shipped import shipped_network
from workbench.fields.core.training import train_field, trained_network
from workbench.fields.latent.codecs import CODECS
from workbench.fields.latent.counterexample import additive_counterexample
from workbench.fields.latent.dimension import best_dimension, dimension_study
from workbench.fields.latent.flow import latent_flow
from workbench.fields.latent.learners import LEARNERS, digits_law
from workbench.fields.population.gap import gap_of, population_gap
from workbench.fields.population.laws import Population, populations
from workbench.fields.population.methods import FIELDS, Known, predict
from workbench.fields.population.report import compare_populations, population_report
from workbench.fields.population.training import train_populations
from workbench.fields.sliced.generator import generator_study, train_generator

__all__ = [
    "CODECS",
    "COUPLINGS",
    "FIELDS",
    "LAWS",
    "LEARNERS",
    "SOLVERS",
    "ExactField",
    "FieldNetwork",
    "FiniteSample",
    "GaussianMixture",
    "Known",
    "Population",
    "Trajectory",
    "additive_counterexample",
    "batch_bias",
    "best_dimension",
    "budget_study",
    "compare_populations",
    "couple",
    "digits_law",
    "dimension_study",
    "error_budget",
    "exact_field",
    "field_distance",
    "field_report",
    "gap_of",
    "gaussian",
    "generator_study",
    "geometric_mean",
    "integrate",
    "irreducible_loss",
    "latent_flow",
    "matched",
    "population_gap",
    "population_report",
    "populations",
    "predict",
    "read_network",
    "shipped_network",
    "standard_gaussian",
    "train_field",
    "train_generator",
    "train_populations",
    "trained_network",
    "training_study",
]
