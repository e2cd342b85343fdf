"""By hand: drag the vertices of a surface; what is proved of the map, its crossings and all losses answer at once."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param
import xarray as xr

from workbench import costs, shapes
from workbench.costs import Cost
from workbench.figures import shapes as figures
from workbench.shapes.surfaces.bend import MOST_DRAGS
from workbench.shapes.surfaces.deform import certificate_sentence
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.dragged import DraggedMarks
from workbench.ui.kit.table import Rows, Table
from workbench.ui.kit.upload import file_field, keep
from workbench.ui.kit.view import View
from workbench.ui.kit.written import Written, in_letters, lists_of
from workbench.ui.shapes.surfaces import ACCEPTED, CHOICES, FILE, LARGEST, USUAL, MeshFile, MovingSurface

ITSELF = "itself"
MOST_VERTICES = 5_000
SIZES = {"162": 162, "642": USUAL, "2,562": 2562}
COUNTER_EXAMPLE: dict[str, Any] = {
    "source": "two-sheets",
    "target": ITSELF,
    "vertices": USUAL,
    "width": 1 / math.sqrt(12),
}
LIFT = 0.3
"""How far the middle of the sheet is lifted, past the triangle at 0.1; the width is 1 in these units."""
Drags = tuple[tuple[float, ...], ...]


def _in_letters(value: tuple[str, Drags] | tuple) -> str:
    """Return the surface that was bent and its drags as an address holds them."""
    return f"{value[0]}~{in_letters(*value[1])}" if value and value[1] else ""


def _from_letters(text: str) -> tuple:
    """Return what :func:`_in_letters` wrote; ``ValueError`` for anything else."""
    name, _, rest = text.partition("~")
    kind, _, size = name.partition("-of-")
    if kind not in CHOICES.values() or size not in map(str, SIZES.values()):
        raise ValueError(f"{name[:40]!r} names no surface of this page")
    drags = tuple(lists_of(rest))
    if len(drags) > MOST_DRAGS or any(len(drag) != 4 or drag[0] != int(drag[0]) or drag[0] < 0 for drag in drags):
        raise ValueError(f"drags are up to {MOST_DRAGS} lists of a vertex and three numbers")
    return name, drags


class BendView(View):
    """A surface under the hand, with the certificate of the map that the hand makes."""

    title, slug = "By hand", "bend"
    help = (
        "Drag the vertices (◆). Each drag moves all of space by x + d·exp(−|x − c|²/2w²), cut into as many equal parts "
        "as it takes for ρ to stay below 0.9, so whatever the hand does is a diffeomorphism, and that is proved. The "
        "triangles in between are not: see the counter-example."
    )
    experiment = staticmethod(shapes.bend_surface)
    inputs = ("source", "source_file", "target", "vertices", "width", "drags")
    display = ("side",)

    source = param.Selector(default="walnut", objects=CHOICES, label="Surface")
    source_file = param.ClassSelector(class_=MeshFile, default=None, allow_None=True)
    target = param.Selector(
        default="walnut-outer",
        objects={"The surface as it was": ITSELF} | {k: v for k, v in CHOICES.items() if v != FILE},
        label="Compared with",
    )
    vertices = param.Selector(default=USUAL, objects=SIZES, label="Vertices", doc="of the surfaces that are made here")
    width = param.Number(default=0.4, bounds=(0.05, 2), step=0.05, label="Width w", doc="of a drag, in half-sizes")
    side = param.Selector(
        default="front", objects={"the front": "front", "the right": "right", "above": "above"}, label="Seen from"
    )
    drags = Written(
        default=(),
        write=_in_letters,
        read=_from_letters,
        label="the vertices dragged by hand",
        doc="the surface that was bent, and its drags",
    )

    # ---- what is asked ---------------------------------------------------------------------------------------------

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file; what it holds is judged when it is read."""
        if inputs["source"] == FILE and inputs["source_file"] is None:
            raise ValueError(f"Choose a file with a triangle mesh ({ACCEPTED}).")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; that of a file by its size, before it is read."""
        count = int(inputs["vertices"])
        if inputs["source"] == FILE and inputs["source_file"]:
            count = min(MOST_VERTICES, len(inputs["source_file"].data) // 60 + 1)
        return max(count / 700, 1.0) * (costs.of(shapes.bend_surface) or Cost(0.2))

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the surfaces, by name where they have their usual size, and the drags of this surface."""
        of, drags = inputs["drags"] or ("", ())
        return {
            "source": self._surface(inputs, inputs["source"]),
            "target": None if inputs["target"] == ITSELF else self._surface(inputs, inputs["target"]),
            "drags": drags if of == self._name_of(inputs) else (),
            "width": inputs["width"],
        }

    def _surface(self, inputs: Mapping[str, Any], name: str) -> Any:
        if name == FILE:
            mesh = inputs["source_file"].contents()
            if len(mesh.vertices) > MOST_VERTICES:
                raise ValueError(
                    f"{inputs['source_file'].name} has {len(mesh.vertices):,} vertices; this page bends up to "
                    f"{MOST_VERTICES:,}. In Python shapes.bend_surface takes 20,000."
                )
            return mesh
        return name if inputs["vertices"] == USUAL else shapes.surface(name, inputs["vertices"])

    @staticmethod
    def _name_of(inputs: Mapping[str, Any]) -> str:
        """Return what drags belong to: the vertices of another surface, or of another size, are others."""
        return f"{inputs['source']}-of-{inputs['vertices']}"

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; a surface that is not named there cannot be told."""
        known = {key: value for key, value in parameters.items() if not isinstance(value, dict) and key != "drags"}
        known["target"] = known.get("target") or ITSELF
        super()._adopt(known)
        drags = parameters.get("drags")
        if isinstance(drags, list):
            self._adopting = True
            try:
                self.drags = (self._name_of(self.values()), tuple(map(tuple, drags))) if drags else ()
            finally:
                self._adopting = False

    # ---- what a hand does ------------------------------------------------------------------------------------------

    def move(self, item: int, x: float, y: float) -> None:
        """Take a vertex from the visitor's hand: it goes to a place on the picture, and keeps its depth."""
        ds = self.result
        if ds is None or not (np.isfinite(x) and np.isfinite(y)) or not 0 <= item < ds.sizes["vertex"]:
            return
        across, up, _ = figures.SIDES[self.side]
        shift = [0.0, 0.0, 0.0]
        shift[across], shift[up] = (
            float(f"{to - float(ds.vertices[1, item, axis]):.4g}") for to, axis in ((x, across), (y, up))
        )
        before = self.arguments(self.values())["drags"]
        if len(before) >= MOST_DRAGS:
            self.complaint = f"There are {MOST_DRAGS} drags already; take some back first."
            self._redraw()
            return
        self.drags = (self._name_of(self.values()), (*before, (item, *shift)))

    def take_back(self) -> None:
        """Take the last drag back."""
        if self.drags:
            of, drags = self.drags
            self.drags = (of, drags[:-1]) if len(drags) > 1 else ()

    def reset(self) -> None:
        """Take back everything that the hand has done."""
        self.drags = ()

    def open_counter_example(self) -> None:
        """Lift the middle of a sheet through the triangle above it, by a map that is proved to be a diffeomorphism."""
        found = shapes.surface(COUNTER_EXAMPLE["source"])
        middle = int(np.argmin(np.linalg.norm(found.vertices, axis=1)))
        drags = (self._name_of(COUNTER_EXAMPLE), ((middle, 0.0, 0.0, LIFT),))
        self.param.update(**COUNTER_EXAMPLE, side="front", drags=drags)

    def take_file(self, name: str, content: bytes) -> None:
        """Use an uploaded file as the surface."""
        keep(self, "source_file", MeshFile, name, content, LARGEST)

    # ---- the page --------------------------------------------------------------------------------------------------

    def controls(self) -> list[Any]:
        """Return the widgets, and the buttons for the counter-example and for what was dragged."""
        wanted = pn.bind(lambda name: name == FILE, self.param.source)
        upload = file_field(
            self, "source_file", "PLY, OBJ, OFF, STL or GIFTI", ACCEPTED, self.take_file, visible=wanted
        )
        buttons = []
        for label, do in (
            ("Counter-example: a sheet under a triangle", self.open_counter_example),
            ("Take the last drag back", self.take_back),
            ("Take all back", self.reset),
        ):
            button = pmui.Button(label=label, variant="outlined", size="small", sizing_mode="stretch_width")
            button.on_click(lambda _, do=do: do())
            buttons.append(button)
        names = ("target", "vertices", "width", "side")
        return [widget_for(self, "source"), upload, *(widget_for(self, name) for name in names), *buttons]

    def pictures(self) -> Sequence[Any]:
        """Return the flat picture under the hand, the surface in space, and the losses."""
        return [
            DraggedMarks(
                "Under the hand",
                lambda ds: figures.bent_surface(ds, self.side),
                _hand_in_words,
                self.move,
                axes=("across", "up"),
                hint="Drag the vertices",
                height=460,
            ),
            MovingSurface(moving=False),
            Table("What the losses say", loss_rows, text=("",), wide=True),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what is proved of what the hand did, what it carries, and how near it came."""
        crossings, assd, sw1 = (ds[name].values for name in ("crossings", "assd", "sw1"))
        if not ds.sizes["drag"]:
            return (
                f"Nothing is moved yet; the mesh has {int(crossings[1]):,} crossing pairs (exact). ASSD {assd[1]:.3g}, "
                f"exact SW₁ {sw1[1]:.3g}: drag a vertex (◆) and see them answer."
            )
        proof = certificate_sentence(
            ds.rho.values, float(ds.det_low), float(ds.det_high), int(crossings[1]), int(ds.folded[1])
        )
        return f"{proof} ASSD went from {assd[0]:.3g} to {assd[1]:.3g}, exact SW₁ from {sw1[0]:.3g} to {sw1[1]:.3g}."


def loss_rows(ds: xr.Dataset) -> Rows:
    """Return every distance and loss before and after the drags."""
    rows = [[str(ds[name].attrs["long_name"]), *map(_short, ds[name].values)] for name in ("assd", "hd90", "hd", "sw1")]
    if np.isfinite(ds.vertex_error.values).all():
        rows.append([str(ds.vertex_error.attrs["long_name"]), *map(_short, ds.vertex_error.values)])
    for name in ds.loss.values:
        rows.append([f"loss: {shapes.LOSSES[str(name)].label}", *map(_short, ds.value.sel(loss=name).values)])
    return Rows(["", "before", "after"], rows)


def _short(value: float) -> str:
    return f"{float(value):.4g}" if np.isfinite(value) else "not defined"


def _hand_in_words(ds: xr.Dataset) -> str:
    count = ds.sizes["drag"]
    marked = len(np.unique(ds.crossing_faces.values))
    done = f"{count} drag{'' if count == 1 else 's'} in {ds.sizes['map']} map{'' if ds.sizes['map'] == 1 else 's'}."
    marks = f" {marked:,} faces that cross another are pointed out." if marked else ""
    return (
        f"{done}{marks} A vertex keeps its depth while it is dragged; look from another side for the third direction."
    )
