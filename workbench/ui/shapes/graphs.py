"""Graphs: a sample of a graph, the complex that it spans, its shadow, and what is proved of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
from workbench.shapes.shadow.files import DEFAULT_LIMIT, FORMATS, PlanarReading, read_bytes
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.dragged import DraggedMarks
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.upload import ReadUpload, file_field, keep
from workbench.ui.kit.view import View
from workbench.ui.kit.written import Written, in_letters, lists_of

FILE = "file"
CHOICES = {entry.label: name for name, entry in shapes.GRAPHS.items()} | {"Your own file …": FILE}
ACCEPTED = ",".join(f".{ending}" for ending in FORMATS)
PHASE = (5, 8)
BYTES_PER_ROW = 16
"""Of a table of points that nobody has read yet."""


def _in_letters(drawn: tuple) -> str:
    """Return a graph changed by hand as an address holds it: its name, then its vertices."""
    return f"{drawn[0]}~{in_letters(*drawn[1])}" if drawn else ""


def _from_letters(text: str) -> tuple:
    """Return what :func:`_in_letters` wrote; ``ValueError`` for another number of vertices or a crossing."""
    name, _, rest = text.partition("~")
    if name not in shapes.GRAPHS:
        raise ValueError(f"there is no graph {name[:30]!r}; there are {', '.join(shapes.GRAPHS)}")
    vertices = tuple(lists_of(rest))
    graph = shapes.planar_graph(name)
    if len(vertices) != len(graph.vertices) or any(len(vertex) != 2 for vertex in vertices):
        raise ValueError(f"the graph {name} has {len(graph.vertices)} vertices of two coordinates")
    made = shapes.Graph(vertices, graph.edges)
    for item, place in enumerate(vertices):  # no two nearer than a hand may drop them
        made.moved(item, place)
    return name, vertices


@dataclass(frozen=True)
class PlanarFile(ReadUpload):
    """An uploaded table of points, or a map of roads."""

    _sizes: list[tuple[int, bool]] = field(default_factory=list, init=False, repr=False, compare=False)

    def read(self, progress: Progress) -> tuple[PlanarReading, str]:
        """Read all of the file in a process apart."""
        reading = read_bytes(self.data, self.name, apart=True, progress=progress)
        self._sizes[:] = [(len(reading.points), reading.graph is not None)]
        return reading, reading.sentence

    def points(self, asked: int) -> int:
        """Return how many points it gives: its own, or ``asked`` of its roads; an estimate before it has been read."""
        count, is_map = self._sizes[0] if self._sizes else (len(self.data) // BYTES_PER_ROW, False)
        return max(count, asked) if is_map else count


class GraphsView(View):
    """A graph under the hand, a sample of it, and the shadow of the sample's complex with exact numbers."""

    title, slug = "Graphs", "graphs"
    help = (
        "Points of a graph nearer than β, along chains of hops shorter than ε, are joined; cliques are filled. The "
        "shadow is what that covers in the plane. Its pieces and holes are counted in exact arithmetic, and an apex at "
        "every cell proves that complex and shadow agree. Drag the vertices (◆), or bring points (CSV, GeoJSON)."
    )
    experiment = staticmethod(shapes.shadow_report)
    inputs = ("graph", "file", "n", "noise", "reach", "hop", "seed", "drawn")

    graph = param.Selector(default="isosceles", objects=CHOICES, label="Graph")
    file = param.ClassSelector(class_=PlanarFile, default=None, allow_None=True)
    n = param.Integer(default=60, bounds=(10, 1000), label="Points", doc="of the graph, or of the roads of a file")
    noise = param.Number(default=0.0, bounds=(0, 0.2), step=0.005, label="Noise", doc="the radius of the disc of error")
    reach = param.Number(default=0.38, bounds=(0.02, 0.8), step=0.01, label="β as a share of the extent")
    hop = param.Number(default=0.26, bounds=(0, 1), step=0.01, label="ε as a share of β", doc="0: Euclidean distances")
    seed = param.Integer(default=0, bounds=(0, 999), label="Seed", doc="of the noise")
    drawn = Written(
        default=(),
        write=_in_letters,
        read=_from_letters,
        label="the vertices dragged by hand",
        doc="the graph that was changed by hand, and its vertices",
    )

    # ---- what is asked ---------------------------------------------------------------------------------------------

    def check(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a missing file; what it holds is judged when it is read."""
        if inputs["graph"] == FILE and inputs["file"] is None:
            raise ValueError(f"Choose a file with points of the plane, or a map of roads ({ACCEPTED}).")

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Return the estimated time; that of a file by what is taken of it."""
        known = {name: inputs[name] for name in ("n", "reach")}
        if inputs["graph"] == FILE and inputs["file"] is not None:
            known["n"] = inputs["file"].points(inputs["n"])
        return costs.of(shapes.shadow_report, **known, phase=PHASE) or Cost(1.0)

    def arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the graph, as the hand has left it, or the points of the file."""
        settings = {name: inputs[name] for name in ("n", "noise", "reach", "hop", "seed")}
        if inputs["graph"] == FILE:
            reading = inputs["file"].contents()
            if reading.graph is None:
                return {"points": reading.points, **settings, "phase": PHASE}
            settings["n"] = max(inputs["n"], len(reading.points))
            return {"graph": reading.graph, **settings, "phase": PHASE}
        return {"graph": self.standing(inputs), **settings, "phase": PHASE}

    def standing(self, inputs: Mapping[str, Any]) -> Any:
        """Return the name of the graph, or the graph that the hand has made of it."""
        name, drawn = inputs["graph"], inputs["drawn"]
        if not drawn or drawn[0] != name:
            return name
        return shapes.Graph(drawn[1], shapes.planar_graph(name).edges)

    def _adopt(self, parameters: Mapping[str, Any]) -> None:
        """Take the parameters of a shown result; a graph drawn by hand cannot be told from its name."""
        super()._adopt({name: value for name, value in parameters.items() if name not in ("points", "file", "drawn")})

    # ---- what a hand does ------------------------------------------------------------------------------------------

    def move(self, item: int, x: float, y: float) -> None:
        """Take a vertex from the visitor's hand."""
        if self.graph == FILE or not (np.isfinite(x) and np.isfinite(y)):
            return
        graph = self.standing(self.values())
        graph = shapes.planar_graph(graph) if isinstance(graph, str) else graph
        try:
            graph = graph.moved(item, (round(float(x), 3), round(float(y), 3)))
        except ValueError as error:
            self.complaint = str(error)
        else:
            self.drawn = (self.graph, tuple(map(tuple, graph.vertices.tolist())))

    def reset(self) -> None:
        """Take back everything that the hand has done."""
        self.drawn = ()

    def take_file(self, name: str, data: bytes) -> None:
        """Use an uploaded file."""
        keep(self, "file", PlanarFile, name, data, DEFAULT_LIMIT)

    # ---- the page --------------------------------------------------------------------------------------------------

    def controls(self) -> list[Any]:
        """Return the widgets; the field for a file shows when it is asked for."""
        is_file = pn.bind(lambda graph: graph == FILE, self.param.graph)
        upload = file_field(self, "file", "CSV, TSV or GeoJSON", ACCEPTED, self.take_file, visible=is_file)
        button = pmui.Button(label="Take all back", variant="outlined", size="small", sizing_mode="stretch_width")
        button.on_click(lambda _: self.reset())
        shown = [widget_for(self, name) for name in ("n", "noise", "reach", "hop", "seed")]
        return [widget_for(self, "graph"), upload, *shown, button]

    def pictures(self) -> Sequence[Any]:
        """Return the sample under the hand, the shadow, and the map of the scales."""
        return [
            DraggedMarks("The sample", figures.sampled_complex, _sample_in_words, self.move),
            Picture("The shadow", figures.shadow_holes, _shadow_in_words, height=430),
            Picture("The scales", figures.shadow_scales_map, _scales_in_words),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """Say what the shadow is, whether the complex agrees, and what the theorem promises."""
        pieces, holes = ds.betti_shadow.values.tolist()
        cells, failing = int(ds.cells), int(ds.failing)
        text = f"The shadow has {_count(pieces, 'piece')} and {_count(holes, 'hole')} (exact)"
        truth = ds.truth.values.tolist()
        if truth[0] >= 0:
            same = truth == [pieces, holes]
            text += ", as the graph" if same else f"; the graph has {truth[0]} and {truth[1]}"
        if bool(ds.proved):
            text += f". The complex is equivalent to it: proved, an apex at all {cells:,} cells."
        elif failing < 0:
            text += f". {cells:,} cells are too many to prove that the complex is equivalent to it."
        else:
            text += f". That the complex is equivalent to it is not proved: no apex at {failing:,} of {cells:,} cells."
        euclidean = ds.betti_euclidean.values
        if float(ds.epsilon_now) and euclidean[1] != holes and euclidean[1] >= 0:
            text += f" Euclidean distances at this β would leave {_count(int(euclidean[1]), 'hole')}."
        limit = float(ds.beta_limit)
        if np.isfinite(limit):
            text += (
                f" The theorem asks for β ≤ {limit:.2g} and {float(ds.points_needed):,.0f} points; here β = "
                f"{float(ds.beta_now):.2g} with {ds.sizes['number']}."
            )
        return text


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _sample_in_words(ds: xr.Dataset) -> str:
    merged = f" {int(ds.merged)} coincident points are left out." if int(ds.merged) else ""
    betti = ds.betti_complex.values.tolist()
    told = f"Betti numbers {tuple(betti)}" if betti[0] >= 0 else "too large to count its Betti numbers"
    unusual = int(np.count_nonzero(~np.isin(ds.point_degree.values, (2, -1))))
    return (
        f"{ds.sizes['number']} points, {_count(int(ds.edges), 'edge')}: {told}. Orange: {_count(unusual, 'point')} "
        f"with another number of ways on than two.{merged}"
    )


def _shadow_in_words(ds: xr.Dataset) -> str:
    exact = int(ds.exact_decisions)
    return (
        f"{int(ds.crossings):,} crossings, arranged exactly; {_count(exact, 'decision')} too close for floats went to "
        f"integers. Orange: cells without an apex.{_apart_in_words(ds)}"
    )


def _apart_in_words(ds: xr.Dataset) -> str:
    """Say how far shadow and graph are apart; nothing where there is no graph, or the shadow is too large."""
    if "hausdorff_high" not in ds or not np.isfinite(float(ds.hausdorff_high)):
        return ""
    low, high, promised = (float(ds[f"hausdorff_{name}"]) for name in ("low", "high", "promised"))
    return (
        f" Shadow and graph are {low:.3g} to {high:.3g} apart (Hausdorff); in its window the theorem promises less "
        f"than β + ξε/2 = {promised:.3g}."
    )


def _scales_in_words(ds: xr.Dataset) -> str:
    text = f"The diamond stands at β = {float(ds.beta_now):.3g}, ε = {float(ds.epsilon_now):.3g}."
    if np.isfinite(allowed := float(ds.distortion_limit)) and not np.isnan(bound := float(ds.distortion)):
        known = f"at most {bound:.3g}" if np.isfinite(bound) else "not bounded: ε is too large for its corners"
        text += f" The graph's distortion here is {known}; the theorem for complexes allows {allowed:.3g}."
    if np.isfinite(float(ds.beta_limit)):
        text += " Dashed: the window of the theorem for shadows; dotted: of that for complexes."
        right = (ds.holes_shadow == ds.truth[1]).any("share").values
        if right.any():
            text += f" The shadow has the graph's holes up to β = {float(ds.beta.values[right].max()):.3g} on this map."
    return text
