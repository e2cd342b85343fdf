"""Symmetric matrices of two or three rows at every cell, by components (c, …): xx, yy, xy or xx, yy, zz, xy, xz, yz.

How many of their eigenvalues are positive needs no eigenvalue: all roots of the characteristic polynomial are real, so
by Descartes' rule of signs its positive roots are the changes of sign in (1, −tr, m₂, −det).
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.fisher.entropic.grid import PAIRS, Floats
from workbench.parallel import THREADS, for_each
from workbench.progress import Progress

BLOCK = 2**17


@njit(cache=True, nogil=True)
def _signs_2(a: Floats, b: Floats, c: Floats, threshold: float, out: NDArray[np.int8]) -> None:
    for i in range(len(a)):
        x, y = a[i] - threshold, b[i] - threshold
        determinant, trace = x * y - c[i] * c[i], x + y
        if determinant > 0:
            out[i] = 2 if trace > 0 else 0
        elif determinant < 0:
            out[i] = 1
        else:  # one eigenvalue is zero, and zero is not positive
            out[i] = 1 if trace > 0 else 0


@njit(cache=True, nogil=True)
def _signs_3(
    a: Floats, b: Floats, c: Floats, d: Floats, e: Floats, f: Floats, threshold: float, out: NDArray[np.int8]
) -> None:
    for i in range(len(a)):
        x, y, z = a[i] - threshold, b[i] - threshold, c[i] - threshold
        p, q, r = d[i], e[i], f[i]
        trace = x + y + z
        minors = x * y + x * z + y * z - p * p - q * q - r * r
        determinant = x * (y * z - r * r) - p * (p * z - r * q) + q * (p * r - q * y)
        count, last = 0, 1.0  # coefficients of λ³ − tr λ² + m₂ λ − det; zeros are skipped
        if trace != 0:
            now = -trace
            if now * last < 0:
                count += 1
            last = now
        if minors != 0:
            if (minors > 0) != (last > 0):
                count += 1
            last = minors
        if determinant != 0 and (determinant > 0) == (last > 0):
            count += 1
        out[i] = count


def web(tensor: ArrayLike, *, threshold: float = 0.0) -> NDArray[np.int8]:
    """Return how many eigenvalues of a field of symmetric matrices exceed ``threshold``: the class of the cosmic web.

    ``tensor`` holds components (3, nx, ny) or (6, nx, ny, nz), as :func:`curvature_field` returns them, or any list of
    matrices' components (3, n), (6, n). In three dimensions 3 is a knot, 2 a filament, 1 a sheet and 0 a void; in two,
    2 a knot, 1 a saddle and 0 a void. No eigenvalue is computed: about 20 times faster than ``eigvalsh``, and the same
    up to matrices with an eigenvalue within rounding of the threshold. Raises ``ValueError`` for other shapes.

    >>> web([[1.0, -1.0, 2.0], [2.0, -1.0, -1.0], [0.5, 0.0, 0.0]]).tolist()
    [2, 0, 1]
    """
    parts = checks.finite_array("the tensor", tensor, ndim=(2, 3, 4))
    if len(parts) not in (3, 6) or (parts.ndim > 2 and parts.ndim != (3 if len(parts) == 3 else 4)):
        raise ValueError(
            f"the tensor must hold 3 components (xx, yy, xy) over a plane or 6 (xx, yy, zz, xy, xz, yz) over a cube, "
            f"got shape {parts.shape}"
        )
    threshold = checks.real("threshold", threshold)
    flat = np.ascontiguousarray(parts).reshape(len(parts), -1)
    out = np.empty(flat.shape[1], np.int8)
    count = _signs_2 if len(flat) == 3 else _signs_3

    def work(start: int) -> None:
        part = slice(start, start + BLOCK)
        count(*(row[part] for row in flat), threshold, out[part])

    starts = range(0, len(out), BLOCK)
    if len(starts) == 1 or THREADS == 1:
        for start in starts:
            work(start)
    else:
        for_each(work, starts, Progress())
    return out.reshape(parts.shape[1:])


def class_shares(classes: NDArray[np.int8], d: int) -> Floats:
    """Return the share of cells in each class, by the number of positive eigenvalues 0 … d.

    >>> class_shares(np.array([0, 1, 1, 2], np.int8), 2).tolist()
    [0.25, 0.5, 0.25]
    """
    return np.bincount(classes.ravel(), minlength=d + 1) / classes.size


def determinant(parts: Floats, shift: float = 0.0) -> Floats:
    """Return det(M + shift · I) of symmetric matrices of two or three rows.

    >>> float(determinant(np.array([2.0, 3.0, 1.0])))
    5.0
    """
    if len(parts) == 3:
        a, b, c = parts
        return (a + shift) * (b + shift) - c * c
    a, b, c, d, e, f = parts
    a, b, c = a + shift, b + shift, c + shift
    return a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e)


def cofactors(parts: Floats, shift: float = 0.0) -> Floats:
    """Return the components of the cofactor matrix of M + shift · I."""
    if len(parts) == 3:
        a, b, c = parts
        return np.stack([b + shift, a + shift, -c])
    a, b, c, d, e, f = parts
    a, b, c = a + shift, b + shift, c + shift
    return np.stack([b * c - f * f, a * c - e * e, a * b - d * d, e * f - d * c, d * f - b * e, d * e - a * f])


def contracted(one: Floats, other: Floats) -> Floats:
    """Return tr(A B) of symmetric matrices."""
    d = 2 if len(one) == 3 else 3
    return (one[:d] * other[:d]).sum(axis=0) + 2 * (one[d:] * other[d:]).sum(axis=0)


def solve(parts: Floats, right: Floats, shift: float = 0.0) -> Floats:
    """Return (M + shift · I)⁻¹ b for vectors b (axis, …)."""
    inverse = cofactors(parts, shift) / determinant(parts, shift)
    if len(parts) == 3:
        a, b, c = inverse
        return np.stack([a * right[0] + c * right[1], c * right[0] + b * right[1]])
    a, b, c, d, e, f = inverse
    x, y, z = right
    return np.stack([a * x + d * y + e * z, d * x + b * y + f * z, e * x + f * y + c * z])


def least_eigenvalue(parts: Floats, shift: float = 0.0) -> Floats:
    """Return the smallest eigenvalue of M + shift · I."""
    if len(parts) == 3:
        a, b, c = parts
        return (a + b) / 2 + shift - np.hypot((a - b) / 2, c)
    # The trigonometric root of the characteristic polynomial; 100 times as fast as an eigenvalue solver for each.
    middle = parts[:3].mean(axis=0)
    rest = np.concatenate([parts[:3] - middle, parts[3:]])
    spread = np.sqrt(contracted(rest, rest) / 6)
    scaled = rest / np.maximum(spread, 1e-300)
    angle = np.arccos(np.clip(determinant(scaled) / 2, -1, 1)) / 3
    return middle + 2 * spread * np.cos(angle + 2 * np.pi / 3) + shift


def matrices(parts: Floats) -> Floats:
    """Return components (c, …) as full matrices (…, d, d)."""
    rows = ((0, 2), (2, 1)) if len(parts) == 3 else ((0, 3, 4), (3, 1, 5), (4, 5, 2))
    return np.stack([np.stack([parts[k] for k in row], axis=-1) for row in rows], axis=-2)


def minus_outer(parts: Floats, vector: Sequence[Floats], share: float = 1.0) -> Floats:
    """Return the components of M − share · v vᵀ.

    >>> minus_outer(np.array([1.0, 2.0, 0.0]), [np.float64(1), np.float64(2)]).tolist()
    [0.0, -2.0, -2.0]
    """
    found = np.array(parts)
    for row, (i, j) in enumerate(PAIRS[len(vector)]):
        found[row] -= share * vector[i] * vector[j]
    return found
