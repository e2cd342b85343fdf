"""The map of zeros in the complex plane."""

from collections.abc import Mapping, Sequence
from typing import Any

import param
import xarray as xr

from workbench import costs, steps
from workbench.costs import Cost
from workbench.figures import steps as figures
from workbench.ui.kit.picture import Picture
from workbench.ui.steps.base import StepsView, direction, network, samples, stage

COLOURS = {"margin of the prediction": "margin", "class": "target", "sample": "sample"}


class ZerosView(StepsView):
    """Where the softmax of each sample vanishes when the step is made complex."""

    title, slug = "Zeros", "zeros"
    help = (
        "Make the length of the step a complex number τ. At each dot the softmax sum of one sample vanishes: a "
        "*ghost*, where its loss is infinite. The nearest ghost limits the Taylor series of the loss. Three circles "
        "of the whole batch: the bound ρ_a = π/Δ costs one Jacobian–vector product, ρ* is exact for linearised logits."
    )
    experiment = staticmethod(steps.zeros_map)
    shipped_file = "zeros_map.nc"
    inputs = ("network", "direction", "samples", "temperature")
    display = ("stage", "colour", "zoom")

    network = network("mlp-tanh")
    direction = direction()
    samples = samples()
    temperature = param.Number(1.0, bounds=(0.25, 4.0), step=0.25, label="Temperature of the loss")
    stage = stage()
    colour = param.Selector(default="margin", objects=COLOURS, label="Colour by")
    zoom = param.Number(4.0, bounds=(1.5, 20.0), step=0.5, label="Reach of the picture", doc="in exact radii ρ*")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """A tenth of a millisecond a sample and stage, and the passes."""
        return costs.of(steps.zeros_map, **inputs)

    def pictures(self) -> Sequence[Any]:
        """The plane, and the radii over training."""
        return [
            Picture("Zeros in the complex plane", self._plane, self._plane_words, height=420),
            Picture("Radii as training goes on", figures.radii_by_stage, self._stages_words, height=420),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """The three radii of the batch at the chosen stage."""
        if self.stage not in ds.stage.values:
            return f"{self.stage}: not there yet."
        one = ds.sel(stage=self.stage)
        bound, dominance, exact = (float(one[name].min()) for name in ("bound", "dominance", "exact"))
        uncertified = int((~one.certified.astype(bool)).sum())
        flagged = f"{uncertified} of them not certified" if uncertified else "all certified"
        return (
            f"{one.stage.item()}: ρ_a = {bound:.3g}, ρ_dom = {dominance:.3g}, ρ* = {exact:.3g} for the batch of "
            f"{ds.sizes['sample']} samples ({flagged}); the exact radius is {exact / bound:.2f} times the bound."
        )

    def _plane(self, ds: xr.Dataset) -> Any:
        return figures.zeros_plane(ds, stage=self._stage(ds), colour=self.colour, zoom=self.zoom)

    def _stage(self, ds: xr.Dataset) -> str:
        """The chosen stage, or the last one while the chosen one is not there yet."""
        return self.stage if self.stage in ds.stage.values else str(ds.stage.values[-1])

    def _plane_words(self, ds: xr.Dataset) -> str:
        one = ds.sel(stage=self._stage(ds))
        reach = self.zoom * float(one.exact.min())
        inside = int((one.exact <= reach).sum())
        return (
            f"{inside} of {ds.sizes['sample']} samples have their nearest zero within τ = {reach:.3g}; the others lie "
            "outside the picture. Zeros come in conjugate pairs."
        )

    def _stages_words(self, ds: xr.Dataset) -> str:
        ratio = (ds.exact / ds.bound).median("sample")
        first, last = float(ratio[0]), float(ratio[-1])
        return (
            f"Median and 5–95 % band over the samples. In units of the bound the median sample's zero moves from "
            f"{first:.1f} to {last:.1f} as margins grow."
        )
