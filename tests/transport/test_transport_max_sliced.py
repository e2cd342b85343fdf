"""The certified largest slice: closed forms, brute force, kinks, and that the bound is one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import clouds, transport
from workbench.progress import Cancelled, Progress
from workbench.transport import majorant
from workbench.transport.estimators.base import random_rotations, uniform_directions
from workbench.transport.max_sliced import compiled_pair, max_sliced_wasserstein, scale_of
from workbench.transport.max_sliced_high import search_high
from workbench.transport.measures import prepare

A, B = 1.3, 0.8
CROSS = np.array([[A, 0, 0], [-A, 0, 0]]), np.array([[0, B, 0], [0, -B, 0]])


def brute_force(x, y, dim, number=20_000, seed=0, **weights):
    theta = uniform_directions(number, dim, np.random.default_rng(seed))
    return float(transport.projected_costs(x, y, theta, precision="double", **weights).max())


@pytest.mark.parametrize("dim", [1, 2, 3, 5])
def test_a_translation_is_its_length_squared(dim, rng):
    x, t = rng.normal(size=(80, dim)), rng.normal(size=dim)
    found = max_sliced_wasserstein(x, x + t, 1e-9)
    assert found.value == pytest.approx(t @ t, rel=1e-9)
    assert found.value <= found.upper_bound <= t @ t * (1 + 2e-9)
    assert abs(found.direction @ t) == pytest.approx(np.linalg.norm(t), rel=1e-6)
    assert found.certified
    assert found.gap == found.upper_bound - found.value


def test_known_maxima():
    """Values of a plain NumPy branch and bound with another bound (single pairings, no mixtures)."""
    for n, expected in ((500, 0.0923873447345), (2000, 0.0945695854730)):
        x, y = clouds.cloud("torus", n), clouds.cloud("cube", n, seed=1)
        found = max_sliced_wasserstein(x, y, 1e-9)
        assert found.value == pytest.approx(expected, rel=1e-9)
        assert found.certified
        assert found.evaluations < 1100


@pytest.mark.parametrize("dim", [2, 3])
def test_a_maximum_on_a_kink_ends_and_is_certified(dim):
    x, y = (cloud[:, :dim] for cloud in CROSS)
    found = max_sliced_wasserstein(x, y)
    assert found.certified
    assert found.value <= A * A <= found.upper_bound * (1 + 1e-12)
    assert found.gap <= 1.1e-6 * A * A
    assert found.evaluations < 2000  # single pairings need about 20,000


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([2, 3]), st.booleans())
def test_no_direction_exceeds_the_bound(seed, dim, weighted):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 12, 2)
    x, y = rng.normal(size=(n, dim)), rng.normal(size=(m, dim)) * rng.uniform(0.2, 3, dim)
    weights = {"x_weights": rng.random(n) + 0.01, "y_weights": rng.random(m) + 0.01} if weighted else {}
    found = max_sliced_wasserstein(x, y, 1e-5, **weights)
    seen = brute_force(x, y, dim, 3000, seed, **weights)
    assert seen <= found.upper_bound * (1 + 1e-9)
    assert seen <= found.value * (1 + 1.1e-5)
    at_axis = transport.projected_costs(x, y, found.direction[None], precision="double", **weights)[0]
    assert found.value == pytest.approx(at_axis, rel=1e-9)
    assert found.certified


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_one_pairing_bounds_every_direction(seed):
    """f(θ') ≤ θ'ᵀMθ' with equality at θ, for exact and for fast pairings, and cap_bound bounds the form on the cap."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=(20, 3))
    pair = compiled_pair(prepare("x", x, None, np.float64), prepare("y", y, rng.random(20), np.float64))
    theta, others = uniform_directions(1, 3, rng)[0], uniform_directions(200, 3, rng)
    matrix = np.empty(6)
    value = majorant.exact_moment(pair, theta, matrix)
    weights = {"y_weights": pair[5]}
    assert value == pytest.approx(transport.projected_costs(x, y, theta[None], precision="double", **weights)[0])
    costs = transport.projected_costs(x, y, others, precision="double", **weights)
    forms = np.array([majorant.form(matrix, other) for other in others])
    assert (costs <= forms * (1 + 1e-12)).all()
    for angle in (0.05, 0.4, 1.2):
        inside = others @ theta >= np.cos(angle)
        assert (forms[inside] <= majorant.cap_bound(matrix, theta, angle) * (1 + 1e-12)).all()
    assert majorant.cap_bound(matrix, theta, np.pi / 2) == pytest.approx(_highest(matrix, theta), rel=0.5)


def _highest(matrix, theta):
    xx, yy, zz, xy, xz, yz = matrix
    return np.linalg.eigvalsh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])[-1]


def test_turned_clouds_have_the_same_maximum(rng):
    x, y = clouds.cloud("sphere", 200), clouds.cloud("two-blobs", 150, seed=1)
    turn = random_rotations(1, 3, rng)[0]
    plain, turned = max_sliced_wasserstein(x, y), max_sliced_wasserstein(x @ turn.T, y @ turn.T + 0.0)
    assert turned.value == pytest.approx(plain.value, rel=2e-6)
    assert abs(turned.direction @ turn @ plain.direction) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("dim", [1, 2, 3, 5])
def test_equal_clouds_cost_nothing(dim, rng):
    x = rng.normal(size=(40, dim))
    found = max_sliced_wasserstein(x, x[::-1])
    assert found.value <= 1e-12
    assert found.upper_bound <= 1e-11
    assert found.certified
    assert np.linalg.norm(found.direction) == pytest.approx(1)


def test_points_far_from_the_origin_and_of_any_size(rng):
    x, y = rng.normal(size=(60, 3)), rng.normal(size=(60, 3)) + 1
    plain = max_sliced_wasserstein(x, y).value
    for scale in (1e-12, 1e12):
        assert max_sliced_wasserstein(scale * x, scale * y).value == pytest.approx(scale**2 * plain, rel=2e-6)
    assert max_sliced_wasserstein(x + 1e4, y + 1e4).value == pytest.approx(plain, rel=2e-6)


def test_a_stopped_search_returns_an_interval(rng):
    x, y = clouds.cloud("torus", 300), clouds.cloud("cube", 300, seed=1)
    whole = max_sliced_wasserstein(x, y)
    for most in (1, 7, 40, 150):
        part = max_sliced_wasserstein(x, y, most_evaluations=most)
        assert part.value <= whole.upper_bound
        assert part.upper_bound >= whole.value
        assert not part.certified
        assert part.evaluations <= most + 2


def test_many_dimensions_give_an_interval_that_says_whether_it_is_closed(rng):
    x, y = rng.normal(size=(50, 8)), rng.normal(size=(70, 8))
    found = max_sliced_wasserstein(x, y)
    assert found.value >= brute_force(x, y, 8)
    assert found.upper_bound >= found.value
    assert found.certified == (found.upper_bound <= found.value * (1 + 1e-6))
    # the same engine in three dimensions against the certified one
    flat = [prepare(name, cloud[:, :3], None, np.float64) for name, cloud in (("x", x), ("y", y))]
    value, upper, *_ = search_high(*flat, 1e-6, 5000, Progress())
    exact = max_sliced_wasserstein(x[:, :3], y[:, :3], 1e-9)
    assert value <= exact.upper_bound * (1 + 1e-9)
    assert upper >= exact.value * (1 - 1e-9)
    assert value > 0.9 * exact.value
    assert scale_of(*flat) > 0.5 * exact.value


def test_a_long_search_can_be_cancelled():
    progress = Progress()
    progress.cancel()
    x, y = clouds.cloud("torus", 300), clouds.cloud("cube", 300, seed=1)
    with pytest.raises(Cancelled):
        max_sliced_wasserstein(x, y, progress=progress)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tolerance": 0}, "tolerance must be greater than 0"),
        ({"tolerance": float("nan")}, "tolerance must be finite"),
        ({"y": np.zeros((3, 2))}, "x lies in 3 dimensions and y in 2"),
        ({"x": [[np.nan, 0, 0]]}, "NaN or infinite"),
        ({"x_weights": [1.0, -1.0]}, "negative weights"),
        ({"most_evaluations": 0}, "most_evaluations must be at least 1"),
    ],
)
def test_bad_input_is_refused_in_words(change, message):
    arguments = {"x": np.zeros((2, 3)), "y": np.ones((3, 3)), **change}
    with pytest.raises(ValueError, match=message):
        max_sliced_wasserstein(**arguments)
