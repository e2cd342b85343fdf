"""Surfaces: meshes with a report of their defects, distances without samples, and deformations with certificates."""

from workbench.shapes.cortex import cortex
from workbench.shapes.surfaces.bend import bend_surface
from workbench.shapes.surfaces.crossings import Crossings, find_crossings, self_intersections
from workbench.shapes.surfaces.deform import DeformationCertificate, certify_deformation, deform
from workbench.shapes.surfaces.distances import SurfaceErrors, surface_errors
from workbench.shapes.surfaces.fields import FIELDS
from workbench.shapes.surfaces.losses import LOSSES
from workbench.shapes.surfaces.measures import surface_distance
from workbench.shapes.surfaces.report import load_surface, surface_report
from workbench.shapes.surfaces.study import carried_crossings, compare_losses, rule_errors, sampling_noise

__all__ = [
    "FIELDS",
    "LOSSES",
    "Crossings",
    "DeformationCertificate",
    "SurfaceErrors",
    "bend_surface",
    "carried_crossings",
    "certify_deformation",
    "compare_losses",
    "cortex",
    "deform",
    "find_crossings",
    "load_surface",
    "rule_errors",
    "sampling_noise",
    "self_intersections",
    "surface_distance",
    "surface_errors",
    "surface_report",
]
