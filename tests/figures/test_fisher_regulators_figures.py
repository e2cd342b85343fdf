"""Figures of regulators: what they hold, on both backends, and that a plot can keep standing."""

import math

import numpy as np
import pytest
from drawing import draw

from workbench import data, fisher
from workbench.figures import fisher as figures
from workbench.ui.kit.picture import plot_structure

ALL = [
    figures.regimes_of_directions, figures.models_over_damping, figures.learners_over_damping, figures.damping_phases,
    figures.chart_regimes,
]  # fmt: skip


@pytest.fixture(scope="module")
def report():
    return fisher.regulator_report()


@pytest.mark.parametrize("figure", ALL)
def test_it_draws_with_both_backends(figure, report):
    for backend in ("bokeh", "matplotlib"):
        draw(figure(report), backend)


@pytest.mark.parametrize("figure", ALL)
def test_a_plot_stands_while_numbers_change(figure, report):
    others = [
        fisher.regulator_report("spectrum", eigenvalues=(1.0, 1.1), loss="squared", a=1, b=0, p=3.0),
        fisher.regulator_report("spectrum", eigenvalues=(2.0, 2.0)),
        fisher.regulator_report("spectrum", eigenvalues=(1e-3, 900.0), loss="likelihood", beta=0.3),
    ]
    first = plot_structure(figure(report))
    assert all(plot_structure(figure(other)) == first for other in others)


def test_infinity_is_a_place_of_its_own(report):
    figure = figures.learners_over_damping(report)
    dots = [part for part in figure.values() if type(part).__name__ == "Scatter"]
    assert dots[0].dimension_values(0).tolist() == [1.0]  # the best step, on the isotropic loss
    assert (1.0, "∞") in figures.regulators.PLACES
    star = next(part for part in figure.values() if part.label == "c*, A")
    c = float(report.c_star)
    assert star.dimension_values(0)[0] == pytest.approx(c / (c + float(report.largest)))


def test_eigenvalues_carry_their_item(report):
    marks = next(p for p in figures.regimes_of_directions(report).values() if p.label == "eigenvalues")
    np.testing.assert_array_equal(marks.dimension_values("item"), report.direction)
    np.testing.assert_array_equal(marks.dimension_values("eigenvalue"), report.eigenvalue)


def test_tori_show_every_size_and_the_critical_coupling():
    ds = data.result("fisher/regulators_torus.nc")
    figure = figures.torus_regimes(ds)
    labels = [part.label for part in figure.values()]
    assert labels == ["critical", *[f"L = {L}" for L in ds.L.values]]
    draw(figure, "matplotlib")
    along = figures.torus_regimes(data.result("fisher/regulators_critical.nc"))
    assert next(iter(along.values())).label == "J = J'"
    assert math.isclose(next(iter(along.values())).dimension_values(0)[0], fisher.J_CRITICAL)
