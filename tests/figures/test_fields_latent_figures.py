"""The pictures of latent flows show what the results hold."""

import holoviews as hv
import numpy as np
import pytest
from drawing import draw

from workbench import data, fields
from workbench.figures import fields as figures
from workbench.figures.choose import figure_for

BACKENDS = ("bokeh", "matplotlib")


@pytest.fixture(scope="module")
def known():
    return data.result("fields/latent_600.nc")


def labelled(overlay, kind):
    return {part.label: part for part in overlay if isinstance(part, kind) and part.label}


def test_the_sum_is_drawn_with_its_least_point(known):
    figure = figures.latent_budget(known, dimension=8)
    curves = labelled(figure, hv.Curve)
    summed = curves["lost by the projection"]["square"] + curves["added by the flow"]["square"]
    assert curves["both"]["square"] == pytest.approx(summed)
    least = labelled(figure, hv.Scatter)["least"]
    assert least["dimension"].tolist() == [float(known.best)]
    for backend in BACKENDS:
        draw(figure, backend)
    assert figure_for(known) is not None


def test_bounds_are_powers_of_ten_and_none_where_no_truth_is_known(known):
    figure = figures.latent_bounds(known, dimension=2)
    ends = [float(part["power"][0]) for part in figure if isinstance(part, hv.Scatter)]
    one = known.sel(dimension=2)
    apart = float(one.wasserstein - one.floor)
    powers = [np.log10(float(one.flow)), float(one.one_sided), float(one.classical)]
    assert ends == pytest.approx([np.log10(apart), *powers] if apart > 0 else powers)
    own = fields.best_dimension(np.random.default_rng(0).normal(size=(60, 3)), dims=(1, 2), components=1)
    for draws in (figures.latent_bounds(own), figures.latent_budget(own), figures.latent_samples(own)):
        for backend in BACKENDS:
            draw(draws, backend)
    (texts,) = (part for part in figures.latent_bounds(own) if isinstance(part, hv.Labels))
    assert "not known" in list(texts["text"])


def test_pictures_are_drawn_as_such_and_tables_as_points(known):
    sheet = figures.latent_samples(known, dimension=32)
    assert isinstance(sheet, hv.Image)
    values = sheet.dimension_values(2, flat=False)[::-1]  # from the top
    assert values[:8, :8] == pytest.approx(known.picture.sel(dimension=32).values[0].reshape(8, 8), abs=1e-6)
    table = fields.latent_flow(np.random.default_rng(0).normal(size=(60, 9)), 2, components=1)
    assert isinstance(figures.latent_samples(table), hv.Scatter)


def test_both_learners_and_both_codecs_have_their_columns():
    mixture, network = (data.result(f"fields/latent_{name}.nc") for name in ("study", "networks"))
    curves = labelled(figures.learner_columns(mixture, network, points=150), hv.Curve)
    assert curves["network, both errors"]["square"] == pytest.approx(network.total.sel(points=150).mean("seed").values)
    assert (curves["network, flow alone"]["square"] <= curves["network, both errors"]["square"]).all()
    codecs = data.result("fields/latent_codecs.nc")
    found = labelled(figures.codec_curves(codecs), hv.Curve)
    assert found["autoencoder: reconstruction"]["square"] == pytest.approx(
        codecs.reconstruction.sel(codec="autoencoder").mean("seed").values
    )
    for figure in (figures.learner_columns(mixture, network), figures.codec_curves(codecs)):
        for backend in BACKENDS:
            draw(figure, backend)


def test_one_flow_and_the_cross_term():
    for codec in ("pca", "autoencoder"):
        figure = figures.latent_parts(data.result(f"fields/latent_{codec}.nc"))
        for backend in BACKENDS:
            draw(figure, backend)
    ds = fields.additive_counterexample(1.0, 0.1)
    figure = figures.additive_violation(ds)
    curves = labelled(figure, hv.Curve)
    at = np.argmin(np.abs(ds.error.values - 0.1))
    assert curves["W₂²"]["square"][at] > curves["sum of squares"]["square"][at]
    assert (curves["W₂²"]["square"] <= curves["square of the sum"]["square"]).all()
    for backend in BACKENDS:
        draw(figure, backend)
