"""A figure on a page: the plot, and under it what it shows in words, for those who cannot see it or want the number."""

import html
from collections.abc import Callable
from typing import Any, Protocol

import holoviews as hv
import panel as pn
import xarray as xr

from workbench.figures import theme

LIMITS = ("xlim", "ylim", "clim")  # may move, but not come or go
CHANGEABLE = ("title", "xlabel", "ylabel", *LIMITS)
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
        self._plot = plot_pane(None, height=height)
        self._pipe: hv.streams.Pipe | None = None
        self._structure: Any = None
        self._caption = pn.pane.HTML("", stylesheets=[CAPTION], sizing_mode="stretch_width")
        self._layout = pn.Column(self._plot, self._caption, sizing_mode="stretch_width", min_width=200)

    def update(self, ds: xr.Dataset) -> None:
        """Redraw from ``ds``."""
        element = self.prepared(self.figure(ds))
        structure = plot_structure(element)
        if self._pipe is not None and structure == self._structure:
            self._pipe.send(element)  # the plot stands and takes new numbers, in a third of the time of a new plot
        else:
            self._pipe = hv.streams.Pipe(data=element)
            self._structure = structure
            self._plot.object = hv.DynamicMap(lambda data: data, streams=[self._pipe])
        self._caption.object = f"<p>{html.escape(self.summary(ds))}</p>"

    def prepared(self, element: Any) -> Any:
        """Return the element as the page shows it; a picture that answers to the hand adds its tools here."""
        return element

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def plot_pane(element: Any, *, height: int) -> pn.pane.HoloViews:
    """Return a pane that draws ``element`` with Bokeh, as wide as the page lets it.

    It draws on the canvas. HoloViews' own choice is WebGL, which is made for very many marks; with the thousands of
    ours it only costs the copy from the graphics card's memory at every repaint: a third of a second where a browser
    has no card.
    """
    return pn.pane.HoloViews(
        element,
        backend="bokeh",
        renderer=hv.renderer("bokeh").instance(webgl=False),
        height=height,
        sizing_mode="stretch_width",
        linked_axes=False,
        min_width=200,
    )


def plot_structure(element: Any) -> Any:
    """Return what a standing bokeh plot cannot change: the kinds, labels and dimensions of its parts and most options.

    Two elements with equal structure can be shown by one plot, one after the other. On the way every part is told to
    take its ranges from its own numbers, where HoloViews would keep those of the first.
    """
    element.opts(framewise=True, backend="bokeh")
    options = hv.Store.lookup_options("bokeh", element, "plot").kwargs
    kept = {name: repr(value) for name, value in options.items() if name not in CHANGEABLE}
    limits = [options.get(name) is not None for name in LIMITS]
    parts = [plot_structure(part) for part in element] if isinstance(element, hv.Overlay) else []
    return type(element), element.label, [d.name for d in element.dimensions()], sorted(kept.items()), limits, parts
