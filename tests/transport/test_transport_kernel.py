"""The fused kernel: its radix sort, its merge, and memory that does not grow with the directions."""

import subprocess
import sys

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.transport import equal, kernel

SIZES = (1, 2, 7, 500, 5000)
VALUES = st.floats(-1, 1, width=32).map(lambda value: value if abs(value) > 1e-20 else 0.0)
ANY_SIZE = st.floats(-(2.0**60), 2.0**60, width=32)
SMALLEST = 2.0**-149  # of single precision
RESOLUTION = 1.01 / 2**21  # of the radius: the width of one key


TOPS = (0, 4, 6)  # bits by which the cloud is dealt to buckets


def sort(values, top=0):
    """Sort a cloud on a line; the values come back in steps of radius/2³¹, rounded to single precision."""
    radius = np.float32(np.abs(values).max() * 1.00001)
    found = np.empty_like(values)
    scratch = equal.room(len(values), top)
    step = np.float32(radius / equal.FARTHEST)
    equal.sort_points(values[None], radius, np.ones(1, np.float32), top, scratch, step, found)
    return found, radius


def assert_same_values(found, values, radius):
    """The same values, none lost, none doubled, but for the width of a step and two roundings."""
    steps = 2 * float(radius) / 2**31
    np.testing.assert_allclose(np.sort(found), np.sort(values), atol=steps, rtol=2.0**-22)


def order(values):
    radius = np.float32(np.abs(values).max() * 1.00001)
    found, spare = np.empty(len(values), np.uint32), np.empty(len(values), np.uint32)
    kernel.full_order(values, found, spare, -radius, kernel.key_scale(radius), kernel.empty_starts())
    return found, radius


@pytest.mark.parametrize("top", TOPS)
@pytest.mark.parametrize("n", SIZES)
def test_sorts_to_the_resolution_of_its_keys(rng, n, top):
    values = rng.uniform(-1, 1, n).astype(np.float32)
    found, radius = sort(values, top)
    assert_same_values(found, values, radius)
    assert (np.diff(found) >= -RESOLUTION * radius).all()
    ranks, radius = order(values)
    np.testing.assert_array_equal(np.sort(ranks), np.arange(n))
    assert (np.diff(values[ranks]) >= -RESOLUTION * radius).all()


@settings(deadline=None, max_examples=60)
@given(hnp.arrays(np.float32, st.integers(1, 60), elements=VALUES), st.sampled_from(TOPS))
@example(np.array([1, 5e-7, 4.5e-7, 0], np.float32), 0)
def test_sorts_any_values(values, top):
    found, radius = sort(values, top)
    assert_same_values(found, values, radius)
    assert np.abs(found - np.sort(values)).max() <= RESOLUTION * radius
    # The two sorts cut the line into keys at different places, so each is held against the truth, not the other.
    assert np.abs(values[order(values)[0]] - np.sort(values)).max() <= RESOLUTION * radius


@settings(deadline=None, max_examples=60)
@given(hnp.arrays(np.float32, st.integers(1, 60), elements=ANY_SIZE))
def test_values_of_any_size_stay_in_the_array(values):
    """Subnormal and huge values make no key that points outside the histogram."""
    for top in TOPS:
        found, radius = sort(values, top)
        assert np.isfinite(found).all()
        if radius > 1e-20:
            assert_same_values(found, values, radius)
    np.testing.assert_array_equal(np.sort(order(values)[0]), np.arange(len(values)))


@settings(deadline=None, max_examples=300)
@given(st.floats(0, 2.0**63, width=32), st.floats(-1, 1, width=32))
def test_no_key_lies_outside_the_histogram(radius, place):
    """The keys are indices, unchecked in the sort: true for every radius that a cloud may have, up to its very ends."""
    radius = np.float32(radius)
    assert 0 <= equal.to_place(radius * equal.place_scale(radius)) < 2**32
    scale = kernel.key_scale(radius)
    low, middle, high = (kernel.sort_key(np.float32(v), -radius, scale) for v in (-radius, place * radius, radius))
    assert 0 == low <= middle <= high <= kernel.LARGEST_KEY


@settings(deadline=None, max_examples=60)
@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 30)), elements=ANY_SIZE))
@example(np.full((2, 1), 2e-45, np.float32))
def test_projections_never_leave_the_radius(coordinates):
    """Even a radius that is far too small keeps the projections, and so the keys, in their range."""
    direction = np.full(len(coordinates), 1 / np.sqrt(len(coordinates)), np.float32)
    exact = direction @ coordinates.astype(float)
    for radius in (np.float32(np.abs(coordinates).max() * 3), np.float32(1e-3)):
        out = np.empty(coordinates.shape[1], np.float32)
        kernel.project(coordinates, direction, radius, out)
        assert np.abs(out).max() <= radius
        # Rounding is relative, but below 1e-38 numbers are multiples of the smallest one, and each product is off by
        # up to half of that.
        slack = 1e-6 * np.abs(coordinates).sum(axis=0, dtype=float) + len(coordinates) * SMALLEST / 2
        assert (np.abs(out - np.clip(exact, -radius, radius)) <= slack).all()


@pytest.mark.parametrize("size", [1e-45, 1e-38, 1e-25, 1e-12, 1e12])
def test_the_distance_scales_with_the_clouds(rng, size):
    from workbench import flows

    x, y = rng.normal(size=(60, 3)), rng.normal(size=(60, 3)) + 1
    value, gradient = flows.sliced_wasserstein_gradient(x, y, n_directions=30)
    scaled, scaled_gradient = flows.sliced_wasserstein_gradient(size * x, size * y, n_directions=30)
    if size > 1e-30:
        assert scaled == pytest.approx(size**2 * value, rel=1e-4)
        np.testing.assert_allclose(scaled_gradient, size * gradient, rtol=1e-3, atol=1e-5 * size)
    else:
        assert np.isfinite(scaled_gradient).all()


def test_clouds_too_wide_for_float32_are_right(rng):
    from workbench import flows

    x, y = rng.normal(size=(9, 3)), rng.normal(size=(9, 3))
    for small in (1.0, 1e-38):  # the second cloud vanishes beside the first
        value, gradient = flows.sliced_wasserstein_gradient(1e38 * x, small * y)
        expected, expected_gradient = flows.sliced_wasserstein_gradient(1e12 * x, 1e-12 * y)
        assert value == pytest.approx(1e52 * expected, rel=1e-6)
        np.testing.assert_allclose(gradient, 1e26 * expected_gradient, rtol=1e-5, atol=1e-6 * np.abs(gradient).max())


def test_an_outlier_costs_no_more_than_its_share_of_the_range(rng):
    values = np.append(rng.uniform(0, 1e-3, 4000), 1.0).astype(np.float32)
    found, radius = sort(values)
    assert np.abs(found - np.sort(values)).max() <= RESOLUTION * radius


def test_equal_values_sort():
    for n in SIZES:
        assert (sort(np.zeros(n, np.float32))[0] == 0).all()
        np.testing.assert_allclose(sort(np.full(n, 0.25, np.float32))[0], 0.25, rtol=2.0**-22)


def by_hand(x, y, offset, power):
    """Match two clouds on a line by NumPy's own sort, in double precision."""
    found = np.empty(len(x))
    found[np.argsort(x, kind="stable")] = np.sort(x) - np.sort(y)
    return found + offset if power == 2 else np.sign(found + offset)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("top", TOPS)
@pytest.mark.parametrize(("n", "dim", "number"), [(1, 1, 1), (2, 3, 2), (700, 2, 9), (3000, 3, 5), (3000, 5, 16)])
def test_matches_as_a_plain_sort_does(rng, n, dim, number, top, power):
    """Every bucket, block and tile, full and partly filled, against argsort."""
    # whole numbers a few keys apart: no two points of a cloud are so near that either order would do
    x = rng.permuted(np.tile(np.arange(n), (dim, 1)), axis=1).astype(np.float32) - n / 2
    y = (rng.permuted(np.tile(np.arange(n), (dim, 1)), axis=1) ** 1.1).astype(np.float32)
    y -= y.mean(axis=1, keepdims=True)
    radius_x, radius_y = (np.float32(np.linalg.norm(c, axis=0).max() * 1.00001 + 1e-3) for c in (x, y))
    axes = np.eye(dim, dtype=np.float32)[rng.integers(dim, size=number)]
    offsets = rng.normal(size=number).astype(np.float32)
    weights = rng.random(number).astype(np.float32)
    arguments = (x, y, radius_x, radius_y, axes, offsets)
    costs, gradient = equal.gradient_equal(*arguments, weights, power, top)
    differences = [
        by_hand(x[np.argmax(t)].astype(float), y[np.argmax(t)].astype(float), o, power)
        for t, o in zip(axes, offsets, strict=True)
    ]
    expected = sum(w * np.outer(t, one) for w, t, one in zip(weights, axes, differences, strict=True))
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-5 * n)
    plain = [
        np.sum(np.abs(by_hand(x[np.argmax(t)].astype(float), y[np.argmax(t)].astype(float), o, 2)) ** power)
        for t, o in zip(axes, offsets, strict=True)
    ]
    np.testing.assert_allclose(costs, plain, rtol=1e-5, atol=1e-5 * n)
    np.testing.assert_allclose(equal.costs_equal(*arguments, power, top), costs, rtol=1e-6)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("n", [1, 500, 3000])
def test_a_cloud_is_exactly_at_itself(rng, n, p):
    """Not a rounding error away: its sign would be a gradient for p = 1."""
    from workbench import transport

    x = rng.normal(size=(n, 3))
    value, gradient = transport.sliced_wasserstein_gradient(x, x.copy(), n_directions=30, p=p)
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)
    assert transport.sliced_wasserstein(x, x.copy(), n_directions=30, p=p).value == 0


def test_buckets_change_no_digit(rng):
    """Clustered clouds, where most buckets are empty and one holds nearly all, and spread ones."""
    for scale in (1.0, 1e-4):
        x, y = (scale * rng.normal(size=(2, 3, 5000))).astype(np.float32)
        x[:, 0], y[:, 1] = 1, -1  # far points that set the radius
        radius = np.float32(2)
        directions = rng.normal(size=(9, 3)).astype(np.float32)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        arguments = (x, y, radius, radius, directions, np.zeros(9, np.float32), np.ones(9, np.float32), 2)
        found = [equal.gradient_equal(*arguments, top) for top in TOPS]
        for costs, gradient in found[1:]:
            np.testing.assert_array_equal(costs, found[0][0])
            np.testing.assert_array_equal(gradient, found[0][1])


def test_merge_by_hand():
    # masses 1/2 1/2 at 0, 1 against 1/4 3/4 at 0, 2: couple 1/4 of 0-0, 1/4 of 0-2, 1/2 of 1-2
    px, py = np.array([0.0, 1.0]), np.array([0.0, 2.0])
    cost = kernel.merge(
        px, np.array([0, 1]), np.array([0.5, 0.5]), py, np.array([0, 1]), np.array([0.25, 0.75]), 0.0, 2
    )
    assert cost == 0.25 * 4 + 0.5 * 1
    np.testing.assert_array_equal(px, [0.25 * -2, 0.5 * -1])
    np.testing.assert_array_equal(py, [0.0, 0.25 * 2 + 0.5 * 1])


MEASURE = """
import sys
from pathlib import Path
import numpy as np
from workbench import flows

def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024

n, n_directions = 200_000, int(sys.argv[1])
rng = np.random.default_rng(0)
x, y = rng.normal(size=(n, 3)), rng.normal(size=(n, 3))
flows.sliced_wasserstein_gradient(x[:100], y[:100], n_directions=20, threads=2, seed=0)
Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
before = status("VmRSS")
flows.sliced_wasserstein_gradient(x, y, n_directions=n_directions, threads=2, seed=0)
print(status("VmHWM") - before)
"""


def peak_memory(n_directions):
    """MiB beyond the clouds, in a process of its own."""
    command = [sys.executable, "-c", MEASURE, str(n_directions)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts memory as Linux does")
def test_memory_does_not_grow_with_the_directions():
    few, many = peak_memory(32), peak_memory(512)
    assert 5 < few < 120
    assert many < few + 25  # the 480 more directions would need 366 MiB for their projections alone
