"""The sphere of directions as a thing to hold: coloured by cost, with an axis that the visitor drags."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import panel as pn
import param
from numpy.typing import NDArray
from panel.custom import JSComponent

from workbench.ui.kit.pointcloud.colours import point_colours


class DraggableSphere(JSComponent):
    """The browser side: draws the sphere and tells where the axis was moved."""

    texture = param.Bytes(default=b"", doc="uint8, heights × azimuths × 3")
    heights = param.Integer(default=0)
    azimuths = param.Integer(default=0)
    axis = param.List(default=[0.0, 0.0, 1.0])
    cap = param.Number(default=1.0, doc="angle of the cap in radians")
    best = param.List(default=[])
    top = param.List(default=[])
    way = param.List(default=[], doc="start and end of the released search, six numbers")
    description = param.String(default="")
    version = param.Integer(default=0, doc="raised once a new texture is set")
    picked = param.List(default=[], doc="set by the browser: where the hand moved the axis")
    wish_best = param.Integer(default=0, doc="raised by the browser: take the best axis")

    _esm = Path(__file__).with_name("sphere.js")


class Sphere(pn.viewable.Viewer):
    """Shows a map of costs on the sphere; calls ``moved(axis)`` while the visitor drags, ``best()`` when they ask."""

    def __init__(
        self, moved: Callable[[NDArray[np.float64]], None], best: Callable[[], None], *, height: int = 460
    ) -> None:
        super().__init__()
        self._canvas = DraggableSphere(height=height, sizing_mode="stretch_width", min_width=200)
        self._moved, self._best = moved, best
        self._shown: Any = None
        self._canvas.param.watch(self._picked, "picked")
        self._canvas.param.watch(lambda _: self._best(), "wish_best")

    def _picked(self, event: param.parameterized.Event) -> None:
        """Take an axis from the browser, if it is one: three numbers of a decent size, not all zero."""
        values = event.new
        if len(values) != 3 or not all(isinstance(v, (int, float)) and abs(v) < 1e6 for v in values):
            return
        vector = np.array(values, float)
        length = np.linalg.norm(vector)
        if length > 1e-6:
            self._moved(vector / length)

    def show(self, costs: NDArray[np.float64], *, way: NDArray[np.float64], top: NDArray[np.float64], of: Any) -> None:
        """Show a map (heights, azimuths) with the released search's way and the largest slice, once for each ``of``."""
        if self._shown is of:
            return
        self._shown = of
        self._canvas.param.update(
            texture=point_colours(costs.size, costs.ravel(), None, (0, 0, 0)).tobytes(),
            heights=costs.shape[0],
            azimuths=costs.shape[1],
            way=[float(v) for v in way.ravel()],
            top=[float(v) for v in top],
        )
        self._canvas.version += 1

    def point(self, axis: NDArray[np.float64], cap: float, best: NDArray[np.float64], description: str) -> None:
        """Place the axis, its cap and the best axis."""
        self._canvas.param.update(
            axis=[float(v) for v in axis], cap=cap, best=[float(v) for v in best], description=description
        )

    def __panel__(self) -> pn.viewable.Viewable:
        return self._canvas
