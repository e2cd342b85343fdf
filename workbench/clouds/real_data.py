"""Real clouds that come with the dependencies: digits and photographs of scikit-learn, the terrain of matplotlib.

Nothing is downloaded. The photographs "china.jpg" and "flower.jpg" are CC BY 2.0 (V. Pouzet; dany13); the digits are
from the UCI repository (E. Alpaydin, C. Kaynak), CC BY 4.0; the terrain is a public-domain elevation model of the
Jacksboro fault (USGS), found without importing matplotlib.
"""

import importlib.util
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.clouds.named import SHAPES

PHOTOGRAPHS = ("china", "flower")
TERRAIN_FILE = "jacksboro_fault_dem.npz"


@lru_cache(maxsize=1)
def _digit_images() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return images.reshape(-1, 8, 8) / 16, labels


def digit(label: int, index: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return one handwritten digit as a weighted cloud in the plane: points (64, 2) in [−1, 1]², weights (64,).

    ``index`` counts the images of that label; pixels without ink have weight zero.

    >>> points, weights = digit(3)
    >>> points.shape, weights.shape
    ((64, 2), (64,))
    """
    label = checks.integer("label", label, minimum=0, maximum=9)
    images, labels = _digit_images()
    chosen = np.flatnonzero(labels == label)
    index = checks.integer("index", index, minimum=0, maximum=len(chosen) - 1)
    row, column = np.divmod(np.arange(64), 8)
    points = np.stack([column - 3.5, 3.5 - row], axis=1) / 4
    return points, images[chosen[index]].ravel()


@lru_cache(maxsize=2)
def _pixels(name: str) -> NDArray[np.uint8]:
    from sklearn.datasets import load_sample_image

    image = load_sample_image(f"{name}.jpg")
    image.flags.writeable = False
    return image


def photograph(name: str, step: int = 1) -> NDArray[np.float64]:
    """Return a photograph, "china" or "flower", as (height, width, 3) in [0, 1]; every ``step``-th pixel."""
    checks.choice("photograph", name, PHOTOGRAPHS)
    step = checks.integer("step", step, minimum=1, maximum=200)
    return _pixels(name)[::step, ::step] / 255.0


@lru_cache(maxsize=1)
def _elevation() -> NDArray[np.float64]:
    found = importlib.util.find_spec("matplotlib")
    folders = list(found.submodule_search_locations or ()) if found else []
    for folder in folders:
        path = Path(folder) / "mpl-data" / "sample_data" / TERRAIN_FILE
        if path.exists():
            with np.load(path, allow_pickle=False) as archive:
                return archive["elevation"].astype(np.float64)
    raise ValueError("the terrain comes with matplotlib, which is not installed; pip install matplotlib")


def terrain_heights() -> NDArray[np.float64]:
    """Return the elevation model of the Jacksboro fault in metres, (344, 403), rows from north to south.

    >>> heights = terrain_heights()
    >>> heights.shape, int(heights.min()), int(heights.max())
    ((344, 403), 236, 1076)
    """
    return _elevation().copy()


@SHAPES.add("terrain", label="Terrain (Jacksboro fault)", dim=3, measure="map area", source="matplotlib, USGS")
def terrain(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return points spread evenly over the map of the Jacksboro fault; heights exaggerated to half the width."""
    heights = _elevation()
    rows, columns = heights.shape
    row, column = rng.uniform(0, rows - 1, n), rng.uniform(0, columns - 1, n)
    z = heights[row.round().astype(int), column.round().astype(int)]
    z = (z - heights.min()) / np.ptp(heights) - 0.5
    longest = max(rows, columns)
    return np.stack([(2 * column - columns) / longest, (rows - 2 * row) / longest, z], axis=1)


def _register_photograph(name: str, label: str) -> None:
    @SHAPES.add(f"colours-{name}", label=label, dim=3, measure="pixels", source="scikit-learn, CC BY 2.0")
    def colours(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the colours of random pixels, scaled to [−1, 1]³."""
        pixels = _pixels(name).reshape(-1, 3)
        return pixels[rng.integers(0, len(pixels), n)] / 127.5 - 1


_register_photograph("china", "Colours of the photograph “China”")
_register_photograph("flower", "Colours of the photograph “Flower”")


def _register_digit(label: int) -> None:
    @SHAPES.add(f"digit-{label}", label=f"Handwritten {label}", dim=2, measure="ink", source="scikit-learn, CC BY 4.0")
    def ink(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return points spread over the ink of one handwritten digit, within its pixels."""
        points, weights = digit(label)
        chosen = rng.choice(len(points), n, p=weights / weights.sum())
        return points[chosen] + rng.uniform(-0.125, 0.125, (n, 2))


for _label in range(10):
    _register_digit(_label)


@SHAPES.add("digits-64", label="All digits (d = 64)", dim=64, measure="images", source="scikit-learn, CC BY 4.0")
def digits_64(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return random images of handwritten digits as points in 64 dimensions, coordinates in [0, 1]."""
    images = _digit_images()[0].reshape(-1, 64)
    return images[rng.integers(0, len(images), n)]
