"""Figures of climates in few bits: their data, read back, on both backends."""

import holoviews as hv
import numpy as np
import pytest
from drawing import draw

from workbench import flows
from workbench.figures import flows as figures


@pytest.fixture(scope="module")
def climate():
    return flows.precision_climate("lorenz63", 6, runs=2, reference_runs=4, steps=3000, cycle_steps=5000)


@pytest.fixture(scope="module")
def own():
    rng = np.random.default_rng(0)
    return flows.compare_runs(rng.normal(0.5, 1, (3, 200)), rng.normal(0, 1, (6, 200)), quantity="rain")


@pytest.fixture(scope="module")
def sweep():
    named = {"runs": 2, "reference_runs": 4, "steps": 2000, "cycle_steps": 2000}
    return flows.precision_sweep("lorenz63", (6, 23), ("nearest", "stochastic"), **named)


@pytest.fixture(scope="module")
def soil():
    return flows.soil_column(16, years=2, frames=5)


def parts(figure, kind):
    return [part for part in figure if type(part) is kind]  # an Area is a Curve too


def test_states_of_both_precisions_and_the_cycle(climate):
    drawn = parts(figures.climate_picture(climate), hv.Points)
    assert [one.label for one in drawn] == ["double precision", "6 bits", "the cycle"]
    np.testing.assert_array_equal(drawn[1].dimension_values("second"), climate.low_orbit.values[:, 2])
    places = drawn[2].dimension_values("second")
    assert len(places) == int(climate.period[0])
    assert 308 in climate.period.values  # the one that the other starts fall into as well
    others = climate.isel(cycle_point=slice(0, 0))
    assert len(parts(figures.climate_picture(others), hv.Points)) == 2


def test_distance_with_its_floor(climate):
    figure = figures.climate_distance(climate)
    mean, found = parts(figure, hv.Curve)
    np.testing.assert_allclose(found.dimension_values("distance"), climate.w1_so_far)
    np.testing.assert_allclose(mean.dimension_values("distance"), climate.floor_mean_so_far)
    (band,) = parts(figure, hv.Area)
    np.testing.assert_allclose(band.dimension_values("high"), climate.floor_so_far)
    assert (band.dimension_values("low") < found.dimension_values("distance")).all()


def test_the_area_between_the_distributions_is_the_distance(own):
    reference, tested = parts(figures.climate_distributions(own), hv.Curve)
    width = np.diff(reference.dimension_values("value"))[0]
    area = width * np.abs(tested.dimension_values("share") - reference.dimension_values("share")).sum()
    assert area == pytest.approx(float(own.w1), abs=2 * width)
    assert isinstance(figures.climate_picture(own), hv.Overlay)  # one's own runs have no states, so: distributions
    assert parts(figures.climate_picture(own), hv.Curve)[1].label == "under test"


def test_a_sweep_has_a_curve_for_each_rounding_and_the_floor(sweep):
    figure = figures.format_errors(sweep)
    curves = parts(figure, hv.Curve)
    assert [curve.label for curve in curves] == ["nearest", "stochastic"]
    np.testing.assert_allclose(curves[1].dimension_values("distance"), sweep.w1.sel(rounding="stochastic"))
    bars = parts(figure, hv.ErrorBars)
    assert (bars[0].dimension_values(2) <= 0.9 * curves[0].dimension_values("distance")).all()
    assert parts(figure, hv.HLine)[0].data == pytest.approx(float(sweep.floor))


def test_soil_over_time_and_depth(soil):
    shown = figures.soil_map(soil)
    assert shown.bounds.lbrt() == (0.0, 0.0, float(soil.time[-1]), float(soil.depth[-1]))
    values = shown.dimension_values("kelvin", flat=False)  # rows from the lower edge up: the surface first
    np.testing.assert_array_equal(values, soil.temperature.values.T)
    errors = figures.soil_map(soil, error=True).dimension_values("kelvin", flat=False)
    np.testing.assert_array_equal(errors, soil.error.values.T)
    exact, few = parts(figures.soil_profiles(soil), hv.Curve)
    np.testing.assert_array_equal(exact.dimension_values("kelvin"), soil.exact[-1])
    np.testing.assert_array_equal(few.dimension_values("kelvin"), soil.temperature[-1])


def test_a_run():
    ds = flows.low_precision_run("lorenz63", 10, runs=2, steps=200)
    np.testing.assert_array_equal(figures.run_curve(ds).dimension_values("value"), ds.state[0, :, 0])


@pytest.mark.parametrize("backend", ["bokeh", "matplotlib"])
def test_both_backends_draw(climate, own, sweep, soil, backend):
    for element in (
        figures.climate_picture(climate),
        figures.climate_distance(climate),
        figures.climate_distributions(own),
        figures.format_errors(sweep),
        figures.soil_map(soil),
        figures.soil_map(soil, error=True),
        figures.soil_profiles(soil),
    ):
        draw(element, backend)
