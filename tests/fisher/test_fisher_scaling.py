"""Scaling: fits on data whose law is known, the headline, the fall past it, and the verdict with its numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import fisher
from workbench.fisher import paper, scaling
from workbench.progress import Cancelled, Progress

SIZES = np.array([6.0, 8, 12, 16, 24, 32, 48, 64])


@settings(deadline=None)
@given(st.floats(0.5, 2), st.floats(0.1, 100), st.sampled_from([None, (30, 3000)]))
def test_a_power_law_is_found_exactly(exponent, prefactor, window):
    n = SIZES**2
    R = -prefactor * n**exponent
    fit = scaling.fit_power_law(n, R, window)
    assert fit.exponent == pytest.approx(exponent, abs=1e-10)
    assert fit.error < 1e-8
    np.testing.assert_allclose(fit(n), -R, rtol=1e-9)
    np.testing.assert_allclose(scaling.effective_exponents(n, R), exponent, atol=1e-10)


@given(st.floats(0.5, 20), st.floats(-5, 20))
def test_a_logarithm_is_found_exactly(slope, constant):
    fit = scaling.fit_logarithm(SIZES, -(slope * np.log(SIZES) + constant))
    assert fit.slope == pytest.approx(slope, abs=1e-9)
    assert fit.constant == pytest.approx(constant, abs=1e-8)
    assert fit.residual < 1e-9


def test_errors_of_a_weighted_fit_are_the_scatter_of_repeated_data():
    rng = np.random.default_rng(1)
    n, errors = SIZES**2, 0.01 * SIZES**2.2
    fits = [scaling.fit_power_law(n, n**1.1 + rng.normal(size=8) * errors, errors=errors) for _ in range(2000)]
    assert np.std([f.exponent for f in fits]) == pytest.approx(np.mean([f.error for f in fits]), rel=0.06)


def test_headline_is_reproduced():
    ds = fisher.curvature_scaling(range(6, 10))
    assert round(float(ds.fitted_exponent), 4) == paper.HEADLINE_EXPONENT
    assert round(float(ds.fitted_exponent_error), 4) == paper.HEADLINE_ERROR
    np.testing.assert_allclose(ds.effective_exponent, [1.1113, 1.1110, 1.1126], atol=5e-5)
    assert ds.smaller.values.tolist() == [6, 7, 8]


def test_exact_exponents_rise_then_fall():
    ds = fisher.curvature_scaling([16, 18, 20, 22, 24, 28, 32, 40, 64])
    d = ds.effective_exponent.values
    assert 18 < ds.pair.values[d.argmax()] < 26
    assert d.max() == pytest.approx(1.1219, abs=5e-5)
    pair = scaling.effective_exponents([32**2, 64**2], ds.scalar_curvature.sel(L=[32, 64]))
    assert pair[0] == pytest.approx(1.1168, abs=5e-5)


def test_published_monte_carlo_agrees_with_exact_values():
    table = fisher.published("ising-2d")
    exact = np.array([-float(fisher.ising_curvature(int(L)).scalar_curvature) for L in table.L])
    sigma = (table.absolute_curvature.values - exact) / table.absolute_curvature_error.values
    assert np.abs(sigma).max() < 1.45


@pytest.mark.slow
def test_extrapolation_covers_exact_values_and_ends_below_the_prediction():
    ds = fisher.extrapolated_curvature((96, 256, 512, 1024))
    exact = float(fisher.ising_curvature(96).cumulant_norm)
    assert abs(float(ds.cumulant_norm[0]) - exact) < float(ds.cumulant_norm_error[0])
    assert float(ds.effective_exponent[-1]) == pytest.approx(1.0802, abs=1e-4)
    assert "extrapolated" in ds.scalar_curvature.attrs["long_name"]


def test_continuation_of_a_known_series():
    L = np.array(scaling.ANCHORS, dtype=float)
    y = L**2 * (14.93 + 29.3 / L + 51 / L**2 + 100 / L**3)
    values, errors = scaling.continue_cumulant_norm(L, y, [128, 1024])
    exact = np.array([x**2 * (14.93 + 29.3 / x + 51 / x**2 + 100 / x**3) for x in (128, 1024)])
    np.testing.assert_allclose(values, exact, rtol=1e-9)
    assert (errors < 1e-6 * exact).all()


def test_extrapolated_curvature_small():
    ds = fisher.extrapolated_curvature((40, 48), anchors=(10, 12, 14, 16, 20, 24))
    for L in (40, 48):
        exact = float(fisher.ising_curvature(L).scalar_curvature)
        assert abs(float(ds.scalar_curvature.sel(L=L)) - exact) < float(ds.scalar_curvature_error.sel(L=L))


def test_the_rule_rejects_what_is_wrong_and_keeps_what_is_right():
    L = np.array([8.0, 12, 16, 24, 32, 48, 64])
    R = -(L**2.2) * (1 + 0.3 / L)
    assert not fisher.falsify(L, R, 1.1).rejected
    wrong = fisher.falsify(L, R, 1.2)
    assert wrong.rejected
    assert wrong.longest_run >= 3
    assert "rejected" in wrong.sentence
    assert "1.2000" in wrong.sentence
    noisy = fisher.falsify(L, R, 1.2, errors=0.2 * np.abs(R))
    assert not noisy.rejected


def test_a_passing_maximum_is_not_convergence():
    """Near L = 22 the exact exponent stands still at 1.122; that alone must not reject 10/9."""
    ds = fisher.curvature_scaling([12, 14, 16, 18, 20, 22, 24, 28, 32, 40])
    assert not fisher.falsify(ds.L, ds.scalar_curvature, 10 / 9).rejected


def test_runs_must_be_consecutive():
    assert scaling._longest_run(np.array([1, 1, 0, 1, 1, 1, 0], dtype=bool)) == 3
    assert scaling._longest_run(np.zeros(4, dtype=bool)) == 0


def test_refusals():
    with pytest.raises(ValueError, match="two or more"):
        scaling.fit_power_law([4, 9, 16], [1, 2, 3], window=(5, 10))
    with pytest.raises(ValueError, match="zero has no logarithm"):
        scaling.effective_exponents([4, 9], [0, 1])
    with pytest.raises(ValueError, match="grow"):
        scaling.effective_exponents([9, 4], [1, 1])
    with pytest.raises(ValueError, match="at least 3 sides"):
        fisher.falsify([4, 8], [1, 2], 1.1)
    with pytest.raises(ValueError, match="different sides"):
        fisher.curvature_scaling([5, 5])
    with pytest.raises(ValueError, match="at least 3"):
        fisher.curvature_scaling([2, 5])
    with pytest.raises(ValueError, match="at least 6"):
        fisher.extrapolated_curvature((128, 256), anchors=(8, 16))
    with pytest.raises(ValueError, match="engine"):
        fisher.curvature_scaling([4, 5], method="guess")


def test_cancellation():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        fisher.curvature_scaling([4, 5], progress=progress)


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=4),
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=4),
)
def test_fits_of_anything_are_numbers_or_a_sentence(sides, values):
    for fit in (scaling.fit_logarithm, scaling.fit_power_law):
        found, words = None, ""
        try:
            found = fit(sides, values)
        except ValueError as error:
            words = str(error)
        assert found is not None or len(words) > 20
