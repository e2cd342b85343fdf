"""Saddle searches on a surface that one can see: drag the start, and watch how far the surrogate is trusted."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import param
import xarray as xr
from bokeh.models import PointDrawTool

from workbench import costs, steps
from workbench.costs import Cost
from workbench.figures import steps as figures
from workbench.progress import Progress
from workbench.ui.kit.picture import Picture
from workbench.ui.steps.base import StepsView, options

PLANES = {entry.label: name for name, entry in steps.SURFACES.items() if name in ("mueller-brown", "leps")}
CLUSTERS = {entry.label: name for name, entry in steps.SURFACES.items() if name.startswith("lennard-jones")}
METHODS = options(steps.SADDLE_METHODS)


class DraggedStart(Picture):
    """The map, whose start and first axis can be dragged: dropped elsewhere, the search begins there, or that way."""

    def __init__(self, view: "SaddleView", *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._view = view
        self._drawn: dict[str, tuple[float, float]] = dict.fromkeys(("start", "first axis"), (np.nan, np.nan))

    def prepared(self, element: Any) -> Any:
        """Put a tool on the marks of the start and of the axis."""
        for part in element:
            if part.label in self._drawn:
                # known before it is drawn, since drawing it looks to the page like a hand that moves it
                self._drawn[part.label] = (float(part["x"][0]), float(part["y"][0]))
                part.opts(hooks=[functools.partial(self._attach, part.label)], backend="bokeh")
                element.opts(active_tools=["point_draw", "wheel_zoom"], backend="bokeh")
        return element

    def _attach(self, mark: str, plot: Any, _: hv.Points) -> None:
        """Let a mark be dragged, when the plot is made; one tool has both, since only one can be active."""
        tool = next((t for t in plot.state.tools if isinstance(t, PointDrawTool)), None)
        if tool is None:
            tool = PointDrawTool(renderers=[], add=False, num_objects=1)
            plot.state.add_tools(tool)
        renderer = plot.handles["glyph_renderer"]
        if renderer not in tool.renderers:
            tool.renderers = [*tool.renderers, renderer]
            plot.handles["source"].on_change("data", functools.partial(self._moved, mark))

    def _moved(self, mark: str, _: str, __: Any, data: Mapping[str, Sequence[float]]) -> None:
        """Tell the view, unless it was the page itself that moved the mark."""
        if len(data["x"]) == 1:
            found = (float(data["x"][0]), float(data["y"][0]))
            # a mark that is not there is NaN, which equals nothing
            if found != self._drawn[mark] and np.isfinite(found).all():
                (self._view.move_to if mark == "start" else self._view.turn_to)(*found)


class SaddleView(StepsView):
    """One search for a saddle, call by call, beside a rival from the same start."""

    title, slug = "Saddle search", "saddles"
    help = (
        "A saddle between two minima is searched on a *surrogate* that was told the energy and the gradient wherever "
        "the surface was called. It is believed only within a trust radius (the pale discs): a step that would leave "
        "them all (▲) is not taken, the surface is called instead. Drag the diamond to start elsewhere, and the knob "
        "beside it to turn the first axis. Squares are all the saddles there are, white triangles all the minima, each "
        "proved in ball arithmetic."
    )
    experiment = "workbench.steps.saddle_search"
    shipped_file = "saddle_search.nc"
    registries: ClassVar[dict[str, Any]] = {
        "method": steps.SADDLE_METHODS,
        "rival": steps.SADDLE_METHODS,
        "surface": steps.SURFACES,
    }
    inputs = ("surface", "x", "y", "angle", "method", "rival", "adaptive", "threshold", "subset", "barrier", "seed")

    surface = param.Selector(default="mueller-brown", objects=PLANES | CLUSTERS, label="Surface")
    x = param.Number(-0.4, bounds=(-2.0, 3.0), step=0.01, label="Start, x", doc="plane surfaces; or drag the diamond")
    y = param.Number(1.2, bounds=(-0.75, 3.0), step=0.01, label="Start, y")
    angle = param.Number(90.0, bounds=(0.0, 360.0), step=1.0, label="First axis (degrees)", doc="or drag the knob")
    method = param.Selector(default="gp", objects=METHODS, label="Method")
    rival = param.Selector(default="dimer", objects=METHODS, label="Rival")
    adaptive = param.Boolean(True, label="Trust radius grows with the data")
    threshold = param.Number(0.5, bounds=(0.05, 1.0), step=0.05, label="Trust radius Θ", doc="when it does not grow")
    subset = param.Integer(10, bounds=(3, 30), label="Observations that train the hyper-parameters")
    barrier = param.Boolean(True, label="Barrier that holds σ² below 2")
    seed = param.Integer(0, bounds=(0, 999), label="Seed", doc="kicks a cluster out of its minimum")

    def compute(self, inputs: Mapping[str, Any], progress: Progress) -> xr.Dataset:
        """Search from the chosen start, with both methods."""
        return steps.saddle_search(**self.arguments(inputs), progress=progress)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the experiment's arguments: a point on a plane, a seeded kick of a cluster."""
        plane = inputs["surface"] in PLANES.values()
        kept = {name: inputs[name] for name in ("surface", "angle", "method", "rival", "subset", "barrier", "seed")}
        threshold = "adaptive" if inputs["adaptive"] else inputs["threshold"]
        return {**kept, "start": [inputs["x"], inputs["y"]] if plane else "kick", "threshold": threshold}

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a start outside the surface's box."""
        box = steps.SURFACES[inputs["surface"]]().box
        if box is None:
            return
        for name, (low, high) in zip("xy", box, strict=True):
            if not low <= inputs[name] <= high:
                raise ValueError(
                    f"{name} = {inputs[name]:g} lies outside the surface; choose it from {low:g} to {high:g}"
                )

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Tens of milliseconds a call on a plane, more for a cluster."""
        return costs.of(steps.saddle_search, **self.arguments(inputs))

    def move_to(self, x: float, y: float) -> None:
        """Start at a point that was dropped on the map, kept within the controls' bounds."""
        inside = {}
        for name, value in (("x", x), ("y", y)):
            low, high = self.param[name].bounds
            inside[name] = round(min(max(value, low), high), 3)
        self.param.update(**inside)

    def turn_to(self, x: float, y: float) -> None:
        """Point the first axis from the start at a point that its knob was dropped on."""
        self.angle = round(float(np.degrees(np.arctan2(y - self.y, x - self.x)))) % 360

    def pictures(self) -> Sequence[Any]:
        """The map, and the gradient call by call."""
        return [
            DraggedStart(self, "Search on the surface", figures.saddle_map, self._map_words, height=430),
            Picture("Call by call", figures.gradient_by_call, self._call_words, height=420),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Calls, what was reached, and what the rival needed."""
        calls, rival = int(ds.calls), int(ds.rival_calls)
        if bool(ds.is_saddle):
            found = f"{calls} calls; a first-order saddle (one negative eigenvalue, {float(ds.lowest):.1f})"
            count = int((ds.stationary_index == 1).sum()) if "stationary_index" in ds else 0
            found += f", proved to be one of the {count} in the box" if count > 1 else ""
            found += ", proved to be the only one in the box" if count == 1 else ""
        else:
            found = f"{calls} calls and no first-order saddle: {ds.attrs.get('reason', 'it did not converge')}"
        other = f"needed {rival} calls" if bool(ds.rival_success) else f"reached none in {rival} calls"
        return f"{found}. From the same start the rival {other}."

    def _map_words(self, ds: xr.Dataset) -> str:
        count = int(ds.rejections)
        return (
            f"Blue dots: the {int(ds.calls)} calls; orange: the path on the surrogate; ▲: {count} proposed "
            f"step{'' if count == 1 else 's'} outside the trusted region, not taken. White lines: the last surrogate's "
            f"contours over the true energy in colour. {int(ds.check_calls)} more calls checked the end."
        )

    def _call_words(self, ds: xr.Dataset) -> str:
        radii = ds.threshold.values[np.isfinite(ds.threshold.values)]
        if not radii.size:
            return f"The gradient's largest component falls to {float(ds.gradient[-1]):.2g}; no surrogate was used."
        return (
            f"The gradient's largest component falls to {float(ds.gradient[-1]):.2g}. The trust radius grew from "
            f"{radii[0]:.2f} to {radii[-1]:.2f}; σ² ended at {float(ds.variance[-1]):.3g}."
        )

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the start and the trust radius of a shown result."""
        found = dict(parameters)
        start = found.get("start")
        if isinstance(start, list) and len(start) == 2:
            found["x"], found["y"] = start
        found["adaptive"] = found.get("threshold") == "adaptive"
        super()._adopt(found)
