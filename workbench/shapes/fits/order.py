"""How fast the best fit of a linear family gets better with its numbers, on functions of one coordinate.

For smooth f the error of the best fit falls like N^−p: p = 2 for hats, q + 1 for splines of degree q, faster than any
power for Chebyshev polynomials. The three metric grids are sums of hats over smooth coordinates whose second
derivatives all vanish at 0: they span no parabola there, and their order is 2. How their knots happen to interlace
makes the error jump by a factor of two from one size to the next, so orders are fitted over many sizes. Best L² fits by
hats have root mean square error h² rms(f'')/√720 as h → 0; interpolation has h² rms(f'')/√120.
"""

import itertools
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import linalg, sparse

from workbench import checks, results
from workbench.progress import Progress
from workbench.shapes.fits.grammar import Formula, parse_formula
from workbench.shapes.fits.methods import FITS, checked_method
from workbench.shapes.fits.signals import FORMULAS, SIGNALS, centres

Floats = NDArray[np.float64]
PER_NUMBER = 8
"""Samples for each coefficient; the error is the root mean square over them."""
ROUNDING = 2e-14
"""Relative errors below this are those of the arithmetic, and say nothing of an order."""
LARGEST = 1024
SIZES = (24, 29, 34, 41, 48, 57, 68, 81, 96, 114, 136, 161, 192, 228, 272, 323, 384)
"""Quarters of octaves."""
SMOOTH = ("sine", "chirp", "runge")
ONE_DIMENSIONAL = (*SMOOTH, "kink", "jump")
STUDIED = ("linear", "metric", "quadratic", "bspline", "chebyshev")


def _function(text: str) -> Formula:
    formula = parse_formula(FORMULAS[text][0] if text in FORMULAS else text)
    if formula.dimension != 1:
        raise ValueError(f"orders are measured for formulas of x alone, got {text!r}")
    return formula


def _sizes(sizes: Sequence[int]) -> list[int]:
    given = [checks.integer("a size", n, minimum=4, maximum=LARGEST) for n in sizes]
    if len(given) < 2 or any(b <= a for a, b in itertools.pairwise(given)):
        raise ValueError(f"sizes must be two or more rising numbers, got {given}")
    return given


def best_error(method: str, function: Formula, count: int) -> tuple[float, int]:
    """Return the root mean square error of the best fit by at most ``count`` numbers, and how many there are.

    By orthogonal factors with pivoting (LAPACK's gelsy), which also serve a family that is not of full rank, as the
    metric grids: each of them holds the constants.
    """
    family = FITS[method].fact("family")
    sides = family.sides(count, 1)
    x = centres(PER_NUMBER * count)
    matrix = family.design(x[:, None], sides).matrix
    dense = matrix.toarray() if sparse.issparse(matrix) else matrix
    values = function(x)
    found = linalg.lstsq(dense, values, cond=1e-14, lapack_driver="gelsy", check_finite=False)[0]
    return float(np.sqrt(np.mean((values - dense @ found) ** 2))), dense.shape[1]


@results.experiment
def approximation_order(
    method: str = "bspline",
    function: str = "sine",
    sizes: Sequence[int] = SIZES,
    *,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Measure the order of a linear family on a function of one coordinate: a name or a formula.

    Returns over size the root mean square ``error`` of the best fit and the numbers ``used``; over doubling (between
    neighbouring sizes) the ``slope`` −Δlog error/Δlog used, NaN where rounding is reached; ``order``, the
    slope of a line through the upper half of the sizes, and ``theory``, that for smooth functions (NaN: faster than
    any power). Near jumps and kinks errors depend on where knots happen to lie.
    Raises ``ValueError`` for a trained method, a formula of more coordinates, sizes that do not rise. Cost: 8 N³
    operations for N numbers.

    >>> ds = approximation_order("quadratic", "sine", (48, 96))
    >>> bool(abs(ds.slope[0] - 3) < 0.2), float(ds.theory)
    (True, 3.0)
    """
    name, formula, given = checked_method(method, linear=True), _function(function), _sizes(sizes)
    progress = progress or Progress()
    rows = []
    for k, count in enumerate(given):
        progress.update(k, len(given), f"{count} numbers")
        rows.append(best_error(name, formula, count))
    progress.update(1, 1, "done")
    error, used = (np.array(column) for column in zip(*rows, strict=True))
    order = FITS[name].fact("family").order
    variables = {
        "error": (("size",), error, "root mean square error of the best fit"),
        "used": (("size",), used, "numbers"),
        "slope": (("doubling",), slopes(error, used, formula), "order between two sizes"),
        "order": ((), fitted_order(error, used, formula), "order, of a line through the larger sizes"),
        "theory": ((), np.nan if order is None else float(order), "order for smooth functions"),
    }
    return results.dataset(
        variables,
        {
            "size": (("size",), given, "numbers at most"),
            "doubling": (("doubling",), given[1:], "the larger of two sizes"),
        },
        {"method": name, "formula": formula.text},
    )


def slopes(error: Floats, used: NDArray[np.int64], formula: Formula) -> Floats:
    """Return the orders between neighbouring sizes; NaN where the error is that of rounding."""
    known = _is_measured(error, formula)
    known = known[:-1] & known[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        made = -np.log(error[1:] / error[:-1]) / np.log(used[1:] / used[:-1])
    return np.where(known, made, np.nan)


def fitted_order(error: Floats, used: NDArray[np.int64], formula: Formula) -> float:
    """Return the slope of log error over −log used by least squares, for sizes from √(smallest · largest) on.

    NaN where fewer than two of them err by more than rounding.
    """
    chosen = _is_measured(error, formula) & (used >= np.sqrt(float(used[0]) * used[-1]) * (1 - 1e-9))
    if chosen.sum() < 2:
        return np.nan
    return float(-np.polyfit(np.log(used[chosen]), np.log(error[chosen]), 1)[0])


def _is_measured(error: Floats, formula: Formula) -> NDArray[np.bool_]:
    return error > ROUNDING * float(np.abs(formula(centres(64))).max())


@results.experiment
def approximation_orders(
    methods: Sequence[str] = STUDIED,
    functions: Sequence[str] = ONE_DIMENSIONAL,
    sizes: Sequence[int] = SIZES,
    *,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Measure the orders of several linear families on several functions, as :func:`approximation_order` each.

    Returns over (fit, function, size) ``error`` and over (fit, function, doubling) ``slope``, over
    (fit, function) ``order``; over fit ``theory`` and ``label``. Cost: half a minute for the defaults.

    >>> ds = approximation_orders(("linear",), ("sine",), (24, 48))
    >>> ds.error.dims
    ('fit', 'function', 'size')
    """
    progress = progress or Progress()
    names = [checked_method(name, linear=True) for name in methods]
    formulas, given = [_function(text) for text in functions], _sizes(sizes)
    error = np.empty((len(names), len(formulas), len(given)))
    slope = np.empty((len(names), len(formulas), len(given) - 1))
    order = np.empty((len(names), len(formulas)))
    for i, name in enumerate(names):
        for j, formula in enumerate(formulas):
            progress.update(i * len(formulas) + j, len(names) * len(formulas), f"{name}, {functions[j]}")
            rows = [best_error(name, formula, count) for count in given]
            found, used = (np.array(column) for column in zip(*rows, strict=True))
            error[i, j], slope[i, j] = found, slopes(found, used, formula)
            order[i, j] = fitted_order(found, used, formula)
    progress.update(1, 1, "done")
    orders = [FITS[name].fact("family").order for name in names]
    variables = {
        "error": (("fit", "function", "size"), error, "root mean square error of the best fit"),
        "slope": (("fit", "function", "doubling"), slope, "order between two sizes"),
        "order": (("fit", "function"), order, "order, of a line through the larger sizes"),
        "theory": (("fit",), np.array([np.nan if o is None else float(o) for o in orders]), "order, smooth f"),
        "label": (("fit",), np.array([FITS[name].label for name in names]), "family"),
        "function_label": (
            ("function",),
            np.array([SIGNALS[f].label.removeprefix("Formula: ") if f in SIGNALS else f for f in functions]),
            "function",
        ),
    }
    coordinates = {
        "fit": (("fit",), names, "family"),
        "function": (("function",), list(functions), "function"),
        "size": (("size",), given, "numbers at most"),
        "doubling": (("doubling",), given[1:], "the larger of two sizes"),
    }
    return results.dataset(variables, coordinates)
