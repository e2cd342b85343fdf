"""Downscalers side by side: the exact law, trained networks, and the cheap rows that they have to beat."""

import functools

import numpy as np
from numpy.typing import ArrayLike

from workbench import checks, data
from workbench.fields.core.laws import Floats
from workbench.fields.downscaling.denoiser import GATE, Denoiser, network_denoiser, read_denoiser, sample_ode
from workbench.fields.downscaling.field import FACTOR, SIZE, coarsen, exact_downscaler, interpolated, rain
from workbench.progress import Progress
from workbench.registry import Registry

WEIGHT = 0.2
"""w of the paper."""
TRAINING_FIELDS = 2000
"""Fields of the law whose pixels give the training quantiles."""
MOST_FIELDS, MOST_MEMBERS = 2000, 64
TRAINED = {"diffusion": (0.0, None), "wdr": (WEIGHT, None), "wdr-gated": (WEIGHT, GATE)}
"""Name of a trained method → w and the σ below which it acts."""

DOWNSCALERS = Registry("downscaler")


@functools.lru_cache(maxsize=1)
def training_quantiles() -> tuple[Floats, Floats]:
    """Return levels (1,999) and the quantiles there of the pixels of 2,000 training fields."""
    levels = np.arange(1, 2000) / 2000
    return levels, np.quantile(rain(count=TRAINING_FIELDS, seed=90_000), levels)


def quantile_mapped(y: Floats, reference: Floats | None = None) -> Floats:
    """Return fields y with their pooled quantiles mapped to the training quantiles; beyond the last the shift stays.

    ``reference``: the pixels whose quantiles count as those of the method (by default ``y`` itself).
    """
    levels, wanted = training_quantiles()
    own = np.quantile(y if reference is None else reference, levels)
    own = np.maximum.accumulate(own + 1e-12 * np.arange(len(own)))
    shift = np.interp(y, own, wanted - own)
    return y + shift


def _noise(count: int, seed: int) -> Floats:
    return np.random.default_rng([11, seed]).standard_normal((count, SIZE, SIZE))


def sampled(network: Denoiser | None, coarse: Floats, members: int, seed: int, progress: Progress | None) -> Floats:
    """Return fields (count, members, size, size) of a network, or of the exact denoiser (None), from shared noise."""
    repeated = coarse.repeat(members, axis=0)
    noise = _noise(len(repeated), seed)
    if network is None:
        exact = exact_downscaler()
        mean = exact.mean(repeated)
        made = sample_ode(lambda x, sigma: exact.denoise(x, sigma, mean), noise, progress=progress)
    else:
        made = sample_ode(network_denoiser(network, repeated), noise, progress=progress)
    return made.reshape(len(coarse), members, SIZE, SIZE)


@functools.lru_cache(maxsize=4)
def shipped_denoiser(method: str) -> Denoiser:
    """Return the shipped network of "diffusion", "wdr" or "wdr-gated", preconditioned, first seed."""
    return read_denoiser(data.path(f"fields/downscaler_{checks.choice('method', method, TRAINED)}.safetensors"))


@DOWNSCALERS.add("exact", label="Exact score, same sampler")
def _exact(coarse: Floats, members: int, seed: int, progress: Progress | None) -> Floats:
    return sampled(None, coarse, members, seed, progress)


@DOWNSCALERS.add("diffusion", label="Diffusion, w = 0")
def _diffusion(coarse: Floats, members: int, seed: int, progress: Progress | None) -> Floats:
    return sampled(shipped_denoiser("diffusion"), coarse, members, seed, progress)


@DOWNSCALERS.add("wdr", label="Regularised, w = 0.2")
def _wdr(coarse: Floats, members: int, seed: int, progress: Progress | None) -> Floats:
    return sampled(shipped_denoiser("wdr"), coarse, members, seed, progress)


@DOWNSCALERS.add("wdr-gated", label="Regularised for σ < s/2 only")
def _gated(coarse: Floats, members: int, seed: int, progress: Progress | None) -> Floats:
    return sampled(shipped_denoiser("wdr-gated"), coarse, members, seed, progress)


@DOWNSCALERS.add("quantile-mapping", label="Diffusion, quantiles mapped")
def _mapped(coarse: Floats, members: int, seed: int, progress: Progress | None) -> Floats:
    return quantile_mapped(_diffusion(coarse, members, seed, progress))


@DOWNSCALERS.add("bilinear", label="Bilinear interpolation")
def _bilinear(coarse: Floats, members: int, seed: int, progress: Progress | None) -> Floats:
    return interpolated(coarse)[:, None].repeat(members, axis=1)


def downscale(
    method: str, coarse: ArrayLike, members: int = 4, seed: int = 0, progress: Progress | None = None
) -> Floats:
    """Return fields y (count, members, 16, 16) for block means ``coarse`` (count, 4, 4) of y = log(1 + R)/5.

    ``method``: an entry of ``DOWNSCALERS``: "exact", "diffusion", "wdr", "wdr-gated", "quantile-mapping", "bilinear".
    With one ``seed`` the sampled rows share their noise. Quantile mapping takes the pooled quantiles of this very
    ensemble, so hand it all the days together. ``ValueError`` for an unknown method or a wrong shape.
    Cost: some 6 ms a field for a network.

    >>> downscale("bilinear", np.full((2, 4, 4), 0.3), 3).shape
    (2, 3, 16, 16)
    """
    checks.choice("method", method, DOWNSCALERS)
    coarse = checks.finite_array("coarse", coarse, ndim=3)
    side = SIZE // FACTOR
    if coarse.shape[1:] != (side, side):
        raise ValueError(f"coarse must hold block means of shape (count, {side}, {side}), got {coarse.shape}")
    members = checks.integer("members", members, minimum=1, maximum=MOST_MEMBERS)
    checks.integer("fields", len(coarse) * members, maximum=8000)
    seed = checks.integer("seed", seed, minimum=0)
    return DOWNSCALERS[method](coarse, members, seed, progress)


def held_out_fields(count: int, seed: int) -> tuple[Floats, Floats]:
    """Return fields that no training sees (count, 16, 16), and their block means."""
    y = rain(count=count, seed=np.random.default_rng([13, seed]))
    return y, coarsen(y)
