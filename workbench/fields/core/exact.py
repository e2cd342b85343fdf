"""The exact field: what the regression of flow matching would learn from infinitely many data and steps.

With x_t = (1 − t) x₀ + t x₁, u = x₁ − x₀ and a coupling of x₀ and x₁, the loss E‖v(x_t, t) − u‖² has the one optimum
v*(x, t) = E[u | x_t = x], and for every field loss(v) = L* + E‖v − v*‖². Where x_t is a mixture of Gaussians that are
jointly Gaussian with u, v* is a mean of linear functions with the responsibilities as weights:

    v*(x, t) = Σ_k r_k(x, t) (b_k + A_k (x − m_k)),   A_k = Cov(u, x_t | k) Σ_k⁻¹.

This file holds what (m, Σ, A, b) are for each coupling; the loops are in ``kernels.py``.
"""

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench import checks
from workbench.fields.core.kernels import memoriser_kernel, mixture_kernel, over_blocks, plane_kernel
from workbench.fields.core.laws import FiniteSample, Floats, GaussianMixture, Law, as_law
from workbench.registry import Registry
from workbench.transport import bures_map

LAST = 1e-3
"""How far from the end where all mass sits on points a field is stopped: its velocity grows like 1/(1 − t) there."""
MOST_PAIRS = 2**16

COUPLINGS = Registry("coupling")
"""How x₀ and x₁ belong together, each with the function that returns its :class:`Slice` at a time."""


class Slice(NamedTuple):
    """The law of (x_t, u) at one time, component by component.

    ``log_weights`` (k,) with the normalising constants of the densities, ``means`` (k, d), ``precisions`` and
    ``gains`` (k, d, d), ``drifts`` (k, d), and ``within`` = Σ_k w_k tr Cov(u | x_t, k), which does not depend on x.
    """

    log_weights: Floats
    means: Floats
    precisions: Floats
    gains: Floats
    drifts: Floats
    within: float


class Values(NamedTuple):
    """What is known at points (n, d): ``velocity`` and ``score`` (n, d), ``log_density`` and ``spread`` (n,).

    ``spread`` is Σ_k r_k ‖v_k − v*‖²: together with the slice's ``within`` the variance of u given x.
    """

    velocity: Floats
    score: Floats
    log_density: Floats
    spread: Floats


def _parts(law: Law) -> tuple[Floats, Floats, Floats]:
    """Return weights, means and covariances; a point of a sample has none."""
    if isinstance(law, GaussianMixture):
        return law.weights, law.means, law.covariances
    n, d = law.points.shape
    return np.full(n, 1 / n), law.points, np.zeros((n, d, d))


def _slice(weights: Floats, means: Floats, blurred: Floats, with_u: Floats, of_u: Floats, drifts: Floats) -> Slice:
    """Return a slice from Cov(x_t) ``blurred``, Cov(u, x_t) ``with_u`` and Cov(u) ``of_u``, each (k, d, d)."""
    d = means.shape[1]
    roots = np.linalg.cholesky(blurred)
    precisions = np.linalg.inv(blurred)
    precisions = np.ascontiguousarray(0.5 * (precisions + precisions.transpose(0, 2, 1)))
    gains = with_u @ precisions
    log_root = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    explained = np.einsum("kab,kab->k", gains, with_u)
    within = np.maximum(np.trace(of_u, axis1=1, axis2=2) - explained, 0.0)
    log_weights = np.log(weights) - log_root - 0.5 * d * np.log(2 * np.pi)
    return Slice(log_weights, means, precisions, np.ascontiguousarray(gains), drifts, float(weights @ within))


@COUPLINGS.add(
    "independent",
    label="Independent",
    formula=r"\pi = p_0 \otimes p_1",
    reference="Lipman et al., “Flow matching for generative modeling”, 2022",
)
def independent(source: Law, target: Law, t: float) -> Slice:
    """Return the slice where x₀ and x₁ know nothing of each other: a component for each pair of components."""
    (w0, m0, s0), (w1, m1, s1) = _parts(source), _parts(target)
    d = m0.shape[1]
    first, second = np.repeat(np.arange(len(w0)), len(w1)), np.tile(np.arange(len(w1)), len(w0))
    weights, start, end = w0[first] * w1[second], s0[first], s1[second]
    return _slice(
        weights,
        (1 - t) * m0[first] + t * m1[second],
        ((1 - t) ** 2 * start + t**2 * end).reshape(-1, d, d),
        t * end - (1 - t) * start,
        start + end,
        m1[second] - m0[first],
    )


@COUPLINGS.add(
    "paired",
    label="Paired: the source is the target with noise",
    formula=r"x_0 = x_1 + \xi",
    reference="Atanackovic et al., “Meta flow matching”, 2024 (letters)",
)
def paired(source: Law, target: Law, t: float) -> Slice:
    """Return the slice where x₀ = x₁ + ξ with ξ from ``source``, a Gaussian: then u = −ξ and x_t = x₁ + (1 − t) ξ."""
    weights, means, s1 = _parts(target)
    shift, noise = source.means[0], source.covariances[0]  # type: ignore[union-attr]
    ones = np.ones((len(weights), 1, 1))
    return _slice(
        weights,
        means + (1 - t) * shift,
        s1 + (1 - t) ** 2 * noise,
        -(1 - t) * noise * ones,
        noise * ones,
        np.tile(-shift, (len(weights), 1)),
    )


@COUPLINGS.add(
    "optimal",
    label="Optimal",
    formula=r"x_1 = T(x_0),\ T = \nabla\varphi",
    reference="McCann, “A convexity principle for interacting gases”, 1997",
)
def optimal(source: Law, target: Law, t: float) -> Slice:
    """Return the slice of two Gaussians coupled by their optimal map G: straight paths that never cross, L* = 0."""
    s0 = source.covariances[0]  # type: ignore[union-attr]
    m0, m1 = source.means, target.means  # type: ignore[union-attr]
    g = bures_map(s0, target.covariances[0])  # type: ignore[union-attr]
    eye = np.eye(len(g))
    way = (1 - t) * eye + t * g
    pull = g - eye
    made = _slice(
        np.ones(1),
        (1 - t) * m0 + t * m1,
        (way @ s0 @ way.T)[None],
        (pull @ s0 @ way.T)[None],
        (pull @ s0 @ pull.T)[None],
        m1 - m0,
    )
    return made._replace(within=0.0)  # u is a function of x_t; what is left above is rounding


class ExactField:
    """The exact field of a source, a target and a coupling; made by :func:`exact_field`.

    Called with points (n, d) and a time, or a time for each, it gives the velocity (n, d). It is defined for
    ``first_time`` ≤ t ≤ ``last_time``: where a law sits on points the field is stopped 10⁻³ before.
    """

    def __init__(self, source: Law, target: Law, coupling: str) -> None:
        self.source, self.target, self.coupling = source, target, coupling
        self.dimension = target.dimension
        noisy = coupling != "independent" or isinstance(source, GaussianMixture)
        self.first_time = 0.0 if noisy else LAST
        self.last_time = 1.0 if isinstance(target, GaussianMixture) else 1.0 - LAST
        memorises = coupling == "independent" and isinstance(target, FiniteSample)
        self._variance = source.isotropic_variance if memorises and isinstance(source, GaussianMixture) else None
        self._columns = np.ascontiguousarray(target.points.T if isinstance(target, FiniteSample) else target.means.T)
        make = COUPLINGS[coupling].function
        self._slices = functools.lru_cache(maxsize=256)(functools.partial(make, source, target))

    def __call__(self, x: ArrayLike, t: ArrayLike) -> Floats:
        """Return v*(x, t), (n, d)."""
        return self.values(x, t).velocity

    def slice(self, t: float) -> Slice:
        """Return the law of (x_t, u) at time ``t``, component by component."""
        self._check_times(np.array([t]))
        return self._slices(t)

    def within(self, t: float) -> float:
        """Return Σ_k w_k tr Cov(u | x_t, k), the variance of u that no x explains; points have none."""
        return 0.0 if self._variance is not None else self.slice(t).within

    def values(self, x: ArrayLike, t: ArrayLike) -> Values:
        """Return velocity, score, log-density and spread at points ``x`` (n, d); ``t`` is one time or one for each.

        Cost: some 10 ns for a point and component in the plane; for many different times, also an inverse (d, d) for
        each component and time (none for a sample with a source N(m, s² I)).
        """
        x = self._points(x)
        times = checks.finite_array("t", t, ndim=(0, 1))
        if times.ndim and len(times) != len(x):
            raise ValueError(f"there are {len(x)} points and {len(times)} times; give one time, or one for each point")
        self._check_times(np.atleast_1d(times))
        n, d = x.shape
        made = Values(np.empty((n, d)), np.empty((n, d)), np.empty(n), np.empty(n))
        if self._variance is not None:
            self._memorised(x, np.broadcast_to(times, n).astype(np.float64), made)
        elif not times.ndim:
            self._blurred(x, float(times), made)
        else:
            for one in np.unique(times):
                rows = np.flatnonzero(times == one)
                part = self.values(x[rows], float(one))
                for whole, values in zip(made, part, strict=True):
                    whole[rows] = values
        return made

    def score(self, x: ArrayLike, t: ArrayLike) -> Floats:
        """Return ∇ₓ log p_t(x), (n, d)."""
        return self.values(x, t).score

    def log_density(self, x: ArrayLike, t: ArrayLike) -> Floats:
        """Return log p_t(x), (n,)."""
        return self.values(x, t).log_density

    def jacobian(self, x: ArrayLike, t: float) -> Floats:
        """Return ∂v*_a/∂x_b at points (n, d) and one time, (n, d, d).

        Σ r A + Σ r v gᵀ − (Σ r v)(Σ r g)ᵀ with g_k = −Σ_k⁻¹(x − m_k). Memory n · k · d².
        """
        x = self._points(x)
        found = self.slice(checks.real("t", t))
        checks.memory(24.0 * len(x) * len(found.means) * x.shape[1] ** 2, "the Jacobian of the exact field")
        away = x[:, None, :] - found.means
        own = np.einsum("kab,nkb->nka", found.precisions, away)
        exponents = found.log_weights - 0.5 * np.einsum("nka,nka->nk", own, away)
        exponents -= exponents.max(axis=1, keepdims=True)
        r = np.exp(exponents)
        r /= r.sum(axis=1, keepdims=True)
        v = found.drifts + np.einsum("kab,nkb->nka", found.gains, away)
        mean_v, mean_own = np.einsum("nk,nka->na", r, v), np.einsum("nk,nka->na", r, own)
        made = np.einsum("nk,kab->nab", r, found.gains) - np.einsum("nk,nka,nkb->nab", r, v, own)
        return made + np.einsum("na,nb->nab", mean_v, mean_own)

    def flow_map(self, x: ArrayLike) -> Floats:
        """Return where the exact flow takes points (n, d) by t = 1, in closed form: between two Gaussians only.

        x ↦ m₁ + (S₁S₀⁻¹)^½ (x − m₀) for the independent coupling, principal root: the optimal map iff S₀S₁ = S₁S₀.

        >>> from workbench.fields import gaussian, standard_gaussian
        >>> float(exact_field(standard_gaussian(1), gaussian(0.0, 0.25)).flow_map([[3.0]])[0, 0])
        1.5
        """
        x = self._points(x)
        if not (_is_gaussian(self.source) and _is_gaussian(self.target)) or self.coupling == "paired":
            raise ValueError("the flow map is known in closed form between two Gaussians only; integrate the field")
        s0, s1 = self.source.covariances[0], self.target.covariances[0]  # type: ignore[union-attr]
        m0, m1 = self.source.means[0], self.target.means[0]  # type: ignore[union-attr]
        if self.coupling == "optimal":
            return m1 + (x - m0) @ bures_map(s0, s1).T
        return m1 + (x - m0) @ np.linalg.inv(s0) @ geometric_mean(s0, s1)

    def couple(self, n: int, seed: int | np.random.Generator = 0) -> tuple[Floats, Floats]:
        """Return ``n`` pairs x₀, x₁, each (n, d), from the coupling itself."""
        rng = checks.generator(seed)
        if self.coupling == "optimal":
            x0 = self.source.sample(n, rng)
            return x0, self.flow_map(x0)
        x1 = self.target.sample(n, rng)
        x0 = self.source.sample(n, rng)
        return (x1 + x0 if self.coupling == "paired" else x0), x1

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _points(self, x: ArrayLike) -> Floats:
        x = checks.finite_array("x", x, ndim=2)
        if x.shape[1] != self.dimension:
            raise ValueError(f"x has {x.shape[1]} coordinates and the field {self.dimension}")
        return np.ascontiguousarray(x)

    def _check_times(self, times: Floats) -> None:
        low, high = float(times.min()), float(times.max())
        if low < self.first_time or high > self.last_time:
            raise ValueError(
                f"t must lie between {self.first_time:g} and {self.last_time:g} for this field, got {low:g} to {high:g}"
                + ("" if self.last_time == 1 else "; a law on points has no field at the end")
            )

    def _blurred(self, x: Floats, t: float, made: Values) -> None:
        found = self.slice(t)
        kernel = plane_kernel if x.shape[1] == 2 else mixture_kernel

        def work(rows: slice) -> None:
            kernel(x[rows], *found[:5], *(part[rows] for part in made))

        over_blocks(len(x), work, terms=len(x) * len(found.means) * x.shape[1] / 2)

    def _memorised(self, x: Floats, times: Floats, made: Values) -> None:
        mean = self.source.means[0]  # type: ignore[union-attr]
        columns = self._columns

        def work(rows: slice) -> None:
            memoriser_kernel(x[rows], times[rows], columns, mean, self._variance, *(part[rows] for part in made))

        over_blocks(len(x), work, terms=len(x) * columns.shape[1])


def _is_gaussian(law: Law) -> bool:
    return isinstance(law, GaussianMixture) and law.is_gaussian


def geometric_mean(a: ArrayLike, b: ArrayLike) -> Floats:
    """Return the geometric mean A # B = A^½ (A^−½ B A^−½)^½ A^½ of two covariances (d, d).

    >>> geometric_mean(np.diag([1.0, 4.0]), np.diag([9.0, 1.0])).round(12).tolist()
    [[3.0, 0.0], [0.0, 2.0]]
    """
    a, b = checks.finite_array("a", a, ndim=2), checks.finite_array("b", b, ndim=2)
    values, axes = np.linalg.eigh(a)
    root, back = (axes * np.sqrt(values)) @ axes.T, (axes / np.sqrt(values)) @ axes.T
    inner, turned = np.linalg.eigh(back @ b @ back)
    made = root @ (turned * np.sqrt(np.maximum(inner, 0.0))) @ turned.T @ root
    return 0.5 * (made + made.T)


def exact_field(source: object, target: object, coupling: str = "independent") -> ExactField:
    """Return v*(x, t) = E[x₁ − x₀ | x_t = x], in closed form, with score, density and Jacobian.

    ``source`` and ``target`` are a :class:`GaussianMixture`, points (n, d) (the law of a finite sample, whose field is
    the *memoriser*), or a name in ``LAWS``. ``coupling``: "independent"; "optimal" between two Gaussians; "paired",
    where x₀ = x₁ + ξ and ``source`` is the Gaussian law of ξ.

    Raises ``ValueError`` for laws of different dimensions, for two finite samples (paths between points cross without
    a law that smooths them: take a Gaussian source), and for a coupling that has no closed form for the laws.

    Reference: Lipman et al., "Flow matching for generative modeling", 2022, theorem 1 and 2; Bertrand et al., "On the
    closed-form of flow matching", 2025, for the memoriser.

    >>> from workbench.fields import standard_gaussian
    >>> field = exact_field(standard_gaussian(1), GaussianMixture([0.3, 0.7], [-2.0, 1.5], [0.25, 0.5]))
    >>> float(field([[0.2]], 0.5)[0, 0].round(12)), float(field([[0.0]], 0.0)[0, 0].round(12))
    (1.518703755402, 0.45)
    """
    source, target = as_law("source", source), as_law("target", target)
    checks.choice("coupling", coupling, COUPLINGS)
    if source.dimension != target.dimension:
        raise ValueError(f"the source has {source.dimension} dimension(s) and the target {target.dimension}")
    if coupling == "optimal" and not (_is_gaussian(source) and _is_gaussian(target)):
        raise ValueError(
            'the field of the optimal coupling has a closed form between two Gaussians only; take "independent"'
        )
    if coupling == "paired" and not _is_gaussian(source):
        raise ValueError('coupling="paired" reads the source as the law of the noise x₀ − x₁: give one Gaussian')
    if coupling == "independent":
        if isinstance(source, FiniteSample) and isinstance(target, FiniteSample):
            raise ValueError("between two finite samples there is no field; give a Gaussian (mixture) on one side")
        pairs = len(_parts(source)[0]) * len(_parts(target)[0])
        one_width = isinstance(target, FiniteSample) and source.isotropic_variance is not None  # type: ignore[union-attr]
        if pairs * source.dimension**2 > MOST_PAIRS * 4 and not one_width:
            raise ValueError(
                f"{pairs:,} pairs of components in {source.dimension} dimensions are more than a field takes at once; "
                "fit a mixture of fewer components, or take a source N(m, s² I)"
            )
    return ExactField(source, target, coupling)
