"""A picture whose marks are moved by hand in both directions: bumps, points, vertices."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import xarray as xr
from bokeh.models import PointDrawTool

from workbench.ui.kit.picture import Picture


class DraggedMarks(Picture):
    """A picture whose parts with an ``item`` can be dragged; ``move(item, x, y)`` is told where one was dropped."""

    def __init__(
        self,
        name: str,
        figure: Callable[[xr.Dataset], Any],
        summary: Callable[[xr.Dataset], str],
        move: Callable[[int, float, float], None],
        *,
        height: int = 430,
    ) -> None:
        super().__init__(name, figure, summary, height=height)
        self._move = move
        self._drawn: dict[str, list[tuple[float, float]]] = {}
        self._result: xr.Dataset | None = None

    def update(self, ds: xr.Dataset) -> None:
        """Redraw from ``ds``."""
        self._result = ds
        super().update(ds)

    def prepared(self, element: Any) -> Any:
        """Put a tool on the marks, and note where they are before drawing looks like a hand that moves them."""
        self._drawn = {}
        for part in element:
            if "item" in [dim.name for dim in part.vdims]:
                self._drawn[part.label] = list(zip(part["x"].tolist(), part["y"].tolist(), strict=True))
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
            plot.state.add_tools(PointDrawTool(renderers=[renderer], add=False, description="Drag the marks"))
        source.on_change("data", lambda _, __, data: self.dropped(label, data))

    def dropped(self, label: str, data: Mapping[str, Sequence[float]]) -> None:
        """Tell where a mark was dropped, unless it was the page itself that moved it."""
        drawn = self._drawn.get(label)
        places = list(zip(map(float, data.get("x", ())), map(float, data.get("y", ())), strict=False))
        if drawn is None or places == drawn:
            return
        if len(places) != len(drawn):  # one was taken away with a key
            if self._result is not None:
                self.update(self._result)
            return
        for place, before, item in zip(places, drawn, data["item"], strict=True):
            if place != before:
                self._move(int(item), *place)
