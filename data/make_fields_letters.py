"""Make ``fields/letters.nc``: capital letters of DejaVu Sans Bold on a raster, from matplotlib's outlines.

``python data/make_fields_letters.py [FILE]``. The font comes with matplotlib, with its licence beside it.
"""

import string
import sys
from pathlib import Path

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as Path2D
from matplotlib.textpath import TextPath

from workbench import results

SIDE = 24


@results.experiment
def letter_rasters(side: int = SIDE):
    """Return which pixels lie in each letter: (letter, row, column), the longer side of a letter fills the raster."""
    font = FontProperties(family="DejaVu Sans", weight="bold")
    made = np.zeros((26, side, side))
    for k, letter in enumerate(string.ascii_uppercase):
        path = TextPath((0, 0), letter, size=100, prop=font)
        low, high = path.vertices.min(axis=0), path.vertices.max(axis=0)
        middle, step = 0.5 * (low + high), (high - low).max() / side
        ticks = (np.arange(side) + 0.5 - side / 2) * step
        x, y = np.meshgrid(middle[0] + ticks, middle[1] - ticks)
        points = np.stack([x.ravel(), y.ravel()], axis=1)
        inside = [Path2D(ring).contains_points(points) for ring in path.to_polygons()]
        made[k] = np.logical_xor.reduce(inside).reshape(side, side)  # a ring within a ring is a hole
    return results.dataset(
        {"pixel": (("letter", "row", "column"), made, "1 inside the letter")},
        {
            "letter": (("letter",), list(string.ascii_uppercase), "letter"),
            "row": (("row",), np.arange(side), "row from the top"),
            "column": (("column",), np.arange(side), "column from the left"),
        },
    )


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent / "fields" / "letters.nc"
    results.save(letter_rasters(), target)
