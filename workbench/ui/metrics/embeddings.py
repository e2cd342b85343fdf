"""Embeddings: one split of the classes trained with and without the confusion term, and the study over all splits."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param
import xarray as xr

from workbench import costs, data, metrics
from workbench.costs import Cost
from workbench.figures import metrics as figures
from workbench.metrics.embeddings import PAPERS_WEIGHT, WITH, WITHOUT
from workbench.metrics.embeddings.files import DEFAULT_LIMIT, FORMATS, contents_of, reading_of
from workbench.progress import Progress
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.table import Rows, Table
from workbench.ui.kit.upload import ReadUpload, file_field, keep
from workbench.ui.metrics.tapped import TappedPoints
from workbench.ui.metrics.yardsticks import FamilyView, Yardsticks

DIGITS, FILE = "digits", "file"
ACCEPTED = ",".join(f".{ending}" for ending in FORMATS)
LOSSES = {entry.label: name for name, entry in metrics.EMBEDDING_LOSSES.items()}
FIRST = "metrics/embeddings_first.nc"
STUDIES = tuple(f"metrics/embeddings_{name}.nc" for name in ("main", "longer", "normalised", "power", "simple"))
SEEN = [str(digit) for digit in range(5)]
WEIGHTS = [0.01, 0.03, 0.05, 0.13, 0.3, 0.5, 1.0, 2.0]
FILE_SAMPLE = 1000
"""Items of a file that an estimate assumes before it is read."""


class EmbeddingFile(ReadUpload):
    """An uploaded table or archive of features with a class for each item."""

    def read(self, progress: Progress) -> tuple[Any, str]:
        """Return what the file holds, and what has to be said before it is features and classes."""
        contents = contents_of(self.data, self.name, progress=progress)
        try:
            sentence = reading_of(contents, self.name).sentence
        except ValueError as error:
            if "say which it is" not in str(error):
                raise
            sentence = f"{error}: write it into “Column of classes”"
        return contents, sentence

    def reading(self, column: str) -> metrics.EmbeddingReading:
        """Return the features and classes, with the column that the visitor calls the classes'."""
        return reading_of(self.contents(), self.name, column.strip() or None)


class _OfFile(FamilyView):
    """What both tabs share: digits, or a file of one's own."""

    source = param.Selector(
        default=DIGITS, objects={"Handwritten digits": DIGITS, "Your own file …": FILE}, label="Items"
    )
    file = param.ClassSelector(class_=EmbeddingFile, default=None, allow_None=True)
    column = param.String(default="", label="Column of classes", doc="where no column is called label or class")

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file; what it holds is judged when it is read."""
        if inputs["source"] == FILE and inputs["file"] is None:
            raise ValueError(f"Choose a file of features with a class for each item ({ACCEPTED}).")

    def controls(self) -> list[Any]:
        """Return the widgets, and the chooser of a file where one is asked for."""
        wanted = pn.bind(lambda source: source == FILE, self.param.source)
        field = file_field(self, "file", "CSV, TSV, Parquet, NPZ or NPY", ACCEPTED, self.take_file)
        own = pn.Column(field, widget_for(self, "column"), visible=wanted, sizing_mode="stretch_width", margin=0)
        left = ("source", "file", "column", *self._of_digits)
        drawn = [widget_for(self, name) for name in self._of_digits]
        is_drawn = pn.bind(lambda source: source == DIGITS, self.param.source)
        digits = pn.Column(*drawn, visible=is_drawn, sizing_mode="stretch_width", margin=0)
        rest = [widget_for(self, name) for name in (*self.inputs, *self.display) if name not in left]
        return [widget_for(self, "source"), own, digits, *rest]

    _of_digits: tuple[str, ...] = ()

    def take_file(self, name: str, data: bytes) -> None:
        """Use an uploaded file."""
        keep(self, "file", EmbeddingFile, name, data, DEFAULT_LIMIT)

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; where its items came from is not among them."""
        super()._adopt({name: value for name, value in parameters.items() if name not in ("source", "file", "column")})

    def _items(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        if inputs["source"] != FILE:
            return {}
        found = inputs["file"].reading(inputs["column"])
        return {"features": found.features, "labels": found.labels}

    def _sized(self, inputs: Mapping[str, Any]) -> Any:
        """Return something of about the shape of the items, for an estimate; a file is not read for that."""
        if inputs["source"] != FILE or inputs["file"] is None:
            return None
        values = max(len(inputs["file"].data) // 8, 1)
        return np.broadcast_to(0.0, (FILE_SAMPLE + values // 64, 64))


class EmbeddingsView(_OfFile):
    """Unseen classes in an embedding that was trained on the others, with and without the confusion term."""

    title, slug = "Embeddings", "embeddings"
    help = (
        "An embedding is trained on some classes and asked to find the others: is the nearest item of the same class "
        "(R@1), are the nearest R (MAP@R)? The confusion term λ log E pulls classes together while the loss pushes "
        "them apart. Click an item to see its neighbours."
    )
    experiment = staticmethod(metrics.embedding_report)
    inputs = ("source", "file", "column", "seen", "loss", "confusion", "power", "normalised", "steps", "seed")
    display = ("item",)
    registries: ClassVar[dict[str, Any]] = {"loss": metrics.EMBEDDING_LOSSES}
    _of_digits = ("seen",)

    seen = param.ListSelector(default=SEEN, objects=[str(digit) for digit in range(10)], label="Classes seen")
    loss = param.Selector(default="binomial", objects=LOSSES, label="Loss")
    confusion = param.Number(default=PAPERS_WEIGHT, bounds=(0, 2), step=0.01, label="Weight λ of the confusion term")
    power = param.Number(default=2.0, bounds=(0.2, 2), step=0.1, label="Power of the energy", doc="2: the paper's")
    normalised = param.Boolean(default=False, label="Term on normalised embeddings", doc="the paper: on raw ones")
    steps = param.Integer(default=120, bounds=(10, 1000), label="Steps", doc="of Adam, batches of 40")
    item = param.Integer(default=20, bounds=(0, 899), label="Item looked at", doc="or click it in the picture")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same start and batches")

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the items, the classes seen (of a file: half of them, drawn by the seed) and the training."""
        rest = {name: inputs[name] for name in ("loss", "confusion", "power", "normalised", "steps", "seed")}
        return {**self._items(inputs), **({"seen": list(inputs["seen"])} if inputs["source"] == DIGITS else {}), **rest}

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped answer for its settings."""
        return data.result_for(FIRST, **self.arguments(inputs)) if inputs["source"] == DIGITS else None

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time of both trainings and all retrievals."""
        return costs.of(metrics.embedding_report, self._sized(inputs), steps=inputs["steps"]) or Cost(1.0)

    def pictures(self) -> Sequence[Any]:
        """Return the plane, the neighbours, the scores, the study and the tables."""
        tiles = Picture("Neighbours", self._tiles, self._tiles_in_words, height=190)
        tiles.is_wide = True
        return [
            TappedPoints("Unseen classes", self._plane, self._plane_in_words, self.choose),
            Picture("Unseen items", figures.retrieval_methods, _methods_in_words, height=430),
            tiles,
            Picture("All splits", self._curve, self._curve_in_words),
            Picture("Change by the term", self._changes, self._changes_in_words),
            Yardsticks("embeddings"),
        ]

    def choose(self, item: int) -> None:
        """Look at an item that was clicked."""
        self.item = int(np.clip(item, 0, 899))

    def _query(self, ds: xr.Dataset) -> int:
        return min(self.item, ds.sizes["item"] - 1)

    def _plane(self, ds: xr.Dataset) -> Any:
        return figures.embedding_plane(ds, query=self._query(ds))

    def _tiles(self, ds: xr.Dataset) -> Any:
        return figures.neighbour_tiles(ds, query=self._query(ds))

    def _curve(self, ds: xr.Dataset) -> Any:
        return figures.confusion_curve(_main(), loss=self.loss)

    def _changes(self, ds: xr.Dataset) -> Any:
        return figures.confusion_changes(_main())

    def _plane_in_words(self, ds: xr.Dataset) -> str:
        few = f" {ds.sizes['item']} of {int(ds.queries):,} items are drawn." if ds.sizes["item"] < ds.queries else ""
        return (
            f"Item {self._query(ds)}, class {ds.label.values[self._query(ds)]}, is looked at.{few} Two axes show "
            f"{float(ds.explained.sum()):.0%} of the variance; neighbours are those in all dimensions."
        )

    def _tiles_in_words(self, ds: xr.Dataset) -> str:
        right = int(ds.right.values[self._query(ds)].sum())
        return f"{right} of the {ds.sizes['rank']} nearest are of the query's class ✔, the others ✘ are not."

    def _curve_in_words(self, ds: xr.Dataset) -> str:
        return (
            f"The stored study of the digits, {_main().sizes['split']} splits of the classes, whatever stands in the "
            "sidebar but the loss. Bars: 95 % of the paired difference to λ = 0."
        )

    def _changes_in_words(self, ds: xr.Dataset) -> str:
        study = _main().sel(loss=self.loss)
        weight = float(study.confusion[_paper(study)])
        better = float(study.map_at_r_better[_paper(study)])
        return f"{self.loss}, λ = {weight:.2g}: better than λ = 0 in {better:.0%} of the splits."

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the term changed in this split, what it changes over all of them, and how far raw features are."""
        at = {str(name): float(value) for name, value in zip(ds.embedding.values, ds.map_at_r.values, strict=True)}
        text = (
            f"In this split MAP@R changes by {float(ds.change):+.4f} ± {float(ds.change_reach):.4f} with the term, "
            f"from {at[WITHOUT]:.3f} to {at[WITH]:.3f}; raw features reach {at['raw features']:.3f}, the untrained "
            f"network {at['untrained network']:.3f}."
        )
        if self.source == DIGITS:
            study = _main().sel(loss=self.loss)
            k = _paper(study)
            text += (
                f" Over {study.sizes['split']} splits λ = {float(study.confusion[k]):.2g} changes it by "
                f"{float(study.map_at_r_difference[k]):+.4f} ± {float(study.map_at_r_reach[k]):.4f} ({self.loss}, the "
                "paper's term)."
            )
        if np.isfinite(float(ds.shrinking)):
            text += f" {float(ds.shrinking):.0%} of the term's gradient only rescales the embedding."
        return text


def _main() -> xr.Dataset:
    return data.result(STUDIES[0])


def _paper(study: xr.Dataset) -> int:
    """Return where the paper's weight stands among those of a study."""
    return int(np.argmin(np.abs(study.confusion.values - PAPERS_WEIGHT)))


def _methods_in_words(ds: xr.Dataset) -> str:
    best = str(ds.embedding.values[int(np.argmax(ds.map_at_r.values))])
    low, high = float(ds.recall_at_1.min()), float(ds.recall_at_1.max())
    return (
        f"{int(ds.queries):,} queries. R@1 lies between {low:.3f} and {high:.3f} for all of them; by MAP@R the best is "
        f"“{best}”. The intervals are over queries of this split alone, and say nothing of other classes."
    )


class ZeroShotView(_OfFile):
    """The study over ways to halve the classes: what the term changes, paired, for each loss and weight."""

    title, slug = "Zero-shot study", "zero-shot"
    help = (
        "Half of the classes are seen in training, the other half retrieved, over many ways to halve them. Each weight "
        "λ starts from the same network and sees the same batches as λ = 0, so that differences are paired. Four "
        "studies of the digits are stored; others wait for Run."
    )
    experiment = staticmethod(metrics.zero_shot)
    inputs = (
        "source", "file", "column", "losses", "weights", "power", "normalised", "steps", "splits", "validate", "seed",
    )  # fmt: skip
    display = ("shown",)

    losses = param.ListSelector(default=list(metrics.EMBEDDING_LOSSES), objects=LOSSES, label="Losses")
    weights = param.ListSelector(default=[0.13, 1.0], objects=WEIGHTS, label="Weights λ, beside 0")
    power = param.Number(default=2.0, bounds=(0.2, 2), step=0.1, label="Power of the energy", doc="2: the paper's")
    normalised = param.Boolean(default=False, label="Term on normalised embeddings", doc="the paper: on raw ones")
    steps = param.Integer(default=120, bounds=(10, 2000), label="Steps", doc="of Adam, batches of 40")
    splits = param.Integer(default=252, bounds=(2, 252), label="Splits", doc="of 252 for ten classes")
    validate = param.Boolean(default=True, label="Also choose λ", doc="on seen classes kept out of training")
    shown = param.Selector(default="binomial", objects=LOSSES, label="Loss looked at")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same splits and starts")

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a study of no loss, and a missing file."""
        super().check(inputs)
        if not inputs["losses"]:
            raise ValueError("Choose at least one loss.")

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return items, losses and weights, λ = 0 among them."""
        rest = {name: inputs[name] for name in ("power", "normalised", "steps", "splits", "validate", "seed")}
        weights = [0, *sorted(inputs["weights"])]
        return {**self._items(inputs), "losses": list(inputs["losses"]), "confusions": weights, **rest}

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return a shipped study for its settings."""
        if inputs["source"] != DIGITS:
            return None
        asked = self.arguments(inputs)
        return next((ds for ds in (data.result_for(name, **asked) for name in STUDIES) if ds is not None), None)

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time of all trainings; that of a shipped study is nothing."""
        if inputs["source"] == DIGITS and self.precomputed(inputs) is not None:
            return Cost(0.1)
        asked = {**self.arguments({**inputs, "source": DIGITS}), "features": self._sized(inputs)}
        return costs.of(metrics.zero_shot, **asked) or Cost(60.0)

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; its weights stand beside λ = 0 here."""
        found = dict(parameters)
        given = found.get("confusions")
        if isinstance(given, list):
            found["weights"] = [weight for weight in given if weight]
        super()._adopt(found)

    def pictures(self) -> Sequence[Any]:
        """Return the curves, the changes, the splits and the table."""
        return [
            Picture("MAP@R against λ", self._curve, self._curve_in_words),
            Picture("Change by the term", figures.confusion_changes, _changes_in_words),
            Picture("Each split", self._spread, self._spread_in_words),
            Table("Paired differences to λ = 0", _rows, text=("loss",)),
        ]

    def _loss(self, ds: xr.Dataset) -> str:
        return self.shown if self.shown in ds.loss.values else str(ds.loss.values[0])

    def _curve(self, ds: xr.Dataset) -> Any:
        return figures.confusion_curve(ds, loss=self._loss(ds))

    def _curve_in_words(self, ds: xr.Dataset) -> str:
        simple = {str(name): float(ds.map_at_r_simple.sel(baseline=name).mean()) for name in ds.baseline.values}
        told = ", ".join(f"{name} {value:.3f}" for name, value in simple.items())
        return f"Bars: 95 % of the paired difference. Simple features: {told}." if told else "No simple features asked."

    def _spread(self, ds: xr.Dataset) -> Any:
        return figures.split_spread(ds, loss=self._loss(ds), weight=PAPERS_WEIGHT)

    def _spread_in_words(self, ds: xr.Dataset) -> str:
        one = ds.sel(loss=self._loss(ds))
        k = _paper(one) or 1
        apart = float(one.map_at_r.isel(confusion=0).std(ddof=1))
        own = float(one.map_at_r_sd[k])
        return f"MAP@R varies by {apart:.3f} (sd) from split to split, the change by the term by {own:.4f}."

    def sentence(self, ds: xr.Dataset) -> str:
        """Give the paired change of each loss at the paper's weight, and how many splits would show it."""
        k = _paper(ds) or min(1, ds.sizes["confusion"] - 1)
        parts = []
        for name in ds.loss.values:
            one = ds.sel(loss=name).isel(confusion=k)
            parts.append(f"{name} {float(one.map_at_r_difference):+.4f} ± {float(one.map_at_r_reach):.4f}")
        text = (
            f"Over {ds.sizes['split']} splits of {int(ds.all_splits)}, λ = {float(ds.confusion[k]):.2g} changes MAP@R "
            f"of unseen classes by: {'; '.join(parts)}."
        )
        first = ds.isel(loss=0, confusion=k)
        if np.isfinite(float(first.map_at_r_needed)):
            text += (
                f" To show the change of {first.loss.item()} with a probability of 0.8 takes "
                f"{np.ceil(float(first.map_at_r_needed)):,.0f} splits."
            )
        return text


def _changes_in_words(ds: xr.Dataset) -> str:
    return (
        "Paired 95 % intervals over splits of this data set, which share classes: they say nothing of other data. A "
        "mark above zero is a gain by the term."
    )


def _rows(ds: xr.Dataset) -> Rows:
    heads = ["loss", "λ", "R@1", "MAP@R", "change of R@1", "change of MAP@R", "better", "sign test", "splits needed",
             "shrinking"]  # fmt: skip
    cells = []
    for name in ds.loss.values:
        for k in range(ds.sizes["confusion"]):
            one = ds.sel(loss=name).isel(confusion=k)
            row = [str(name), f"{float(one.confusion):.3g}", f"{float(one.recall_at_1.mean()):.4f}",
                   f"{float(one.map_at_r.mean()):.4f}"]  # fmt: skip
            if k:
                row += [
                    f"{float(one[f'{score}_difference']):+.4f} ± {float(one[f'{score}_reach']):.4f}"
                    for score in ("recall_at_1", "map_at_r")
                ]
                needed = float(one.map_at_r_needed)
                row += [f"{float(one.map_at_r_better):.0%}", f"{float(one.map_at_r_sign):.2g}",
                        f"{np.ceil(needed):,.0f}" if needed < 1e6 else "—", f"{float(one.shrinking):.0%}"]  # fmt: skip
            else:
                row += ["—"] * 6
            cells.append(row)
    return Rows(heads, cells)
