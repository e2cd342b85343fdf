"""The metrics room as a page: ``panel serve apps/metrics.py``."""

from workbench.ui.metrics import MetricsRoom

MetricsRoom().page().servable()
