"""Watch one cloud flow into the other."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param
import xarray as xr

from workbench import data, flows
from workbench.costs import Cost
from workbench.figures import flows as figures
from workbench.flows import costs
from workbench.ui.kit.choices.clouds import FILE, PairView, clouds_of, dim_of
from workbench.ui.kit.picture import CAPTION, Picture
from workbench.ui.kit.pointcloud import PointCloud

METHODS = {entry.label: name for name, entry in flows.ESTIMATORS.items() if entry.facts.get("dim", 3) <= 3}
LOSSES = {"squared, SW₂² (velocity steps)": "squared", "unsquared, SW₂ (the paper's)": "unsquared"}
LOSS_OF_STEP = {"eta": "squared", "learning_rate": "unsquared"}
COLOURS = {
    "distance travelled": "distance",
    "first coordinate at the start": "first",
    "last coordinate at the start": "last",
    "one colour": "plain",
}
MOST_FRAMES = 61
EXACT_UP_TO = 2000


class FlowView(PairView):
    """The flow in space, and its distances over time."""

    title, slug = "Flow", "flow"
    help = (
        "Each step moves every point against the gradient of the sliced Wasserstein distance, estimated with fresh "
        "directions. Drag to turn, scroll to zoom, space to play."
    )
    registries: ClassVar[dict[str, Any]] = {"method": flows.ESTIMATORS}
    experiment = staticmethod(flows.gradient_flow)
    inputs = (*PairView.PAIR_INPUTS, "method", "n_directions", "steps", "loss", "eta", "learning_rate")
    display = ("colour", "logarithmic")

    method = param.Selector(default="design", objects=METHODS, label="Estimator")
    n_directions = param.Integer(default=30, bounds=(1, 500), label="Directions per step")
    steps = param.Integer(default=60, bounds=(1, 1000), label="Steps")
    loss = param.Selector(default="squared", objects=LOSSES, label="Loss")
    eta = param.Number(default=0.15, bounds=(0.01, 1), step=0.01, label="Step η (squared loss)")
    learning_rate = param.Number(default=0.02, bounds=(0.001, 0.2), step=0.001, label="Step (unsquared loss)")
    colour = param.Selector(default="distance", objects=COLOURS, label="Colour points by")
    logarithmic = param.Boolean(default=True, label="Logarithmic distances")

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped first flow if that is what is asked for."""
        if FILE in (inputs["origin"], inputs["target"]):
            return None
        return data.result_for("flows/first_flow.nc", **arguments(inputs))

    def control(self, name: str) -> Any:
        """Return the widget of a parameter; of the two steps only the one that the loss uses is shown."""
        widget = super().control(name)
        if name in LOSS_OF_STEP:
            widget.visible = pn.bind(lambda loss: loss == LOSS_OF_STEP[name], self.param.loss)
        return widget

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse what the estimator cannot do, before any work."""
        super().check(inputs)
        flows.directions(inputs["method"], inputs["n_directions"], dim_of(inputs))

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time: the steps, and the exact distances."""
        return costs.flow(
            inputs["n"],
            dim_of(inputs),
            steps=inputs["steps"],
            n_directions=inputs["n_directions"],
            frames=MOST_FRAMES,
            checkpoints=len(_checkpoints(inputs)),
        )

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the flow, with its frames and checkpoints."""
        return arguments(inputs)

    def pictures(self) -> Sequence[Any]:
        """Return the moving cloud and the curves."""
        return [FlowFilm(self), Picture("Distances", self._curves, _curves_in_words)]

    def _curves(self, ds: xr.Dataset) -> Any:
        return figures.flow_curves(ds, logarithmic=self.logarithmic)

    def sentence(self, ds: xr.Dataset) -> str:
        """Say where the flow arrived."""
        pace = f"{1e3 * float(ds.seconds_per_step[1:].mean()):.2g} ms a step" if ds.sizes["frame"] > 1 else "no step"
        first, last, known = float(ds.sw2[0]), float(ds.sw2[-1]), ""
        if np.isfinite(last):
            known = f" ± {float(ds.sw2_standard_error[-1]):.1g}"
        elif "sw2_seen" in ds:  # the flow is there, its distances are still to be read
            first, last = float(ds.sw2_seen[0]), float(ds.sw2_seen[-1])
        exact = f" Exact W₂² went from {float(ds.w2[0]):.3g} to {float(ds.w2[-1]):.3g}." if "w2" in ds else ""
        return (
            f"SW₂² {last:.3g}{known} after {int(ds.frame[-1])} steps ({pace}), "
            f"{_trend(first, last)} from {first:.3g}.{exact}"
        )


def arguments(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``gradient_flow`` for the inputs of the view."""
    kept = ("steps", "method", "n_directions", "eta", "loss", "learning_rate")
    return {
        **clouds_of(inputs),
        **{name: inputs[name] for name in kept},
        "frames": min(MOST_FRAMES, inputs["steps"] + 1),
        "checkpoints": _checkpoints(inputs),
    }


def _checkpoints(inputs: Mapping[str, Any]) -> list[int]:
    """Return the steps at which exact transport is asked for: none if the clouds are large."""
    steps = inputs["steps"]
    return sorted({0, steps // 4, steps // 2, steps}) if inputs["n"] <= EXACT_UP_TO else []


def _trend(first: float, last: float) -> str:
    if last < 0.98 * first:
        return "down"
    return "up" if last > 1.02 * first else "unchanged"


def _curves_in_words(ds: xr.Dataset) -> str:
    if not np.isfinite(float(ds.sw2[-1])):
        return "The distance as the steps themselves saw it, one estimate each."
    below = np.flatnonzero(ds.sw2.values <= 0.01 * float(ds.sw2[0]))
    reached = (
        f"SW₂² reaches a hundredth of its start at step {int(ds.frame[below[0]])}."
        if len(below)
        else f"SW₂² ends at {float(ds.sw2[-1] / ds.sw2[0]):.2g} of its start."
    )
    band = "The band is two standard errors, from four independent rotations of 100 directions."
    exact = " Diamonds are exact transport; it lies above d times SW₂²." if "w2" in ds else ""
    return f"{reached} {band}{exact}"


class FlowFilm(pn.viewable.Viewer):
    """The trajectory in the point-cloud viewer, with what it shows in words."""

    def __init__(self, view: FlowView) -> None:
        super().__init__()
        self._view = view
        self._viewer = PointCloud(height=470)
        self._caption = pn.pane.HTML("", stylesheets=[CAPTION], sizing_mode="stretch_width")
        self._layout = pn.Column(self._viewer, self._caption, sizing_mode="stretch_width", min_width=200)

    def update(self, ds: xr.Dataset) -> None:
        """Send the trajectory to the browser."""
        positions = ds.positions.values[:, :, :3]
        values = _colour_values(ds, self._view.colour)
        words = f"{ds.sizes['point']} points flow to {ds.sizes['target_point']} in {int(ds.frame[-1])} steps."
        if ds.sizes["axis"] > 3:
            words += f" The first three of {ds.sizes['axis']} coordinates are shown."
        if ds.sizes["axis"] == 1:
            positions = np.concatenate([positions, np.zeros_like(positions)], axis=2)
        target = ds.target.values[:, :3]
        self._viewer.show(
            positions,
            target=target if target.shape[1] > 1 else np.column_stack([target, 0 * target]),
            values=values,
            labels=[_label(*frame) for frame in zip(ds.frame.values, ds.sw2.values, strict=True)],
            description=words,
        )
        named = {value: label for label, value in COLOURS.items()}
        colour = "" if values is None else f" Colour: {named[self._view.colour]}, dark is low."
        self._caption.object = f"<p>{words} Orange is the target.{colour}</p>"

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def _label(step: int, sw2: float) -> str:
    return f"step {step}, SW₂² {sw2:.3g}" if np.isfinite(sw2) else f"step {step}"


def _colour_values(ds: xr.Dataset, colour: str) -> Any:
    positions = ds.positions.values
    if colour == "distance":
        return np.linalg.norm(positions[-1] - positions[0], axis=1)
    if colour == "first":
        return positions[0, :, 0]
    if colour == "last":
        return positions[0, :, -1]
    return None
