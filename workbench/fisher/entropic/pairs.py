r"""Entropic curvature between two measures: the K with which the entropy along the geodesic is exactly that convex.

The reference measure is m = ρ dx, V = −ln ρ; E(μ) = KL(μ | m). For a pair with Wasserstein geodesic μ_t and distance W:

* N = ∞: K = 2[(1 − t)E₀ + tE₁ − E_t]/(t(1 − t)W²);
* finite N (the entropic CD(K, N) of Erbar, Kuwada and Sturm, Invent. math. 201, 2015): with U = e^{−E/N}, the K with
  U_t = σ^{(1−t)}U₀ + σ^{(t)}U₁, σ^{(t)} = sin(tθ)/sin θ, θ = W√(K/N), and sinh for negative K.

E splits into what the pair alone does, −∫ ln det((1 − t)I + t DT) dμ₀, and ∫V(T_t) dμ₀. So K = K_int + K_pot: the first
is never negative, whatever the reference; the second is an average of ∇∇V along the lines of transport. Hence K is an
*upper estimate* of the curvature bound inf λ_min(∇∇V), and depends on the pair.

Differences of entropies are never formed from the entropies: the gap is integrated itself, so that nearby measures and
t near 0 or 1 keep their digits.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from workbench import checks, results
from workbench.fisher.entropic.measures import LOG_2PI, Floats, Measure, Normal, Table
from workbench.progress import Progress

PLACES = 41
Z_LIMIT, Z_TABLE, Z_NODES = 8.5, 6.0, 1201
"""Quantiles of mixtures: the trapezoidal rule in the Gaussian's own coordinate, which converges exponentially. A table
as reference must cover six deviations, beyond which is a mass of 2e-9."""
NODES_PER_PIECE, MANY_PIECES = (24, 10), 500
SEEN, DRAWN, MOMENTS = 3.7, 121, 5
"""What is drawn of measures on a line: so many deviations, nodes, and places on the geodesic."""
NEAR = 1e-13
"""Relative W² below which two measures are the same."""


@dataclass(frozen=True, eq=False)
class _Path:
    """What is needed of a pair: gaps (1 − t)f₀ + t f₁ − f_t at several t, and the ends.

    ``internal`` and ``potential`` are the gaps of both parts of E at the asked t; ``rise`` is E₁ − E₀, ``start`` E₀;
    ``error`` bounds what quadrature leaves of the potential gap.
    """

    squared: float
    internal: Floats
    potential: Floats
    start: float
    rise: float
    error: float


@results.experiment
def entropic_curvature(
    mu0: Measure,
    mu1: Measure,
    *,
    reference: Measure | None = None,
    t: float = 0.5,
    N: float = np.inf,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the entropic curvature between two measures, split, and the entropy along their geodesic.

    ``mu0`` and ``mu1`` are :class:`Normal` in the same dimension, or on a line :class:`Bumps` and :class:`Table` in any
    combination; ``reference`` likewise (None: Lebesgue's measure). ``value`` is K for the dimension ``N`` (infinity, or
    from 1 on) at the place ``t`` on the geodesic, ``internal`` and ``potential`` its parts at N = ∞, ``W2`` the squared
    distance. Over ``place``: ``entropy``, its ``chord`` and the ``arc`` that constant curvature K would draw. ``error``
    is what quadrature leaves of ``value``. On a line the densities along the geodesic are there too, to be drawn.

    Raises ``ValueError`` for two equal measures (the local limit is :func:`curvature_field`'s), dimensions that differ,
    t outside (0, 1), a table as reference that does not cover the path. Cost: milliseconds.

    >>> ds = entropic_curvature(Normal(0, 1), Normal(0, 4), N=np.inf)
    >>> round(float(ds.value), 12), float(ds.potential), float(ds.W2)
    (0.471132142626, 0.0, 1.0)
    >>> round(float(entropic_curvature(Normal(0, 1), Normal(0, 4), t=0.25, N=2).value), 10)
    0.2599879915
    """
    for name, measure in (("mu0", mu0), ("mu1", mu1), ("reference", reference)):
        if measure is not None and not isinstance(measure, Measure):
            raise TypeError(f"{name} must be a Normal, Bumps or Table, got {type(measure).__name__}")
    d = mu0.dimension
    for name, measure in (("mu1", mu1), ("reference", reference)):
        if measure is not None and measure.dimension != d:
            raise ValueError(f"{name} lives in {measure.dimension} dimensions, mu0 in {d}; give both in the same space")
    t = checks.real("t", t)
    if not 0 < t < 1:
        raise ValueError(f"t must lie strictly between 0 and 1, got {t:g}; at the ends nothing is compared")
    if not (isinstance(N, (int, float)) and np.inf == N):
        N = checks.real("N", N, minimum=1, maximum=1e9)
    place = np.linspace(0, 1, PLACES)
    times = np.concatenate([place[1:-1], [t]])
    path = (
        _gaussian_path(mu0, mu1, reference, times) if _all_normal(mu0, mu1) else _line_path(mu0, mu1, reference, times)
    )
    gap = path.internal + path.potential
    scale = 2 / (times * (1 - times) * path.squared)
    internal, potential = (float((part * scale)[-1]) for part in (path.internal, path.potential))
    value = internal + potential
    if np.isfinite(N):
        value = _finite_dimension(float(gap[-1]), path.rise, path.squared, t, N)
    chord = path.start + place * path.rise
    entropy = chord.copy()
    entropy[1:-1] -= gap[:-1]
    arc = _arc(place, path, value, N)
    one = ("place",)
    drawn, axes = _drawn(mu0, mu1, reference) if d == 1 else ({}, {})
    return results.dataset(
        {
            "value": ((), value, "entropic curvature K", "1/length²"),
            "internal": ((), internal, "its part from the pair alone, at N = ∞", "1/length²"),
            "potential": ((), potential, "its part from the reference, at N = ∞", "1/length²"),
            "W2": ((), path.squared, "squared Wasserstein distance", "length²"),
            "error": ((), path.error * float(scale[-1]), "what quadrature leaves of K", "1/length²"),
            "entropy": (one, entropy, "KL(μ_t | m) along the geodesic", "nat"),
            "chord": (one, chord, "the straight line between its ends", "nat"),
            "arc": (one, arc, "the entropy that constant curvature K would have", "nat"),
            "curvature": (
                one,
                np.concatenate([[np.nan], (gap * scale)[:-1], [np.nan]]),
                "K at N = ∞ by t",
                "1/length²",
            ),
            **drawn,
        },
        {"place": (one, place, "place t on the geodesic"), **axes},
        {"t": t, "N": N if np.isfinite(N) else "inf", "dimension": d},
    )


def _all_normal(*measures: Measure) -> bool:
    return all(isinstance(one, Normal) for one in measures)


# ---- Gaussians ------------------------------------------------------------------------------------------------------


def _gaussian_path(mu0: Normal, mu1: Normal, reference: Measure | None, times: Floats) -> _Path:
    """Return the gaps between Gaussians: T is affine, x ↦ m₁ + A(x − m₀), A the positive matrix with A Σ₀ A = Σ₁."""
    d = mu0.dimension
    values, vectors = np.linalg.eigh(mu0.covariance)
    root, inverse = ((vectors * values**power) @ vectors.T for power in (0.5, -0.5))
    inner, turns = np.linalg.eigh(root @ mu1.covariance @ root)
    middle = (turns * np.sqrt(np.maximum(inner, 0))) @ turns.T
    stretch = inverse @ middle @ inverse
    stretch = (stretch + stretch.T) / 2
    less = np.linalg.eigvalsh(stretch - np.eye(d))  # eigenvalues of A − 1
    step = mu1.mean - mu0.mean
    change = stretch - np.eye(d)
    spread = change @ mu0.covariance @ change  # covariance of T(x) − x
    squared = float(step @ step + np.trace(spread))
    size = float(np.trace(mu0.covariance) + np.trace(mu1.covariance) + step @ step)
    _refuse_equal(squared, size)
    internal = sum(_log_gap(times, one) for one in less)
    entropy = -d * (1 + LOG_2PI) / 2 - np.linalg.slogdet(mu0.covariance)[1] / 2  # ∫μ₀ ln μ₀
    rise = -float(np.log1p(less).sum())
    if reference is None:
        return _Path(squared, internal, np.zeros_like(times), float(entropy), rise, 0.0)
    if isinstance(reference, Normal):
        precision = np.linalg.inv(reference.covariance)
        bend = float(step @ precision @ step + np.trace(precision @ spread))
        potential = times * (1 - times) / 2 * bend
        constant = d * LOG_2PI / 2 + np.linalg.slogdet(reference.covariance)[1] / 2
        energy = []
        for one in (mu0, mu1):
            off = one.mean - reference.mean
            energy.append(float(off @ precision @ off + np.trace(precision @ one.covariance)) / 2 + constant)
        return _Path(squared, internal, potential, float(entropy + energy[0]), rise + energy[1] - energy[0], 0.0)
    assert d == 1  # Bumps and Table live on a line
    return _line_path(mu0, mu1, reference, times)


def _log_gap(times: Floats, less: float) -> Floats:
    """Return ln(1 − t + tλ) − t ln λ for λ = 1 + ``less``: the gap of −ln, by its series where λ is near one."""
    if abs(less) > 0.05:
        return np.log1p(times * less) - times * np.log1p(less)
    power, found = less, np.zeros_like(times)
    for n in range(2, 18):
        power *= -less
        found += (times - times**n) / n * -power
    return found


# ---- a line ---------------------------------------------------------------------------------------------------------


def _line_path(mu0: Measure, mu1: Measure, reference: Measure | None, times: Floats) -> _Path:
    """Return the gaps on a line: μ_t has the quantiles (1 − t)q₀ + t q₁, and every integral is one over the mass."""
    coarse = _line_gaps(mu0, mu1, reference, times, fine=False)
    fine = _line_gaps(mu0, mu1, reference, times, fine=True)
    error = float(np.abs((coarse.internal + coarse.potential) - (fine.internal + fine.potential))[-1])
    return _Path(fine.squared, fine.internal, fine.potential, fine.start, fine.rise, error)


def _line_gaps(mu0: Measure, mu1: Measure, reference: Measure | None, times: Floats, *, fine: bool) -> _Path:
    limit = Z_TABLE if isinstance(reference, Table) else Z_LIMIT
    (q0, log0), (q1, log1), weights = _quantiles(mu0, mu1, fine, limit)
    step = q1 - q0
    squared = float(weights @ step**2)
    size = float(weights @ (q0**2 + q1**2))
    _refuse_equal(squared, size)
    ratio = log0 - log1  # ln of q₁'/q₀': how far the map stretches
    late = times[:, None]
    internal = (np.logaddexp(np.log1p(-late), np.log(late) + ratio) - late * ratio) @ weights
    start, rise = float(weights @ log0), -float(weights @ ratio)
    potential = np.zeros_like(times)
    if reference is not None:
        at0, at1 = (-reference.log_density(q[:, None]) for q in (q0, q1))
        between = -reference.log_density((q0 + late * step)[..., None])
        potential = ((1 - late) * at0 + late * at1 - between) @ weights
        start, rise = start + float(weights @ at0), rise + float(weights @ (at1 - at0))
    return _Path(squared, internal, potential, start, rise, 0.0)


def _quantiles(
    mu0: Measure, mu1: Measure, fine: bool, limit: float
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats], Floats]:
    """Return places and log densities of both measures at the same masses, and the weights of these."""
    tables = [one for one in (mu0, mu1) if isinstance(one, Table)]
    if not tables:
        z = np.linspace(-limit, limit, Z_NODES if fine else Z_NODES // 2 + 1)
        weights = np.exp(-(z**2) / 2)
        return _along(mu0, z), _along(mu1, z), weights / weights.sum()
    edges = np.unique(np.concatenate([one.edges for one in tables]))
    if len(tables) == 1:  # the tails of the other need short pieces
        tail = 2.0 ** -np.arange(2, 50)
        edges = np.unique(np.concatenate([edges, tail, 1 - tail]))
    count = NODES_PER_PIECE[len(edges) > MANY_PIECES]
    nodes, shares = np.polynomial.legendre.leggauss(count if fine else count - 4)
    # Where a density nearly vanishes its quantiles are a root of the mass, and entropies its logarithm: both are smooth
    # in s for a mass that is flat at both ends of its piece, s⁴ at first.
    s, width = (nodes + 1) / 2, np.diff(edges)[:, None]
    mass = (edges[:-1, None] + width * s**4 * (35 - 84 * s + 70 * s**2 - 20 * s**3)).ravel()
    z = np.clip(ndtri(mass), -limit, limit)
    return _along(mu0, z, mass), _along(mu1, z, mass), (width * (70 * (s * (1 - s)) ** 3 * shares)).ravel()


def _along(measure: Measure, z: Floats, mass: Floats | None = None) -> tuple[Floats, Floats]:
    """Return the places with as much mass below as a standard Gaussian has below ``z``, and the log density there."""
    if isinstance(measure, Table):
        assert mass is not None
        q, density = measure.at_mass(mass)
        return q, np.log(density)
    if isinstance(measure, Normal):
        deviation = float(np.sqrt(measure.covariance[0, 0]))
        return measure.mean[0] + deviation * z, -(z**2) / 2 - np.log(deviation) - LOG_2PI / 2
    q = measure.quantiles(z)
    return q, measure.log_density(q[:, None])


def _drawn(mu0: Measure, mu1: Measure, reference: Measure | None) -> tuple[dict[str, tuple], dict[str, tuple]]:
    """Return densities along the geodesic of measures on a line, and that of the reference, to be drawn."""
    z = np.linspace(-SEEN, SEEN, DRAWN)
    mass = ndtr(z)
    (q0, log0), (q1, log1) = _along(mu0, z, mass), _along(mu1, z, mass)
    moments = np.linspace(0, 1, MOMENTS)[:, None]
    slope = (1 - moments) * np.exp(-log0) + moments * np.exp(-log1)  # q_t', one over the density
    places = q0 + moments * (q1 - q0)
    x = np.linspace(float(places.min()), float(places.max()), 2 * DRAWN - 1)
    if reference is None:
        behind = np.full_like(x, np.nan)
    elif isinstance(reference, Table):
        behind = np.interp(x, reference.x, reference.density, left=0.0, right=0.0)
    else:
        behind = np.exp(reference.log_density(x[:, None]))
    grid = ("moment", "node")
    return (
        {
            "position": (grid, places, "place on the line", "length"),
            "density": (grid, 1 / slope, "density of μ_t there", "1/length"),
            "reference_density": (("x",), behind, "density of the reference", "1/length"),
        },
        {
            "moment": (("moment",), moments[:, 0], "place t of the drawn densities"),
            "node": (("node",), mass, "mass below"),
            "x": (("x",), x, "place on the line", "length"),
        },
    )


# ---- from gaps to curvature -----------------------------------------------------------------------------------------


def _refuse_equal(squared: float, size: float) -> None:
    if not squared > NEAR * size:
        raise ValueError(
            "both measures are the same up to rounding, and no geodesic leads from one to the other; move or stretch "
            "one (the local limit is that of curvature_field)"
        )


def _finite_dimension(gap: float, rise: float, squared: float, t: float, N: float) -> float:
    """Return the root K of U_t = σ^{(1−t)}U₀ + σ^{(t)}U₁, whose right side rises with K."""
    first, last = np.exp(-(gap - t * rise) / N), np.exp(-(gap + (1 - t) * rise) / N)  # U₀/U_t and U₁/U_t

    def excess(s: float) -> float:  # s = θ²
        return _sigma(1 - t, s) * first + _sigma(t, s) * last - 1

    high = np.pi**2 * (1 - 1e-12)
    low = -1.0
    while excess(low) > 0:
        low *= 4
        if low < -1e6:
            raise ValueError("the entropy bends so sharply that no K of the entropic CD(K, N) fits; take a larger N")
    return float(brentq(excess, low, high, xtol=1e-14, rtol=1e-14, maxiter=500)) * N / squared


def _sigma(t: float, s: float) -> float:
    """Return sin(tθ)/sin θ for s = θ², continued to negative s by sinh."""
    if abs(s) < 1e-8:
        return t * (1 + s * (1 - t * t) / 6)
    theta = np.sqrt(abs(s))
    if s > 0:
        return float(np.sin(t * theta) / np.sin(theta))
    return float(np.exp((t - 1) * theta) * np.expm1(-2 * t * theta) / np.expm1(-2 * theta))


def _arc(place: Floats, path: _Path, value: float, N: float) -> Floats:
    """Return the entropy that constant curvature draws between the ends: a parabola, or −N ln of a sine's arc."""
    chord = path.start + place * path.rise
    if not np.isfinite(N):
        return chord - value / 2 * place * (1 - place) * path.squared
    s = value * path.squared / N
    return path.start - N * np.array(
        [np.log(_sigma(1 - t, s) + _sigma(t, s) * np.exp(-path.rise / N)) for t in place.tolist()]
    )
