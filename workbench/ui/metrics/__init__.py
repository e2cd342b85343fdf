"""The metrics room on the screen."""

from workbench.ui.metrics.room import MetricsRoom

__all__ = ["MetricsRoom"]
