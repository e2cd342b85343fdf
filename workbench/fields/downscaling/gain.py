"""What the Wasserstein regulariser of WassDiff does to one Gaussian pixel, in closed form.

The loss is (1 − w) E(x̂ − y)²/σ² + w·SW₁, where SW₁ compares the batch of denoised pictures with the batch of targets.
For y ~ N(μ, s²) and a denoiser x̂ = μ + a (x̃ − μ), x̃ = y + σε, a large batch makes SW₁ = c |aA − s| with
A² = s² + σ² and c = √(2/π); the minimiser over a, and what a sampler makes of it, then have formulas.
"""

import math

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike
from scipy.special import expi, ndtr, ndtri

from workbench import checks, results
from workbench.fields.core.laws import Floats
from workbench.fields.downscaling.spread import KNOTS, LEVELS, between, integrated

C = math.sqrt(2 / math.pi)
"""Mean absolute value of a standard normal number."""
SCALE = 5.0
"""y = log(1 + R)/5, R in mm a day, as the paper transforms rain."""
SAMPLERS = ("ode", "sde", "pc")
DRAWN = 24_000
"""Numbers drawn for a finite batch; common to all σ and all gains, so that curves are smooth."""
MOST_BATCH = 1024


def to_rain(y: ArrayLike) -> Floats:
    """Return R = max(0, e^{5y} − 1) in mm a day; what lies beyond float64 is infinite.

    >>> to_rain([0.0, -1.0]).tolist()
    [0.0, 0.0]
    """
    with np.errstate(over="ignore"):
        return np.maximum(np.expm1(SCALE * np.asarray(y, dtype=np.float64)), 0.0)


def from_rain(rain: ArrayLike) -> Floats:
    """Return y = log(1 + R)/5 of rain in mm a day."""
    return np.log1p(np.asarray(rain, dtype=np.float64)) / SCALE


def _pull(w: float) -> float:
    """Return β = wc/(2(1 − w)), how hard the regulariser pulls beside the regression."""
    return w * C / (2 * (1 - w))


def _checked(s: float, w: float) -> tuple[float, float]:
    s = checks.real("s", s, minimum=1e-3, maximum=10.0)
    w = checks.real("w", w, minimum=0.0, maximum=0.99)
    return s, w


def matching_level(s: float, w: float) -> float:
    """Return σ_k, beyond which the minimiser matches the spread of the data outright (0: everywhere; ∞: nowhere).

    σ_k² = A_k² − s², A_k = (√(s² + 4s/β) − s)/2 with β = wc/(2(1 − w)).

    >>> round(matching_level(0.2, 0.2), 12)
    1.30436954523
    """
    s, w = _checked(s, w)
    if w == 0:
        return math.inf
    a_k = (math.sqrt(s * s + 4 * s / _pull(w)) - s) / 2
    return math.sqrt(max(a_k * a_k - s * s, 0.0))


def wdr_gain(s: float, sigma: ArrayLike, w: float, batch: int | None = None) -> Floats:
    """Return the gain a_w of the denoiser that minimises the regularised loss, for each σ.

    ``s``: standard deviation of the data; ``sigma``: noise, an array of any shape; ``w`` in [0, 0.99], 0 being plain
    regression with the Bayes gain s²/(s² + σ²). Without ``batch`` the batch is large:

        a_w = s²/A² + βσ²/A while A(A + s) < s/β, else s/A,   β = wc/(2(1 − w)), A² = s² + σ², c = √(2/π).

    With ``batch`` the term sorts that many pairs; a is the minimiser over 24,000 fixed draws (error about 1e-3 s). A
    batch of one is an L1 regression: the Bayes gain. ``ValueError`` for σ ≤ 0.
    Reference: Liu et al., arXiv 2410.00381, the loss as its authors coded it; the
    minimiser was derived for this workbench.

    >>> round(float(wdr_gain(0.2, 2.0, 0.2)), 12), round(float(wdr_gain(0.2, 2.0, 0.0)), 4)
    (0.099503719021, 0.0099)
    """
    s, w = _checked(s, w)
    sigma = checks.finite_array("sigma", sigma)
    if (sigma <= 0).any():
        raise ValueError(f"sigma must be greater than 0, got {float(sigma.min())}")
    if batch is not None:
        batch = checks.integer("batch", batch, minimum=1, maximum=MOST_BATCH)
    square = s * s + sigma**2
    bayes = s * s / square
    if w == 0 or batch == 1:
        return bayes
    if batch is not None:
        return _of_batch(s, sigma.ravel(), w, batch).reshape(sigma.shape)
    a, beta = np.sqrt(square), _pull(w)
    return np.where(a * (a + s) < s / beta, bayes + beta * sigma**2 / a, s / a)


def _of_batch(s: float, sigma: Floats, w: float, batch: int) -> Floats:
    """Return the minimisers over a of the loss with sorted batches, convex in a.

    The slope 2(1 − w)(aA² − s²)/σ² + w mean |x| sign(a − y/x) jumps at the ratios y/x of sorted pairs and rises
    between them, so that its zero is found among the sorted ratios.
    """
    rng = np.random.default_rng(0)
    rows = max(DRAWN // batch, 40)
    y, noise = s * rng.standard_normal((rows, batch)), rng.standard_normal((rows, batch))
    target = np.sort(y, axis=1).ravel()
    found = np.empty(len(sigma))
    for k, level in enumerate(sigma):
        x = np.sort(y + level * noise, axis=1).ravel()
        ratio = target / x
        order = np.argsort(ratio)
        ratio, share = ratio[order], w * np.abs(x[order]) / len(x)
        steep = 2 * (1 - w) * (s * s + level**2) / level**2
        bayes = s * s / (s * s + level**2)
        pull = np.concatenate([[0.0], 2 * np.cumsum(share)]) - share.sum()  # below the first ratio, between, above
        below = steep * (ratio - bayes) + pull[:-1]  # slope just below each ratio
        at = int(np.searchsorted(below, 0.0))
        zero = bayes - pull[at] / steep  # of the piece that ends at ratio[at]
        found[k] = zero if at == 0 else max(zero, ratio[at - 1])
    return found


def wdr_inflation(
    s: float,
    w: float,
    sigma_min: float = 0.01,
    sigma_max: float = 50.0,
    sampler: str = "ode",
    gate: float | None = None,
    batch: int | None = None,
) -> float:
    """Return κ: the standard deviation of samples ÷ that of the exact score's, at the population optimum.

    ``sampler``: "ode", the probability-flow equation, or "sde", the reverse equation with fresh noise, which forgets
    the errors made early; both from σ_max to σ_min, without discretisation and without a condition; "pc", the paper's
    predictor and corrector with 1,000 levels and signal-to-noise ratio 0.16, over very many pixels. ``gate``: the
    regulariser acts below this σ only; ``batch``: pairs that are sorted together, very many if left out. With
    β = wc/(2(1 − w)), σ_k clipped to [σ_min, top] and top = min(gate, σ_max),

        ln κ = β(√(s² + σ_k²) − √(s² + σ_min²)) + H(top) − H(σ_k),  H(z) = −asinh(s/z) − ln(z/√(s² + z²)) (ode);

    of "sde" the variance solves a linear equation in A = √(s² + σ²), with exponential integrals. "pc" and finite
    batches have no formula: their variance is followed along the levels (error about 10⁻⁵, of a batch 10⁻³). Cost: of
    a batch 60 ms, of "pc" 5 ms.

    >>> round(wdr_inflation(0.2, 0.2), 9), wdr_inflation(0.2, 0.0)
    (1.282441289, 1.0)
    """
    s, w = _checked(s, w)
    checks.choice("sampler", sampler, SAMPLERS)
    sigma_min = checks.real("sigma_min", sigma_min, minimum=1e-6)
    sigma_max = checks.real("sigma_max", sigma_max, exclusive_minimum=sigma_min, maximum=1e4)
    top = sigma_max if gate is None else min(checks.real("gate", gate, exclusive_minimum=0), sigma_max)
    if w == 0 or top <= sigma_min or batch == 1:
        return 1.0
    if batch is not None or sampler == "pc":
        levels = np.geomspace(sigma_max, sigma_min, LEVELS)
        if batch is None:
            gains = np.where(levels <= top, wdr_gain(s, levels, w), wdr_gain(s, levels, 0.0))
        else:
            knots = np.geomspace(sigma_min, top, KNOTS)
            gains = between(levels, knots, wdr_gain(s, knots, w, batch) - wdr_gain(s, knots, 0.0), s)
        return float(integrated(s, levels, gains, sampler))
    beta = _pull(w)
    knee = min(max(matching_level(s, w), sigma_min), top)
    if sampler == "ode":
        within = beta * (math.hypot(s, knee) - math.hypot(s, sigma_min))
        return math.exp(within + _matched(s, top) - _matched(s, knee))
    a_top, a_knee, a_min = (math.hypot(s, z) for z in (top, knee, sigma_min))
    variance = a_top**2
    if a_top > a_knee:
        variance = (a_knee + s) ** 4 * (variance / (a_top + s) ** 4 + _late(s, a_top) - _late(s, a_knee))
    if a_knee > a_min:
        b = 4 * beta
        kept = variance / a_knee**4 * math.exp(b * (a_knee - a_min))
        fresh = math.exp(-b * a_min) * (_fresh(a_knee, b) - _fresh(a_min, b))
        variance = a_min**4 * (kept + fresh)
    return math.sqrt(variance) / a_min


def _matched(s: float, z: float) -> float:
    return -math.asinh(s / z) - math.log(z / math.hypot(s, z))


def _late(s: float, a: float) -> float:
    """Return ∫2A (A + s)⁻⁴ dA."""
    return -1 / (a + s) ** 2 + 2 * s / (3 * (a + s) ** 3)


def _fresh(a: float, b: float) -> float:
    """Return ∫2A⁻³ e^{bA} dA."""
    return float(-math.exp(b * a) * (1 / a**2 + b / a) + b * b * expi(b * a))


def _corrected_along(s: float, weights: Floats, sigma_max: float, gate: float | None) -> list[float]:
    """Return κ of the paper's sampler at each weight, all in one pass over its levels."""
    levels = np.geomspace(sigma_max, 0.01, LEVELS)
    bayes = wdr_gain(s, levels, 0.0)
    within = np.ones_like(levels, bool) if gate is None else levels <= gate
    gains = np.stack([np.where(within, wdr_gain(s, levels, float(w)), bayes) for w in weights], axis=1)
    return integrated(s, levels, gains, "pc").tolist()


def rain_quantile(mean: float, spread: float, level: ArrayLike) -> Floats:
    """Return quantiles in mm a day of R = max(0, e^{5y} − 1), y ~ N(mean, spread²).

    >>> float(rain_quantile(0.35, 0.2, 0.999).round(1))
    125.5
    """
    return to_rain(mean + spread * ndtri(np.asarray(level, dtype=np.float64)))


def mean_rain(mean: float, spread: float) -> float:
    """Return E max(0, e^{5y} − 1) in mm a day, y ~ N(mean, spread²).

    >>> round(mean_rain(0.35, 0.2), 3)
    8.5
    """
    m, d = SCALE * mean, SCALE * spread
    return float(np.exp(m + d * d / 2) * ndtr((m + d * d) / d) - ndtr(m / d))


@results.experiment
def inflation_report(
    w: float = 0.2,
    s: float = 0.2,
    mean: float = 0.35,
    sigma_max: float = 50.0,
    batch: int = 12,
    sampler: str = "ode",
    gate: float | None = None,
) -> xr.Dataset:
    """Return what the regulariser does to a Gaussian pixel: gains along σ, κ along w, and return levels in mm.

    ``w``, ``s``, ``sigma_max``, ``sampler``, ``gate`` as in :func:`wdr_inflation`, ``mean`` of y = log(1 + R)/5,
    ``batch`` the pairs that are sorted together. Along ``sigma``: ``bayes``, ``gain`` (large batch), ``batched``
    (that batch). Along ``weight``: ``inflation_ode``, ``inflation_sde`` and ``inflation_pc``. Along ``period`` in days:
    ``level`` of the truth, ``level_wdr`` of the samples of a large batch, ``level_batch`` of that batch. Scalars:
    ``inflation`` κ, ``inflation_batch``, ``knee`` σ_k, and the 99.9 % quantile and the mean of the laws in mm a day.
    Cost: some 80 ms. The scope is the population optimum without a condition; with one that explains most of the
    variance the effect is smaller.

    >>> ds = inflation_report()
    >>> round(float(ds.inflation), 4), round(float(ds.extreme), 1), round(float(ds.extreme_wdr), 1)
    (1.2824, 125.5, 301.8)
    """
    s, w = _checked(s, w)
    mean = checks.real("mean", mean, minimum=-2.0, maximum=2.0)
    sigma_max = checks.real("sigma_max", sigma_max, minimum=0.1, maximum=1000.0)
    batch = checks.integer("batch", batch, minimum=1, maximum=MOST_BATCH)
    kappa = wdr_inflation(s, w, 0.01, sigma_max, sampler, gate)
    sigma = np.geomspace(0.01, sigma_max, 61)
    few = sigma[::5]
    off = np.ones_like(sigma, bool) if gate is None else sigma < gate
    bayes, gain = wdr_gain(s, sigma, 0.0), wdr_gain(s, sigma, w)
    batched = wdr_gain(s, few, w, batch)
    weights = np.linspace(0.0, 0.9, 46)
    curves = {
        name: [wdr_inflation(s, float(one), 0.01, sigma_max, name, gate) for one in weights] for name in ("ode", "sde")
    }
    curves["pc"] = _corrected_along(s, weights, sigma_max, gate)
    of_batch = wdr_inflation(s, w, 0.01, sigma_max, sampler, gate, batch)
    period = np.geomspace(2, 10_000, 60)
    level = 1 - 1 / period
    return results.dataset(
        {
            "bayes": (("sigma",), bayes, "Bayes gain s²/(s² + σ²)"),
            "gain": (("sigma",), np.where(off, gain, bayes), "gain of the regularised optimum, large batch"),
            "batched": (("few",), np.where(off[::5], batched, bayes[::5]), f"the same for batches of {batch}"),
            "inflation_ode": (("weight",), curves["ode"], "spread of samples ÷ exact, probability-flow equation"),
            "inflation_sde": (("weight",), curves["sde"], "spread of samples ÷ exact, reverse equation with noise"),
            "inflation_pc": (
                ("weight",),
                curves["pc"],
                "spread of samples ÷ exact, predictor and corrector",
            ),
            "level": (("period",), rain_quantile(mean, s, level), "true return level", "mm/day"),
            "level_wdr": (("period",), rain_quantile(mean, s * kappa, level), "return level of the samples", "mm/day"),
            "level_batch": (
                ("period",),
                rain_quantile(mean, s * of_batch, level),
                "return level of the samples, that batch",
                "mm/day",
            ),
            "inflation_batch": ((), of_batch, "spread of the samples ÷ exact, κ, that batch"),
            "extreme_batch": (
                (),
                float(rain_quantile(mean, s * of_batch, 0.999)),
                "99.9 % rain of the samples, that batch",
                "mm/day",
            ),
            "inflation": ((), kappa, "spread of the samples ÷ exact, κ"),
            "knee": ((), matching_level(s, w), "σ_k beyond which the spread is matched outright"),
            "extreme": ((), float(rain_quantile(mean, s, 0.999)), "true 99.9 % rain", "mm/day"),
            "extreme_wdr": ((), float(rain_quantile(mean, s * kappa, 0.999)), "99.9 % rain of the samples", "mm/day"),
            "mean_rain": ((), mean_rain(mean, s), "true mean rain", "mm/day"),
            "mean_rain_wdr": ((), mean_rain(mean, s * kappa), "mean rain of the samples", "mm/day"),
        },
        {
            "sigma": (("sigma",), sigma, "noise level σ"),
            "few": (("few",), few, "noise level σ of the finite batch"),
            "weight": (("weight",), weights, "weight w of the regulariser"),
            "period": (("period",), period, "return period", "days"),
        },
    )
