"""Figures of the shapes room, a module for each family."""

from typing import (
    Any,
)

from workbench.figures.shapes.correspondences import (
    APART,
    changes_by_term,
    error_curves,
    errors_of_methods,
    map_matrix,
    matched_plane,
    spectrum_curve,
    surface_colours,
)
from workbench.figures.shapes.crystals import (
    MAPS,
    circuits_found,
    crystal_loop,
    dictionary_map,
    shaken_loops,
)
from workbench.figures.shapes.defects import (
    torsion_share_curves,
    wedge_fluxes,
)
from workbench.figures.shapes.shadow import (
    counted_twice,
    graph_numbers,
    holes_of_scales,
    runs_in_window,
    sampled_complex,
    scales_of_points,
    shadow_holes,
    shadow_scales_map,
)

FIGURES = {
    "circuit_report": crystal_loop,
    "shadow_report": shadow_holes,
    "shadow_phase": scales_of_points,
    "shadow_scales": holes_of_scales,
    "theorem_runs": runs_in_window,
    "rips_agreement": counted_twice,
    "graph_constants": graph_numbers,
    "defect_dictionaries": wedge_fluxes,
    "dislocation_circuits": circuits_found,
    "noise_breakdown": shaken_loops,
    "correspondence_report": matched_plane,
    "correspondence_error": error_curves,
    "functional_map": map_matrix,
    "spectrum": spectrum_curve,
    "matcher_study": errors_of_methods,
    "transport_term_study": changes_by_term,
}
STUDIES: dict[str, Any] = {}

__all__ = [
    "APART",
    "FIGURES",
    "MAPS",
    "STUDIES",
    "changes_by_term",
    "circuits_found",
    "counted_twice",
    "crystal_loop",
    "dictionary_map",
    "error_curves",
    "errors_of_methods",
    "graph_numbers",
    "holes_of_scales",
    "map_matrix",
    "matched_plane",
    "runs_in_window",
    "sampled_complex",
    "scales_of_points",
    "shadow_holes",
    "shadow_scales_map",
    "shaken_loops",
    "spectrum_curve",
    "surface_colours",
    "torsion_share_curves",
    "wedge_fluxes",
]
