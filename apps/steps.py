"""The steps room: ``panel serve apps/steps.py``."""

from workbench.ui.steps import StepsRoom

StepsRoom().page().servable()
