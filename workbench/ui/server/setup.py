"""Run in each process of a server before the first page: registers panel-material-ui's resources, tidies the memory."""

import panel_material_ui  # noqa: F401

from workbench.ui.server.garbage import Collector

collector = Collector()
collector.start()
