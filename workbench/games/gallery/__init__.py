"""Games with a known answer: each with its region, its truth and the verdict that a sound certifier must give."""

from workbench.games.gallery import control, economics, finite, learning, linear, trap  # noqa: F401  (they register)
from workbench.games.gallery.registry import GALLERY, Example

__all__ = ["GALLERY", "Example"]
