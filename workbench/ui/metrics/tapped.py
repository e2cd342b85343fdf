"""A picture of points that answers to a click: the one that was hit is told."""

from collections.abc import Callable
from typing import Any

import xarray as xr
from bokeh.models import TapTool

from workbench.ui.kit.picture import Picture


class TappedPoints(Picture):
    """A picture whose parts with an ``item`` can be clicked; ``choose(item)`` is told which was hit."""

    def __init__(
        self,
        name: str,
        figure: Callable[[xr.Dataset], Any],
        summary: Callable[[xr.Dataset], str],
        choose: Callable[[int], None],
        *,
        height: int = 430,
    ) -> None:
        super().__init__(name, figure, summary, height=height)
        self._choose = choose

    def prepared(self, element: Any) -> Any:
        """Put a tool on the points."""
        for part in element:
            if "item" in [dim.name for dim in part.vdims]:
                part.opts(hooks=[self._attach], backend="bokeh")
        return element

    def _attach(self, plot: Any, _: Any) -> None:
        """Let the points of one part be hit, when the plot is made; all parts share one tool."""
        renderer, source = plot.handles["glyph_renderer"], plot.handles["source"]
        tools = [tool for tool in plot.state.tools if isinstance(tool, TapTool)]
        if tools and tools[0].renderers != "auto" and renderer in tools[0].renderers:
            return
        if tools and tools[0].renderers != "auto":
            tools[0].renderers = [*tools[0].renderers, renderer]
        else:
            tool = TapTool(renderers=[renderer], description="Click a point to see its neighbours")
            plot.state.add_tools(tool)
            plot.state.toolbar.active_tap = tool
        # a hit is shown by the picture that follows it, not by fading all other points
        renderer.selection_glyph = renderer.nonselection_glyph = None
        source.selected.on_change("indices", lambda _, __, hit: self.hit(source.data, hit))

    def hit(self, data: Any, indices: list[int]) -> None:
        """Tell which item was hit, the first of several."""
        if indices:
            self._choose(int(data["item"][indices[0]]))
