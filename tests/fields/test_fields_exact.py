"""The exact field against independent formulas, the continuity equation, and a second engine."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.stats import multivariate_normal

from workbench import fields
from workbench.fields import FiniteSample, GaussianMixture, exact_field, gaussian, standard_gaussian
from workbench.fields.core.irreducible import least_loss, total_of_u

TWO = GaussianMixture([0.3, 0.7], [-2.0, 1.5], [0.25, 0.5])
ONE = standard_gaussian(1)
A = np.array([[1.0, 0.3], [0.3, 0.5]])
B = np.array([[0.4, -0.2], [-0.2, 0.9]])


def plane():
    """A mixture to a mixture in the plane, and points around both."""
    rng = np.random.default_rng(3)
    source = GaussianMixture([0.4, 0.6], [[-1.0, 0.0], [1.0, 0.5]], [A, 0.3 * np.eye(2)])
    target = GaussianMixture([0.2, 0.5, 0.3], rng.normal(size=(3, 2)), [B, A, 0.2 * np.eye(2)])
    return exact_field(source, target), rng.normal(size=(40, 2))


@pytest.mark.parametrize(
    ("x", "t", "value"),
    [
        (0.2, 0.5, 1.5187037554016285),
        (-1.0, 0.25, 0.19528285732992611),
        (1.1, 0.9, 1.2891566239016375),
        (0.0, 0.0, 0.45),
        (0.7, 1.0, 0.7),
    ],
)
def test_a_mixture_on_a_line_has_the_known_field(x, t, value):
    assert exact_field(ONE, TWO)([[x]], t)[0, 0] == pytest.approx(value, rel=1e-13)


@pytest.mark.parametrize(("x", "t", "value"), [(0.2, 0.5, 0.15334489913004608), (0.4, 0.8, 0.5)])
def test_the_memoriser_of_two_points_is_known(x, t, value):
    assert exact_field(ONE, [[-1.0], [2.0]])([[x]], t)[0, 0] == pytest.approx(value, rel=1e-13)


def test_the_loss_that_is_left_is_known_on_a_line():
    ds = fields.irreducible_loss(ONE, TWO)
    assert float(ds.loss) == pytest.approx(2.4715601386679, abs=1e-12)
    assert float(ds.control) == pytest.approx(4.2, rel=1e-14)
    assert ds.attrs["method"] == "quadrature"
    assert float(ds.error) < 1e-9


def test_two_gaussians_leave_pi_halves_of_their_geometric_mean():
    field = exact_field(gaussian([0, 1], A), gaussian([2, 0], B))
    closed = least_loss(field)
    assert closed.method == "closed form"
    assert least_loss(field, until=1.0 - 1e-15).value == pytest.approx(closed.value, rel=1e-12)
    assert closed.value == pytest.approx(math.pi / 2 * np.trace(fields.geometric_mean(A, B)), rel=1e-14)
    assert least_loss(exact_field(gaussian(0.0, 4.0), gaussian(1.0, 9.0))).value == pytest.approx(3 * math.pi)


def test_sampled_and_quadrature_agree_and_explain_all_of_u():
    field = exact_field(ONE, TWO)
    rng = np.random.default_rng(0)
    wide = GaussianMixture(TWO.weights, np.c_[TWO.means, [0.0, 0.0]], [np.diag([v, 1.0]) for v in (0.25, 0.5)])
    sampled = fields.irreducible_loss(standard_gaussian(2), wide, samples=40_000)
    # The second coordinate is one Gaussian, N(0, 1) to N(0, 1), and knows nothing of the first
    assert sampled.attrs["method"] == "sampled"
    assert abs(float(sampled.loss) - 2.4715601386679 - math.pi / 2) < 4 * float(sampled.error)
    x0, x1 = field.couple(400_000, rng)
    t = 0.37
    values = field((1 - t) * x0 + t * x1, t)
    cross = np.sum((x1 - x0 - values) * values, axis=1)
    assert abs(cross.mean()) < 4 * cross.std() / math.sqrt(len(cross))


def test_score_and_density_are_those_of_the_blurred_mixture():
    field, x = plane()
    t = 0.35
    density = np.zeros(len(x))
    for w0, m0, s0 in zip(field.source.weights, field.source.means, field.source.covariances, strict=True):
        for w1, m1, s1 in zip(field.target.weights, field.target.means, field.target.covariances, strict=True):
            law = multivariate_normal((1 - t) * m0 + t * m1, (1 - t) ** 2 * s0 + t**2 * s1)
            density += w0 * w1 * law.pdf(x)
    np.testing.assert_allclose(field.log_density(x, t), np.log(density), rtol=1e-12)
    h = 1e-5
    for axis in range(2):
        step = h * np.eye(2)[axis]
        slope = (field.log_density(x + step, t) - field.log_density(x - step, t)) / (2 * h)
        np.testing.assert_allclose(field.score(x, t)[:, axis], slope, atol=1e-8)


@pytest.mark.parametrize("name", ["mixtures", "paired", "optimal", "memoriser"])
def test_density_and_velocity_meet_the_equation_of_continuity(name):
    """∂ₜ log p + div v + v·∇log p = 0 holds for the exact field and no other with these scores."""
    rng = np.random.default_rng(1)
    field, x = {
        "mixtures": plane,
        "paired": lambda: (exact_field(gaussian([0.1, 0], B), plane()[0].target, "paired"), plane()[1]),
        "optimal": lambda: (exact_field(gaussian([0, 1], A), gaussian([1, 0], B), "optimal"), plane()[1]),
        "memoriser": lambda: (exact_field(gaussian([0, 0.2], 0.8 * np.eye(2)), rng.normal(size=(7, 2))), plane()[1]),
    }[name]()
    t, h = 0.4, 1e-5
    slope = (field.log_density(x, t + h) - field.log_density(x, t - h)) / (2 * h)
    spread = np.trace(field.jacobian(x, t), axis1=1, axis2=2)
    values = field.values(x, t)
    np.testing.assert_allclose(slope + spread + np.sum(values.velocity * values.score, axis=1), 0, atol=2e-7)


def test_the_jacobian_is_the_slope_of_the_field():
    field, x = plane()
    h = 1e-6
    for axis in range(2):
        step = h * np.eye(2)[axis]
        slope = (field(x + step, 0.6) - field(x - step, 0.6)) / (2 * h)
        np.testing.assert_allclose(field.jacobian(x, 0.6)[:, :, axis], slope, atol=1e-7)


def test_velocity_and_score_are_one_thing_for_a_gaussian_source():
    field = exact_field(gaussian([0, 0], 2.25 * np.eye(2)), fields.LAWS["moons"]())
    x = np.random.default_rng(0).normal(size=(30, 2))
    for t in (0.2, 0.9):
        np.testing.assert_allclose(field(x, t), (x + 2.25 * (1 - t) * field.score(x, t)) / t, rtol=1e-9, atol=1e-11)


def test_both_kernels_and_both_ways_to_the_memoriser_agree():
    rng = np.random.default_rng(2)
    points, x = rng.normal(size=(9, 2)), rng.normal(size=(50, 2))
    nearly = gaussian([0.3, 0], [[1.0, 1e-15], [1e-15, 1.0]])
    assert nearly.isotropic_variance is None
    quick, general = exact_field(gaussian([0.3, 0], np.eye(2)), points), exact_field(nearly, points)
    for t in (0.0, 0.5, 0.97):
        for one, two in zip(quick.values(x, t), general.values(x, t), strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-8, atol=1e-9)
    # In three dimensions with a third coordinate of its own, the first two are those of the plane
    flat = exact_field(standard_gaussian(2), GaussianMixture([1.0], [[1.0, 2.0]], [A]))
    deep = exact_field(
        standard_gaussian(3), GaussianMixture([1.0], [[1.0, 2.0, 0.0]], [np.block([[A, np.zeros((2, 1))], [0, 0, 1]])])
    )
    np.testing.assert_allclose(deep(np.c_[x, x[:, 0]], 0.4)[:, :2], flat(x, 0.4), rtol=1e-12)


def test_many_points_on_all_cores_are_the_same_as_few():
    field = exact_field(standard_gaussian(2), fields.LAWS["moons"]())
    x = np.random.default_rng(0).normal(size=(20_000, 2))
    np.testing.assert_array_equal(field(x, 0.5)[:100], field(x[:100], 0.5))
    times = np.repeat([0.2, 0.6], 50)
    np.testing.assert_array_equal(field(x[:100], times)[50:], field(x[50:100], 0.6))


def test_the_flow_of_two_gaussians_is_known_and_optimal_only_if_they_commute():
    x = np.random.default_rng(0).normal(size=(5, 2))
    field = exact_field(gaussian([0, 1], A), gaussian([2, 0], B))
    for k, start in enumerate(x):
        found = solve_ivp(lambda t, y: field(y[None], min(t, 1.0))[0], (0, 1), start, "DOP853", rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(found.y[:, -1], field.flow_map(x)[k], atol=1e-9)
    origin = field.flow_map(np.zeros((1, 2)))
    matrix = (field.flow_map(np.eye(2)) - origin).T
    np.testing.assert_allclose(matrix @ A @ matrix.T, B, atol=1e-12)
    assert np.abs(matrix - matrix.T).max() > 0.05  # no gradient: not the optimal map
    best = exact_field(gaussian([0, 1], A), gaussian([2, 0], B), "optimal")
    straight = (best.flow_map(np.eye(2)) - best.flow_map(np.zeros((1, 2)))).T
    np.testing.assert_allclose(straight, straight.T, atol=1e-12)
    assert total_of_u(best) < 4 + 1 + np.trace(A) + np.trace(B) - 2 * np.trace(matrix @ A)
    commuting = exact_field(gaussian([0, 0], np.diag([1.0, 4.0])), gaussian([0, 0], np.diag([9.0, 1.0])))
    np.testing.assert_allclose(commuting.flow_map([[1.0, 2.0]]), [[3.0, 1.0]], atol=1e-12)


def test_optimal_pairs_go_straight_and_leave_no_loss():
    field = exact_field(gaussian([0, 1], A), gaussian([2, 0], B), "optimal")
    x0, x1 = field.couple(50, 0)
    for t in (0.0, 0.5, 1.0):
        np.testing.assert_allclose(field((1 - t) * x0 + t * x1, t), x1 - x0, atol=1e-10)
    assert least_loss(field).value == 0.0


def test_noise_on_points_is_the_backward_heat_flow():
    """The letters of meta flow matching: v* = s²(1 − t) ∇log p_t, and the formula with softmax weights."""
    pixels = np.random.default_rng(4).normal(size=(6, 2))
    target = GaussianMixture(np.full(6, 1 / 6), pixels, np.tile(0.05**2 * np.eye(2), (6, 1, 1)))
    field = exact_field(gaussian([0, 0], 0.25 * np.eye(2)), target, "paired")
    x = np.random.default_rng(5).normal(size=(20, 2))
    for t in (0.1, 0.8):
        width = 0.05**2 + 0.25 * (1 - t) ** 2
        away = x[:, None] - pixels
        r = np.exp(-(away**2).sum(-1) / (2 * width))
        r /= r.sum(axis=1, keepdims=True)
        expected = -0.25 * (1 - t) / width * np.einsum("nk,nka->na", r, away)
        np.testing.assert_allclose(field(x, t), expected, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(field(x, t), 0.25 * (1 - t) * field.score(x, t), rtol=1e-8, atol=1e-10)


def test_almost_every_path_of_the_memoriser_ends_in_a_training_point():
    points = np.random.default_rng(0).normal(size=(16, 2))
    field = exact_field(standard_gaussian(2), points)
    ends = fields.integrate(field, standard_gaussian(2).sample(60, 1), 150, end=field.last_time).end
    nearest = np.linalg.norm(ends[:, None] - points, axis=-1).min(axis=1)
    assert np.quantile(nearest, 0.9) < 0.01


def test_matched_batches_are_permutations_of_least_cost(monkeypatch):
    from workbench import transport
    from workbench.fields.core import couplings

    rng = np.random.default_rng(0)
    x0, x1 = rng.normal(size=(60, 2)), rng.normal(size=(60, 2))
    dense = fields.matched(x0, x1)
    monkeypatch.setattr(couplings, "MOST_DENSE", 0)
    sparse = fields.matched(x0, x1)
    for same, ordered in (dense, sparse):
        np.testing.assert_array_equal(same, x0)
        np.testing.assert_array_equal(np.sort(ordered, axis=0), np.sort(x1, axis=0))
        cost = ((ordered - x0) ** 2).sum(axis=1).mean()
        assert cost == pytest.approx(transport.wasserstein(x0, x1), rel=1e-9)
    bias, error = fields.batch_bias(exact_field(gaussian([0, 0], A), gaussian([0, 0], B), "optimal"), 16)
    assert bias > 3 * error


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: exact_field(ONE, "five-blobs"), "the source has 1 dimension"),
        (lambda: exact_field([[0.0]], [[1.0]]), "between two finite samples there is no field"),
        (lambda: exact_field(ONE, TWO, "optimal"), "between two Gaussians only"),
        (lambda: exact_field(TWO, TWO, "paired"), "the law of the noise"),
        (lambda: exact_field(ONE, TWO, "optimum"), "Did you mean 'optimal'"),
        (lambda: exact_field(ONE, [[0.0], [1.0]])([[0.0]], 1.0), "no field at the end"),
        (lambda: exact_field(ONE, TWO)([[0.0, 1.0]], 0.5), "x has 2 coordinates and the field 1"),
        (lambda: exact_field(ONE, TWO)([[0.0]], [0.1, 0.2]), "1 points and 2 times"),
        (lambda: exact_field(ONE, TWO)([[0.0]], 1.5), "t must lie between 0 and 1"),
        (lambda: GaussianMixture([1.0], [[0.0, 0.0]], [np.ones((2, 2))]), "not positive definite"),
        (lambda: GaussianMixture([0.5, 0.4], [0.0, 1.0], [1.0, 1.0]), "sum to 1"),
        (lambda: GaussianMixture([1.0], [[0.0, 0.0]], [1.0]), "needs weights"),
        (lambda: FiniteSample([[np.nan]]), "NaN"),
        (lambda: exact_field(ONE, TWO).flow_map([[1.0]]), "integrate the field"),
        (lambda: fields.irreducible_loss(ONE, [[0.0], [1.0]]), "until must be at most 0.999"),
        (lambda: fields.couple("two-blobs", "two-blobs", 5000, "optimal"), "at most 4096"),
        (lambda: fields.exact_field("five-blob", "moons"), "Did you mean 'five-blobs'"),
    ],
)
def test_what_has_no_field_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()
