"""The experiments on one sample: its complex, its shadow and what is proved of them, over the scales."""

import contextlib
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.progress import Progress
from workbench.shapes.shadow.complexes import sample
from workbench.shapes.shadow.constants import LARGEST_XI, MOST_EDGES, graph_constants
from workbench.shapes.shadow.distortion import distortion_bound
from workbench.shapes.shadow.graphs import Graph, planar_graph, sample_graph
from workbench.shapes.shadow.hausdorff import hausdorff_distance
from workbench.shapes.shadow.reconstruct import MOST_POINTS, reconstruct_graph
from workbench.shapes.shadow.shadows import Shadow, rips_shadow

DRAWN_EDGES = 4_000
PHASE_EDGES = 900
"""Edges up to which the phase diagram computes a shadow."""
HAUSDORFF, HAUSDORFF_WORK = 0.02, 1_000_000
"""How near to each other the bounds of the Hausdorff distance come, in β, and how many pairs are looked at for it."""
XI = 1 / 12
UNKNOWN = -1
Floats = NDArray[np.float64]


@results.experiment
def shadow_report(
    graph: Graph | str = "theta",
    points: ArrayLike | None = None,
    *,
    n: int = 80,
    noise: float = 0.0,
    reach: float = 0.25,
    hop: float = 0.45,
    seed: int = 0,
    phase: tuple[int, int] = (5, 8),
    progress: Progress | None = None,
) -> xr.Dataset:
    """Rebuild a graph of the plane from a sample: complex, shadow, holes, the apex certificate, and a phase diagram.

    ``graph`` is a name (``GRAPHS``) or a :class:`Graph`, of which ``n`` points are taken, moved by at most ``noise``;
    ``points`` (n, 2) are a sample of one's own, and there is no graph then. ``reach`` is β as a share of the sample's
    extent (the longer side of its box), ``hop`` is ε as a share of β; ``hop`` 0 takes Euclidean distances.

    Returns ``betti_complex`` (b₀, b₁, b₂; −1 where too much is left to count), ``betti_euclidean`` of the complex of
    Euclidean distances at the same β, ``betti_shadow`` (exact), ``cells``, ``failing`` and ``proved`` of the apex
    certificate, the sample with its degree statistic, up to 4,000 ``edge`` s to draw, ``outline`` s of pieces and
    holes, and over (``beta``, ``epsilon``) the holes of complex and shadow (−1: not computed). Of a graph, ``truth``,
    the limits of the third theorem (:func:`graph_constants`) and of the first (``first_limit``, ``first_share``; at
    ξ = 0.249), the bound of the large-scale ``distortion`` at these scales (NaN: Euclidean distances) beside the
    ``distortion_limit`` of the first, and the Hausdorff distance of shadow and graph between
    ``hausdorff_low`` and ``hausdorff_high`` (NaN: too large) beside what the theorem promises in its window.

    Raises ``ValueError`` for a sample beyond limits. Cost: see :func:`rips_shadow`, for each entry of the diagram.
    The paper: arXiv 2506.01603.

    >>> ds = shadow_report("square", n=40, phase=(0, 0))
    >>> ds.betti_shadow.values.tolist(), bool(ds.proved), int(ds.truth[1])
    ([1, 1], True, 1)
    """
    progress = progress or Progress()
    reach = checks.real("reach", reach, exclusive_minimum=0, maximum=2)
    hop = checks.real("hop", hop, minimum=0, maximum=1)
    rows, columns = (checks.integer("phase", value, minimum=0, maximum=40) for value in phase)
    given = None
    if points is None:
        given = planar_graph(graph) if isinstance(graph, str) else graph
        points = sample_graph(given, n, noise, seed)
    points = sample("points", points)
    if points.shape[1] != 2 or len(points) < 3:
        raise ValueError(f"give at least 3 points of the plane, (n, 2), got shape {points.shape}")
    extent = float(np.ptp(points, axis=0).max())
    if extent == 0:
        raise ValueError("all points are at one place; give a sample with an extent")
    beta = reach * extent
    epsilon = hop * beta if hop else None
    shadow = rips_shadow(points, beta, epsilon=epsilon)
    found = _found(shadow)
    variables = {**found, **_of_graph(given), **_drawn(shadow, known=found["failing"][1] >= 0)}
    variables |= _apart(shadow, given)
    bound = distortion_bound(given, beta, epsilon) if given is not None and epsilon else np.nan
    variables |= {
        "beta_now": ((), beta, "β"),
        "epsilon_now": ((), epsilon or 0.0, "ε (0: Euclidean distances)"),
        "extent": ((), extent, "extent of the sample"),
        "distortion": ((), bound, "large-scale distortion of the graph, at most"),
    }
    betas = extent * np.linspace(0.08, 0.5, columns)
    shares = np.linspace(0.15, 1.0, rows)
    table = np.full((2, rows, columns), UNKNOWN, dtype=np.int64)

    def made() -> xr.Dataset:
        layers = {
            f"holes_{name}": (("share", "beta"), table[k].copy(), f"holes of the {name}")
            for k, name in enumerate(("complex", "shadow"))
        }
        axes = {"beta": (("beta",), betas, "β"), "share": (("share",), shares, "ε / β")}
        return numbered({**variables, **layers}, axes)

    if rows * columns:
        progress.publish(results.unfinished(made(), "the phase diagram"))
        _fill_phase(points, betas, shares, table, progress)
    return made()


@results.experiment
def shadow_phase(
    points: ArrayLike,
    epsilons: Sequence[float],
    betas: Sequence[float],
    graph: Graph | str | None = None,
    *,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute the Betti numbers of complex and shadow over all pairs of scales.

    Returns over (``epsilon``, ``beta``) ``holes_complex``, ``holes_shadow``, ``pieces``, and ``proved``, whether the
    apex certificate holds (−1 in each: beyond 900 edges, not computed). With a graph, ``truth`` and the third theorem's
    limits. Raises ``ValueError`` for scales that are not positive. Cost: up to 0.2 s for each pair.

    >>> ds = shadow_phase(sample_graph("square", 40), [0.25], [0.3, 0.4], "square")
    >>> ds.holes_shadow.values.tolist(), ds.proved.values.tolist(), int(ds.truth[1])
    ([[1, 1]], [[1, 1]], 1)
    """
    progress = progress or Progress()
    points = sample("points", points)
    scales = {
        name: checks.finite_array(name, values, ndim=1) for name, values in (("epsilons", epsilons), ("betas", betas))
    }
    for name, values in scales.items():
        checks.real(f"the smallest of {name}", values.min(), exclusive_minimum=0)
        checks.integer(f"the number of {name}", len(values), maximum=100)
    given = planar_graph(graph) if isinstance(graph, str) else graph
    shape = (len(scales["epsilons"]), len(scales["betas"]))
    names = ("holes_complex", "holes_shadow", "pieces", "proved")
    table = {name: np.full(shape, UNKNOWN, dtype=np.int64) for name in names}
    for i, epsilon in enumerate(scales["epsilons"]):
        for j, beta in enumerate(scales["betas"]):
            shadow = rips_shadow(points, beta, epsilon=epsilon)
            table["holes_complex"][i, j] = betti_or_unknown(shadow)[1]
            if len(shadow.edges) <= PHASE_EDGES:
                table["pieces"][i, j], table["holes_shadow"][i, j] = shadow.betti_shadow
                table["proved"][i, j] = shadow.apex.proved
            progress.update(i * shape[1] + j + 1, shape[0] * shape[1])
    axes = {
        "epsilon": (("epsilon",), scales["epsilons"], "ε"),
        "beta": (("beta",), scales["betas"], "β"),
    }
    words = {
        "holes_complex": "holes of the complex",
        "holes_shadow": "holes of the shadow",
        "pieces": "pieces of the shadow",
        "proved": "apex certificate holds",
    }
    found = {name: (("epsilon", "beta"), table[name], words[name]) for name in names}
    return numbered({**found, **_of_graph(given)}, axes)


NUMBERS = {
    "degree": "degree of the Betti number",
    "shadow_degree": "degree of the Betti number",
    "number": "number of the point",
    "axis": "coordinate: 0 across, 1 up",
    "drawn": "number of the drawn edge",
    "four": "both ends",
    "corner": "number of the corner",
    "cell": "number of the cell",
    "vertex_number": "number of the vertex",
    "edge_number": "number of the edge",
    "end": "end of the edge",
}


def numbered(variables: Mapping[str, tuple], axes: Mapping[str, tuple]) -> xr.Dataset:
    """Return a Dataset in which the dimensions without values of their own are numbered."""
    sizes: dict[str, int] = {}
    for dims, values, *_ in variables.values():
        sizes.update(zip(dims, np.shape(values), strict=True))
    more = {dim: ((dim,), np.arange(size), NUMBERS[dim]) for dim, size in sizes.items() if dim not in axes}
    return results.dataset(variables, {**more, **axes})


def betti_or_unknown(shadow: Shadow) -> tuple[int, int, int]:
    """Return the Betti numbers of the complex, −1 where too much of it is left after collapsing."""
    try:
        return shadow.betti_complex
    except ValueError:
        return UNKNOWN, UNKNOWN, UNKNOWN


def _fill_phase(points: Floats, betas: Floats, shares: Floats, table: NDArray[np.int64], progress: Progress) -> None:
    for k in np.ndindex(table.shape[1:]):
        shadow = rips_shadow(points, betas[k[1]], epsilon=shares[k[0]] * betas[k[1]])
        table[(0, *k)] = betti_or_unknown(shadow)[1]
        if len(shadow.edges) <= PHASE_EDGES:
            table[(1, *k)] = shadow.betti_shadow[1]
        progress.update(k[0] * len(betas) + k[1] + 1, len(betas) * len(shares))


def _found(shadow: Shadow) -> dict[str, tuple]:
    cells, failing, exact = _certificate(shadow)
    euclidean = rips_shadow(shadow.points, shadow.beta)
    return {
        "betti_complex": (("degree",), np.array(betti_or_unknown(shadow)), "Betti numbers of the complex"),
        "betti_euclidean": (("degree",), np.array(betti_or_unknown(euclidean)), "Betti numbers, Euclidean distances"),
        "betti_shadow": (("shadow_degree",), np.array(shadow.betti_shadow), "Betti numbers of the shadow"),
        "cells": ((), cells, "cells of the arrangement"),
        "failing": ((), failing, "cells without an apex (−1: too many to look)"),
        "proved": ((), failing == 0, "complex and shadow have one homotopy type: proved"),
        "edges": ((), len(shadow.edges), "edges of the complex"),
        "crossings": ((), shadow.arrangement.crossings, "crossings of the edges"),
        "exact_decisions": ((), shadow.arrangement.exact_decisions + exact, "decisions left to integers"),
        "merged": ((), shadow.merged, "coincident points left out"),
    }


def _certificate(shadow: Shadow) -> tuple[int, int, int]:
    """Return cells, cells without an apex (−1: beyond the certificate's limits) and decisions left to integers."""
    cells = shadow.arrangement.nodes
    try:
        return cells, shadow.apex.failing.size, shadow.apex.exact
    except ValueError:
        return cells, UNKNOWN, 0


def _of_graph(graph: Graph | None) -> dict[str, tuple]:
    """Return what is known of the graph itself; NaN and −1 where there is none."""
    truth = np.array(graph.betti if graph is not None else (UNKNOWN, UNKNOWN))
    limits = dict.fromkeys(("beta_limit", "epsilon_share", "points_needed", "systole"), np.nan)
    first = dict.fromkeys(("beta_limit", "epsilon_share", "distortion_limit"), np.nan)
    if graph is not None and len(graph.edges) <= MOST_EDGES:
        constants = graph_constants(graph)
        third = constants.sel(theorem="T3")
        limits = {name: float(third[name]) for name in limits}
        widest = graph_constants(graph, LARGEST_XI).sel(theorem="T1")
        first = {name: float(widest[name]) for name in first}
    vertices = graph.vertices if graph is not None else np.empty((0, 2))
    edges = graph.edges if graph is not None else np.empty((0, 2), dtype=np.int64)
    return {
        "truth": (("shadow_degree",), truth, "Betti numbers of the graph"),
        "beta_limit": ((), limits["beta_limit"], "largest β that the third theorem allows"),
        "epsilon_share": ((), limits["epsilon_share"], "largest ε/β that the third theorem allows"),
        "points_needed": ((), limits["points_needed"], "points that the third theorem needs"),
        "systole": ((), limits["systole"], "shortest cycle of the graph"),
        "first_limit": ((), first["beta_limit"], "largest β that the first theorem allows"),
        "first_share": ((), first["epsilon_share"], "largest ε/β that the first theorem allows"),
        "distortion_limit": ((), first["distortion_limit"], "largest distortion that the first theorem allows"),
        "vertex": (("vertex_number", "axis"), vertices, "vertices of the graph"),
        "graph_edge": (("edge_number", "end"), edges, "edges of the graph"),
    }


def _apart(shadow: Shadow, graph: Graph | None) -> dict[str, tuple]:
    """Return the Hausdorff distance of shadow and graph, and what the third theorem promises; NaN where not known."""
    low = high = promised = np.nan
    if graph is not None:
        promised = shadow.beta + XI / 2 * (shadow.epsilon or 0.0)
        with contextlib.suppress(ValueError):  # more triangles than are looked at
            found = hausdorff_distance(shadow, graph, tolerance=HAUSDORFF, work=HAUSDORFF_WORK)
            low, high = found.lower, found.upper
    return {
        "hausdorff_low": ((), low, "Hausdorff distance of shadow and graph, at least"),
        "hausdorff_high": ((), high, "Hausdorff distance of shadow and graph, at most"),
        "hausdorff_promised": ((), promised, "β + ξε/2, which the third theorem promises to be more"),
    }


def _drawn(shadow: Shadow, *, known: bool) -> dict[str, tuple]:
    """Return what the pictures need: points with their degree, edges, outlines of pieces and holes, failing cells."""
    step = max(1, -(-len(shadow.edges) // DRAWN_EDGES))
    degree = np.full(len(shadow.points), UNKNOWN)
    if shadow.epsilon is not None and len(shadow.points) <= MOST_POINTS:
        with contextlib.suppress(ValueError):  # no arc: the statistic says nothing at these scales
            degree = reconstruct_graph(shadow.points, shadow.beta, shadow.epsilon).degree
    outlines = [*((0, piece) for piece in shadow.outlines), *((1 + k, hole) for k, hole in enumerate(shadow.holes))]
    names = np.concatenate([np.full(len(places), k) for k, places in outlines]) if outlines else np.empty(0, np.int64)
    parts = np.concatenate([np.full(len(places), k) for k, (_, places) in enumerate(outlines)]) if outlines else names
    places = np.concatenate([places for _, places in outlines]) if outlines else np.empty((0, 2))
    return {
        "point": (("number", "axis"), shadow.points, "sample"),
        "point_degree": (("number",), degree, "ways on from each point (−1: not computed)"),
        "edge": (("drawn", "four"), shadow.points[shadow.edges[::step]].reshape(-1, 4), "drawn edges x₀, y₀, x₁, y₁"),
        "outline": (("corner", "axis"), places, "outlines of pieces and holes"),
        "hole": (("corner",), names, "number of the hole (0: a piece)"),
        "part": (("corner",), parts, "number of the outline"),
        "failing_cell": (("cell", "axis"), shadow.failing if known else np.empty((0, 2)), "cells without an apex"),
    }
