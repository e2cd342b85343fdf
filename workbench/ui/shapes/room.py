"""The frame of the shapes room."""

import math
from typing import Any

from workbench import shapes
from workbench.figures import shapes as figures
from workbench.ui.kit.room import Room
from workbench.ui.shapes.behind import ShapesBehindView
from workbench.ui.shapes.bend import BendView
from workbench.ui.shapes.circuit_check import CircuitCheckView
from workbench.ui.shapes.correspondences import CorrespondencesView
from workbench.ui.shapes.crystals import CrystalView
from workbench.ui.shapes.dictionaries import DictionariesView
from workbench.ui.shapes.fits import FitsView
from workbench.ui.shapes.graphs import GraphsView
from workbench.ui.shapes.surfaces import SurfacesView


class ShapesRoom(Room):
    """Bring atoms, samples, surfaces or signals, and get what is proved of them."""

    slug = "shapes"
    view_classes = (
        CrystalView,
        CircuitCheckView,
        DictionariesView,
        GraphsView,
        SurfacesView,
        BendView,
        CorrespondencesView,
        FitsView,
        ShapesBehindView,
    )

    @classmethod
    def thumbnail(cls) -> Any:
        """Return a crystal with a dislocation, and a loop around it."""
        turn = [2 * math.pi * k / 8 for k in range(8)]
        corners = [(6 * math.cos(t), 6 * math.sin(t)) for t in turn]
        return figures.crystal_loop(shapes.circuit_report(loop=corners), corners)
