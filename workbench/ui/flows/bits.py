"""How many bits a climate needs: attractor, cycle, the test by W₁, the soil that stops warming, one's own runs."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param
import xarray as xr
from numpy.typing import NDArray

from workbench import data, flows
from workbench.costs import Cost
from workbench.figures import flows as figures
from workbench.flows import costs
from workbench.progress import Progress
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.upload import ReadUpload, file_field, keep
from workbench.ui.kit.view import View

SOIL, OWN = "soil", "own"
CHOICES = {entry.label: name for name, entry in flows.MODELS.items()} | {
    "Soil column, 60 years": SOIL,
    "Your own model output …": OWN,
}
ROUNDINGS = {"to nearest": "nearest", "stochastic": "stochastic"}
LARGEST_UPLOAD = 20 * 2**20
YEARS = 60.0
RUN = ("model", "bits", "rounding", "runs", "steps", "seed")
"""The inputs of a run of a model."""
YARDSTICKS = {"lorenz96": "flows/bits_lorenz96.nc"}
"""Model → the stored study that knows what a change of its parameter does."""
SIDES = {"low_file": "Runs under test", "high_file": "Reference runs"}


class RunsFile(ReadUpload):
    """An uploaded ensemble of model output."""

    def read(self, progress: Progress) -> tuple[NDArray[np.float64], str]:
        """Read runs and samples."""
        return flows.read_runs(self.data, name=self.name, max_bytes=LARGEST_UPLOAD, apart=True, progress=progress)


def _run_of(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a run: twice as many in double precision."""
    return {**{name: inputs[name] for name in RUN}, "reference_runs": 2 * inputs["runs"]}


class BitsView(View):
    """A climate in few bits beside the one in double precision."""

    title, slug = "Bits", "bits"
    help = (
        "Every operation of the model is rounded to so many bits of fraction (52 is double, 23 single, 10 half "
        "precision, 7 bfloat16). Is the climate another one? Whole runs are compared, never single samples."
    )
    registries: ClassVar[dict[str, Any]] = {}
    experiment = "workbench.flows.precision_climate"
    inputs = ("model", "bits", "rounding", "runs", "steps", "seed", "low_file", "high_file")

    model = param.Selector(default="lorenz63", objects=CHOICES, label="Model")
    bits = param.Integer(default=10, bounds=(4, 52), label="Bits of the fraction")
    rounding = param.Selector(default="nearest", objects=ROUNDINGS, label="Rounding")
    runs = param.Integer(default=4, bounds=(2, 16), label="Runs in few bits", doc="twice as many in double precision")
    steps = param.Integer(default=20_000, bounds=(2000, 200_000), step=1000, label="Steps of a run")
    seed = param.Integer(default=0, bounds=(0, 99), label="Seed")
    low_file = param.ClassSelector(class_=RunsFile, default=None, allow_None=True)
    high_file = param.ClassSelector(class_=RunsFile, default=None, allow_None=True)

    def controls(self) -> list[Any]:
        """Return the widgets; those that the chosen model does not read are hidden."""
        rows: list[Any] = [widget_for(self, "model")]
        used = {"bits": ("soil", "run"), "rounding": ("soil", "run"), "runs": ("run",), "steps": ("run",)}
        for name in ("bits", "rounding", "runs", "steps", "seed"):
            kinds = used.get(name, ("soil", "run", "own"))
            widget = widget_for(self, name)
            widget.visible = pn.bind(lambda model, kinds=kinds: _kind(model) in kinds, self.param.model)
            rows.append(widget)
        for side, label in SIDES.items():
            is_wanted, take = pn.bind(lambda model: model == OWN, self.param.model), functools.partial(self.take, side)
            text, endings = f"{label}: CSV or NetCDF", ".csv,.tsv,.txt,.nc"
            rows.append(file_field(self, side, text, endings, take, visible=is_wanted))
        return rows

    def take(self, side: str, name: str, data: bytes) -> None:
        """Use an uploaded ensemble."""
        keep(self, side, RunsFile, name, data, LARGEST_UPLOAD)

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Ask for both files where one's own output is to be tested."""
        if inputs["model"] == OWN:
            for side, label in SIDES.items():
                if inputs[side] is None:
                    raise ValueError(
                        f"Choose a file for “{label}”: a table with a run in every column, or NetCDF with a dimension "
                        "of runs."
                    )

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time of the runs, the search for cycles and the test."""
        if inputs["model"] == SOIL:
            return costs.soil_column(YEARS)
        if inputs["model"] == OWN:
            size = sum(len(inputs[side].data) for side in SIDES if inputs[side] is not None)
            return Cost(1.0 + size / 2e7, 10.0 * size)
        return costs.precision_climate(inputs["model"], inputs["runs"], 2 * inputs["runs"], inputs["steps"], 60_000)

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped first result if that is what is asked for."""
        return data.result_for("flows/bits_first.nc", **_run_of(inputs))

    def compute(self, inputs: Mapping[str, Any], progress: Progress) -> xr.Dataset:
        """Run the model and the test, or the soil, or the test alone."""
        if inputs["model"] == SOIL:
            kept = {name: inputs[name] for name in ("bits", "rounding", "seed")}
            return flows.soil_column(**kept, years=YEARS, progress=progress)
        if inputs["model"] == OWN:
            low, high = (inputs[side].contents() for side in SIDES)
            return flows.compare_runs(low, high, seed=inputs["seed"], progress=progress)
        return flows.precision_climate(**_run_of(inputs), progress=progress)

    def pictures(self) -> Sequence[Any]:
        """Return the states, the distance as the runs grow, and the distributions; or the soil's three pictures."""
        return [
            Picture("States", _either(figures.soil_map, figures.climate_picture), _states_in_words),
            Picture("Distance", _either(figures.soil_profiles, figures.climate_distance), _distance_in_words),
            Picture(
                "Distribution",
                _either(functools.partial(figures.soil_map, error=True), figures.climate_distributions),
                _distribution_in_words,
            ),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say whether the climate is another one, by how much, and what the run does."""
        if "temperature" in ds:
            return _soil_sentence(ds)
        w1, floor, p = float(ds.w1), float(ds.floor), float(ds.p_value)
        about = "Your runs" if "low_orbit" not in ds else f"{int(ds.attrs['bits'])} bits, {_words(ds)}"
        text = f"{about}: W₁({ds.attrs['quantity']}) = {w1:.2g} ± {float(ds.standard_error):.1g}, "
        text += f"{w1 / floor:.2g} times the 95 % floor of {floor:.2g}; p = {p:.2g} by whole runs. "
        if p > 0.05:
            least = float(ds.detectable)
            size = f"a shift of {least:.2g} or more" if np.isfinite(least) else "no shift that fits, so run more"
            text += f"No difference seen; a test of this size would see {size}."
        else:
            text += self._equivalent(ds)
        return (text + _cycles_in_words(ds)).strip()

    def _equivalent(self, ds: xr.Dataset) -> str:
        """Say which change of the model's parameter does as much, where a stored study knows."""
        if "low_orbit" not in ds or self.model not in YARDSTICKS:
            return ""
        sweep = data.result(YARDSTICKS[self.model])
        low, high = flows.equivalent_change(float(ds.w1), sweep)
        name = str(sweep.attrs["parameter"])
        if np.isfinite(low) and np.isfinite(high):
            return f"A {name} of {low:g} to {high:g} does as much."
        if np.isfinite(low):
            return f"A {name} of {low:g} does less."
        return f"A {name} of {high:g} does more." if np.isfinite(high) else ""


def _kind(model: str) -> str:
    return model if model in (SOIL, OWN) else "run"


def _either(soil: Any, climate: Any) -> Any:
    return lambda ds: soil(ds) if "temperature" in ds else climate(ds)


def _words(ds: xr.Dataset) -> str:
    return "round to nearest" if ds.attrs["rounding"] == "nearest" else "stochastic rounding"


def _cycles_in_words(ds: xr.Dataset) -> str:
    if "period" not in ds or ds.attrs["rounding"] != "nearest":
        return ""
    periods = [int(value) for value in ds.period.values if value]
    if not periods:
        return " No cycle was found within the steps looked at."
    many = f"{ds.sizes['run']} runs end on {int(ds.cycles)} different cycle{'s' * (int(ds.cycles) != 1)}"
    last = "stands still" if min(periods) == 1 else f"repeats every {periods[0]:,} steps"
    return f" The first run that was followed {last}; {len(periods)} of {many}, so they are fewer runs than they seem."


def _soil_sentence(ds: xr.Dataset) -> str:
    last = ds.isel(time=-1)
    worst = int(np.argmax(np.abs(last.error.values)))
    text = (
        f"{int(ds.attrs['bits'])} bits, {_words(ds)}: after {float(last.time):.0f} years the soil is wrong by up to "
        f"{abs(float(last.error[worst])):.2g} K (at {float(ds.depth[worst]):.0f} m)."
    )
    if ds.attrs["rounding"] == "nearest":
        text += f" A node moves only where |δ²T| is at least {float(ds.threshold):.2g} K."
    return text


def _states_in_words(ds: xr.Dataset) -> str:
    if "temperature" in ds:
        moved = np.flatnonzero(np.abs(ds.temperature.values[-1] - ds.temperature.values[0]) > 0)
        return f"Below {float(ds.depth[moved.max()]) if len(moved) else 0:.0f} m nothing has changed since the start."
    if "low_orbit" not in ds:
        return f"Distribution functions of {ds.attrs['quantity']}."
    text = f"{ds.sizes['point']} states of the first run of either precision."
    return text + (f" Orange: {ds.sizes['cycle_point']} states of a cycle." if ds.sizes["cycle_point"] else "")


def _distance_in_words(ds: xr.Dataset) -> str:
    if "temperature" in ds:
        last = ds.isel(time=-1)
        return f"At 1 m: {float(last.temperature[1]):.3f} K, exact {float(last.exact[1]):.3f} K."
    return "The band is the 95 % floor: what double-precision runs of this length show among themselves."


def _distribution_in_words(ds: xr.Dataset) -> str:
    if "temperature" in ds:
        return f"Root mean square error {float(np.sqrt((ds.error**2).mean())):.2g} K over all times and depths."
    return f"The area between the curves is W₁ = {float(ds.w1):.3g}, in units of {ds.attrs['quantity']}."
