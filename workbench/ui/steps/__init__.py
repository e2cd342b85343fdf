"""The page of the steps room: one view for each question, and the room that holds them."""

from workbench.ui.steps.room import StepsRoom

__all__ = ["StepsRoom"]
