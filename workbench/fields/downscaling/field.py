"""Random fields of rain on a torus: one whose conditional law is known exactly, and two that are only for show.

y is Gaussian with spectrum ∝ (1 + |k|²/4)⁻², mean 0.35 and standard deviation 0.2 per pixel; what is seen are its block
means. Then p(y | coarse) is Gaussian, with everything that follows: scores at every noise level, samples, tails.
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from workbench import checks
from workbench.fields.core.laws import Floats

MEAN, SPREAD = 0.35, 0.2
SIZE, FACTOR = 16, 4
KINDS = ("gaussian", "intermittent", "cascade")
MOST_SIZE = 32
DRY = 0.3
"""y below which intermittent rain is none at all."""
STEEP = 0.35
"""Standard deviation of the logarithm of a weight of the cascade."""


@dataclass(frozen=True)
class FieldLaw:
    """A stationary Gaussian field of ``size`` × ``size`` pixels on a torus.

    >>> law = FieldLaw()
    >>> law.covariance.shape, bool(np.allclose(np.diag(law.covariance), 0.04))
    ((256, 256), True)
    """

    size: int = SIZE
    mean: float = MEAN
    spread: float = SPREAD

    def __post_init__(self) -> None:
        checks.integer("size", self.size, minimum=4, maximum=MOST_SIZE)
        checks.real("mean", self.mean, minimum=-2.0, maximum=2.0)
        checks.real("spread", self.spread, minimum=1e-3, maximum=10.0)

    @functools.cached_property
    def spectrum(self) -> Floats:
        """Variance of each Fourier mode (size, size), whose mean is the variance of a pixel."""
        k = np.fft.fftfreq(self.size, 1 / self.size)
        power = (1 + (k[:, None] ** 2 + k**2) / 4) ** -2.0
        return self.spread**2 * power / power.mean()

    @functools.cached_property
    def covariance(self) -> Floats:
        """Covariance of the pixels, row by row (size², size²)."""
        lags = np.fft.ifft2(self.spectrum).real
        i = np.arange(self.size)
        apart = (i[:, None] - i) % self.size
        n = self.size**2
        return lags[apart[:, None, :, None], apart[None, :, None, :]].reshape(n, n)

    def sample(self, count: int, rng: np.random.Generator) -> Floats:
        """Return ``count`` fields (count, size, size)."""
        white = np.fft.fft2(rng.standard_normal((count, self.size, self.size)))
        return self.mean + np.fft.ifft2(np.sqrt(self.spectrum) * white).real


def rain(kind: str = "gaussian", size: int = SIZE, count: int = 1, seed: int | np.random.Generator = 0) -> Floats:
    """Return ``count`` fields y = log(1 + R)/5 (count, size, size), R in mm a day.

    "gaussian" is the field whose downscaling is known exactly; "intermittent" the same, censored at 0.3 and shifted,
    so that half of it is dry; "cascade" a log-normal cascade by halves (``size`` a power of two). The last two have no
    closed score. Cost: a Fourier transform for each field.

    >>> y = rain("intermittent", count=50)
    >>> y.shape, bool(0.2 < (y == 0).mean() < 0.6)
    ((50, 16, 16), True)
    """
    checks.choice("kind", kind, KINDS)
    size = checks.integer("size", size, minimum=4, maximum=256)
    count = checks.integer("count", count, minimum=1, maximum=100_000)
    checks.memory(40.0 * count * size**2, f"{count:,} fields of {size} × {size}")
    rng = checks.generator(seed)
    if kind == "cascade":
        if size & (size - 1):
            raise ValueError(f"a cascade halves its pixels, so size must be a power of two, got {size}")
        rain = np.full((count, 1, 1), 8.5)
        while rain.shape[1] < size:
            rain = rain.repeat(2, axis=1).repeat(2, axis=2)
            rain *= np.exp(STEEP * rng.standard_normal(rain.shape) - STEEP**2 / 2)
        return np.log1p(rain) / 5
    law = FieldLaw.__new__(FieldLaw)  # larger fields are fine here: no covariance is made
    for name, value in (("size", size), ("mean", MEAN), ("spread", SPREAD)):
        object.__setattr__(law, name, value)
    y = law.sample(count, rng)
    return np.maximum(y - DRY, 0.0) if kind == "intermittent" else y


def coarsen(y: ArrayLike, factor: int = FACTOR) -> Floats:
    """Return block means (…, size/factor, size/factor) of fields y.

    >>> coarsen(np.arange(16.0).reshape(4, 4), 2).tolist()
    [[2.5, 4.5], [10.5, 12.5]]
    """
    y = np.asarray(y, dtype=np.float64)
    n = y.shape[-1]
    if y.ndim < 2 or y.shape[-2] != n or n % checks.integer("factor", factor, minimum=1):
        raise ValueError(f"factor {factor} does not divide fields of shape {y.shape[-2:]}")
    m = n // factor
    return y.reshape(*y.shape[:-2], m, factor, m, factor).mean(axis=(-3, -1))


def interpolated(coarse: ArrayLike, factor: int = FACTOR) -> Floats:
    """Return block means brought to the fine grid by bilinear interpolation between block centres, round the torus."""
    coarse = np.asarray(coarse, dtype=np.float64)
    for axis in (-2, -1):
        m = coarse.shape[axis]
        at = (np.arange(m * factor) + 0.5) / factor - 0.5
        low = np.floor(at).astype(int)
        share = at - low
        shape = [1] * coarse.ndim
        shape[axis] = -1
        share = share.reshape(shape)
        coarse = (1 - share) * np.take(coarse, low % m, axis) + share * np.take(coarse, (low + 1) % m, axis)
    return coarse


class ExactDownscaler:
    """p(y | block means) of a :class:`FieldLaw`: mean, covariance, samples, and the denoiser at every noise level."""

    def __init__(self, law: FieldLaw, factor: int) -> None:
        self.law, self.factor = law, factor
        n, m = law.size, law.size // factor
        one = np.kron(np.eye(m), np.full((1, factor), 1 / factor))
        blocks = np.kron(one, one)
        seen = blocks @ law.covariance
        self.gain: Floats = np.linalg.solve(seen @ blocks.T, seen).T
        self.covariance: Floats = law.covariance - self.gain @ seen
        values, self.vectors = np.linalg.eigh((self.covariance + self.covariance.T) / 2)
        self.values: Floats = np.maximum(values, 0.0)
        self._shape = (n, n)

    def mean(self, coarse: ArrayLike) -> Floats:
        """Return E[y | coarse] (count, size, size) for block means (count, size/factor, size/factor)."""
        coarse = np.asarray(coarse, dtype=np.float64)
        m = self.law.size // self.factor
        if coarse.ndim != 3 or coarse.shape[1:] != (m, m):
            raise ValueError(f"coarse must be of shape (count, {m}, {m}), got {coarse.shape}")
        away = (coarse - self.law.mean).reshape(len(coarse), -1)
        return self.law.mean + (away @ self.gain.T).reshape(-1, *self._shape)

    def sample(self, coarse: ArrayLike, members: int, rng: np.random.Generator) -> Floats:
        """Return draws from the exact law (count, members, size, size)."""
        mean = self.mean(coarse)
        white = rng.standard_normal((len(mean), members, self.law.size**2))
        return mean[:, None] + ((white * np.sqrt(self.values)) @ self.vectors.T).reshape(
            len(mean), members, *self._shape
        )

    def denoise(self, x: Floats, sigma: float, mean: Floats) -> Floats:
        """Return E[y | x̃ = x, coarse] for fields x (count, size, size) with noise σ; ``mean`` is that of the coarse."""
        shrink = self.values / (self.values + sigma**2)
        away = (x - mean).reshape(len(x), -1)
        return mean + (((away @ self.vectors) * shrink) @ self.vectors.T).reshape(x.shape)


@functools.lru_cache(maxsize=4)
def exact_downscaler(field_law: FieldLaw | None = None, factor: int = FACTOR) -> ExactDownscaler:
    """Return the exact conditional law of a Gaussian field given its block means of ``factor`` × ``factor``.

    With C the covariance and B the block means, G = CBᵀ(BCBᵀ)⁻¹ gives the mean G(c − μ) and P = C − GBC the covariance;
    the score of p(x̃ | c) at σ is −(P + σ²I)⁻¹(x̃ − mean). Cost: an eigendecomposition of size² × size² once.
    ``ValueError`` for a factor that does not divide the size.

    >>> exact = exact_downscaler()
    >>> coarse = coarsen(rain(count=3))
    >>> drawn = exact.sample(coarse, 2, np.random.default_rng(0))
    >>> bool(np.allclose(coarsen(drawn), coarse[:, None], atol=1e-6))
    True
    """
    law = field_law or FieldLaw()
    factor = checks.integer("factor", factor, minimum=2, maximum=law.size)
    if law.size % factor:
        raise ValueError(f"factor {factor} does not divide a field of {law.size} × {law.size} pixels")
    return ExactDownscaler(law, factor)
