"""A learned denoiser: it approaches the exact one, repeats itself, and the identity tells a bad one from a good."""

import numpy as np
import pytest

from workbench import metrics
from workbench.metrics import signals
from workbench.metrics.signals.denoiser import WIDEST, _of_denoiser
from workbench.metrics.signals.rules import noise_grid, rule

BUMPS = signals.bumps()


@pytest.fixture(scope="module")
def trials():
    return [metrics.denoiser_trial(BUMPS, steps=steps, pairs=10) for steps in (60, 1000)]


def test_the_defect_falls_with_training(trials):
    early, late = (float(abs(ds.defect).mean()) for ds in trials)
    assert late < 0.1 < early
    np.testing.assert_allclose(trials[1].learned, trials[1].exact, rtol=0.15, atol=0.05)


def test_the_information_is_the_expected_log_ratio_at_the_last_noise(trials):
    ds = trials[1]
    sigma = float(ds.attrs["snr"]) ** -0.5
    made = noise_grid(1, 0.1)
    for pair, information in zip(ds.end.values, ds.information.values, strict=True):
        one, two = (made.weights @ BUMPS.log_density(x + sigma * made.noise, sigma) for x in pair)
        assert information == pytest.approx(two - one, abs=1e-7)


def test_the_exact_denoiser_in_the_place_of_the_network_has_no_defect():
    class Exact:
        sigmas, spread, centre = (0.1, 1e9), 2.0, np.zeros(1)

        def correction(self, z, sigma):
            return sigma**2 * BUMPS.score(z, sigma)

    made = rule(BUMPS, snr=100.0, nodes=96, step=0.1)
    squared, energy = _of_denoiser(Exact(), np.array([-0.25]), np.array([0.25]), made)
    assert np.sqrt(squared) == pytest.approx(3.1994038356014, abs=1e-9)
    assert energy == pytest.approx(0, abs=1e-9)


def test_the_same_seed_gives_the_same_network_and_the_widest_noise_gives_the_mean():
    data = BUMPS.sample(500, seed=1)
    one, two = (metrics.learn_denoiser(data, steps=30, seed=4) for _ in range(2))
    z = np.array([[0.3], [-1.0]])
    np.testing.assert_array_equal(one.denoise(z, 0.5), two.denoise(z, 0.5))
    assert one.describe() == two.describe()
    assert one.sigmas[1] == pytest.approx(WIDEST * one.spread)
    np.testing.assert_allclose(one.denoise(z, one.sigmas[1]), data.mean(), atol=1.5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.learn_denoiser(np.ones((20, 2))), "all points are equal"),
        (lambda: metrics.learn_denoiser(np.zeros((20, 2)), steps=0), "steps must be at least 1"),
        (lambda: metrics.denoiser_trial(metrics.Mixture([1.0], [[0] * 3], [np.eye(3)])), "in up to two dimensions"),
    ],
)
def test_what_cannot_be_learned_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()
