"""Exact periodic transport: known maps, a closed form, its certificate and its refusal."""

import numpy as np
import pytest

from workbench import fisher
from workbench.progress import Cancelled, Progress

WAVES = ((1.0, (1, 0, 0)), (0.7, (0, 1, 0)), (0.5, (1, 2, 0)), (0.4, (1, 0, 1)))


def wavy(shape, amplitude=0.12):
    """Return the density of x = q + ∇φ(q), φ some cosines, by Newton's method at each grid point; and ⟨|∇φ|²⟩."""
    d = len(shape)
    waves = [(a * amplitude / (2 * np.pi) ** 2, 2 * np.pi * np.array(k[:d])) for a, k in WAVES if not any(k[d:])]
    x = np.stack(np.meshgrid(*(np.arange(n) / n for n in shape), indexing="ij"), axis=-1).reshape(-1, d)

    def parts(q):
        slope, bend = np.zeros_like(q), np.zeros((len(q), d, d))
        for a, k in waves:
            slope -= a * np.sin(q @ k)[:, None] * k
            bend -= a * np.cos(q @ k)[:, None, None] * np.outer(k, k)
        return slope, bend

    q = x.copy()
    for _ in range(30):
        slope, bend = parts(q)
        q -= np.linalg.solve(np.eye(d) + bend, (q + slope - x)[..., None])[..., 0]
    rho = 1 / np.linalg.det(np.eye(d) + parts(q)[1])
    return rho.reshape(shape), sum(a**2 * (k @ k) / 2 for a, k in waves)


@pytest.mark.parametrize(("shape", "amplitude", "error"), [((64, 64), 0.12, 1e-11), ((20, 20, 20), 0.04, 1e-8)])
def test_a_known_displacement_is_found_again(shape, amplitude, error):
    rho, squared = wavy(shape, amplitude)
    found = fisher.periodic_transport(rho)
    assert found.converged
    assert found.least_stretch > 0
    assert abs(found.W2 / squared - 1) < error
    assert found.residual < 10 * error


def test_waves_along_one_axis_have_a_closed_form():
    x = np.arange(64) / 64
    a = 0.5
    rho = (1 + a * np.cos(2 * np.pi * x))[:, None] * np.ones(16)
    found = fisher.periodic_transport(rho)
    np.testing.assert_allclose(found.displacement[0][:, 0], a * np.sin(2 * np.pi * x) / (2 * np.pi), atol=1e-10)
    assert pytest.approx(a**2 / (8 * np.pi**2), rel=1e-9) == found.W2
    assert found.entropy[0] == 0
    fine = 1 + a * np.cos(2 * np.pi * np.arange(4096) / 4096)
    assert found.entropy[-1] == pytest.approx((fine * np.log(fine)).mean(), rel=1e-9)
    half = found.entropy[10]
    assert half == pytest.approx(-(fine * np.log(0.5 + 0.5 / fine)).mean(), rel=1e-9)
    assert found.curvature == pytest.approx(8 * (found.entropy[-1] / 2 - half) / found.W2)


def test_small_contrasts_follow_linear_theory():
    rho = np.exp(fisher.field(shape=(32, 32), sigma=1e-3, smoothing=0.1).density.values - 1)
    ds = fisher.periodic_reconstruction(rho)
    assert float(ds.curvature) == pytest.approx(float(ds.linear), rel=5e-3)


def test_the_mass_and_the_box_do_not_matter():
    rho, _ = wavy((32, 32))
    one, other = fisher.periodic_transport(rho), fisher.periodic_transport(1e5 * rho, box=10.0)
    assert pytest.approx(100 * one.W2, rel=1e-8) == other.W2


def test_steep_peaks_are_refused_and_smoothing_helps():
    rho = fisher.field(shape=(48, 48), sigma=1.5, smoothing=0.03, seed=1).density.values
    found = fisher.periodic_transport(rho)
    assert not found.converged
    assert np.isnan(found.W2)
    assert found.residual > 1e-9
    assert "does not resolve the peaks. Smooth the density" in found.reason
    ds = fisher.periodic_reconstruction(rho)
    assert not bool(ds.converged)
    assert fisher.periodic_transport(rho, smoothing=0.15).converged


def test_it_can_be_cancelled():
    class Impatient(Progress):
        def show(self, done, total, message):
            self.cancel()

    with pytest.raises(Cancelled):
        fisher.periodic_transport(np.exp(np.random.default_rng(0).normal(size=(16, 16)) * 0.1), progress=Impatient())


def test_uniform_density_needs_no_transport():
    found = fisher.periodic_transport(np.ones((8, 8)))
    assert found.converged
    assert found.W2 == 0
    assert np.isnan(found.curvature)


def test_refusals():
    with pytest.raises(ValueError, match="at 0 or below"):
        fisher.periodic_transport(np.eye(8))
    with pytest.raises(ValueError, match="tolerance"):
        fisher.periodic_transport(np.ones((8, 8)), tolerance=0)
