"""Run in each process of a server with several: registers panel-material-ui's resources before the first page."""

import panel_material_ui  # noqa: F401
