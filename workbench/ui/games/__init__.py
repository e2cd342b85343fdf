"""The games room on the screen."""

from workbench.ui.games.room import GamesRoom

__all__ = ["GamesRoom"]
