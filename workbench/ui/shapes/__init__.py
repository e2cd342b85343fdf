"""The shapes room on the screen."""

from workbench.ui.shapes.room import ShapesRoom

__all__ = ["ShapesRoom"]
