"""The fused kernel: its radix sort, its merge, and memory that does not grow with the directions."""

import subprocess
import sys

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.transport import kernel

SIZES = (1, 2, 7, 500, 5000)
VALUES = st.floats(-1, 1, width=32).map(lambda value: value if abs(value) > 1e-20 else 0.0)
ANY_SIZE = st.floats(-(2.0**60), 2.0**60, width=32)
SMALLEST = 2.0**-149  # of single precision
RESOLUTION = 1.01 / 2**21  # of the radius: the width of one key


def sort(values):
    radius = np.float32(np.abs(values).max() * 1.00001)
    found = values.copy()
    kernel.sort_values(found, np.empty_like(values), -radius, kernel.key_scale(radius), kernel.empty_starts())
    return found, radius


def order(values):
    radius = np.float32(np.abs(values).max() * 1.00001)
    found, spare = np.empty(len(values), np.uint32), np.empty(len(values), np.uint32)
    kernel.full_order(values, found, spare, -radius, kernel.key_scale(radius), kernel.empty_starts())
    return found, radius


@pytest.mark.parametrize("n", SIZES)
def test_sorts_to_the_resolution_of_its_keys(rng, n):
    values = rng.uniform(-1, 1, n).astype(np.float32)
    found, radius = sort(values)
    np.testing.assert_array_equal(np.sort(found), np.sort(values))  # a permutation, no value changed
    assert (np.diff(found) >= -RESOLUTION * radius).all()
    ranks, radius = order(values)
    np.testing.assert_array_equal(np.sort(ranks), np.arange(n))
    assert (np.diff(values[ranks]) >= -RESOLUTION * radius).all()


@settings(deadline=None, max_examples=60)
@given(hnp.arrays(np.float32, st.integers(1, 60), elements=VALUES))
def test_sorts_any_values(values):
    found, radius = sort(values)
    np.testing.assert_array_equal(np.sort(found), np.sort(values))
    assert np.abs(found - np.sort(values)).max() <= RESOLUTION * radius
    assert (values[order(values)[0]] == found).all()


@settings(deadline=None, max_examples=60)
@given(hnp.arrays(np.float32, st.integers(1, 60), elements=ANY_SIZE))
def test_values_of_any_size_stay_in_the_array(values):
    """Subnormal and huge values make no key that points outside the histogram."""
    found, _ = sort(values)
    np.testing.assert_array_equal(np.sort(found), np.sort(values))
    np.testing.assert_array_equal(np.sort(order(values)[0]), np.arange(len(values)))


@settings(deadline=None, max_examples=300)
@given(st.floats(0, 2.0**63, width=32), st.floats(-1, 1, width=32))
def test_no_key_lies_outside_the_histogram(radius, place):
    """The keys are indices, unchecked in the sort: true for every radius that a cloud may have, up to its very ends."""
    radius = np.float32(radius)
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


def test_clouds_too_wide_for_float32_are_refused(rng):
    from workbench import flows

    with pytest.raises(ValueError, match="rescale the cloud"):
        flows.sliced_wasserstein_gradient(1e38 * rng.normal(size=(9, 3)), rng.normal(size=(9, 3)))


def test_an_outlier_costs_no_more_than_its_share_of_the_range(rng):
    values = np.append(rng.uniform(0, 1e-3, 4000), 1.0).astype(np.float32)
    found, radius = sort(values)
    assert np.abs(found - np.sort(values)).max() <= RESOLUTION * radius


def test_equal_values_sort():
    for n in SIZES:
        assert (sort(np.zeros(n, np.float32))[0] == 0).all()
        assert (sort(np.full(n, 0.25, np.float32))[0] == 0.25).all()


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
