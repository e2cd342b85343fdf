"""Downscaling: what a regulariser that matches distributions does to rain, in closed form, trained, and on own rain."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import panel as pn
import param
import xarray as xr

from workbench import costs, data, fields
from workbench.costs import Cost
from workbench.fields.downscaling.own import LARGEST
from workbench.fields.downscaling.verdicts import STUDY
from workbench.figures import fields as figures
from workbench.progress import Progress
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.upload import ReadUpload, file_field, keep
from workbench.ui.kit.view import View

ACCEPTED = ".csv,.tsv,.txt,.nc"
SAMPLERS = {"Probability-flow ODE": "ode", "Reverse SDE": "sde", "Predictor–corrector (the paper's)": "pc"}
CALLED = {"ode": "ODE", "sde": "SDE", "pc": "predictor–corrector"}


class RainFile(ReadUpload):
    """An uploaded CSV or NetCDF of daily rain."""

    def read(self, progress: Progress) -> tuple[Any, str]:
        """Read all of the file, in a process apart."""
        return fields.read_rain(self.data, name=self.name, progress=progress)


class DownscalingView(View):
    """The regulariser of WassDiff: gains, spread and return levels, beside networks trained with and without it."""

    title, slug = "Downscaling", "downscaling"
    help = (
        "WassDiff adds a sliced Wasserstein term to the loss of a diffusion model, for heavier rain. For a Gaussian "
        "pixel without a condition its optimum has a formula: move w and see the spread of the samples, and the 99.9 % "
        "rain in mm; batch and sampler change the picture. Below, small networks trained with and without it, "
        "conditioned on block means. The paper's weather data are not part of this."
    )
    experiment = staticmethod(fields.inflation_report)
    inputs = ("w", "s", "mean", "sigma_max", "batch", "sampler")
    display = ("shown",)

    w = param.Number(default=0.2, bounds=(0.0, 0.95), step=0.01, label="Weight w of the regulariser")
    s = param.Number(default=0.2, bounds=(0.05, 0.6), step=0.01, label="Standard deviation s of log(1 + R)/5")
    mean = param.Number(default=0.35, bounds=(0.0, 0.8), step=0.01, label="Mean of log(1 + R)/5")
    sigma_max = param.Selector(default=50.0, objects=[5.0, 20.0, 50.0, 100.0], label="Largest noise σ")
    batch = param.Selector(default=12, objects=[1, 2, 4, 12, 64, 256], label="Batch sorted together")
    sampler = param.Selector(default="ode", objects=SAMPLERS, label="Sampler")
    shown = param.Integer(default=0, bounds=(0, 2), label="Held-out field on the maps")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time."""
        return costs.of(fields.inflation_report, **inputs) or Cost(0.1)

    def pictures(self) -> Sequence[Any]:
        """Return the closed forms, and the study of trained networks."""
        study = data.result(STUDY)
        return [
            Picture("Return levels", figures.return_levels, _levels_in_words),
            Picture("Spread of samples", self._curves, _curves_in_words),
            Picture("Gain of the denoiser", figures.downscaling_gains, _gains_in_words),
            Picture("Trained networks", lambda _: figures.downscaling_tails(study), lambda _: tails_in_words(study)),
            Picture(
                "Rain of the trained networks",
                lambda _: figures.rain_maps(study, shown=self.shown),
                lambda _: "Samples of one held-out field on one scale in mm a day; the block means are the same.",
                height=300,
            ),
        ]

    def _curves(self, ds: xr.Dataset) -> Any:
        return figures.inflation_curves(ds, w=self.w)

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the regulariser does to the spread and to the heaviest rain."""
        return (
            f"At its own optimum w = {self.w:g} multiplies the spread by {float(ds.inflation):.2f} with the "
            f"{CALLED[self.sampler]} sampler: the 99.9 % rain of {float(ds.extreme):.0f} mm becomes "
            f"{float(ds.extreme_wdr):.0f} mm, the mean {float(ds.mean_rain):.2f} mm becomes "
            f"{float(ds.mean_rain_wdr):.2f} mm (Gaussian pixel, large batch, no condition); with a batch of "
            f"{self.batch} by {float(ds.inflation_batch):.2f}, {float(ds.extreme_batch):.0f} mm."
        )


def _levels_in_words(ds: xr.Dataset) -> str:
    k = -1
    return (
        f"At {float(ds.period[k]):,.0f} days {float(ds.level[k]):.0f} mm in truth, {float(ds.level_wdr[k]):.0f} mm in "
        f"samples of a large batch and {float(ds.level_batch[k]):.0f} mm of this batch."
    )


def _curves_in_words(ds: xr.Dataset) -> str:
    return (
        f"At w = {float(ds.weight[-1]):.1f} and large batches the ODE has {float(ds.inflation_ode[-1]):.2f}, the SDE, "
        f"which forgets early errors, {float(ds.inflation_sde[-1]):.2f}, and the paper's predictor–corrector "
        f"{float(ds.inflation_pc[-1]):.2f}."
    )


def _gains_in_words(ds: xr.Dataset) -> str:
    knee = float(ds.knee)
    where = f"beyond σ = {knee:.2f}" if 0 < knee < float(ds.sigma[-1]) else ("everywhere" if knee == 0 else "nowhere")
    return f"The large batch matches the spread outright {where}; a batch of one is the Bayes gain."


def tails_in_words(ds: xr.Dataset) -> str:
    """Give the paired change of the log-ratio by the regulariser, and which rows are off the picture."""
    one = ds.sel(downscaler="wdr")
    off = [name for name in ds.downscaler.values if float(abs(ds.log_exact.sel(downscaler=name)).max()) >= 3]
    left = f" Off the picture: {', '.join(off)}." if off else ""
    return (
        f"w = 0.2 changes log q99.9 by {float(one.difference):+.3f} ± {float(one.reach):.3f}, paired over "
        f"{ds.sizes['seed']} seeds and {int(ds.days)} held-out fields; bars: 95 % over fields drawn again, without "
        f"that pairing.{left}"
    )


class OwnRainView(View):
    """Return levels of one's own daily rain, and what the regulariser would make of them."""

    title, slug = "Own rain", "own-rain"
    help = (
        "Hand in daily rain in mm: a CSV with a day in every row and a site in every column, or a NetCDF-4 file with "
        "(time, y, x). Return levels come with intervals from blocks of neighbouring days; beyond the record only the "
        "fit goes on. Without a file an example is shown."
    )
    experiment = staticmethod(fields.rain_report)
    inputs = ("file", "w", "sampler", "block")

    file = param.ClassSelector(class_=RainFile, default=None, allow_None=True)
    w = param.Number(default=0.2, bounds=(0.0, 0.95), step=0.01, label="Weight w of the regulariser")
    sampler = param.Selector(default="ode", objects=SAMPLERS, label="Sampler")
    block = param.Selector(default=15, objects=[1, 5, 15], label="Days drawn together")

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the rain of the file, or of the example."""
        own = inputs["file"]
        rain = fields.example_days() if own is None else own.contents()
        return {"rain": rain, **{name: inputs[name] for name in ("w", "sampler", "block")}}

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time, by the size of the file."""
        own = inputs["file"]
        return Cost(0.3 if own is None else 0.3 + 4.0 * len(own.data) / LARGEST)

    def take_file(self, name: str, data: bytes) -> None:
        """Use an uploaded file."""
        keep(self, "file", RainFile, name, data, LARGEST)

    def controls(self) -> list[Any]:
        """Return the chooser of a file and the widgets."""
        field: pn.Column = file_field(self, "file", "CSV or NetCDF of daily rain", ACCEPTED, self.take_file)
        return [field, *(widget_for(self, name) for name in self.inputs if name != "file")]

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; its days are not among them."""
        super()._adopt({name: value for name, value in parameters.items() if name in ("w", "sampler", "block")})

    def pictures(self) -> Sequence[Any]:
        """Return the return levels."""
        return [Picture("Return levels", figures.return_levels, _record_in_words, height=430)]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the record holds and what the regulariser makes of its rarest day."""
        k = int(np.argmin(np.abs(ds.period.values - 1000)))
        return (
            f"{int(ds.days):,} days, {float(ds.wet):.0%} of the values wet, the largest {float(ds.largest):.1f} mm: "
            f"the 1,000-day level is {float(ds.fitted[k]):.0f} mm by the fit, and {float(ds.regularised[k]):.0f} mm "
            f"with its spread times κ = {float(ds.inflation):.2f} (no condition)."
        )


def _record_in_words(ds: xr.Dataset) -> str:
    return (
        f"Points: the record, up to {int(ds.days):,} days, with a 95 % interval; lines: the fitted law and the same "
        "with its spread times κ, beyond the record by extrapolation."
    )
