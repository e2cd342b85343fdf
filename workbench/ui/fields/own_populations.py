"""Own populations: a visitor's table, two fields trained on most of it, and judged on what they have not seen."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import param
import xarray as xr

from workbench import costs, data, fields
from workbench.costs import Cost
from workbench.fields.population.report import FRAMES, LEAST_HELD
from workbench.fields.population.shipped import FIRST_OWN
from workbench.fields.population.tables import LARGEST, MOST_COUNT, PopulationTable
from workbench.figures import fields as figures
from workbench.progress import Progress
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.upload import ReadUpload, file_field, keep
from workbench.ui.kit.view import View

ACCEPTED = ".csv,.tsv,.txt,.npz,.parquet"
EMBEDDINGS = {"Deep sets": "deep-sets", "Graph of neighbours": "graph"}
SCALES = {"Each feature by its own": "each", "All by a common one": "common"}
TIMES = [round(float(t), 2) for t in np.linspace(0, 1, FRAMES)]
TOLD = ("index", "embedding", "scale", "folds", "steps", "width", "seeds")


class PopulationFile(ReadUpload):
    """An uploaded table of populations, times and features."""

    def read(self, progress: Progress) -> tuple[PopulationTable, str]:
        """Read all of the file, in a process apart."""
        found = fields.read_populations(self.data, name=self.name, progress=progress)
        return found, found.sentence


class OwnPopulationsView(View):
    """What being told the population is worth on a table of one's own, with populations as the units."""

    title, slug = "Own populations", "own-populations"
    help = (
        "Hand in a table with a row for each point: its *population* (or donor, patient, sample), its *time*, and its "
        "features; a column *particle* if points are followed. Two fields are trained on most populations and judged "
        "on those kept out, all in turn: one sees a point and a time, the other the whole cloud before too. Without a "
        f"file an example is shown. Fewer than {LEAST_HELD} populations carry no claim."
    )
    apart = True
    experiment = staticmethod(fields.own_population_report)
    inputs = ("file", *(name for name in TOLD if name != "seeds"), "trainings")
    display = ("method", "time")
    registries: ClassVar[dict[str, Any]] = {"method": fields.FIELDS}

    file = param.ClassSelector(class_=PopulationFile, default=None, allow_None=True)
    index = param.Integer(default=0, bounds=(0, MOST_COUNT - 1), label="Shown population", doc="in the order of names")
    embedding = param.Selector(default="deep-sets", objects=EMBEDDINGS, label="Embedding of a population")
    scale = param.Selector(default="each", objects=SCALES, label="Features are divided", doc="by deviations before")
    folds = param.Selector(default=5, objects=[3, 5, 10], label="Folds of populations")
    steps = param.Integer(default=1000, bounds=(100, 10_000), step=100, label="Steps of each training")
    width = param.Selector(default=64, objects=[32, 64, 128], label="Width of the networks")
    trainings = param.Integer(
        default=1, bounds=(1, 5), label="Trainings", doc="of each network and fold, seeds 0, 1, …"
    )
    method = param.Selector(
        default="meta-flow-matching",
        objects={e.label: name for name, e in fields.FIELDS.items() if "table" in e.fact("kinds").split()},
        label="Shown method",
    )
    time = param.Selector(default=1.0, objects=TIMES, label="Time t")

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the rows of the file, or of the example, and how to train."""
        own = inputs["file"]
        table = fields.example_population_table() if own is None else own.contents()
        rest = {name: inputs[name] for name in TOLD if name != "seeds"}
        rows = {name: getattr(table, name) for name in ("features", "population", "time", "particle")}
        return {**rows, **rest, "seeds": list(range(inputs["trainings"]))}

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped answer for the example at its settings."""
        return data.result_for(FIRST_OWN, **self.arguments(inputs)) if inputs["file"] is None else None

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; a file is not read for that, only weighed."""
        if inputs["file"] is None and self.precomputed(inputs) is not None:
            return Cost(0.1)
        rows = 1440 if inputs["file"] is None else max(len(inputs["file"].data) // 20, 20)
        asked = {name: inputs[name] for name in ("folds", "steps", "width")}
        seeds = range(inputs["trainings"])
        return costs.of(fields.own_population_report, range(rows), None, None, seeds=seeds, **asked) or Cost(10.0)

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; the rows of its table are not among them."""
        found = {name: value for name, value in parameters.items() if name in TOLD}
        found["trainings"] = len(found.pop("seeds", [0]))
        super()._adopt(found)

    def take_file(self, name: str, data: bytes) -> None:
        """Use an uploaded file."""
        keep(self, "file", PopulationFile, name, data, LARGEST)

    def controls(self) -> list[Any]:
        """Return the chooser of a file and the widgets."""
        field = file_field(self, "file", "CSV, TSV, Parquet or NPZ of populations", ACCEPTED, self.take_file)
        return [field, *(widget_for(self, name) for name in (*self.inputs, *self.display) if name != "file")]

    def pictures(self) -> Sequence[Any]:
        """Return one population on its way, and what the fields do on all that they have not seen."""
        return [
            Picture("A population kept out", self._path, self._path_in_words, height=520),
            Picture("Distances", figures.own_population_distances, _distances_in_words),
            Picture("Worth of being told", figures.own_population_gains, _gains_in_words),
        ]

    def _path(self, ds: xr.Dataset) -> Any:
        return figures.population_path(ds, method=self.method, time=self.time)

    def _path_in_words(self, ds: xr.Dataset) -> str:
        name = self.method if self.method in ds.field.values else str(ds.field.values[-1])
        dims = ds.sizes["feature"]
        more = f", the first two of {dims} features" if dims > 2 else ""
        return f"{name} ends {float(ds.distance.sel(field=name)):.3f} from the target (W₂){more}; in deviations before."

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what being told the population was worth, or that no claim can be made."""
        count, share = ds.sizes["population"], float(ds.mean_gain) / float(ds.loss[0].mean())
        gain, reach = float(ds.mean_gain_distance), float(ds.reach_distance)
        if not np.isfinite(reach):
            return (
                f"{count} populations carry no claim: {LEAST_HELD} or more are needed for an interval. On those kept "
                f"out the told field ends {gain:+.3f} nearer on average and saves {share:+.1%} of the loss."
            )
        verdict = "helps" if gain > reach else ("harms" if gain < -reach else "is not seen to help or harm")
        return (
            f"On {count} populations, each kept out of training, being told the population {verdict}: W₂ falls by "
            f"{gain:+.3f} ± {reach:.3f} (95 %), on {int(ds.wins)} of {count}; it saves {float(ds.mean_gain):+.3f} ± "
            f"{float(ds.reach):.3f} of a loss of {float(ds.loss[0].mean()):.3f}, which estimates the "
            "population-information gap as far as both fields have learnt."
        )


def _distances_in_words(ds: xr.Dataset) -> str:
    means = ds.distances.mean(("seed", "population")).values
    best = str(ds.field.values[int(np.argmin(means))])
    return (
        f"Nearest on average: {best}, {means.min():.3f}; halves of the target are {float(ds.halves.mean()):.3f} apart, "
        "which is the floor. A start and the target it is judged by share no point."
    )


def _gains_in_words(ds: xr.Dataset) -> str:
    told = f"{float(ds.mean_gain_control):+.3f}"
    return (
        f"The last row is a control: told another population's cloud, the same field loses {told} more. Where that is "
        "nothing, the embedding is not used."
    )
