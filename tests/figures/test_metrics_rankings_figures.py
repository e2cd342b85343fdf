"""Figures of rankings: their data, read back, on both backends."""

import holoviews as hv
import numpy as np
import pytest
from drawing import draw

from workbench import metrics
from workbench.figures import metrics as figures
from workbench.figures.choose import figure_for


@pytest.fixture(scope="module")
def report():
    return metrics.ranking_report(seed=1)


@pytest.fixture(scope="module")
def made():
    y, scores = metrics.binormal(60, prevalence=0.3, seed=1)
    return [
        metrics.ranking(y, scores),
        metrics.group_repairs(y, scores, np.arange(60) % 2, steps=5, seeds=2),
        metrics.repairs(y, scores),
        metrics.compare(y, scores, scores.round(1)),
        metrics.ap_range(10, 90, 0.9),
        metrics.bootstrap(y, scores, 30),
        metrics.ranking_invariances(y, scores),
        metrics.ranking_confusions(5, 20),
        metrics.repair_drift(["paper", "equal"], seeds=3, steps=5),
        metrics.interval_study((100, 200), prevalence=0.3, samples=10, replicates=10),
    ]


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
def test_every_experiment_has_a_figure_of_its_own(made, report, backend):
    for ds in [*made, report]:
        assert ds.attrs["function"].split(".")[-1] in figures.FIGURES
        draw(figure_for(ds), backend)


def test_both_curves_are_those_of_the_result(report):
    figure = figures.roc_and_pr(report, at=(0.1, 0.6, 0.5))
    curves = [part for part in figure if isinstance(part, hv.Curve) and part.label]
    one = report.isel(part=0)
    keep = np.isfinite(one.fpr.values)
    np.testing.assert_array_equal(curves[0].dimension_values("value"), one.tpr.values[keep])
    np.testing.assert_array_equal(curves[1].dimension_values("value"), one.precision.values[keep])
    marks = next(part for part in figure if isinstance(part, hv.Scatter))
    assert marks.dimension_values("rate").tolist() == [0.1, 0.6]
    assert sum(isinstance(part, hv.Area) for part in figure) == 2


def test_the_strip_holds_every_item_once_and_the_threshold(report):
    figure = figures.ranking_strip(report, threshold=0.5)
    points = {part.label: part for part in figure if isinstance(part, hv.Points)}
    assert set(points) == {"positive, A", "positive, B", "negative, A", "negative, B", figures.HANDLE}
    items = np.concatenate([part["item"] for label, part in points.items() if label != figures.HANDLE])
    assert sorted(items.tolist()) == list(range(200))
    assert sum(len(part) for label, part in points.items() if label.startswith("positive")) == 20
    assert points[figures.HANDLE]["score"].tolist() == [0.5]


def test_gains_are_bars_and_a_flat_line(report):
    figure = figures.mistake_gains(report)
    bars = next(part for part in figure if isinstance(part, hv.Segments))
    np.testing.assert_array_equal(bars.dimension_values("gain2"), report.ap_gain)
    line = next(part for part in figure if isinstance(part, hv.Curve))
    assert np.ptp(line.dimension_values("gain")) < 1e-15


def test_the_range_holds_the_ranking(report):
    whisker = next(part for part in figures.range_of_ap(report) if isinstance(part, hv.Segments))
    low, high = float(whisker["AP"][0]), float(whisker["AP2"][0])
    assert low <= float(report.ap[0]) <= high


def test_orders_show_every_positive(report):
    rows = [part for part in figures.extreme_orders(report) if isinstance(part, hv.Segments)]
    assert [len(row) for row in rows] == [20, 20, 20]
    np.testing.assert_array_equal(rows[0]["rank"], report.highest_rank)
    ranked = report.tick_positive.values.astype(bool)
    np.testing.assert_array_equal(rows[1]["rank"], np.flatnonzero(ranked) + 1)


def test_what_is_not_there_is_said():
    perfect = metrics.ranking_report([1, 1, 0, 0], [4.0, 3.0, 2.0, 1.0])
    for figure in (figures.mistake_gains(perfect), figures.nothing_to_show("nothing")):
        draw(figure, "bokeh")
    draw(figures.roc_and_pr(perfect), "matplotlib")


def test_drift_shows_the_rule_that_is_asked_for(made):
    ds = made[-2]
    figure = figures.drift_curves(ds, rule="random")
    curves = [part for part in figure if type(part) is hv.Curve]  # a band is a curve as well
    np.testing.assert_array_equal(curves[0].dimension_values("change"), ds.gap_change.sel(setup="paper", rule="random"))
    assert len(curves) == 2
    marks = [part for part in figures.drift_ends(ds) if isinstance(part, hv.Scatter)]
    assert len(marks) == ds.sizes["rule"]
