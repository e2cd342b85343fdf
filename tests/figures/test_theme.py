"""The theme draws every mark on both backends without a warning."""

import holoviews as hv
import numpy as np
import pytest
from drawing import draw

from workbench.figures import theme

X = np.linspace(1, 10, 20)
MARKS = {
    "line": lambda: theme.line(hv.Curve((X, X)), theme.SERIES[0], dash="dashed"),
    "vline": lambda: theme.line(hv.VLine(5), theme.REFERENCE),
    "markers": lambda: theme.markers(hv.Scatter((X, X)), theme.SERIES[1], marker="diamond"),
    "area": lambda: theme.band(hv.Area((X, X, 2 * X), vdims=["low", "high"]), theme.SERIES[2]),
    "span": lambda: theme.band(hv.VSpan(2, 3), theme.NEUTRAL),
    "errors": lambda: theme.error_bars(hv.ErrorBars((X, X, 0 * X + 1)), theme.SERIES[3]),
    "bars": lambda: theme.bars(hv.Bars([("a", 1), ("b", 2)], "kind", "value"), theme.SERIES[4]),
    "image": lambda: theme.image(hv.Image(np.arange(16.0).reshape(4, 4)), signed=True, label="z"),
    "path": lambda: theme.line(hv.Path([np.column_stack([X, X])]), theme.SERIES[5]),
}


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
@pytest.mark.parametrize("mark", MARKS)
def test_each_mark_draws_alone_and_overlaid(mark, backend):
    for element in (MARKS[mark](), MARKS[mark]() * MARKS["line"]()):
        if mark == "bars" and isinstance(element, hv.Overlay):
            continue  # bars have a categorical axis
        figure = theme.frame(element, title="title", xlabel="x axis", ylabel="y axis")
        draw(figure, backend)


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
def test_an_empty_picture_is_no_drawing(backend):
    with pytest.raises(AssertionError, match=r"empty|blank|without an end"):
        draw(hv.Curve([], "x", "y"), backend)


def test_options_reach_both_backends():
    figure = theme.frame(MARKS["line"](), title="title", logx=True)
    for backend in ("bokeh", "matplotlib"):
        plot = hv.Store.lookup_options(backend, figure, "plot").kwargs
        assert plot["title"] == "title"
        assert plot["logx"] is True


def test_signed_maps_are_centred_on_zero():
    assert theme.symmetric_limits([-1.0, 3.0, np.nan]) == (-3.0, 3.0)
    assert theme.symmetric_limits([0.0]) == (-1.0, 1.0)
    options = hv.Store.lookup_options("bokeh", MARKS["image"](), "plot").kwargs
    assert options["clim"] == (-15.0, 15.0)


def test_square_figures_keep_their_aspect():
    figure = theme.frame(MARKS["image"](), square=True)
    plot = hv.renderer("bokeh").get_plot(figure)
    assert plot.state.frame_width == plot.state.frame_height


def test_a_legend_below_does_not_cover_the_label_of_the_axis():
    curve = theme.line(hv.Curve((X, X), "x", "y", label="one"), theme.SERIES[0])
    other = theme.line(hv.Curve((X, 2 * X), "x", "y", label="two"), theme.SERIES[1])
    figure = theme.frame(curve * other, xlabel="length", legend="bottom")
    plot = hv.renderer("matplotlib").get_plot(figure)
    plot.state.canvas.draw()
    axes = plot.handles["axis"]
    assert not axes.get_legend().get_window_extent().overlaps(axes.xaxis.label.get_window_extent())
