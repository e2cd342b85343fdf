"""The index of all rooms: ``panel serve apps/*.py --index home``."""

from workbench.ui.home import Home

Home().page().servable()
