"""A figure on a page: the plot, and under it what it shows in words, for those who cannot see it or want the number."""

from collections.abc import Callable
from typing import Any, Protocol

import panel as pn
import xarray as xr

from workbench.figures import theme

CAPTION = "p { margin: 2px 4px 10px; font-size: 13px; line-height: 1.4; opacity: 0.9; }"


class Showable(Protocol):
    """Whatever a View can show: it takes a result and has a panel."""

    def update(self, ds: xr.Dataset) -> None:
        """Show ``ds``."""

    def __panel__(self) -> pn.viewable.Viewable: ...


class Picture(pn.viewable.Viewer):
    """A figure function and a summary function, shown together and redrawn when a result arrives.

    ``figure(ds)`` returns a HoloViews element, ``summary(ds)`` one or two sentences. Both are kept, so that the
    downloads draw the same figure with matplotlib.
    """

    def __init__(
        self,
        name: str,
        figure: Callable[[xr.Dataset], Any],
        summary: Callable[[xr.Dataset], str],
        *,
        height: int = theme.HEIGHT,
    ) -> None:
        super().__init__()
        self.title = name
        self.figure, self.summary = figure, summary
        self._plot = pn.pane.HoloViews(
            None, backend="bokeh", height=height, sizing_mode="stretch_width", linked_axes=False, min_width=200
        )
        self._caption = pn.pane.HTML("", stylesheets=[CAPTION], sizing_mode="stretch_width")
        self._layout = pn.Column(self._plot, self._caption, sizing_mode="stretch_width", min_width=200)

    def update(self, ds: xr.Dataset) -> None:
        """Redraw from ``ds``."""
        self._plot.object = self.figure(ds)
        self._caption.object = f"<p>{self.summary(ds)}</p>"

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout
