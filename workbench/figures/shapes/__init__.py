"""Figures of the shapes room, a module for each family."""

from typing import (
    Any,
)

from workbench.figures.shapes.crystals import (
    MAPS,
    circuit_walk,
    circuits_found,
    crystal_loop,
    dictionary_map,
    shaken_loops,
)
from workbench.figures.shapes.defects import (
    torsion_share_curves,
    wedge_fluxes,
)
from workbench.figures.shapes.fits import (
    fit_beside_signal,
    fit_errors,
    fit_quality,
    frontier,
    frontier_seconds,
    frontier_with,
    order_lines,
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
from workbench.figures.shapes.surfaces import (
    crossing_pairs,
    crossings_carried,
    deformation_loss,
    deformation_proof,
    losses_compared,
    mesh_defects,
    samples_against_exact,
)

FIGURES = {
    "deform": deformation_loss,
    "self_intersections": crossing_pairs,
    "surface_report": mesh_defects,
    "carried_crossings": crossings_carried,
    "compare_losses": losses_compared,
    "sampling_noise": samples_against_exact,
    "fit_signal": fit_beside_signal,
    "best_linear_fit": fit_beside_signal,
    "fits_report": fit_beside_signal,
    "compare_fits": frontier,
    "approximation_order": order_lines,
    "approximation_orders": order_lines,
    "circuit_report": crystal_loop,
    "circuit_verification": circuit_walk,
    "shadow_report": shadow_holes,
    "shadow_phase": scales_of_points,
    "shadow_scales": holes_of_scales,
    "theorem_runs": runs_in_window,
    "rips_agreement": counted_twice,
    "graph_constants": graph_numbers,
    "defect_dictionaries": wedge_fluxes,
    "dislocation_circuits": circuits_found,
    "noise_breakdown": shaken_loops,
}
STUDIES: dict[str, Any] = {}

__all__ = [
    "FIGURES",
    "MAPS",
    "STUDIES",
    "circuit_walk",
    "circuits_found",
    "counted_twice",
    "crossing_pairs",
    "crossings_carried",
    "crystal_loop",
    "deformation_loss",
    "deformation_proof",
    "dictionary_map",
    "fit_beside_signal",
    "fit_errors",
    "fit_quality",
    "frontier",
    "frontier_seconds",
    "frontier_with",
    "graph_numbers",
    "holes_of_scales",
    "losses_compared",
    "mesh_defects",
    "order_lines",
    "runs_in_window",
    "sampled_complex",
    "samples_against_exact",
    "scales_of_points",
    "shadow_holes",
    "shadow_scales_map",
    "shaken_loops",
    "torsion_share_curves",
    "wedge_fluxes",
]
