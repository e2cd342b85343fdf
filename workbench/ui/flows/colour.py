"""Colour transfer, what people use this for."""

import functools
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param
import xarray as xr
from numpy.typing import NDArray

from workbench import flows
from workbench.clouds import foreign
from workbench.costs import Cost
from workbench.figures import flows as figures
from workbench.flows import costs
from workbench.progress import Progress
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import CAPTION, Picture
from workbench.ui.kit.pointcloud import PointCloud
from workbench.ui.kit.upload import ReadUpload, file_field, keep
from workbench.ui.kit.view import View

FILE = "file"
PICTURES = {"China": "china", "Flower": "flower", "Your own picture …": FILE}
THREE_DIMENSIONAL = {entry.label: name for name, entry in flows.ESTIMATORS.items() if entry.facts.get("dim", 3) == 3}
STEP = 2
LARGEST_PICTURE = 480
LARGEST_UPLOAD = 20 * 2**20
PIXELS = 214 * 320
"""Of the shipped photographs; one's own has at most LARGEST_PICTURE² of them."""
PALETTE_POINTS = 4000


class PictureFile(ReadUpload):
    """An uploaded picture."""

    def read(self, progress: Progress) -> tuple[NDArray[np.float64], str]:
        """Decode the picture and shrink it to at most 480 pixels."""
        bounds = {"longest": LARGEST_PICTURE, "max_bytes": LARGEST_UPLOAD}
        found = foreign.read_picture(self.data, self.name, **bounds, progress=progress)
        return found.pixels, found.sentence

    def pixels(self) -> NDArray[np.float64]:
        """Return the pixels (height, width, 3) in [0, 1]."""
        return self.contents()


class ColourView(View):
    """One photograph takes on the colours of another."""

    title, slug = "Colour transfer", "colours"
    help = (
        "Every pixel is a point in the space of red, green and blue. The cloud of one photograph flows to the cloud "
        "of the other, and each pixel keeps its place in the picture."
    )
    registries: ClassVar[dict[str, Any]] = {"method": flows.ESTIMATORS}
    experiment = staticmethod(flows.colour_transfer)
    inputs = ("source", "source_file", "target", "target_file", "method", "n_directions", "steps", "eta", "strength")

    source = param.Selector(default="china", objects=PICTURES, label="Picture")
    source_file = param.ClassSelector(class_=PictureFile, default=None, allow_None=True)
    target = param.Selector(default="flower", objects=PICTURES, label="Colours from")
    target_file = param.ClassSelector(class_=PictureFile, default=None, allow_None=True)
    method = param.Selector(default="design", objects=THREE_DIMENSIONAL, label="Estimator")
    n_directions = param.Integer(default=20, bounds=(1, 100), label="Directions per step")
    steps = param.Integer(default=10, bounds=(1, 60), label="Steps")
    eta = param.Number(default=1.0, bounds=(0.05, 1), step=0.05, label="Step η")
    strength = param.Number(
        default=1.0, bounds=(0, 1), step=0.05, label="Strength", doc="0 leaves the picture as it is"
    )

    def controls(self) -> list[Any]:
        """Return the pictures' widgets, then one for every other parameter."""
        rows: list[Any] = []
        for side in ("source", "target"):
            rows += [widget_for(self, side), self._chooser(side)]
        return rows + [widget_for(self, name) for name in ("method", "n_directions", "steps", "eta", "strength")]

    def _chooser(self, side: str) -> Any:
        is_wanted = pn.bind(lambda choice: choice == FILE, self.param[side])
        take = functools.partial(self.take_file, side)
        endings = ".png,.jpg,.jpeg,.webp,.bmp"
        return file_field(self, f"{side}_file", "PNG, JPEG, WebP or BMP", endings, take, visible=is_wanted)

    def take_file(self, side: str, name: str, data: bytes) -> None:
        """Use an uploaded picture."""
        keep(self, f"{side}_file", PictureFile, name, data, LARGEST_UPLOAD)

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing picture and what the estimator cannot do."""
        for side in ("source", "target"):
            if inputs[side] == FILE and inputs[f"{side}_file"] is None:
                raise ValueError(f"Choose a file for “{self.param[side].label}” (PNG, JPEG, WebP or BMP).")
        flows.directions(inputs["method"], inputs["n_directions"], 3)

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time of the steps."""
        pixels = LARGEST_PICTURE**2 if inputs["source"] == FILE else PIXELS
        return costs.transfer(pixels, steps=inputs["steps"], n_directions=inputs["n_directions"])

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the transfer: both pictures as pixels, and the numbers."""
        kept = ("method", "n_directions", "steps", "eta", "strength")
        both = {side: self._pixels(inputs, side) for side in ("source", "target")}
        return both | {name: inputs[name] for name in kept}

    @staticmethod
    def _pixels(inputs: Mapping[str, Any], side: str) -> NDArray[np.float64]:
        if inputs[side] == FILE:
            return inputs[f"{side}_file"].pixels()
        return flows.photograph(inputs[side], STEP)

    def pictures(self) -> Sequence[Any]:
        """Return the photographs, the moving palette and its distance."""

        return [
            Photograph("With the new palette", "image", _result_in_words),
            Photograph("Before", "source", _size_in_words("source")),
            Palette(),
            Photograph("Where the palette is from", "target", _size_in_words("target")),
            Picture("Distance of the palettes", figures.palette_curve, _curve_in_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say how far the palette moved."""
        seen = ds.sw2.values[np.isfinite(ds.sw2.values)]
        first, last = seen[0], seen[-1]
        moved = float(np.sqrt(((ds.image - ds.source) ** 2).sum("channel").mean()))
        if len(seen) < ds.sizes["step"]:
            return f"SW₂² of the palettes was {first:.3g}; a pixel's colour has moved by {moved:.2f} on average so far."
        return (
            f"SW₂² of the palettes fell from {first:.3g} to {last:.2g} before the last of {ds.sizes['step']} steps; "
            f"a pixel's colour moved by {moved:.2f} on average (root mean square, each channel from 0 to 1)."
        )


def _result_in_words(ds: xr.Dataset) -> str:
    mean = ", ".join(f"{100 * float(value):.0f} %" for value in ds.image.mean(("row", "column")))
    return f"Mean red, green, blue: {mean}. Colours outside the range are clipped."


def _size_in_words(which: str) -> Callable[[xr.Dataset], str]:
    return lambda ds: f"{ds[which].shape[1]} × {ds[which].shape[0]} pixels."


def _curve_in_words(ds: xr.Dataset) -> str:
    return f"Every mark of the curve is one estimate with that step's directions; {ds.sizes['step']} steps."


class Photograph(Picture):
    """A photograph that keeps its proportions on every screen; downloads draw it like any figure."""

    def __init__(self, name: str, which: str, summary: Callable[[xr.Dataset], str]) -> None:
        super().__init__(name, lambda ds: figures.photograph(ds, which), summary)
        self._which = which
        self._image = pn.pane.PNG(None, sizing_mode="scale_width", min_width=200, alt_text=name)
        self._layout[0] = self._image

    def update(self, ds: xr.Dataset) -> None:
        """Show the photograph of ``ds``."""
        from PIL import Image

        stream = io.BytesIO()
        pixels = np.round(255 * np.clip(ds[self._which].values, 0, 1)).astype(np.uint8)
        Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
        self._image.object = stream.getvalue()
        self._caption.object = f"<p><b>{self.title}.</b> {self.summary(ds)}</p>"


class Palette(pn.viewable.Viewer):
    """A few thousand pixels in red, green, blue, moving from their old colour to their new one."""

    def __init__(self) -> None:
        super().__init__()
        self._viewer = PointCloud(height=380)
        self._caption = pn.pane.HTML("", stylesheets=[CAPTION], sizing_mode="stretch_width")
        self._layout = pn.Column(self._viewer, self._caption, sizing_mode="stretch_width", min_width=200)

    def update(self, ds: xr.Dataset) -> None:
        """Show a sample of the pixels."""
        rng = np.random.default_rng(0)
        before, after = ds.source.values.reshape(-1, 3), ds.image.values.reshape(-1, 3)
        goal = ds.target.values.reshape(-1, 3)
        chosen = rng.choice(len(before), min(PALETTE_POINTS, len(before)), replace=False)
        wanted = rng.choice(len(goal), min(PALETTE_POINTS, len(goal)), replace=False)
        words = f"{len(chosen)} pixels in the space of red, green and blue, from their old to their new colour."
        shares = np.linspace(0, 1, 25, dtype=np.float32)[:, None, None]
        self._viewer.show(
            (1 - shares) * before[chosen] + shares * after[chosen],
            target=goal[wanted],
            colours=before[chosen],
            target_colours=goal[wanted],
            labels=[f"{100 * share:.0f} % of the way" for share in shares.ravel()],
            description=words,
        )
        self._caption.object = f"<p>{words} Faint points are the palette to reach.</p>"

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout
