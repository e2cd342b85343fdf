"""The certified box, its leaves and its basin; the trap of sampling corners."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import param
import xarray as xr

from workbench import costs, games
from workbench.costs import Cost
from workbench.figures import games as figures
from workbench.games.gallery.registry import has_formulas
from workbench.ui.games.certificate_card import certificate_card
from workbench.ui.games.choices import GameView, game_of
from workbench.ui.kit.picture import Picture

CHOICES = {entry.label: name for name, entry in games.GALLERY.items() if has_formulas(name)}


class BoxView(GameView):
    """A nonlinear game on a region."""

    title, slug = "Box", "box"
    help = (
        "Second derivatives are bounded by outward-rounded intervals on ever smaller boxes, one common w for all of "
        "them, and ball arithmetic has the last word. Corners alone prove nothing: see the vertex-sampling trap."
    )
    experiment = staticmethod(games.box_study)
    inputs = (*GameView.GAME_INPUTS, "method", "max_boxes")

    game = param.Selector(default="isoelastic-cournot", objects=CHOICES, label="Game")
    method = param.Selector(
        default="leafwise", objects={"leaf by leaf": "leafwise", "aggregated bounds": "aggregate"}, label="Method"
    )
    max_boxes = param.Integer(default=4000, bounds=(50, 20000), label="Budget of boxes")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time of the search and of the verification."""
        return costs.of(games.box_study, **game_of(inputs), max_boxes=inputs["max_boxes"])

    def pictures(self) -> Sequence[Any]:
        """Return the margins, the leaves and the certificate."""
        return [
            Picture("Margin on the region", figures.box_margins, _margins, height=440),
            Picture("Leaves", figures.leaf_boxes, _leaves, height=440),
            certificate_card(),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say the verdict, and what the corners would have said."""
        corners, inside = float(ds.corner_margin), float(ds.point_margin)
        trap = " The corners look fine, the inside is not: sampling them is no proof." if inside <= 0 < corners else ""
        if "status" not in ds.attrs:
            return f"Sampled, not proved: {corners:.4g} at the corners, {inside:.4g} inside at the least.{trap}"
        return f"{ds.attrs['status']}: {ds.attrs['reason']}.{trap}"


def _margins(ds: xr.Dataset) -> str:
    text = f"Corners suggest {float(ds.corner_margin):.4g}; the smallest on the map is {float(ds.point_margin):.4g}."
    radius = float(ds.basin_radius)
    if "status" not in ds.attrs:
        return text
    return text + (
        f" Certified basin: radius {radius:.4g} in the M-norm." if np.isfinite(radius) else " No basin is certified."
    )


def _leaves(ds: xr.Dataset) -> str:
    if "status" not in ds.attrs:
        return "The leaves come with the certificate."
    if not np.isfinite(float(ds.margin)):
        return "Without a certificate the region is one box; intervals over it are too wide to decide."
    return f"{ds.sizes['leaf']:,} leaves; the smallest margin on one is {float(ds.leaf_margin.min()):.4g}."
