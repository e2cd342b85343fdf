"""The sliced distance against closed forms, its bounds, its batches and its error bar."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import flows

EXACT = {"precision": "double", "repeats": 1}
SHIFTS = st.lists(st.floats(-50, 50), min_size=3, max_size=3)


def grid_sphere(n):
    """A design is a sphere without sampling noise: 1000 antipodal pairs, exact to degree 61."""
    table = flows.design_table(1000)
    return np.concatenate([table, -table])[:n]


@settings(deadline=None, max_examples=25)
@given(SHIFTS, st.integers(1, 40), st.integers(0, 10**6))
def test_translation_costs_its_square_over_d(shift, n, seed):
    x = np.random.default_rng(seed).normal(size=(n, 3))
    for method, number in (("design", 6), ("orthogonal", 3), ("design", 100)):
        found = flows.sliced_wasserstein(x, x + shift, method=method, n_directions=number, seed=seed, **EXACT)
        assert found.value == pytest.approx(np.dot(shift, shift) / 3, rel=1e-12, abs=1e-12)


@settings(deadline=None, max_examples=25)
@given(st.floats(0.01, 5), SHIFTS, st.integers(0, 10**6))
def test_homothety_is_exact_for_orthogonal_directions(scale, shift, seed):
    x = np.random.default_rng(seed).normal(size=(30, 3))
    found = flows.sliced_wasserstein(
        x, scale * x + shift, method="orthogonal", n_directions=3, seed=seed, **EXACT
    ).value
    expected = np.mean(np.sum(((1 - scale) * x - shift) ** 2, axis=1)) / 3
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_concentric_spheres():
    sphere = grid_sphere(2000)
    found = flows.sliced_wasserstein(1.0 * sphere, 2.5 * sphere, **EXACT).value
    assert found == pytest.approx(1.5**2 / 3, rel=1e-12)


def gaussian(n_radii, n_directions):
    """A standard Gaussian without sampling noise: directions of a design × quantiles of the radius."""
    from scipy.stats import chi

    radii = chi.ppf((np.arange(n_radii) + 0.5) / n_radii, df=3)
    table = np.concatenate([flows.design_table(n_directions), -flows.design_table(n_directions)])
    return (radii[:, None, None] * table).reshape(-1, 3)


def test_isotropic_gaussians():
    shift = np.array([1.0, -2.0, 0.5])
    x, y = 0.5 * gaussian(200, 200), 1.3 * gaussian(300, 120) + shift
    found = flows.sliced_wasserstein(x, y, n_directions=30, repeats=1).value
    assert found == pytest.approx(shift @ shift / 3 + 0.8**2, rel=1e-3)


def test_sphere_against_a_gaussian():
    found = flows.sliced_wasserstein(
        1.5 * grid_sphere(2000), 0.7 * gaussian(400, 200), n_directions=50, repeats=2
    ).value
    expected = 1.5**2 / 3 + 0.7**2 - 2 * 1.5 * 0.7 / np.sqrt(np.pi)
    assert found == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(("dim", "cross"), [(3, 4 / (3 * np.pi)), (2, 2 / np.pi)])
def test_two_crossed_dipoles(dim, cross):
    a, b = 1.3, 0.8
    axes = np.eye(dim)
    x, y = np.array([a * axes[0], -a * axes[0]]), np.array([b * axes[1], -b * axes[1]])
    found = flows.sliced_wasserstein(x, y, n_directions=1000, precision="double", repeats=8)
    expected = (a * a + b * b) / dim - cross * a * b
    assert found.value == pytest.approx(expected, abs=max(4 * found.standard_error, 1e-6))
    assert found.standard_error < 1e-4


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 25), st.integers(2, 25), st.integers(1, 4), st.integers(0, 10**6))
def test_bounds_by_means_and_by_exact_transport(n, m, dim, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, dim)), rng.normal(size=(m, dim)) + rng.normal(size=dim)
    found = flows.sliced_wasserstein(x, y, method="orthogonal", n_directions=60 * dim, precision="double")
    slack = 5 * found.standard_error + 1e-12
    shift = x.mean(axis=0) - y.mean(axis=0)
    assert shift @ shift / dim <= found.value + 1e-12
    assert found.value <= flows.wasserstein(x, y) / dim + slack


@pytest.mark.parametrize("method", [name for name, entry in flows.ESTIMATORS.items() if entry.facts.get("dim", 3) == 3])
def test_every_estimator_finds_the_reference_within_its_error(method):
    x, y = flows.cloud("torus", 300), flows.cloud("cube", 300, seed=1) + np.array([0.3, 0, 0])
    reference = flows.sliced_wasserstein(x, y, n_directions=1000, repeats=16, seed=1)
    found = flows.sliced_wasserstein(x, y, method=method, n_directions=60, repeats=300, seed=2)
    # consistent estimators carry a bias of order 1/L, far below this band
    assert abs(found.value - reference.value) < 4 * found.standard_error + 2e-4 * reference.value


def test_equispaced_finds_the_reference():
    x, y = flows.cloud("disc", 200), flows.cloud("two-moons", 200, seed=1)
    coarse = flows.sliced_wasserstein(x, y, method="equispaced", n_directions=20, repeats=200)
    fine = flows.sliced_wasserstein(x, y, method="monte-carlo", n_directions=500, repeats=100)
    assert abs(coarse.value - fine.value) < 4 * np.hypot(coarse.standard_error, fine.standard_error)


def test_standard_error_covers():
    x, y = flows.cloud("torus", 200), flows.cloud("two-blobs", 200, seed=1)
    truth = flows.sliced_wasserstein(x, y, n_directions=1000, repeats=4).value
    hits = 0
    for seed in range(100):
        value, error = flows.sliced_wasserstein(
            x, y, method="monte-carlo", n_directions=20, repeats=12, seed=seed, precision="single"
        )
        hits += abs(value - truth) < 2 * error
    assert 85 <= hits <= 99  # 2 standard errors of 12 draws cover 93 %


def test_one_draw_has_no_standard_error():
    assert np.isnan(flows.sliced_wasserstein(np.eye(3), 2 * np.eye(3), repeats=1).standard_error)


def test_a_batch_is_its_pairs(rng):
    x, y = rng.normal(size=(3, 20, 3)), rng.normal(size=(3, 15, 3))
    a = rng.random((3, 20))
    values, errors = flows.sliced_wasserstein(x, y, x_weights=a, n_directions=10)
    singles = [flows.sliced_wasserstein(x[k], y[k], x_weights=a[k], n_directions=10) for k in range(3)]
    np.testing.assert_array_equal(values, [one.value for one in singles])
    np.testing.assert_array_equal(errors, [one.standard_error for one in singles])
    value, gradient = flows.sliced_wasserstein_gradient(x, y[0], n_directions=10)
    assert value.shape == (3,)
    np.testing.assert_array_equal(gradient[2], flows.sliced_wasserstein_gradient(x[2], y[0], n_directions=10)[1])
    with pytest.raises(ValueError, match="batch of 3 clouds and y of 2"):
        flows.sliced_wasserstein(x, y[:2])
    with pytest.raises(ValueError, match="2 rows for a batch of 3"):
        flows.sliced_wasserstein(x, y, x_weights=a[:2])


def test_same_seed_same_result_and_a_generator_moves_on(rng):
    x, y = rng.normal(size=(2, 50, 3))
    assert flows.sliced_wasserstein(x, y, seed=4) == flows.sliced_wasserstein(x, y, seed=4)
    stream = np.random.default_rng(0)
    assert flows.sliced_wasserstein(x, y, seed=stream) != flows.sliced_wasserstein(x, y, seed=stream)


def test_many_dimensions(rng):
    x = rng.normal(size=(200, 64))
    shift = np.zeros(64)
    shift[0] = 3.0
    assert flows.sliced_wasserstein(x, x + shift, n_directions=64).value == pytest.approx(9 / 64, rel=1e-5)
