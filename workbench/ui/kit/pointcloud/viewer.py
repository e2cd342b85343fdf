"""A moving point cloud or surface on the screen: the trajectory is sent once and animated in the browser.

>>> from workbench.ui.kit.pointcloud import PointCloud
>>> viewer = PointCloud()
>>> viewer.show(trajectory, target=y, values=speed, labels=["step 0", "step 1"])   # doctest: +SKIP
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import panel as pn
import param
from numpy.typing import ArrayLike, NDArray
from panel.custom import JSComponent

from workbench import checks
from workbench.ui.kit.pointcloud.colours import PLAIN_SOURCE, PLAIN_TARGET, point_colours

LARGEST_TRAJECTORY = 256 * 2**20
HOVER_LIMIT = 2000


class WebGLCloud(JSComponent):
    """The browser side: draws whatever bytes :class:`PointCloud` hands it."""

    positions = param.Bytes(default=b"", doc="float32, frames × points × 3")
    colours = param.Bytes(default=b"", doc="uint8, points × 3")
    target = param.Bytes(default=b"", doc="float32, points × 3")
    target_colours = param.Bytes(default=b"", doc="uint8, points × 3")
    faces = param.Bytes(default=b"", doc="uint32, triangles × 3 corners; none: points are drawn")
    target_faces = param.Bytes(default=b"", doc="uint32, triangles × 3 corners")
    marked = param.Bytes(default=b"", doc="uint32, the corners of triangles that are pointed out")
    n_frames = param.Integer(default=1)
    n_points = param.Integer(default=0)
    n_target = param.Integer(default=0)
    centre = param.List(default=[0.0, 0.0, 0.0])
    radius = param.Number(default=1.0)
    flat = param.Boolean(default=False, doc="two-dimensional: seen from above, no turning")
    labels = param.List(default=[], item_type=str)
    description = param.String(default="")
    frame = param.Integer(default=0)
    point_size = param.Number(default=4.0)
    speed = param.Number(default=12.0, doc="frames per second")
    autoplay = param.Boolean(default=True)
    playing = param.Boolean(default=False)
    show_target = param.Boolean(default=True)
    target_opacity = param.Number(default=0.35)
    webgl = param.Boolean(default=True, doc="set to False by a browser without WebGL2")
    version = param.Integer(default=0, doc="raised once all parts of a new cloud are set")

    _esm = Path(__file__).with_name("viewer.js")


class PointCloud(pn.viewable.Viewer):
    """One or two clouds in two or three dimensions, still or moving: play, pause, scrub, orbit, zoom, keyboard.

    A cloud whose triangles are given is drawn as a surface, lit from the eye.

    Browsers without WebGL2 get a Plotly picture of the current frame instead (up to 2,000 points, which can also be
    asked for with ``renderer="plotly"``: it names each point under the mouse).
    """

    renderer = param.Selector(default="webgl", objects={"WebGL": "webgl", "Plotly (hover)": "plotly"})
    point_size = param.Number(default=4.0, bounds=(1, 16), label="point size")
    show_target = param.Boolean(default=True, label="show the target")
    frame = param.Integer(default=0, bounds=(0, None))

    def __init__(self, *, height: int = 460, **params: Any) -> None:
        super().__init__(**params)
        self._height = height
        self._canvas = WebGLCloud(
            height=height,
            sizing_mode="stretch_width",
            min_width=200,
            point_size=self.point_size,
            show_target=self.show_target,
        )
        self._canvas.param.watch(lambda event: setattr(self, "frame", event.new), "frame")
        self._canvas.param.watch(self._fall_back, "webgl")
        self._positions: NDArray[np.float32] = np.zeros((1, 0, 3), dtype=np.float32)
        self._target: NDArray[np.float32] = np.zeros((0, 3), dtype=np.float32)
        self._colours = self._target_colours = np.zeros((0, 3), dtype=np.uint8)
        self._faces = self._target_faces = self._marked = np.zeros((0, 3), dtype=np.uint32)
        self._flat = False
        self._holder = pn.Column(self._canvas, sizing_mode="stretch_width", height=height)

    def show(
        self,
        positions: ArrayLike,
        *,
        faces: ArrayLike | None = None,
        marked: ArrayLike | None = None,
        target: ArrayLike | None = None,
        target_faces: ArrayLike | None = None,
        values: ArrayLike | None = None,
        colours: ArrayLike | None = None,
        target_colours: ArrayLike | None = None,
        labels: Sequence[str] = (),
        description: str = "",
        autoplay: bool = True,
    ) -> None:
        """Show a cloud ``(n, d)`` or a trajectory ``(frames, n, d)``, d = 2 or 3, and a fixed target ``(m, d)``.

        ``faces`` and ``target_faces`` ``(F, 3)``, numbers of points, make a surface of either; ``marked`` are numbers
        of faces to point out. ``values`` ``(n,)`` colours the points by a variable (viridis); ``colours`` ``(n, 3)`` in
        0…1 sets them. ``labels`` names the frames. The same positions with other colours, marks or labels do not start
        anew. Raises ``ValueError`` for another d, for faces of points that are not there, or for a trajectory over
        256 MiB.
        """
        trajectory = checks.finite_array("positions", positions, ndim=(2, 3), dtype=np.float32)
        if trajectory.ndim == 2:
            trajectory = trajectory[None]
        fixed = trajectory[0, :0] if target is None else checks.finite_array("target", target, ndim=2, dtype=np.float32)
        dimension = trajectory.shape[-1]
        if dimension not in (2, 3) or fixed.shape[-1] != dimension:
            raise ValueError(
                f"the viewer shows clouds in 2 or 3 dimensions, got {dimension} and {fixed.shape[-1]}; "
                "choose three coordinates to look at"
            )
        if trajectory.nbytes > LARGEST_TRAJECTORY:
            raise ValueError(f"{trajectory.nbytes / 2**20:.0f} MiB of positions; show fewer frames or points (256 MiB)")
        surface = _triangles("faces", faces, trajectory.shape[1])
        fixed_surface = _triangles("target_faces", target_faces, len(fixed))
        pointed = _triangles("marked", None, 0) if marked is None else surface[_numbers(marked, len(surface))]
        self._flat = dimension == 2
        before = self._positions, self._target, self._faces, self._target_faces
        self._positions, self._target = _three(trajectory), _three(fixed)
        self._faces, self._target_faces, self._marked = surface, fixed_surface, pointed
        same = all(map(np.array_equal, before, (self._positions, self._target, surface, fixed_surface)))
        self._colours = point_colours(trajectory.shape[1], values, colours, PLAIN_SOURCE)
        self._target_colours = point_colours(len(fixed), None, target_colours, PLAIN_TARGET)
        if same and labels:  # more is known of the same film: it goes on
            parts = {"colours": self._colours.tobytes(), "labels": list(labels), "marked": pointed.tobytes()}
            self._canvas.param.update(**parts, **({"description": description} if description else {}))
            return
        self.frame = 0
        self._send(list(labels), description, autoplay)
        self._draw_plotly()

    def _send(self, labels: list[str], description: str, autoplay: bool) -> None:
        frames = self._positions.shape[0]
        everything = np.concatenate([self._positions[0], self._positions[-1], self._target])
        low, high = everything.min(axis=0), everything.max(axis=0)
        centre = (low + high) / 2
        radius = float(np.sqrt(np.max(np.sum((everything - centre) ** 2, axis=1))))
        self._canvas.param.update(
            positions=self._positions.tobytes(),
            colours=self._colours.tobytes(),
            target=self._target.tobytes(),
            target_colours=self._target_colours.tobytes(),
            faces=self._faces.tobytes(),
            target_faces=self._target_faces.tobytes(),
            marked=self._marked.tobytes(),
            n_frames=frames,
            n_points=self._positions.shape[1],
            n_target=len(self._target),
            centre=[float(c) for c in centre],
            radius=radius or 1.0,
            flat=self._flat,
            labels=labels or [f"frame {k}" for k in range(frames)],
            description=description or self._in_words(frames),
            frame=0,
            autoplay=autoplay,
        )
        self._canvas.version += 1

    def _in_words(self, frames: int) -> str:
        triangles = f" and {len(self._faces)} triangles" if len(self._faces) else ""
        return f"{self._positions.shape[1]} points{triangles} in {frames} frames"

    @param.depends("point_size", "show_target", watch=True)
    def _restyle(self) -> None:
        self._canvas.param.update(point_size=self.point_size, show_target=self.show_target)

    @param.depends("frame", watch=True)
    def _seek(self) -> None:
        self._canvas.frame = min(self.frame, self._canvas.n_frames - 1)
        self._draw_plotly()

    def _fall_back(self, event: param.parameterized.Event) -> None:
        if not event.new:
            self.renderer = "plotly"

    @param.depends("renderer", watch=True)
    def _draw_plotly(self) -> None:
        if self.renderer == "webgl":
            if self._holder[0] is not self._canvas:
                self._holder[0] = self._canvas
            return
        from workbench.ui.kit.pointcloud.plotly_fallback import plotly_cloud

        figure = plotly_cloud(
            self._positions[min(self.frame, len(self._positions) - 1)],
            self._target if self.show_target else self._target[:0],
            self._colours,
            faces=self._faces,
            target_faces=self._target_faces,
            flat=self._flat,
            limit=HOVER_LIMIT,
        )
        self._holder[0] = pn.pane.Plotly(figure, height=self._height, sizing_mode="stretch_width")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._holder


def _three(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give flat clouds a third coordinate 0, and return contiguous float32."""
    missing = 3 - points.shape[-1]
    return np.ascontiguousarray(np.pad(points, [(0, 0)] * (points.ndim - 1) + [(0, missing)]), dtype=np.float32)


def _triangles(name: str, given: ArrayLike | None, points: int) -> NDArray[np.uint32]:
    """Return faces (F, 3) as the graphics card takes them; ``ValueError`` for a corner that is no point."""
    if given is None:
        return np.zeros((0, 3), dtype=np.uint32)
    found = np.asarray(given)
    if found.ndim != 2 or found.shape[1] != 3 or found.dtype.kind not in "iu":
        raise ValueError(f"{name} must be integers of shape (F, 3), got {found.dtype} of shape {found.shape}")
    _within(name, found, points, "points")
    return np.ascontiguousarray(found, dtype=np.uint32)


def _numbers(given: ArrayLike, faces: int) -> NDArray[np.intp]:
    found = np.asarray(given)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise ValueError(f"marked must be a list of numbers of faces, got {found.dtype} of shape {found.shape}")
    _within("marked", found, faces, "faces")
    return found.astype(np.intp)


def _within(name: str, found: NDArray[np.integer], count: int, what: str) -> None:
    if found.size and (found.min() < 0 or found.max() >= count):
        wrong = int(found.min()) if found.min() < 0 else int(found.max())
        raise ValueError(f"{name} names {what[:-1]} {wrong}; there are {count} {what}, counted from 0")
