"""Rounding in few bits against NumPy's own short floats, moments, and properties; arrays and functions likewise."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import flows
from workbench.flows.bits.rounding import number_format, round_in_place, rounded, streams

FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=64)


def patterns(count=200_000, seed=0):
    """Doubles of every exponent, NaN and infinity among them."""
    return np.random.default_rng(seed).integers(0, 2**64, count, dtype=np.uint64).view(np.float64)


@pytest.mark.parametrize(("bits", "exponent_bits", "kind"), [(10, 5, np.float16), (23, 8, np.float32)])
def test_nearest_is_numpys_own_short_float(bits, exponent_bits, kind):
    x = np.concatenate([patterns(), np.random.default_rng(1).normal(size=50_000), [0.0, -0.0, np.inf, -np.inf]])
    near = np.random.default_rng(2).integers(0, 2**15, 50_000).astype(np.uint16).view(np.float16).astype(float)
    near = near[np.isfinite(near)]
    x = np.concatenate([x, near * (1 + 2.0**-11), near * (1 + 2.0**-12), near * 2.0**-12])  # ties, subnormals
    with np.errstate(over="ignore", invalid="ignore"):
        wanted = x.astype(kind).astype(np.float64)
    ours = flows.round_to(x, bits, exponent_bits=exponent_bits)
    np.testing.assert_array_equal(ours, wanted)
    np.testing.assert_array_equal(np.signbit(ours)[~np.isnan(x)], np.signbit(wanted)[~np.isnan(x)])


@pytest.mark.parametrize("bits", [4, 10, 23, 51])
def test_nearest_of_the_wide_range_is_the_nearest_even_multiple(bits):
    x = patterns(20_000)
    x = x[np.isfinite(x) & (np.abs(x) > 1e-290) & (np.abs(x) < 1e290)]
    mantissa, exponent = np.frexp(x)
    wanted = np.ldexp(np.rint(np.ldexp(mantissa, bits + 1)), exponent - bits - 1)  # rint takes ties to even
    np.testing.assert_array_equal(flows.round_to(x, bits), wanted)


def test_the_identity_and_what_passes_unchanged():
    x = patterns(1000)
    for rounding in flows.bits.ROUNDINGS:
        np.testing.assert_array_equal(flows.round_to(x, 52, rounding).view(np.uint64), x.view(np.uint64))
    special = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0])
    np.testing.assert_array_equal(flows.round_to(special, 3).view(np.uint64), special.view(np.uint64))
    assert flows.round_to([1.7976931348623157e308], 5).tolist() == [np.inf]  # a carry out of the last exponent


@given(FLOATS, FLOATS, st.integers(1, 51))
def test_nearest_is_idempotent_odd_and_monotone(x, y, bits):
    a, b = flows.round_to([x, y], bits)
    np.testing.assert_array_equal(flows.round_to([a, b], bits), [a, b])
    np.testing.assert_array_equal(flows.round_to([-x, -y], bits), [-a, -b])
    if x <= y:
        assert a <= b


@given(st.floats(-1e6, 1e6), st.integers(1, 40), st.integers(0, 1000))
def test_stochastic_goes_to_a_neighbour_and_keeps_what_is_representable(x, bits, seed):
    found = float(flows.round_to([x], bits, "stochastic", seed=seed)[0])
    nearest = float(flows.round_to([x], bits)[0])
    assert flows.round_to([found], bits)[0] == found
    spacing = 2.0 ** (max(np.frexp(x)[1] - 1, -1022) - bits)
    assert abs(found - x) <= spacing
    assert float(flows.round_to([nearest], bits, "stochastic", seed=seed)[0]) == nearest


def test_stochastic_is_unbiased_with_the_variance_of_a_coin():
    n = 400_000
    found = (flows.round_to(np.full(n, 1 + 0.3 * 2**-10), 10, "stochastic", seed=3) - 1) * 2**10
    assert set(np.unique(found)) == {0.0, 1.0}
    assert abs(found.mean() - 0.3) < 5 * np.sqrt(0.21 / n)
    small = flows.round_to(np.full(n, 0.3 * 2.0**-24), 10, "stochastic", exponent_bits=5, seed=4) * 2.0**24
    assert abs(small.mean() - 0.3) < 5 * np.sqrt(0.21 / n)
    first = flows.round_to(np.full(1000, 0.1), 4, "stochastic", seed=1)
    np.testing.assert_array_equal(first, flows.round_to(np.full(1000, 0.1), 4, "stochastic", seed=1))
    assert (first != flows.round_to(np.full(1000, 0.1), 4, "stochastic", seed=2)).any()


def hard_numbers(bits, exponent_bits):
    """Doubles of every exponent, and for this format: ties, neighbours of ties, subnormals, the edge of overflow."""
    rng = np.random.default_rng(5)
    greatest = 2 ** (exponent_bits - 1) - 1
    span = min(greatest, 900)
    whole = rng.integers(2**bits, 2 ** (bits + 1), 800).astype(float)
    near = np.ldexp(whole, rng.integers(-span, span, 800) - bits)
    least = np.ldexp(rng.integers(0, 2 ** (bits + 2), 800) / 4, 1 - span - bits)  # quarters of the spacing down there
    edge = np.ldexp(2.0 - 2.0 ** -np.arange(bits - 1, min(bits + 4, 53)), span)
    ties = near * (1 + 2.0 ** -(bits + 1))
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308]
    x = np.concatenate([near, ties, np.nextafter(ties, 0), np.nextafter(ties, np.inf), least, edge, special])
    return np.concatenate([patterns(2000), x, -x])


@pytest.mark.parametrize("rounding", flows.bits.ROUNDINGS)
@pytest.mark.parametrize(("bits", "exponent_bits"), [(9, 11), (51, 11), (10, 5), (23, 8), (2, 5), (52, 8), (51, 10)])
def test_the_scalar_of_the_kernels_is_the_one_of_the_arrays(bits, exponent_bits, rounding):
    x = hard_numbers(bits, exponent_bits)
    fmt, rng = number_format(bits, rounding, exponent_bits), streams(0, 1)[0]
    one_by_one = np.array([rounded(value, fmt, rng) for value in x])
    at_once = flows.round_to(x, bits, rounding, exponent_bits=exponent_bits, seed=0)
    np.testing.assert_array_equal(one_by_one.view(np.uint64), at_once.view(np.uint64))
    in_place, again = x.copy(), streams(0, 1)[0]
    round_in_place(in_place, fmt, again)
    np.testing.assert_array_equal(in_place.view(np.uint64), at_once.view(np.uint64))
    np.testing.assert_array_equal(again, rng)  # one random word a number, in whatever way it is rounded


@pytest.mark.parametrize(("bits", "exponent_bits"), [(10, 5), (3, 4), (23, 8), (40, 10)])
def test_narrow_formats_against_whole_numbers(bits, exponent_bits):
    """Exact rational arithmetic: the grid of the format, its two neighbours of x, the tie, and the overflow."""
    greatest = 2 ** (exponent_bits - 1) - 1
    x = hard_numbers(bits, exponent_bits)
    x = x[np.isfinite(x)]
    nearest = flows.round_to(x, bits, exponent_bits=exponent_bits)
    random = flows.round_to(x, bits, "stochastic", exponent_bits=exponent_bits, seed=1)
    for value, near, other in zip(x.tolist(), nearest.tolist(), random.tolist(), strict=True):
        exponent = max(math.frexp(value)[1] - 1, 1 - greatest) if value else 1 - greatest
        spacing = Fraction(2) ** (exponent - bits)
        place = abs(Fraction(value)) / spacing
        allowed = {whole * spacing for whole in (math.floor(place), math.ceil(place))}
        limit = Fraction(2) ** (greatest + 1)
        wanted = round(place) * spacing  # Python's round takes ties to even
        assert math.copysign(1, near) == math.copysign(1, other) == math.copysign(1, value)
        assert abs(near) == (math.inf if wanted >= limit else float(wanted))
        assert abs(other) in {math.inf if one >= limit else float(one) for one in allowed}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (([1.0], 0), "bits must be at least 1"),
        (([1.0], 53), "bits must be at most 52"),
        (([1.0], 10, "up"), "unknown rounding 'up'"),
        (([1j], 10), "complex"),
        ((["a"], 10), "text"),
    ],
)
def test_what_is_refused(arguments, told):
    with pytest.raises((ValueError, TypeError), match=told):
        flows.round_to(*arguments)


# ---- functions ------------------------------------------------------------------------------------------------------


def lorenz(state):
    x, y, z = state
    return 10 * (y - x), x * (28 - z) - y, x * y - (8 / 3) * z


@pytest.mark.parametrize(("bits", "exponent_bits", "kind"), [(10, 5, np.float16), (23, 8, np.float32)])
def test_a_function_and_the_kernel_and_numpys_short_floats_agree_bit_for_bit(bits, exponent_bits, kind):
    named = {"runs": 1, "steps": 3000, "every": 1, "spin_up": 0, "start": (1, 2, 20), "exponent_bits": exponent_bits}
    kernel = flows.low_precision_run("lorenz63", bits, **named).state.values[0]
    function = flows.low_precision_run(lorenz, bits, step=0.01, **{**named, "steps": 300}).state.values[0]
    np.testing.assert_array_equal(function, kernel[:300])
    x = np.array([1, 2, 20], kind)
    sigma, rho, beta, h, sixth, third = (kind(v) for v in (10, 28, 8 / 3, 0.01, 0.01 / 6, 0.01 / 3))
    half = kind(h / kind(2))

    def slope(s):
        return np.array([sigma * (s[1] - s[0]), s[0] * (rho - s[2]) - s[1], s[0] * s[1] - beta * s[2]], kind)

    for n in range(3000):
        k1 = slope(x)
        k2 = slope(x + half * k1)
        k3 = slope(x + half * k2)
        k4 = slope(x + h * k3)
        x = x + (sixth * (k1 + k4) + third * (k2 + k3))
        np.testing.assert_array_equal(x.astype(float), kernel[n])
    if bits == 10:
        assert x.tolist() == [-3.69140625, 1.83398438, 29.25] or np.allclose(x, [-3.69140625, 1.83398438, 29.25])


def test_a_function_on_arrays_gives_the_kernel_of_lorenz_96():
    def slope(x):
        return (np.roll(x, -1, axis=0) - np.roll(x, 2, axis=0)) * np.roll(x, 1, axis=0) - x + 8.0

    start = np.random.default_rng(0).normal(8, 1, (2, 40))
    named = {"runs": 2, "steps": 60, "every": 20, "spin_up": 0, "start": start}
    ours = flows.low_precision_run(slope, 8, step=0.01, **named)
    np.testing.assert_array_equal(ours.state, flows.low_precision_run("lorenz96", 8, **named).state)
    assert ours.attrs["function"] == "workbench.flows.low_precision_run"


def test_sums_are_rounded_term_by_term():
    def mean_only(x):
        return 0 * x + np.sum(x, axis=0)

    ds = flows.low_precision_run(mean_only, 3, step=1e-9, runs=1, steps=1, every=1, spin_up=0, start=[8.0, 0.5, 0.5])
    assert ds.state.values.shape == (1, 1, 3)
    from workbench.flows.bits.rounded_array import RoundedArray

    x = RoundedArray(np.array([16.0, 0.6875, 0.6875, 0.6875]), number_format(3), np.zeros(1, np.uint64))
    assert float(x.sum().values) == 16.0  # each term is lost beside 16, whose spacing is 2
    assert float(np.sum(x[1:]).values) == 2.0  # 0.6875 + 0.6875 = 1.375, and 2.0625 → 2


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda x: np.asarray(x), "does not turn into a plain one"),
        (lambda x: np.fft.fft(x), "behind the rounding"),
        (lambda x: np.eye(2) @ x, "write it as sums of products"),
        (lambda x: float(x[0]), "leave few bits"),
        (lambda x: np.ones((2, 1)), "outside the rounded array"),
        (lambda x: x[0], "returned shape"),
        (lambda x: x * 1j, "real numbers"),
    ],
)
def test_functions_that_leave_few_bits_are_refused(function, told):
    with pytest.raises((TypeError, ValueError), match=told):
        flows.low_precision_run(function, 10, step=0.1, start=[1.0, 2.0], runs=1, steps=5)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"model": "lorenz"}, "Did you mean"),
        ({"model": lorenz}, "time step"),
        ({"model": lorenz, "step": 0.01}, "start"),
        ({"model": "lorenz63", "parameters": {"r": 1}}, "parameter of lorenz63"),
        ({"model": "lorenz63", "start": [1, 2]}, "3 variables"),
        ({"model": "lorenz63", "start": np.zeros((3, 3))}, "one for each"),
        ({"model": "lorenz63", "step": -1}, "greater than 0"),
        ({"model": "lorenz63", "step": 1.0, "steps": 1000}, "left the finite numbers"),
        ({"model": "lorenz63", "runs": 1000, "steps": 100_000_000, "every": 1}, "memory"),
    ],
)
def test_runs_that_are_refused(named, told):
    with pytest.raises((ValueError, TypeError), match=told):
        flows.low_precision_run(**{"bits": 10, "runs": 2, **named})
