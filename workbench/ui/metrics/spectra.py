"""Spectra: one layer's tail under the hand, its three error bars, noise, ERG, and the layers of one's own network."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import panel as pn
import param
import xarray as xr
from bokeh.events import Tap

from workbench import costs, data, metrics
from workbench.costs import Cost
from workbench.figures import metrics as figures
from workbench.metrics.spectra.files import FORMATS
from workbench.metrics.spectra.layers import Layers
from workbench.metrics.spectra.networks import SOURCES
from workbench.progress import Progress
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.dragged import DraggedMarks
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.table import Rows, Table
from workbench.ui.kit.upload import LARGEST_UPLOAD, ReadUpload, check_size, file_chooser, reading_line
from workbench.ui.metrics.yardsticks import FamilyView, Yardsticks

FILE = "file"
ACCEPTED = ",".join(f".{ending}" for ending in FORMATS)
MOST_ROWS = 100
FIRST: dict[str, Any] = {"source": "digits", "file": None, "layer": 1, "k": 0, "bootstrap": 200, "seed": 0}
REJECTED = 0.1
"""Below this p-value a law is said to be rejected, as Clauset, Shalizi and Newman have it."""


@dataclass(frozen=True)
class NetworkFile(ReadUpload):
    """An uploaded network; the spectra of its layers are kept, also where the layers themselves are not."""

    _spectra: dict[str, list[Any]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _sides: list[tuple[int, int]] = field(default_factory=list, init=False, repr=False, compare=False)

    def read(self, progress: Progress) -> tuple[Layers, str]:
        """Read the layers."""
        stream = io.BytesIO(self.data)
        stream.name = self.name
        found = metrics.read_network(stream, max_bytes=4 * LARGEST_UPLOAD, apart=True, progress=progress)
        self._sides[:] = [layer.matrix.shape for layer in found]
        return found.keeping(self._spectra), found.sentence.removeprefix(f"{self.name}: ")

    def cost(self, bootstrap: int) -> Cost:
        """Return the estimated time of a report; before anybody has read the file, that of an ordinary one."""
        shapes = {str(k): np.broadcast_to(np.float32(0), sides) for k, sides in enumerate(self._sides)}
        return (shapes and costs.of(metrics.spectrum_report, shapes, bootstrap=bootstrap)) or Cost(1.0)


class SpectraView(FamilyView):
    """The tail of a layer's spectrum, with everything that must stand beside α."""

    title, slug = "Spectra", "spectra"
    help = (
        "A trained layer is scored without data by the tail of its eigenvalues: α. Drag the point along the curve to "
        "move the threshold; click a layer to see its own. Beside α stand its error bars, what noise of the same "
        "entries would score, and the layer that α cannot tell from this one."
    )
    experiment = staticmethod(metrics.spectrum_report)
    inputs = ("source", "file", "layer", "k", "bootstrap", "seed")

    source = param.Selector(
        default="digits",
        objects={text[0].upper() + text[1:]: name for name, text in SOURCES.items()} | {"Your own network …": FILE},
        label="Network",
    )
    file = param.ClassSelector(class_=NetworkFile, default=None, allow_None=True)
    layer = param.Integer(default=1, bounds=(0, 199), label="Layer", doc="Or click it in the picture of all layers")
    k = param.Integer(
        default=0,
        bounds=(0, 1000),
        label="Eigenvalues above the threshold",
        doc="0: the threshold of least distance D. Or drag the point",
    )
    bootstrap = param.Integer(default=200, bounds=(20, 2000), step=20, label="Draws for the interval and the p-value")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same draws")

    def controls(self) -> list[Any]:
        """Return the widgets; the chooser of a file stands where a file is asked for."""
        wanted = pn.bind(lambda source: source == FILE, self.param.source)
        chooser = file_chooser("safetensors, state dict, ONNX, NPZ", ACCEPTED, self.take_file)
        upload = pn.Column(chooser, reading_line(self, "file"), visible=wanted, sizing_mode="stretch_width", margin=0)
        rest = [widget_for(self, name) for name in self.inputs if name not in ("source", "file")]
        return [widget_for(self, "source"), upload, *rest]

    def take_file(self, name: str, content: bytes) -> None:
        """Use an uploaded network."""
        try:
            check_size(name, content, LARGEST_UPLOAD)
        except ValueError as error:
            self.complaint = str(error)
        else:
            self.file = NetworkFile(name, content)

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file; what it holds is judged when it is read."""
        if inputs["source"] == FILE and inputs["file"] is None:
            raise ValueError(f"Choose a file with the weights of a network ({ACCEPTED}).")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; that of a file is known once it has been read."""
        if inputs["source"] == FILE and inputs["file"] is not None:
            return inputs["file"].cost(inputs["bootstrap"])
        return costs.of(metrics.spectrum_report, bootstrap=inputs["bootstrap"]) or Cost(1.0)

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped first result if that is what is asked for."""
        return data.result("metrics/spectra_first.nc") if dict(inputs) == FIRST else None

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the experiment: an example by its name, or the layers of the file."""
        found = {name: inputs[name] for name in ("layer", "k", "bootstrap", "seed")}
        if inputs["source"] == FILE:
            return {"model": inputs["file"].contents(), **found}
        return {"source": inputs["source"], **found}

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; one of a file says nothing of the examples."""
        found = dict(parameters)
        if found.get("model") is not None:
            found.pop("source", None)
        super()._adopt(found)

    def pictures(self) -> Sequence[Any]:
        """Return the spectrum under the hand, the error bars, the layers, the tables, and the shipped studies."""
        return [
            DraggedTail(self),
            Picture("α and noise", figures.alpha_and_noise, _noise_in_words, height=430),
            TappedLayers(self),
            Picture("Hill plot", figures.hill_plot, _hill_in_words),
            Picture("Choosing the threshold", figures.threshold_valley, _valley_in_words),
            LayerTable("Layers", layer_rows, text=("layer", "shape", "α (exact 95 %)"), wide=True),
            Yardsticks("layer scores"),
            Picture("α along training", lambda _: figures.alpha_along_training(_training()), _training_in_words),
            Picture("Pretrained networks", lambda _: figures.erg_against_alpha(_table()), _table_in_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Give α with what is known of it: intervals, noise, rival laws, ERG."""
        bars = [f"exact {_range(ds.low, ds.high)} at this threshold"]
        if np.isfinite(ds.refit_low):
            bars.append(f"{_range(ds.refit_low, ds.refit_high)} if the threshold is chosen again")
        if np.isfinite(ds.matrix_low):
            bars.append(f"{_range(ds.matrix_low, ds.matrix_high)} for other rows of the matrix")
        ratio = float(np.exp(ds.gap))
        apart = f"{ratio:.2g} times lower" if ratio >= 1 else f"{1 / ratio:.2g} times higher"
        return (
            f"{ds.attrs['layer_told']}: α = {float(ds.alpha):.2f} ({'; '.join(bars)}). Its entries shuffled give "
            f"{float(np.nanmedian(ds.shuffled)):.1f}. {_laws_told(ds)} Its ERG threshold lies {apart}."
        )


def _range(low: Any, high: Any) -> str:
    return f"{float(low):.2f}–{float(high):.2f}"


def _laws_told(ds: xr.Dataset) -> str:
    """Say whether the power law is rejected, and whether a lognormal law fits worse, as well, or better."""
    p = float(ds.p_value)
    is_rejected = p < REJECTED
    power = f"A power law is {'rejected' if is_rejected else 'not rejected'} (p = {p:.2f})"
    one = ds.sel(law="lognormal")
    if float(one.law_p_value) >= REJECTED:
        return f"{power}{', and a lognormal fits as well.' if not is_rejected else '; a lognormal fits no better.'}"
    return f"{power}; a lognormal fits {'worse' if float(one.law_ratio) > 0 else 'better'}."


class DraggedTail(DraggedMarks):
    """The survival curve with the threshold as a point on it: the fit follows the hand."""

    def __init__(self, view: SpectraView) -> None:
        super().__init__(
            "Eigenvalues and their tail", figures.tail_of_spectrum, _tail_in_words, self._moved,
            axes=("eigenvalue", "share"), along=True, hint="Drag the threshold",
        )  # fmt: skip
        self._view = view

    def _moved(self, _: int, eigenvalue: float, __: float) -> None:
        """Take the place of the point: what lies to its right is the tail."""
        assert self._result is not None
        values = self._result.eigenvalue.values
        low, high = self._view.param.k.bounds
        self._view.k = int(np.clip(np.sum(values > eigenvalue), max(low, 2), min(high, len(values) - 1)))


class TappedLayers(Picture):
    """α of all layers; a click on one shows it."""

    def __init__(self, view: SpectraView) -> None:
        super().__init__(
            "α of every layer",
            lambda ds: figures.layers_of_network(ds, chosen=ds.attrs["layer_told"]),
            _layers_in_words,
        )
        self._view = view
        self._count = 0

    def update(self, ds: xr.Dataset) -> None:
        """Redraw from ``ds``."""
        self._count = ds.sizes["layer"]
        super().update(ds)

    def prepared(self, element: Any) -> Any:
        """Let the plot tell of clicks."""
        for part in element:
            if part.label == "shown":
                part.opts(hooks=[self._attach], backend="bokeh")
        return element

    def _attach(self, plot: Any, _: Any) -> None:
        """Listen to clicks, when the plot is made."""
        if "listens to clicks" not in plot.state.tags:
            plot.state.tags = [*plot.state.tags, "listens to clicks"]
            plot.state.on_event(Tap, lambda event: self._tapped(event.x))

    def _tapped(self, x: float | None) -> None:
        """Show the layer nearest to a click."""
        if x is None or not np.isfinite(x) or not self._count:
            return
        high = self._view.param.layer.bounds[1]
        self._view.param.update(layer=int(np.clip(round(x), 0, min(self._count - 1, high))), k=0)


class LayerTable(Table):
    """The table of all layers, over the whole width."""

    is_wide = True


def layer_rows(ds: xr.Dataset) -> Rows:
    """Return the table of layers, the first hundred of them."""
    heads = ["", "layer", "shape", "α (exact 95 %)", "tail", "D", "decades", "beyond noise", "ln(x_min/λ_ERG)"]
    cells = [
        [
            str(k),
            str(one.layer_name.values),
            f"{int(one.layer_rows)} × {int(one.layer_columns)}",
            f"{float(one.layer_alpha):.2f} ({_range(one.layer_alpha_low, one.layer_alpha_high)})",
            str(int(one.layer_tail_size)),
            f"{float(one.layer_distance):.3f}",
            f"{float(one.layer_decades):.2f}",
            str(int(one.layer_spikes)) if int(one.layer_spikes) >= 0 else "—",
            f"{float(one.layer_erg_gap):+.2f}",
        ]
        for k, one in enumerate(ds.isel(layer=j) for j in range(min(ds.sizes["layer"], MOST_ROWS)))
    ]
    return Rows(heads, cells)


def _tail_in_words(ds: xr.Dataset) -> str:
    return (
        f"{int(ds.tail_size)} of {ds.sizes['order']} eigenvalues lie in the tail, over {float(ds.decades):.2f} powers "
        f"of ten. {int(ds.spikes)} lie beyond the edge of noise. Drag the point to move the threshold."
    )


def _noise_in_words(ds: xr.Dataset) -> str:
    low, high = float(np.nanmin(ds.shuffled)), float(np.nanmax(ds.shuffled))
    return (
        f"{ds.sizes['shuffle']} shuffles of the entries score {low:.1f} to {high:.1f}. The intervals answer three "
        "questions: at this threshold; with it chosen again; for other rows of the same matrix."
    )


def _hill_in_words(ds: xr.Dataset) -> str:
    k = int(ds.tail_size) - 1
    return f"α = {float(ds.alpha):.2f} at k = {k}; where the curve has no flat part, there is no one α."


def _valley_in_words(ds: xr.Dataset) -> str:
    least = float(ds.distance_at.min())
    near = int((ds.distance_at < 1.1 * least).sum())
    return f"D = {float(ds.distance):.3f} here, at least {least:.3f}; {near} thresholds are within a tenth of that."


def _layers_in_words(ds: xr.Dataset) -> str:
    good = float(((ds.layer_alpha >= 2) & (ds.layer_alpha <= 6)).mean())
    left = f" {ds.sizes['left_out']} left out." if "left_out" in ds.sizes else ""
    return f"{ds.sizes['layer']} layers, {good:.0%} of them with α in 2 to 6.{left} Click one to see it."


def _training() -> xr.Dataset:
    return data.result("metrics/spectra_training.nc")


def _training_in_words(_: xr.Dataset) -> str:
    ds = _training()
    middle = ds.alpha.median("seed")
    told = "; ".join(
        f"{layer}: {float(middle.sel(layer=layer)[0]):.2f} → {float(middle.sel(layer=layer)[-1]):.2f}"
        for layer in ds.layer.values
    )
    return f"A shipped study, {ds.sizes['seed']} seeds: median α before and after {int(ds.step[-1])} steps. {told}."


def _table() -> xr.Dataset:
    return data.result("metrics/spectra_table.nc")


def _table_in_words(_: xr.Dataset) -> str:
    ds = _table()
    return (
        f"A shipped study: {ds.sizes['layer']} layers of {len(np.unique(ds.network.values))} pretrained networks. Both "
        f"thresholds agree within a tenth in {int((abs(ds.erg_gap) < np.log(1.1)).sum())} of them."
    )
