"""Grey pictures: their values and range, seven ways to spoil them by equal amounts, and SSIM.

The value range is what people get wrong: a picture in 0…255 fed where 0…1 is expected is far from everything. So the
range is inferred from the numbers, and said in words.
"""

import io
import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from workbench import checks
from workbench.clouds.pictures import DEFAULT_LIMIT, read_picture

Floats = NDArray[np.float64]
LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in grey, ITU-R BT.601."""
QUANTISED = (1 / 255) ** 2 / 12
"""Variance of what rounding to 8 bits hides, in [0, 1]."""
MOST_SHARE = 1.5
C1, C2 = 0.01**2, 0.03**2
"""SSIM's constants for values in [0, 1]."""


class GreyPicture(NamedTuple):
    """A picture's ``values`` (height, width) in [0, 1], and a ``sentence`` that says how they were read."""

    values: Floats
    sentence: str


def as_grey(
    picture: ArrayLike | str | os.PathLike[str] | bytes, *, name: str = "the picture", max_bytes: int = DEFAULT_LIMIT
) -> GreyPicture:
    """Return a PNG or JPEG (a path or its bytes) or an array as grey values in [0, 1].

    Arrays are (height, width), or (height, width, 3) in colour, which is weighted 0.299, 0.587, 0.114. Their range is
    inferred: bytes are 0…255, 16-bit integers 0…65535; other numbers 0…1, −1…1, 0…255 or 0…65535, the least of these
    that holds them. Raises ``ValueError`` for values beyond and for shapes that are no picture.

    >>> as_grey(np.array([[0, 255], [51, 102]], dtype=np.uint8)).sentence
    '2 × 2 pixels, range 0…255 (its type)'
    >>> as_grey([[-1.0, 1.0], [0.0, 0.5]]).values.tolist()
    [[0.0, 1.0], [0.5, 0.75]]
    """
    if isinstance(picture, (str, os.PathLike, bytes, bytearray)):
        found = read_picture(
            picture, name=None if isinstance(picture, (str, os.PathLike)) else name, max_bytes=max_bytes
        )
        return GreyPicture(found.pixels @ LUMA, f"{found.sentence}; range 0…1 of its file, grey")
    given = np.asarray(picture)
    values = checks.finite_array("picture", picture, ndim=(2, 3))
    if values.ndim == 3 and values.shape[2] != 3:
        raise ValueError(
            f"picture has {values.shape[2]} channels (shape {values.shape}); give grey (h, w) or (h, w, 3)"
        )
    low, high, why = _range(given, values)
    values = (values - low) / (high - low)
    grey = values @ LUMA if values.ndim == 3 else values
    shape = f"{grey.shape[0]} × {grey.shape[1]} pixels"
    return GreyPicture(grey, f"{shape}, range {low:g}…{high:g} ({why})".replace("-", "−"))


def _range(given: NDArray, values: Floats) -> tuple[float, float, str]:
    if given.dtype == np.uint8:
        return 0.0, 255.0, "its type"
    if given.dtype == np.uint16:
        return 0.0, 65535.0, "its type"
    least, most = float(values.min()), float(values.max())
    for low, high in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0), (0.0, 65535.0)):
        if low <= least and most <= high:
            return low, high, f"inferred: its values run from {least:.3g} to {most:.3g}"
    raise ValueError(
        f"picture has values from {least:.3g} to {most:.3g}, which is none of the ranges 0…1, −1…1, 0…255, 0…65535; "
        "rescale it"
    )


def ssim(a: ArrayLike, b: ArrayLike) -> float:
    """Return the structural similarity of two grey pictures (h, w) in [0, 1]: 1 for equal ones.

    The mean over all places of (2μ_aμ_b + c₁)(2σ_ab + c₂)/((μ_a² + μ_b² + c₁)(σ_a² + σ_b² + c₂)) with Gaussian windows
    of width 1.5 on 11 × 11 pixels, where the window lies inside (Wang, Bovik, Sheikh, Simoncelli, 2004).

    >>> x = np.linspace(0, 1, 400).reshape(20, 20)
    >>> ssim(x, x), round(ssim(x, 1 - x), 3)
    (1.0, -0.729)
    """
    a, b = (checks.finite_array(name, x, ndim=2) for name, x in (("a", a), ("b", b)))
    if a.shape != b.shape or min(a.shape) < 11:
        raise ValueError(f"SSIM compares pictures of one size, at least 11 × 11; got {a.shape} and {b.shape}")

    def windowed(x: Floats) -> Floats:
        return gaussian_filter(x, 1.5, truncate=3.4, mode="constant")[5:-5, 5:-5]

    mean_a, mean_b = windowed(a), windowed(b)
    variance_a, variance_b = windowed(a * a) - mean_a**2, windowed(b * b) - mean_b**2
    together = windowed(a * b) - mean_a * mean_b
    value = (2 * mean_a * mean_b + C1) * (2 * together + C2)
    return float(np.mean(value / ((mean_a**2 + mean_b**2 + C1) * (variance_a + variance_b + C2))))


def patches(values: Floats, size: int = 8, stride: int | None = None) -> Floats:
    """Return the square patches of a grey picture as vectors (n, size²), ``stride`` apart (its size: they tile it).

    >>> patches(np.arange(16.0).reshape(4, 4), 2).shape
    (4, 4)
    """
    stride = size if stride is None else stride
    windows = np.lib.stride_tricks.sliding_window_view(values, (size, size))[::stride, ::stride]
    return windows.reshape(-1, size * size).copy()


# ---- spoiled pictures -----------------------------------------------------------------------------------------------


class Distortion(NamedTuple):
    """A way to spoil a picture, and its strengths from weak to strong: the first that suffices is taken."""

    label: str
    apply: Callable[[Floats, float, np.random.Generator], Floats]
    strengths: tuple[float, ...]


def _jpeg(x: Floats, quality: float, _: np.random.Generator) -> Floats:
    stream = io.BytesIO()
    Image.fromarray(np.round(np.clip(x, 0, 1) * 255).astype(np.uint8)).save(stream, "JPEG", quality=int(quality))
    with Image.open(io.BytesIO(stream.getvalue()), formats=("JPEG",)) as opened:
        return np.asarray(opened, dtype=float) / 255


def _salt(x: Floats, share: float, rng: np.random.Generator) -> Floats:
    hit = rng.random(x.shape) < share
    return np.where(hit, rng.integers(0, 2, x.shape).astype(float), x)


DISTORTIONS: Mapping[str, Distortion] = {
    "brightness": Distortion("brighter", lambda x, s, _: x + s, (1.0,)),
    "contrast": Distortion("less contrast", lambda x, s, _: x.mean() + (1 - s) * (x - x.mean()), (1.0,)),
    "shift": Distortion(
        "moved by one pixel",
        lambda x, s, _: np.pad(x, ((0, 0), (int(s), 0)), "edge")[:, : x.shape[1]],
        (1.0, 2.0, 4.0, 8.0),
    ),
    "jpeg": Distortion("JPEG", _jpeg, (60, 40, 30, 20, 15, 10, 7, 5, 3, 2, 1)),
    "blur": Distortion(
        "blur", lambda x, s, _: gaussian_filter(x, s, mode="nearest"), (0.6, 0.8, 1.0, 1.3, 1.7, 2.5, 4.0, 8.0)
    ),
    "salt": Distortion("salt and pepper", _salt, (0.004, 0.008, 0.015, 0.03, 0.1, 0.5)),
    "noise": Distortion("white noise", lambda x, s, rng: x + s * rng.normal(size=x.shape), (1.0,)),
}
"""Name → the distortion, in the order of the tables."""


def distorted(values: Floats, name: str, rmse: float, *, seed: int | np.random.Generator = 0) -> tuple[Floats, float]:
    """Return a grey picture spoiled so that its RMSE is ``rmse`` exactly, and the share of the distortion blended in.

    The weakest strength that spoils enough is taken and blended with the picture; where even the strongest falls a
    little short, it is exaggerated, up to a share of 1.5. Values are not cut at 0 and 1, so that the amount is equal.
    Raises ``ValueError`` where no strength suffices: contrast of a flat picture.

    >>> x = np.linspace(0, 1, 400).reshape(20, 20)
    >>> spoiled, _ = distorted(x, "blur", 0.02)
    >>> round(float(np.sqrt(np.mean((spoiled - x) ** 2))), 12)
    0.02
    """
    kind = DISTORTIONS[checks.choice("distortion", name, DISTORTIONS)]
    rng = checks.generator(seed)
    for strength in kind.strengths:
        change = kind.apply(values, strength, rng) - values
        reached = float(np.sqrt(np.mean(change**2)))
        if reached >= rmse or (strength == kind.strengths[-1] and MOST_SHARE * reached >= rmse):
            return values + rmse / reached * change, rmse / reached
    raise ValueError(
        f"{kind.label} changes this picture by {MOST_SHARE * reached:.3g} at most (RMSE), not by {rmse:g}; "
        "take a smaller RMSE"
    )
