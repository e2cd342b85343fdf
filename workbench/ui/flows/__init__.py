"""The flows room on the screen."""

from workbench.ui.flows.room import FlowsRoom

__all__ = ["FlowsRoom"]
