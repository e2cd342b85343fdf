"""Choosing two clouds: a shape by name, a text, or a file of one's own. Shared by the tabs that need a pair."""

import functools
from collections.abc import Mapping
from typing import Any

import panel as pn
import param
from numpy.typing import NDArray

from workbench.clouds import SHAPES, foreign
from workbench.clouds.files import FORMATS, Reading
from workbench.progress import Progress
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.upload import LARGEST_UPLOAD, ReadUpload, file_field, keep
from workbench.ui.kit.view import View

TEXT, FILE = "text", "file"
CHOICES = {entry.label: name for name, entry in SHAPES.items()} | {"Text …": TEXT, "Your own file …": FILE}
ACCEPTED = ",".join(f".{ending.rpartition('.')[2]}" for ending in FORMATS)


class CloudFile(ReadUpload):
    """An uploaded cloud or mesh."""

    def read(self, progress: Progress) -> tuple[Reading, str]:
        """Read all of the file."""
        reading = foreign.read_cloud(self.data, self.name, max_bytes=LARGEST_UPLOAD, progress=progress)
        return reading, reading.sentence

    def cloud(self, n: int, seed: int) -> NDArray:
        """Return at most ``n`` points, centred and scaled to root-mean-square radius 1."""
        return self.contents().cloud(n, seed=seed, normalise=True)


class PairView(View):
    """A view of two clouds; subclasses add ``PAIR_INPUTS`` to their inputs."""

    PAIR_INPUTS = ("origin", "origin_text", "origin_file", "target", "target_text", "target_file", "n", "seed")

    origin = param.Selector(default="torus", objects=CHOICES, label="From")
    origin_text = param.String(default="FLOW", label="Text to start from")
    origin_file = param.ClassSelector(class_=CloudFile, default=None, allow_None=True)
    target = param.Selector(default="cube", objects=CHOICES, label="To")
    target_text = param.String(default="HERE", label="Text to arrive at")
    target_file = param.ClassSelector(class_=CloudFile, default=None, allow_None=True)
    n = param.Integer(default=1000, bounds=(50, 5000), label="Points in each cloud")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same result")

    def pair_controls(self) -> list[Any]:
        """Return the widgets of both clouds; the field for a text or a file shows when it is asked for."""
        rows: list[Any] = []
        for side in ("origin", "target"):
            text = widget_for(self, f"{side}_text")
            text.visible = pn.bind(lambda choice: choice == TEXT, self.param[side])
            rows += [widget_for(self, side), text, self._chooser(side)]
        return [*rows, widget_for(self, "n")]

    def controls(self) -> list[Any]:
        """Return the clouds' widgets, then one for every other parameter."""
        others = [name for name in (*self.inputs, *self.display) if name not in self.PAIR_INPUTS]
        return [*self.pair_controls(), *[self.control(name) for name in others], self.control("seed")]

    def control(self, name: str) -> Any:
        """Return the widget of one parameter; a view that shows some of them only at times overrides this."""
        return widget_for(self, name)

    def _chooser(self, side: str) -> Any:
        is_wanted = pn.bind(lambda choice: choice == FILE, self.param[side])
        take = functools.partial(self.take_file, side)
        label = "PLY, OBJ, STL, OFF, GIFTI, XYZ, CSV, NPY or NPZ"
        return file_field(self, f"{side}_file", label, ACCEPTED, take, visible=is_wanted)

    def take_file(self, side: str, name: str, data: bytes) -> None:
        """Use an uploaded file as one of the clouds."""
        keep(self, f"{side}_file", CloudFile, name, data, LARGEST_UPLOAD)

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; its clouds are named x and y there."""
        found = dict(parameters)
        for axis, side in (("x", "origin"), ("y", "target")):
            name = found.get(axis)
            if isinstance(name, str) and name.startswith("text:"):
                found |= {side: TEXT, f"{side}_text": name.removeprefix("text:")}
            elif isinstance(name, str):
                found[side] = name
        super()._adopt(found)

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file and clouds of different dimension; files are judged when they are read."""
        dims = []
        for side in ("origin", "target"):
            choice = inputs[side]
            if choice == FILE and inputs[f"{side}_file"] is None:
                raise ValueError(f"Choose a file for “{self.param[side].label}” ({ACCEPTED}).")
            if choice != FILE:
                dims.append(2 if choice == TEXT else SHAPES[choice].facts["dim"])
        if len(set(dims)) > 1:
            raise ValueError(
                f"The clouds lie in {dims[0]} and {dims[1]} dimensions; choose two of the same dimension "
                "(texts, digits and flat shapes have two)."
            )


def clouds_of(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments x, y, n and seed of an experiment: names where it can, arrays for files."""
    found: dict[str, Any] = {"n": inputs["n"], "seed": inputs["seed"]}
    for axis, side in (("x", "origin"), ("y", "target")):
        choice = inputs[side]
        if choice == FILE:
            found[axis] = inputs[f"{side}_file"].cloud(inputs["n"], inputs["seed"])
        else:
            found[axis] = f"text:{inputs[f'{side}_text']}" if choice == TEXT else choice
    return found


def dim_of(inputs: Mapping[str, Any]) -> int:
    """Return the dimension of the clouds, 3 for a file that has not been read."""
    for side in ("origin", "target"):
        if inputs[side] == TEXT:
            return 2
        if inputs[side] != FILE:
            return SHAPES[inputs[side]].facts["dim"]
    return 3
