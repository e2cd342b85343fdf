"""Tails: the scan finds the true minimum, the interval is exact, estimators and rival laws have their known values."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from workbench import metrics
from workbench.metrics.spectra.laws import TAILS, _log_mass, likelihood_ratio
from workbench.metrics.spectra.scan import distance, log_excess, scan, valley
from workbench.metrics.spectra.spectrum import positive_eigenvalues
from workbench.metrics.spectra.tails import exact_interval, fit_from, hill, ks_alpha, refits
from workbench.progress import Cancelled, Progress


def plain_fit(values, two_sided=False):
    """The definition, written out: every candidate, all of its points. Returns α, D, threshold."""
    values = np.sort(values)
    best = (np.inf, np.nan, np.nan)
    for i in range(len(values) - 1):
        if i and values[i] == values[i - 1]:
            continue
        tail = values[i:]
        n, logs = len(tail), np.log(tail / tail[0])
        if not logs.sum() > 0:
            continue
        alpha = 1 + n / logs.sum()
        fitted = 1 - (tail / tail[0]) ** (1 - alpha)
        off = np.abs(fitted - np.arange(n) / n).max()
        if two_sided:
            off = max(off, np.abs(fitted - np.arange(1, n + 1) / n).max())
        if off < best[0]:
            best = (off, alpha, tail[0])
    return best[1], best[0], best[2]


LAWS = {
    "pareto": lambda r, n: np.exp(r.exponential(1 / 1.5, n)),
    "lognormal": lambda r, n: np.exp(2 * r.normal(size=n)),
    "uniform": lambda r, n: r.uniform(0.1, 1, n),
    "noise": lambda r, n: np.linalg.eigvalsh((lambda g: g.T @ g)(r.normal(size=(2 * n, n)))),
    "tied": lambda r, n: np.round(np.exp(r.exponential(1, n)), 1) + 0.1,
}


@pytest.mark.parametrize("two_sided", [False, True])
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n", [20, 33, 150, 500])
def test_the_scan_finds_the_minimum_of_the_definition(law, n, two_sided):
    values = LAWS[law](np.random.default_rng(n), n)
    alpha, off, threshold = plain_fit(values, two_sided)
    found = metrics.tail_fit(values, two_sided=two_sided)
    assert found.alpha == pytest.approx(alpha, rel=1e-11)
    assert found.distance == pytest.approx(off, abs=1e-12)
    assert found.threshold == pytest.approx(threshold, rel=1e-12)


@settings(max_examples=60)
@given(st.lists(st.floats(0.01, 100), min_size=20, max_size=60), st.booleans())
def test_the_bounds_never_hide_a_better_threshold(values, two_sided):
    logs = np.log(np.sort(values))
    everything = valley(logs, two_sided)
    start, off = scan(logs, two_sided)
    if np.isnan(everything).all():
        assert start == -1
    else:
        assert off == np.nanmin(everything)
        assert start == np.nanargmin(everything)


def test_the_excess_is_summed_without_cancelling():
    logs = np.sort(1e6 + np.random.default_rng(0).exponential(1e-6, 50))
    exact = [float(mpmath.fsum(mpmath.mpf(float(b)) - mpmath.mpf(float(logs[i])) for b in logs[i:])) for i in range(50)]
    np.testing.assert_allclose(log_excess(logs), exact, rtol=1e-12, atol=1e-20)


def test_a_distance_stops_beyond_its_limit_and_never_below():
    logs = np.log(np.sort(LAWS["uniform"](np.random.default_rng(1), 80)))
    slope = 80 / log_excess(logs)[0]
    whole = distance(logs, 0, slope, np.inf, False)
    assert distance(logs, 0, slope, whole, False) == whole
    assert whole / 2 < distance(logs, 0, slope, whole / 2, False) <= whole


def test_the_exact_interval_holds_as_often_as_it_says():
    """S of k exponentials is a Gamma variable, so the share of intervals that hold α is the level itself."""
    rng = np.random.default_rng(0)
    totals = rng.exponential(1 / 1.5, size=(4000, 15)).sum(axis=1)
    held = np.mean([low <= 2.5 <= high for low, high in (exact_interval(15, s) for s in totals)])
    assert abs(held - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 4000)


def test_the_packages_estimate_is_biased_and_ours_is_not():
    rng = np.random.default_rng(1)
    k = 10
    fits = [fit_from(np.sort(np.r_[0.0, rng.exponential(1 / 1.5, k)]), 0) for _ in range(4000)]
    unbiased = np.array([fit.unbiased for fit in fits])
    published = np.array([fit.alpha for fit in fits])
    assert abs(unbiased.mean() - 2.5) < 4 * unbiased.std() / np.sqrt(4000)
    # (k + 1)/(k − 1) is the ratio for every sample, and so for the means
    np.testing.assert_allclose((published - 1) / (unbiased - 1), (k + 1) / (k - 1), rtol=1e-12)


def test_quantiles_of_a_pareto_law_give_its_exponent():
    n = 4000
    x = (1 - (np.arange(n) + 0.5) / n) ** (-1 / 1.5)
    assert metrics.tail_fit(x, k=n - 1).alpha == pytest.approx(2.5, abs=0.01)
    assert metrics.tail_fit(x, threshold=2.0).alpha == pytest.approx(2.5, abs=0.02)


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e9])
def test_a_tail_has_no_unit(scale):
    """The packages drop what is below 1e-5 whatever the unit; here only shares of the largest count."""
    x = LAWS["lognormal"](np.random.default_rng(2), 200)
    a, b = metrics.tail_fit(x), metrics.tail_fit(scale * x)
    assert b.alpha == pytest.approx(a.alpha, rel=1e-9)
    assert b.tail == a.tail
    assert b.threshold == pytest.approx(scale * a.threshold, rel=1e-12)


def test_k_and_the_threshold_mean_the_same():
    x = np.sort(LAWS["pareto"](np.random.default_rng(3), 100))
    a, b = metrics.tail_fit(x, k=30), metrics.tail_fit(x, threshold=x[-31])
    assert a == b
    assert a.tail == 31
    assert a.low < a.unbiased < a.high


def test_draws_are_told_apart_by_their_question():
    x = LAWS["pareto"](np.random.default_rng(4), 200)
    fit = metrics.tail_fit(x, bootstrap=60, seed=1)
    assert fit.refit_low < fit.alpha < fit.refit_high
    assert fit.refit_sd > fit.sigma / 2
    assert fit == metrics.tail_fit(x, bootstrap=60, seed=1)
    assert fit != metrics.tail_fit(x, bootstrap=60, seed=2)
    fixed = metrics.tail_fit(x, k=50, bootstrap=60)
    assert np.isnan(fixed.refit_low)
    assert 0 <= fixed.p_value <= 1


def test_the_p_value_knows_a_power_law_from_none():
    rng = np.random.default_rng(5)
    right = [metrics.tail_fit(LAWS["pareto"](rng, 150), bootstrap=40, seed=b).p_value for b in range(25)]
    assert np.mean(np.array(right) < 0.1) < 0.35  # about a tenth; 25 draws
    wrong = metrics.tail_fit(np.r_[LAWS["uniform"](rng, 3000)], threshold=0.11, bootstrap=40).p_value
    assert wrong < 0.05


def test_refits_can_be_cancelled():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        refits(np.log(np.arange(1.0, 51)), 10, np.random.default_rng(0), False, progress)


def test_hill_totals():
    logs = np.log(np.sort(LAWS["pareto"](np.random.default_rng(6), 40)))
    k, totals = hill(logs)
    for j in (2, 17, 39):
        assert totals[k == j][0] == pytest.approx(np.sum(logs[-j:] - logs[-j - 1]), rel=1e-12)
    assert ks_alpha(np.zeros(30)) != ks_alpha(np.zeros(30))  # equal values: no tail, NaN


REFUSED = [
    (np.arange(1.0, 19), "at least 20"),
    ([*range(1, 25), np.nan], "NaN"),
    ([*range(1, 25), -3.0], "never negative"),
    (np.zeros(30), "no positive value"),
    (np.ones(30), "all eigenvalues are equal"),
    (np.ones((30, 2)), "dimension"),
]


@pytest.mark.parametrize(("values", "words"), REFUSED)
def test_what_has_no_tail_is_refused_in_words(values, words):
    with pytest.raises(ValueError, match=words):
        metrics.tail_fit(values)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"threshold": "kss"}, "Did you mean 'ks'"),
        ({"threshold": 29.5}, "at least 3 are needed"),
        ({"threshold": 2.0, "k": 5}, "not both"),
        ({"k": 1}, "at least 2"),
        ({"k": 30}, "at most 29"),
        ({"bootstrap": -1}, "bootstrap"),
        ({"level": 1.0}, "level"),
    ],
)
def test_arguments_are_checked(arguments, words):
    with pytest.raises(ValueError, match=words):
        metrics.tail_fit(np.arange(1.0, 31), **arguments)


def test_zeros_up_to_rounding_are_dropped_and_counted():
    values, dropped = positive_eigenvalues([0.0, -1e-16, 1e-13, *np.arange(1.0, 41)])
    assert (len(values), dropped) == (40, 3)
    assert metrics.tail_fit([0.0] * 5 + list(np.arange(1.0, 41))).dropped == 5


# ---- laws -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tail():
    return np.sort(np.exp(np.random.default_rng(7).exponential(0.8, 300)))


@pytest.mark.parametrize("name", TAILS)
def test_every_law_is_one(name, tail):
    """Its survival function falls from 1 to 0, and its density is minus the derivative of that."""
    law = TAILS[name](tail)
    x = np.geomspace(tail[0], tail[-1], 50)
    survival = law.survival(x)
    assert survival[0] == pytest.approx(1, abs=1e-9)
    assert (np.diff(survival) < 0).all()
    step = 1e-5 * tail
    slope = (law.survival(tail[1:] - step[1:]) - law.survival(tail[1:] + step[1:])) / (2 * step[1:])
    np.testing.assert_allclose(np.exp(law.log_density[1:]), slope, rtol=1e-4, atol=1e-12)


def test_the_likelihoods_are_at_their_peak(tail):
    """Against SciPy's own densities, conditioned on the threshold."""
    law = TAILS["lognormal"](tail)
    mu, sigma = law.parameters["mu"], law.parameters["sigma"]

    def likelihood(m, s):
        above = stats.norm.logsf(np.log(tail[0]), m, s)
        return float(np.sum(stats.norm.logpdf(np.log(tail), m, s) - np.log(tail) - above))

    best = likelihood(mu, sigma)
    assert law.log_density.sum() == pytest.approx(best, rel=1e-9)
    for m, s in ((mu + 0.05, sigma), (mu - 0.05, sigma), (mu, 1.02 * sigma), (mu, sigma / 1.02)):
        assert likelihood(m, s) <= best + 1e-6
    exponential = TAILS["exponential"](tail)
    expected = stats.expon.logpdf(tail, tail[0], (tail - tail[0]).mean())
    np.testing.assert_allclose(exponential.log_density, expected, rtol=1e-12)


@pytest.mark.parametrize(("alpha", "cut"), [(2.5, 1e-6), (2.5, 0.3), (0.7, 0.01), (-1.5, 2.0), (4.0, 1e-3)])
def test_the_mass_of_the_truncated_law(alpha, cut):
    exact = mpmath.log(mpmath.gammainc(1 - alpha, cut) * mpmath.mpf(cut) ** (alpha - 1))
    assert _log_mass(alpha, cut) == pytest.approx(float(exact), abs=1e-7)


def test_the_moment_estimator_sees_a_tail_without_weight():
    rng = np.random.default_rng(8)
    light = np.sort(1 + rng.uniform(0, 1, 2000))
    assert np.isinf(TAILS["moment"](light).alpha)
    heavy = np.sort(np.exp(rng.exponential(1 / 1.5, 20_000)))
    assert TAILS["moment"](heavy).alpha == pytest.approx(2.5, abs=0.15)


def test_rivals_are_compared_as_they_should(tail):
    ratio, p = likelihood_ratio(tail, "exponential")
    assert ratio > 0
    assert p < 0.01
    ratio, p = likelihood_ratio(tail, "truncated")  # a power law is one of them: never likelier than the best of them
    assert ratio <= 0
    assert 0 < p <= 1
    exponential = np.sort(1 + np.random.default_rng(9).exponential(1, 500))
    assert likelihood_ratio(exponential, "exponential")[0] < 0
    assert likelihood_ratio(exponential, "truncated")[1] < 0.01
    with pytest.raises(ValueError, match="lognormal"):
        likelihood_ratio(tail, "lognormall")
