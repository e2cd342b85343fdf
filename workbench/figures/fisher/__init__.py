"""Figures of the fisher room, a module for each question."""

from workbench.figures.fisher.across import across, across_parts
from workbench.figures.fisher.growth import exponents, growth, per_site
from workbench.figures.fisher.identity import identity, random_curvature
from workbench.figures.fisher.marks import BESIDE
from workbench.figures.fisher.metric import covariance, cumulant, lattice, zone
from workbench.figures.fisher.models import model_exponents, model_growth, running
from workbench.figures.fisher.study import curvature_across, curvature_growth, curvature_study

STUDIES = {"ising_curvature": (curvature_study, ("L",))}

__all__ = [
    "BESIDE",
    "STUDIES",
    "across",
    "across_parts",
    "covariance",
    "cumulant",
    "curvature_across",
    "curvature_growth",
    "curvature_study",
    "exponents",
    "growth",
    "identity",
    "lattice",
    "model_exponents",
    "model_growth",
    "per_site",
    "random_curvature",
    "running",
    "zone",
]
