"""The frame of the shapes room."""

from typing import Any

from workbench import data
from workbench.figures import shapes as figures
from workbench.ui.kit.room import Room
from workbench.ui.shapes.dictionaries import DictionariesView
from workbench.ui.shapes.graphs import GraphsView


class ShapesRoom(Room):
    """Find the defects of a crystal, rebuild a graph from samples."""

    slug = "shapes"
    paper = "After “General teleparallel theory of defects”, arXiv 2602.01408 (defects), arXiv 2506.01603 (graphs)."
    view_classes = (DictionariesView, GraphsView)

    @classmethod
    def thumbnail(cls) -> Any:
        """Return the fluxes around wedges."""
        return figures.wedge_fluxes(data.result("shapes/defects_dictionaries.nc"))
