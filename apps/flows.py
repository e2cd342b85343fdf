"""The flows room as a page: ``panel serve apps/flows.py``."""

from workbench.ui.flows import FlowsRoom

FlowsRoom().page().servable()
