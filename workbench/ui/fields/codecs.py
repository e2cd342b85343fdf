"""Codecs: one latent flow behind principal axes or a small autoencoder, and how their errors add up or do not."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import panel as pn
import param
import xarray as xr

from workbench import costs, data, fields
from workbench.costs import Cost
from workbench.fields.latent.codecs import MOST_COLUMNS, MOST_ROWS
from workbench.fields.latent.dimension import DIMS
from workbench.fields.latent.verdicts import BENT, CODED, SPLIT
from workbench.figures import fields as figures
from workbench.ui.fields.latent import DIGITS, FILE, LEARNERS
from workbench.ui.fields.training import LARGEST, TABLES, PointsFile
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.upload import file_field, keep
from workbench.ui.kit.view import View

CODECS = {entry.label: name for name, entry in fields.CODECS.items()}
ASKED = ("codec", "dimension", "learner", "steps", "seed")


class CodecView(View):
    """A flow behind a codec, judged on rows that neither has seen."""

    title, slug = "Codecs", "codecs"
    help = (
        "A fifth of the rows is kept out; codec and flow are fitted to the rest. Behind principal axes W₂² of the rows "
        "is exactly what the projection loses plus W₂² of the latent points; behind an autoencoder the two need not "
        "add up, and only the square of the sum bounds them. What takes more than a moment waits for Run."
    )
    experiment = staticmethod(fields.latent_flow)
    inputs = ("source", "file", *ASKED)

    source = param.Selector(
        default=DIGITS, objects={"Handwritten digits": DIGITS, "Your own table …": FILE}, label="Rows"
    )
    file = param.ClassSelector(class_=PointsFile, default=None, allow_None=True)
    codec = param.Selector(default="autoencoder", objects=CODECS, label="Codec")
    dimension = param.Selector(default=8, objects=[1, *DIMS], label="Latent dimension k")
    learner = param.Selector(default="mixture", objects=LEARNERS, label="Learner of the flow")
    steps = param.Integer(default=24, bounds=(1, 100), label="Steps of the solver")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same split and paths")

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file; what it holds is judged when it is read."""
        if inputs["source"] == FILE and inputs["file"] is None:
            raise ValueError(f"Choose a table or an array, each row a point ({TABLES}).")

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments, with the rows of a file."""
        asked = {name: inputs[name] for name in ASKED}
        if inputs["source"] == DIGITS:
            return {"data": DIGITS, **asked}
        own = np.asarray(inputs["file"].contents())
        if own.ndim != 2 or len(own) > MOST_ROWS or own.shape[1] > MOST_COLUMNS:
            raise ValueError(
                f"{inputs['file'].name} has shape {own.shape}; this page takes up to {MOST_ROWS:,} rows of "
                f"{MOST_COLUMNS:,} numbers"
            )
        if own.shape[1] < inputs["dimension"]:
            raise ValueError(
                f"{inputs['file'].name} has {own.shape[1]} columns; choose a latent dimension of at most that many"
            )
        return {"data": own, **asked}

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return a shipped answer for its settings."""
        if inputs["source"] != DIGITS:
            return None
        return data.result_for(BENT if inputs["codec"] == "autoencoder" else SPLIT, **self.arguments(inputs))

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; that of a shipped answer is nothing, that of a file goes by its size."""
        if inputs["source"] == DIGITS and self.precomputed(inputs) is not None:
            return Cost(0.1)
        own = inputs["source"] == FILE and inputs["file"] is not None
        rows: Any = range(len(inputs["file"].data) // 20 + 1) if own else DIGITS
        asked = {name: inputs[name] for name in ("codec", "dimension", "learner", "steps")}
        return costs.of(fields.latent_flow, data=rows, components=10, **asked) or Cost(10.0)

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; rows of a file are not among them."""
        super()._adopt({name: value for name, value in parameters.items() if name in ASKED})

    def take_file(self, name: str, data: bytes) -> None:
        """Use an uploaded file."""
        keep(self, "file", PointsFile, name, data, LARGEST)

    def controls(self) -> list[Any]:
        """Return the widgets, and the chooser of a file where one is asked for."""
        wanted = pn.bind(lambda source: source == FILE, self.param.source)
        field = file_field(self, "file", "CSV, TSV, NPZ or NPY", TABLES, self.take_file, visible=wanted)
        return [widget_for(self, "source"), field, *(widget_for(self, name) for name in ASKED)]

    def pictures(self) -> Sequence[Any]:
        """Return the parts of the error, what was made, and the study over dimensions."""
        return [
            Picture("Parts of the error", figures.latent_parts, _parts_in_words),
            Picture("Generated", figures.latent_samples, _made_in_words, height=430),
            Picture("Every dimension", lambda _: figures.codec_curves(data.result(CODED)), lambda _: study_in_words()),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the codec loses, what the flow adds, and whether that adds up to W₂² of the rows."""
        lost, latent, whole = (float(ds[name]) for name in ("reconstruction", "latent", "whole"))
        gap = float(ds.gap)
        exact = abs(gap) < 1e-9 * max(whole, 1.0)
        apart = f"together that is {abs(gap):.3g} {'less' if gap > 0 else 'more'} than"
        adds = "together that adds up exactly to" if exact else apart
        return (
            f"The codec loses {lost:.3g} ± {2 * float(ds.reconstruction_error):.2g}, the latent points differ by W₂² = "
            f"{latent:.3g}: {adds} W₂² = {whole:.3g} of the rows kept out (two samples of real rows differ by "
            f"{float(ds.floor):.3g}). In its own space the flow adds {float(ds.flow):+.3g} ± "
            f"{2 * float(ds.flow_error):.2g}."
        )


def _parts_in_words(ds: xr.Dataset) -> str:
    return (
        f"The decoder stretches by at most {float(ds.lipschitz):.3g} (proved), so the square of the sum, "
        f"{float(ds.triangle):.3g}, always holds; the sum of squares is {float(ds.additive):.3g}."
    )


def _made_in_words(ds: xr.Dataset) -> str:
    return f"{ds.sizes['shown']} rows that the flow made, decoded."


def study_in_words() -> str:
    """Say where each codec comes nearest to digits kept out."""
    ds = data.result(CODED)
    told = []
    for codec, label in (("pca", "principal axes"), ("autoencoder", "the autoencoder")):
        mean = ds.whole.sel(codec=codec).mean("seed")
        best = mean[int(mean.argmin("dimension"))]
        told.append(f"{label} in {int(best.dimension)} dimensions ({float(best):.2f})")
    return f"Nearest to digits kept out: {' and '.join(told)}; mean and range of {ds.sizes['seed']} seeds."
