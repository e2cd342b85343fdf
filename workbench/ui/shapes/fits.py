"""Fits: a signal, so many numbers, and what each family makes of samples it has seen and of those it has not."""

import html
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param
import xarray as xr

from workbench import costs, data, shapes
from workbench.clouds import foreign
from workbench.costs import Cost
from workbench.figures import shapes as figures
from workbench.progress import Progress
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.dragged import DraggedMarks
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.proof import CertificateFile
from workbench.ui.kit.upload import ReadUpload, file_field, keep
from workbench.ui.kit.view import View
from workbench.ui.kit.written import Written, in_letters, lists_of

FILE, TYPED = "file", "typed"
CHOICES = {entry.label: name for name, entry in shapes.SIGNALS.items()} | {
    "Your own formula …": TYPED,
    "Your own picture …": FILE,
}
METHODS = {entry.label: name for name, entry in shapes.FITS.items()}
ACCEPTED = ".png,.jpg,.jpeg,.webp,.bmp"
LARGEST = 32 * 2**20
LONGEST = 1024
SIDE = 64
"""Pixels a side that are fitted of a picture of one's own."""
FIRST, STUDY = "shapes/fits_first.nc", "shapes/fits_frontier.nc"
SETTINGS = ("method", "parameters", "held_out", "steps", "stopping", "seed")
STOPPINGS = {"After the last step": "last", "Where a tenth of the seen likes it best": "best"}
AXES = "xyz"


def _box_of(text: str) -> tuple[float, ...]:
    """Return a box (low x, y, high x, y) from an address; ``ValueError`` for one that is empty or leaves the square."""
    lists = lists_of(text)
    if len(lists) != 1 or len(lists[0]) != 4:
        raise ValueError("a box is low x, low y, high x, high y, divided by _")
    x0, y0, x1, y1 = box = lists[0]
    if not (-1 <= x0 < x1 <= 1 and -1 <= y0 < y1 <= 1):
        raise ValueError("its low corner lies below its high one, both within ±1")
    return box


class FittedPicture(ReadUpload):
    """An uploaded picture."""

    def read(self, progress: Progress) -> tuple[Any, str]:
        """Read the picture as pixels in [0, 1], in a process apart."""
        found = foreign.read_picture(self.data, self.name, longest=LONGEST, max_bytes=LARGEST, progress=progress)
        return found.pixels, f"{found.sentence}; its middle square as {SIDE} × {SIDE} pixels"


class FitsView(View):
    """A signal fitted by one method, beside the closed forms with as many numbers, judged on samples not seen."""

    title, slug = "Fits", "fits"
    help = (
        "A fit of so many numbers sees half of the samples; it is judged on the other half. Whatever is linear in its "
        "numbers is solved to its optimum, which no training can pass: that limit is proved. Drag the corners (◆) of "
        "a box where a distance is fitted: if the fit has no zero in it, you get a proof."
    )
    experiment = staticmethod(shapes.fits_report)
    inputs = (
        "signal",
        "formula",
        "file",
        "method",
        "parameters",
        "held_out",
        "steps",
        "stopping",
        "seed",
        "box",
        "depth",
    )
    registries: ClassVar[dict[str, Any]] = {"method": shapes.FITS}

    signal = param.Selector(default="temple", objects=CHOICES, label="Signal")
    formula = param.String(default="sin(6*x) + step(x - 0.3)", label="Formula in x, y, z on [−1, 1]")
    file = param.ClassSelector(class_=FittedPicture, default=None, allow_None=True)
    method = param.Selector(default="bspline", objects=METHODS, label="Method")
    parameters = param.Integer(default=5808, bounds=(48, 20_000), label="Numbers", doc="all channels together, at most")
    held_out = param.Number(default=0.5, bounds=(0.1, 0.9), step=0.05, label="Share held out")
    steps = param.Integer(default=300, bounds=(10, 5000), label="Steps", doc="of a training")
    stopping = param.Selector(default="last", objects=STOPPINGS, label="Stop", doc="which step of a training counts")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="of the samples held out and of a training")
    box = Written(
        default=(-0.15, -0.15, 0.15, 0.15),
        write=lambda box: in_letters(box),
        read=_box_of,
        label="the corners of the box",
        doc="low x, y, high x, y of the box",
    )
    depth = param.Range(default=(-0.15, 0.15), bounds=(-1, 1), step=0.05, label="The box along z")

    # ---- what is asked ---------------------------------------------------------------------------------------------

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file, a formula outside the grammar and an empty box."""
        if inputs["signal"] == FILE and inputs["file"] is None:
            raise ValueError(f"Choose a picture ({ACCEPTED}).")
        if inputs["signal"] == TYPED:
            shapes.parse_formula(inputs["formula"])
        low, high = inputs["depth"]
        if not low < high:
            raise ValueError("The box has no depth; draw its two ends along z apart.")

    def source(self, inputs: Mapping[str, Any]) -> Any:
        """Return what is fitted: a name, a formula, or the pixels of the file."""
        if inputs["signal"] == TYPED:
            return inputs["formula"]
        return inputs["file"].contents() if inputs["signal"] == FILE else inputs["signal"]

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; a picture of one's own is as large as those that ship."""
        source = {TYPED: inputs["formula"], FILE: "temple"}.get(inputs["signal"], inputs["signal"])
        known = {name: inputs[name] for name in ("method", "parameters", "steps")}
        return costs.of(shapes.fits_report, source, **known) or Cost(1.0)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the report."""
        made = {name: inputs[name] for name in SETTINGS}
        (x0, y0, x1, y1), (z0, z1) = inputs["box"], inputs["depth"]
        size = SIDE if inputs["signal"] == FILE else None
        return {"signal": self.source(inputs), "size": size, **made, "box": (x0, y0, z0, x1, y1, z1)}

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped result for its settings."""
        if inputs["signal"] in (FILE, TYPED):
            return None
        return data.result_for(FIRST, **self.arguments(inputs))

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; a signal of one's own cannot be told from its digest."""
        taken = {name: value for name, value in parameters.items() if name in SETTINGS}
        signal = parameters.get("signal")
        if isinstance(signal, str):
            known = signal in shapes.SIGNALS
            taken |= {"signal": signal} if known else {"signal": TYPED, "formula": signal}
        box = parameters.get("box")
        if isinstance(box, list) and len(box) == 6:
            taken |= {"box": (box[0], box[1], box[3], box[4]), "depth": (box[2], box[5])}
        super()._adopt(taken)

    # ---- what a hand does ------------------------------------------------------------------------------------------

    def move(self, item: int, x: float, y: float) -> None:
        """Take a corner of the box from the visitor's hand."""
        if not (np.isfinite(x) and np.isfinite(y)):
            return
        corners = [list(self.box[:2]), list(self.box[2:])]
        corners[item % 2] = [round(min(max(float(v), -1.0), 1.0), 3) for v in (x, y)]
        low, high = (tuple(f(a, b) for a, b in zip(*corners, strict=True)) for f in (min, max))
        if low[0] < high[0] and low[1] < high[1]:
            self.box = (*low, *high)
        else:
            self.complaint = "Both corners of the box are at one place along an axis; draw them apart."

    def take_file(self, name: str, data: bytes) -> None:
        """Use an uploaded picture."""
        keep(self, "file", FittedPicture, name, data, LARGEST)

    # ---- the page --------------------------------------------------------------------------------------------------

    def controls(self) -> list[Any]:
        """Return the widgets; those of one's own signal and of the box show where they mean something."""

        def shown_for(*names: str) -> Any:
            return pn.bind(lambda signal: signal in names, self.param.signal)

        distances = [name for name, entry in shapes.SIGNALS.items() if entry.fact("kind") == "distance"]
        formula, depth = widget_for(self, "formula"), widget_for(self, "depth")
        formula.visible, depth.visible = shown_for(TYPED), shown_for(*distances)
        trained = pn.bind(lambda name: not shapes.FITS[name].fact("linear"), self.param.method)
        steps, stopping = widget_for(self, "steps"), widget_for(self, "stopping")
        steps.visible = stopping.visible = trained
        upload = file_field(self, "file", "A picture", ACCEPTED, self.take_file, visible=shown_for(FILE))
        rest = [widget_for(self, name) for name in ("method", "parameters", "held_out")]
        return [widget_for(self, "signal"), formula, upload, *rest, steps, stopping, widget_for(self, "seed"), depth]

    def pictures(self) -> Sequence[Any]:
        """Return the fit, its errors or proofs, the families side by side, and the frontier of the shipped study."""
        study = data.result(STUDY)
        return [
            Picture("The fit", figures.fit_beside_signal, _fit_in_words),
            DraggedMarks("Errors and proofs", figures.fit_errors, _errors_in_words, self.move, height=380),
            Picture("Seen and unseen", figures.fit_quality, _quality_in_words),
            Picture("Frontier", lambda ds: figures.frontier_with(ds, study), _frontier_in_words(study), height=600),
            CertificateFile("empty-box.json", _document, _proof_in_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the fit reaches on samples it has not seen, what the best closed form does, and the proved limit."""
        unseen, seen = (float(ds.psnr.sel(part=part)) for part in ("held out", "training"))
        text = (
            f"{_name(ds)}, {int(ds.parameters_used):,} numbers: {unseen:.1f} dB on samples it has not seen "
            f"({seen:.1f} dB on those it has), in {float(ds.fit_seconds):.2g} s"
        )
        others = np.flatnonzero(ds.rival.values != str(ds.attrs["method"]))
        if others.size:
            best = ds.isel(rival=others[np.argmax(ds.rival_psnr.sel(part="held out").values[others])])
            ratio, took = float(best.rival_psnr.sel(part="held out")), float(best.rival_seconds)
            text += f"; {str(best.rival_label.item()).lower()}: {ratio:.1f} dB in {took:.2g} s"
        text += "."
        if "psnr_limit" in ds and np.isfinite(limit := float(ds.psnr_limit.sel(seen="training"))):
            text += (
                f" No training of three metric grids with a linear head exceeds {limit:.1f} dB on what it saw: proved."
            )
        if "box_sign" in ds:
            text += f" {_box_in_words(ds)}"
        return text


def _name(ds: xr.Dataset) -> str:
    return str(ds.attrs.get("method_label", ds.attrs["method"]))


def _box_in_words(ds: xr.Dataset) -> str:
    sign = int(ds.box_sign)
    if not sign:
        least, most = ds.box_range.values
        return f"The linear grid has zeros in the box ({least:.2g} to {most:.2g})."
    side = "outside" if sign > 0 else "inside"
    return f"The box lies {side} the linear grid's surface, |f| ≥ {float(ds.box_least):.2g}: proved."


def _fit_in_words(ds: xr.Dataset) -> str:
    held = float(ds.held.mean())
    text = f"{held:.0%} of {ds.held.size:,} samples were held out."
    if ds.attrs["kind"] == "photograph":
        text += f" As a screen shows it (8 bits): {float(ds.psnr_displayed.sel(part='held out')):.2f} dB on them."
    if "layer" in ds.dims:
        text += " The middle layer; blue is inside."
    return text


def _errors_in_words(ds: xr.Dataset) -> str:
    if "cell_sign" in ds:
        linear, cubic = ds.proved_share.values
        fit, _, signal = ds.eikonal.values
        return (
            f"A sign is proved in {linear:.0%} of the cells of the linear grid, {cubic:.0%} of the cubic one's. Mean "
            f"of | |∇f| − 1 |: {fit:.2g} (of the signal itself {signal:.2g}). {_box_in_words(ds)}"
        )
    seen, unseen = (float(ds.rms.sel(part=part)) for part in ("training", "held out"))
    return f"Root mean square error {seen:.3g} on samples seen, {unseen:.3g} on the others."


def _quality_in_words(ds: xr.Dataset) -> str:
    gap = (ds.rival_psnr.sel(part="training") - ds.rival_psnr.sel(part="held out")).values
    k = int(np.argmax(gap))
    text = f"{ds.rival_label.values[k]} loses most from seen to unseen samples, {gap[k]:.1f} dB."
    if "judged_psnr" in ds and np.isfinite(ds.judged_psnr.values).any():
        text += f" Step {int(ds.kept_step):,} of {int(ds.step[-1]):,} counts: a tenth of the seen likes it best."
    if np.isfinite(float(ds.psnr_loo)):
        text += f" Leaving one out had predicted {float(ds.psnr_loo):.1f} dB for the fit."
    return text


def _frontier_in_words(study: xr.Dataset) -> Any:
    def told(ds: xr.Dataset) -> str:
        name = str(ds.attrs["signal"])
        known = name in study.signal.values
        ratio = study.psnr.sel(part="held out")
        best = (ratio.sel(signal=name) if known else ratio.mean("signal")).mean("run").isel(budget=-1)
        k = int(np.argmax(best.values))
        what = "this photograph" if known else "three photographs"
        return (
            f"A shipped study of {what}, {study.sizes['run']} seeds (bars: their standard deviation). With "
            f"{int(study.budget[-1]):,} numbers {study.label.values[k]} is best, {float(best[k]):.1f} dB. "
            f"{'Diamond: the fit that stands.' if known else 'The fit that stands is of another signal.'}"
        )

    return told


def _document(ds: xr.Dataset) -> str:
    if "box_sign" not in ds or not int(ds.box_sign):
        return ""
    ends = ds.box.values
    return shapes.prove_empty(ds, ends[:3].tolist(), ends[3:].tolist())


def _proof_in_words(ds: xr.Dataset, text: str) -> str:
    if "box_sign" not in ds:
        return "<p>Fit the distance of a shape to get proofs that a box is empty.</p>"
    if not text:
        return f"<p>{html.escape(_box_in_words(ds))} Take a smaller box.</p>"
    return (
        f"<p>{html.escape(str(shapes.check_empty(text)))}. Exact: the small checker has computed it anew in rational "
        "numbers. Nothing is proved of the shape itself.</p>"
    )
