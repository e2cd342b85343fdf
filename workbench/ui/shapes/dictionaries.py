"""Dictionaries: what torsion and non-metricity call a defect whose charge is known."""

from collections.abc import Mapping, Sequence
from typing import Any

import param
import xarray as xr

from workbench import costs, shapes
from workbench.costs import Cost
from workbench.figures import shapes as figures
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.view import View

STEPS = 12


class DictionariesView(View):
    """Fluxes of the two traces around wedges, and the shares of a dislocation's torsion."""

    title, slug = "Dictionaries", "dictionaries"
    help = (
        "The paper gives every defect a name in geometry: dislocations are the trace of torsion, disclinations the "
        "second trace of non-metricity, point defects the first. Here the fields of single defects are known exactly, "
        "and so is the charge that the names should carry. Around a wedge it is its angle Ω, in every frame."
    )
    experiment = staticmethod(shapes.defect_dictionaries)
    inputs = ("largest",)

    largest = param.Number(default=60.0, bounds=(5, 180), step=5, label="Largest wedge (degrees)")

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return wedges from −largest to the largest, without 0."""
        steps = [inputs["largest"] * k / STEPS for k in range(1, STEPS + 1)]
        return {"wedges": [*(-one for one in reversed(steps)), *steps]}

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimate of the room."""
        return costs.of(shapes.defect_dictionaries, **self.arguments(inputs)) or Cost(1.0)

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        wedges = parameters.get("wedges")
        good = isinstance(wedges, list) and wedges and all(isinstance(one, int | float) for one in wedges)
        super()._adopt({"largest": float(max(wedges))} if good else {})

    def pictures(self) -> Sequence[Picture]:
        """Return the fluxes and the shares."""
        return [
            Picture("Wedges", figures.wedge_fluxes, _wedges_in_words),
            Picture("Dislocations", figures.torsion_share_curves, _shares_in_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the largest wedge is called in either frame."""
        last = ds.isel(wedge=int(ds.wedge.values.argmax()))
        told = [
            f"{_multiple(last.first_flux.sel(frame=frame) / last.angle)} and "
            f"{_multiple(last.second_flux.sel(frame=frame) / last.angle)} in the {frame} frame"
            for frame in map(str, ds.frame.values)
        ]
        return (
            f"Around a wedge of {float(last.wedge):.0f}° first and second trace have the fluxes {' but '.join(told)}: "
            "the charge that they give depends on the frame."
        )


def _multiple(ratio: xr.DataArray) -> str:
    """Return a flux in units of the wedge's angle; rounding has no sign."""
    return f"{round(float(ratio), 3) + 0.0:.3f} Ω".replace("-", "−")


def _wedges_in_words(ds: xr.Dataset) -> str:
    return f"The charge is 1 (dashed). The fluxes are the same all around the circle, to {float(ds.spread.max()):.0e}."


def _shares_in_words(ds: xr.Dataset) -> str:
    ends = ds.sortby("character").vector.values
    return (
        f"The trace of torsion (vector) carries {ends[0]:.0%} of a screw (0°) and {ends[-1]:.0%} of an edge (90°); the "
        "three shares sum to 1."
    )
