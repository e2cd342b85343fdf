"""Closed forms of the curvature of Gaussian fields, against quadrature, sampling, grids and fields."""

import numpy as np
import pytest
from scipy import stats

from workbench import fisher
from workbench.fisher.entropic.grid import Grid
from workbench.fisher.entropic.statistics import PowerLaw, curvature_statistics, eigenvalue_shares, grid_statistics


def test_the_known_numbers():
    assert curvature_statistics(PowerLaw(-2.0, 0.04), 3, h=0.05).probe == pytest.approx(42881.42122177848, rel=1e-12)
    np.testing.assert_allclose(
        eigenvalue_shares(2), [0.21132486540518708, 1 / np.sqrt(3), 0.21132486540518708], atol=1e-13
    )
    np.testing.assert_allclose(eigenvalue_shares(3)[[0, 3]], 0.07967593706124848, atol=1e-12)
    np.testing.assert_allclose(eigenvalue_shares(3)[[1, 2]], 0.4203240629387515, atol=1e-12)
    assert curvature_statistics(PowerLaw(1.0, 0.02), 2).box_curvature == pytest.approx(0.5 / 0.02**2)
    assert curvature_statistics(PowerLaw(-2.0, 0.02), 2).box_curvature == 0  # the displacement diverges


@pytest.mark.parametrize(
    ("d", "slope", "h"), [(2, -1.5, 0.03), (2, -2.5, 0.3), (3, -2.0, 0.001), (3, 1.0, 0.2), (2, 0.0, 0.0)]
)
def test_power_laws_agree_with_quadrature(d, slope, h):
    law = PowerLaw(slope, 0.04, 3.0)
    one = curvature_statistics(law, d, h=h, width=0.01)
    other = curvature_statistics(lambda k: 3.0 * k**slope * np.exp(-((0.04 * k) ** 2)), d, h=h, width=0.01)
    for name in ("slope", "second", "diagonal", "mixed", "probe"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-8), name
    assert one.field == pytest.approx(other.field, rel=1e-8)


def test_a_short_reach_is_the_hessian():
    for d, slope in ((2, -1.5), (3, -2.0)):
        near = curvature_statistics(PowerLaw(slope, 0.04), d, h=1e-6)
        assert near.probe == pytest.approx(near.diagonal, rel=1e-8)


@pytest.mark.parametrize("threshold", [-0.7, 0.3, 1.1])
def test_shares_at_a_threshold(threshold):
    shares = eigenvalue_shares(2, threshold)
    # m ± a, m Gaussian of variance ¼, a Rayleigh of s² = ⅛: completed squares
    s, mu = np.sqrt(1 / 8), 0.5
    both = stats.norm.sf(threshold / mu) - s / np.hypot(s, mu) * np.exp(
        -(threshold**2) / 2 / (s**2 + mu**2)
    ) * stats.norm.sf(threshold * s / mu / np.hypot(s, mu))
    assert shares[2] == pytest.approx(both, abs=1e-12)
    for d in (2, 3):
        np.testing.assert_allclose(eigenvalue_shares(d, threshold), eigenvalue_shares(d, -threshold)[::-1], atol=1e-13)
        assert eigenvalue_shares(d, threshold).sum() == pytest.approx(1)


def test_three_dimensional_shares_against_matrices():
    rng = np.random.default_rng(0)
    n = 100_000
    common, diagonal, mixed = (rng.normal(size=(n, k)) / np.sqrt(15) for k in (1, 3, 3))
    full = np.zeros((n, 3, 3))
    full[:, range(3), range(3)] = common + np.sqrt(2) * diagonal
    for k, (i, j) in enumerate(((0, 1), (0, 2), (1, 2))):
        full[:, i, j] = full[:, j, i] = mixed[:, k]
    values = np.linalg.eigvalsh(full)
    for threshold in (0.0, 0.4):
        counted = np.bincount((values > threshold).sum(axis=1), minlength=4) / n
        exact = eigenvalue_shares(3, threshold)
        assert (np.abs(counted - exact) < 4.5 * np.sqrt(exact * (1 - exact) / n)).all()


def test_a_fine_grid_tends_to_the_continuum():
    law = PowerLaw(0.0, 0.03)
    sigma = np.sqrt(law.moment(2, 0))
    on_grid = grid_statistics(Grid((96, 96)), 0.0, sigma, 0.03, h=0.04)
    exact = curvature_statistics(law, 2, h=0.04)
    missing = 1 - 4 * np.pi * 0.03**2  # the mode k = 0 of the box, whose share the others have taken over
    assert on_grid.probe * missing == pytest.approx(exact.probe, rel=1e-5)
    assert on_grid.second * missing == pytest.approx(exact.second, rel=1e-5)
    assert on_grid.diagonal == pytest.approx(3 * on_grid.second / 8, rel=1e-3)


def test_finite_boxes_lie_above_linear_theory():
    found = [grid_statistics(Grid((128, 128)), 1.0, 0.01, R).box_curvature * R**2 for R in (0.02, 0.04, 0.08)]
    np.testing.assert_allclose(found, [0.548, 0.606, 0.757], atol=6e-4)


def test_many_fields_agree_with_the_closed_forms():
    ds = fisher.web_study(shape=(48, 48), smoothing=0.05, fields=24, seed=1)
    assert (np.abs(ds.z) < 4).all()
    found = ds.shares.sel(dimension="inf")
    error = found.std("field", ddof=1) / np.sqrt(24)
    assert (np.abs(found.mean("field") - ds.expected_shares) < 4 * error).all()
    assert 0.1 < float(ds.changed.mean()) < 0.5


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: curvature_statistics(PowerLaw(0, 0.1), 4), "d must be at most 3"),
        (lambda: PowerLaw(0, 0.0), "smoothing must be greater than 0"),
        (lambda: curvature_statistics(lambda k: -np.ones_like(k), 2), "power of zero or more"),
        (lambda: curvature_statistics(PowerLaw(-7.0, 0.1), 2), "second moment"),
        (lambda: fisher.web_study(fields=1), "at least 2"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(ValueError, match=words):
        call()
