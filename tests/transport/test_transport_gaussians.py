"""Bures–Wasserstein geometry against closed forms, mpmath, POT, and the properties that define it."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import transport
from workbench.transport import gaussians
from workbench.transport.gaussians import (
    bures_distance,
    bures_exp,
    bures_geodesic,
    bures_inner,
    bures_log,
    bures_map,
    bures_transport,
    gaussian_wasserstein,
    lyapunov,
)
from workbench.transport.spd_metrics import covariance_distance, covariance_mean

A = np.array([[2.0, 0.5], [0.5, 1.0]])
B = np.array([[1.0, -0.3], [-0.3, 0.8]])


def random_spd(rng, n, condition=100.0, count=None):
    def one():
        q = np.linalg.qr(rng.normal(size=(n, n)))[0]
        return gaussians.symmetric((q * condition ** -rng.random(n)) @ q.T)

    return one() if count is None else np.stack([one() for _ in range(count)])


def test_two_by_two_closed_form():
    assert bures_distance(A, B) == pytest.approx(0.450586393105022, abs=1e-15)
    inner = np.trace(A @ B) + 2 * np.sqrt(np.linalg.det(A) * np.linalg.det(B))
    assert bures_distance(A, B) == pytest.approx(np.trace(A + B) - 2 * np.sqrt(inner), abs=1e-14)


def test_commuting_matrices():
    a, b = np.array([0.0, 1.0, 4.0, 1e-20]), np.array([9.0, 1.0, 1e-8, 0.0])
    assert bures_distance(np.diag(a), np.diag(b)) == pytest.approx(np.sum((np.sqrt(a) - np.sqrt(b)) ** 2), rel=1e-14)


def test_digits_survive_where_the_trace_formula_loses_them():
    a = np.diag([1, 1e-4, 1e-8, 1e-12])
    b = a + 1e-9 * np.diag([1.0, 2, 3, 4])
    assert bures_distance(a, b) == pytest.approx(4.07199458136e-9, rel=2e-12)
    q = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    ra, rb = (gaussians.symmetric(q @ m @ q.T) for m in (a, b))
    with mpmath.workdps(60):
        ma, mb = mpmath.matrix(ra.tolist()), mpmath.matrix(rb.tolist())
        roots = [mpmath.sqrt(mpmath.re(v)) for v in mpmath.eig(ma * mb, left=False, right=False)]
        truth = float(sum(ma[i, i] + mb[i, i] for i in range(4)) - 2 * sum(roots))
    assert bures_distance(ra, rb) == pytest.approx(truth, rel=1e-5)
    root = gaussians.spectral(ra, lambda v: np.sqrt(np.maximum(v, 0)))
    trace = np.trace(ra + rb) - 2 * np.sqrt(np.maximum(np.linalg.eigvalsh(root @ rb @ root), 0)).sum()
    assert abs(trace / truth - 1) > 1e-4  # the textbook formula, on the same numbers


def test_distance_agrees_with_pot():
    import ot

    rng = np.random.default_rng(1)
    for _ in range(5):
        a, b = random_spd(rng, 6), random_spd(rng, 6)
        assert bures_distance(a, b) == pytest.approx(ot.gaussian.bures_distance(a, b) ** 2, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 7), st.integers(0, 10**6), st.floats(0, 10), st.floats(0.01, 100))
def test_properties_of_the_distance(n, seed, exponent, c):
    rng = np.random.default_rng(seed)
    a, b = random_spd(rng, n, 10**exponent, 2)
    d2 = bures_distance(a, b)
    assert d2 >= 0
    assert bures_distance(b, a) == pytest.approx(d2, rel=1e-9, abs=1e-14)
    assert bures_distance(a, a) <= 1e-28 * n
    assert bures_distance(c * a, c * b) == pytest.approx(c * d2, rel=1e-9, abs=1e-13)
    q = np.linalg.qr(rng.normal(size=(n, n)))[0]
    turned = [gaussians.symmetric(q @ m @ q.T) for m in (a, b)]
    assert bures_distance(*turned) == pytest.approx(d2, rel=1e-6, abs=1e-13)
    assert d2 <= np.abs(np.linalg.eigvalsh(a - b)).sum() * (1 + 1e-12)


def test_map_pushes_one_gaussian_to_the_other():
    rng = np.random.default_rng(2)
    g, x = random_spd(rng, 5, 1e4), random_spd(rng, 5, 1e4)
    t = bures_map(g, x)
    np.testing.assert_allclose(t @ g @ t, x, atol=1e-12)
    assert np.linalg.eigvalsh(t).min() > 0
    # the gradient of d² in A is I − T, against a difference quotient
    h = gaussians.symmetric(rng.normal(size=(5, 5)))
    h *= 1e-5 * np.linalg.eigvalsh(g)[0]
    quotient = (bures_distance(g + h, x) - bures_distance(g - h, x)) / 2
    assert quotient == pytest.approx(np.sum((np.eye(5) - t) * h), rel=1e-5)


def test_log_and_exp_are_inverse_and_the_metric_measures_the_log():
    rng = np.random.default_rng(3)
    g, x = random_spd(rng, 4), random_spd(rng, 4, 1e3, 6)
    v = bures_log(g, x)
    for k in range(6):
        np.testing.assert_allclose(bures_exp(g, v[k]), x[k], atol=1e-13)
        assert bures_inner(g, v[k], v[k]) == pytest.approx(bures_distance(g, x[k]), rel=1e-10)
        assert bures_map(g, x[k]) @ g + g @ bures_map(g, x[k]) - 2 * g == pytest.approx(v[k], abs=1e-12)
    np.testing.assert_allclose(g @ lyapunov(g, v[0]) + lyapunov(g, v[0]) @ g, v[0], atol=1e-13)


def test_geodesic_closed_form_and_constant_speed():
    product = np.linalg.eig(A @ B)
    root = np.real(product.eigenvectors * np.sqrt(product.eigenvalues) @ np.linalg.inv(product.eigenvectors))
    t = np.array([0.0, 0.3, 1.0])
    share = t[:, None, None]
    expected = (1 - share) ** 2 * A + share**2 * B + share * (1 - share) * (root + root.T)
    np.testing.assert_allclose(bures_geodesic(A, B, t), expected, atol=1e-13)
    d2 = bures_distance(A, B)
    assert bures_distance(A, bures_geodesic(A, B, 0.3)) == pytest.approx(0.09 * d2, rel=1e-12)


def test_transport_is_an_isometry_and_goes_back():
    rng = np.random.default_rng(4)
    p = random_spd(rng, 4)
    _, u = np.linalg.eigh(p)
    q = gaussians.symmetric((u * np.array([1.0, 3, 0.5, 2])) @ u.T)
    v = gaussians.symmetric(rng.normal(size=(3, 4, 4)))
    for other in (q, np.eye(4)):
        carried = bures_transport(v, p, other)
        assert bures_inner(other, carried, carried) == pytest.approx(bures_inner(p, v, v), rel=1e-10)
        np.testing.assert_allclose(bures_transport(carried, other, p), v, atol=1e-10)
    with pytest.raises(ValueError, match="do not commute"):
        bures_transport(v, p, random_spd(rng, 4))


def test_generalised_metric():
    rng = np.random.default_rng(5)
    a, b, m = random_spd(rng, 3), random_spd(rng, 3), random_spd(rng, 3)
    root = gaussians.spectral(m, lambda values: values**-0.5)
    expected = bures_distance(*[gaussians.symmetric(root @ one @ root) for one in (a, b)])
    assert bures_distance(a, b, metric=m) == pytest.approx(expected, rel=1e-11)
    # at M = A it is a quarter of the affine metric: d²_A(A, A + h) ≈ ¼ ‖A^{-½} h A^{-½}‖²
    h = 1e-5 * gaussians.symmetric(rng.normal(size=(3, 3))) * np.linalg.eigvalsh(a)[0]
    inverse = np.linalg.inv(a)
    assert bures_distance(a, a + h, metric=a) == pytest.approx(np.trace(inverse @ h @ inverse @ h) / 4, rel=1e-4)
    logs = [gaussians.spectral(one, np.log) for one in (a, b)]
    limit = np.sum((logs[0] - logs[1]) ** 2) / 4
    assert bures_distance(a, b, power=1e-4) == pytest.approx(limit, rel=1e-3)
    ends = bures_geodesic(a, b, [0, 1], metric=m, power=0.5)
    np.testing.assert_allclose(ends, [a, b], atol=1e-12)


def test_small_eigenvalues_move_the_affine_distance_and_not_this_one():
    """Shifting λ_min by the factor 1 + δ moves AIM by |ln(1 + δ)| at any scale, Bures by √λ_min δ/2."""
    delta = 0.01
    for least in (1e-2, 1e-6, 1e-10):
        a, b = np.diag([1.0, least]), np.diag([1.0, least * (1 + delta)])
        assert np.sqrt(transport.covariance_distance(a, b, "affine")) == pytest.approx(np.log(1 + delta), rel=1e-9)
        assert np.sqrt(bures_distance(a, b)) == pytest.approx(np.sqrt(least) * delta / 2, rel=0.01)


def test_samples_of_gaussians_tend_to_it():
    rng = np.random.default_rng(6)
    x = rng.multivariate_normal([0, 0], A, 1500)
    y = rng.multivariate_normal([0, 0], B, 1500) + np.array([3, 0])
    assert transport.wasserstein(x, y) == pytest.approx(gaussian_wasserstein([0, 0], A, [3, 0], B), rel=0.1)


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        ([[1, 0], [0, -2]], ValueError, "eigenvalue -2; a covariance has none below 0"),
        ([[1, 0.1], [0, 1]], ValueError, "is not symmetric"),
        ([[1, np.nan], [np.nan, 1]], ValueError, "NaN or infinite"),
        (np.ma.masked_array(np.eye(2), [[1, 0], [0, 0]]), TypeError, "masked"),
        (np.eye(2) * 1j, TypeError, "complex"),
        (np.eye(2) * 1e200, ValueError, "rescale"),
        (np.ones((2, 3)), ValueError, "square"),
        (np.diag([1, 1e-7]).astype(np.float32), ValueError, "float32 and of condition"),
        ("word", TypeError, "array of numbers"),
        ([np.eye(2), np.diag([1.0, -1])], ValueError, r"a\[1\] has the eigenvalue -1"),
    ],
)
def test_refusals_in_words(value, error, words):
    with pytest.raises(error, match=words):
        bures_distance(value, np.eye(2))


def test_other_refusals():
    with pytest.raises(ValueError, match="greater than 0"):
        bures_distance(A, B, power=-1.0)
    with pytest.raises(ValueError, match="singular"):
        bures_map(np.diag([1.0, 0]), A)
    with pytest.raises(ValueError, match="2 × 2 and 3 × 3"):
        bures_distance(A, np.eye(3))
    with pytest.raises(ValueError, match="between 0 and 1"):
        bures_geodesic(A, B, 1.5)
    with pytest.raises(ValueError, match="leaves the domain"):
        bures_exp(A, -10 * A)
    with pytest.raises(ValueError, match="tangent vectors are symmetric"):
        bures_inner(A, [[0, 1], [0, 0]], A)
    assert bures_distance(A + np.array([[0, 1e-9], [0, 0]]), A) < 1e-17


@pytest.mark.parametrize("condition", [1e2, 1e4, 1e8])
@pytest.mark.parametrize("count", [2, 3, 30])
def test_the_affine_mean_settles_where_the_matrices_lie_far_apart(condition, count):
    """Few matrices of high condition once made the step overshoot for ever; the mean has Σ log(G^-½ X G^-½) = 0."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        frames, _ = np.linalg.qr(rng.normal(size=(count, 3, 3)))
        x = (frames * (condition ** -rng.random((count, 3)))[:, None, :]) @ np.swapaxes(frames, 1, 2)
        x = (x + np.swapaxes(x, 1, 2)) / 2
        mean = covariance_mean(x, metric="affine")
        here = sum(covariance_distance(mean, one, "affine") for one in x)
        near = mean + 1e-3 * np.linalg.cholesky(mean) @ np.diag([1.0, -1.0, 0.5]) @ np.linalg.cholesky(mean).T
        assert here < sum(covariance_distance(near, one, "affine") for one in x)
        np.testing.assert_allclose(covariance_mean(7 * x, metric="affine"), 7 * mean, rtol=1e-7, atol=1e-9)
