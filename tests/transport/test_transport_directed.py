"""Directed slices: closed forms of the law, F_κ on translations and on a cross, the best axis, gradients, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from workbench import clouds, transport
from workbench.transport import directed, vmf
from workbench.transport.estimators.base import random_rotations, uniform_directions

A, B = 1.3, 0.8
CROSS = np.array([[A, 0, 0], [-A, 0, 0]]), np.array([[0, B, 0], [0, -B, 0]])


def test_moments_of_the_law():
    assert transport.vmf_mean(1) == pytest.approx(0.313035285499331, abs=1e-15)
    assert transport.vmf_mean(5) == pytest.approx(0.800090803982019, abs=1e-15)
    for kappa, expected in ((1, 0.373929429001337), (5, 0.679963678407192), (10, 0.819999999175539)):
        assert transport.vmf_second_moment(kappa) == pytest.approx(expected, abs=1e-14)
    for kappa, degree, expected in (
        (1, 2, 0.0608941435020061),
        (5, 2, 0.519945517610788),
        (1, 4, 0.000942167576900082),
        (5, 4, 0.127742116691065),
    ):
        assert transport.vmf_harmonic(kappa, degree) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("dim", [2, 3, 4, 7])
@pytest.mark.parametrize("kappa", [1e-9, 1e-3, 0.4, 3.0, 30.0, 900.0, 1e6])
def test_the_law_at_every_concentration(kappa, dim):
    """The even density has the mean 1, and E t² is the closed form; neither overflows nor cancels."""
    power = dim - 3
    norm = quad(lambda a: np.sin(a) ** (power + 1), 0, np.pi)[0]
    width = 40 / np.sqrt(kappa + 1)
    end = min(width, np.pi / 2)

    def integral(function):
        weighted = lambda a: function(np.cos(a)) * np.sin(a) ** (power + 1) / norm  # noqa: E731
        return 2 * quad(weighted, 0, end, limit=200, epsabs=0, epsrel=1e-10)[0]

    density = lambda t: vmf.even_density(kappa, np.array([t]), dim)[0]  # noqa: E731
    assert integral(density) == pytest.approx(1, rel=1e-7)
    assert integral(lambda t: t * t * density(t)) == pytest.approx(transport.vmf_second_moment(kappa, dim), rel=1e-7)
    assert 0 <= transport.vmf_mean(kappa, dim) <= 1
    assert transport.vmf_mean(1e-9, dim) == pytest.approx(1e-9 / dim, rel=1e-6)


@pytest.mark.parametrize("dim", [2, 3, 6])
@pytest.mark.parametrize("kappa", [0.0, 0.7, 12.0, 2000.0])
@pytest.mark.parametrize("method", ["vmf-sampling", "vmf-spiral", "design-cosh"])
def test_every_rule_follows_the_law(method, kappa, dim, rng):
    if method == "vmf-spiral" and dim == 6:
        with pytest.raises(ValueError, match="two or three dimensions, got 6"):
            vmf.RULES[method](kappa, np.eye(6)[0], 10, rng)
        return
    if method == "design-cosh" and kappa > 100:
        return
    location = uniform_directions(1, dim, rng)[0]
    means = []
    for _ in range(60):
        rule = vmf.RULES[method](kappa, location, 400, rng)
        np.testing.assert_allclose(np.linalg.norm(rule.directions, axis=1), 1, rtol=1e-12)
        t = rule.directions @ location
        means.append([rule.weights @ t**2, rule.weights.sum(), rule.weights @ rule.directions[:, 0] ** 2])
    mean, error = np.mean(means, axis=0), np.std(means, axis=0, ddof=1) / np.sqrt(60)
    along = transport.vmf_second_moment(kappa, dim)
    across = (1 - along) / (dim - 1)
    expected = np.array([along, 1, across + (along - across) * location[0] ** 2])
    assert (np.abs(mean - expected) < 4.5 * error + 3e-4 * expected).all()


def test_directions_near_the_first_axis_are_unit_vectors():
    for location in ([1, 1e-9, 0], [-1, 0, 1e-12], [1, 0, 0], [-1, 0, 0]):
        theta = transport.vmf_directions(50.0, location, 200)
        np.testing.assert_allclose(np.linalg.norm(theta, axis=1), 1, rtol=1e-14)
        np.testing.assert_allclose(theta.mean(axis=0), np.array(location) * transport.vmf_mean(50.0), atol=2e-3)


@pytest.mark.parametrize("kappa", [0.01, 1.0, 5.0, 40.0, 5000.0])
def test_a_translation(kappa, rng):
    """F_κ(ε) = |t|² [A/κ + (1 − 3A/κ) cos²], the largest |t|² (1 − 2A/κ), at ε ∥ t."""
    x, t = rng.normal(size=(100, 3)), np.array([0.5, -2.0, 1.0])
    share = transport.vmf_second_moment(kappa)
    best = transport.directed_sliced_wasserstein(x, x + t, kappa)
    assert best.value == pytest.approx(t @ t * share, rel=2e-3)
    assert abs(best.location @ t) / np.linalg.norm(t) > (0.99999 if kappa < 100 else 0.99)
    epsilon = np.array([1.0, 0.0, 0.0])
    cos2 = t[0] ** 2 / (t @ t)
    expected = (t @ t) * ((1 - share) / 2 + (1 - 3 * (1 - share) / 2) * cos2)
    at = transport.directed_sliced_wasserstein(x, x + t, kappa, epsilon, repeats=16)
    assert at.value == pytest.approx(expected, abs=5 * at.standard_error + 2e-3 * (t @ t))


def test_the_cross():
    sw = (A * A + B * B) / 3 - 4 * A * B / (3 * np.pi)
    assert transport.sliced_wasserstein(*CROSS, n_directions=1000).value == pytest.approx(sw, rel=3e-4)
    for kappa, k, expected in ((1, 0, 0.377921967142112), (1, 1, 0.313983116465005), (1, 2, 0.314860554642423)):
        found = transport.directed_sliced_wasserstein(*CROSS, kappa, np.eye(3)[k], n_directions=1000, repeats=8)
        assert found.value == pytest.approx(expected, abs=6 * found.standard_error)
        assert found.standard_error < 2e-4 * expected
    five = transport.directed_sliced_wasserstein(*CROSS, 5.0, n_directions=1000, repeats=8)
    assert five.value == pytest.approx(0.757792195680212, rel=2e-3)
    assert abs(five.location[0]) > 0.999


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.3, 2.0, 8.0]))
def test_even_bounded_and_averaging_to_sw(seed, kappa):
    rng = np.random.default_rng(seed)
    x, y = prepared(rng.normal(size=(40, 3)), rng.normal(size=(30, 3)) * [1, 2, 3])
    seen = directed.look(x, y, 300, rng)
    locations = uniform_directions(50, 3, rng)
    values = seen.value(kappa, locations)
    np.testing.assert_allclose(values, seen.value(kappa, -locations), rtol=1e-12)
    low, high = vmf.even_bounds(kappa, 3)
    assert (values >= low * seen.mean_cost * (1 - 1e-9)).all()
    assert (values <= high * seen.mean_cost * (1 + 1e-9)).all()
    if kappa <= 2:  # the mean over ε, by a design of ε
        everywhere = transport.design_table(500)
        assert seen.value(kappa, everywhere).mean() == pytest.approx(seen.mean_cost, rel=1e-9)


def prepared(x, y):
    from workbench.transport.measures import prepare

    return prepare("x", x), prepare("y", y)


@pytest.mark.parametrize("dim", [2, 3, 5])
def test_slopes_are_those_of_the_value_and_climbing_never_descends(dim, rng):
    seen = directed.look(*prepared(rng.normal(size=(30, dim)), rng.normal(size=(30, dim)) + 1), 60, rng)
    here = uniform_directions(1, dim, rng)[0]
    value, gradient, hessian = seen.slope(3.0, here)
    assert value == pytest.approx(seen.value(3.0, here))
    for k in range(dim):
        step = 1e-5 * np.eye(dim)[k]
        up, down = seen.slope(3.0, here + step), seen.slope(3.0, here - step)
        assert (up[0] - down[0]) / 2e-5 == pytest.approx(gradient[k], rel=1e-6, abs=1e-8)
        np.testing.assert_allclose((up[1] - down[1]) / 2e-5, hessian[k], rtol=1e-5, atol=1e-6)
    for start in uniform_directions(5, dim, rng):
        top, _ = directed.climb(seen, 3.0, start)
        assert top >= seen.value(3.0, start) * (1 - 1e-12)
    best, where = directed.best_location(seen, 3.0)
    everywhere = uniform_directions(20_000, dim, rng)
    assert best >= seen.value(3.0, everywhere).max() * (1 - 1e-12)
    assert best == pytest.approx(seen.value(3.0, where))


def test_the_best_axis_is_enough_for_small_kappa():
    for names in (("torus", "cube"), ("sphere", "two-blobs")):
        x, y = clouds.cloud(names[0], 500), clouds.cloud(names[1], 500, seed=1)
        seen = directed.look(*prepared(x, y), 500, np.random.default_rng(0))
        axes = directed.axes_of(seen)
        best, _ = directed.best_location(seen, 1.0)
        gain = (seen.value(1.0, axes.best) - seen.mean_cost) / (best - seen.mean_cost)
        assert 0.997 < gain <= 1 + 1e-9
        assert axes.values.sum() == pytest.approx(0, abs=1e-9)
        # first order in a_2(κ), which is what the eigenvalue says
        assert (best - seen.mean_cost) / transport.vmf_harmonic(1.0, 2) == pytest.approx(axes.values[0], rel=0.05)


def test_axes_turn_with_the_clouds(rng):
    x, y = clouds.cloud("sphere", 400), clouds.cloud("two-blobs", 400, seed=1)
    turn = random_rotations(1, 3, rng)[0]
    plain, turned = transport.best_axis(x, y), transport.best_axis(x @ turn.T, y @ turn.T)
    assert abs(turned.best @ turn @ plain.best) == pytest.approx(1, abs=1e-4)
    swapped = transport.best_axis(y, x)
    np.testing.assert_allclose(swapped.values, plain.values, rtol=1e-6)
    shuffled = transport.best_axis(rng.permutation(x), y)
    np.testing.assert_allclose(shuffled.best, plain.best, atol=1e-6)


def test_without_a_best_axis_it_says_so():
    corners = np.array([[a, b, c] for a in (-1.0, 1) for b in (-1, 1) for c in (-1, 1)])
    octahedron = np.concatenate([np.eye(3), -np.eye(3)])
    axes = transport.best_axis(corners, octahedron)
    assert not transport.best_axis(corners, corners).is_unique
    assert axes.values[0] < 0.02 * axes.mean_cost
    found = transport.directed_sliced_wasserstein(corners, octahedron, 5.0)
    assert found.value > 1.02 * axes.mean_cost  # the climb from the best directions finds what B cannot see


@pytest.mark.parametrize("kappa", [200.0, 1e4])
def test_towards_the_largest_slice(kappa):
    """The best ε jumps to the global maximum of f, which a wide look ranks second on this pair."""
    x, y = clouds.cloud("torus", 500), clouds.cloud("cube", 500, seed=1)
    top = transport.max_sliced_wasserstein(x, y)
    found = transport.directed_sliced_wasserstein(x, y, kappa)
    assert found.value <= top.upper_bound * (1 + 1e-6)
    if kappa > 1e3:
        assert found.value > 0.99 * top.value
        assert abs(found.location @ top.direction) > 0.999


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("dim", [1, 2, 3, 4])
def test_the_gradient_is_the_derivative_at_a_fixed_axis(dim, p, rng):
    x, y = rng.normal(size=(12, dim)), rng.normal(size=(9, dim)) + 0.5
    epsilon = np.ones(dim)
    settings = {"kappa": 2.0, "location": epsilon, "p": p, "precision": "double", "seed": 3, "n_directions": 30}
    estimate, gradient = transport.directed_sliced_wasserstein_gradient(x, y, **settings)
    single = transport.directed_sliced_wasserstein(x, y, repeats=1, **settings)
    assert estimate.value == pytest.approx(single.value, rel=1e-12)
    step = 1e-6
    for i, axis in ((0, 0), (5, dim - 1)):
        moved = x.copy()
        moved[i, axis] += step
        up = transport.directed_sliced_wasserstein(moved, y, repeats=1, **settings).value
        assert (up - single.value) / step == pytest.approx(gradient[i, axis], rel=1e-4, abs=1e-5)


def test_weights_count_points(rng):
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(15, 3))
    doubled = np.concatenate([x, x[:5]])
    weights = np.ones(20)
    weights[:5] = 2
    for kappa in (1.0, 60.0):
        settings = {"kappa": kappa, "precision": "double", "location": [0, 0, 1]}
        one = transport.directed_sliced_wasserstein(x, y, x_weights=weights, **settings)
        other = transport.directed_sliced_wasserstein(doubled, y, **settings)
        assert one.value == pytest.approx(other.value, rel=1e-10)


def test_the_same_seed_gives_the_same_numbers(rng):
    x, y = rng.normal(size=(50, 3)), rng.normal(size=(50, 3))
    first, again, other = (transport.directed_sliced_wasserstein(x, y, 3.0, seed=s) for s in (1, 1, 2))
    assert first.value == again.value
    assert first.value != other.value
    assert first.value == pytest.approx(other.value, rel=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kappa": -1.0}, "kappa must be at least 0"),
        ({"kappa": float("inf")}, "kappa must be finite"),
        ({"kappa": 1e7}, "kappa must be at most"),
        ({"location": [0, 0, 0]}, "points nowhere"),
        ({"location": [1, 0]}, "location has 2 entries, the clouds lie in 3"),
        ({"location": "top"}, "Choose one of: best"),
        ({"method": "spiral"}, "unknown vMF rule 'spiral'. Did you mean 'vmf-spiral'"),
        ({"p": 3}, "p must be 1 or 2"),
        ({"x": np.zeros((2, 4)), "y": np.zeros((2, 4)), "method": "vmf-spiral"}, "for 2 or 3 dimensions, got 4"),
    ],
)
def test_bad_input_is_refused_in_words(change, message):
    arguments = {"x": np.zeros((2, 3)), "y": np.ones((3, 3)), **change}
    with pytest.raises(ValueError, match=message):
        transport.directed_sliced_wasserstein(**arguments)


def test_weighted_rules_are_not_directions():
    with pytest.raises(ValueError, match="weights uniform directions"):
        transport.vmf_directions(1.0, [1, 0, 0], 10, method="design-cosh")
