"""Training: a network learns while one looks on, and is measured against the truth and against the memoriser."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import panel as pn
import param
import xarray as xr

from workbench import costs, data, fields
from workbench.clouds import foreign
from workbench.costs import Cost
from workbench.fields.core.plane import TIMES
from workbench.figures import fields as figures
from workbench.progress import Progress
from workbench.ui.fields.canvas import LAWS
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.upload import ReadUpload, file_field, keep
from workbench.ui.kit.view import View

FILE = "file"
TABLES = ".csv,.tsv,.txt,.npy,.npz"
LARGEST = 8 * 2**20
MOST_OWN = 20_000
FIRST = "fields/first_training.nc"
POINTS = {"32": 32, "128": 128, "512": 512, "2,048": 2048, "fresh ones at every step": 0}
KINDS = {"Independent": "independent", "Optimal in each batch": "optimal"}


class PointsFile(ReadUpload):
    """An uploaded table or array, each row a point."""

    def read(self, progress: Progress) -> tuple[Any, str]:
        """Read all of the file, in a process apart."""
        reading = foreign.read_cloud(self.data, self.name, max_bytes=LARGEST, progress=progress)
        return reading.points, reading.sentence


class TrainingView(View):
    """A small network under training, with its distances to the exact field and to the memoriser."""

    title, slug = "Training", "training"
    help = (
        "A network of your choice is trained by flow matching on points of a law, or on points of your own. Where the "
        "law is known its distance to the truth is measured at every look; where it is not, the loss on points kept "
        "out of training tells when to stop. Training of more than two seconds waits for Run; it can be cancelled."
    )
    apart = True
    experiment = staticmethod(fields.train_field)
    inputs = ("target", "file", "points", "coupling", "width", "depth", "steps", "batch", "rate", "seed")
    display = ("time",)

    target = param.Selector(default="five-blobs", objects={**LAWS, "Your own points …": FILE}, label="Law")
    file = param.ClassSelector(class_=PointsFile, default=None, allow_None=True)
    points = param.Selector(
        default=128, objects=POINTS, label="Training points", doc="of the law; of a file: four fifths"
    )
    coupling = param.Selector(default="independent", objects=KINDS, label="Coupling of noise and points")
    width = param.Selector(default=128, objects=[32, 64, 128, 256], label="Width")
    depth = param.Integer(default=3, bounds=(1, 5), label="Hidden layers")
    steps = param.Integer(default=2000, bounds=(100, 10_000), step=100, label="Steps", doc="of Adam")
    batch = param.Selector(default=512, objects=[64, 128, 256, 512], label="Batch")
    rate = param.Selector(default=1e-3, objects=[1e-4, 3e-4, 1e-3, 3e-3], label="Rate")
    time = param.Selector(default=0.5, objects=list(TIMES), label="Time t of the arrows")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same points, start and batches")

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file; what it holds is judged when it is read."""
        if inputs["target"] == FILE and inputs["file"] is None:
            raise ValueError(f"Choose a table or an array, each row a point ({TABLES}).")

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments; points of a file stand in the place of the law."""
        asked = {name: value for name, value in inputs.items() if name not in ("target", "file")}
        if inputs["target"] != FILE:
            return {"target": inputs["target"], **asked}
        own = inputs["file"].contents()
        if len(own) > MOST_OWN:
            raise ValueError(f"{inputs['file'].name} has {len(own):,} points; this page trains on up to {MOST_OWN:,}")
        return {"target": own, **asked}

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped training for its settings."""
        return data.result_for(FIRST, **self.arguments(inputs)) if inputs["target"] != FILE else None

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; that of the shipped training is nothing."""
        if inputs["target"] != FILE and self.precomputed(inputs) is not None:
            return Cost(0.1)
        asked = {name: value for name, value in inputs.items() if name not in ("target", "file")}
        return costs.of(fields.train_field, "five-blobs", **asked) or Cost(10.0)

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; points of a file are not among them."""
        super()._adopt({name: value for name, value in parameters.items() if name != "file"})

    def take_file(self, name: str, data: bytes) -> None:
        """Use an uploaded file."""
        keep(self, "file", PointsFile, name, data, LARGEST)

    def controls(self) -> list[Any]:
        """Return the widgets, and the chooser of a file where one is asked for."""
        wanted = pn.bind(lambda target: target == FILE, self.param.target)
        field = file_field(self, "file", "CSV, TSV, NPZ or NPY", TABLES, self.take_file, visible=wanted)
        rest = [widget_for(self, name) for name in (*self.inputs, *self.display) if name not in ("target", "file")]
        return [widget_for(self, "target"), field, *rest]

    def pictures(self) -> Sequence[Any]:
        """Return the arrows, the distances and the losses."""
        return [
            Picture("Fields", self._arrows, self._arrows_in_words, height=520),
            Picture("Distance along training", figures.training_distances, _distances_in_words),
            Picture("Loss along training", figures.training_losses, _losses_in_words),
        ]

    def _arrows(self, ds: xr.Dataset) -> Any:
        return figures.field_arrows(ds, time=self.time)

    def _arrows_in_words(self, ds: xr.Dataset) -> str:
        one = ds.sel(time=self.time, method="nearest")
        text = f"At t = {float(one.time):.1f}"
        if not np.isfinite(one.arrow_exact.values).all():
            return f"{text} the learned field; no exact field is known for these points and this coupling."
        away = np.linalg.norm(one.arrow_learned.values - one.arrow_exact.values, axis=-1)
        return f"{text} the arrows of the learned field err by {np.median(away):.2f} (median over the grid)."

    def sentence(self, ds: xr.Dataset) -> str:
        """Say where the network stands, and when it was best."""
        k = int(np.flatnonzero(np.isfinite(ds.held_out.values))[-1])
        step = int(ds.step[k])
        known = bool(np.isfinite(ds.truth.values[k]))
        name = "truth" if known else "held_out"
        values = ds[name].values
        best = int(np.nanargmin(values))
        text = f"After {step:,} steps the network is "
        if known:
            text += f"{_told(ds, 'truth', k)} from the exact field"
            if np.isfinite(ds.memoriser.values[k]):
                text += f" and {_told(ds, 'memoriser', k)} from the memoriser"
            text += " (mean squared)"
        else:
            text += f"at a loss of {_told(ds, 'held_out', k)} on held-out points"
        if best == k:
            return f"{text}, the best so far."
        then = f"step {int(ds.step[best]):,} ({_told(ds, name, best)})"
        return f"{text}; it was best at {then} and should have stopped there."


def _told(ds: xr.Dataset, name: str, k: int) -> str:
    return f"{float(ds[name][k]):.3f} ± {float(ds[f'{name}_error'][k]):.3f}"


def _distances_in_words(ds: xr.Dataset) -> str:
    if not np.isfinite(float(ds.apart)):
        return "Shaded: two standard errors. Nobody knows both fields here, so one of the distances is missing."
    return f"Shaded: two standard errors. The two targets are {float(ds.apart):.3f} apart."


def _losses_in_words(ds: xr.Dataset) -> str:
    least, own = float(ds.irreducible), float(ds.irreducible_n)
    if np.isfinite(least) and np.isfinite(own):
        return f"On fresh pairs no field comes below {least:.3f}; on the training points the memoriser has {own:.3f}."
    if np.isfinite(own):
        return f"On the training points the memoriser has {own:.3f}; what fresh points would allow is not known."
    return f"On fresh pairs no field comes below {least:.3f}." if np.isfinite(least) else "No least loss is known here."
