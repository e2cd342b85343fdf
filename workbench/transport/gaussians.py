r"""Covariance matrices as centred Gaussians: the Bures–Wasserstein distance, its maps, geodesics and tangent spaces.

Everything is computed from factors A = Y Yᵀ and the polar factor of Y_Aᵀ Y_B, never from the root of a product of
matrices: the distance is the Procrustes residual d² = min_R ‖Y_A − Y_B R‖² over orthogonal R, so it keeps its digits
where the textbook formula tr A + tr B − 2 tr (A^½ B A^½)^½ subtracts equal numbers, and it takes singular matrices.

>>> import numpy as np
>>> a, b = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[1.0, -0.3], [-0.3, 0.8]])
>>> round(bures_distance(a, b), 12)
0.450586393105
>>> np.allclose(bures_exp(a, bures_log(a, b)), b)
True

All distances are squared, as everywhere in this package. Reference: Bhatia, Jain, Lim, "On the Bures–Wasserstein
distance between positive definite matrices", Expositiones Mathematicae 37, 2019, arXiv 1712.01504; Malagò, Montrucchio,
Pistone, "Wasserstein Riemannian geometry of Gaussian densities", 2018, arXiv 1801.09269.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks

Matrices = NDArray[np.float64]
ASYMMETRY = 1e-8
"""Relative asymmetry up to which a matrix is taken for symmetric and symmetrised."""
ROUNDING = 1e-12
"""An eigenvalue above −ROUNDING times the largest is a zero that was rounded."""
FLOAT32_CONDITION = 1e6
COMMUTATOR = 1e-8


def symmetric(a: Matrices) -> Matrices:
    """Return the symmetric part of (…, n, n) matrices.

    >>> symmetric(np.array([[1.0, 2.0], [0.0, 3.0]])).tolist()
    [[1.0, 1.0], [1.0, 3.0]]
    """
    return (a + np.swapaxes(a, -1, -2)) / 2


def covariances(
    name: str, value: ArrayLike, *, ndim: int | tuple[int, ...] = (2, 3), definite: bool = False
) -> Matrices:
    """Return ``value`` as symmetric positive semi-definite matrices (n, n) or (N, n, n), float64.

    Raises ``TypeError`` for masked or complex values, ``ValueError`` for NaN, for a relative asymmetry above 1e-8
    (smaller ones are averaged away), for a negative eigenvalue (it is named, never turned round), for ``float32``
    matrices of condition above 1e6 (their small eigenvalues are noise) and, with ``definite``, for a singular matrix.

    >>> covariances("a", [[1, 0], [0, -2]])
    Traceback (most recent call last):
    ValueError: a has the eigenvalue -2; a covariance has none below 0. Add what is missing to its diagonal
    """
    if np.ma.is_masked(value):
        raise TypeError(f"{name} has masked values; fill them in or leave their matrices out")
    if np.iscomplexobj(value):
        raise TypeError(f"{name} is complex; give a real symmetric matrix")
    single = np.asarray(value).dtype == np.float32
    array = checks.finite_array(name, value, ndim=ndim)
    if array.shape[-1] != array.shape[-2]:
        raise ValueError(f"{name} must be square matrices (n, n) or (N, n, n), got shape {array.shape}")
    stack = array.reshape(-1, *array.shape[-2:])
    largest = np.abs(stack).max(axis=(1, 2))
    if not np.all(largest < 1e150) or np.any((largest < 1e-150) & (largest > 0)):
        raise ValueError(f"{name} has entries beyond 1e±150; rescale the matrices")
    uneven = np.abs(stack - np.swapaxes(stack, 1, 2)).max(axis=(1, 2)) > ASYMMETRY * largest
    if uneven.any():
        k = int(np.argmax(uneven))
        off = np.abs(stack[k] - stack[k].T).max() / largest[k]
        raise ValueError(
            f"{_which(name, k, array)} is not symmetric: it differs from its transpose by {off:.1e} of its "
            "largest entry (1e-8 is allowed); take (A + A.T)/2 if that is meant"
        )
    stack = symmetric(stack)
    values = np.linalg.eigvalsh(stack)
    least, most = values[:, 0], np.maximum(values[:, -1], 0)
    allowed = 4e-7 * stack.shape[-1] if single else ROUNDING
    if not np.all(least >= -allowed * most):
        k = int(np.argmin(least + allowed * most))
        raise ValueError(
            f"{_which(name, k, array)} has the eigenvalue {least[k]:.6g}; a covariance has none below 0. "
            "Add what is missing to its diagonal"
        )
    if single and np.any(least * FLOAT32_CONDITION < most):
        k = int(np.argmax(most - FLOAT32_CONDITION * least))
        raise ValueError(
            f"{_which(name, k, array)} is float32 and of condition above 1e6, where its small eigenvalues are "
            "rounding noise; compute it in float64, or convert it if it is exact"
        )
    if definite and not np.all(least > 4e-16 * stack.shape[-1] * most):
        k = int(np.argmin(least / np.where(most > 0, most, 1)))
        raise ValueError(
            f"{_which(name, k, array)} is singular (smallest eigenvalue {least[k]:.3g}); this needs a positive "
            "definite matrix"
        )
    return stack.reshape(array.shape)


def _which(name: str, k: int, array: NDArray) -> str:
    return name if array.ndim == 2 else f"{name}[{k}]"


def factors(a: Matrices) -> Matrices:
    """Return Y (…, n, n) with Y Yᵀ = A for checked matrices: Cholesky's, which keeps graded entries, else U √Λ.

    >>> factors(np.diag([4.0, 0.0])).round(12).tolist()
    [[0.0, 2.0], [0.0, 0.0]]
    """
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        if a.ndim == 3:
            return np.stack([factors(one) for one in a])
        values, vectors = np.linalg.eigh(a)
        # What rounding left of a zero must be zero: its root would be 1e-8 instead of 1e-16 of the largest.
        values[values < 1e-15 * len(values) * max(values[-1], 0)] = 0
        return vectors * np.sqrt(values)


def spectral(a: Matrices, function: Any) -> Matrices:
    """Return U f(Λ) Uᵀ of symmetric (…, n, n) matrices.

    >>> spectral(np.diag([4.0, 9.0]), np.sqrt).tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """
    values, vectors = np.linalg.eigh(a)
    return (vectors * function(values)[..., None, :]) @ np.swapaxes(vectors, -1, -2)


def aligned(w: Matrices, y: Matrices) -> tuple[Matrices, Matrices, Matrices]:
    """Return Z = Y V Uᵀ, the factor of Y Yᵀ nearest to W, with U and the singular values S of Wᵀ Y = U S Vᵀ.

    Then T W = Z for the optimal map T from W Wᵀ to Y Yᵀ, and Wᵀ T W = U S Uᵀ. Shapes (…, n, n), broadcast.
    """
    u, s, vt = np.linalg.svd(np.swapaxes(w, -1, -2) @ y)
    return y @ np.swapaxes(vt, -1, -2) @ np.swapaxes(u, -1, -2), u, s


# ---- the deformed geometry: A ↦ C⁻¹ A^p C⁻ᵀ, M = C Cᵀ ----------------------------------------------------------------


class Deformation:
    """The chart of the generalised, power-deformed metric: Bures–Wasserstein on M^{-½} A^p M^{-½}, divided by p².

    ``metric`` is M (n, n), positive definite, None for I; ``power`` p > 0. M is applied through its Cholesky factor:
    that differs from M^{-½} by a rotation, which changes no distance.
    """

    def __init__(self, metric: ArrayLike | None, power: float, n: int) -> None:
        self.power = checks.real("power", power)
        if not self.power > 0:
            raise ValueError(
                f"power must be greater than 0, got {power!r}; its limit 0 is the metric 'log-euclidean' (times ¼)"
            )
        self.root = None
        if metric is not None:
            m = covariances("metric", metric, ndim=2, definite=True)
            if len(m) != n:
                raise ValueError(f"metric is {len(m)} × {len(m)} and the matrices {n} × {n}; give M of their size")
            self.root = np.linalg.cholesky(m)

    def factors(self, a: Matrices) -> Matrices:
        """Return factors of the images of checked matrices."""
        if self.power == 1:
            y = factors(a)
        else:
            values, vectors = np.linalg.eigh(a)
            y = vectors * np.maximum(values, 0)[..., None, :] ** (self.power / 2)
        return y if self.root is None else np.linalg.solve(self.root, y)

    def undo(self, factor: Matrices) -> Matrices:
        """Return the matrices whose images have these factors."""
        y = factor if self.root is None else self.root @ factor
        if self.power == 1:
            return symmetric(y @ np.swapaxes(y, -1, -2))
        u, s, _ = np.linalg.svd(y)
        return (u * (s ** (2 / self.power))[..., None, :]) @ np.swapaxes(u, -1, -2)


# ---- distance, map, geodesic ----------------------------------------------------------------------------------------


def bures_distance(
    a: ArrayLike, b: ArrayLike, *, metric: ArrayLike | None = None, power: float = 1.0
) -> float | NDArray[np.float64]:
    """Return the squared Bures–Wasserstein distance d² = tr A + tr B − 2 tr (A^½ B A^½)^½, W₂² of centred Gaussians.

    ``a``, ``b`` (n, n) or stacks (N, n, n), which broadcast; singular matrices are allowed. ``metric`` M (n, n) and
    ``power`` p give the generalised, power-deformed distance d²(M^{-½}A^pM^{-½}, M^{-½}B^pM^{-½})/p² of arXiv
    2504.00660. Computed as a Procrustes residual: its error is about 1e-16 (d √tr A + 1e-16 tr A). Errors:
    :func:`covariances`. Cost: one Cholesky factor each and an SVD, O(n³).

    >>> float(np.round(bures_distance(np.diag([4.0, 0.0]), np.diag([1.0, 9.0])), 12))  # Σ(√a − √b)²
    10.0
    """
    a, b = covariances("a", a), covariances("b", b)
    _same_size(a, b)
    chart = Deformation(metric, power, a.shape[-1])
    ya, yb = chart.factors(a), chart.factors(b)
    z, _, _ = aligned(ya, yb)
    found = np.sum((ya - z) ** 2, axis=(-1, -2)) / chart.power**2
    return float(found) if found.ndim == 0 else found


def gaussian_wasserstein(mean_a: ArrayLike, a: ArrayLike, mean_b: ArrayLike, b: ArrayLike) -> float:
    """Return W₂² between the Gaussians N(m_A, A) and N(m_B, B): ‖m_A − m_B‖² + d²(A, B).

    >>> round(gaussian_wasserstein([0, 0], np.eye(2), [3, 4], 4 * np.eye(2)), 12)
    27.0
    """
    shift = checks.finite_array("mean_a", mean_a, ndim=1) - checks.finite_array("mean_b", mean_b, ndim=1)
    distance = bures_distance(covariances("a", a, ndim=2), covariances("b", b, ndim=2))
    if len(shift) != np.shape(a)[0]:
        raise ValueError(f"the means have {len(shift)} coordinates and the covariances {np.shape(a)[0]}")
    return float(shift @ shift + distance)


def bures_map(g: ArrayLike, x: ArrayLike) -> Matrices:
    """Return the optimal map T from N(0, G) to N(0, X): the symmetric T with T G T = X, for G positive definite.

    >>> bures_map(np.diag([1.0, 4.0]), np.diag([9.0, 1.0])).round(12).tolist()
    [[3.0, 0.0], [0.0, 0.5]]
    """
    g, x = covariances("g", g, definite=True), covariances("x", x)
    _same_size(g, x)
    w = factors(g)
    z, _, _ = aligned(w, factors(x))
    return symmetric(np.swapaxes(np.linalg.solve(np.swapaxes(w, -1, -2), np.swapaxes(z, -1, -2)), -1, -2))


def bures_geodesic(
    a: ArrayLike, b: ArrayLike, t: ArrayLike, *, metric: ArrayLike | None = None, power: float = 1.0
) -> Matrices:
    """Return the geodesic from A (t = 0) to B (t = 1): (1−t)²A + t²B + t(1−t)[(AB)^½ + (BA)^½].

    ``a``, ``b`` (n, n), ``t`` a number in [0, 1] or (T,); returns (n, n) or (T, n, n). Built as W_t W_tᵀ with
    W_t = (1−t) Y_A + t Z, so every point is positive semi-definite.

    >>> bures_geodesic(np.diag([1.0, 4.0]), np.diag([9.0, 4.0]), 0.5).round(12).tolist()
    [[4.0, 0.0], [0.0, 4.0]]
    """
    a, b = covariances("a", a, ndim=2), covariances("b", b, ndim=2)
    _same_size(a, b)
    t = unit_interval(t)
    chart = Deformation(metric, power, len(a))
    ya = chart.factors(a)
    z, _, _ = aligned(ya, chart.factors(b))
    share = t[..., None, None]
    return chart.undo((1 - share) * ya + share * z)


def unit_interval(t: ArrayLike) -> NDArray[np.float64]:
    """Return the places along a geodesic, each in [0, 1]: a number or (T,)."""
    t = checks.finite_array("t", t, ndim=(0, 1))
    if not np.all((t >= 0) & (t <= 1)):
        raise ValueError(f"t must lie between 0 and 1, got {t.min():g} to {t.max():g}")
    return t


# ---- tangent space --------------------------------------------------------------------------------------------------


def bures_log(g: ArrayLike, x: ArrayLike) -> Matrices:
    """Return Log_G X = T G + G T − 2 G, T the optimal map from G to X; (n, n), or (N, n, n) for a stack ``x``.

    >>> bures_log(np.eye(1), [[9.0]]).tolist()  # 2(√x − 1)
    [[4.0]]
    """
    g, x = covariances("g", g, ndim=2), covariances("x", x)
    _same_size(g, x)
    w = factors(g)
    z, _, _ = aligned(w, factors(x))
    half = (z - w) @ w.T
    return half + np.swapaxes(half, -1, -2)


def lyapunov(g: ArrayLike, v: ArrayLike) -> Matrices:
    """Return L with G L + L G = V, for G positive definite (n, n) and symmetric V (n, n) or (N, n, n).

    >>> lyapunov(np.diag([1.0, 3.0]), np.ones((2, 2))).round(12).tolist()
    [[0.5, 0.25], [0.25, 0.166666666667]]
    """
    g = covariances("g", g, ndim=2, definite=True)
    values, u = np.linalg.eigh(g)
    return u @ (u.T @ _tangent("v", v, g) @ u / (values[:, None] + values)) @ u.T


def bures_exp(g: ArrayLike, v: ArrayLike, *, allow_folding: bool = False) -> Matrices:
    """Return Exp_G V = (I + L) G (I + L), with G L + L G = V.

    The exponential is one to one only where I + L is positive definite: beyond, the geodesic has met a singular matrix
    and come back. Such V are refused with ``ValueError`` unless ``allow_folding``.

    >>> bures_exp(np.eye(1), [[4.0]]).tolist()
    [[9.0]]
    >>> bures_exp(np.eye(1), [[-6.0]])
    Traceback (most recent call last):
    ValueError: v leaves the domain of the exponential: I + L has the eigenvalue -2. Shorten v or pass allow_folding
    """
    g = covariances("g", g, ndim=2, definite=True)
    step = np.eye(len(g)) + lyapunov(g, v)
    least = float(np.linalg.eigvalsh(step).min())
    if not least > 0 and not allow_folding:
        raise ValueError(
            f"v leaves the domain of the exponential: I + L has the eigenvalue {least:.6g}. "
            "Shorten v or pass allow_folding"
        )
    return symmetric(step @ g @ step)


def bures_inner(g: ArrayLike, v: ArrayLike, w: ArrayLike) -> float | NDArray[np.float64]:
    """Return the inner product g_G(V, W) = ½ tr(L_G[V] W); d²(G, X) = g_G(V, V) for V = Log_G X.

    >>> bures_inner(np.eye(2), np.eye(2), np.eye(2))
    0.5
    """
    g = covariances("g", g, ndim=2, definite=True)
    found = np.sum(lyapunov(g, v) * _tangent("w", w, g), axis=(-1, -2)) / 2
    return float(found) if found.ndim == 0 else found


def bures_transport(v: ArrayLike, p: ArrayLike, q: ArrayLike) -> Matrices:
    """Return V carried in parallel from P to Q along their geodesic, for P and Q that commute.

    In their common eigenbasis, with eigenvalues σ and δ: V_ij √((δ_i+δ_j)/(σ_i+σ_j)). With Q = I it always applies.
    ``v`` (n, n) or (N, n, n). Raises ``ValueError`` if P and Q do not commute: then there is no closed form.

    >>> bures_transport(np.eye(2), np.diag([1.0, 4.0]), np.eye(2)).tolist()
    [[1.0, 0.0], [0.0, 0.5]]
    """
    p, q = (covariances(name, one, ndim=2, definite=True) for name, one in (("p", p), ("q", q)))
    _same_size(p, q)
    scale = np.linalg.norm(p, 2) * np.linalg.norm(q, 2)
    if not np.linalg.norm(p @ q - q @ p, 2) <= COMMUTATOR * scale:
        raise ValueError(
            "p and q do not commute, and parallel transport has no closed form between them; go through "
            "the identity, or through a matrix that commutes with both"
        )
    # A generic combination tells apart what either of the two does not: its basis is common to both.
    _, u = np.linalg.eigh(p / np.linalg.norm(p, 2) + 0.6180339887 * q / np.linalg.norm(q, 2))
    sigma, delta = (np.einsum("ji,jk,ki->i", u, one, u) for one in (p, q))
    ratio = np.sqrt((delta[:, None] + delta) / (sigma[:, None] + sigma))
    return u @ (ratio * (u.T @ _tangent("v", v, p) @ u)) @ u.T


def _tangent(name: str, value: ArrayLike, g: Matrices) -> Matrices:
    v = checks.finite_array(name, value, ndim=(2, 3))
    if v.shape[-2:] != g.shape[-2:]:
        raise ValueError(
            f"{name} has shape {v.shape} at a matrix of shape {g.shape[-2:]}; give symmetric matrices of its size"
        )
    if not np.all(np.abs(v - np.swapaxes(v, -1, -2)) <= ASYMMETRY * np.abs(v).max(initial=0)):
        raise ValueError(f"{name} is not symmetric; tangent vectors are symmetric matrices")
    return symmetric(v)


def _same_size(a: Matrices, b: Matrices) -> None:
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(
            f"the matrices are {a.shape[-1]} × {a.shape[-1]} and {b.shape[-1]} × {b.shape[-1]}; give one size"
        )
    if a.ndim == b.ndim == 3 and len(a) != len(b) and 1 not in (len(a), len(b)):
        raise ValueError(f"the stacks hold {len(a)} and {len(b)} matrices; give as many of both, or one")
