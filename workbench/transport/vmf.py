"""The von Mises–Fisher law on the sphere of directions: its moments, and rules that average over it.

The density of vMF(ε, κ) relative to the uniform law is e^{κ ε·θ} / 0F1(d/2; κ²/4). A cost f(θ) along directions is
even, so the odd part averages out and cosh κ(ε·θ) / 0F1 does as well: any rule for the *uniform* law, a spherical
design say, becomes a rule for vMF by reweighting. That is far more accurate than sampling while the weights are smooth
on the scale of the rule (κ up to about 10 for a hundred directions); beyond, directions are placed by the quantiles of
the law itself.

All in forms that neither overflow (κ > 700) nor cancel (κ < 0.5).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import cumulative_simpson
from scipy.special import gammaln, ive

from workbench import checks
from workbench.registry import Fact, Registry
from workbench.transport.estimators.base import Rule, uniform_directions
from workbench.transport.evaluate import make_rule

Vectors = NDArray[np.float64]
LARGEST_KAPPA = 1e6
RULES = Registry("vMF rule", facts={"dims": Fact(tuple, required=False, says="the dimensions it works in")})
GOLDEN = np.pi * (3 - np.sqrt(5))


def check_kappa(kappa: float) -> float:
    """Return the concentration κ as a float in [0, 1e6]; 0 is the uniform law."""
    return checks.real("kappa", kappa, minimum=0, maximum=LARGEST_KAPPA)


def check_location(location: ArrayLike, dim: int) -> Vectors:
    """Return a location ε as a unit vector (dim,)."""
    vector = checks.finite_array("location", location, ndim=1)
    if len(vector) != dim:
        raise ValueError(f"location has {len(vector)} entries, the clouds lie in {dim} dimensions; give one per axis")
    largest = np.abs(vector).max()
    if largest == 0:
        raise ValueError("location is the zero vector, which points nowhere; give a direction, or 'best'")
    vector = vector / largest
    return vector / np.linalg.norm(vector)


def vmf_mean(kappa: float, dim: int = 3) -> float:
    """Return A(κ) = E ε·θ = I_{d/2}(κ) / I_{d/2−1}(κ), in three dimensions coth κ − 1/κ.

    >>> round(vmf_mean(1.0), 15)
    0.313035285499331
    """
    return vmf_harmonic(kappa, 1, dim)


def vmf_harmonic(kappa: float, degree: int, dim: int = 3) -> float:
    """Return a_l(κ), the factor by which averaging over vMF damps spherical harmonics of the degree l (Funk–Hecke).

    a_l = I_{l+d/2−1}(κ) / I_{d/2−1}(κ) for d ≥ 2. As a ratio of scaled Bessel functions: the closed form of a_4 in
    three dimensions loses 5 digits at κ = 1.

    >>> round(vmf_harmonic(1.0, 2), 13), round(vmf_harmonic(5.0, 4), 13)
    (0.060894143502, 0.1277421166911)
    """
    kappa = check_kappa(kappa)
    degree = checks.integer("degree", degree, minimum=0, maximum=200)
    dim = checks.integer("dim", dim, minimum=2, maximum=1000)
    order = dim / 2 - 1
    below = float(ive(order, kappa))
    if kappa > 0 and below > np.finfo(float).tiny:
        return float(ive(order + degree, kappa)) / below
    # the first term of the series: (κ/2)^l Γ(d/2) / Γ(d/2 + l)
    if degree == 0:
        return 1.0
    if kappa == 0:
        return 0.0
    return float(np.exp(degree * np.log(kappa / 2) + gammaln(dim / 2) - gammaln(dim / 2 + degree)))


def vmf_second_moment(kappa: float, dim: int = 3) -> float:
    """Return E (ε·θ)² = 1/d + (1 − 1/d) a_2(κ); 1/d at κ = 0 and 1 at κ = ∞.

    >>> round(vmf_second_moment(1.0), 12)
    0.373929429001
    """
    return 1 / dim + (1 - 1 / dim) * vmf_harmonic(kappa, 2, dim)


def log_peak(kappa: float, dim: int) -> float:
    """Return log(e^κ / 0F1(d/2; κ²/4)), the logarithm of the density at ε relative to the uniform law."""
    order = dim / 2 - 1
    scaled = float(ive(order, kappa))
    if kappa == 0 or scaled <= np.finfo(float).tiny:  # 0F1 → 1 + κ²/(2d)
        return kappa - np.log1p(kappa * kappa / (2 * dim))
    return -(gammaln(dim / 2) - order * np.log(kappa / 2) + np.log(scaled))


def even_density(kappa: float, cosines: NDArray[np.float64], dim: int) -> NDArray[np.float64]:
    """Return cosh(κt) / 0F1(d/2; κ²/4), the even part of the density relative to the uniform law, for t = ε·θ."""
    size = np.abs(cosines)
    return 0.5 * np.exp(kappa * (size - 1) + log_peak(kappa, dim)) * (1 + np.exp(-2 * kappa * size))


def even_bounds(kappa: float, dim: int) -> tuple[float, float]:
    """Return the least and the largest value of the even density: F_κ lies between these multiples of SW_p^p.

    >>> [round(bound, 4) for bound in even_bounds(1.0, 3)]
    [0.8509, 1.313]
    """
    low, high = even_density(check_kappa(kappa), np.array([0.0, 1.0]), dim)
    return float(low), float(high)


def cap_angle(kappa: float, share: float = 0.5) -> float:
    """Return the angle in radians around ±ε that holds the ``share`` of the directions, in three dimensions.

    The even law of t = |ε·θ| has the distribution function sinh κt / sinh κ.

    >>> round(float(np.degrees(cap_angle(0.0))), 3), round(float(np.degrees(cap_angle(100.0))), 2)
    (60.0, 6.75)
    """
    kappa, outside = check_kappa(kappa), 1 - checks.real("share", share, minimum=0, maximum=1)
    if outside == 0:
        return np.pi / 2
    if kappa < 1e-6:
        cosine = outside
    elif kappa > 30:
        cosine = 1 + np.log(outside) / kappa
    else:
        cosine = np.arcsinh(outside * np.sinh(kappa)) / kappa
    return float(np.arccos(np.clip(cosine, 0, 1)))


def orthonormal_frame(location: Vectors) -> Vectors:
    """Return an orthonormal basis (d, d) whose first row is ε: the Householder reflection that exchanges e₁ and ±ε.

    The sign is chosen so that nothing cancels; the released code divides by |e₁ − ε| + 1e-5 instead and returns
    vectors that are not of length 1 when ε is near e₁.
    """
    dim = len(location)
    sign = -1.0 if location[0] > 0 else 1.0
    normal = location - sign * np.eye(dim)[0]
    reflection = np.eye(dim) - 2 * np.outer(normal, normal) / (normal @ normal)
    reflection[0] *= sign  # the reflection takes e₁ to ±ε
    return reflection


def _around(location: Vectors, cosines: Vectors, tangents: Vectors) -> Vectors:
    """Return t ε + √(1 − t²) v for cosines (n,) and unit tangents (n, d − 1) in the coordinates of the frame."""
    sines = np.sqrt(np.maximum(1 - cosines**2, 0))
    local = np.concatenate([cosines[:, None], sines[:, None] * tangents], axis=1)
    return local @ orthonormal_frame(location)


def _cosines_3(kappa: float, uniform: Vectors) -> Vectors:
    """Return the quantiles of t = ε·θ in three dimensions: t = 1 + ln(u + (1 − u)e^{−2κ})/κ."""
    if kappa < 1e-8:
        return 2 * uniform - 1
    return np.clip(1 + np.log(uniform + (1 - uniform) * np.exp(-2 * kappa)) / kappa, -1, 1)


def _angles_2(kappa: float, levels: Vectors) -> Vectors:
    """Return the quantiles of the angle from ε in the plane, density ∝ e^{κ(cos a − 1)}, from its tabulated integral.

    SciPy's own quantiles of this law take a millisecond each.
    """
    reach = min(np.pi, 9 / np.sqrt(kappa)) if kappa > 0 else np.pi
    angles = np.linspace(-reach, reach, 8193)
    total = cumulative_simpson(np.exp(-2 * kappa * np.sin(angles / 2) ** 2), x=angles, initial=0)
    return np.interp(levels * total[-1], total, angles)


def _cosines_wood(kappa: float, n: int, dim: int, rng: np.random.Generator) -> Vectors:
    """Sample t by rejection from a Beta law: A. Wood, "Simulation of the von Mises Fisher distribution", 1994."""
    if kappa == 0:
        return uniform_directions(n, dim, rng)[:, 0]
    b = (dim - 1) / (np.sqrt(4 * kappa**2 + (dim - 1) ** 2) + 2 * kappa)
    x = (1 - b) / (1 + b)
    c = kappa * x + (dim - 1) * np.log1p(-(x**2))
    found = np.empty(0)
    while len(found) < n:
        beta = rng.beta((dim - 1) / 2, (dim - 1) / 2, 2 * n)
        t = (1 - (1 + b) * beta) / (1 - (1 - b) * beta)
        accepted = kappa * t + (dim - 1) * np.log1p(-x * t) - c >= np.log(rng.random(2 * n))
        found = np.concatenate([found, t[accepted]])
    return found[:n]


@RULES.add(
    "vmf-sampling",
    label="vMF sampling (the paper)",
    formula=r"\frac{1}{L}\sum_l f(\theta_l),\ \theta_l \sim \mathrm{vMF}(\epsilon,\kappa)\ \text{iid}",
    reference="Nguyen, Ren, Nguyen, Rout, Nguyen, Ho, arXiv 2301.04791; Ulrich 1984, Wood 1994",
    cost="error falls like L^(-1/2)",
)
def vmf_sampling(kappa: float, location: Vectors, n: int, rng: np.random.Generator) -> Rule:
    """Return iid directions of vMF(ε, κ) with equal weights; unbiased in any dimension."""
    dim = len(location)
    if dim == 3:
        cosines = _cosines_3(kappa, rng.random(n))
    elif dim == 1:
        cosines = np.ones(n)
    else:
        cosines = _cosines_wood(kappa, n, dim, rng)
    tangents = uniform_directions(n, dim - 1, rng) if dim > 1 else np.zeros((n, 0))
    return Rule(_around(location, cosines, tangents), np.full(n, 1 / n))


@RULES.add(
    "vmf-spiral",
    label="vMF spiral (d = 2, 3)",
    formula=r"t_l = Q_\kappa\left(\frac{l-1/2}{L}\right),\ \varphi_l = \pi(3-\sqrt{5})\,l + \text{random}",
    reference="the quantiles of Ulrich 1984 along a golden-angle spiral",
    cost="for any κ",
    dims=(2, 3),
)
def vmf_spiral(kappa: float, location: Vectors, n: int, rng: np.random.Generator) -> Rule:
    """Return directions at the quantiles of vMF, turned by one random angle about ε (d = 3) or shifted (d = 2)."""
    dim = len(location)
    if dim == 2:
        levels = (np.arange(n) + rng.random()) / n
        angles = _angles_2(kappa, levels)
        return Rule(_around(location, np.cos(angles), np.sign(angles)[:, None] + 0.0), np.full(n, 1 / n))
    if dim != 3:
        raise ValueError(f"the vMF rule 'vmf-spiral' is for two or three dimensions, got {dim}; use 'vmf-sampling'")
    cosines = _cosines_3(kappa, (np.arange(n) + 0.5) / n)
    azimuth = np.arange(1, n + 1) * GOLDEN + 2 * np.pi * rng.random()
    return Rule(_around(location, cosines, np.stack([np.cos(azimuth), np.sin(azimuth)], axis=1)), np.full(n, 1 / n))


@RULES.add(
    "design-cosh",
    label="Reweighted design",
    formula=r"\frac{1}{L}\sum_l f(Q\theta_l)\,\frac{\cosh(\kappa\,\epsilon\cdot Q\theta_l)}{{}_0F_1(d/2;\kappa^2/4)}",
    reference="an even cost averages e^{κt} and cosh κt alike",
    cost="for κ up to about 10 with a hundred directions",
)
def design_cosh(kappa: float, location: Vectors, n: int, rng: np.random.Generator) -> Rule:
    """Return a randomly rotated design weighted by the even density; unbiased, and good while that is smooth."""
    directions = make_rule("design", n, len(location), rng).directions
    return Rule(directions, even_density(kappa, directions @ location, len(location)) / n)


def chosen_rule(method: str, kappa: float, dim: int, n: int) -> str:
    """Return the rule that ``"auto"`` stands for: the design while its spacing resolves the law, else the spiral."""
    if method != "auto":
        return RULES[method].name
    if dim == 1:
        return "design-cosh"
    smooth = kappa <= (0.5 * n if dim == 2 else 0.1 * n if dim == 3 else 1.0)
    return "design-cosh" if smooth else "vmf-spiral" if dim in (2, 3) else "vmf-sampling"


def vmf_directions(
    kappa: float, location: ArrayLike, n: int, *, method: str = "vmf-spiral", seed: int | np.random.Generator = 0
) -> Vectors:
    """Return ``n`` unit vectors (n, d) that follow vMF(ε, κ): a spiral at its quantiles, or ``"vmf-sampling"``.

    ``location`` ε is a vector (d,), normalised here; κ in [0, 1e6], 0 uniform. Raises ``ValueError`` for a zero vector,
    κ outside, and a rule that is weighted (``"design-cosh"``) or does not work in this dimension.

    >>> import numpy as np
    >>> theta = vmf_directions(5.0, [0, 0, 1], 1000)
    >>> round(float(theta[:, 2].mean()), 4), round(vmf_mean(5.0), 4)
    (0.8001, 0.8001)
    """
    if method == "design-cosh":
        raise ValueError("the rule 'design-cosh' weights uniform directions; choose 'vmf-spiral' or 'vmf-sampling'")
    kappa = check_kappa(kappa)
    vector = checks.finite_array("location", location, ndim=1)
    vector = check_location(vector, len(vector))
    n = checks.integer("n", n, minimum=1, maximum=10_000_000)
    rule: Callable[..., Rule] = RULES[method]
    return rule(kappa, vector, n, checks.generator(seed)).directions
