"""One look for every figure: colours, sizes, and options that hold for the bokeh and the matplotlib backend alike.

A figure builds plain HoloViews elements, styles each mark with :func:`line`, :func:`markers`, :func:`band`,
:func:`bars` or :func:`image`, and passes the finished element through :func:`frame`, which sets labels, axes and
size. None of the functions needs to know which backend will draw.
A label must not be the name of one of the element's dimensions: HoloViews' matplotlib backend confuses the two.

>>> import holoviews as hv
>>> from workbench.figures import theme
>>> curve = theme.line(hv.Curve([(1, 2), (2, 4)], "x", "y", label="twice"), theme.SERIES[0])
>>> figure = theme.frame(curve, title="Twice", xlabel="x", ylabel="2x")
"""

from typing import Any

import holoviews as hv
import holoviews.plotting.bokeh
import holoviews.plotting.mpl
import numpy as np
from bokeh.models import CustomJS, Legend

# Okabe & Ito's colour-blind safe set, reordered so that neighbours differ in lightness as well; black is left out
# because it vanishes in dark mode.
SERIES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6BB1", "#7F7F7F")
NEUTRAL = "#7F7F7F"
REFERENCE = "#D55E00"
SEQUENTIAL = "viridis"
DIVERGING = "coolwarm"
DASHES = ("solid", "dashed", "dotted", "dashdot")
MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "hex")
HEIGHT = 380
SMALLEST = 1e-12  # a logarithmic axis has no zero
LEGEND_ALPHA = 0.6
LEGEND_SIZE = "0.95em"
PHONE, LEGEND_MARK, LETTER = 320, 38, 7
"""Pixels: the width of a legend on a phone, of an entry's mark in it, and of a letter."""

_MATPLOTLIB_MARKERS = {
    "circle": "o",
    "square": "s",
    "triangle": "^",
    "diamond": "D",
    "inverted_triangle": "v",
    "hex": "h",
    "x": "x",
    "cross": "+",
    "dash": "|",
}

if hv.Store.current_backend is None or hv.Store.current_backend not in hv.Store.renderers:
    hv.Store.set_current_backend("bokeh")


def styled(element: Any, *, bokeh: dict[str, Any], matplotlib: dict[str, Any]) -> Any:
    """Return ``element`` with options for each backend; only the element's own options are set."""
    return element.opts(backend="bokeh", **bokeh).opts(backend="matplotlib", **matplotlib)


def line(element: Any, colour: str, *, width: float = 2, dash: str = "solid", alpha: float = 1.0) -> Any:
    """Style a Curve, Path, Segments, HLine or VLine."""
    return styled(
        element,
        bokeh={"color": colour, "line_width": width, "line_dash": dash, "alpha": alpha},
        matplotlib={"color": colour, "linewidth": width, "linestyle": dash, "alpha": alpha},
    )


def markers(element: Any, colour: Any, *, size: float = 7, marker: str = "circle", alpha: float = 1.0) -> Any:
    """Style Scatter or Points; ``colour`` is a colour or the name (or ``hv.dim``) of a value dimension."""
    return styled(
        element,
        bokeh={"color": colour, "size": size, "marker": marker, "alpha": alpha, "tools": ["hover"]},
        matplotlib={"color": colour, "s": size**2, "marker": _MATPLOTLIB_MARKERS[marker], "alpha": alpha},
    )


def band(element: Any, colour: str, *, alpha: float = 0.2) -> Any:
    """Style an Area, Spread or VSpan/HSpan that shows an uncertainty or a range."""
    if isinstance(element, (hv.Area, hv.Spread)):
        bokeh = {"fill_color": colour, "fill_alpha": alpha, "line_alpha": 0}
        return styled(element, bokeh=bokeh, matplotlib={"facecolor": colour, "alpha": alpha})
    # matplotlib warns when HoloViews' default colour cycle meets a face colour, so the cycle is switched off
    span = {"color": None, "facecolor": colour, "edgecolor": "none", "alpha": alpha}
    return styled(element, bokeh={"color": colour, "alpha": alpha}, matplotlib=span)


def error_bars(element: Any, colour: str, *, width: float = 1.5) -> Any:
    """Style ErrorBars."""
    return styled(
        element,
        bokeh={"line_color": colour, "line_width": width, "lower_head": None, "upper_head": None},
        matplotlib={"edgecolor": colour, "elinewidth": width, "capsize": 0},
    )


def bars(element: Any, colour: Any, *, width: float = 0.8) -> Any:
    """Style Bars."""
    return styled(
        element,
        bokeh={"color": colour, "bar_width": width, "line_alpha": 0, "tools": ["hover"]},
        matplotlib={"color": colour, "bar_padding": 1 - width},
    )


def image(
    element: Any,
    *,
    signed: bool = False,
    colorbar: bool = True,
    clim: tuple[float, float] | None = None,
    colormap: str | None = None,
    label: str = "",
    bar: str = "right",
) -> Any:
    """Style an Image, QuadMesh or HeatMap; a signed quantity gets a diverging map centred on zero.

    ``bar="bottom"`` puts the colour bar below on a page, where pictures that stand three abreast have more room.
    """
    if signed and clim is None:
        clim = symmetric_limits(element.dimension_values(element.vdims[0]))
    options: dict[str, Any] = {"cmap": colormap or (DIVERGING if signed else SEQUENTIAL), "colorbar": colorbar}
    if clim is not None:
        options["clim"] = clim
    if label:
        options["clabel"] = label
    bokeh = {**options, "tools": ["hover"], "colorbar_position": bar}
    return styled(element, bokeh=bokeh, matplotlib=options)


def symmetric_limits(values: Any) -> tuple[float, float]:
    """Return (−m, m), m the largest finite magnitude of ``values`` (1 if all vanish)."""
    magnitudes = np.abs(np.asarray(values, dtype=float))
    largest = float(np.max(magnitudes[np.isfinite(magnitudes)], initial=0.0)) or 1.0
    return -largest, largest


def frame(
    element: Any,
    *,
    title: str = "",
    xlabel: str | None = None,
    ylabel: str | None = None,
    height: int = HEIGHT,
    aspect: float = 1.5,
    legend: str | None = "right",
    square: bool = False,
    equal_units: bool = False,
    **axes: Any,
) -> Any:
    """Finish a figure: title, labels, size and legend for both backends.

    ``axes`` are options that both backends know: ``logx``, ``logy``, ``xlim``, ``ylim``, ``xticks``, ``yticks``,
    ``xrotation``, ``invert_axes``, ``xaxis=None`` for no axis... ``aspect`` is the width over the height in
    matplotlib; in bokeh the width follows the page. ``square`` makes one unit the same length on both axes
    of a frame of fixed size; ``equal_units`` does it in a frame that fills the width, by showing more than ``xlim`` or
    ``ylim``, which it needs.
    ``legend`` is ``"right"``, ``"bottom"``, ``"top_left"``, ``"bottom_right"``... or None for no legend.
    """
    common = {key: value for key, value in axes.items() if value is not None or key in ("xaxis", "yaxis")}
    common |= {key: text for key, text in (("xlabel", xlabel), ("ylabel", ylabel)) if text is not None}
    common["title"] = title
    is_map = isinstance(element, (hv.Image, hv.QuadMesh, hv.HeatMap, hv.RGB))
    common["show_grid"] = not is_map
    bokeh: dict[str, Any] = {**common, "toolbar": "above", **_bokeh_size(height, square)}
    bokeh["hooks"] = [_equal_units] if equal_units else []
    shape = "equal" if square or equal_units else "auto"
    matplotlib: dict[str, Any] = {**common, "fig_inches": (aspect * 3.6, 3.6), "aspect": shape}
    if isinstance(element, hv.Overlay):
        show = legend is not None
        outside = {"right": _legend_beside, "bottom": _legend_below}
        bokeh |= {"show_legend": show, "legend_position": legend if show and legend not in outside else "top_left"}
        bokeh["hooks"] = [outside.get(legend, _legend_inside), *bokeh["hooks"]]
        # The size that panel-material-ui gives legends in the browser: with another one, the two would set it in turn
        # at every update, and each time the browser would lay out the whole page.
        bokeh["fontsize"] = {"legend": LEGEND_SIZE, "legend_title": LEGEND_SIZE}
        matplotlib |= {"show_legend": show, "legend_position": legend or "right"}
        if legend == "bottom":
            matplotlib["hooks"] = [_legend_clear_of_label]
    return styled(element, bokeh=bokeh, matplotlib=matplotlib)


# Widens one of the two ranges so that a unit is as long on both axes; runs in the browser, which knows the size.
EQUAL_UNITS = """
const [x0, x1, y0, y1] = figure.tags
const width = figure.inner_width, height = figure.inner_height
if (width > 0 && height > 0) {
  const unit = Math.max((x1 - x0) / width, (y1 - y0) / height) / 2
  const around = (middle, half) => ({start: middle - half, end: middle + half})
  figure.x_range.setv(around((x0 + x1) / 2, unit * width), {sync: false}) // nobody asked the server
  figure.y_range.setv(around((y0 + y1) / 2, unit * height), {sync: false})
}
"""


def _equal_units(plot: Any, _: Any) -> None:
    """Let circles be circles, whatever size the page gives the picture."""
    figure = plot.state
    limits = [figure.x_range.start, figure.x_range.end, figure.y_range.start, figure.y_range.end]
    if "equal units" not in plot.handles:
        plot.handles["equal units"] = callback = CustomJS(args={"figure": figure}, code=EQUAL_UNITS)
        for change in ("inner_width", "inner_height", "change:tags"):
            figure.js_on_change(change, callback)
        count = 0
    else:
        count = figure.tags[-1] + 1  # the ranges have been set anew, so the browser must look again
    figure.tags = [*limits, count]


def _legend_inside(plot: Any, _: Any) -> None:
    """Let the legend's ground shine through, so that it hides nothing."""
    for legend in plot.state.legend:
        if legend.background_fill_alpha != LEGEND_ALPHA:
            legend.background_fill_alpha = LEGEND_ALPHA


def _legend_beside(plot: Any, element: Any) -> None:
    """Move the legend to the right of the frame."""
    _legend_outside(plot, element, "right", "vertical")


def _legend_below(plot: Any, element: Any) -> None:
    """Move the legend below the frame, its entries side by side, as many as a phone is wide enough for."""
    _legend_outside(plot, element, "below", "horizontal")
    for legend in plot.state.below:
        if isinstance(legend, Legend):
            names = [str(getattr(item.label, "value", "")) for item in legend.items]
            columns = max(1, PHONE // (LEGEND_MARK + LETTER * max(map(len, names), default=1)))
            if legend.ncols != columns:
                legend.ncols = columns


def _legend_outside(plot: Any, element: Any, side: str, orientation: str) -> None:
    """Move the legend out of the frame, when the plot is made.

    HoloViews itself can do both, but would do so at every update of a standing plot, and each of these changes makes
    the browser lay the whole page out again: a tenth of a second for nothing.
    """
    _legend_inside(plot, element)
    for legend in list(plot.state.center):
        if isinstance(legend, Legend):
            plot.state.center.remove(legend)
            legend.orientation = orientation
            legend.margin, legend.padding = 0, 4  # a phone has no pixel to spare
            plot.state.add_layout(legend, side)


def _legend_clear_of_label(plot: Any, _: Any) -> None:
    """Move matplotlib's legend below the label of the axis, which HoloViews lets it cover."""
    legend = plot.handles["axis"].get_legend()
    if legend is not None:
        legend.set_bbox_to_anchor((0.0, -0.34, 1.0, 0.102), plot.handles["axis"].transAxes)


def _bokeh_size(height: int, square: bool) -> dict[str, Any]:
    """Fill the width at a fixed height; a square picture needs a fixed frame, for bokeh cannot do both."""
    if square:
        return {"frame_height": height - 80, "frame_width": height - 80, "data_aspect": 1}
    return {"height": height, "responsive": True, "min_width": 200}


def marked_curve(data: tuple[np.ndarray, np.ndarray], across: str, up: str, label: str, k: int) -> list[hv.Element]:
    """Return the k-th series: a curve of its own colour and dash, thinner than those before so as not to hide them."""
    colour, dash = SERIES[k % len(SERIES)], DASHES[k % len(DASHES)]
    curve = line(hv.Curve(data, across, up, label=label), colour, dash=dash, width=max(5 - 0.6 * k, 1.5))
    return [curve, markers(hv.Scatter(data, across, up), colour, size=5)]
