"""Figures of densities and their curvature: their data, read back, on both backends."""

import holoviews as hv
import numpy as np
import pytest
from drawing import draw

from workbench import fisher
from workbench.figures import fisher as figures


def drawn(element):
    for backend in ("bokeh", "matplotlib"):
        draw(element, backend)
    return element


@pytest.fixture(scope="module")
def web():
    return fisher.web_report(shape=(32, 32), smoothing=0.08, probe=0.05)


def test_maps_stand_upright(web):
    image = drawn(figures.field_map(web))
    corner = image.dimension_values("ln ρ", flat=False)
    np.testing.assert_allclose(corner, web.log_density.values.T)  # rows are y, from below
    low, high = hv.Store.lookup_options("bokeh", drawn(figures.field_curvature(web)), "plot").kwargs["clim"]
    assert low == -high


def test_stripes_lie_only_where_the_class_changes(web):
    ground, over = drawn(figures.field_web(web)).values()
    striped = np.isfinite(over.dimension_values("another class", flat=False).T)
    changed = web.web.values != web.classical_web.values
    assert striped.any()
    assert not (striped & ~changed).any()
    np.testing.assert_array_equal(ground.dimension_values("positive eigenvalues", flat=False).T, web.web)


def test_curves_of_a_field(web):
    drawn(figures.field_flow(web))
    parts = {part.label: part for part in drawn(figures.field_histogram(web)).values() if part.label}
    np.testing.assert_allclose(parts["Gaussian law"].dimension_values(1), web.law)
    bars = drawn(figures.field_shares(web))
    assert sum(part.dimension_values("share").sum() for part in bars.values()) == pytest.approx(2)


def test_two_measures():
    ds = fisher.entropic_curvature(fisher.Normal(-1, 0.5), fisher.Normal(1, 1), N=4)
    plane = drawn(figures.pair_plane([(-1.0, 0.7), (1.0, 1.0)]))
    marks = next(part for part in plane.values() if part.label == "handles")
    np.testing.assert_array_equal(marks.dimension_values("item"), [0, 1])
    drawn(figures.pair_densities(ds))
    assert len(drawn(figures.pair_parts(ds))) == 4
    parts = {part.label: part for part in drawn(figures.pair_entropy(ds)).values()}
    np.testing.assert_allclose(parts["E"].dimension_values(1), ds.entropy)


@pytest.mark.parametrize("sigma", [0.3, 1.5])
def test_a_transport_that_holds_and_one_that_is_refused(sigma):
    rho = fisher.field(shape=(24, 24), sigma=sigma, smoothing=0.06, seed=1).density.values
    ds = fisher.periodic_reconstruction(rho)
    drawn(figures.transport_map(ds))
    drawn(figures.transport_residuals(ds))
    drawn(figures.transport_entropy(ds))
