"""The games room as a page: ``panel serve apps/games.py``."""

from workbench.ui.games import GamesRoom

GamesRoom().page().servable()
