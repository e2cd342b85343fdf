"""The strip of a ranking under the hand: its items are dragged past each other, and so is the threshold."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import xarray as xr
from bokeh.models import PointDrawTool

from workbench.figures.metrics import HANDLE
from workbench.ui.kit.picture import Picture


class DraggedStrip(Picture):
    """A strip whose marks can be dragged along the axis; ``move(item, score)`` is told where one was dropped.

    Item −1 is the threshold. Up or down nothing moves: a mark dropped there goes back to its row. Where not every item
    is listed, ``is_whole`` says no and only the threshold moves.
    """

    is_wide = True

    def __init__(
        self,
        figure: Callable[[xr.Dataset], Any],
        summary: Callable[[xr.Dataset], str],
        move: Callable[[int, float], None],
        is_whole: Callable[[xr.Dataset], bool],
    ) -> None:
        super().__init__("The ranking", figure, summary, height=330)
        self._move, self._is_whole = move, is_whole
        self._drawn: dict[str, list[tuple[float, float]]] = {}
        self._shown: xr.Dataset | None = None
        self._movable = True

    def update(self, ds: xr.Dataset) -> None:
        """Redraw from ``ds``."""
        self._shown, self._movable = ds, self._is_whole(ds)
        super().update(ds)

    def prepared(self, element: Any) -> Any:
        """Put a tool on the marks, and note where they are before drawing looks like a hand that moves them."""
        self._drawn = {}
        for part in element:
            if "item" in [dim.name for dim in part.vdims] and (self._movable or part.label == HANDLE):
                self._drawn[part.label] = list(zip(part["score"].tolist(), part["row"].tolist(), strict=True))
                part.opts(hooks=[self._attach], backend="bokeh")
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
            plot.state.add_tools(PointDrawTool(renderers=[renderer], add=False, description="Drag along the axis"))
        source.on_change("data", lambda _, __, data: self._dropped(label, data))

    def _dropped(self, label: str, data: Mapping[str, Sequence[float]]) -> None:
        """Tell where a mark was dropped, unless it was the page itself that moved it."""
        drawn = self._drawn.get(label)
        places = list(zip(map(float, data.get("score", ())), map(float, data.get("row", ())), strict=False))
        if drawn is None or places == drawn:
            return
        told = False
        if len(places) == len(drawn):
            for place, before, item in zip(places, drawn, data["item"], strict=True):
                if place[0] != before[0]:
                    self._move(int(item), place[0])
                    told = True
        if not told and self._shown is not None:  # moved up or down only, or taken away with a key
            self.update(self._shown)
