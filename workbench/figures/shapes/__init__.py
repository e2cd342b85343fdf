"""Figures of the shapes room, a module for each family."""

from typing import (
    Any,
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

FIGURES = {
    "circuit_report": crystal_loop,
    "defect_dictionaries": wedge_fluxes,
    "dislocation_circuits": circuits_found,
    "noise_breakdown": shaken_loops,
}
STUDIES: dict[str, Any] = {}

__all__ = [
    "FIGURES",
    "MAPS",
    "STUDIES",
    "circuits_found",
    "crystal_loop",
    "dictionary_map",
    "shaken_loops",
    "torsion_share_curves",
    "wedge_fluxes",
]
