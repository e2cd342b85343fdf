"""The shapes room as a page: ``panel serve apps/shapes.py``."""

from workbench.ui.shapes import ShapesRoom

ShapesRoom().page().servable()
