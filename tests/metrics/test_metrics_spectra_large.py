"""Spectra of layers too large for all eigenvalues, against all eigenvalues of layers that are not."""

import numpy as np
import pytest

from workbench import metrics

WIDTH = 0.2


@pytest.fixture(scope="module")
def layer():
    rng = np.random.default_rng(3)
    return rng.standard_t(3, size=(350, 240)) / np.sqrt(350)


@pytest.fixture(scope="module")
def exact(layer):
    return np.linalg.svd(layer, compute_uv=False) ** 2


@pytest.fixture(scope="module")
def found(layer):
    return metrics.large_spectrum(layer, top=80, probes=30, steps=60, width=WIDTH)


def test_the_largest_are_eigenvalues(found, exact):
    np.testing.assert_allclose(found.eigenvalue, exact[:80], rtol=1e-9)
    assert (found.residual < 1e-8 * exact[0]).all()
    assert (abs(found.eigenvalue.values - exact[:80]) <= found.residual + 1e-12 * exact[0]).all()
    assert float(found.total) == pytest.approx(exact.sum(), rel=1e-12)


def test_the_tail_is_fitted_as_from_all_eigenvalues(found, exact):
    inside = metrics.tail_fit(exact[:80])
    assert float(found.alpha) == pytest.approx(inside.alpha, rel=1e-9)
    everything = metrics.tail_fit(exact, k=int(found.tail_size) - 1)
    assert (float(found.alpha), float(found.low)) == pytest.approx((everything.alpha, everything.low), rel=1e-9)
    assert bool(found.at_the_end) == (int(found.tail_size) == 80)


def test_the_density_is_that_of_all_eigenvalues_within_its_error(found, exact):
    logs = found.log_eigenvalue.values
    kernel = np.exp(-0.5 * ((logs[:, None] - np.log(exact)) / WIDTH) ** 2) / (WIDTH * np.sqrt(2 * np.pi))
    true = kernel.mean(axis=1)
    near = true > 1e-3 * true.max()
    off = (found.density.values - true)[near] / np.maximum(found.density_error.values[near], 1e-4)
    assert np.abs(off).max() < 5
    assert np.sqrt(np.mean(off**2)) < 2
    weight = np.trapezoid(found.density.values, logs)
    assert weight == pytest.approx(1, abs=0.01)
    assert float(found.mean_log) == pytest.approx(
        np.log(exact / exact.mean()).mean(), abs=4 * float(found.mean_log_error)
    )


def test_as_many_steps_as_columns_leave_only_the_error_of_the_vectors(layer, exact):
    small = layer[:, :30]
    values = np.linalg.svd(small, compute_uv=False) ** 2
    all_signs = metrics.large_spectrum(small, top=20, probes=200, steps=30)
    off = float(all_signs.mean_log) - np.log(values / values.mean()).mean()
    assert abs(off) < 4 * float(all_signs.mean_log_error)
    assert exact.size > values.size


def test_what_cannot_matter_does_not(layer, found):
    other = metrics.large_spectrum(layer.T, top=80, probes=30, steps=60, width=WIDTH)
    np.testing.assert_array_equal(other.density, found.density)
    tenfold = metrics.large_spectrum((10 * layer).astype(np.float32), top=30, probes=2, steps=10)
    np.testing.assert_allclose(tenfold.eigenvalue, 100 * found.eigenvalue[:30], rtol=1e-5)


def test_a_singular_layer_has_no_mean_of_logarithms(layer):
    doubled = np.concatenate([layer[:, :60], layer[:, :60]], axis=1)
    ds = metrics.large_spectrum(doubled, top=40, probes=4, steps=100)
    assert np.isnan(float(ds.mean_log))
    values = np.linalg.svd(doubled, compute_uv=False) ** 2
    np.testing.assert_allclose(ds.eigenvalue, values[:40], rtol=1e-9)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones((30, 30), dtype=int), "array of floats"),
        (np.ones(50), "a layer is a matrix"),
        (np.ones((50, 20)), "more than 20 are needed"),
        (np.full((50, 30), np.nan), "NaN or infinity"),
        (np.zeros((50, 30)), "zeros alone"),
    ],
)
def test_layers_that_have_no_spectrum(weights, words):
    with pytest.raises(ValueError, match=words):
        metrics.large_spectrum(weights, top=20)


def test_the_refusal_of_a_large_layer_says_where_to_go():
    with pytest.raises(ValueError, match="large_spectrum"):
        metrics.layer_spectrum(np.broadcast_to(np.float64(1.0), (6001, 6001)))
