"""The information-estimation metric against its closed form, mpmath, SciPy's quadrature, and its own axioms."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal

from workbench import metrics
from workbench.metrics import signals

BUMPS = signals.bumps()
PAPER = signals.paper_mixture()
INF = float("inf")


def random_covariance(rng, d):
    root = rng.normal(size=(d, d))
    made = root @ root.T / d + 0.1 * np.eye(d)
    return (made + made.T) / 2


# ---- the Gaussian: Mahalanobis -----------------------------------------------------------------------------------


def test_a_gaussian_in_the_plane_has_the_published_values():
    density = metrics.Mixture([1.0], [[3.0, -2.0]], [[[2.0, 0.6], [0.6, 0.5]]])
    step = np.array([1.0, -0.7])
    full = metrics.iem(density, [0.0, 0.0], step)
    assert float(full.squared) == pytest.approx(3.625, abs=2e-13)
    assert float(full.distance) == pytest.approx(1.90394327646598, abs=1e-13)
    part = metrics.iem(density, [0.0, 0.0], step, snr=4.0)
    assert float(part.squared) == pytest.approx(2.02824858757062, abs=2e-13)
    assert float(part.distance) == pytest.approx(1.42416592697994, abs=1e-13)


@pytest.mark.parametrize("d", [1, 2, 3, 5, 20])
@pytest.mark.parametrize("snr", [INF, 0.7, 40.0])
def test_any_gaussian_is_mahalanobis_at_any_snr(d, snr):
    rng = np.random.default_rng(d)
    covariance = random_covariance(rng, d)
    density = metrics.Mixture([1.0], rng.normal(size=(1, d)), covariance[None])
    a, b = rng.normal(size=(2, d))
    exact = (b - a) @ np.linalg.solve(covariance + np.eye(d) / snr, b - a)
    found = metrics.iem(density, a, b, snr=snr, samples=64)
    assert float(found.squared) == pytest.approx(exact, rel=1e-12)
    assert float(found.error) < 1e-10


# ---- mixtures: oracles, and other engines ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "snr", "value"),
    [
        (-0.25, 0.25, 100.0, 3.1994038356014),
        (-2.0, -1.5, 100.0, 0.9463663308487),
        (-0.25, 0.25, INF, 3.4426280025783),
        (-2.0, -1.5, INF, 0.9664733677373),
        (-2.0, 2.0, INF, 1.7335331487477),
    ],
)
def test_two_bumps_on_a_line_to_twelve_digits(a, b, snr, value):
    found = metrics.iem(BUMPS, a, b, snr=snr)
    assert float(found.distance) == pytest.approx(value, abs=4e-13)
    assert float(found.error) < 1e-11


@pytest.mark.parametrize(("b", "value"), [((0, 1), 5.547131657972), ((1, -1), 4.635791784445)])
def test_the_papers_mixture_to_twelve_digits(b, value):
    found = metrics.iem(PAPER, (2.5, -2), b)
    assert float(found.distance) == pytest.approx(value, abs=2e-12)
    assert abs(float(found.distance) - value) <= 4 * float(found.error) + 1e-12


def slow_squared(density, a, b):
    """IEM² of a density on a line by SciPy's adaptive quadrature over σ and noise, from the definition in σ."""

    def score(z, sigma):
        variances = density.covariances[:, 0, 0] + sigma**2
        apart = z - density.means[:, 0]
        p = density.weights * np.exp(-(apart**2) / (2 * variances)) / np.sqrt(variances)
        return -(p * apart / variances).sum() / p.sum()

    def over_noise(sigma):
        inner = lambda e: (score(a + sigma * e, sigma) - score(b + sigma * e, sigma)) ** 2 * np.exp(-e * e / 2)  # noqa: E731
        places = [(m - x) / sigma for m in [*density.means[:, 0], 0.0] for x in (a, b)]
        points = [p for p in places if -8 < p < 8]
        return quad(inner, -8, 8, limit=400, points=points, epsabs=1e-11)[0] / np.sqrt(2 * np.pi)

    inside = quad(lambda t: 2 * np.exp(2 * t) * over_noise(np.exp(t)), -7, 5, limit=200, epsabs=1e-8)[0]
    return inside


def test_scipys_quadrature_agrees():
    density = metrics.Mixture([0.3, 0.7], [-1.0, 1.5], [0.4, 0.2])
    found = metrics.iem(density, -0.6, 1.1)
    assert float(found.squared) == pytest.approx(slow_squared(density, -0.6, 1.1), rel=2e-4)


def test_mpmath_agrees_on_the_integrand():
    mp = pytest.importorskip("mpmath")
    found = metrics.iem(BUMPS, -0.25, 0.25)
    k = int(np.argmin(np.abs(np.log(found.snr.values / 2.5))))
    sigma = 1 / mp.sqrt(mp.mpf(float(found.snr[k])))
    weights, means, variance = (0.5, 0.5), (-2, 2), mp.mpf("0.25")

    def denoised(z):
        p = [w * mp.npdf(z, m, mp.sqrt(variance + sigma**2)) for w, m in zip(weights, means, strict=True)]
        score = sum(-q * (z - m) / (variance + sigma**2) for q, m in zip(p, means, strict=True)) / sum(p)
        return sigma**2 * score

    a, b = mp.mpf("-0.25"), mp.mpf("0.25")
    value = mp.quad(
        lambda e: (denoised(a + sigma * e) - denoised(b + sigma * e)) ** 2 * mp.npdf(e), mp.linspace(-9, 9, 37)
    )
    assert float(found.integrand[k]) == pytest.approx(float(value), rel=1e-12)


def test_independent_coordinates_add_their_squares():
    product = metrics.Mixture([0.25] * 4, [[x, y] for x in (-2.0, 2.0) for y in (-2.0, 2.0)], [np.eye(2) / 4] * 4)
    found = metrics.iem(product, (-0.25, -2.0), (0.25, -1.5))
    assert float(found.squared) == pytest.approx(3.4426280025783**2 + 0.9664733677373**2, abs=5e-12)
    parts = [float(metrics.iem(BUMPS, a, b).squared) for a, b in ((-0.25, 0.25), (-2.0, -1.5))]
    assert float(found.squared) == pytest.approx(sum(parts), abs=1e-10)


def test_stretching_one_axis_is_no_invariance_but_turning_and_scaling_are():
    scale = np.diag([3.0, 1.0])
    stretched = signals.transformed(PAPER, scale)
    a, b = np.array([2.5, -2.0]), np.array([0.0, 1.0])
    found = metrics.iem(stretched, scale @ a, scale @ b)
    assert float(found.distance) == pytest.approx(5.579375579010, abs=2e-11)
    turn = np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    for matrix in (turn, 5 * np.eye(2), 0.01 * turn):
        same = metrics.iem(signals.transformed(PAPER, matrix, 7.0), matrix @ a + 7, matrix @ b + 7)
        assert float(same.distance) == pytest.approx(5.547131657972, abs=1e-10)
    half = metrics.iem(signals.transformed(PAPER, 2 * np.eye(2)), 2 * a, 2 * b, snr=3.0)
    assert float(half.distance) == pytest.approx(float(metrics.iem(PAPER, a, b, snr=12.0).distance), abs=1e-10)


def test_it_grows_with_the_snr_and_is_symmetric():
    values = [float(metrics.iem(BUMPS, -1.0, 0.4, snr=snr).distance) for snr in (0.01, 0.1, 1.0, 10.0, 1e3, INF)]
    assert (np.diff(values) > 0).all()
    assert values[0] == pytest.approx(1.4 * 0.1, rel=0.1)  # under much noise only the Euclidean distance is left
    assert float(metrics.iem(BUMPS, 0.4, -1.0).distance) == pytest.approx(values[-1], rel=1e-13)
    assert float(metrics.iem(BUMPS, 0.4, 0.4).distance) == 0.0


def test_sobol_noise_in_three_dimensions_covers_the_exact_value():
    """A product with a Gaussian coordinate has a known value; the error bar is neither too small nor far too large."""
    density = metrics.Mixture([0.5, 0.5], [[-2, 0, 0], [2, 0, 0]], [np.diag([0.25, 1.0, 2.0])] * 2)
    exact = float(metrics.iem(BUMPS, -0.5, 1.0).squared) + 0.5**2 / 1.0 + 1.0**2 / 2.0
    off = []
    for seed in range(8):
        found = metrics.iem(density, [-0.5, 0, 0], [1.0, 0.5, 1.0], samples=512, seed=seed)
        off.append((float(found.squared) - exact) / (2 * float(found.distance) * float(found.error)))
    assert np.abs(off).max() < 4.5
    assert np.sqrt(np.mean(np.square(off))) > 0.3
    again = metrics.iem(density, [-0.5, 0, 0], [1.0, 0.5, 1.0], samples=512, seed=7)
    assert again.distance.equals(found.distance)


# ---- the identity by which a denoiser is tried -------------------------------------------------------------------


def test_denoising_errors_know_the_density():
    found = metrics.information_balance(BUMPS, -0.25, -1.7)
    assert float(found.information) == pytest.approx(5.9268500720837, abs=1e-12)
    assert float(found.estimation) == pytest.approx(5.9268500720837, abs=1e-11)
    found = metrics.information_balance(PAPER, (2.5, -2.0), (0.0, 1.0))
    assert abs(float(found.defect)) < 1e-10
    assert abs(float(found.defect)) <= 5 * float(found.error) + 1e-12


def test_a_wrong_denoiser_would_break_the_identity():
    """The check can fail: against another density's information the two sides disagree."""
    estimation = float(metrics.information_balance(BUMPS, -0.25, -1.7).estimation)
    other = metrics.Mixture([0.5, 0.5], [-2.0, 2.0], [0.26, 0.26])
    information = float(metrics.information_balance(other, -0.25, -1.7).information)
    assert abs(estimation - information) > 0.01


# ---- the mixture itself ------------------------------------------------------------------------------------------


def test_densities_scores_and_hessians_agree_with_scipy_and_differences():
    rng = np.random.default_rng(5)
    covariances = [random_covariance(rng, 3) for _ in range(3)]
    density = metrics.Mixture([0.2, 0.5, 0.3], rng.normal(size=(3, 3)), covariances)
    x = rng.normal(size=(7, 3))
    sigma = 0.3
    parts = [
        w * multivariate_normal(m, c + sigma**2 * np.eye(3)).pdf(x)
        for w, m, c in zip(density.weights, density.means, covariances, strict=True)
    ]
    np.testing.assert_allclose(density.log_density(x, sigma), np.log(np.sum(parts, axis=0)), rtol=1e-12)
    h = 1e-5
    for axis in range(3):
        step = h * np.eye(3)[axis]
        slope = (density.log_density(x + step, sigma) - density.log_density(x - step, sigma)) / (2 * h)
        np.testing.assert_allclose(density.score(x, sigma)[:, axis], slope, rtol=1e-6, atol=1e-7)
        bend = (density.score(x + step, sigma) - density.score(x - step, sigma)) / (2 * h)
        np.testing.assert_allclose(density.hessian(x, sigma)[:, axis], bend, rtol=1e-6, atol=1e-7)


def test_far_tails_underflow_nowhere():
    """1e6 widths away one component dominates, and the distance is its Mahalanobis distance."""
    found = metrics.iem(BUMPS, 1e6, 1e6 + 1)
    assert float(found.distance) == pytest.approx(2.0, rel=1e-9)
    assert found.outside.values.all()
    assert np.isfinite(BUMPS.log_density([-1e8, 1e8])).all()
    assert not metrics.iem(BUMPS, -2.0, 2.0).outside.values.any()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([0.5, 0.4], [0.0, 1.0], [1.0, 1.0]), "weights sum to 0.9, not to 1"),
        (([1.2, -0.2], [0.0, 1.0], [1.0, 1.0]), "weight 1 is -0.2"),
        (([1.0], [0.0], [-1.0]), "covariance 0 has the eigenvalue -1"),
        (([1.0], [[0.0, 0.0]], [[[1.0, 2.0], [2.0, 1.0]]]), "covariance 0 has the eigenvalue -1"),
        (([1.0], [[0.0, 0.0]], [[[1.0, 0.5], [0.0, 1.0]]]), "covariance 0 is not symmetric"),
        (([1.0], [np.nan], [1.0]), "means holds 1 value"),
        (([1.0], [0.0, 1.0], [1.0, 1.0]), "do not fit"),
        (([1.0], [1e150], [1.0]), "overflow"),
    ],
)
def test_what_is_no_mixture_is_refused_by_name(arguments, words):
    with pytest.raises(ValueError, match=words):
        metrics.Mixture(*arguments)


def test_what_has_no_distance_is_refused_before_any_work():
    flat = metrics.Mixture([1.0], [[0.0, 0.0]], [np.diag([1.0, 0.0])])
    with pytest.raises(ValueError, match=r"component 0 .* infinite at infinite SNR; give a finite snr, or a floor"):
        metrics.iem(flat, [0, 0], [0, 1])
    assert float(metrics.iem(flat, [0, 0], [0, 1], snr=4.0).squared) == pytest.approx(4.0)
    floored = metrics.Mixture([1.0], [[0.0, 0.0]], [np.diag([1.0, 0.0])], floor=0.5)
    assert float(metrics.iem(floored, [0, 0], [0, 1]).squared) == pytest.approx(2.0)
    with pytest.raises(ValueError, match="x1 has points of 3 coordinates; the density has 2"):
        metrics.iem(floored, [0, 0, 0], [0, 1])
    with pytest.raises(ValueError, match="x2 must be one point, got 2"):
        metrics.iem(floored, [0, 0], [[0, 1], [1, 0]])
    with pytest.raises(TypeError, match=r"density must be a metrics\.Mixture"):
        metrics.iem([0.5, 0.5], 0, 1)
    with pytest.raises(ValueError, match="snr must be greater than 0"):
        metrics.iem(floored, [0, 0], [0, 1], snr=0.0)
    with pytest.raises(ValueError, match="there every number would overflow"):
        metrics.iem(floored, [0, 0], [0, 1e90])


def test_a_fit_finds_the_bumps_and_refuses_what_cannot_be_fitted():
    points = BUMPS.sample(4000, seed=1)
    found = metrics.fit_mixture(points, components=(1, 2, 3))
    assert found.sizes["component"] in (2, 3)
    assert int(found.tried[int(np.argmin(found.held_out.values))]) == found.sizes["component"]
    density = metrics.mixture_of(found)
    assert float(metrics.iem(density, -0.25, 0.25).distance) == pytest.approx(3.44, abs=0.4)
    two = metrics.Mixture.fit(1e6 * points, 2, seed=0)
    np.testing.assert_allclose(np.sort(two.means.ravel()) / 1e6, [-2, 2], atol=0.05)
    with pytest.raises(ValueError, match="all points are equal"):
        metrics.fit_mixture(np.ones((50, 2)))
    with pytest.raises(ValueError, match="fewer than five for each component"):
        metrics.fit_mixture(np.zeros((4, 2)), components=2)
    with pytest.raises(ValueError, match="it lacks weights"):
        metrics.mixture_of(metrics.iem(BUMPS, 0, 1))


def test_samples_have_the_moments_of_the_density():
    drawn = PAPER.sample(40_000, seed=3)
    np.testing.assert_allclose(drawn.mean(axis=0), PAPER.mean, atol=0.03)
    np.testing.assert_allclose(np.cov(drawn.T), PAPER.covariance, atol=0.05)
