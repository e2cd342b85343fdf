"""Figures of the fisher room: what they hold, on both backends, without a browser."""

import holoviews as hv
import numpy as np
import pytest
from drawing import draw

from workbench import fisher
from workbench.figures import fisher as figures
from workbench.figures import theme

SCALING = fisher.exact_scaling()


def drawn(element):
    """Draw with both backends; a figure that cannot be drawn is no figure."""
    for backend in ("bokeh", "matplotlib"):
        draw(element, backend)
    return element


def options(element, backend="bokeh"):
    return {
        **hv.Store.lookup_options(backend, element, "plot").kwargs,
        **hv.Store.lookup_options(backend, element, "style").kwargs,
    }


def labelled(overlay):
    return {part.label: part for part in overlay.values() if part.label}


def test_growth_is_logarithmic_and_holds_every_source():
    fit = fisher.fit_power_law(SCALING.sites, SCALING.scalar_curvature, window=(36, 81))
    figure = drawn(
        figures.growth(
            SCALING,
            window=(6, 9),
            fit=fit,
            published=fisher.published("ising-2d"),
            beyond=fisher.shipped_extrapolation(),
        )
    )
    parts = labelled(figure)
    assert set(parts) == {"fit of the window", "exact", "extrapolated ‖T‖²", "paper, sampled"}
    np.testing.assert_array_equal(parts["exact"].dimension_values(1), -SCALING.scalar_curvature)
    assert options(figure)["logx"]
    assert options(figure)["logy"]
    bars = next(part for part in figure.values() if isinstance(part, hv.ErrorBars))
    assert len(bars) == 8
    assert set(labelled(drawn(figures.growth(SCALING)))) == {"exact"}


def test_exponents_show_the_window_and_the_prediction():
    fit = fisher.fit_power_law(SCALING.sites, SCALING.scalar_curvature, window=(36, 81))
    figure = drawn(
        figures.exponents(SCALING, window=(6, 9), fit=fit, predicted=10 / 9, beyond=fisher.shipped_extrapolation())
    )
    parts = labelled(figure)
    np.testing.assert_allclose(parts["fit of the window"].dimension_values(1), fit.exponent)
    assert "predicted 1.1111" in parts
    span = next(part for part in figure.values() if isinstance(part, hv.VSpan))
    assert tuple(span.data) == (6, 9)
    with_points = drawn(figures.exponents(SCALING, published=([5.0], [1.1], [0.01])))
    assert "paper, sampled" in labelled(with_points)


def test_per_site_is_straight_for_a_logarithm():
    fit = fisher.fit_logarithm(SCALING.L[-5:], (SCALING.scalar_curvature / SCALING.sites)[-5:])
    figure = drawn(figures.per_site(SCALING, logarithm=fit, beyond=fisher.shipped_extrapolation()))
    assert options(figure)["logx"]
    assert any("ln L" in label for label in labelled(figure))


def test_maps_are_placed_and_signed_ones_centred():
    ds = fisher.third_cumulant(6, dx=2)
    zone = drawn(figures.zone(ds, "lower"))
    assert zone.dimension_values("eigenvalue").max() == pytest.approx(
        float(ds.metric_eigenvalue.sel(branch="lower").max())
    )
    space = drawn(figures.covariance(ds, cap=0.05))
    assert options(space)["clim"] == (-0.05, 0.05)
    assert options(space)["cmap"] == theme.DIVERGING
    image = drawn(figures.cumulant(ds))
    low, high = options(image)["clim"]
    assert low == -high
    assert image.sample([(2, 0)]).dimension_values("cumulant")[0] == pytest.approx(float(ds.cumulant.sel(x=2, y=0)))
    assert image.sample([(0, 2)]).dimension_values("cumulant")[0] == pytest.approx(float(ds.cumulant.sel(x=0, y=2)))


def test_across_marks_the_critical_coupling():
    ds = fisher.coupling_sweep(3, 0.3, 0.6, points=4)
    for figure in (drawn(figures.across(ds)), drawn(figures.across_parts(ds))):
        line = next(part for part in figure.values() if isinstance(part, hv.VLine))
        assert line.data == pytest.approx(fisher.J_CRITICAL)


@pytest.mark.parametrize("model", ["ising-2d", "ising-3d", "potts-3"])
def test_lattice_and_running_estimate(model):
    ds = fisher.live_curvature(model, 3, samples=64)
    lattice = drawn(figures.lattice(ds))
    assert lattice.dimension_values("colour").size == 9
    assert ("First layer" in options(lattice)["title"]) == (model == "ising-3d")
    running = labelled(drawn(figures.running(ds)))
    assert ("exact" in running) == (model == "ising-2d")
    assert running["estimate ± 2 errors"].dimension_values(1)[-1] == pytest.approx(float(ds.scalar_curvature))


def test_other_models_have_error_bars_and_both_candidates():
    ds = fisher.compare_model("potts-3")
    figure = drawn(figures.model_exponents(ds))
    parts = {"paper 1.1379", "specific heat 1.2000", "paper's data", "this room", "‖T‖² continued"}
    assert set(labelled(figure)) == parts
    assert sum(isinstance(part, hv.ErrorBars) for part in figure.values()) == 3
    drawn(figures.model_growth(ds))


def test_identity_lies_on_its_line():
    ds = fisher.random_ricci_terms(draws=5)
    parts = labelled(drawn(figures.identity(ds)))
    points = parts["R3 against R1"]
    np.testing.assert_allclose(points.dimension_values(1), -points.dimension_values(0) / 2)
    drawn(figures.random_curvature(ds))
