"""The spectrum of a layer: the eigenvalues of WᵀW, sorted, without those that are zero up to rounding."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks

FEWEST = 20
"""With fewer eigenvalues no tail can be told from another."""
ZERO = 1e-12
"""Eigenvalues below this share of the largest are rounding errors of a rank-deficient layer."""
LARGEST_SIDE = 6000
"""The shorter side of a layer may have so many units: the eigenvalues then take half a minute and 1 GB."""
MOST_EIGENVALUES = 1_000_000


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of WᵀW, (M,) ascending and positive; the sides N ≥ M of W; how many were zero and were dropped."""

    eigenvalues: NDArray[np.float64]
    rows: int
    columns: int
    dropped: int


def positive_eigenvalues(eigenvalues: ArrayLike, name: str = "eigenvalues") -> tuple[NDArray[np.float64], int]:
    """Return the eigenvalues ascending without those below 1e-12 of the largest, and how many those were.

    Raises ``ValueError`` for NaN, an eigenvalue truly below zero, and fewer than 20 positive ones.

    >>> values, dropped = positive_eigenvalues([*range(1, 26), 0.0, -1e-15])
    >>> len(values), dropped
    (25, 2)
    """
    given = checks.finite_array(name, eigenvalues, ndim=1)
    if len(given) > MOST_EIGENVALUES:
        raise ValueError(f"{name} has {len(given):,} values; up to {MOST_EIGENVALUES:,} are fitted")
    largest = float(given.max())
    if not largest > 0:
        raise ValueError(f"{name} holds no positive value; a layer of zeros has no tail")
    if float(given.min()) < -1e-8 * largest:
        raise ValueError(
            f"{name} holds {float(given.min()):.3g}: eigenvalues of WᵀW are never negative. Give those of WᵀW, the "
            "squares of the singular values of W"
        )
    kept = np.sort(given[given >= ZERO * largest])
    if len(kept) < FEWEST:
        raise ValueError(
            f"{name} has {len(kept)} positive value(s); a tail needs at least {FEWEST}, since the interval of α from "
            "fewer is wider than any difference between layers"
        )
    return kept, len(given) - len(kept)


def layer_matrix(name: str, weights: ArrayLike) -> NDArray[np.float64]:
    """Return the weights of a layer as a matrix (N, M) with N ≥ M; a kernel (out, in, …) is flattened to out × rest.

    Raises ``ValueError`` for NaN, a vector, whole numbers (quantised weights without their scale), a shorter side
    below 20 or above 6,000.
    """
    kind = getattr(getattr(weights, "dtype", None), "kind", "f")
    if kind in "iub":
        raise ValueError(
            f"{name} holds whole numbers of type {weights.dtype}, quantised weights it seems; multiply them by their "  # type: ignore[union-attr]
            "scale first and give floats"
        )
    array = checks.finite_array(name, weights)
    if array.ndim < 2:
        raise ValueError(f"{name} has shape {array.shape}; a layer is a matrix, or a kernel (out, in, …)")
    matrix = array.reshape(len(array), -1)
    shorter, longer = sorted(matrix.shape)
    if shorter < FEWEST:
        raise ValueError(f"{name} is {matrix.shape[0]} × {matrix.shape[1]}: {too_few(shorter)}")
    if shorter > LARGEST_SIDE:
        raise ValueError(
            f"{name} has a shorter side of {shorter:,}; the eigenvalues of up to {LARGEST_SIDE:,} are taken. "
            "metrics.large_spectrum finds the largest of a larger one, and the density of the others"
        )
    checks.memory(8.0 * (longer * shorter + 4 * shorter**2), f"the spectrum of {name}")
    return matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T


def too_few(count: int) -> str:
    """Return why a layer of so many eigenvalues is not scored."""
    return f"{count} eigenvalue(s), and a tail needs {FEWEST}"


def layer_spectrum(weights: ArrayLike, name: str = "weights") -> Spectrum:
    """Return the spectrum of a layer, a matrix or a kernel (out, in, …) in either orientation.

    λ = s² without 1/N, as the package ``weightwatcher`` has it. Cost: N M² for WᵀW and about 10 M³/3 for its
    eigenvalues. Against singular values only those below 1e-10 of the largest lose digits, and none of them lies in
    a tail. Raises ``ValueError`` as :func:`layer_matrix`.

    >>> found = layer_spectrum(np.eye(30)[:, ::-1] * 2.0)
    >>> found.eigenvalues.max(), found.rows, found.columns, found.dropped
    (np.float64(4.0), 30, 30, 0)
    """
    matrix = layer_matrix(name, weights)
    rows, columns = matrix.shape
    values, dropped = positive_eigenvalues(gram_eigenvalues(matrix), f"the spectrum of {name}")
    return Spectrum(values, rows, columns, dropped)


def gram_eigenvalues(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the eigenvalues of WᵀW ascending, tiny negative ones as zero; W (N, M) with N ≥ M."""
    return np.maximum(np.linalg.eigvalsh(matrix.T @ matrix), 0.0)
