"""Thousands of random games: no certificate is contradicted, and it maps as it should."""

import numpy as np
import pytest

from workbench import games
from workbench.games import Bounds, Certificate, Status


def random_game(rng):
    n = int(rng.integers(2, 6))
    mu = 10 ** rng.uniform(-1, 1, n)
    couplings = 10 ** rng.uniform(-2, 1, (n, n)) / n * (rng.random((n, n)) < rng.uniform(0.3, 1))
    np.fill_diagonal(couplings, 0)
    return Bounds(mu, mu * rng.uniform(1, 4, n), couplings)


@pytest.mark.parametrize("number", [600, pytest.param(3000, marks=pytest.mark.slow)])
def test_random_games(number):
    rng = np.random.default_rng(1)
    counts = dict.fromkeys(Status, 0)
    for _ in range(number):
        bounds = random_game(rng)
        certificate = games.certify(bounds)
        counts[certificate.status] += 1
        n = bounds.players
        j = bounds.L * rng.choice([-1, 1], (n, n))
        np.fill_diagonal(j, rng.uniform(bounds.mu, bounds.ell))
        if certificate.certified:
            assert np.linalg.eigvals(j).real.min() >= certificate.margin * (1 - 1e-8)
            for h in (certificate.step_paper, certificate.step_h0, certificate.step_sharp):
                assert np.abs(np.linalg.eigvals(np.eye(n) - h * j)).max() < 1 + 1e-12
        else:
            # The worst member of the class really does not contract.
            assert np.linalg.eigvals(bounds.comparison()).real.min() <= 1e-9
    assert counts[Status.CERTIFIED] > number / 6
    assert counts[Status.REFUSED] > number / 6
    assert counts[Status.ESTIMATED] == 0


def test_scaled_and_relabelled_certificates_map():
    rng = np.random.default_rng(2)
    for _ in range(150):
        bounds = random_game(rng)
        certificate = games.certify(bounds)
        order = rng.permutation(bounds.players)
        moved, scaled = games.certify(bounds.relabelled(order)), games.certify(bounds.scaled(4.0))
        assert moved.status is certificate.status is scaled.status
        if certificate.certified:
            assert moved.margin == pytest.approx(certificate.margin, rel=1e-7)
            assert scaled.margin == pytest.approx(4 * certificate.margin, rel=1e-9)
            assert scaled.step_h0 == pytest.approx(certificate.step_h0 / 4)
            assert scaled.step_sharp == pytest.approx(certificate.step_sharp / 4, rel=1e-6)
            if certificate.attained:
                w = certificate.weights[order]
                np.testing.assert_allclose(moved.weights, w / w[0], rtol=1e-5)
                np.testing.assert_allclose(scaled.weights, certificate.weights, rtol=1e-5)


def test_sampled_bounds_are_never_certified():
    rng = np.random.default_rng(3)
    for _ in range(100):
        bounds = random_game(rng)
        certificate = games.certify(Bounds(bounds.mu, bounds.ell, bounds.L, proved=False))
        assert certificate.status is not Status.CERTIFIED
        assert not games.check(certificate)


def test_targets():
    toy = games.GALLERY["toy"]().game
    certificate = games.certify(toy, alpha=0.1)
    assert certificate.band == pytest.approx((47.12096587623842, 848.8790341237616), rel=1e-12)
    assert games.check(certificate.to_json())
    assert games.certify(toy, alpha=0.3).status is Status.REFUSED
    assert games.certify(Bounds([1, 1], [1, 1], [[0, 1], [1, 0]]), alpha=3.0).status is Status.REFUSED


def test_every_status_has_advice():
    assert len({status.advice for status in Status}) == 4
    assert "CERTIFIED" in repr(games.certify(games.GALLERY["toy"]().game))
    assert Certificate(Status.UNKNOWN, "why").document()["margin"] is None
