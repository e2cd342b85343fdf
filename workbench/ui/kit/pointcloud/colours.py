"""Colours of points as bytes for the graphics card."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks

PLAIN_SOURCE = (0x00, 0x72, 0xB2)
PLAIN_TARGET = (0xE6, 0x9F, 0x00)


def point_colours(
    n: int, values: ArrayLike | None, colours: ArrayLike | None, plain: tuple[int, int, int]
) -> NDArray[np.uint8]:
    """Return ``(n, 3)`` bytes: from given ``colours`` in 0…1, from ``values`` through viridis, or one plain colour.

    Raises ``ValueError`` if the number of colours or values is not n.
    """
    if colours is not None:
        given = checks.finite_array("colours", colours, ndim=2)
        if given.shape != (n, 3):
            raise ValueError(f"colours must have shape ({n}, 3), got {given.shape}")
        return np.round(255 * np.clip(given, 0, 1)).astype(np.uint8)
    if values is not None:
        given = checks.finite_array("values", values, ndim=1)
        if given.shape != (n,):
            raise ValueError(f"values must have shape ({n},), got {given.shape}")
        spread = np.ptp(given) or 1.0
        steps = np.round(255 * (given - given.min()) / spread).astype(int)
        return _viridis()[steps]
    return np.tile(np.array(plain, dtype=np.uint8), (n, 1))


def _viridis() -> NDArray[np.uint8]:
    from matplotlib import colormaps

    return np.round(255 * colormaps["viridis"](np.arange(256))[:, :3]).astype(np.uint8)
