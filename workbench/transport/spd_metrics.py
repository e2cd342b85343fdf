r"""Six geometries of covariance matrices under one signature: distance, geodesic and mean of each.

>>> import numpy as np
>>> a, b = np.diag([1.0, 16.0]), np.diag([16.0, 1.0])
>>> for name in SPD_METRICS:  # the middle of the geodesic: how much does the ellipse swell?
...     print(name, np.linalg.det(covariance_geodesic(a, b, 0.5, metric=name)).round(6))
bures 39.0625
generalised-bures 25.628906
affine 16.0
log-euclidean 16.0
log-cholesky 16.0
euclidean 72.25

Every function of the registry takes checked matrices and, for the generalised metric, ``base`` (M) and ``power``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.registry import Fact, Registry
from workbench.transport.bures_mean import bures_mean, weights_of
from workbench.transport.gaussians import (
    Matrices,
    bures_distance,
    bures_geodesic,
    covariances,
    spectral,
    symmetric,
    unit_interval,
)

KARCHER_STEPS = 500
SPD_METRICS = Registry(
    "metric",
    facts={
        "geodesic": Fact(Callable, says="the function (a, b, t) of its geodesic"),  # type: ignore[arg-type]
        "mean": Fact(Callable, says="the function (x, shares) of its mean"),  # type: ignore[arg-type]
        "singular": Fact(bool, says="whether it is defined for singular matrices"),
        "deformed": Fact(bool, required=False, says="whether it takes base (M) and power"),
    },
)  # fmt: skip


def covariance_distance(
    a: ArrayLike, b: ArrayLike, metric: str = "bures", **options: Any
) -> float | NDArray[np.float64]:
    """Return the squared distance of covariance matrices in one of the geometries of :data:`SPD_METRICS`.

    ``a``, ``b`` (n, n) or stacks (N, n, n); ``base`` and ``power`` (½ by default) for "generalised-bures". Raises
    ``ValueError`` for an unknown metric and, where the geometry has none, for singular matrices.

    >>> round(covariance_distance(np.eye(2), np.diag([np.e, 1.0]), "affine"), 12)
    1.0
    """
    entry = SPD_METRICS[metric]
    _check_options(entry, options)
    definite = not entry.fact("singular")
    found = entry(covariances("a", a, definite=definite), covariances("b", b, definite=definite), **options)
    return float(found) if np.ndim(found) == 0 else found


def covariance_geodesic(a: ArrayLike, b: ArrayLike, t: ArrayLike, metric: str = "bures", **options: Any) -> Matrices:
    """Return the geodesic from A (t = 0) to B (t = 1), (n, n) each, in one of the geometries of :data:`SPD_METRICS`.

    ``t`` a number in [0, 1] or (T,); returns (n, n) or (T, n, n). Options and errors as :func:`covariance_distance`.

    >>> covariance_geodesic(np.eye(1), [[9.0]], [0, 0.5, 1], "bures").ravel().round(12).tolist()
    [1.0, 4.0, 9.0]
    """
    entry = SPD_METRICS[metric]
    _check_options(entry, options)
    definite = not entry.fact("singular")
    a, b = (covariances(name, one, ndim=2, definite=definite) for name, one in (("a", a), ("b", b)))
    if a.shape != b.shape:
        raise ValueError(f"the matrices have shapes {a.shape} and {b.shape}; give one size")
    t = unit_interval(t)
    return symmetric(entry.fact("geodesic")(a, b, t, **options))


def covariance_mean(x: ArrayLike, weights: ArrayLike | None = None, metric: str = "bures", **options: Any) -> Matrices:
    """Return the mean (n, n) of ``x`` (N, n, n) in one of the geometries of :data:`SPD_METRICS`.

    It minimises the weighted sum of squared distances. :func:`~workbench.transport.bures_mean.bures_mean` also returns
    a lower bound. Options and errors as :func:`covariance_distance`; ``RuntimeError`` if the affine mean, found by
    Karcher's iteration, does not settle.

    >>> covariance_mean([[[1.0]], [[16.0]]], metric="affine").round(12).tolist()
    [[4.0]]
    """
    entry = SPD_METRICS[metric]
    _check_options(entry, options)
    x = covariances("x", x, ndim=3, definite=not entry.fact("singular"))
    return symmetric(entry.fact("mean")(x, weights_of(weights, len(x)), **options))


def _check_options(entry: Any, options: dict[str, Any]) -> None:
    allowed = ("base", "power") if entry.facts.get("deformed") else ()
    for name in options:
        if name not in allowed:
            raise TypeError(
                f"the metric {entry.name!r} takes no {name!r}; only 'generalised-bures' takes base and power"
            )


# ---- the geometries -------------------------------------------------------------------------------------------------


def _share(t: NDArray[np.float64]) -> NDArray[np.float64]:
    return t[..., None, None]


def _logarithm(a: Matrices) -> Matrices:
    return spectral(a, np.log)


def _exponential(a: Matrices) -> Matrices:
    return spectral(a, np.exp)


@SPD_METRICS.add(
    "bures",
    label="Bures–Wasserstein",
    formula=r"\mathrm{tr} A + \mathrm{tr} B - 2\,\mathrm{tr}(A^{1/2} B A^{1/2})^{1/2}",
    reference="Bhatia, Jain, Lim, arXiv 1712.01504",
    cost="O(n³)",
    geodesic=bures_geodesic,
    mean=lambda x, shares: bures_mean(x, shares).mean,
    singular=True,
)
def bures(a: Matrices, b: Matrices) -> Any:
    """Return the squared 2-Wasserstein distance of the centred Gaussians."""
    return bures_distance(a, b)


def _deformed_geodesic(
    a: Matrices, b: Matrices, t: NDArray, base: ArrayLike | None = None, power: float = 0.5
) -> Matrices:
    return bures_geodesic(a, b, t, metric=base, power=power)


def _deformed_mean(x: Matrices, shares: NDArray, base: ArrayLike | None = None, power: float = 0.5) -> Matrices:
    return bures_mean(x, shares, metric=base, power=power).mean


@SPD_METRICS.add(
    "generalised-bures",
    label="Generalised Bures–Wasserstein",
    formula=r"p^{-2}\, d^2(M^{-1/2} A^p M^{-1/2}, M^{-1/2} B^p M^{-1/2})",
    reference="arXiv 2504.00660; Han, Mishra, Jawanpuria, Gao, arXiv 2110.10464",
    cost="O(n³)",
    geodesic=_deformed_geodesic,
    mean=_deformed_mean,
    singular=True,
    deformed=True,
)
def generalised_bures(a: Matrices, b: Matrices, base: ArrayLike | None = None, power: float = 0.5) -> Any:
    """Return the Bures–Wasserstein distance after A ↦ M^{-½} A^p M^{-½}, divided by p²; M = ``base`` (I if None)."""
    return bures_distance(a, b, metric=base, power=power)


def _seen_from(root: Matrices, b: Matrices) -> Matrices:
    """Return W⁻¹ B W⁻ᵀ for a factor W of A = W Wᵀ: what B is when A is made the identity."""
    return symmetric(np.linalg.solve(root, np.swapaxes(np.linalg.solve(root, b), -1, -2)))


def _affine_geodesic(a: Matrices, b: Matrices, t: NDArray) -> Matrices:
    root = np.linalg.cholesky(a)
    values, vectors = np.linalg.eigh(_seen_from(root, b))
    y = root @ vectors
    return (y * values ** t[..., None, None]) @ y.T


def _affine_mean(x: Matrices, shares: NDArray) -> Matrices:
    """Karcher's iteration in factors: G ← W exp(θ Σ w log(W⁻¹ X W⁻ᵀ)) Wᵀ, θ = 2/(1 + β).

    The Hessian of half the squared distances at G lies between 1 and β = Σ w (ℓ/2) coth(ℓ/2), ℓ the spread of the
    eigenvalues of each logarithm (Bini, Iannazzo, Linear Algebra Appl. 438, 2013), so θ is the best fixed step there;
    it is halved while the residual grows all the same.
    """
    w = np.linalg.cholesky(_exponential(np.tensordot(shares, _logarithm(x), 1)))
    damping, last = 1.0, np.inf
    for _ in range(KARCHER_STEPS):
        values, vectors = np.linalg.eigh(_seen_from(w, x))
        logs = np.log(values)
        tangent = np.tensordot(shares, (vectors * logs[:, None, :]) @ np.swapaxes(vectors, 1, 2), 1)
        size = float(np.linalg.norm(tangent))
        if size <= 1e-13 * len(w) or (size <= 1e-9 and size >= last):
            return w @ w.T
        damping = damping / 2 if size > last else min(1.0, 2 * damping)
        last = size
        half = np.maximum((logs[:, -1] - logs[:, 0]) / 2, 1e-8)
        step = damping * 2 / (1 + float(shares @ (half / np.tanh(half))))
        w = w @ spectral(step * tangent / 2, np.exp)
    raise RuntimeError(
        f"Karcher's iteration for the affine mean did not settle in {KARCHER_STEPS} steps (residual {last:.1e})"
    )


@SPD_METRICS.add(
    "affine",
    label="Affine-invariant",
    formula=r"\|\log(A^{-1/2} B A^{-1/2})\|^2",
    reference="Pennec, Fillard, Ayache, IJCV 66, 2006",
    cost="O(n³)",
    geodesic=_affine_geodesic,
    mean=_affine_mean,
    singular=False,
)
def affine(a: Matrices, b: Matrices) -> Any:
    """Return the squared affine-invariant (Fisher–Rao, times 2) distance."""
    return np.sum(np.log(np.linalg.eigvalsh(_seen_from(np.linalg.cholesky(a), b))) ** 2, axis=-1)


@SPD_METRICS.add(
    "log-euclidean",
    label="Log-Euclidean",
    formula=r"\|\log A - \log B\|^2",
    reference="Arsigny, Fillard, Pennec, Ayache, SIAM J. Matrix Anal. 29, 2007",
    cost="O(n³)",
    geodesic=lambda a, b, t: _exponential((1 - _share(t)) * _logarithm(a) + _share(t) * _logarithm(b)),
    mean=lambda x, shares: _exponential(np.tensordot(shares, _logarithm(x), 1)),
    singular=False,
)
def log_euclidean(a: Matrices, b: Matrices) -> Any:
    """Return the squared Euclidean distance of the logarithms."""
    return np.sum((_logarithm(a) - _logarithm(b)) ** 2, axis=(-1, -2))


def _cholesky_chart(a: Matrices) -> Matrices:
    """Return the Cholesky factor with the logarithm of its diagonal."""
    root = np.linalg.cholesky(a)
    return _on_diagonal(root, np.log)


def _cholesky_back(chart: Matrices) -> Matrices:
    root = _on_diagonal(chart, np.exp)
    return root @ np.swapaxes(root, -1, -2)


def _on_diagonal(a: Matrices, function: Any) -> Matrices:
    out = a.copy()
    index = np.arange(a.shape[-1])
    out[..., index, index] = function(a[..., index, index])
    return out


@SPD_METRICS.add(
    "log-cholesky",
    label="Log-Cholesky",
    formula=r"\|\lfloor L_A \rfloor - \lfloor L_B \rfloor\|^2 + \|\log D_A - \log D_B\|^2",
    reference="Lin, SIAM J. Matrix Anal. 40, 2019, arXiv 1908.09326",
    cost="O(n³)",
    geodesic=lambda a, b, t: _cholesky_back((1 - _share(t)) * _cholesky_chart(a) + _share(t) * _cholesky_chart(b)),
    mean=lambda x, shares: _cholesky_back(np.tensordot(shares, _cholesky_chart(x), 1)),
    singular=False,
)
def log_cholesky(a: Matrices, b: Matrices) -> Any:
    """Return the squared distance of the Cholesky factors, their diagonals compared by logarithm."""
    return np.sum((_cholesky_chart(a) - _cholesky_chart(b)) ** 2, axis=(-1, -2))


@SPD_METRICS.add(
    "euclidean",
    label="Euclidean",
    formula=r"\|A - B\|^2",
    reference="the Frobenius norm",
    cost="O(n²)",
    geodesic=lambda a, b, t: (1 - _share(t)) * a + _share(t) * b,
    mean=lambda x, shares: np.tensordot(shares, x, 1),
    singular=True,
)
def euclidean(a: Matrices, b: Matrices) -> Any:
    """Return the squared Frobenius distance."""
    return np.sum((a - b) ** 2, axis=(-1, -2))
