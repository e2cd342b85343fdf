"""Run in each process of a server before the first page: resources, turns and limits, a tidy memory."""

import os

import panel_material_ui  # noqa: F401  registers its resources

from workbench import isolated
from workbench.clouds import foreign
from workbench.ui.kit import late
from workbench.ui.server import fairness
from workbench.ui.server.garbage import Collector

os.environ.setdefault("BOKEH_RESOURCES", "server")  # nothing from a content network, however the server was started
fairness.install()
late.install()
isolated.warm("workbench.results", foreign.prepare)  # a process that reads what visitors upload
collector = Collector()
collector.start()
