"""What a regulator is made of: a Fisher matrix that can be inverted, checked once, with its eigenvalues.

A matrix comes from a graph (:func:`graph_metric`), from the exact Ising torus (:func:`torus_spectrum`), from a logistic
regression on digits (:func:`digits_metric`), or from whoever calls; a list of eigenvalues stands for a diagonal matrix.
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.fisher import metric
from workbench.fisher.enumeration import enumerate_metric
from workbench.fisher.graphs import Graph
from workbench.fisher.torus import torus

MOST_PARAMETERS = 2000
"""Side of the largest matrix that is taken apart: a second and 100 MB."""
MOST_EIGENVALUES = 200_000
ASYMMETRY = 1e-8
SINGULAR = 1e-12
NAMED = 4


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues (m,) in ascending order, and the matrix (m, m) that they come from, None for a bare list."""

    values: NDArray[np.float64]
    matrix: NDArray[np.float64] | None

    @property
    def smallest(self) -> float:
        """λ_min."""
        return float(self.values[0])

    @property
    def largest(self) -> float:
        """λ_max."""
        return float(self.values[-1])

    @property
    def condition(self) -> float:
        """κ = λ_max/λ_min."""
        return self.largest / self.smallest

    def as_matrix(self) -> NDArray[np.float64]:
        """Return F itself; that of a bare list is diagonal."""
        return np.diag(self.values) if self.matrix is None else self.matrix

    def distinct(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the eigenvalues that differ by more than rounding, and how often each occurs."""
        gaps = np.diff(self.values) > 1e-9 * self.values[1:]
        group = np.concatenate([[0], np.cumsum(gaps)])
        counts = np.bincount(group)
        return np.bincount(group, weights=self.values) / counts, counts


def spectrum(F: "ArrayLike | Spectrum") -> Spectrum:
    """Return the checked eigenvalues of a Fisher matrix (m, m), or of a list of eigenvalues (m,).

    Raises ``ValueError`` for a matrix that is not square or not symmetric, has a negative eigenvalue (it is no Fisher
    matrix) or is singular: then some combination of the parameters changes nothing, and it is named. Cost: O(m³), at
    most 2000 parameters, or 200,000 eigenvalues.

    >>> spectrum([[2.0, 1.0], [1.0, 2.0]]).values.round(12).tolist()
    [1.0, 3.0]
    >>> spectrum([[1.0, 1.0], [1.0, 1.0]])
    Traceback (most recent call last):
    ...
    ValueError: F is singular: its smallest eigenvalue is 0 of 2. The combination +0.71·θ₀ −0.71·θ₁ of the parameters \
changes nothing; leave one of these parameters out
    """
    if isinstance(F, Spectrum):
        return F
    given = checks.finite_array("F", F, ndim=(1, 2))
    if given.ndim == 1:
        if len(given) > MOST_EIGENVALUES:
            raise ValueError(f"F lists {len(given):,} eigenvalues; up to {MOST_EIGENVALUES:,} are taken")
        if given.min() <= 0:
            raise ValueError(
                f"the eigenvalues of a Fisher matrix are above 0, got {given.min():g} at index {int(given.argmin())}; "
                "give a matrix (m, m), or the eigenvalues of one that can be inverted"
            )
        values = np.sort(given)
        if values[0] <= SINGULAR * values[-1]:
            raise ValueError(
                f"the eigenvalues run from {values[0]:g} to {values[-1]:g}, farther apart than the {1 / SINGULAR:.0e} "
                "that double precision can invert; leave the smallest out"
            )
        return Spectrum(values, None)
    if given.shape[0] != given.shape[1]:
        raise ValueError(f"F must be square, got shape {given.shape}; give the matrix (m, m) or its eigenvalues (m,)")
    if len(given) > MOST_PARAMETERS:
        raise ValueError(f"F has {len(given):,} parameters; up to {MOST_PARAMETERS:,} are taken apart")
    size = float(np.abs(given).max())
    off = np.abs(given - given.T)
    if off.max() > ASYMMETRY * size:
        i, j = (int(k) for k in np.unravel_index(off.argmax(), off.shape))
        raise ValueError(
            f"F is not symmetric: F[{i}, {j}] = {given[i, j]:g} and F[{j}, {i}] = {given[j, i]:g}; a Fisher matrix is "
            "a covariance"
        )
    values, vectors = np.linalg.eigh((given + given.T) / 2)
    _check_positive(values, vectors)
    return Spectrum(values, (given + given.T) / 2)


def _check_positive(values: NDArray, vectors: NDArray) -> None:
    low, high = float(values[0]), float(values[-1])
    rounding = max(SINGULAR, 1e-15 * len(values)) * max(abs(low), abs(high))
    if low < -rounding:
        raise ValueError(f"F has the negative eigenvalue {low:.3g}; a Fisher matrix is a covariance and has none")
    if low <= rounding:
        vector = vectors[:, 0] * np.sign(vectors[np.abs(vectors[:, 0]).argmax(), 0])
        largest = np.argsort(-np.abs(vector), kind="stable")[:NAMED]
        named = [k for k in sorted(largest.tolist()) if abs(vector[k]) > 0.01]
        terms = " ".join(f"{vector[k]:+.2f}·θ{_subscript(k)}".replace("-", "−") for k in named)
        rest = " …" if np.count_nonzero(np.abs(vector) > 0.01) > NAMED else ""
        raise ValueError(
            f"F is singular: its smallest eigenvalue is {max(low, 0) if low > rounding / 10 else 0:.3g} of {high:.3g}. "
            f"The combination {terms}{rest} of the parameters changes nothing; leave one of these parameters out"
        )


def _subscript(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def graph_metric(graph: Graph, couplings: ArrayLike) -> NDArray[np.float64]:
    """Return F_ef = ⟨σ_e σ_f⟩ − ⟨σ_e⟩⟨σ_f⟩ of an Ising model without field, exactly, by adding up every state.

    ``couplings`` is one number or one for each edge. Errors and limits are those of
    :func:`workbench.fisher.enumerate_moments`; on a tree F = sech² J · 1.

    >>> from workbench.fisher import GRAPHS
    >>> graph_metric(GRAPHS["tree"](4), 0.5).diagonal().round(12).tolist()
    [0.786447732966, 0.786447732966, 0.786447732966]
    """
    return enumerate_metric(graph, couplings)


def torus_spectrum(L: int | tuple[int, int], J: float, J_vertical: float | None = None) -> NDArray[np.float64]:
    """Return all 2n eigenvalues of the exact metric of the Ising torus, ascending: two for each momentum.

    O(n log n); arguments and errors as :func:`workbench.fisher.ising_curvature`.
    """
    lattice = torus(L, J, J_vertical)
    F_hat = metric.to_momentum(metric.metric_in_space(metric.pairs(lattice)))
    metric.check_conditioned(F_hat)
    return np.sort(metric.eigenvalues(F_hat).ravel())


@functools.lru_cache(maxsize=16)
def digits_metric(first: int = 3, second: int = 8, regularisation: float = 1.0) -> NDArray[np.float64]:
    """Return the Fisher matrix (17, 17) of a logistic regression that tells two of scikit-learn's digits apart.

    F = (1/N) Σ p(1−p) x xᵀ at the fitted parameters; x are the 16 means of 2 × 2 pixels, standardised, and a one.
    ``regularisation`` is scikit-learn's C. The digits are those of the UCI set, CC BY 4.0.
    """
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    pair = [checks.integer(name, d, minimum=0, maximum=9) for name, d in (("first", first), ("second", second))]
    if pair[0] == pair[1]:
        raise ValueError(f"two different digits are told apart, got {pair[0]} twice")
    bunch = load_digits()
    chosen = np.isin(bunch.target, pair)
    pooled = bunch.images[chosen].reshape(-1, 4, 2, 4, 2).mean((2, 4)).reshape(-1, 16)
    x = (pooled - pooled.mean(0)) / np.maximum(pooled.std(0), 1e-12)
    y = bunch.target[chosen] == pair[1]
    C = checks.real("regularisation", regularisation, exclusive_minimum=0)
    p = LogisticRegression(C=C, max_iter=1000).fit(x, y).predict_proba(x)[:, 1]
    full = np.column_stack([x, np.ones(len(x))])
    return full.T @ (full * (p * (1 - p))[:, None]) / len(x)
