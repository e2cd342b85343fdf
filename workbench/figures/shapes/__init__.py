"""Figures of the shapes room, a module for each family."""

from typing import (
    Any,
)

from workbench.figures.shapes.defects import (
    torsion_share_curves,
    wedge_fluxes,
)

FIGURES = {
    "defect_dictionaries": wedge_fluxes,
}
STUDIES: dict[str, Any] = {}

__all__ = [
    "FIGURES",
    "STUDIES",
    "torsion_share_curves",
    "wedge_fluxes",
]
