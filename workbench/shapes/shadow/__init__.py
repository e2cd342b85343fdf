"""Graphs from samples: complexes of path metrics, their shadows in the plane, exact, and what is proved of them."""

from workbench.shapes.shadow.apex import Apex
from workbench.shapes.shadow.betti import flag_betti
from workbench.shapes.shadow.complexes import path_metric
from workbench.shapes.shadow.constants import graph_constants
from workbench.shapes.shadow.distortion import distortion_bound
from workbench.shapes.shadow.files import PlanarReading, read_planar
from workbench.shapes.shadow.graphs import GRAPHS, Graph, planar_graph, sample_graph
from workbench.shapes.shadow.hausdorff import Apart, hausdorff_distance
from workbench.shapes.shadow.reconstruct import Reconstruction, reconstruct_graph
from workbench.shapes.shadow.report import shadow_phase, shadow_report
from workbench.shapes.shadow.shadows import Shadow, rips_shadow
from workbench.shapes.shadow.study import rips_agreement, shadow_scales, theorem_runs

__all__ = [
    "GRAPHS",
    "Apart",
    "Apex",
    "Graph",
    "PlanarReading",
    "Reconstruction",
    "Shadow",
    "distortion_bound",
    "flag_betti",
    "graph_constants",
    "hausdorff_distance",
    "path_metric",
    "planar_graph",
    "read_planar",
    "reconstruct_graph",
    "rips_agreement",
    "rips_shadow",
    "sample_graph",
    "shadow_phase",
    "shadow_report",
    "shadow_scales",
    "theorem_runs",
]
