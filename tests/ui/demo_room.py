"""A small room for the tests of the shared page parts: a sine, a slow sine, and a moving cloud."""

import time

import holoviews as hv
import numpy as np
import param

from workbench import results
from workbench.costs import Cost
from workbench.figures import theme
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.pointcloud import PointCloud
from workbench.ui.kit.room import Room
from workbench.ui.kit.view import View
from workbench.verdicts import Outcome, Verdict


@results.experiment
def sine(frequency: float, seconds: float = 0.0, progress=None):
    """Sample one second of a sine, slowly if asked."""
    steps = 20
    for step in range(steps):
        time.sleep(seconds / steps)
        if progress is not None:
            progress.update(step, steps, f"sample {step}")
    times = np.linspace(0, 1, 50)
    wave = np.sin(2 * np.pi * frequency * times)
    return results.dataset(
        {"wave": (("time",), wave, "displacement", "m"), "frequency": ((), frequency, "frequency", "Hz")},
        {"time": (("time",), times, "time", "s")},
    )


class SineView(View):
    """A sine whose frequency can be turned."""

    title, slug = "Sine", "sine"
    inputs, display = ("frequency", "seconds", "shape"), ("logarithmic",)
    experiment = sine(1.0).attrs["function"]
    frequency = param.Number(1.0, bounds=(0.5, 10), label="frequency", doc="in hertz")
    seconds = param.Number(0.0, bounds=(0, 600), label="seconds of work")
    shape = param.Selector(default="sine", objects=["sine", "square"])
    logarithmic = param.Boolean(False, label="logarithmic axis")
    broken = False

    def compute(self, inputs, progress):
        if self.broken:
            raise RuntimeError("the wave broke")
        return sine(inputs["frequency"], inputs["seconds"], progress=progress)

    def cost(self, inputs):
        return Cost(inputs["seconds"], 3e9)

    def check(self, inputs):
        if inputs["shape"] == "square":
            raise ValueError("a square wave has no frequency here; choose sine")

    def pictures(self):
        return [Picture("Displacement", self._figure, lambda ds: f"{ds.sizes['time']} samples.")]

    def sentence(self, ds):
        return f"One period takes {1 / float(ds.frequency):.3f} s."

    def _figure(self, ds):
        curve = theme.line(hv.Curve(ds, "time", "wave"), theme.SERIES[0])
        return theme.frame(curve, title="Sine", xlabel="time (s)", ylabel="m", logx=self.logarithmic)


class MovingCloud:
    """Adapts the point-cloud viewer to the pictures of a view."""

    def __init__(self):
        self.viewer = PointCloud()

    def update(self, ds):
        rng = np.random.default_rng(0)
        start = rng.normal(size=(500, 3))
        path = start + np.linspace(0, float(ds.frequency), 30)[:, None, None]
        self.viewer.show(path, target=path[-1], values=start[:, 0], labels=[f"step {k}" for k in range(30)])

    def __panel__(self):
        return self.viewer


class CloudView(SineView):
    """The cloud moves as far as the frequency says."""

    title, slug = "Cloud", "cloud"
    experiment = "workbench.none"

    def pictures(self):
        return [MovingCloud()]


class MovingSurface(MovingCloud):
    """A sheet of 200 triangles that bends into a saddle, with the first of them pointed out."""

    def update(self, ds):
        k = np.arange(110).reshape(11, 10)
        a, b, c, d = (part.ravel() for part in (k[:-1, :-1], k[1:, :-1], k[1:, 1:], k[:-1, 1:]))
        faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
        x, y = np.linspace(-1, 1, 11)[k // 10].ravel(), np.linspace(-1, 1, 10)[k % 10].ravel()
        bend = float(ds.frequency) / 2 * np.linspace(0, 1, 30)[:, None] * (x**2 - y**2)
        path = np.stack([np.broadcast_to(x, bend.shape), np.broadcast_to(y, bend.shape), bend], axis=-1)
        self.viewer.show(path, faces=faces, marked=np.arange(20), target=path[-1] + [0, 0, 1], target_faces=faces)


class SurfaceView(CloudView):
    """The surface bends as far as the frequency says."""

    title, slug = "Surface", "surface"

    def pictures(self):
        return [MovingSurface()]


class DemoRoom(Room):
    """Three tabs and two verdicts."""

    title, slug, purpose = "Demo", "demo", "Turn a wave."
    view_classes = (SineView, CloudView, SurfaceView)

    @classmethod
    def verdicts(cls):
        return [
            Verdict("sines stay below one", "largest 1.000", Outcome.HOLDS, "sine(1.0)"),
            Verdict("<b>sines</b> are square", "they are not", Outcome.FAILS),
        ]
