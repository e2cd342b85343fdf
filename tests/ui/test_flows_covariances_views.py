"""The tab "Covariances" without a browser: default, drag, files, singular batches, refusals, saved results."""

import io

import holoviews as hv
import numpy as np
import pytest
from bokeh.models import Plot, PointDrawTool

from workbench import flows
from workbench.figures import flows as figures
from workbench.figures.flows.covariances import path_unit
from workbench.progress import Progress
from workbench.ui.flows.covariances import FILE, CovarianceFile, CovariancesView, DraggedGeodesics, axes_of, matrix_of


def computed(view):
    inputs = view.values()
    view.check(inputs)
    return view.compute(inputs, Progress())


def npz(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def test_the_default_is_quick_and_tells_all():
    view = CovariancesView()
    assert view.cost(view.values()).is_quick
    ds = computed(view)
    view.show(ds)
    sentence = view.sentence(ds)
    assert f"V = {float(ds.best_value):.6g}" in sentence
    assert f"{int(ds.folded.sum())} of 30 matrices fold" in sentence
    assert 0 < int(ds.folded.sum()) < 30
    for picture in view.figures:
        assert picture.summary(ds)


def test_axes_and_matrices():
    for axes in ((1.0, 0.15, 60.0), (0.5, 0.2, -30.0)):
        np.testing.assert_allclose(matrix_of(*axes_of(matrix_of(*axes))), matrix_of(*axes), atol=1e-12)
    assert axes_of(matrix_of(1.0, 0.3, 20.0))[:2] == pytest.approx((1.0, 0.3))


def test_a_dragged_handle_moves_its_ellipse_only():
    view = CovariancesView()
    view.show(computed(view))
    dragged = next(picture for picture in view._shown if isinstance(picture, DraggedGeodesics))
    places = dragged.places(view.result)
    assert len(places) == 4
    item = list(range(4))
    kept = view.b_long, view.b_short, view.b_turn, view.a_short

    def drop(changed):
        now = {**dict(enumerate(dragged.places(view.result))), **changed}
        dragged.dropped("handles", {"x": [x for x, _ in now.values()], "y": [y for _, y in now.values()], "item": item})

    drop({0: (0.0, 0.5)})
    assert (view.a_long, view.a_turn) == pytest.approx((0.5, 90))
    assert (view.b_long, view.b_short, view.b_turn, view.a_short) == kept
    drop({0: (50.0, 0.0)})
    assert view.a_long == 1.0
    drop({3: (places[3][0], places[3][1])})
    drop({3: (places[2][0], 0.0)})  # the second only stretches
    assert view.b_turn == kept[2]
    assert view.b_short > 0.5
    before = view.values()
    drop({1: (np.nan, 0.0)})
    dragged.dropped("handles", {})
    assert view.values() == before
    off_the_plane = flows.covariance_batch(n=3)
    view.show(off_the_plane)
    assert dragged.places(off_the_plane) == []


def test_the_plot_of_the_dragged_ellipses_shows_title_and_handles_and_stands():
    view = CovariancesView()
    view.show(computed(view))
    dragged = view.figures[0]
    page = dragged._plot.get_root()
    plot = next(plot for plot in page.select({"type": Plot}) if plot.title.text == "Geodesics")
    assert not any(axis.visible for axis in plot.axis)
    marks = next(r for r in plot.renderers if "item" in r.data_source.data)
    assert (marks.data_source.data["x"][0], marks.data_source.data["y"][0]) == pytest.approx(
        dragged.places(view.result)[0]
    )
    tool = next(tool for tool in plot.tools if isinstance(tool, PointDrawTool))
    assert tool.renderers == [marks]
    view.a_turn = 0.0
    view.result = computed(view)
    assert marks.data_source.data["x"][0] == pytest.approx(view.a_long)


def test_own_files():
    view = CovariancesView(source=FILE)
    with pytest.raises(ValueError, match="Choose a file"):
        view.check(view.values())
    trials = np.random.default_rng(0).normal(size=(12, 5, 80))
    view.take_file("eeg.npz", npz(trials=trials))
    ds = computed(view)
    assert ds.covariance.shape == (12, 5, 5)
    view.show(ds)
    assert all(picture.summary(ds) for picture in view.figures)
    view.take_file("flat.npz", npz(trials=trials[:, :, :3]))
    ds = computed(view)
    assert "is singular" in view.sentence(ds) or "fold" in view.sentence(ds)
    view.take_file("bad.npz", npz(covariances=-np.ones((3, 2, 2))))
    with pytest.raises(ValueError, match="eigenvalue"):
        computed(view)
    view.take_file("big.npz", b"0" * (64 * 2**20 + 1))
    assert "up to 64 MiB" in view.complaint
    assert CovarianceFile("a.npz", npz(x=np.ones((2, 1, 1)))).sentence() == "array 'x': 2 matrices of 1 × 1"


def test_a_saved_result_sets_the_controls():
    view = CovariancesView()
    view.show(flows.covariance_batch(first=matrix_of(0.8, 0.3, 40), second=np.eye(2) / 4, factor=3.0, condition=1e6))
    assert (view.a_long, view.a_short) == pytest.approx((0.8, 0.3))
    assert (view.factor, view.condition) == (3.0, 1e6)


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
@pytest.mark.parametrize("arguments", [{}, {"n": 1}, {"n": 5, "factor": 0.0}, {"x": np.stack([np.diag([1.0, 0])] * 3)}])
def test_every_figure_draws(backend, arguments):
    ds = flows.covariance_batch(**arguments)
    for figure in (
        figures.geodesic_ellipses, figures.normalised_ellipses, figures.mean_certificate, figures.swelling
    ):  # fmt: skip
        assert hv.renderer(backend).get_plot(figure(ds)) is not None


def test_the_figures_show_their_numbers():
    ds = flows.covariance_batch(factor=12.0)
    overlay = figures.normalised_ellipses(ds)
    folded = next(part for part in overlay if part.label == "folded")
    assert np.isnan(folded.dimension_values("x")).sum() == int(ds.folded.sum()) > 0  # a gap after each
    marks = next(part for part in overlay if isinstance(part, hv.Scatter))
    assert len(marks) == int(ds.folded.sum())
    assert set(marks.dimension_values("x")) <= set(folded.dimension_values("x"))
    paths = next(part for part in figures.geodesic_ellipses(ds) if part.label == "Bures–Wasserstein")
    assert len(paths.split()) == 7
    drawn = [part for part in figures.geodesic_ellipses(ds) if isinstance(part, hv.Path)]
    assert [len(part.split()) for part in drawn] == [7, 7, 7, 7]
    x, y = drawn[1].split()[3].array().T  # the second row is the affine geometry
    area = np.pi * np.sqrt(float(ds.determinant.sel(metric="affine", place=0.5))) / path_unit(ds) ** 2
    assert abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2 == pytest.approx(area, rel=0.01)
    excess = next(part for part in figures.mean_certificate(ds) if part.label == "V − best bound")
    np.testing.assert_allclose(
        excess.dimension_values("share of V"), np.maximum((ds.value - ds.best_bound) / ds.best_value, 1e-16)
    )
