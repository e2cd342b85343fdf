"""The colours and marks that the pictures of this room share."""

from typing import Any

import holoviews as hv
import numpy as np

from workbench.figures import theme

OURS, PAPER, EXTRAPOLATED, FIT = theme.SERIES[0], theme.SERIES[1], theme.SERIES[3], theme.REFERENCE
J_CRITICAL = float(np.log1p(np.sqrt(2)) / 2)  # Onsager's critical coupling of the square lattice
BESIDE = 400  # height of the pictures that stand three abreast


def points_with_errors(x: Any, y: Any, error: Any, xdim: str, ydim: str, label: str, colour: str = PAPER) -> list:
    """Return square marks with their error bars; an error that is not known (NaN) has no bar."""
    bars = hv.ErrorBars((x, y, np.nan_to_num(error)), xdim, [ydim, "error"])
    points = hv.Scatter((x, y), xdim, ydim, label=label)
    return [theme.error_bars(bars, colour), theme.markers(points, colour, size=6, marker="square")]


def side_ticks(low: float, high: float) -> list[int]:
    """Ticks at round sides: bokeh's own lie on each other, or begin at 50, where the picture is small."""
    return [L for L in (3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000) if low <= L <= high]
