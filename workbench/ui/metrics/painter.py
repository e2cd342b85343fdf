"""A grid under the hand: press or drag over the cells of a picture to paint them."""

from collections.abc import Callable
from typing import Any

import xarray as xr
from bokeh.events import Pan, PanEnd, PanStart, Press, Tap

from workbench.figures.metrics import map_cell
from workbench.ui.kit.picture import Picture


class PaintedMaps(Picture):
    """Both maps of a world; ``paint(side, row, column)`` is told of every cell that the hand comes over.

    A drag paints each cell once and tells ``done()`` at its end, so that one stroke is one change.
    """

    def __init__(
        self,
        figure: Callable[[xr.Dataset], Any],
        summary: Callable[[xr.Dataset], str],
        paint: Callable[[list[tuple[int, int, int]]], None],
    ) -> None:
        super().__init__("Rewards", figure, summary)
        self._paint = paint
        self._shape: tuple[int, int] | None = None
        self._stroke: list[tuple[int, int, int]] = []

    def update(self, ds: xr.Dataset) -> None:
        """Redraw from ``ds``."""
        self._shape = ds.tile.shape if "tile" in ds else None
        super().update(ds)

    def prepared(self, element: Any) -> Any:
        """Let the plot listen to the hand instead of moving under it."""
        if self._shape is None:
            return element
        for part in element:
            part.opts(default_tools=[], backend="bokeh")
        hooks = [*_hooks(element), self._listen]
        return element.opts(default_tools=["save"], active_tools=[], hooks=hooks, backend="bokeh")

    def _listen(self, plot: Any, _: Any) -> None:
        """Ask the figure for its events, when it is made."""
        if plot.handles.get("painted"):
            return
        plot.handles["painted"] = True
        figure = plot.state
        for event in (Tap, Press):
            figure.on_event(event, lambda event: self.stroke([(event.x, event.y)]))
        figure.on_event(PanStart, lambda event: self._add(event.x, event.y))
        figure.on_event(Pan, lambda event: self._add(event.x, event.y))
        figure.on_event(PanEnd, lambda _: self._finish())

    def stroke(self, points: list[tuple[float, float]]) -> None:
        """Paint the cells under these points of the picture."""
        for x, y in points:
            self._add(x, y)
        self._finish()

    def _add(self, x: float | None, y: float | None) -> None:
        if self._shape is None or x is None or y is None:
            return
        cell = map_cell(float(x), float(y), self._shape)
        if cell is not None and cell not in self._stroke:
            self._stroke.append(cell)

    def _finish(self) -> None:
        stroke, self._stroke = self._stroke, []
        if stroke:
            self._paint(stroke)


def _hooks(element: Any) -> list[Any]:
    import holoviews as hv

    return list(hv.Store.lookup_options("bokeh", element, "plot").kwargs.get("hooks", []))
