"""Where a rule looks, and how the cost varies over the sphere it averages."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param
import xarray as xr

from workbench import flows
from workbench.costs import Cost
from workbench.figures import flows as figures
from workbench.flows import costs
from workbench.ui.flows.flow import METHODS
from workbench.ui.kit.choices.clouds import PairView, clouds_of, dim_of
from workbench.ui.kit.picture import CAPTION, Picture
from workbench.ui.kit.pointcloud import PointCloud

RESOLUTION = 49
"""Of the map: so many directions along each side."""


class DirectionsView(PairView):
    """The directions of one draw on the sphere, coloured by the cost along them."""

    title, slug = "Directions", "directions"
    help = (
        "The distance is the mean over all directions of a one-dimensional transport cost. An estimator sees it at a "
        "few directions only: the more evenly they lie, the less it misses."
    )
    registries: ClassVar[dict[str, Any]] = {"method": flows.ESTIMATORS}
    experiment = staticmethod(flows.direction_costs)
    inputs = (*PairView.PAIR_INPUTS, "method", "n_directions")

    method = param.Selector(default="design", objects=METHODS, label="Estimator")
    n_directions = param.Integer(default=100, bounds=(1, 1000), label="Directions")

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse what the estimator cannot do."""
        super().check(inputs)
        flows.directions(inputs["method"], inputs["n_directions"], dim_of(inputs))

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time: the map takes most of it."""
        return costs.sphere(inputs["n"], n_directions=inputs["n_directions"], resolution=RESOLUTION)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the clouds and the rule that looks at them."""
        kept = {name: inputs[name] for name in ("method", "n_directions")}
        return {**clouds_of(inputs), **kept, "resolution": RESOLUTION}

    def pictures(self) -> Sequence[Any]:
        """Return the sphere and the map."""
        return [DirectionSphere(), Picture("Cost along every direction", figures.direction_map, _map_in_words)]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what this draw estimates, and what the map averages to."""
        text = f"This draw of {ds.sizes['direction']} directions estimates SW₂² = {float(ds.estimate):.5g}"
        if "cost_map" in ds:
            text += f"; the map of all directions averages to {float(ds.cost_map.mean()):.5g}"
        return text + "."


def _map_in_words(ds: xr.Dataset) -> str:
    seen = ds.cost_map if "cost_map" in ds else ds.cost
    text = f"The squared cost ranges from {float(seen.min()):.3g} to {float(seen.max()):.3g}."
    if "height" in ds.dims:
        text += " Equal areas of the map are equal areas of the sphere; marks are directions and their opposites."
    return text


class DirectionSphere(pn.viewable.Viewer):
    """Directions and their opposites as points, turned by hand."""

    def __init__(self) -> None:
        super().__init__()
        self._viewer = PointCloud(height=420, point_size=8)
        self._caption = pn.pane.HTML("", stylesheets=[CAPTION], sizing_mode="stretch_width")
        self._layout = pn.Column(self._viewer, self._caption, sizing_mode="stretch_width", min_width=200)

    def update(self, ds: xr.Dataset) -> None:
        """Show the directions of ``ds``; of more than three dimensions the first three."""
        directions = ds.directions.values[:, :3]
        if directions.shape[1] == 1:
            directions = np.column_stack([directions, 0 * directions])
        both = np.concatenate([directions, -directions])
        words = f"{len(directions)} directions and their opposites, coloured by cost (dark is low)."
        if ds.sizes["axis"] > 3:
            words += f" The first three of {ds.sizes['axis']} coordinates are shown."
        costs = np.tile(ds.cost.values, 2)
        self._viewer.show(both, values=costs, labels=["one draw"], description=words, autoplay=False)
        self._caption.object = f"<p>{words}</p>"

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout
