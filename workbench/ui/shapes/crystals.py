"""Crystal: place defects, drag a loop over the atoms, and read what it encloses as integers."""

import io
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
from workbench.progress import Progress
from workbench.shapes.defects.files import FORMATS
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import CAPTION, Picture
from workbench.ui.kit.proof import CertificateFile
from workbench.ui.kit.table import Rows, Table
from workbench.ui.kit.upload import ReadUpload, file_field, keep
from workbench.ui.kit.view import View
from workbench.ui.shapes.loop import Corners, LoopPicture

MADE, FILE = "made", "file"
LARGEST = 16 * 2**20
MOST_UPLOADED = 20_000
CORNERS, RADIUS = 8, 6.0
KINDS = {
    "Edge, b = (1, 0)": "edge 1 0",
    "Edge, b = (0, 1)": "edge 0 1",
    "Edge, b = (−1, 1)": "edge -1 1",
    "Edge, b = (−1, 0)": "edge -1 0",
    "Edge, b = (2, 0)": "edge 2 0",
    "Vacancy": "vacancy",
    "Interstitial": "interstitial",
    "Low-angle boundary": "boundary 1 0",
    "Nothing": "",
}
SCENES = {
    "One edge dislocation": "edge 0 0 1 0",
    "Two that cancel": "edge -5 0 1 0; edge 5 0 -1 0",
    "Wedge of 60° cut out": "wedge 0 0 60",
    "Wedge of 60° put in": "wedge 0 0 -60",
    "Low-angle boundary": "boundary 0 0 1 0",
    "Perfect crystal": "",
}
FIRST_LOOP = " ".join(
    f"{RADIUS * np.cos(2 * np.pi * k / CORNERS):.2f},{RADIUS * np.sin(2 * np.pi * k / CORNERS):.2f}"
    for k in range(CORNERS)
)


class AtomsFile(ReadUpload):
    """Uploaded atoms."""

    def read(self, progress: Progress) -> tuple[Any, str]:
        """Read all of the file, in a process apart."""
        stream = io.BytesIO(self.data)
        stream.name = self.name
        reading = shapes.read_atoms(stream, max_bytes=LARGEST, apart=True, progress=progress)
        return reading.atoms, reading.sentence


def circuit_document(ds: xr.Dataset) -> str:
    """Return the document of the loop that is shown, if the checker agrees with it."""
    return str(ds.attrs.get("document", "")) if bool(ds.is_checked) else ""


def _told(_: xr.Dataset, document: str) -> str:
    if not document:
        return "<p>No certificate: this loop has no answer.</p>"
    return (
        "<p>The certificate holds the atoms and bonds of this loop; shapes.check_circuit sums them again, in integers "
        "and rationals, and knows nothing of how they were found.</p>"
    )


class CrystalView(View):
    """A crystal in the plane with defects that one places, or a file of atoms, and a loop that one drags."""

    title, slug = "Crystal", "crystal"
    help = (
        "Drag a corner of the loop, or all of it by its middle; the lasso draws another one. Press on the crystal to "
        "place a defect. What the loop encloses is exact: every triangle that it crosses is laid out on the perfect "
        "lattice, in whole numbers, and how the last one misses the first is the Burgers vector and the rotation."
    )
    experiment = staticmethod(shapes.circuit_report)
    inputs = ("source", "file", "lattice", "size", "placed", "noise", "seed", "loop")
    display = ("shown",)

    source = param.Selector(default=MADE, objects={"A crystal made here": MADE, "Your own file …": FILE}, label="Atoms")
    file = param.ClassSelector(class_=AtomsFile, default=None, allow_None=True)
    lattice = param.Selector(
        default="triangular", objects={"Triangular": "triangular", "Square": "square"}, label="Lattice"
    )
    size = param.Number(default=14.0, bounds=(8, 40), step=1, label="Radius of the crystal (spacings)")
    placed = param.String(
        default="edge 0 0 1 0",
        label="Defects",
        doc="kind x y and the integers of b, or the degrees of a wedge; divided by ;",
    )
    noise = param.Number(default=0.0, bounds=(0, 0.2), step=0.01, label="Thermal noise (spacings)")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="Same seed, same noise")
    loop = param.String(default=FIRST_LOOP, label="Corners of the loop", doc="x,y of each corner, in spacings")
    shown = param.Selector(default="torsion", objects={v: k for k, v in figures.MAPS.items()}, label="Map")
    brush = param.Selector(default="edge 1 0", objects=KINDS, label="A press places")

    # ---- what is asked ----------------------------------------------------------------------------------------------

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file, and corners or defects that cannot be read."""
        if inputs["source"] == FILE and inputs["file"] is None:
            raise ValueError(f"Choose a file of atoms ({', '.join(FORMATS)}).")
        corners_of(inputs["loop"])
        if inputs["source"] == MADE:
            shapes.place(shapes.crystal(inputs["lattice"], 8), inputs["placed"])

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; that of a file by its size, before it is read."""
        if inputs["source"] == FILE:
            count = 0 if inputs["file"] is None else len(inputs["file"].data)
            return Cost(0.3 + 1.5e-6 * count, 2e7 + 200.0 * count)
        return costs.of(shapes.circuit_report, size=inputs["size"]) or Cost(1.0)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the experiment for a crystal made here."""
        kept = {name: inputs[name] for name in ("lattice", "size", "placed", "noise", "seed")}
        return {**kept, "loop": corners_of(inputs["loop"])}

    def compute(self, inputs: Mapping[str, Any], progress: Progress) -> xr.Dataset:
        """Go around the loop in a crystal made here, or in the atoms of the file."""
        if inputs["source"] == MADE:
            return shapes.circuit_report(**self.arguments(inputs), progress=progress)
        atoms = inputs["file"].contents()
        if len(atoms) > MOST_UPLOADED:
            raise ValueError(
                f"{inputs['file'].name} has {len(atoms):,} atoms; this page takes up to {MOST_UPLOADED:,}. In Python "
                "shapes.holonomy takes more."
            )
        common = {"noise": inputs["noise"], "seed": inputs["seed"], "loop": corners_of(inputs["loop"])}
        return shapes.circuit_report("auto", atoms=atoms, **common, progress=progress)

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        found = {name: value for name, value in parameters.items() if name not in ("source", "file", "loop")}
        loop = np.array(parameters.get("loop") or [], dtype=float)
        if loop.ndim == 2 and loop.shape[1] == 2:
            found["loop"] = in_words(loop.tolist())
        super()._adopt(found)

    # ---- what a hand does -------------------------------------------------------------------------------------------

    def move_loop(self, corners: Corners) -> None:
        """Take the loop that the hand has made."""
        scale = float(self.result.spacing) if self.result is not None else 1.0
        self.loop = in_words([(x / scale, y / scale) for x, y in corners])

    def tap(self, x: float, y: float) -> None:
        """Place a defect of the chosen kind; not on a handle of the loop, and not into a file's atoms."""
        if self.source != MADE or not self.brush or any(np.hypot(x - a, y - b) < 1 for a, b in corners_of(self.loop)):
            return
        if np.hypot(x, y) > self.size - 2:
            return
        kind, *rest = self.brush.split()
        new = " ".join([kind, f"{x:.1f}", f"{y:.1f}", *rest])
        self.placed = f"{self.placed}; {new}" if self.placed.strip() else new

    def open_scene(self, placed: str) -> None:
        """Begin with other defects, and the loop around the middle."""
        self.param.update(placed=placed, loop=FIRST_LOOP, source=MADE)

    def take_file(self, name: str, content: bytes) -> None:
        """Use an uploaded file."""
        keep(self, "file", AtomsFile, name, content, LARGEST)

    # ---- the page ---------------------------------------------------------------------------------------------------

    def controls(self) -> list[Any]:
        """Return the widgets: scenes and the brush for a crystal made here, the chooser for a file."""
        made = pn.bind(lambda source: source == MADE, self.param.source)
        wanted = pn.bind(lambda source: source == FILE, self.param.source)
        accepted = ",".join(f".{ending}" for ending in FORMATS)
        upload = file_field(self, "file", "Atoms: x, y(, z)", accepted, self.take_file, visible=wanted)
        scenes = []
        for label, placed in SCENES.items():
            button = pmui.Button(label=label, variant="outlined", size="small", sizing_mode="stretch_width")
            button.on_click(lambda _, placed=placed: self.open_scene(placed))
            scenes.append(button)
        own = pn.Column(
            *scenes, *[widget_for(self, name) for name in ("brush", "placed", "lattice", "size")],
            visible=made, sizing_mode="stretch_width", margin=0,
        )  # fmt: skip
        rest = [widget_for(self, name) for name in ("noise", "shown", "loop", "seed")]
        return [widget_for(self, "source"), upload, own, *rest]

    def pictures(self) -> Sequence[Any]:
        """Return the atoms under the loop, a map of one dictionary, and the words of all three."""
        return [
            LoopPicture("Atoms", self._atoms, _atoms_in_words, self.move_loop, self.tap),
            Picture("Map", lambda ds: figures.dictionary_map(ds, self.shown), self._map_in_words, height=460),
            Table("What three dictionaries call it", dictionary_rows, wide=True),
            CertificateFile("circuit.json", circuit_document, _told, style=CAPTION),
        ]

    def _atoms(self, ds: xr.Dataset) -> Any:
        corners = np.array(corners_of(self.loop)) * float(ds.spacing)
        return figures.crystal_loop(ds, [(float(x), float(y)) for x, y in corners])

    def _map_in_words(self, ds: xr.Dataset) -> str:
        values = ds[self.shown].values[ds.is_inner.values]
        values = values[np.isfinite(values)]
        if not len(values):
            return "No lattice could be fitted to these atoms, so there is no coframe to differentiate."
        return (
            f"The {figures.MAPS[self.shown]}, times the spacing: median {np.median(values):.2g}, largest "
            f"{values.max():.2g}. Away from defects torsion tends to zero; strain and bending show in the traces of "
            "non-metricity all the same."
        )

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the loop encloses, and what the torsion trace has of it."""
        if ds.attrs["refusal"]:
            return f"This loop has no answer: {ds.attrs['refusal']}."
        told = f"This loop of {int(ds.bonds)} bonds encloses "
        proof = "exact, and the small checker agrees" if bool(ds.is_checked) else "not proved"
        if int(ds.rotation) != 0:
            return (
                f"{told}a rotation, Ω = {float(ds.angle):+.0f}°; {proof}. With a rotation inside, a Burgers vector "
                "would depend on where the loop begins, so none is given."
            )
        b = ", ".join(f"{int(one)}" for one in ds.burgers.values)
        text = f"{told}b = ({b}), Ω = 0; {proof}."
        if np.any(ds.burgers.values):
            axial, vector, tensor = ds.share.values
            rest = f"the rest is tensor {tensor:.0%}, axial {axial:.0%}"
            return f"{text} The trace of torsion carries {vector:.0%} of it, {rest}."
        return f"{text} Nothing in it has a charge of its own, or the charges cancel."


def corners_of(text: str) -> Corners:
    """Return the corners that a text names; ``ValueError`` for what is none."""
    words = text.replace(";", " ").split()
    if not 3 <= len(words) <= 60:
        raise ValueError(f"The loop has {len(words)} corners; give 3 to 60 as x,y x,y …")
    found = []
    for word in words:
        parts = word.split(",")
        try:
            x, y = (float(part) for part in parts)
        except ValueError:
            raise ValueError(f"“{word[:40]}” is no corner; write x,y with a point for decimals.") from None
        if not (abs(x) < 1e4 and abs(y) < 1e4):
            raise ValueError(f"The corner “{word[:40]}” lies too far away.")
        found.append((x, y))
    return found


def in_words(corners: Sequence[Sequence[float]]) -> str:
    """Return corners as the text that names them."""
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in corners)


def dictionary_rows(ds: xr.Dataset) -> Rows:
    """Return what the loop encloses in the words of three dictionaries: a row a defect, a column a dictionary."""
    spacing = float(ds.spacing)
    closing = "not defined" if not np.isfinite(ds.closing.values).all() else (
        f"torsion: |∮E| = {np.linalg.norm(ds.closing.values) / spacing:.3f}")  # fmt: skip
    vector = float(ds.share.sel(part="vector"))
    trace = f"trace of torsion: {vector:.0%} of it" if np.isfinite(vector) else "trace of torsion: nothing to share"
    first, second = _flux(ds.first_flux, "Q"), _flux(ds.second_flux, "P")
    known = int(ds.rotation) >= 0
    angle = f"Ω = {float(ds.angle):+.0f}°" if known and int(ds.rotation) else "Ω = 0°" if known else "–"
    b = ds.burgers.values
    charge = f"b = ({', '.join(f'{int(one)}' for one in b)})" if np.isfinite(b).all() else "–"
    return Rows(
        ["", "classical", "teleparallel (the paper)", "holonomy (integers)"],
        [
            ["dislocation", closing, trace, charge],
            ["disclination", f"curvature: {angle}", second, angle],
            ["point defect", first, first, "none: it changes no far loop"],
        ],
    )


def _flux(value: xr.DataArray, name: str) -> str:
    return f"∮{name}·n = {np.degrees(float(value)) + 0.0:.1f}°" if np.isfinite(float(value)) else "not defined"


def _atoms_in_words(ds: xr.Dataset) -> str:
    odd = int((ds.charge != 0).sum())
    known = ds.attrs["lattice"] or "no known"
    found = f"{ds.sizes['atom']:,} atoms, {known} lattice; {odd} with a wrong number of neighbours"
    return f"{found}, in {ds.sizes['defect']} groups." if ds.attrs["lattice"] == "triangular" else f"{found}."
