"""Draw a figure as a page or a download does, and make sure that something is on it."""

import holoviews as hv
import numpy as np
from bokeh.models import Annotation, ColumnDataSource, GlyphRenderer
from bokeh.plotting import figure as bokeh_figure
from matplotlib.backends.backend_agg import FigureCanvasAgg


def draw(element, backend):
    """Draw ``element`` and return HoloViews' plot; fails unless there are marks with numbers in finite axes."""
    plot = hv.renderer(backend).get_plot(element)
    (_look_at_bokeh if backend == "bokeh" else _look_at_matplotlib)(plot.state)
    return plot


def _look_at_bokeh(root):
    figures = list(root.select({"type": bokeh_figure}))
    sources = [source for source in root.select({"type": ColumnDataSource}) if _length(source)]
    if not figures:  # a table
        assert sources, "the table is empty"
    for figure in figures:
        glyphs = [one for one in figure.renderers if isinstance(one, GlyphRenderer) and _length(one.data_source)]
        spans = [one for one in [*figure.renderers, *figure.center] if isinstance(one, Annotation) and one.visible]
        marks = [one for one in spans if type(one).__name__ in ("Span", "BoxAnnotation") or _length_of_whiskers(one)]
        assert glyphs or marks, "an empty picture"
        ends = [getattr(r, end, None) for r in (figure.x_range, figure.y_range) for end in ("start", "end")]
        assert all(np.isfinite(end) for end in ends if isinstance(end, int | float)), "an axis without an end"


def _length_of_whiskers(annotation):
    """How many error bars an annotation draws; Bokeh keeps them beside the glyphs."""
    return _length(annotation.source) if type(annotation).__name__ == "Whisker" else 0


def _length(source):
    return max((len(column) for column in source.data.values()), default=0)


def _look_at_matplotlib(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    for axes in figure.axes:
        assert np.isfinite([*axes.get_xlim(), *axes.get_ylim()]).all(), "an axis without an end"
    kinds = ("collections", "patches", "images", "tables")
    lines = any(len(line.get_xdata()) for axes in figure.axes for line in axes.lines)
    assert lines or any(len(getattr(axes, kind)) for axes in figure.axes for kind in kinds), "an empty picture"
    pixels = np.asarray(canvas.buffer_rgba())
    assert (pixels != pixels[0, 0]).any(), "a blank picture"
