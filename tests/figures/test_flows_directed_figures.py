"""The figures of directed slices show the numbers of their Dataset, on both backends."""

import holoviews as hv
import numpy as np
import pytest

from workbench import data
from workbench.figures import flows as figures
from workbench.figures.choose import figure_for

SHIPPED = ("slices", "searches", "quadratures", "driven", "amortised")


@pytest.fixture(scope="module")
def shipped():
    return {name: data.result(f"flows/directed_{name}.nc") for name in SHIPPED}


def find(overlay, kind, label=""):
    return next(e for e in overlay if isinstance(e, kind) and e.label == label)


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
@pytest.mark.parametrize("name", SHIPPED)
def test_every_result_finds_its_figure_and_it_draws(shipped, name, backend):
    element = figure_for(shipped[name])
    state = hv.renderer(backend).get_plot(element).state
    assert state is not None
    title = hv.Store.lookup_options("bokeh", element, "plot").kwargs["title"]
    assert title


def test_the_profile_stands_between_its_ends(shipped):
    ds = shipped["slices"]
    figure = figures.kappa_curve(ds, marked=(1.0, 0.03))
    curve = find(figure, hv.Curve, "best axis")
    np.testing.assert_array_equal(curve.dimension_values("cost"), ds.value.values)
    assert set(find(figure, hv.Curve, "SW").dimension_values("cost")) == {float(ds.sw2)}
    assert set(find(figure, hv.Curve, "Max-SW, certified").dimension_values("cost")) == {float(ds.max_sw2_bound)}
    assert find(figure, hv.Scatter).dimension_values("cost").tolist() == [0.03]
    assert len(figures.kappa_curve(ds)) == len(figure) - 1


def test_searches_flows_rules_and_networks_show_their_numbers(shipped):
    searches = figures.search_shares(shipped["searches"])
    means = find(searches, hv.Scatter, "mean").dimension_values("share")
    np.testing.assert_allclose(means, shipped["searches"].share.mean(("pair", "start")))
    driven = figures.driven_curves(shipped["driven"], distance="sw2")
    curve = find(driven, hv.Curve, "directed")
    np.testing.assert_allclose(
        curve.dimension_values("distance"), shipped["driven"].sw2.sel(slicing="directed").mean("seed")
    )
    rules = find(figures.rule_errors(shipped["quadratures"]), hv.Curve, "vmf-spiral")
    np.testing.assert_allclose(
        rules.dimension_values("error"), shipped["quadratures"].relative_rmse.sel(rule="vmf-spiral").max("pair")
    )
    gains = find(figures.amortised_gains(shipped["amortised"]), hv.Scatter, "turned")
    assert len(gains) == shipped["amortised"].gain.sel(arrangement="turned").size
