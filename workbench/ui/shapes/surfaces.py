"""Surfaces: one mesh carried into another by steps that are proved to be diffeomorphisms, and what they carry."""

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
from workbench.shapes.surfaces.deform import certificate_sentence
from workbench.shapes.surfaces.report import FORMATS, stem_of, surface_of
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import CAPTION, Picture
from workbench.ui.kit.pointcloud import PointCloud
from workbench.ui.kit.upload import ReadUpload, file_field, keep
from workbench.ui.kit.view import View

FILE = "file"
LARGEST = 16 * 2**20
MOST_VERTICES = 20_000
NAMED = {entry.label: name for name, entry in shapes.SURFACES.items()}
CHOICES = NAMED | {"Your own file …": FILE}
ACCEPTED = ",".join(f".{ending.rpartition('.')[2]}" for ending in FORMATS if ending != "npz")
USUAL = 642
SIZES = {"162": 162, "642": USUAL, "2,562": 2562, "10,242": 10_242}
FIRST = "shapes/surfaces_first.nc"


class MeshFile(ReadUpload):
    """An uploaded triangle mesh."""

    def read(self, progress: Progress) -> tuple[shapes.Surface, str]:
        """Read all of the file in a process apart; vertices at one place become one."""
        reading = foreign.read_cloud(self.data, self.name, max_bytes=LARGEST, progress=progress)
        mesh = surface_of(reading, stem_of(self.name))
        return mesh, f"{reading.sentence}; {len(mesh.vertices):,} distinct vertices"


class SurfacesView(View):
    """A surface that is carried into another, with the certificate of the map and the crossings of the mesh."""

    title, slug = "Surfaces", "surfaces"
    help = (
        "A trained field moves all of space in steps x + u(x), and with it the mesh. Each step is a diffeomorphism "
        "because a bound ρ < 1 on the Lipschitz constant of u is proved; the triangles that it carries may cross all "
        "the same, so their crossings are counted, exactly. Drag to turn, scroll to zoom, space to play."
    )
    experiment = staticmethod(shapes.deform)
    registries: ClassVar[dict[str, Any]] = {"loss": shapes.LOSSES, "field": shapes.FIELDS}
    inputs = (
        "source", "source_file", "target", "target_file", "vertices", "loss", "field", "steps", "iterations",
        "orientation", "seed",
    )  # fmt: skip

    source = param.Selector(default="walnut", objects=CHOICES, label="From")
    source_file = param.ClassSelector(class_=MeshFile, default=None, allow_None=True)
    target = param.Selector(default="walnut-outer", objects=CHOICES, label="To")
    target_file = param.ClassSelector(class_=MeshFile, default=None, allow_None=True)
    vertices = param.Selector(default=USUAL, objects=SIZES, label="Vertices", doc="of the surfaces that are made here")
    loss = param.Selector(
        default="varifold", objects={entry.label: name for name, entry in shapes.LOSSES.items()}, label="Loss"
    )
    field = param.Selector(
        default="bspline", objects={entry.label: name for name, entry in shapes.FIELDS.items()}, label="Field"
    )
    steps = param.Integer(default=4, bounds=(1, 16), label="Steps of the map")
    iterations = param.Integer(default=150, bounds=(0, 2000), step=10, label="Iterations")
    orientation = param.Number(
        default=0.1, bounds=(0, 2), step=0.05, label="λ", doc="worth of a normal beside a position, in half-sizes"
    )
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="of directions and samples")

    # ---- what is asked ---------------------------------------------------------------------------------------------

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file; what it holds is judged when it is read."""
        for side in ("source", "target"):
            if inputs[side] == FILE and inputs[f"{side}_file"] is None:
                raise ValueError(f"Choose a file with a triangle mesh ({ACCEPTED}).")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; that of a file by its size, before it is read."""
        count = max(self._count(inputs, side) for side in ("source", "target"))
        known = {name: inputs[name] for name in ("loss", "steps", "iterations")}
        return (count / 700) * (costs.of(shapes.deform, **known) or Cost(1.0))

    def _count(self, inputs: Mapping[str, Any], side: str) -> int:
        if inputs[side] != FILE:
            return int(inputs["vertices"])
        return min(MOST_VERTICES, len(inputs[f"{side}_file"].data) // 60 + 1) if inputs[f"{side}_file"] else USUAL

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped first deformation if that is what is asked for."""
        if FILE in (inputs["source"], inputs["target"]) or inputs["vertices"] != USUAL:
            return None
        return data.result_for(FIRST, **self.arguments(inputs))

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the surfaces, by name where they have their usual size, and the settings."""
        kept = ("loss", "field", "steps", "iterations", "orientation", "seed")
        return {
            **{side: self._surface(inputs, side) for side in ("source", "target")},
            **{name: inputs[name] for name in kept},
        }

    def _surface(self, inputs: Mapping[str, Any], side: str) -> Any:
        name = inputs[side]
        if name == FILE:
            mesh = inputs[f"{side}_file"].contents()
            if len(mesh.vertices) > MOST_VERTICES:
                raise ValueError(
                    f"{inputs[f'{side}_file'].name} has {len(mesh.vertices):,} vertices; this page takes up to "
                    f"{MOST_VERTICES:,}. In Python shapes.deform takes 200,000."
                )
            return mesh
        return name if inputs["vertices"] == USUAL else shapes.surface(name, inputs["vertices"])

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; a surface that is not named there cannot be told."""
        named = {key: value for key, value in parameters.items() if not isinstance(value, dict)}
        super()._adopt(named)

    def take_file(self, side: str, name: str, content: bytes) -> None:
        """Use an uploaded file as the source or the target."""
        keep(self, f"{side}_file", MeshFile, name, content, LARGEST)

    # ---- the page --------------------------------------------------------------------------------------------------

    def controls(self) -> list[Any]:
        """Return the widgets; a field for a file shows when it is asked for."""
        shown: list[Any] = []
        for side in ("source", "target"):
            wanted = pn.bind(lambda name: name == FILE, self.param[side])

            def take(name: str, content: bytes, side: str = side) -> None:
                self.take_file(side, name, content)

            shown += [
                widget_for(self, side),
                file_field(self, f"{side}_file", "PLY, OBJ, OFF, STL or GIFTI", ACCEPTED, take, visible=wanted),
            ]
        rest = ("vertices", "loss", "field", "steps", "iterations", "orientation", "seed")
        return [*shown, *[widget_for(self, name) for name in rest]]

    def pictures(self) -> Sequence[Any]:
        """Return the moving mesh, the loss, and the bounds."""
        return [
            MovingSurface(),
            Picture("The steps", figures.deformation_proof, _proof_in_words),
            Picture("The loss", figures.deformation_loss, _loss_in_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what is proved of the map, what it carries, and how near it came."""
        proof = certificate_sentence(
            ds.rho.values, float(ds.det_low), float(ds.det_high), int(ds.crossings[1]), int(ds.folded[1])
        )
        before, after = (float(value) for value in ds.assd.values)
        sw1 = [float(value) for value in ds.sw1.values]
        text = f"{proof} ASSD went from {before:.3g} to {after:.3g}, exact SW₁ from {sw1[0]:.3g} to {sw1[1]:.3g}."
        partner = ds.vertex_error.values
        if np.isfinite(partner).all():
            text += f" Vertices lie {float(partner[1]):.3g} from their true partners ({float(partner[0]):.3g} before)."
        return text


class MovingSurface(pn.viewable.Viewer):
    """A surface in the viewer with its target; crossing faces are marked. It moves, or is shown as it ended."""

    def __init__(self, *, moving: bool = True) -> None:
        super().__init__()
        self._moving = moving
        self._viewer = PointCloud(height=470)
        self._caption = pn.pane.HTML("", stylesheets=[CAPTION], sizing_mode="stretch_width")
        self._layout = pn.Column(self._viewer, self._caption, sizing_mode="stretch_width", min_width=200)

    def update(self, ds: xr.Dataset) -> None:
        """Send the steps to the browser."""
        path = ds.vertices.values
        marked = np.unique(ds.crossing_faces.values)
        told = f"{ds.sizes['vertex']:,} vertices and {ds.sizes['face']:,} faces"
        if self._moving:
            told += f" move in {len(path) - 1} steps"
        self._viewer.show(
            path if self._moving else path[-1],
            faces=ds.faces.values,
            marked=marked,
            target=ds.target_vertices.values,
            target_faces=ds.target_faces.values,
            values=np.linalg.norm(path[-1] - path[0], axis=1),
            labels=[f"step {k}" for k in range(len(path))] if self._moving else ["now"],
            description=told,
            autoplay=self._moving,
        )
        marks = f" {len(marked):,} faces that cross another are pointed out." if len(marked) else ""
        about = f"Source: {ds.attrs.get('source_told', '')}."
        if "target_told" in ds.attrs:
            about += f" Target: {ds.attrs['target_told']}."
        words = f"{told}. Orange is the target. Colour: distance travelled, dark is low.{marks} {about}"
        self._caption.object = f"<p>{html.escape(words)}</p>"

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def _proof_in_words(ds: xr.Dataset) -> str:
    return (
        f"Each ρ bounds the Lipschitz constant of a displacement over all of space, not at points that were tried; "
        f"below 1 the step is one-to-one and smooth. The largest is {float(ds.rho.max()):.3g}. "
        "shapes.certify_deformation checks all of it again from the saved result."
    )


def _loss_in_words(ds: xr.Dataset) -> str:
    count = ds.sizes["iteration"]
    if not count:
        return "No iteration was asked for: the map moves nothing."
    return (
        f"{count} iterations; every one draws directions or samples of its own, so the curve jitters by the noise of "
        f"that draw. It went from {float(ds.loss[0]):.3g} to {float(ds.loss[-1]):.3g} in units of the half-size."
    )
