"""An array whose arithmetic rounds: NumPy code written for a model runs unchanged in few bits.

Every elementwise function computes in double and rounds its result once; plain numbers and arrays that meet a rounded
array are rounded to nearest first, as constants are. Sums are taken term by term, from the left. What would compute
behind NumPy's back (matrix products, FFTs, conversion to a plain array) is refused: write it with + − × ÷.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from workbench.flows.bits.rounding import Format, round_in_place
from workbench.progress import Progress

REARRANGING = {
    "roll", "stack", "concatenate", "hstack", "vstack", "where", "reshape", "ravel", "transpose", "moveaxis",
    "swapaxes", "flip", "expand_dims", "squeeze", "take", "copy", "zeros_like", "ones_like", "empty_like", "full_like",
    "broadcast_to", "repeat", "tile", "pad", "shape", "ndim", "size", "column_stack", "split", "array_split",
    "atleast_1d", "atleast_2d", "diagonal", "delete", "insert", "append", "tril", "triu", "clip", "rot90",
}  # fmt: skip
"""NumPy functions that move numbers and change none (clip chooses among them)."""


class RoundedArray(NDArrayOperatorsMixin):
    """Numbers of one format: ``values`` holds them as doubles, every operation on them rounds."""

    __array_priority__ = 1000

    def __init__(self, values: Any, fmt: Format, rng: NDArray[np.uint64]) -> None:
        self.values, self._format, self._rng = values, fmt, rng

    # ---- arithmetic -------------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        name = ufunc.__name__
        if ufunc.signature is not None:
            raise TypeError(f"np.{name} would add up in double precision; write it as sums of products")
        if method == "reduce" and ufunc is np.add and out is None:
            return self._summed(*inputs, **kwargs)
        if method != "__call__" or set(kwargs) - {"where"}:
            raise TypeError(f"np.{name}.{method} is not to be had in few bits; use the plain function, or a sum")
        plain = [self._constant(given) for given in inputs]
        if out is not None:
            (target,) = out
            found = ufunc(*plain, **kwargs)
            target[...] = self._rounded(found)
            return target
        found = ufunc(*plain, **kwargs)
        if isinstance(found, tuple):
            return tuple(self._rounded(part) for part in found)
        return self._rounded(found)

    def _constant(self, given: Any) -> Any:
        """Return the doubles of an operand; what is no rounded array yet is rounded to nearest."""
        if isinstance(given, RoundedArray):
            return given.values
        array = np.asarray(given)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"arithmetic in few bits takes real numbers, got {array.dtype}")
        if array.dtype.kind == "b":
            return array
        drop, _, least, greatest = self._format
        return _rounded(array.astype(np.float64), (drop, 0, least, greatest), self._rng)

    def _rounded(self, found: Any) -> Any:
        """Return a fresh result rounded; comparisons stay as they are."""
        array = np.asarray(found)
        if array.dtype.kind != "f":
            return found
        return RoundedArray(_rounded(array, self._format, self._rng), self._format, self._rng)

    def _summed(self, array: Any, axis: int | None = 0, keepdims: bool = False, **kwargs: Any) -> Any:
        if kwargs.get("dtype") is not None or set(kwargs) - {"dtype", "where", "initial"}:
            raise TypeError("a sum in few bits takes axis and keepdims only")
        values = array.values.ravel() if axis is None else np.moveaxis(array.values, axis, 0)
        total = RoundedArray(values[0].copy(), self._format, self._rng)
        for part in values[1:]:
            total = total + RoundedArray(part, self._format, self._rng)
        if keepdims:
            shape = [1] * array.ndim if axis is None else [*array.shape]
            if axis is not None:
                shape[axis] = 1
            total = total.reshape(shape)
        return total

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        name = function.__name__
        if name == "sum":
            return self._summed(*args, **{"axis": None, **kwargs})
        if name == "mean":
            total = self._summed(*args, **{"axis": None, **kwargs})
            return total / (args[0].size / total.size)
        if name not in REARRANGING:
            raise TypeError(
                f"np.{name} would compute in double precision behind the rounding; write it with + − × ÷ and NumPy's "
                "elementwise functions"
            )
        found = function(*_plain(args), **_plain(kwargs))
        if isinstance(found, (list, tuple)) and found and isinstance(found[0], np.ndarray):
            return [self._wrapped(part) for part in found]
        return self._wrapped(found)

    def _wrapped(self, found: Any) -> Any:
        if isinstance(found, np.ndarray) and found.dtype.kind == "f":
            return RoundedArray(self._constant(found), self._format, self._rng)
        return found

    def __array__(self, *_: Any, **__: Any) -> NDArray[np.float64]:
        raise TypeError(
            "a rounded array does not turn into a plain one: what is computed with that would not be rounded"
        )

    def __float__(self) -> float:
        raise TypeError("float(…) and the math module leave few bits; use NumPy's functions on the array itself")

    # ---- what arrays can do -----------------------------------------------------------------------------------------

    shape = property(lambda self: self.values.shape)
    ndim = property(lambda self: self.values.ndim)
    size = property(lambda self: self.values.size)
    dtype = property(lambda self: self.values.dtype)

    @property
    def T(self) -> "RoundedArray":
        """The array with its axes in reverse."""
        return RoundedArray(self.values.T, self._format, self._rng)

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Any:
        return (self[k] for k in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.values)

    def __getitem__(self, key: Any) -> "RoundedArray":
        return RoundedArray(np.asarray(self.values[key]), self._format, self._rng)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.values[key] = self._constant(value)

    def reshape(self, *shape: Any) -> "RoundedArray":
        """Return the same numbers in another shape."""
        return RoundedArray(self.values.reshape(*shape), self._format, self._rng)

    def copy(self) -> "RoundedArray":
        """Return a copy."""
        return RoundedArray(self.values.copy(), self._format, self._rng)

    def sum(self, axis: int | None = None, keepdims: bool = False) -> "RoundedArray":
        """Return the sum, rounded after every term, from the left."""
        return self._summed(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: int | None = None) -> "RoundedArray":
        """Return the sum divided by the number of terms."""
        return np.mean(self, axis=axis)

    def __repr__(self) -> str:
        return f"RoundedArray({self.values!r}, {52 - self._format[0]} bits)"


def _rounded(array: NDArray[np.float64], fmt: Format, rng: NDArray[np.uint64]) -> NDArray[np.float64]:
    made = np.array(array, dtype=np.float64, order="C", copy=True)
    round_in_place(made.reshape(-1), fmt, rng)
    return made


def _plain(given: Any) -> Any:
    """Return arguments with every rounded array as its doubles."""
    if isinstance(given, RoundedArray):
        return given.values
    if isinstance(given, (list, tuple)):
        return type(given)(_plain(part) for part in given)
    if isinstance(given, dict):
        return {key: _plain(part) for key, part in given.items()}
    return given


def run_function(
    function: Callable[[Any], Any],
    starts: NDArray[np.float64],
    h: float,
    fmt: Format,
    spin_up: int,
    samples: int,
    every: int,
    rng: NDArray[np.uint64],
    progress: Progress,
) -> NDArray[np.float64]:
    """Return the states (run, sample, variable) of a Python function dx/dt = f(x), all runs in one array."""
    x = RoundedArray(np.ascontiguousarray(starts.T), fmt, rng)
    h_, sixth, third = (RoundedArray(x._constant(value), fmt, rng) for value in (h, h / 6, h / 3))
    half = RoundedArray(x._constant(h_.values / 2), fmt, rng)
    out = np.empty((*starts.shape[:1], samples, starts.shape[1]))
    _slope(function, x)  # refuses what cannot be used, before any work
    for n in range(spin_up + samples * every):
        k1 = _slope(function, x)
        k2 = _slope(function, x + half * k1)
        k3 = _slope(function, x + half * k2)
        k4 = _slope(function, x + h_ * k3)
        x = x + (sixth * (k1 + k4) + third * (k2 + k3))
        done = n + 1 - spin_up
        if done > 0 and done % every == 0:
            if not np.isfinite(x.values).all():
                raise ValueError(f"a run left the finite numbers at step {n + 1}; take a smaller step")
            out[:, done // every - 1] = x.values.T
        if n % 100 == 0:
            progress.update(n, spin_up + samples * every, "running the function")
    return out


def _slope(function: Callable[[Any], Any], x: RoundedArray) -> RoundedArray:
    """Return f(x), checked; a tuple or list of rows is stacked."""
    found = function(x.copy())
    if isinstance(found, (tuple, list)) and any(isinstance(row, RoundedArray) for row in found):
        rows = [np.broadcast_to(x._constant(row), x.shape[1:]) for row in found]
        found = RoundedArray(np.stack(rows), x._format, x._rng)
    if not isinstance(found, RoundedArray):
        raise TypeError(
            f"the function returned {type(found).__name__}, so it computed outside the rounded array it was given; "
            "return an expression of its argument"
        )
    if found.shape != x.shape:
        raise ValueError(f"the function returned shape {found.shape} for a state of shape {x.shape} (variables, runs)")
    return found
