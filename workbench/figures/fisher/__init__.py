"""Figures of the fisher room, a module for each question."""

from workbench.figures.fisher.across import across, across_parts
from workbench.figures.fisher.entropic import (
    class_names,
    field_curvature,
    field_flow,
    field_histogram,
    field_map,
    field_shares,
    field_web,
    pair_densities,
    pair_entropy,
    pair_parts,
    pair_plane,
    transport_entropy,
    transport_map,
    transport_residuals,
)
from workbench.figures.fisher.growth import exponents, growth, per_site
from workbench.figures.fisher.identity import identity, random_curvature
from workbench.figures.fisher.marks import BESIDE
from workbench.figures.fisher.metric import covariance, cumulant, lattice, zone
from workbench.figures.fisher.models import model_exponents, model_growth, running
from workbench.figures.fisher.regulators import (
    LEARNERS,
    TALL,
    chart_regimes,
    damping_phases,
    learners_over_damping,
    models_over_damping,
    regimes_of_directions,
    torus_regimes,
)
from workbench.figures.fisher.regulators import MODELS as REGULATOR_MODELS
from workbench.figures.fisher.study import curvature_across, curvature_growth, curvature_study

STUDIES = {"ising_curvature": (curvature_study, ("L",))}

__all__ = [
    "BESIDE",
    "LEARNERS",
    "REGULATOR_MODELS",
    "STUDIES",
    "TALL",
    "across",
    "across_parts",
    "chart_regimes",
    "class_names",
    "covariance",
    "cumulant",
    "curvature_across",
    "curvature_growth",
    "curvature_study",
    "damping_phases",
    "exponents",
    "field_curvature",
    "field_flow",
    "field_histogram",
    "field_map",
    "field_shares",
    "field_web",
    "growth",
    "identity",
    "lattice",
    "learners_over_damping",
    "model_exponents",
    "model_growth",
    "models_over_damping",
    "pair_densities",
    "pair_entropy",
    "pair_parts",
    "pair_plane",
    "per_site",
    "random_curvature",
    "regimes_of_directions",
    "running",
    "torus_regimes",
    "transport_entropy",
    "transport_map",
    "transport_residuals",
    "zone",
]
