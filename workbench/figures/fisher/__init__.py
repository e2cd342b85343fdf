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
from workbench.figures.fisher.study import curvature_across, curvature_growth, curvature_study

STUDIES = {"ising_curvature": (curvature_study, ("L",))}

__all__ = [
    "BESIDE",
    "STUDIES",
    "across",
    "across_parts",
    "class_names",
    "covariance",
    "cumulant",
    "curvature_across",
    "curvature_growth",
    "curvature_study",
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
    "model_exponents",
    "model_growth",
    "pair_densities",
    "pair_entropy",
    "pair_parts",
    "pair_plane",
    "per_site",
    "random_curvature",
    "running",
    "transport_entropy",
    "transport_map",
    "transport_residuals",
    "zone",
]
