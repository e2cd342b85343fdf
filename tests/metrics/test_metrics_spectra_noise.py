"""ERG and the laws of noise: closed forms to twelve digits, the published package's overflow, nulls and error bars."""

import numpy as np
import pytest
from scipy import optimize

from workbench import metrics
from workbench.metrics.spectra.erg import agreeing_share, erg_by_product, pareto_limit
from workbench.metrics.spectra.noise import (
    edge_scale,
    mp_above,
    mp_edges,
    mp_erg,
    mp_mean_log,
    mp_quantile,
    tw1_cdf,
    tw1_quantile,
)
from workbench.metrics.spectra.nulls import edge_of, error_from_halves
from workbench.metrics.spectra.scan import log_excess, scan
from workbench.metrics.spectra.spectrum import Spectrum, layer_spectrum

ORACLES = {
    1.0: (-1.0, 0.18120180803828128, 0.73106509850692520),
    0.5: (-0.30685281944005469, 0.31165157364524358, 0.81450369049188877),
    0.25: (-0.13695378264465722, 0.43360968462639590, 0.86985367391952028),
}


@pytest.mark.parametrize("y", ORACLES)
def test_marchenko_and_pastur(y):
    mean_log, threshold, share = ORACLES[y]
    assert mp_mean_log(y) == pytest.approx(mean_log, abs=1e-14)
    assert mp_erg(y) == pytest.approx((threshold, share), abs=1e-12)
    assert mp_above(y, 0) == pytest.approx(1, abs=1e-12)
    assert mp_above(y, 0, lambda t: t) == pytest.approx(1, abs=1e-12)
    assert mp_above(y, 0, lambda t: t**2) == pytest.approx(1 + y, abs=1e-12)
    assert mp_above(y, mp_edges(y)[1]) == 0
    if y < 1:
        assert mp_above(y, 0, np.log) == pytest.approx(mean_log, abs=1e-12)
    for p in (0.01, 0.5, 0.99):
        assert mp_above(y, float(mp_quantile(y, p))) == pytest.approx(p, abs=1e-8)


def test_tracy_and_widom():
    s = np.linspace(-8, 7, 301)
    cdf = np.array([tw1_cdf(x) for x in s])
    assert (np.diff(cdf) >= -1e-13).all()
    middle, mass = (s[1:] + s[:-1]) / 2, np.diff(cdf)
    mean = (middle * mass).sum()
    assert mean == pytest.approx(-1.2065335746, abs=1e-5)
    step = s[1] - s[0]
    assert np.sqrt(((middle - mean) ** 2 * mass).sum() - step**2 / 12) == pytest.approx(1.2680, abs=2e-4)
    assert tw1_quantile(0.95) == pytest.approx(0.9793, abs=1e-4)
    assert tw1_quantile(0.99) == pytest.approx(2.0234, abs=1e-4)
    assert (tw1_cdf(-20), tw1_cdf(20)) == (0, 1)


def test_the_largest_eigenvalue_of_noise_follows_them():
    rng = np.random.default_rng(0)
    centre, width = edge_scale(120, 60)
    s = [(np.linalg.norm(rng.normal(size=(120, 60)), 2) ** 2 - centre) / width for _ in range(400)]
    assert np.mean(s) == pytest.approx(-1.2065, abs=4 * 1.27 / 20)
    assert np.mean(np.array(s) > tw1_quantile(0.95)) == pytest.approx(0.05, abs=0.045)


# ---- ERG ------------------------------------------------------------------------------------------------------------


def mp_spectrum(m, y=1.0):
    return mp_quantile(y, (np.arange(m) + 0.5) / m)


@pytest.mark.parametrize(
    ("m", "k"), [(500, None), (2000, None), (2500, None), (3000, (2194, 2200)), (4000, (2925, 2893))]
)
def test_the_running_sum_does_not_overflow(m, k):
    values = mp_spectrum(m)
    found = metrics.erg(values)
    exact = np.cumsum(np.log(np.sort(values)[::-1].astype(np.longdouble) / np.longdouble(values.mean())))
    assert found.tail == int(np.flatnonzero(exact < 0)[0]) + 1
    assert found.tail / m == pytest.approx(mp_erg(1.0)[1], abs=2 / m)
    assert found.threshold == pytest.approx(mp_erg(1.0)[0], rel=0.02)
    if k is None:
        assert erg_by_product(values) == found.tail
    else:
        assert (found.tail, erg_by_product(values)) == k


@pytest.mark.parametrize("alpha", [2.2, 2.5, 3.0, 4.0])
@pytest.mark.parametrize("bulk", [0.0, 0.4])
def test_erg_of_a_pareto_tail_is_closed_and_knows_no_bulk(alpha, bulk):
    """By integration of the law itself, tail share f, bulk in one point: a second road to exp(−1/(α − 1))."""
    f = 0.9 * agreeing_share(alpha, bulk)  # so that the threshold lies inside the tail
    mean = f * (alpha - 1) / (alpha - 2) + (1 - f) * bulk

    def sum_of_logs(t):  # ∫_t^∞ ln(x/mean) f (α − 1) x^−α dx
        return f * t ** (1 - alpha) * (np.log(t / mean) + 1 / (alpha - 1))

    t = optimize.brentq(sum_of_logs, 1e-6, 1e6)
    assert t / mean == pytest.approx(metrics.erg_of_pareto(alpha), rel=1e-12)


def test_both_thresholds_agree_for_any_exponent():
    for alpha, f in ((2.5, 0.610272), (3.0, 0.793365), (4.0, 0.913010)):
        assert agreeing_share(alpha, 0.3) == pytest.approx(f, abs=1e-6)
        mean = agreeing_share(alpha, 0.3) * ((alpha - 1) / (alpha - 2) - 0.3) + 0.3
        assert 1 / mean == pytest.approx(metrics.erg_of_pareto(alpha), rel=1e-12)
    assert pareto_limit(2.5) == pytest.approx(-0.4319, abs=5e-5)
    assert pareto_limit(3.0) == pytest.approx(-0.1931, abs=5e-5)
    n = 400_000
    x = (1 - (np.arange(n) + 0.5) / n) ** -0.5
    assert -np.log(metrics.erg(x).threshold) == pytest.approx(pareto_limit(3.0), abs=5e-3)


def test_erg_has_no_unit_and_needs_a_difference():
    x = np.exp(np.random.default_rng(0).normal(size=200))
    a, b = metrics.erg(x), metrics.erg(1e-9 * x)
    assert (a.tail, a.log_det) == (b.tail, pytest.approx(b.log_det, rel=1e-9))
    assert np.isnan(metrics.erg(np.ones(50)).threshold)


def test_at_the_edge_of_noise_the_distance_has_its_limit():
    """(1 − u)^{3/2} against e^{−5u/2}: what the scan converges to, so that α of noise grows without end."""
    u = np.linspace(0, 1, 200_001)
    assert np.abs((1 - u) ** 1.5 - np.exp(-2.5 * u)).max() == pytest.approx(0.11457223516987, abs=1e-9)
    logs = np.log(np.sort(mp_spectrum(6000)))
    alphas = []
    for m in (300, 1500, 6000):
        logs = np.log(np.sort(mp_spectrum(m)))
        start = scan(logs, False)[0]
        alphas.append(1 + (m - start) / log_excess(logs[start:])[0])
    assert alphas == sorted(alphas)
    tail = np.log(np.sort(mp_spectrum(400_000)))[-4000:]
    slope = len(tail) / log_excess(tail)[0]
    fitted = 1 - np.exp(-slope * (tail - tail[0]))
    assert np.abs(fitted - np.arange(len(tail)) / len(tail)).max() == pytest.approx(0.1146, abs=3e-3)


# ---- nulls ----------------------------------------------------------------------------------------------------------


def test_shuffles_keep_the_entries_and_lose_the_rest():
    rng = np.random.default_rng(1)
    w = rng.normal(size=(150, 60)) * (1 - rng.random(60)) ** -0.4
    found = metrics.noise_tail(w, 12, seed=3)
    assert np.median(found.shuffled) > found.alpha
    assert found.share_below <= 3 / 13
    again = metrics.noise_tail(w, 12, seed=3)
    np.testing.assert_array_equal(again.shuffled, found.shuffled)


def test_noise_is_no_spike_and_a_spike_is_none_of_noise():
    rng = np.random.default_rng(2)
    quiet = [metrics.edge_test(rng.normal(size=(160, 80))).p_value for _ in range(100)]
    assert np.mean(np.array(quiet) < 0.05) <= 0.13
    spiked = rng.normal(size=(160, 80)) + 0.35 * np.outer(rng.normal(size=160), rng.normal(size=80))
    found = metrics.edge_test(spiked)
    assert (found.spikes, found.p_value < 1e-6) == (1, True)
    assert found.variance == pytest.approx(1, abs=0.05)
    scaled = metrics.edge_test(7 * spiked)
    assert scaled.statistic == pytest.approx(found.statistic, rel=1e-9)


@pytest.mark.parametrize(("m", "widths"), [(300, 4.2), (10_000, 13.6)])
def test_the_packages_cut_lies_widths_beyond_the_edge(m, widths):
    """The square root of a width below one is larger than the width: spikes between the two cuts are missed."""
    values = m * mp_quantile(1.0, (np.arange(m) + 0.5) / m)
    found = edge_of(Spectrum(np.sort(np.maximum(values, 1e-9 * m)), m, m, 0))
    _, width = edge_scale(m, m)
    assert (found.package_cut / found.variance - m * 4) / width == pytest.approx(widths, abs=0.06)


def test_halves_of_rows_tell_the_scatter_of_a_rigid_spectrum():
    """α of sample covariances scatters far less than independent eigenvalues would: the halves see that."""
    rng = np.random.default_rng(3)
    population = (1 - (np.arange(100) + 0.5) / 100) ** (-1 / 1.5)
    draws = [rng.normal(size=(400, 100)) * np.sqrt(population) for _ in range(25)]
    true = np.std([metrics.tail_fit(layer_spectrum(w).eigenvalues).alpha for w in draws])
    told = np.median([metrics.matrix_error(w, 8).sd for w in draws[:6]])
    nominal = metrics.tail_fit(layer_spectrum(draws[0]).eigenvalues).sigma
    assert true / 2.5 < told < 2.5 * true
    assert nominal > 2 * true


def test_error_from_halves_is_the_formula():
    halves = np.array([[2.0, 2.4], [3.0, 2.8], [np.nan, 2.0]])
    found = error_from_halves(2.5, halves, 0.95)
    assert found.sd == pytest.approx(np.sqrt((0.16 + 0.04) / 2 / 4))
    assert found.high - found.alpha == pytest.approx(1.959964 * found.sd, rel=1e-6)
    assert np.isnan(error_from_halves(2.5, halves[2:], 0.95).sd)


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(ValueError, match="half of 30 rows"):
        metrics.matrix_error(np.random.default_rng(0).normal(size=(30, 25)))
    low_rank = np.outer(np.arange(60.0), np.arange(60.0)) + 0 * np.eye(60)
    with pytest.raises(ValueError, match="at least 20"):
        metrics.edge_test(low_rank)
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="more than half"):
        metrics.edge_test(rng.normal(size=(90, 25)) @ rng.normal(size=(25, 80)))


@pytest.mark.parametrize("power", [-900, 0, 1000])
def test_the_erg_set_is_the_same_in_any_unit(power, rng):
    values = 1.0 + rng.pareto(1.5, 200)
    values *= 2.0**10 / values.max()
    one, other = metrics.erg(values), metrics.erg(np.ldexp(values, power))
    assert (other.tail, other.log_det) == (one.tail, one.log_det)
    assert (other.threshold, other.mean) == (np.ldexp(one.threshold, power), np.ldexp(one.mean, power))
