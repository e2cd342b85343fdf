"""The spread that a sampler makes of a denoiser's gains along σ, where no formula is at hand: κ by integration.

For one Gaussian pixel a denoiser is its gain a(σ), and every sampler here is linear, so the variance v of its samples
follows one equation. With q = 1 − a and the score −q (x − μ)/σ²:

- "ode": d ln √v = q d ln σ;
- "sde": dv/d ln(1/σ) = 2σ² − 4qv;
- "pc", the paper's: σ falls along 1,000 geometric levels; at each a Langevin step of size ε = 2 (r‖z‖/‖score‖)², whose
  norms over very many pixels make ε = 2r²σ⁴/(q²v), and then a step of reverse diffusion with fresh noise.
"""

import math

import numpy as np
from scipy.interpolate import PchipInterpolator

from workbench.fields.core.laws import Floats

LEVELS = 1000
SNR = 0.16
"""r of the Langevin step, as the paper's code has it."""
KNOTS = 29
"""Noise levels at which the gain of a finite batch is found; between them it is interpolated."""


def integrated(s: float, sigma: Floats, gain: Floats, sampler: str) -> Floats:
    """Return κ, the standard deviation of samples ÷ that of the Bayes gain's, for each column of ``gain``.

    ``sigma`` (levels,) falls geometrically, ``gain`` (levels, …). Cost: some 10 µs a level. Error of "ode" and "sde"
    about 10⁻⁵ for 1,000 levels; "pc" is what its steps give.

    >>> sigma = np.geomspace(50.0, 0.01, LEVELS)
    >>> [round(float(integrated(0.2, sigma, 0.04 / (0.04 + sigma**2), name)), 12) for name in ("ode", "sde", "pc")]
    [1.0, 1.0, 1.0]
    """
    column = (slice(None), *[None] * (gain.ndim - 1))
    noise = sigma[column]
    bayes = s * s / (s * s + noise**2)
    if sampler == "ode":
        return np.exp(-np.trapezoid(gain - bayes, np.log(noise), axis=0))
    along = _reverse if sampler == "sde" else _corrected
    return np.sqrt(along(s, sigma, gain) / along(s, sigma, bayes))


def _reverse(s: float, sigma: Floats, gain: Floats) -> Floats:
    """Return the last variance of the reverse equation, by the trapezoidal rule in ln σ."""
    variance = np.full(gain.shape[1:], s * s + sigma[0] ** 2)
    for k in range(len(sigma) - 1):
        h = math.log(sigma[k] / sigma[k + 1])
        fresh = h * (sigma[k] ** 2 + sigma[k + 1] ** 2)
        variance = ((1 - 2 * h * (1 - gain[k])) * variance + fresh) / (1 + 2 * h * (1 - gain[k + 1]))
    return variance


def _corrected(s: float, sigma: Floats, gain: Floats) -> Floats:
    """Return the last variance of predictor and corrector, the last step without noise, as the paper's code has it."""
    variance = np.full(gain.shape[1:], s * s + sigma[0] ** 2)
    last = len(sigma) - 1
    for k, level in enumerate(sigma):
        q = 1 - gain[k]
        square = level * level
        step = 2 * SNR**2 * square / (q * variance)  # ε q/σ²
        variance = (1 - step) ** 2 * variance + 2 * step * square / q
        apart = square - (sigma[k + 1] ** 2 if k < last else 0.0)
        variance = (1 - apart * q / square) ** 2 * variance + (apart if k < last else 0.0)
    return variance


def between(sigma: Floats, knots: Floats, above: Floats, s: float) -> Floats:
    """Return gains along ``sigma`` from their distances ``above`` the Bayes gain at rising ``knots``."""
    bayes = s * s / (s * s + sigma**2)
    shape = PchipInterpolator(np.log(knots), above)
    inside = (sigma <= knots[-1] * (1 + 1e-12)) & (sigma >= knots[0] * (1 - 1e-12))
    return bayes + np.where(inside, shape(np.log(np.clip(sigma, knots[0], knots[-1]))), 0.0)
