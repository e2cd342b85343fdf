"""A loop under the hand: drag its corners, drag all of it by its middle, or draw another one with the lasso."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import holoviews as hv
import numpy as np
import xarray as xr
from bokeh.events import SelectionGeometry, Tap
from bokeh.models import LassoSelectTool, PointDrawTool

from workbench.ui.kit.picture import Picture

Corners = list[tuple[float, float]]


class LoopPicture(Picture):
    """A picture with handles in a part labelled "handles": the corners of a loop, and its middle as the last.

    ``moved(corners)`` is told of the loop that the hand has made, ``tapped(x, y)`` of a place that was pressed.
    """

    def __init__(
        self,
        name: str,
        figure: Callable[[xr.Dataset], Any],
        summary: Callable[[xr.Dataset], str],
        moved: Callable[[Corners], None],
        tapped: Callable[[float, float], None],
    ) -> None:
        super().__init__(name, figure, summary, height=460)
        self._moved, self._tapped = moved, tapped
        self._drawn: Corners = []

    def prepared(self, element: Any) -> Any:
        """Put the tools on the plot, and note where handles are before drawing looks like a hand that moves them."""
        for part in element:
            if part.label == "handles":
                self._drawn = list(zip(part["x"].tolist(), part["y"].tolist(), strict=True))
                part.opts(hooks=[self._attach], backend="bokeh")
        hooks = hv.Store.lookup_options("bokeh", element, "plot").kwargs.get("hooks", [])
        return element.opts(hooks=[*hooks, self._listen], active_tools=["point_draw"], backend="bokeh")

    def _attach(self, plot: Any, _: Any) -> None:
        renderer, source = plot.handles["glyph_renderer"], plot.handles["source"]
        tools = [tool for tool in plot.state.tools if isinstance(tool, PointDrawTool)]
        if tools and renderer in tools[0].renderers:
            return
        plot.state.add_tools(
            PointDrawTool(renderers=[renderer], add=False, description="Drag corners, or all by the middle")
        )
        source.on_change("data", lambda _, __, data: self.dropped(data))

    def _listen(self, plot: Any, _: Any) -> None:
        """Ask the figure for its events, when it is made."""
        if plot.handles.get("loop"):
            return
        plot.handles["loop"] = True
        figure = plot.state
        figure.add_tools(LassoSelectTool(description="Draw a loop", continuous=False, persistent=False))
        figure.on_event(SelectionGeometry, self._lassoed)
        figure.on_event(Tap, lambda event: self._tapped(float(event.x), float(event.y)))

    def _lassoed(self, event: Any) -> None:
        geometry = event.geometry
        if event.final and geometry.get("type") == "poly":
            self.drawn(list(geometry["x"]), list(geometry["y"]))

    def drawn(self, x: Sequence[float], y: Sequence[float], *, most: int = 12) -> None:
        """Take a line that was drawn: as many corners as can be dragged, equally far along it."""
        points = np.array([x, y], dtype=float).T
        if len(points) < 3 or not np.isfinite(points).all():
            return
        closed = np.concatenate([points, points[:1]])
        way = np.concatenate([[0.0], np.hypot(*np.diff(closed, axis=0).T).cumsum()])
        if not way[-1] > 0:
            return
        at = np.linspace(0, way[-1], most, endpoint=False)
        self._moved([(float(np.interp(s, way, closed[:, 0])), float(np.interp(s, way, closed[:, 1]))) for s in at])

    def dropped(self, data: Mapping[str, Sequence[float]]) -> None:
        """Tell where the hand has put a handle, unless it was the page itself that moved them."""
        places = list(zip(map(float, data.get("x", ())), map(float, data.get("y", ())), strict=False))
        if len(places) != len(self._drawn) or places == self._drawn:
            return
        before, middle = self._drawn[-1], places[-1]
        if middle != before:
            shift = (middle[0] - before[0], middle[1] - before[1])
            places = [(x + shift[0], y + shift[1]) for x, y in self._drawn]
        self._moved(places[:-1])
