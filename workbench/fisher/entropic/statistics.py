r"""What the curvature of a Gaussian field must be on average: closed forms from its power spectrum.

For Gaussian G = −ln ρ (lognormal densities, at any amplitude) with ⟨|G_k|²⟩ = P(k) and σ_j² = ∫ k^{2j} P dᵈk/(2π)ᵈ:

* ⟨H_ij H_kl⟩ = σ_2² (δ_ij δ_kl + δ_ik δ_jl + δ_il δ_jk)/(d(d + 2));
* the translation probe of reach h has Var K_h = [6 ξ(0) − 8 ξ(h) + 2 ξ(2h)]/h⁴, ξ the correlation function of V_s;
* how many eigenvalues exceed a threshold: the trace is a Gaussian, independent of the rest, whose size and shape have
  the density of Doroshkevich (Astrofizika 6, 1970).

So variances of curvature are higher integrals of P(k), exactly. On a grid the integrals are sums over its modes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from workbench import checks
from workbench.fisher.entropic.fields import mode_variances
from workbench.fisher.entropic.grid import Grid

Floats = NDArray[np.float64]
SMALL = 1.0
"""(h/2R)² below which Var K_h is summed from its own series, where the three terms would cancel."""
NODES = 60
WIDEST = (-46.0, 46.0)
"""ln k of the largest and the smallest scale that are looked at."""
SLOWEST = 1e-3
"""Power of k below which an integral towards large scales is said to diverge."""


@dataclass(frozen=True)
class PowerLaw:
    """P(k) = amplitude · kⁿ e^{−k²R²} with ``slope`` n and ``smoothing`` R, which must be positive.

    >>> round(float(PowerLaw(-2.0, 0.04).moment(3, 1)), 6)
    350.756098
    """

    slope: float
    smoothing: float
    amplitude: float = 1.0

    def __post_init__(self) -> None:
        checks.real("slope", self.slope)
        checks.real("smoothing", self.smoothing, exclusive_minimum=0)
        checks.real("amplitude", self.amplitude, exclusive_minimum=0)

    def __call__(self, k: Floats) -> Floats:
        """Return P(k)."""
        return self.amplitude * k**self.slope * np.exp(-((k * self.smoothing) ** 2))

    def moment(self, d: int, j: int) -> float:
        """Return σ_j² = ∫ k^{2j} P dᵈk/(2π)ᵈ, infinite where the large scales make it diverge."""
        order = (2 * j + self.slope + d) / 2
        if order <= 0:
            return np.inf
        return self.amplitude * _sphere(d) / 2 * self.smoothing ** (-2 * order) * special.gamma(order)

    def widened(self, width: float) -> "PowerLaw":
        """Return the spectrum of the field folded with a Gaussian of standard deviation ``width``."""
        return PowerLaw(self.slope, float(np.hypot(self.smoothing, width)), self.amplitude)


def _sphere(d: int) -> float:
    """Return the area of the unit sphere over (2π)ᵈ."""
    return 2 * np.pi ** (d / 2) / special.gamma(d / 2) / (2 * np.pi) ** d


@dataclass(frozen=True)
class CurvatureStatistics:
    """Second moments of a Gaussian field and its curvature; ``shares[n]`` of cells have n eigenvalues above."""

    field: float
    """σ_0², the variance of ln ρ; infinite where large scales dominate."""
    slope: float
    """σ_1², that of its gradient."""
    second: float
    """σ_2², that of its Laplacian."""
    diagonal: float
    """Var H_xx."""
    mixed: float
    """Var H_xy."""
    probe: float
    """Var K_h of the translation probe; with h = 0 that of H_xx."""
    shares: Floats
    box_curvature: float
    """∫P/∫P k⁻²: the curvature of the whole box against the uniform density in linear theory; 0 where that diverges."""


def curvature_statistics(
    spectrum: PowerLaw | Callable[[Floats], Floats],
    d: int,
    *,
    h: float = 0.0,
    width: float = 0.0,
    threshold: float = 0.0,
) -> CurvatureStatistics:
    """Return the exact statistics of the curvature of a Gaussian field with a power spectrum, in infinite space.

    ``spectrum`` is a :class:`PowerLaw` (closed forms), or a function of an array of k (integrated to nine digits; it
    must fall faster than any power). ``d`` is 2 or 3, ``h`` and ``width`` those of the translation probe, ``threshold``
    in units of the curvature. Raises ``ValueError`` for another d and for a spectrum whose second moment diverges.

    >>> found = curvature_statistics(PowerLaw(-2.0, 0.04), 3, h=0.05)
    >>> round(found.probe, 6), found.shares.round(4).tolist()
    (42881.421222, [0.0797, 0.4203, 0.4203, 0.0797])
    """
    d = checks.integer("d", d, minimum=2, maximum=3)
    h, width = checks.real("h", h, minimum=0), checks.real("width", width, minimum=0)
    threshold = checks.real("threshold", threshold)
    if isinstance(spectrum, PowerLaw):
        widened = spectrum.widened(width)
        moments = [widened.moment(d, j) for j in (0, 1, 2, -1)]
        probe = _power_law_probe(widened, d, h) if h else np.nan
    else:
        moments, probe = _integrated(spectrum, d, h, width)
    field, slope, second, displacement = moments
    if not 0 < second < np.inf:
        raise ValueError(f"the second moment ∫k⁴P of this spectrum is {second}; it must be positive and finite")
    diagonal = 3 * second / (d * (d + 2))
    return CurvatureStatistics(
        field,
        slope,
        second,
        diagonal,
        diagonal / 3,
        probe if h else diagonal,
        eigenvalue_shares(d, threshold / np.sqrt(second)),
        0.0 if np.isinf(displacement) else field / displacement,
    )


def _power_law_probe(spectrum: PowerLaw, d: int, h: float) -> float:
    """Return Var K_h: ξ(r) = σ_0² ₁F₁((n + d)/2; d/2; −r²/4R²), in whose second difference σ_0² may drop out."""
    a, b, radius = (spectrum.slope + d) / 2, d / 2, spectrum.smoothing
    z = (h / (2 * radius)) ** 2
    if z > SMALL and a > 0:
        one, two = special.hyp1f1(a, b, -z), special.hyp1f1(a, b, -4 * z)
        return float(spectrum.moment(d, 0) * (6 - 8 * one + 2 * two) / h**4)
    if z > SMALL:
        unit = _integrated(PowerLaw(spectrum.slope, 1.0, spectrum.amplitude), d, h / radius, 0.0)[1]
        return unit * radius ** -(spectrum.slope + d + 4)
    # Σ_{m ≥ 2} (a)_m/(b)_m (−z)^m/m! (2·4^m − 8), its first term written with σ_2² = σ_0² a (a + 1)/R⁴
    term, total = 1.0, 0.0
    for m in range(2, 80):
        total += term * (2 * 4.0**m - 8)
        term *= -z * (a + m) / ((b + m) * (m + 1))
    first = spectrum.moment(d, 2) * radius**4 / (b * (b + 1)) / 2 * z**2
    return float(first * total / h**4)


def _integrated(spectrum: Callable[[Floats], Floats], d: int, h: float, width: float) -> tuple[list[float], float]:
    """Return σ_0², σ_1², σ_2², ∫P k⁻² and Var K_h of any spectrum, by quadrature in ln k."""

    def power(k: Floats) -> Floats:
        values = np.asarray(spectrum(k), dtype=float) * np.exp(-((k * width) ** 2))
        if values.shape != k.shape or not np.isfinite(values).all() or values.min() < 0:
            raise ValueError("the spectrum must return a finite power of zero or more for each of many k at once")
        return values

    look = np.linspace(*WIDEST, 4001)
    k = np.exp(look)
    powers = power(k)
    if not powers.max() > 0:
        raise ValueError("the spectrum is zero everywhere")
    high = look[np.flatnonzero(powers * k ** (d + 4) > 1e-40 * (powers * k ** (d + 4)).max())[-1]]

    def total(weight: Callable[[Floats], Floats]) -> float:
        size = powers * k**d * weight(k)
        inside = np.flatnonzero(np.abs(size) > 1e-22 * np.abs(size).max())
        beyond = 0.0
        if inside[0] == 0:  # still there at the largest scale looked at, where it is a power of k
            rate = float(np.log(np.abs(size[200] / size[0])) / (look[200] - look[0]))
            if not rate > SLOWEST:
                return np.inf
            beyond = float(size[0]) / rate * _sphere(d)
        found = []
        for panels in (600, 900):
            edges = np.linspace(look[inside[0]], high, panels + 1)
            u, w = np.polynomial.legendre.leggauss(16)
            half = np.diff(edges)[:, None] / 2
            at = np.exp(edges[:-1, None] + half * (u + 1))
            found.append(beyond + float((half * w * power(at) * at**d * weight(at)).sum() * _sphere(d)))
        if not abs(found[0] - found[1]) <= 1e-9 * abs(found[1]):
            raise ValueError("the spectrum is too rough, or the reach h too long, to be integrated to nine digits")
        return found[1]

    moments = [total(lambda k, j=j: k ** (2 * j)) for j in (0, 1, 2, -1)]
    return moments, total(lambda k: _difference(k * h, d) / h**4) if h else np.nan


def _difference(x: Floats, d: int) -> Floats:
    """Return 6 − 8 w(x) + 2 w(2x) for the plane wave w averaged over directions: J₀, or sin(x)/x."""
    wave = {2: special.j0, 3: lambda x: np.sinc(x / np.pi)}[d]
    term, series = 1.0, np.zeros_like(x)
    near = np.minimum(x, 0.5)
    for m in range(1, 14):  # w = Σ (−x²/4)^m/((d/2)_m m!)
        term = term * (-(near**2) / 4) / ((d / 2 + m - 1) * m)
        series += term * (2 * 4.0**m - 8)
    return np.where(x < 0.5, series, 6 - 8 * wave(x) + 2 * wave(2 * x))


def eigenvalue_shares(d: int, threshold: float = 0.0) -> Floats:
    """Return the probabilities that 0 … d eigenvalues of H exceed ``threshold`` · σ_2, for a Gaussian field.

    >>> eigenvalue_shares(2).round(10).tolist()
    [0.2113248654, 0.5773502692, 0.2113248654]
    """
    d = checks.integer("d", d, minimum=2, maximum=3)
    u, weight = np.polynomial.legendre.leggauss(NODES)
    if d == 2:  # eigenvalues m ± r: r is Rayleigh with s² = 1/8, m Gaussian with variance 1/4
        radius = (u + 1) / 2 * 3.2
        density = radius * 8 * np.exp(-4 * radius**2) * weight * 1.6
        levels = np.stack([radius, -radius])
        spread = 0.5
    else:  # m + r cos(θ + 2πk/3): density r⁴ e^{−45 r²/8} sin 3θ, m Gaussian with variance 1/9
        radius, angle = (u + 1) / 2 * 3.0, (u + 1) / 2 * np.pi / 3
        outer = radius**4 * np.exp(-45 / 8 * radius**2) * weight
        density = (outer[:, None] * (np.sin(3 * angle) * weight)[None]).ravel()
        turns = np.array([0.0, -2 * np.pi / 3, 2 * np.pi / 3])
        levels = np.stack([(radius[:, None] * np.cos(angle + turn)[None]).ravel() for turn in turns])
        spread = 1 / 3
    density /= density.sum()
    # at least k above: the k-th largest, m + level_k, is above
    above = [1.0, *((density * special.ndtr((row - threshold) / spread)).sum() for row in levels), 0.0]
    return -np.diff(np.array(above))


def grid_statistics(
    grid: Grid, slope: float, sigma: float, smoothing: float, *, h: float = 0.0, width: float = 0.0
) -> CurvatureStatistics:
    """Return the same for the modes of a grid: what the average over many fields of :func:`field` tends to.

    A grid has no direction in common with space, so ``diagonal``, ``mixed`` and ``probe`` are means over its axes.
    """
    variances = sigma**2 * mode_variances(grid, slope, smoothing) * grid.weights() / grid.cells
    variances = variances * np.exp(-grid.squared() * width**2)
    d = grid.dimension
    k2 = grid.squared()
    safe = np.where(k2 > 0, k2, np.inf)

    def total(weight: Floats) -> float:
        return float((variances * weight).sum())

    waves = [grid.wave(axis) for axis in range(d)]
    odd = [grid.wave(axis, odd=True) for axis in range(d)]
    diagonal = float(np.mean([total(k**4) for k in waves]))
    mixed = float(np.mean([total((odd[i] * odd[j]) ** 2) for i in range(d) for j in range(i)]))
    probe = float(np.mean([total(((2 - 2 * np.cos(h * k)) / h**2) ** 2) for k in waves])) if h else diagonal
    field = total(np.ones_like(k2))
    return CurvatureStatistics(
        field, total(k2), total(k2**2), diagonal, mixed, probe, eigenvalue_shares(d), field / total(1 / safe)
    )
