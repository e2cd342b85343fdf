"""The fisher room on the screen."""

from workbench.ui.fisher.room import FisherRoom

__all__ = ["FisherRoom"]
