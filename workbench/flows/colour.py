"""Colour transfer: a photograph takes on the palette of another, by flowing its pixels through RGB space."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.clouds.pictures import on_white
from workbench.progress import Progress
from workbench.transport.evaluate import draw, make_rule
from workbench.transport.measures import prepare

LARGEST_IMAGE = 20_000_000


def image(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return ``value`` as (height, width, 3) in [0, 1]: whole numbers are taken as 0…255, uint16 as 0…65535.

    A fourth channel is opacity: the picture is seen on white paper, where a viewer shows it.
    """
    array = np.asarray(value)
    if array.ndim != 3 or array.shape[2] not in (3, 4):
        raise ValueError(f"{name} must be an image of shape (height, width, 3), got {array.shape}")
    if array.shape[0] * array.shape[1] > LARGEST_IMAGE:
        raise ValueError(f"{name} has more than {LARGEST_IMAGE} pixels; make it smaller")
    scale = 65535.0 if array.dtype == np.uint16 else 255.0 if array.dtype.kind in "iu" else 1.0
    pixels = checks.finite_array(name, value, ndim=3) / scale
    if pixels.min() < 0 or pixels.max() > 1:
        raise ValueError(
            f"{name} must have values in [0, 1] (or whole numbers 0…255, uint16 0…65535), "
            f"got {pixels.min():g} to {pixels.max():g}"
        )
    return on_white(pixels[:, :, :3], pixels[:, :, 3]) if pixels.shape[2] == 4 else pixels


@results.experiment
def colour_transfer(
    source: ArrayLike,
    target: ArrayLike,
    *,
    steps: int = 15,
    method: str = "design",
    n_directions: int = 30,
    eta: float = 1.0,
    strength: float = 1.0,
    seed: int | np.random.Generator = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Give ``source`` the colours of ``target``: images (height, width, 3) in [0, 1] or bytes, of any two sizes.

    Every pixel is a point in RGB space; the cloud takes ``steps`` steps x ← x − (eta d/2) n ∇SW_2² towards the
    target's cloud. ``strength`` blends: 0 leaves the source, 1 is the whole transfer. Colours pushed out of [0, 1] are
    clipped at the end. ``progress.publish`` gets the image after the first step, which goes most of the way.

    Returns ``image``, ``source`` (row, column, channel), ``target`` (target_row, target_column, channel), and
    ``sw2`` (step): SW_2² before each step, as estimated with the directions of that step. Raises ``ValueError`` for
    arrays that are no images or values outside the range. Cost: steps × pixels × directions × 15 ns.

    Reference: Rabin, Peyré, Delon, Bernot, "Wasserstein barycenter and its application to texture mixing", 2011;
    Bonneel et al. 2015, section 5.

    >>> rng = np.random.default_rng(0)
    >>> dark, bright = 0.3 * rng.random((20, 20, 3)), 0.6 + 0.3 * rng.random((30, 10, 3))
    >>> ds = colour_transfer(dark, bright, steps=5)
    >>> round(float(ds.source.mean()), 2), round(float(ds.image.mean()), 2), round(float(ds.target.mean()), 2)
    (0.15, 0.74, 0.74)
    """
    progress = progress or Progress()
    source_image, target_image = image("source", source), image("target", target)
    steps = checks.integer("steps", steps, minimum=1, maximum=10_000)
    n_directions = checks.integer("n_directions", n_directions, minimum=1)
    eta = checks.real("eta", eta, exclusive_minimum=0, maximum=1)
    strength = checks.real("strength", strength, minimum=0, maximum=1)
    rng = checks.generator(seed)
    make_rule(method, n_directions, 3, np.random.default_rng(0))
    pixels = source_image.reshape(-1, 3).copy()
    goal = prepare("target", target_image.reshape(-1, 3))
    sw2 = np.full(steps, np.nan)

    def so_far() -> xr.Dataset:
        blended = (1 - strength) * source_image + strength * pixels.reshape(source_image.shape)
        return _as_dataset(np.clip(blended, 0, 1), source_image, target_image, sw2)

    for step in range(steps):
        rule = make_rule(method, n_directions, 3, rng)
        found = draw(prepare("source", pixels), goal, rule, want_x=True, threads=threads)
        pixels -= (eta * 3 / 2) * len(pixels) * found.gradient_x
        sw2[step] = found.value
        progress.update(step + 1, steps, f"SW₂² {found.value:.2g}")
        if step == 0 and steps > 1:
            progress.publish(results.unfinished(so_far(), f"the other {steps - 1} steps"))
    return so_far()


def _as_dataset(
    made: NDArray[np.float64], source: NDArray[np.float64], target: NDArray[np.float64], sw2: NDArray[np.float64]
) -> xr.Dataset:
    def numbers(name: str, size: int) -> tuple:
        return (name,), np.arange(size), name.replace("_", " ")

    return results.dataset(
        {
            "image": (("row", "column", "channel"), made.astype(np.float32), "image with the new palette"),
            "source": (("row", "column", "channel"), source.astype(np.float32), "image before"),
            "target": (("target_row", "target_column", "channel"), target.astype(np.float32), "image with the palette"),
            "sw2": (("step",), sw2.copy(), "SW₂² of the palettes before the step (squared)"),
        },
        {
            "row": numbers("row", made.shape[0]),
            "column": numbers("column", made.shape[1]),
            "target_row": numbers("target_row", target.shape[0]),
            "target_column": numbers("target_column", target.shape[1]),
            "channel": (("channel",), np.array(["red", "green", "blue"]), "channel"),
            "step": numbers("step", len(sw2)),
        },
    )
