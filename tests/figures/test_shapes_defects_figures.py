"""Figures of crystals and their defects: what they hold, on both backends."""

import numpy as np
import pytest
from drawing import draw

from workbench import data, shapes
from workbench.figures import shapes as figures
from workbench.figures.choose import figure_for

CORNERS = [(5.0, 0.0), (0.0, 5.0), (-5.0, 0.0), (0.0, -5.0)]


@pytest.fixture(scope="module")
def report():
    return shapes.circuit_report(size=9, loop=CORNERS)


def labelled(overlay):
    return {part.label: part for part in overlay if part.label}


def test_the_crystal_shows_what_is_wrong_and_the_loop(report):
    parts = labelled(figures.crystal_loop(report, CORNERS))
    assert len(parts["too few neighbours"]) == len(parts["too many"]) == 1
    assert len(parts["regular"]) == report.sizes["atom"] - 2
    handles = parts["handles"].dframe()
    np.testing.assert_allclose(handles[["x", "y"]].values, [*CORNERS, (0, 0)], atol=1e-12)
    arrow = parts["Burgers vectors (× 4)"].split()[0].array()
    np.testing.assert_allclose(arrow[1] - arrow[0], [4, 0], atol=0.3)
    assert len(labelled(figures.crystal_loop(shapes.circuit_report(placed="", size=9)))) == len(
        parts
    )  # the plot stands


def test_the_map_holds_the_field(report):
    for name in figures.MAPS:
        (points,) = figures.dictionary_map(report, name)
        there = np.isfinite(report[name].values) & report.is_inner.values
        np.testing.assert_array_equal(points["value"], report[name].values[there])


def test_curves_of_the_dictionaries_are_the_study_s():
    ds = data.result("shapes/defects_dictionaries.nc")
    curve = labelled(figures.wedge_fluxes(ds))["1st isothermal"]
    np.testing.assert_allclose(curve["flux"], 2, rtol=1e-9)
    share = labelled(figures.torsion_share_curves(ds))["vector"]
    np.testing.assert_array_equal(share["share"], ds.vector.values)


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
def test_every_figure_draws(report, backend):
    draw(figures.crystal_loop(report, CORNERS), backend)
    draw(figures.dictionary_map(report), backend)
    draw(figures.torsion_share_curves(data.result("shapes/defects_dictionaries.nc")), backend)
    for name in ("dictionaries", "noise", "circuits"):
        draw(figure_for(data.result(f"shapes/defects_{name}.nc")), backend)
