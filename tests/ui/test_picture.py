"""A picture keeps its plot and changes the numbers in it; what it then shows is what a new plot would show."""

import holoviews as hv
import numpy as np
import pytest
import xarray as xr
from bokeh.models import Span
from bokeh.plotting import figure as bokeh_figure

from workbench import fisher, games, steps
from workbench.figures import fisher as fisher_figures
from workbench.figures import games as games_figures
from workbench.figures import steps as steps_figures
from workbench.figures import theme
from workbench.ui.kit.picture import Picture, plot_structure


def wave(frequency, *, logarithmic=False, label="sine", top=None, legend="right"):
    x = np.linspace(1, 10 * frequency, 30)
    curve = theme.line(hv.Curve((x, frequency * np.sin(x)), "x", "y", label=label), theme.SERIES[0])
    marks = theme.markers(hv.Scatter((x, np.cos(x)), "x", "y", label="cosine"), theme.SERIES[1])
    options = {"xlabel": f"x, {frequency}", "logx": logarithmic, "ylim": None if top is None else (-top, top)}
    return theme.frame(hv.Overlay([curve, marks]), title=f"f = {frequency}", legend=legend, **options)


def mark(renderer):
    if isinstance(renderer, Span):
        return {"location": np.asarray(renderer.location)}
    return {name: np.asarray(values) for name, values in renderer.data_source.data.items()}


def shown(root):
    """What one sees: the title, the axes, and the numbers of every mark."""
    (plot,) = root.select({"type": bokeh_figure})
    marks = [mark(renderer) for renderer in plot.renderers]
    axes = [plot.x_range.start, plot.x_range.end, plot.y_range.start, plot.y_range.end]
    words = [plot.title.text, plot.xaxis[0].axis_label, plot.yaxis[0].axis_label]
    legend = [item.label.value for item in plot.legend[0].items] if plot.legend else []
    glyphs = [renderer.glyph for renderer in plot.renderers if not isinstance(renderer, Span)]
    colours = [glyph.color_mapper for glyph in glyphs if getattr(glyph, "color_mapper", None) is not None]
    return plot, marks, [*words, *legend], axes + [end for m in colours for end in (m.low, m.high)]


def assert_same_picture(one, other):
    (_, marks, words, numbers), (_, other_marks, other_words, other_numbers) = one, other
    assert words == other_words
    np.testing.assert_allclose(np.array(numbers, float), np.array(other_numbers, float), rtol=1e-12)
    assert len(marks) == len(other_marks)
    for mine, theirs in zip(marks, other_marks, strict=True):
        assert mine.keys() == theirs.keys()
        for name, values in mine.items():
            np.testing.assert_array_equal(values, theirs[name])


CASES = {
    "across": (
        fisher_figures.across,
        lambda: [fisher.coupling_sweep(L, 0.3, 0.3 + 0.02 * L, points=5 + L) for L in (4, 6, 5)],
    ),
    "zone": (fisher_figures.zone, lambda: [fisher.third_cumulant(L) for L in (6, 8, 7)]),
    "zeros": (steps_figures.zeros_plane, lambda: [steps.zeros_map(samples=n) for n in (16, 24, 8)]),
    "portrait": (games_figures.phase_portrait, lambda: [games.portrait("toy", time=t) for t in (1.0, 3.0, 2.0)]),
    "balls": (
        games_figures.ball_sizes,
        lambda: [games.portrait(name) for name in ("toy", "rock-paper-scissors", "toy")],
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_an_updated_picture_is_what_a_new_one_would_be(name):
    figure, make = CASES[name]
    results = make()
    old = Picture(name, figure, lambda ds: "words")
    old.update(results[0])
    root = old._plot.get_root()
    for ds in results:
        old.update(ds)
        fresh = Picture(name, figure, lambda ds: "words")
        fresh.update(ds)
        assert_same_picture(shown(root), shown(fresh._plot.get_root()))


def test_plots_are_drawn_on_the_canvas():
    picture = Picture("waves", lambda ds: wave(float(ds.f)), lambda ds: "words")
    for frequency in (1.0, 2.0):
        picture.update(xr.Dataset({"f": frequency}))
        figure, *_ = shown(picture._plot.get_root())
        assert figure.output_backend == "canvas"


def test_the_plot_stands_while_its_structure_stays():
    picture = Picture("waves", lambda ds: wave(float(ds.f)), lambda ds: f"f = {float(ds.f)} < 9")
    picture.update(xr.Dataset({"f": 1.0}))
    root = picture._plot.get_root()
    first, *_ = shown(root)
    for frequency in (5.0, 2.0):
        picture.update(xr.Dataset({"f": frequency}))
        plot, _, words, numbers = shown(root)
        assert plot is first
        assert words[0] == f"f = {frequency}"
        assert numbers[1] == pytest.approx(10 * frequency)
    assert picture._caption.object == "<p>f = 2.0 &lt; 9</p>"  # words may come from an uploaded file


@pytest.mark.parametrize(
    ("legend", "side", "orientation"), [("right", "right", "vertical"), ("bottom", "below", "horizontal")]
)
def test_a_legend_outside_the_frame_stays_there_and_alone(legend, side, orientation):
    picture = Picture("waves", lambda ds: wave(float(ds.f), legend=legend), lambda ds: "words")
    picture.update(xr.Dataset({"f": 1.0}))
    root = picture._plot.get_root()
    for frequency in (1.0, 3.0, 2.0):
        picture.update(xr.Dataset({"f": frequency}))
        plot, *_ = shown(root)
        assert [type(part).__name__ for part in getattr(plot, side)].count("Legend") == 1
        assert plot.legend[0].orientation == orientation
        assert not any(type(part).__name__ == "Legend" for part in plot.center)
        assert plot.legend[0].background_fill_alpha == theme.LEGEND_ALPHA


@pytest.mark.parametrize("other", [{"logarithmic": True}, {"label": "wave"}, {"top": 3.0}])
def test_what_a_standing_plot_cannot_show_makes_a_new_one(other):
    assert plot_structure(wave(1.0)) == plot_structure(wave(2.0))
    assert plot_structure(wave(1.0, top=1.0)) == plot_structure(wave(2.0, top=2.0))
    assert plot_structure(wave(1.0)) != plot_structure(wave(1.0, **other))
