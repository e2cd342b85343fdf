"""Checks on what a caller hands in: every room refuses bad input with the same sentences.

Each check returns the value in the form that the numerics want, or raises ``ValueError`` (``TypeError`` for a
wrong type) saying what was given, what is allowed and what to do. All are meant to run before any work starts.
"""

import difflib
import math
import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
import psutil
from numpy.typing import ArrayLike, NDArray


def finite_array(
    name: str,
    value: ArrayLike,
    *,
    ndim: int | tuple[int, ...] | None = None,
    dtype: Any = np.float64,
    allow_empty: bool = False,
) -> NDArray:
    """Return ``value`` as a numeric array without NaN or infinity, of one of the allowed numbers of dimensions."""
    try:
        array = np.asarray(value)
        array = array.astype(dtype, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"{name} must be an array of numbers, got {type(value).__name__}") from error
    allowed = (ndim,) if isinstance(ndim, int) else ndim
    if allowed is not None and array.ndim not in allowed:
        wanted = " or ".join(str(n) for n in allowed)
        raise ValueError(f"{name} must have {wanted} dimension(s), got shape {array.shape}")
    if array.size == 0 and not allow_empty:
        raise ValueError(f"{name} is empty (shape {array.shape}); give at least one entry")
    bad = array.size - int(np.count_nonzero(np.isfinite(array)))
    if bad:
        raise ValueError(f"{name} holds {bad} value(s) that are NaN or infinite; remove or replace them first")
    return array


def integer(name: str, value: Any, *, minimum: int | None = None, maximum: int | None = None) -> int:
    """Return ``value`` as an int within the bounds; booleans and fractions are refused."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (numbers.Integral, numbers.Real)):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if not isinstance(value, numbers.Integral) and not (math.isfinite(value) and float(value).is_integer()):
        raise ValueError(f"{name} must be a whole number, got {value!r}")
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
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value!r}")
    if exclusive_minimum is not None and value <= exclusive_minimum:
        raise ValueError(f"{name} must be greater than {exclusive_minimum}, got {value!r}")
    return float(_within(name, float(value), minimum, maximum))


def _within(name: str, value: float, minimum: float | None, maximum: float | None) -> float:
    if minimum is not None and value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value!r}")
    if maximum is not None and value > maximum:
        raise ValueError(f"{name} must be at most {maximum}, got {value!r}")
    return value


def choice(name: str, value: Any, allowed: Iterable[str]) -> str:
    """Return ``value`` if it is one of the allowed names; otherwise name them all and the nearest."""
    names = list(allowed)
    if isinstance(value, str) and value in names:
        return value
    near = difflib.get_close_matches(value, names, n=1) if isinstance(value, str) else []
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"unknown {name} {value!r}.{hint} Choose one of: {', '.join(names)}")


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
