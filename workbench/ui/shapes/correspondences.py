"""Correspondences: two surfaces side by side, one coloured through the map to the other, and what the map is worth."""

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
from workbench.shapes.correspondences import cortex
from workbench.shapes.correspondences.examples import available
from workbench.shapes.correspondences.landmarks import FORMATS as TABLES
from workbench.shapes.correspondences.landmarks import LARGEST_TABLE, landmarks_in
from workbench.shapes.correspondences.mesh import TriangleMesh, of_reading
from workbench.shapes.correspondences.report import faces_around, vertex_at
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.dragged import DraggedMarks
from workbench.ui.kit.picture import CAPTION, Picture
from workbench.ui.kit.pointcloud import PointCloud
from workbench.ui.kit.upload import ReadUpload, file_field, keep
from workbench.ui.kit.view import View

FILES = "files"
CORTEX = (
    "" if cortex.is_there() else "two pairs of a real cortex join these where nilearn is installed: pip install nilearn"
)
CHOICES = {entry.label: name for name, entry in available().items()} | {"Your own files …": FILES}
METHODS = {entry.label: name for name, entry in shapes.MATCHERS.items()}
SIGNATURES = {entry.label: name for name, entry in shapes.DESCRIPTORS.items()}
FORMATS = ("ply", "obj", "stl", "off", "npz", "gii", "gii.gz")
ACCEPTED = ",".join(f".{ending.rpartition('.')[2]}" for ending in FORMATS)  # browsers know no double endings
TABLES_ACCEPTED = ",".join(f".{ending}" for ending in TABLES)
LARGEST_FILE = 16 * 2**20
MOST_SHOWN = 3_000
"""Vertices of a mesh of one's own that the page matches; the library takes more."""
HEIGHT = 400
LIKELY = (np.zeros((700, 3)), ())
"""What a mesh is taken for before it is read."""


class MeshFile(ReadUpload):
    """An uploaded triangle mesh."""

    def read(self, progress: Progress) -> tuple[TriangleMesh, str]:
        """Read the mesh in a process apart, and judge it here."""
        reading = foreign.read_cloud(self.data, self.name, max_bytes=LARGEST_FILE, progress=progress)
        mesh = of_reading(reading)
        if len(mesh.vertices) > MOST_SHOWN:
            raise ValueError(
                f"{self.name} has {len(mesh.vertices):,} vertices; this page matches up to {MOST_SHOWN:,}: simplify "
                "it, or use shapes.match in Python"
            )
        return mesh, mesh.sentence


class LandmarkFile(ReadUpload):
    """An uploaded table of vertices that belong together."""

    def read(self, progress: Progress) -> tuple[Any, str]:
        """Read the pairs in a process apart; whether the meshes have such vertices shows when they are matched."""
        return landmarks_in(self.data, self.name, apart=True, progress=progress)


class CorrespondencesView(View):
    """Match two surfaces and see where the map is right, where it folds, and what its basis allows."""

    title, slug = "Correspondences", "correspondences"
    help = (
        "Which point of one surface is which of the other? Eigenfunctions of both are compared through descriptors; "
        "the small matrix between them, the functional map, is refined and read out at the vertices. The example pairs "
        "have two triangulations and an exact truth. Drag the diamond to follow a point, or bring two meshes, and a "
        "table of landmarks (CSV: a vertex of X, a vertex of Y, counted from 0)."
    )
    experiment = staticmethod(shapes.correspondence_report)
    registries: ClassVar[dict[str, Any]] = {"method": shapes.MATCHERS, "descriptors": shapes.DESCRIPTORS}
    inputs = ("pair", "file_x", "file_y", "marks", "n", "method", "descriptors", "k", "k_final", "log_mu", "seed")
    display = ("by_error", "probe")

    pair = param.Selector(default="helicoid-catenoid", objects=CHOICES, label="Pair", doc=CORTEX)
    file_x = param.ClassSelector(class_=MeshFile, default=None, allow_None=True)
    file_y = param.ClassSelector(class_=MeshFile, default=None, allow_None=True)
    marks = param.ClassSelector(class_=LandmarkFile, default=None, allow_None=True)
    n = param.Integer(default=300, bounds=(80, 1500), label="Vertices", doc="of each surface of an example")
    method = param.Selector(default="zoomout", objects=METHODS, label="Method")
    descriptors = param.Selector(default="wks", objects=SIGNATURES, label="Descriptors")
    k = param.Integer(default=20, bounds=(4, 100), label="Eigenfunctions of the first map")
    k_final = param.Integer(default=60, bounds=(4, 200), label="Eigenfunctions at the end")
    log_mu = param.Number(default=1.0, bounds=(-4, 4), step=0.25, label="log₁₀ μ", doc="of the mask on the map")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="of the triangulations, and of a training")
    by_error = param.Boolean(default=False, label="Colour by error", doc="where the truth is known")
    probe = param.Integer(default=0, bounds=(0, None), label="Point of Y", doc="the vertex that is followed")

    # ---- what is asked ---------------------------------------------------------------------------------------------

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse missing files and numbers of eigenfunctions that do not fit; meshes are judged when they are read."""
        if inputs["pair"] == FILES and (inputs["file_x"] is None or inputs["file_y"] is None):
            raise ValueError(f"Choose two meshes, X and Y ({ACCEPTED}).")
        if inputs["k_final"] < inputs["k"]:
            raise ValueError(
                f"The map begins with {inputs['k']} eigenfunctions and cannot end with {inputs['k_final']}; choose at "
                "least as many for the end."
            )
        if inputs["pair"] != FILES and inputs["k_final"] > inputs["n"] // 2:
            raise ValueError(
                f"{inputs['k_final']} eigenfunctions are too many for {inputs['n']} vertices; choose at most half as "
                "many, or a finer mesh."
            )

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimate of the room; meshes of files are taken for those of 700 vertices."""
        known = {name: inputs[name] for name in ("n", "method", "k_final")}
        if inputs["pair"] == FILES:
            known |= {"x": LIKELY, "y": LIKELY}
        else:
            known["pair"] = inputs["pair"]
        return costs.of(shapes.correspondence_report, **known) or Cost(1.0)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the pair by its name, or the two meshes."""
        settings = {name: inputs[name] for name in ("method", "descriptors", "k", "k_final", "seed")}
        settings["mu"] = float(10.0 ** inputs["log_mu"])
        if inputs["marks"] is not None:
            settings["landmarks"] = inputs["marks"].contents()
        if inputs["pair"] == FILES:
            return {"x": inputs["file_x"].contents(), "y": inputs["file_y"].contents(), **settings}
        return {"pair": inputs["pair"], "n": inputs["n"], **settings}

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset | None:
        """Return the shipped result for the first pair."""
        if inputs["pair"] == FILES or inputs["marks"] is not None:
            return None
        return data.result_for("shapes/correspondences_first.nc", **self.arguments(inputs))

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; meshes of one's own are not in it."""
        known = dict(parameters)
        mu = known.get("mu")
        if isinstance(mu, (int, float)) and 1e-4 <= mu <= 1e4:
            known["log_mu"] = float(np.log10(mu))
        super()._adopt({name: value for name, value in known.items() if name not in ("marks", "landmarks")})

    # ---- what a hand does ------------------------------------------------------------------------------------------

    def move(self, _item: int, across: float, up: float) -> None:
        """Follow the vertex of Y that is nearest to where the diamond was dropped."""
        if self.result is not None and np.isfinite([across, up]).all():
            vertex = vertex_at(self.result, across + figures.APART, up)
            if vertex == self.probe:
                self._redraw()  # the diamond goes back to where the vertex is
            self.probe = vertex

    def take_x(self, name: str, content: bytes) -> None:
        """Use an uploaded mesh as X."""
        keep(self, "file_x", MeshFile, name, content, LARGEST_FILE)

    def take_y(self, name: str, content: bytes) -> None:
        """Use an uploaded mesh as Y."""
        keep(self, "file_y", MeshFile, name, content, LARGEST_FILE)

    def take_marks(self, name: str, content: bytes) -> None:
        """Use an uploaded table as landmarks."""
        keep(self, "marks", LandmarkFile, name, content, LARGEST_TABLE)

    def probed(self, ds: xr.Dataset) -> int:
        """Return the vertex that is followed; an address may name one that this mesh has not."""
        return min(self.probe, ds.sizes["vertex_y"] - 1)

    # ---- the page --------------------------------------------------------------------------------------------------

    def controls(self) -> list[Any]:
        """Return the widgets; the fields for files show when they are asked for."""
        own = pn.bind(lambda pair: pair == FILES, self.param.pair)
        fields = [
            file_field(self, f"file_{side}", f"Mesh {side.upper()}", ACCEPTED, take, visible=own)
            for side, take in (("x", self.take_x), ("y", self.take_y))
        ]
        fields.append(file_field(self, "marks", "Landmarks: vertices of X and Y", TABLES_ACCEPTED, self.take_marks))
        names = ("n", "method", "descriptors", "k", "k_final", "log_mu", "seed", "by_error")
        return [widget_for(self, "pair"), *fields, *(widget_for(self, name) for name in names)]

    def pictures(self) -> Sequence[Any]:
        """Return the surfaces, the flat view under the hand, the errors and the matrix."""
        return [
            SurfacePicture(self, "y"),
            SurfacePicture(self, "x"),
            DraggedMarks("The map, seen flat", self._plane, self._plane_in_words, self.move),
            Picture("Errors", figures.error_curves, _errors_in_words),
            Picture("The functional map", figures.map_matrix, _map_in_words),
        ]

    def _plane(self, ds: xr.Dataset) -> Any:
        return figures.matched_plane(ds, self.probed(ds))

    def _plane_in_words(self, ds: xr.Dataset) -> str:
        probe = self.probed(ds)
        text = f"Vertex {probe} of Y goes to vertex {int(ds.points[probe])} of X"
        error = float(ds.error[probe])
        if np.isfinite(error):
            text += f"; its true vertex is {int(ds.truth[probe])}, {100 * error:.2f} away (×100, area 1)"
        return f"{text}. Drag the diamond on Y."

    def sentence(self, ds: xr.Dataset) -> str:
        """Say how far the map is off, what its basis allows, and what becomes of triangles and area."""
        mean = float(ds["mean"])
        if np.isfinite(mean):
            text = (
                f"Mean geodesic error {100 * mean:.2f} (×100, area 1), median {100 * float(ds['median']):.2f}; the "
                f"best map that this basis allows has {100 * float(ds.floor):.2f}"
            )
            mirrored = float(ds.mean_mirrored)
            if np.isfinite(mirrored):
                text += f" (against the mirrored truth {100 * mirrored:.2f}: no eigenfunction tells the sides apart)"
        elif bool(ds.has_truth):
            text = "The map is there"
        else:
            text = "No truth is known of these surfaces; what is sure of the map"
        flipped = float(ds.flipped)
        folds = (
            f"{flipped:.1%} of the area is flipped, " if np.isfinite(flipped) else "the orientation is not consistent, "
        )
        text += (
            f"; {folds}{float(ds.collapsed):.0%} lies in triangles with two corners at one vertex, and images cover "
            f"{float(ds.coverage):.0%} of X."
        )
        return text


class SurfacePicture(pn.viewable.Viewer):
    """One of the surfaces, with the triangles around the followed point, or around its image, marked."""

    def __init__(self, view: CorrespondencesView, side: str) -> None:
        super().__init__()
        self._view, self._side = view, side
        self.viewer = PointCloud(height=HEIGHT)
        self._caption = pn.pane.HTML("", stylesheets=[CAPTION], sizing_mode="stretch_width")
        self._layout = pn.Column(self.viewer, self._caption, sizing_mode="stretch_width", min_width=200)

    def update(self, ds: xr.Dataset) -> None:
        """Show the mesh of ``ds`` with its colours."""
        by_error = self._view.by_error and bool(ds.has_truth)
        of_x, of_y = figures.surface_colours(ds, by_error=by_error)
        probe = self._view.probed(ds)
        is_y = self._side == "y"
        places = (ds.y if is_y else ds.x).values
        faces = (ds.faces_y if is_y else ds.faces_x).values
        name = self._side.upper()
        self.viewer.show(
            places,
            faces=faces,
            marked=faces_around(faces, probe if is_y else int(ds.points[probe])),
            colours=of_y if is_y else of_x,
            labels=[name],
            description=f"Surface {name}: {len(places)} vertices, {len(faces)} triangles",
            autoplay=False,
        )
        size = f"{name}: {len(places):,} vertices, {len(faces):,} triangles"
        if is_y:
            told = "dark where the map errs, darkest from 10 on" if by_error else "coloured as its images on X"
            self._caption.object = f"<p>{size}, {told}. Marked: around the followed point.</p>"
        else:
            self._caption.object = f"<p>{size}. Marked: around the image of the followed point.</p>"

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def _errors_in_words(ds: xr.Dataset) -> str:
    if not bool(ds.has_truth):
        return "Without a truth there are no errors; the map's triangles and its matrix say what is sure."
    if not np.isfinite(float(ds["mean"])):
        return "The errors are still to come."
    return (
        f"Descriptors alone err by {100 * float(ds.descriptor_mean):.2f} on average. True places lie "
        f"{100 * float(ds.quantisation):.2f} from the vertices that stand for them. Distances are about 0.5 % too long."
    )


def _map_in_words(ds: xr.Dataset) -> str:
    if not ds.c.size:
        return "This method has no functional map."
    text = (
        f"{ds.sizes['row']} × {ds.sizes['column']}: ‖CᵀC − I‖/√k = {float(ds.orthogonality):.2g} (0 where areas are "
        f"kept), ‖CΛ − ΛC‖/‖Λ‖ = {float(ds.commutation):.2g} (0 where lengths are)."
    )
    groups = ds.sizes["group"]
    if groups:
        text += (
            f" The spectra differ by {float(ds.spectra_apart):.1%}; {int(ds.ambiguous)} eigenfunctions in {groups} "
            "groups stand too near to each other for that, and may be mixed."
        )
    if np.isfinite(float(ds.marginal_error)):
        text += f" Sinkhorn's columns lack {float(ds.marginal_error):.1%} after its ten rounds."
    return text
