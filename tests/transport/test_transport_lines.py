"""Transport along directions: against SciPy, POT and closed forms; weights, threads, precision, bad input."""

import numpy as np
import ot
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from workbench import flows
from workbench.transport.lines import transport
from workbench.transport.measures import prepare


def costs(x, y, thetas, p=2, precision="double", **weights):
    return flows.projected_costs(x, y, thetas, p=p, precision=precision, **weights)


def thetas(rng, number, dim):
    return flows.directions("monte-carlo", number, dim, seed=rng)


@pytest.mark.parametrize(("n", "m"), [(50, 50), (50, 33), (1, 5), (1, 1)])
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_pot_agrees_to_rounding(rng, n, m, p, weighted):
    x, y = rng.normal(size=(n, 3)), rng.normal(size=(m, 3)) + 1
    a = rng.random(n) if weighted else None
    b = rng.random(m) if weighted else None
    directions = thetas(rng, 40, 3)
    reference = ot.sliced_wasserstein_distance(
        x, y, None if a is None else a / a.sum(), None if b is None else b / b.sum(), projections=directions.T, p=p
    )
    ours = costs(x, y, directions, p, x_weights=a, y_weights=b).mean() ** (1 / p)
    assert ours == pytest.approx(reference, rel=1e-12)


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("dim", [1, 2, 3, 17])
def test_scipy_agrees_in_one_dimension(rng, dim, precision):
    x, y = rng.normal(size=(300, dim)), rng.normal(size=(211, dim)) * 2
    a, b = rng.random(300), rng.random(211)
    directions = thetas(rng, 5, dim)
    found = costs(x, y, directions, 1, precision, x_weights=a, y_weights=b)
    expected = [wasserstein_distance(x @ t, y @ t, a, b) for t in directions]
    np.testing.assert_allclose(found, expected, rtol=1e-12 if precision == "double" else 3e-6)


@pytest.mark.parametrize(("n", "m"), [(700, 700), (3000, 3000), (3000, 1700)])
def test_single_and_double_precision_agree(rng, n, m):
    x, y = rng.normal(size=(n, 3)), rng.uniform(size=(m, 3)) * 3
    directions = thetas(rng, 30, 3)
    weights = np.full(30, 1 / 30)
    found = {}
    for dtype in (np.float32, np.float64):
        pair = prepare("x", x, None, dtype), prepare("y", y, None, dtype)
        found[dtype] = transport(*pair, directions, weights, want_x=True, want_y=True)
    np.testing.assert_allclose(found[np.float32].costs, found[np.float64].costs, rtol=2e-6)
    scale = np.abs(found[np.float64].gradient_x).max()
    # Points within one key of each other may swap partners: at this size a few in a hundred do in some of the 30
    # directions, and their gradient then differs by the distance of the partners. All others agree to rounding.
    difference = np.abs(found[np.float32].gradient_x - found[np.float64].gradient_x)
    assert np.quantile(difference, 0.9) < 2e-6 * scale
    assert difference.max() < 1e-2 * scale


def test_value_alone_and_with_gradient_are_one_value(rng):
    x, y = rng.normal(size=(2000, 3)), rng.uniform(size=(2000, 3))
    value = flows.sliced_wasserstein(x, y, n_directions=30, repeats=1, seed=3).value
    with_gradient, _ = flows.sliced_wasserstein_gradient(x, y, n_directions=30, seed=3)
    assert with_gradient == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("shift", [1e4, 1e7])
def test_far_from_the_origin_nothing_cancels(rng, shift):
    # dyadic coordinates: the shift itself rounds nothing away
    x, y = (rng.integers(-512, 512, (2, 400, 3)) / 256).astype(np.float64)
    directions = thetas(rng, 20, 3)
    near = costs(x, y, directions, precision="single")
    np.testing.assert_allclose(costs(x + shift, y + shift, directions, precision="single"), near, rtol=1e-6)


def test_splitting_an_atom_changes_nothing(rng):
    x, y = rng.normal(size=(40, 3)), rng.normal(size=(25, 3))
    a, b = rng.random(40), rng.random(25)
    directions = thetas(rng, 10, 3)
    split_x = np.concatenate([x, x[:1]])
    split_a = np.concatenate([a, [0.3 * a[0]]])
    split_a[0] *= 0.7
    whole = costs(x, y, directions, x_weights=a, y_weights=b)
    np.testing.assert_allclose(costs(split_x, y, directions, x_weights=split_a, y_weights=b), whole, rtol=1e-12)
    doubled = costs(np.repeat(x, 2, axis=0), y, directions, y_weights=b)
    np.testing.assert_allclose(doubled, costs(x, y, directions, y_weights=b), rtol=1e-12)


@pytest.mark.parametrize("precision", ["single", "double"])
def test_zero_weight_atoms_are_ignored_and_do_not_pull(rng, precision):
    x, y = rng.normal(size=(40, 3)), rng.normal(size=(25, 3))
    a = rng.random(40)
    a[[3, 17]] = 0
    x[3] = 1e6
    kept = a > 0
    options = {"n_directions": 20, "precision": precision, "seed": 1}
    value, gradient = flows.sliced_wasserstein_gradient(x, y, x_weights=a, **options)
    expected, inner = flows.sliced_wasserstein_gradient(x[kept], y, x_weights=a[kept], **options)
    assert value == expected
    np.testing.assert_array_equal(gradient[kept], inner)
    np.testing.assert_array_equal(gradient[~kept], 0)


def test_weights_that_are_equal_or_scaled_change_nothing(rng):
    x, y = rng.normal(size=(30, 3)), rng.normal(size=(30, 3))
    plain = flows.sliced_wasserstein(x, y, seed=5).value
    assert flows.sliced_wasserstein(x, y, x_weights=np.full(30, 7.0), seed=5).value == plain
    a = rng.random(30)
    one = flows.sliced_wasserstein(x, y, x_weights=a, seed=5).value
    assert flows.sliced_wasserstein(x, y, x_weights=1e9 * a, seed=5).value == pytest.approx(one, rel=1e-7)


def test_threads_do_not_change_a_bit(rng):
    x, y = rng.normal(size=(3000, 3)), rng.normal(size=(3000, 3))
    runs = [flows.sliced_wasserstein_gradient(x, y, n_directions=301, seed=2, threads=k) for k in (1, 2, 5)]
    for value, gradient in runs[1:]:
        assert value == runs[0][0]
        np.testing.assert_array_equal(gradient, runs[0][1])


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 5), st.integers(0, 10**6))
def test_metric_axioms_with_shared_directions(n, m, dim, seed):
    rng = np.random.default_rng(seed)
    x, y, z = rng.normal(size=(n, dim)), rng.normal(size=(m, dim)), rng.normal(size=(7, dim))
    directions = thetas(rng, 12, dim)

    def distance(a, b):
        return np.sqrt(costs(a, b, directions).mean())

    assert distance(x, x) == 0
    assert distance(x, x[::-1]) < 1e-14
    assert distance(x, y) == pytest.approx(distance(y, x), rel=1e-12)
    assert distance(x, y) <= distance(x, z) + distance(z, y) + 1e-12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": [[np.nan, 0, 0]]}, "x holds 1 value"),
        ({"y": [[np.inf, 0, 0]]}, "y holds 1 value"),
        ({"x": np.empty((0, 3))}, "x is empty"),
        ({"x": np.zeros((4, 0))}, "x is empty"),
        ({"x": np.zeros(3)}, "x must have 2 dim"),
        ({"x": np.zeros((5, 2))}, "2 dimensions and y in 3"),
        ({"x_weights": [1.0, -1.0, 1.0]}, "negative"),
        ({"x_weights": [0.0, 0.0, 0.0]}, "positive, finite sum"),
        ({"x_weights": [1.0, 2.0]}, "2 entries for 3 points"),
        ({"x_weights": [1.0, np.nan, 1.0]}, "NaN"),
        ({"method": "dezign"}, "Did you mean 'design'"),
        ({"n_directions": 0}, "at least 1"),
        ({"n_directions": 2.5}, "whole number"),
        ({"repeats": 0}, "at least 1"),
        ({"p": 3}, "p must be 1 or 2"),
        ({"precision": "half"}, "single, double"),
        ({"threads": 0}, "at least 1"),
        ({"seed": -1}, "at least 0"),
        ({"method": "equispaced"}, "2 dimensions, got 3"),
        ({"method": "harmonic-cv", "n_directions": 14}, "at least 15"),
        ({"method": "lower-cv", "p": 1}, "p = 2 only"),
        ({"x": [[1e300, 0, 0], [-1e300, 0, 0]]}, "too large"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(change, message):
    arguments = {"x": np.eye(3), "y": np.eye(3)} | change
    with pytest.raises(ValueError, match=message):
        flows.sliced_wasserstein(arguments.pop("x"), arguments.pop("y"), **arguments)


def test_text_is_no_cloud():
    with pytest.raises(TypeError, match="array of numbers"):
        flows.sliced_wasserstein([["a", "b"]], np.eye(2))
    with pytest.raises(ValueError, match="points nowhere"):
        flows.projected_costs(np.eye(3), np.eye(3), [[0, 0, 0]])
    with pytest.raises(ValueError, match="2 columns"):
        flows.projected_costs(np.eye(3), np.eye(3), [[1, 0]])


def test_more_memory_than_there_is_is_refused(monkeypatch):
    import psutil

    class Little:
        available = 100

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Little)
    with pytest.raises(ValueError, match="GiB of memory"):
        flows.wasserstein(np.eye(3), np.eye(3))
    with pytest.raises(ValueError, match="GiB of memory"):
        flows.sliced_wasserstein(np.ones((2_000_000, 1)), np.ones((2_000_000, 1)), repeats=1)


@settings(deadline=None, max_examples=120)
@given(
    st.integers(-1074, 498), st.sampled_from(["single", "double"]), st.sampled_from(["design", "upper-cv", "lower-cv"])
)
@example(-1074, "single", "design")
@example(-1060, "double", "upper-cv")
def test_any_size_gives_the_same_digits(exponent, precision, method):
    """Clouds of whole numbers times a power of two, down to the smallest number there is: every digit is the same."""
    rng = np.random.default_rng(7)
    x, y = rng.integers(-512, 512, (2, 32, 3)).astype(float)  # 32 points: their mean is exact
    y += 40
    options = {"n_directions": 12, "precision": precision, "method": method}
    value, gradient = flows.sliced_wasserstein_gradient(x, y, **options)
    scaled_value, scaled_gradient = flows.sliced_wasserstein_gradient(
        np.ldexp(x, exponent), np.ldexp(y, exponent), **options
    )
    assert scaled_value == np.ldexp(value, 2 * exponent)  # rounded once where it is subnormal
    if exponent > -1000:
        np.testing.assert_array_equal(scaled_gradient, np.ldexp(gradient, exponent))
    else:
        np.testing.assert_allclose(scaled_gradient, np.ldexp(gradient, exponent), atol=3e-324, rtol=1e-6)


@settings(deadline=None, max_examples=100)
@given(st.floats(-150, 150), st.floats(-150, 150), st.floats(-150, 150), st.sampled_from([1, 2]))
@example(12.0, 18.0, 0.0, 1)  # the smaller one has no unit of its own, and is seen
@example(-13.0, -20.0, -14.0, 1)  # the larger one has no unit of its own
def test_two_clouds_of_any_sizes_any_distance_apart(size_x, size_y, apart, p):
    """Against the same clouds in one unit: no NaN, no digit lost to the largest of the three numbers."""
    rng = np.random.default_rng(11)
    x, y, direction = rng.normal(size=(20, 3)), rng.normal(size=(20, 3)), np.array([[0.6, 0.8, 0.0]])
    x, y, shift = 10**size_x * x, 10**size_y * y, 10**apart * np.array([1.0, -2.0, 1.0])
    unit = 10 ** max(size_x, size_y, apart)
    with np.errstate(under="ignore"):
        a, b = np.sort((x + shift) / unit @ direction[0]), np.sort(y / unit @ direction[0])
        expected = np.mean(np.abs(a - b) ** p)
        found = flows.projected_costs(x + shift, y, direction, p=p, precision="double")[0] / unit / unit ** (p - 1)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_a_tiny_cloud_beside_a_huge_one_keeps_its_order(rng):
    """The gradient of the tiny cloud is all in the huge one, but who meets whom is decided by the tiny one."""
    x, y = rng.normal(size=(50, 3)), rng.normal(size=(50, 3))
    expected = flows.sliced_wasserstein_gradient(1e-12 * x, 1e12 * y, n_directions=10)[1]
    found = flows.sliced_wasserstein_gradient(1e-140 * x, 1e130 * y, n_directions=10)[1]
    np.testing.assert_allclose(found / 1e118, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("size", [1e155, 1e300, 1.7e308])
@pytest.mark.parametrize("precision", ["single", "double"])
def test_a_result_beyond_the_largest_number_is_refused(size, precision):
    x = size * np.array([[1.0, 0, 0], [0, 1, 0]])
    with pytest.raises(ValueError, match=r"too large.* rescale both clouds"):
        flows.sliced_wasserstein(x, -x, precision=precision)
    with pytest.raises(ValueError, match=r"too large.* rescale both clouds"):
        flows.sliced_wasserstein_gradient(x, -x, precision=precision)
    assert flows.sliced_wasserstein(x, x, precision=precision).value == 0
    if size < 1e308:  # the distance itself fits, only its square does not
        ratio = flows.sliced_wasserstein(x, -x, p=1, precision=precision).value / size
        assert ratio == pytest.approx(flows.sliced_wasserstein(x / size, -x / size, p=1).value, rel=1e-5)
    with pytest.raises(ValueError, match="too large"):
        flows.wasserstein(x, -x)
