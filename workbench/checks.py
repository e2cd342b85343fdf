"""Checks on what a caller hands in: every room refuses bad input with the same sentences.

Each check returns the value in the form that the numerics want, or raises ``ValueError`` (``TypeError`` for a
wrong type) saying what was given, what is allowed and what to do. All are meant to run before any work starts.
"""

import decimal
import difflib
import math
import numbers
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import psutil
from numpy.typing import ArrayLike, NDArray

MOST_DIMENSIONS = 64  # NumPy's own bound
PLAIN = {bool, int, float, str, np.float64, np.int64}


def finite_array(
    name: str,
    value: ArrayLike,
    *,
    ndim: int | tuple[int, ...] | None = None,
    dtype: Any = np.float64,
    allow_empty: bool = False,
) -> NDArray:
    """Return ``value`` as a numeric array without NaN or infinity, of one of the allowed numbers of dimensions.

    Whatever the conversion would lose without a word is refused by name: masked entries, imaginary parts, missing
    values, dates, text that only looks like numbers, the gradient of a tensor, numbers that ``dtype`` cannot hold.
    Raises ``TypeError`` for what is no array of real numbers, ``ValueError`` for a wrong shape or wrong values.

    >>> finite_array("x", [[1, 2], [3, 4]], ndim=2).dtype
    dtype('float64')
    >>> finite_array("x", [1 + 2j])
    Traceback (most recent call last):
    ...
    TypeError: x holds complex numbers; give their real and imaginary parts as two arrays
    """
    array = _real_numbers(name, _as_numpy(name, value))
    allowed = (ndim,) if isinstance(ndim, int) else ndim
    if allowed is not None and array.ndim not in allowed:
        wanted = " or ".join(str(n) for n in allowed)
        raise ValueError(f"{name} must have {wanted} dimension(s), got shape {array.shape}")
    if array.size == 0 and not allow_empty:
        raise ValueError(f"{name} is empty (shape {array.shape}); give at least one entry")
    bad = array.size - int(np.count_nonzero(np.isfinite(array)))
    if bad:
        raise ValueError(f"{name} holds {bad} value(s) that are NaN or infinite; remove or replace them first")
    return _converted(name, array, np.dtype(dtype))


def _as_numpy(name: str, value: Any) -> NDArray:
    """Return ``value`` as NumPy sees it, after a look for what NumPy would drop on the way."""
    _refuse_what_numpy_drops(name, value)
    try:
        array = np.asarray(value)
    except Exception as error:  # every library's ``__array__`` raises what it likes
        if "inhomogeneous" in str(error):
            raise ValueError(f"{name} has rows of different lengths; give a rectangular array") from error
        raise TypeError(f"{name} must be an array of numbers, got {type(value).__name__} ({error})") from error
    if array.dtype.kind == "O" and array.ndim == 0 and not isinstance(value, (numbers.Real, np.ndarray)):
        raise TypeError(f"{name} must be an array of numbers, got {type(value).__name__}")
    return array


def _refuse_what_numpy_drops(name: str, value: Any, depth: int = 0) -> None:
    """Refuse masks, gradients and sparse matrices, in lists as well: NumPy forgets them there without a word."""
    if isinstance(value, (list, tuple)):
        if depth < MOST_DIMENSIONS and not {*map(type, value)} <= PLAIN:
            for entry in value:
                _refuse_what_numpy_drops(name, entry, depth + 1)
    elif isinstance(value, np.ma.MaskedArray):
        hidden = int(np.count_nonzero(np.ma.getmaskarray(value)))
        if hidden:
            raise ValueError(
                f"{name} is a masked array with {hidden} masked value(s), which would be used as if they were there; "
                "drop or fill them first (compressed(), filled(…))"
            )
    elif "scipy.sparse" in sys.modules and sys.modules["scipy.sparse"].issparse(value):
        raise TypeError(f"{name} is a sparse {type(value).__name__}; give a dense array ({name}.toarray())")
    elif getattr(value, "requires_grad", False) is True:
        raise TypeError(f"{name} is a tensor that requires a gradient, which would be lost; give {name}.detach()")


def _real_numbers(name: str, array: NDArray) -> NDArray:
    """Return the array as booleans, integers or floats; refuse every other kind by its name."""
    kind = array.dtype.kind
    if kind in "biuf":
        return array
    if kind == "O":
        return _from_objects(name, array)
    if kind == "c":
        raise TypeError(f"{name} holds complex numbers; give their real and imaginary parts as two arrays")
    if kind in "SUT":
        first = array.ravel()[0] if array.size else ""
        raise TypeError(
            f"{name} must be an array of numbers, got text ({str(first)[:40]!r}); convert it to numbers first"
        )
    if kind in "mM":
        raise TypeError(f"{name} must be an array of numbers, got dates or times ({array.dtype}); convert them first")
    raise TypeError(f"{name} must be an array of numbers, got entries of type {array.dtype}")


def _from_objects(name: str, array: NDArray) -> NDArray:
    """Return an array of Python objects as floats if every one of them is a real number."""
    made = np.empty(array.shape)
    for index, entry in np.ndenumerate(array):
        where = f"at index {index[0] if len(index) == 1 else index}" if index else "as its value"
        if isinstance(entry, numbers.Complex) and not isinstance(entry, numbers.Real):
            raise TypeError(f"{name} holds complex numbers; give their real and imaginary parts as two arrays")
        if entry is None or repr(entry) in ("<NA>", "NaT"):
            raise ValueError(f"{name} has a missing value ({entry!r}) {where}; remove or replace it first")
        if not isinstance(entry, (numbers.Real, decimal.Decimal)):
            told = f"{repr(entry)[:40]} ({type(entry).__name__})"
            raise TypeError(f"{name} must be an array of numbers, got {told} {where}")
        try:
            made[index] = float(entry)
        except (OverflowError, ValueError) as error:
            raise ValueError(f"{name} has a number too large for float64 {where}; rescale it") from error
    return made


def _converted(name: str, array: NDArray, dtype: np.dtype) -> NDArray:
    """Return the finite ``array`` in the type asked for, which must be able to hold its numbers."""
    with np.errstate(over="ignore", invalid="ignore"):
        made = array.astype(dtype, copy=False)
    if dtype.kind in "iu" and not np.array_equal(made, array):
        raise ValueError(f"{name} must hold whole numbers that fit {dtype}")
    lost = made.size - int(np.count_nonzero(np.isfinite(made)))
    if lost:
        raise ValueError(f"{name} holds {lost} value(s) too large for {dtype}; rescale it")
    return made


def integer(name: str, value: Any, *, minimum: int | None = None, maximum: int | None = None) -> int:
    """Return ``value`` as an int within the bounds; booleans and fractions are refused."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (numbers.Integral, numbers.Real)):
        raise TypeError(f"{name} must be a whole number, got {_short(value)}")
    if not isinstance(value, numbers.Integral) and not (_is_finite(value) and float(value).is_integer()):
        raise ValueError(f"{name} must be a whole number, got {_short(value)}")
    return int(_within(name, int(value), minimum, maximum))


def real(
    name: str,
    value: Any,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    exclusive_minimum: float | None = None,
) -> float:
    """Return ``value`` as a finite float within the bounds."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {_short(value)}")
    if not _is_finite(value):
        raise ValueError(f"{name} must be finite, got {_short(value)}")
    if exclusive_minimum is not None and value <= exclusive_minimum:
        raise ValueError(f"{name} must be greater than {exclusive_minimum}, got {_short(value)}")
    return float(_within(name, float(value), minimum, maximum))


def _is_finite(value: Any) -> bool:
    """Return whether a real number is finite as a float; integers and fractions beyond 1.8e308 are not."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python prints no integer of more than 4300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:40]}… ({len(text)} characters)"


def _within(name: str, value: float, minimum: float | None, maximum: float | None) -> float:
    if minimum is not None and value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {_short(value)}")
    if maximum is not None and value > maximum:
        raise ValueError(f"{name} must be at most {maximum}, got {_short(value)}")
    return value


def choice(name: str, value: Any, allowed: Iterable[str]) -> str:
    """Return ``value`` if it is one of the allowed names; otherwise name them all and the nearest."""
    names = list(allowed)
    if isinstance(value, str) and value in names:
        return value
    near = difflib.get_close_matches(value, names, n=1) if isinstance(value, str) else []
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"unknown {name} {_short(value)}.{hint} Choose one of: {', '.join(names)}")


def memory(needed_bytes: float, what: str, *, share: float = 0.9) -> None:
    """Refuse work that would need more than ``share`` of the memory that is free now."""
    free = psutil.virtual_memory().available
    if needed_bytes > share * free:
        raise ValueError(
            f"{what} needs about {_gib(needed_bytes)} of memory and {_gib(free)} are free; "
            "choose a smaller size or a machine with more memory"
        )


def _gib(count: float) -> str:
    return f"{count / 2**30:.1f} GiB"


def generator(seed: int | np.random.Generator) -> np.random.Generator:
    """Return a NumPy generator for ``seed``; a generator is passed through, so its state moves on."""
    if isinstance(seed, np.random.Generator):
        return seed
    return np.random.default_rng(integer("seed", seed, minimum=0))
