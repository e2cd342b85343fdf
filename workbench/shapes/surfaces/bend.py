"""A surface bent by hand: every drag a composition of proved diffeomorphisms, what it carries counted and measured."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.progress import Progress
from workbench.shapes.meshes import Surface, as_surface
from workbench.shapes.surfaces.crossings import find_crossings
from workbench.shapes.surfaces.deform import LIMIT, exact_sw1, frame_of, framed, numbered
from workbench.shapes.surfaces.distances import surface_errors
from workbench.shapes.surfaces.losses import LOSSES
from workbench.shapes.surfaces.measures import proper
from workbench.shapes.surfaces.report import defects_in_words, surface_report

MOST_BENT = 20_000
MOST_DRAGS, MOST_MAPS = 60, 600
FARTHEST = 4.0
"""A drag may go as many half-sizes of the surface."""
HANDLES = 40
ORIENTATION = 0.1
Floats = NDArray[np.float64]
Drag = tuple[int, float, float, float]


def handles_of(mesh: Surface, count: int = HANDLES) -> NDArray[np.int64]:
    """Return vertices spread over the mesh, (count,): the one nearest to its centroid, then always the farthest.

    >>> from workbench.shapes.meshes import sheet
    >>> handles_of(sheet(9), 5).tolist()  # the middle, then the corners
    [4, 0, 2, 6, 8]
    """
    used = np.unique(mesh.faces)
    places = mesh.vertices[used]
    chosen = [int(np.argmin(np.linalg.norm(places - mesh.centroid, axis=1)))]
    away = np.linalg.norm(places - places[chosen[0]], axis=1)
    for _ in range(min(count, len(used)) - 1):
        farthest = int(np.argmax(away > away.max() * (1 - 1e-9)))
        chosen.append(farthest)
        away = np.minimum(away, np.linalg.norm(places - places[farthest], axis=1))
    return used[chosen]


def dragged(places: Floats, drags: Sequence[Drag], width: float) -> tuple[Floats, Floats, list[int]]:
    """Return the places (n, 3) after all drags, ρ of each map (K,), and how many maps each drag takes.

    A drag of vertex i by d is the map x ↦ x + d exp(−|x − c|²/2w²) around its place c; one with ρ = |d|/(w√e) > 0.9 is
    cut into equal parts, each around where the vertex has come to. The vertex ends where it was dragged to.
    """
    now, rho, counts = places.copy(), [], []
    for vertex, *shift in drags:
        whole = float(np.linalg.norm(shift)) / (width * math.sqrt(math.e))
        count = max(1, math.ceil(whole / LIMIT))
        part = np.array(shift) / count
        for _ in range(count):
            away = ((now - now[vertex]) ** 2).sum(axis=1)
            now = now + part * np.exp(-away / (2 * width**2))[:, None]
        rho += [whole / count] * count
        counts.append(count)
    return now, np.array(rho), counts


@results.experiment
def bend_surface(
    source: Surface | str = "walnut",
    target: Surface | str | None = "walnut-outer",
    drags: Sequence[Drag] = (),
    width: float = 0.4,
    *,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Bend a surface by drags of its vertices, and say what is proved of the map and what it carries.

    ``drags`` are (vertex, dx, dy, dz), one after the other, in the unit of the vertices; ``width`` w is that of the
    bump x + d exp(−|x − c|²/2w²) in half-sizes of the source. Each has ρ = |d|/(w√e) < 1, being cut into parts where it
    must be, and a determinant 1 + d·∇exp(…) between 1 − ρ and 1 + ρ. ``target`` is what is compared with; None: the
    source as it was.

    Returns ``vertices`` (when, vertex, axis) before and after, ``faces``, those of the target, ``rho`` (map) with
    ``det_low`` and ``det_high``, ``handle`` the vertices that a page offers, and over ``when`` ``assd``, ``hd90``,
    ``hd``, ``vertex_error``, ``sw1`` (exact), ``crossings``, ``folded`` (exact), and ``value`` (loss, when) of all
    ``LOSSES`` in half-sizes of both, with one seed (NaN for a varifold of faces that are wound against each other).

    Raises ``ValueError`` for meshes over 20,000 vertices or without area, more than 60 drags, vertices that are not
    there, and drags over 4 half-sizes. Cost: 0.1 s for 642 vertices.

    >>> ds = bend_surface("two-sheets", None, [(840, 0, 0, 0.3)], width=1 / 3.46)
    >>> bool(ds.rho.max() < 0.2), int(ds.crossings[0]), bool(ds.crossings[1] > 100)
    (True, 0, True)
    """
    progress = progress or Progress()
    mesh = proper(as_surface(source))
    fixed = mesh if target is None else proper(as_surface(target))
    for one in (mesh, fixed):
        checks.integer(f"the vertices of {one.name}", len(one.vertices), maximum=MOST_BENT)
    half = mesh.extent / 2
    scale = checks.real("width", width, minimum=0.02, maximum=4) * half
    pulled = _checked(mesh, drags, half, scale)
    moved, rho, counts = dragged(mesh.vertices, pulled, scale)
    both = (mesh, mesh.moved_to(moved))
    centre, size = frame_of(mesh, fixed)
    goal = framed(fixed, centre, size)
    found, values = [], np.full((len(LOSSES), 2), np.nan)
    for when, one in enumerate(both):
        progress.update(when, 2, "measuring")
        found.append((surface_errors(one, fixed), exact_sw1(one, fixed), find_crossings(one)))
        for k, name in enumerate(LOSSES):
            values[k, when] = _loss(name, framed(one, centre, size), goal)
    progress.update(2, 2, "done")
    errors, sw1, crossings = zip(*found, strict=True)
    along = ("when",)
    variables: dict[str, tuple[Any, ...]] = {
        "vertices": (("when", "vertex", "axis"), np.stack([one.vertices for one in both]), "vertices"),
        "faces": (("face", "corner"), mesh.faces, "faces"),
        "target_vertices": (("target_vertex", "axis"), fixed.vertices, "vertices of the target"),
        "target_faces": (("target_face", "corner"), fixed.faces, "faces of the target"),
        "handle": (("number",), handles_of(mesh), "vertices to take hold of"),
        "maps": (("drag",), np.array(counts, dtype=np.int64), "maps that each drag is made of"),
        "rho": (("map",), rho, "Lipschitz constant of each map's displacement"),
        "det_low": ((), float(np.prod(1 - rho)), "proved lower bound on the determinant"),
        "det_high": ((), float(np.prod(1 + rho)), "proved upper bound on the determinant"),
        "assd": (along, [e.assd for e in errors], "mean distance between the surfaces (ASSD)"),
        "hd90": (along, [e.hd90 for e in errors], "90 % of the vertices are nearer (HD90)"),
        "hd": (along, [e.hd for e in errors], "Hausdorff distance of the vertices"),
        "vertex_error": (along, [e.vertex for e in errors], "mean distance to the true partner"),
        "sw1": (along, list(sw1), "sliced W₁ of the surfaces (exact)"),
        "crossings": (along, [len(c.pairs) for c in crossings], "crossing pairs of faces (exact)"),
        "folded": (along, [len(c.folded) for c in crossings], "neighbours folded onto each other (exact)"),
        "crossing_faces": (("pair", "end"), crossings[1].pairs[:10_000], "crossing faces after the drags"),
        "value": (("loss", "when"), values, "losses in half-sizes of both"),
    }
    coordinates = numbered(variables)
    coordinates["when"] = (along, ["before", "after"], "before and after the drags")
    coordinates["loss"] = (("loss",), list(LOSSES), "loss")
    report = surface_report(mesh, crossings=False)
    variables["open"] = ((), not bool(report.closed), "the surface has a border")
    return results.dataset(variables, coordinates, {"source_told": defects_in_words(report), "half": half})


def _checked(mesh: Surface, drags: Sequence[Drag], half: float, scale: float) -> list[Drag]:
    """Return the drags as numbers; refuse what is none, names no vertex, goes too far or takes too many maps."""
    if len(drags) > MOST_DRAGS:
        raise ValueError(f"{len(drags)} drags were given; up to {MOST_DRAGS} are taken: take some back")
    found: list[Drag] = []
    for number, drag in enumerate(drags):
        numbers = checks.finite_array(f"drag {number}", drag, ndim=1)
        if numbers.shape != (4,):
            raise ValueError(f"drag {number} must be (vertex, dx, dy, dz), got {len(numbers)} numbers")
        vertex, *shift = numbers.tolist()
        if vertex != int(vertex) or not 0 <= vertex < len(mesh.vertices):
            raise ValueError(f"drag {number} names vertex {vertex:g}; there are 0 to {len(mesh.vertices) - 1}")
        if math.hypot(*shift) > FARTHEST * half:
            raise ValueError(
                f"drag {number} goes {math.hypot(*shift):.3g}, over {FARTHEST:g} half-sizes ({FARTHEST * half:.3g}); "
                "drag in smaller parts"
            )
        found.append((int(vertex), shift[0], shift[1], shift[2]))
    total = sum(max(1, math.ceil(math.hypot(*shift) / (scale * math.sqrt(math.e) * LIMIT))) for _, *shift in found)
    if total > MOST_MAPS:
        raise ValueError(f"these drags take {total} maps at this width; up to {MOST_MAPS} are made: widen the bump")
    return found


def _loss(name: str, mesh: Surface, goal: Surface) -> float:
    """Return a loss with the seed 0; NaN where it refuses the meshes."""
    try:
        return LOSSES[name](goal, ORIENTATION)(mesh, np.random.default_rng(0))[0]
    except ValueError:
        return math.nan
