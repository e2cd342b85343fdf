"""The figures of saddle searches show the numbers of their Dataset, on both backends."""

import holoviews as hv
import numpy as np
import pytest

from workbench import data, steps
from workbench.figures import steps as figures
from workbench.figures.choose import figure_for


@pytest.fixture(scope="module")
def shipped():
    names = (
        "saddle_search",
        "saddle_survey",
        "saddle_basins",
        "saddle_pruning",
        "saddles_planes",
        "saddles_clusters",
    )
    return {name: data.result(f"steps/{name}.nc") for name in names}


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
@pytest.mark.parametrize(
    "name", ["saddle_search", "saddle_survey", "saddle_basins", "saddle_pruning", "saddles_planes"]
)
def test_every_result_has_a_figure_that_draws(shipped, name, backend):
    hv.renderer(backend).get_plot(figure_for(shipped[name]))


def by_label(overlay):
    return {part.label: part for part in overlay}


def test_the_map_shows_calls_discs_and_rejections(shipped):
    ds = shipped["saddle_search"]
    parts = by_label(figures.saddle_map(ds))
    assert np.allclose(parts["call"].array(), ds.x.values)
    assert np.allclose(parts["start"].array(), ds.x.values[:1])
    assert np.allclose(parts["path"].array(), ds.path.values)
    knob = parts["first axis"].array()[0] - ds.x.values[0]
    assert np.allclose(knob / np.linalg.norm(knob), ds.axis.values)
    assert len(parts["rejected step"]) == int(ds.rejections)
    assert len(parts["proved saddle"]) == 2
    assert len(parts["proved minimum"]) == 3
    circle = parts["trust region"].split()[0].array()
    last = ds.threshold.values[np.isfinite(ds.threshold.values)][-1]
    assert np.allclose(np.linalg.norm(circle - ds.x.values[0], axis=1), last)


def test_a_search_without_rejections_or_surrogate_draws():
    plain = steps.saddle_search(start=[-0.9, 0.75], method="dimer", rival="eigenvector-following")
    parts = by_label(figures.saddle_map(plain))
    assert np.isnan(parts["rejected step"].array()).all()
    cluster = steps.saddle_search("lennard-jones", "kick", method="eigenvector-following", most_calls=100)
    assert isinstance(figures.saddle_map(cluster), hv.Overlay)  # no plane to draw: the gradient, call by call


def test_success_curves_end_at_the_rate_and_keep_failures(shipped):
    ds = shipped["saddles_clusters"]
    for curve in figures.saddle_success(ds):
        rate = float(ds.rate.isel(surface=0).sel({"method": curve.label}))
        assert curve.dimension_values("share")[-1] == pytest.approx(rate)


def test_the_gradient_is_drawn_call_by_call(shipped):
    ds = shipped["saddle_search"]
    curve = by_label(c for c in figures.gradient_by_call(ds) if isinstance(c, hv.Curve))["gradient"]
    assert np.allclose(curve.dimension_values(1), ds.gradient.values)


def test_levels_stand_where_the_energies_are(shipped):
    ds = shipped["saddle_survey"]
    parts = by_label(figures.survey_levels(ds))
    assert np.allclose(parts["saddle"].dimension_values("energy"), ds.energy.values)
    known = ds.neighbour.values[ds.neighbour.values >= 0]
    assert sorted(parts["minimum"].dimension_values("energy")) == pytest.approx(sorted(ds.minimum_energy.values[known]))


def test_atoms_keep_their_distances_seen_from_the_side(shipped):
    ds = shipped["saddle_survey"]
    parts = by_label(figures.survey_atoms(ds, 0))
    flat = parts["X"].array()
    assert len(flat) == ds.sizes["atom"]
    seen = np.linalg.norm(flat[:, None] - flat[None], axis=2)
    true = np.linalg.norm(ds.saddle_x.values[0][:, None] - ds.saddle_x.values[0][None], axis=2)
    assert (seen <= true + 1e-9).all()  # a projection shortens, and stretches nothing
    assert len(parts["way down"]) == ds.sizes["atom"]


def test_a_surveys_calls_end_at_its_share(shipped):
    ds = shipped["saddle_survey"]
    (curve,) = (part for part in figures.survey_calls(ds) if isinstance(part, hv.Curve))
    assert curve.dimension_values("share")[-1] == pytest.approx(float(ds.rate))
    assert curve.dimension_values("share")[0] == 0
    assert (np.diff(curve.dimension_values("calls")) >= 0).all()


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
def test_a_survey_that_found_nothing_draws(backend):
    ds = steps.saddle_survey("lennard-jones", starts=2, method="dimer", most_calls=3)
    for figure in (figures.survey_levels, figures.survey_atoms, figures.survey_calls):
        hv.renderer(backend).get_plot(figure(ds))
