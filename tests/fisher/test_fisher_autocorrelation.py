"""Autocorrelation: an autoregressive series of known memory."""

import numpy as np
import pytest
from scipy.signal import lfilter

from workbench.fisher import monte_carlo as mc


def autoregressive(a, n, seed=0):
    return lfilter([1.0], [1.0, -a], np.random.default_rng(seed).normal(size=n))[1000:]


@pytest.mark.parametrize("a", [0.0, 0.5, 0.9])
def test_time_of_an_autoregressive_series(a):
    tau, error = mc.integrated_time(autoregressive(a, 400_000))
    assert abs(tau - (0.5 + a / (1 - a))) < 4 * error + 0.01


@pytest.mark.parametrize("a", [0.0, 0.8])
def test_blocking_finds_the_error_of_the_mean(a):
    series = autoregressive(a, 200_000)
    expected = 1 / (1 - a) / np.sqrt(len(series))
    assert mc.blocked_error(series) == pytest.approx(expected, rel=0.15)


def test_function_is_the_direct_sum():
    x = autoregressive(0.7, 1300)
    y = x - x.mean()
    direct = [np.dot(y[: len(y) - t], y[t:]) / (len(y) - t) for t in range(5)]
    np.testing.assert_allclose(mc.autocorrelation(x)[:5], np.array(direct) / direct[0], atol=1e-12)


def test_edges():
    assert mc.integrated_time(np.ones(100))[0] == 0.5
    with pytest.raises(ValueError, match="at least 2"):
        mc.blocked_error([1.0])
    with pytest.raises(ValueError, match="NaN"):
        mc.integrated_time([1.0, np.nan])
