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
from workbench.fields.downscaling.denoiser import train_denoiser
from workbench.fields.downscaling.field import exact_downscaler, rain
from workbench.fields.downscaling.gain import inflation_report, wdr_gain, wdr_inflation
from workbench.fields.downscaling.methods import DOWNSCALERS, downscale
from workbench.fields.downscaling.own import example_days, rain_report, read_rain
from workbench.fields.downscaling.scores import tail_scores
from workbench.fields.downscaling.study import downscaling_study
from workbench.fields.latent.codecs import CODECS
from workbench.fields.latent.counterexample import additive_counterexample
from workbench.fields.latent.dimension import best_dimension, dimension_study
from workbench.fields.latent.flow import codec_study, latent_flow
from workbench.fields.latent.learners import LEARNERS, digits_law
from workbench.fields.population.gap import gap_of, population_gap
from workbench.fields.population.laws import Population, populations
from workbench.fields.population.methods import FIELDS, Known, predict
from workbench.fields.population.own import own_population_report
from workbench.fields.population.report import compare_populations, population_report
from workbench.fields.population.tables import (
    PopulationTable,
    example_population_table,
    own_population_table,
    read_populations,
)
from workbench.fields.population.training import train_populations
from workbench.fields.sliced.generator import generator_study, train_generator

__all__ = [
    "CODECS",
    "COUPLINGS",
    "DOWNSCALERS",
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
    "PopulationTable",
    "Trajectory",
    "additive_counterexample",
    "batch_bias",
    "best_dimension",
    "budget_study",
    "codec_study",
    "compare_populations",
    "couple",
    "digits_law",
    "dimension_study",
    "downscale",
    "downscaling_study",
    "error_budget",
    "exact_downscaler",
    "exact_field",
    "example_days",
    "example_population_table",
    "field_distance",
    "field_report",
    "gap_of",
    "gaussian",
    "generator_study",
    "geometric_mean",
    "inflation_report",
    "integrate",
    "irreducible_loss",
    "latent_flow",
    "matched",
    "own_population_report",
    "own_population_table",
    "population_gap",
    "population_report",
    "populations",
    "predict",
    "rain",
    "rain_report",
    "read_network",
    "read_populations",
    "read_rain",
    "shipped_network",
    "standard_gaussian",
    "tail_scores",
    "train_denoiser",
    "train_field",
    "train_generator",
    "train_populations",
    "trained_network",
    "training_study",
    "wdr_gain",
    "wdr_inflation",
]
