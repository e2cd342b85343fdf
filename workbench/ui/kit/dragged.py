"""A picture whose marks are moved by hand: bumps, points and axes in the plane, items and thresholds on a line."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from bokeh.models import PointDrawTool

from workbench.ui.kit.picture import Picture


class DraggedMarks(Picture):
    """A picture whose parts with an ``item`` can be dragged; ``move(item, x, y)`` is told where one was dropped.

    ``axes`` are the names of the two dimensions of those parts. ``along`` says that marks move along the first of them
    alone: one dropped higher or lower goes back to where it was drawn. So does one that was taken away with a key.
    """

    def __init__(
        self,
        name: str,
        figure: Callable[[xr.Dataset], Any],
        summary: Callable[[xr.Dataset], str],
        move: Callable[[int, float, float], None],
        *,
        axes: tuple[str, str] = ("x", "y"),
        along: bool = False,
        hint: str = "Drag the marks",
        height: int = 430,
    ) -> None:
        super().__init__(name, figure, summary, height=height)
        self._move, self._axes, self._along, self._hint = move, axes, along, hint
        self._drawn: dict[str, list[tuple[float, float]]] = {}
        self._result: xr.Dataset | None = None

    def update(self, ds: xr.Dataset) -> None:
        """Redraw from ``ds``."""
        self._result = ds
        super().update(ds)

    def can_move(self, _label: str) -> bool:
        """Tell whether the marks of a part with an ``item`` can be dragged in the result that is shown."""
        return True

    def prepared(self, element: Any) -> Any:
        """Put a tool on the marks, and note where they are before drawing looks like a hand that moves them."""
        self._drawn = {}
        first, second = self._axes
        for part in element:
            if "item" in [dim.name for dim in part.vdims] and self.can_move(part.label):
                self._drawn[part.label] = list(zip(part[first].tolist(), part[second].tolist(), strict=True))
                part.opts(hooks=[self._attach], backend="bokeh")
        if self._drawn:
            element.opts(active_tools=["point_draw"], backend="bokeh")
        return element

    def _attach(self, plot: Any, element: Any) -> None:
        """Let the marks of one part be dragged, when the plot is made; all parts share one tool."""
        renderer, source, label = plot.handles["glyph_renderer"], plot.handles["source"], element.label
        tools = [tool for tool in plot.state.tools if isinstance(tool, PointDrawTool)]
        if tools and renderer in tools[0].renderers:
            return
        if tools:
            tools[0].renderers = [*tools[0].renderers, renderer]
        else:
            plot.state.add_tools(PointDrawTool(renderers=[renderer], add=False, description=self._hint))
        source.on_change("data", lambda _, __, data: self.dropped(label, data))

    def dropped(self, label: str, data: Mapping[str, Sequence[float]]) -> None:
        """Tell where a mark was dropped, unless it was the page itself that moved it."""
        drawn = self._drawn.get(label)
        places = _places(data, self._axes)
        if drawn is None or places == drawn:
            return
        moved = []
        if len(places) == len(drawn) and np.isfinite(places).all():
            items = [int(item) for item in data["item"]]
            moved = [
                (item, place)
                for item, place, before in zip(items, places, drawn, strict=True)
                if (place[0] != before[0] if self._along else place != before)
            ]
        if not moved and self._result is not None:
            self.update(self._result)
        for item, place in moved:
            self._move(item, *place)


def _places(data: Mapping[str, Sequence[float]], axes: tuple[str, str]) -> list[tuple[float, float]]:
    """Return the places that a browser tells; none where it tells of something that is no number."""
    try:
        return list(zip(*(map(float, data.get(name, ())) for name in axes), strict=False))
    except (TypeError, ValueError):
        return []
