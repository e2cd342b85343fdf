"""The tab "Covariances" without a browser: default, drag, files, singular batches, refusals, saved results."""

import io

import holoviews as hv
import numpy as np
import pytest

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
    places = list(dragged._shown_handles)
    assert len(places) == 4
    kept = view.b_long, view.b_short, view.b_turn, view.a_short
    places[0] = (0.0, 0.5)
    dragged._moved({"x": [x for x, _ in places], "y": [y for _, y in places]})
    assert (view.a_long, view.a_turn) == pytest.approx((0.5, 90))
    assert (view.b_long, view.b_short, view.b_turn, view.a_short) == kept
    dragged._moved({"x": [50.0, *[x for x, _ in places[1:]]], "y": [0.0, *[y for _, y in places[1:]]]})
    assert view.a_long == 1.0
    dragged._moved({"x": [np.nan] * 4, "y": [0.0] * 4})
    dragged._moved({})
    dragged._moved(None)


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
    assert len(folded.split()) == int(ds.folded.sum()) > 0
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
