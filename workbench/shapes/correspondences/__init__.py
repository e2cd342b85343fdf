"""Correspondences: which point of one surface is which of another, with the truth, the floor and what is sure."""

from workbench.shapes.correspondences import cortex  # noqa: F401 - its pairs enter the registry
from workbench.shapes.correspondences.descriptors import DESCRIPTORS
from workbench.shapes.correspondences.examples import PAIRS, Pair, shape_pair
from workbench.shapes.correspondences.geodesics import GEODESICS, geodesic_distances
from workbench.shapes.correspondences.landmarks import read_landmarks
from workbench.shapes.correspondences.laplacian import LAPLACIANS, spectrum
from workbench.shapes.correspondences.matching import MATCHERS, Correspondence, functional_map, match
from workbench.shapes.correspondences.mesh import TriangleMesh, read_mesh
from workbench.shapes.correspondences.quality import correspondence_error
from workbench.shapes.correspondences.report import correspondence_report
from workbench.shapes.correspondences.study import matcher_study, transport_term_study

__all__ = [
    "DESCRIPTORS",
    "GEODESICS",
    "LAPLACIANS",
    "MATCHERS",
    "PAIRS",
    "Correspondence",
    "Pair",
    "TriangleMesh",
    "correspondence_error",
    "correspondence_report",
    "functional_map",
    "geodesic_distances",
    "match",
    "matcher_study",
    "read_landmarks",
    "read_mesh",
    "shape_pair",
    "spectrum",
    "transport_term_study",
]
