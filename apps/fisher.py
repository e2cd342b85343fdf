"""The fisher room as a page: ``panel serve apps/fisher.py``."""

from workbench.ui.fisher import FisherRoom

FisherRoom().page().servable()
