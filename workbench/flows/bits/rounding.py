"""Rounding to few bits, exactly: to nearest with ties to even, or stochastic; in bulk and inside compiled loops.

A number keeps ``bits`` explicit bits of its fraction (52 double, 23 single, 10 half, 7 bfloat16). With d = 52 − bits to
drop, both roundings are one addition on the 64-bit pattern of a double, after which the low d bits are cleared:

* to nearest, ties to even: add 2^{d−1} − 1, and one more if bit d is set;
* stochastic: add d random bits, so that x goes up with probability (x − ⌊x⌋)/u, u the spacing, and E[round(x)] = x.

Carries run into the exponent and do the right thing there. Rounding the double result of +, −, ×, ÷ or √ of two numbers
of at most 24 bits gives *the* correctly rounded result (a double has 53 ≥ 2(bits + 1) + 2 bits; Figueroa, SIGNUM
Newsletter 30, 1995), so the arithmetic here is bit for bit that of hardware with so many bits. Above 24 bits the two
roundings, to double and then to ``bits``, can differ from one rounding in rare ties.

The range is a double's unless ``exponent_bits`` says otherwise; 5 gives the overflow and the subnormal numbers of half
precision. No fused multiply–add and no fast-math is ever used: the order of operations is part of every result.
"""

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from workbench import checks

ROUNDINGS = {"nearest": "to nearest, ties to even", "stochastic": "stochastic"}
MOST_BITS = 52
DOUBLE_EXPONENT = 11
Format = tuple[int, int, int, int]
Floats = NDArray[np.float64]
"""What a compiled kernel needs: bits to drop, 1 if stochastic, least and greatest exponent of a normal number."""

_NONE, _ONE, _FRACTION, _WORD = np.uint64(0), np.uint64(1), np.uint64(52), np.uint64(64)
_MAGNITUDE, _INFINITY = np.uint64(0x7FFFFFFFFFFFFFFF), np.uint64(0x7FF0000000000000)
_BIAS, _UNIT = np.uint64(1023), np.uint64(0x3FF0000000000000)
_STRIDE = np.uint64(0x9E3779B97F4A7C15)
_MIX1, _MIX2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S12 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(12)
_WHOLE = 2.0**52
"""Adding and taking away 2^52 rounds what is smaller to a whole number, ties to even."""


def number_format(bits: int, rounding: str = "nearest", exponent_bits: int = DOUBLE_EXPONENT) -> Format:
    """Return the checked description of a number format that the kernels take.

    ``bits`` from 1 to 52, ``rounding`` "nearest" or "stochastic", ``exponent_bits`` from 3 to 10, or 11 for the range
    of a double.

    >>> number_format(10, "stochastic", exponent_bits=5)
    (42, 1, -14, 15)
    """
    bits = checks.integer("bits", bits, minimum=1, maximum=MOST_BITS)
    checks.choice("rounding", rounding, ROUNDINGS)
    width = checks.integer("exponent_bits", exponent_bits, minimum=3, maximum=DOUBLE_EXPONENT)
    greatest = 2 ** (width - 1) - 1
    return MOST_BITS - bits, int(rounding == "stochastic"), 1 - greatest, greatest


def round_to(
    x: ArrayLike,
    bits: int,
    rounding: str = "nearest",
    *,
    exponent_bits: int = DOUBLE_EXPONENT,
    seed: int | np.random.Generator = 0,
) -> NDArray[np.float64]:
    """Round numbers to ``bits`` explicit bits of fraction; the result is an array of doubles of the same shape.

    ``rounding`` is "nearest" (ties to even) or "stochastic" (up with probability (x − ⌊x⌋)/spacing, from the stream
    of ``seed``). With the range of a double (``exponent_bits`` = 11) only the fraction is shortened; with 5 or 8 the
    numbers overflow to infinity and lose bits below the least normal number as half or single precision do. Infinity,
    NaN and zeros pass unchanged. Raises ``ValueError``/``TypeError`` for bits outside 1 … 52, an unknown rounding, or
    what is no array of real numbers. Cost: below 1 ns a number on a core with wide vectors.

    >>> round_to([1 / 3, 2049.0, 70000.0], 10).tolist()
    [0.333251953125, 2048.0, 70016.0]
    >>> round_to([1 / 3, 2049.0, 70000.0], 10, exponent_bits=5).tolist()
    [0.333251953125, 2048.0, inf]
    >>> float(round_to(np.full(100_000, 1 + 0.3 * 2**-10), 10, "stochastic").mean() * 2**10 - 2**10)  # doctest: +SKIP
    0.3003
    """
    fmt = number_format(bits, rounding, exponent_bits)
    array = _numbers("x", x)
    given, rng = np.ascontiguousarray(array), streams(seed, 1)[0] if fmt[1] else np.zeros(1, np.uint64)
    out = np.empty(array.shape)
    round_into(given.reshape(-1), out.reshape(-1), fmt, rng)
    return out


def _numbers(name: str, x: ArrayLike) -> NDArray[np.float64]:
    """Return an array of doubles in which infinity and NaN are welcome, but nothing that is no real number."""
    if isinstance(x, np.ndarray) and x.dtype == np.float64 and not isinstance(x, np.ma.MaskedArray):
        return x
    array = np.asarray(x)
    special = ~np.isfinite(array) if array.dtype.kind == "f" else np.zeros(array.shape, bool)
    finite = checks.finite_array(name, np.where(special, 0, array) if special.any() else x, allow_empty=True)
    return np.where(special, array, finite) if special.any() else finite


def streams(seed: int | np.random.Generator, count: int) -> NDArray[np.uint64]:
    """Return the states of ``count`` independent random streams for stochastic rounding, (count, 1)."""
    return checks.generator(seed).integers(0, 2**64, size=(count, 1), dtype=np.uint64)


@njit(cache=True, nogil=True, forceinline=True)
def _mixed(state):
    """Return the random word that belongs to a counter: any number's word is had without those before it."""
    z = (state ^ (state >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)


@njit(cache=True, nogil=True, forceinline=True)
def random_word(rng: NDArray[np.uint64]) -> int:
    """Return 64 random bits and move the stream on: SplitMix64 (Steele, Lea & Flood, OOPSLA 2014)."""
    rng[0] += _STRIDE
    return _mixed(rng[0])


@njit(cache=True, nogil=True)
def rounded(x: float, fmt: Format, rng: NDArray[np.uint64]) -> float:
    """Return the double ``x`` rounded to the format ``fmt``; ``rng`` is the state of one stream, (1,)."""
    drop, stochastic, least, greatest = fmt
    word = random_word(rng) if stochastic else _NONE  # infinity and NaN take theirs as all numbers do
    pattern = np.float64(x).view(np.uint64)
    magnitude = pattern & _MAGNITUDE
    if magnitude >= _INFINITY:
        return x
    if least > -1022 and abs(x) < 2.0**least:
        spacing = 2.0 ** (least - (52 - drop))  # below the least normal number it is fixed
        return np.copysign(_whole(abs(x) / spacing, stochastic, word) * spacing, x)
    if drop > 0:
        d = np.uint64(drop)
        if stochastic:
            pattern += word >> (_WORD - d)
        else:
            pattern += (_ONE << (d - _ONE)) - _ONE + ((pattern >> d) & _ONE)
        x = np.uint64((pattern >> d) << d).view(np.float64)
    if greatest < 1023 and abs(x) >= 2.0 ** (greatest + 1):
        return np.copysign(np.inf, x)
    return x


@njit(cache=True, nogil=True, forceinline=True)
def _whole(scaled, stochastic, word):
    """Return ``scaled`` in [0, 2^52) rounded to a whole number, to nearest or by the 52 high bits of ``word``."""
    nearest = (scaled + _WHOLE) - _WHOLE
    if not stochastic:
        return nearest
    low = nearest - (1.0 if nearest > scaled else 0.0)
    uniform = np.uint64((word >> _S12) | _UNIT).view(np.float64) - 1.0
    return low + (1.0 if uniform < scaled - low else 0.0)


@njit(cache=True, nogil=True)
def round_in_place(values: Floats, fmt: Format, rng: NDArray[np.uint64]) -> None:
    """Round every entry of a contiguous array of doubles, (n,)."""
    if fmt[0] > 0 or fmt[2] > -1022 or fmt[3] < 1023:  # double precision itself costs nothing
        _round_all(values, values, fmt, rng)


@njit(cache=True, nogil=True)
def round_into(values: Floats, out: Floats, fmt: Format, rng: NDArray[np.uint64]) -> None:
    """Write every entry of a contiguous array of doubles (n,), rounded, into another one."""
    _round_all(values, out, fmt, rng)


@njit(cache=True, nogil=True, inline="always")
def _round_all(values, out, fmt, rng):
    """Round ``values`` into ``out``: what ``rounded`` does to each, by loops without a branch, several lanes at once.

    A choice between two results, both computed, takes the place of every branch; what depends on the format alone is
    taken out of the loops by hand.
    """
    drop, stochastic, least, greatest = fmt
    d = np.uint64(drop)
    low_bits = (_ONE << d) - _ONE
    keep, last = ~low_bits, low_bits & _ONE  # without bits to drop there is nothing to add
    half, shift = low_bits >> _ONE, (_WORD - d) & np.uint64(63)
    state = rng[0]
    if least == -1022 and greatest == 1023:
        if stochastic:
            for i in range(values.size):
                state += _STRIDE
                u = np.float64(values[i]).view(np.uint64)
                r = (u + ((_mixed(state) >> shift) & low_bits)) & keep
                out[i] = np.uint64(u if (u & _INFINITY) == _INFINITY else r).view(np.float64)
        else:
            for i in range(values.size):
                u = np.float64(values[i]).view(np.uint64)
                r = (u + half + ((u >> d) & last)) & keep
                out[i] = np.uint64(u if (u & _INFINITY) == _INFINITY else r).view(np.float64)
        rng[0] = state
        return
    tiny = np.uint64(least + 1023) << _FRACTION
    huge = (np.uint64(greatest + 1) + _BIAS) << _FRACTION
    spacing = 2.0 ** (least - (52 - drop))
    many = 1.0 / spacing
    for i in range(values.size):
        u = np.float64(values[i]).view(np.uint64)
        magnitude = u & _MAGNITUDE
        if stochastic:
            state += _STRIDE
            word = _mixed(state)
            r = (magnitude + ((word >> shift) & low_bits)) & keep
        else:
            word = _NONE
            r = (magnitude + half + ((magnitude >> d) & last)) & keep
        whole = _whole(np.uint64(magnitude).view(np.float64) * many, stochastic, word)
        r = np.float64(whole * spacing).view(np.uint64) if magnitude < tiny else r
        r = _INFINITY if r >= huge else r
        r = magnitude if magnitude >= _INFINITY else r
        out[i] = np.uint64(r | (u ^ magnitude)).view(np.float64)
    rng[0] = state


@njit(cache=True, nogil=True)
def add(a: float, b: float, fmt: Format, rng: NDArray[np.uint64]) -> float:
    """Return a + b, rounded."""
    return rounded(a + b, fmt, rng)


@njit(cache=True, nogil=True)
def sub(a: float, b: float, fmt: Format, rng: NDArray[np.uint64]) -> float:
    """Return a − b, rounded."""
    return rounded(a - b, fmt, rng)


@njit(cache=True, nogil=True)
def mul(a: float, b: float, fmt: Format, rng: NDArray[np.uint64]) -> float:
    """Return a × b, rounded."""
    return rounded(a * b, fmt, rng)


# ---- the same on whole arrays: the rounding loop has no branch, so it runs several lanes at once --------------------


@njit(cache=True, nogil=True)
def add_arrays(a: Floats, b: Floats, out: Floats, fmt: Format, rng: NDArray[np.uint64]) -> None:
    """Write a + b, rounded, into ``out``; all contiguous, (n,)."""
    for i in range(out.size):
        out[i] = a[i] + b[i]
    round_in_place(out, fmt, rng)


@njit(cache=True, nogil=True)
def sub_arrays(a: Floats, b: Floats, out: Floats, fmt: Format, rng: NDArray[np.uint64]) -> None:
    """Write a − b, rounded, into ``out``."""
    for i in range(out.size):
        out[i] = a[i] - b[i]
    round_in_place(out, fmt, rng)


@njit(cache=True, nogil=True)
def mul_arrays(a: Floats, b: Floats, out: Floats, fmt: Format, rng: NDArray[np.uint64]) -> None:
    """Write a × b, rounded, into ``out``."""
    for i in range(out.size):
        out[i] = a[i] * b[i]
    round_in_place(out, fmt, rng)


@njit(cache=True, nogil=True, error_model="numpy")
def div_arrays(a: Floats, b: Floats, out: Floats, fmt: Format, rng: NDArray[np.uint64]) -> None:
    """Write a ÷ b, rounded, into ``out``."""
    for i in range(out.size):
        out[i] = a[i] / b[i]
    round_in_place(out, fmt, rng)


@njit(cache=True, nogil=True)
def scale_array(factor: float, a: Floats, out: Floats, fmt: Format, rng: NDArray[np.uint64]) -> None:
    """Write factor × a, rounded, into ``out``."""
    for i in range(out.size):
        out[i] = factor * a[i]
    round_in_place(out, fmt, rng)
