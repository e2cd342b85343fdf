"""Proofs that a grid fit has no zero in a box, exact, as a document that a small checker reads.

Inside a cell the interpolant of a linear grid is multilinear, and so it is on any part of a cell that a box cuts out:
its extremes are at corners. The extremes over a box therefore stand at products of the box's ends and the nodes
between them, a finite set on which the interpolant is computed in rational numbers. A positive least value proves that
the *fit* is positive on the whole box, its boundary included. No such finite set exists for a decoder of sines; and
nothing is proved of the shape that was fitted.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from workbench import checks

Floats = NDArray[np.float64]
KIND = "zero-free box of a linear grid"
VERSION = 1
MOST_VALUES = 40_000
MOST_BYTES = 2 * 2**20
LARGEST = 1e300
KEYS = ("kind", "version", "side", "dimension", "values", "low", "high", "sign", "least")
DEGREES = {"linear": 1, "quadratic": 2, "bspline": 3, "pspline": 3}


@dataclass(frozen=True)
class Emptiness:
    """What was proved: the fit times ``sign`` is at least ``least`` > 0 at every point of the box low … high."""

    sign: int
    least: float
    low: tuple[float, ...]
    high: tuple[float, ...]

    def __str__(self) -> str:
        box = " × ".join(f"[{a:g}, {b:g}]" for a, b in zip(self.low, self.high, strict=True))
        return f"the fit is {'positive' if self.sign > 0 else 'negative'} on {box}, by {self.least:.3g} at least"


def range_on_box(values: Floats, low: Sequence[float], high: Sequence[float]) -> tuple[Fraction, Fraction]:
    """Return least and largest value of the multilinear interpolant on a box, exactly.

    ``values`` (n,) · d are those at equally spaced nodes of [−1, 1]^d, x along the last axis; ``low`` and ``high`` are
    the ends along x, y, z.

    >>> range_on_box(np.array([[0.0, 1.0], [2.0, 5.0]]), (0.0, 0.0), (1.0, 0.5))
    (Fraction(2, 1), Fraction(4, 1))
    """
    block: Any = values.astype(object)  # Python floats compare with fractions exactly
    for axis in range(values.ndim):
        k = values.ndim - 1 - axis
        block = _restricted(np.moveaxis(block, axis, 0), Fraction(low[k]), Fraction(high[k]))
        block = np.moveaxis(block, 0, axis)
    return _fraction(block.min()), _fraction(block.max())


def _fraction(value: Any) -> Fraction:
    return value if isinstance(value, Fraction) else Fraction(float(value))


def _restricted(values: NDArray, low: Fraction, high: Fraction) -> NDArray:
    """Return the interpolant at both ends and at the nodes between them, along the first axis."""
    cells = len(values) - 1
    start, stop = (low + 1) / 2 * cells, (high + 1) / 2 * cells
    between = range(math.floor(start) + 1, math.ceil(stop))
    parts = [_at(values, start), *(values[j] for j in between), _at(values, stop)]
    made = np.empty((len(parts), *values.shape[1:]), dtype=object)
    for k, part in enumerate(parts):
        made[k] = part
    return made


def _at(values: NDArray, place: Fraction) -> NDArray:
    cell = min(math.floor(place), len(values) - 2)
    share = place - cell
    if share == 0:
        return values[cell]
    left, right = (np.frompyfunc(_fraction, 1, 1)(values[cell + k]) for k in (0, 1))
    return (1 - share) * left + share * right


def prove_empty(values: Floats | xr.Dataset, low: Sequence[float], high: Sequence[float]) -> str:
    """Return the document (JSON) that proves that a grid fit has no zero in the box ``low`` … ``high``.

    ``values`` are those at the nodes, as for :func:`range_on_box`, or a result of
    :func:`workbench.shapes.best_linear_fit` with the grid "linear". Raises ``ValueError`` where the fit has both signs
    in the box, or a zero, and says between which values it lies; and for a box that is not inside [−1, 1]^d. Cost: a
    microsecond or two for each node in the box.

    >>> document = prove_empty(np.array([[1.0, 2.0], [2.0, -3.0]]), (-1.0, -1.0), (0.0, 0.0))
    >>> print(check_empty(document))
    the fit is positive on [-1, 0] × [-1, 0], by 0.5 at least
    """
    grid = (
        node_values(values) if isinstance(values, xr.Dataset) else checks.finite_array("values", values, ndim=(1, 2, 3))
    )
    low, high = _box(low, high, grid.ndim)
    if len(set(grid.shape)) > 1 or grid.shape[0] < 2:
        raise ValueError(f"values must have one length of at least 2 along every axis, got shape {grid.shape}")
    if grid.size > MOST_VALUES or np.abs(grid).max() > LARGEST:
        raise ValueError(f"proofs are for up to {MOST_VALUES:,} values of at most {LARGEST:g}, got {grid.size:,}")
    least, most = range_on_box(grid, low, high)
    if least <= 0 <= most:
        raise ValueError(
            f"the fit reaches from {float(least):.3g} to {float(most):.3g} in this box, so it is not free of zeros; "
            "take a smaller one"
        )
    sign = 1 if least > 0 else -1
    bound = rounded_down(min(abs(least), abs(most)))
    if not bound > 0:
        raise ValueError("the fit comes nearer to 0 in this box than a float can tell; take a smaller one")
    document = {
        "kind": KIND,
        "version": VERSION,
        "side": grid.shape[0],
        "dimension": grid.ndim,
        "values": grid.ravel().tolist(),
        "low": list(low),
        "high": list(high),
        "sign": sign,
        "least": bound,
    }
    return json.dumps(document)


def check_empty(document: str | bytes | Mapping[str, Any]) -> Emptiness:
    """Return what a document of :func:`prove_empty` proves, computed anew in rational numbers from its values.

    Nothing that it claims is believed. Raises ``ValueError`` saying what is wrong for a document that is no JSON of the
    closed form, too large, or claims what does not hold.
    """
    given = _schema(_parsed(document))
    grid = np.array(given["values"], dtype=float).reshape((given["side"],) * given["dimension"])
    low, high = _box(given["low"], given["high"], grid.ndim)
    least, most = range_on_box(grid, low, high)
    found = least if given["sign"] > 0 else -most
    if not found >= Fraction(given["least"]):
        raise ValueError(f"the document claims at least {given['least']:g}, but {float(found):.6g} is taken in the box")
    return Emptiness(given["sign"], given["least"], low, high)


def _parsed(document: str | bytes | Mapping[str, Any]) -> Any:
    if isinstance(document, Mapping):
        return document
    if not isinstance(document, (str, bytes)):
        raise TypeError(f"a document must be JSON text or a mapping, got {type(document).__name__}")
    if len(document) > MOST_BYTES:
        raise ValueError(f"the document has {len(document):,} bytes; the most is {MOST_BYTES:,}")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("the document has a key twice")
        return dict(pairs)

    def refused(word: str) -> Any:
        raise ValueError(f"the document holds {word}, which is no number")

    def short(digits: str) -> int:
        if len(digits) > 20:
            raise ValueError("the document holds a whole number of more than 20 digits")
        return int(digits)

    try:
        return json.loads(document, object_pairs_hook=once, parse_constant=refused, parse_int=short)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the document is no JSON: {str(error)[:80]}") from None


def _schema(given: Any) -> Mapping[str, Any]:
    """Return the document if it has the closed form: these keys, finite numbers, bounded sizes."""
    if not isinstance(given, Mapping) or set(given) != set(KEYS):
        raise ValueError(f"the document must have exactly the keys {', '.join(KEYS)}")
    if given["kind"] != KIND or not _is_whole(given["version"], VERSION, VERSION):
        raise ValueError(f"the document must be of kind {KIND!r}, version {VERSION}")
    if not (_is_whole(given["dimension"], 1, 3) and _is_whole(given["side"], 2, MOST_VALUES)):
        raise ValueError("dimension must be 1 to 3, and side a whole number of at least 2")
    count = given["side"] ** given["dimension"]
    values = given["values"]
    if count > MOST_VALUES or not isinstance(values, list) or len(values) != count:
        raise ValueError(f"values must be a list of side^dimension numbers, {MOST_VALUES:,} at most")
    for name, length in (("low", given["dimension"]), ("high", given["dimension"])):
        if not isinstance(given[name], list) or len(given[name]) != length:
            raise ValueError(f"{name} must be a list of {length} numbers")
    numbers = [*values, *given["low"], *given["high"], given["least"]]
    if not all(_is_number(value) for value in numbers):
        raise ValueError(f"values, low, high and least must be numbers of magnitude up to {LARGEST:g}")
    if not (_is_whole(given["sign"], -1, 1) and given["sign"] != 0) or not given["least"] > 0:
        raise ValueError("sign must be 1 or −1, and least greater than 0")
    return given


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_number(value: Any) -> bool:
    """JSON numbers that are floats, or whole numbers that a float holds exactly."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= (LARGEST if isinstance(value, float) else 2**53)


def _box(low: Sequence[float], high: Sequence[float], d: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    ends = [tuple(checks.finite_array(name, v, ndim=1).tolist()) for name, v in (("low", low), ("high", high))]
    if any(len(end) != d for end in ends):
        raise ValueError(f"low and high must have {d} numbers each, got {len(ends[0])} and {len(ends[1])}")
    if not all(-1 <= a < b <= 1 for a, b in zip(*ends, strict=True)):
        raise ValueError(f"a box must have −1 ≤ low < high ≤ 1 along every axis, got {ends[0]} to {ends[1]}")
    return ends[0], ends[1]


def rounded_down(value: Fraction) -> float:
    """Return the largest float that is not above ``value``."""
    made = float(value)
    return made if Fraction(made) <= value else math.nextafter(made, -math.inf)


def node_values(ds: xr.Dataset) -> Floats:
    """Return the values at the nodes of a linear grid fit, (n,) · d, from a result that holds its coefficients."""
    if "node_value" in ds:
        flat, side = ds.node_value.values, int(ds.node_side)
    elif "coefficient" in ds and ds.attrs.get("method") == "linear" and ds.sizes["channel"] == 1:
        if ds.attrs.get("kind") == "photograph":
            raise ValueError("proofs are for signals of one channel that are no photographs")
        flat, side = ds.coefficient.values[:, 0], int(ds.side[0])
    else:
        raise ValueError("this result holds no linear grid of one channel; make it by best_linear_fit(…, 'linear')")
    dimension = round(math.log(len(flat)) / math.log(side))
    return flat.reshape((side,) * dimension)


def cell_signs(coefficients: Floats, sides: Sequence[int], dimension: int, method: str) -> NDArray[np.int8]:
    """Return the proved sign of a grid fit in each of its cells: 1, −1, or 0 where nothing is proved.

    In a cell of a linear grid the extremes are at its corners; for a spline of degree q its values there lie between
    the least and the largest of the (q + 1)^d coefficients that act in it, for B-splines are positive and sum to one.
    """
    degree = DEGREES[checks.choice("grid", method, DEGREES)]
    grid = coefficients.reshape((sides[0],) * dimension)
    window, inside = degree + 1, (slice((degree + 1) // 2, sides[0] - degree + (degree + 1) // 2),) * dimension
    least = minimum_filter(grid, window, mode="nearest")[inside]
    most = maximum_filter(grid, window, mode="nearest")[inside]
    return np.where(least > 0, 1, np.where(most < 0, -1, 0)).astype(np.int8)
