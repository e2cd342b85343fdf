"""What the theorems ask of a graph: sharpest angle, systole, shortest edge, shadow radius, and the scales allowed."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from workbench import checks, results
from workbench.shapes.shadow.distortion import distortion_bound, largest_share
from workbench.shapes.shadow.graphs import Graph, planar_graph

Floats = NDArray[np.float64]
ALONG = 1001
"""Places along an edge at which the shadow radius is looked for, before it is refined."""
MOST_EDGES = 60
LARGEST_XI = 0.249
"""Of the first theorem, which asks for less than 1/4; its window is widest there."""


@results.experiment
def graph_constants(graph: Graph | str, xi: float = 1 / 12) -> xr.Dataset:
    """Compute what the reconstruction theorems ask of a graph with straight edges, and the scales that they allow.

    Returns ``angle`` (the sharpest, degrees), ``Theta`` = max{½, cos²(θ/2)}, ``s`` = √(1 − Θ), ``systole`` ℓ and
    ``shortest_edge`` λ, ``shadow_radius`` Δ_ξ (∞: the corner's own factor 1/s allows every pair), and per ``theorem``
    ``beta_limit``, ``epsilon_share`` (the bound of ε as a share of β) and ``points_needed``: the evenly spaced points
    on the graph that meet d_H < ξε/2 at the largest β and ε. The first two theorems also ask that the large-scale
    distortion be at most ``distortion_limit`` = (1 + 2ξ)/(1 + ξ): ε is cut until :func:`distortion_bound` proves that,
    and ``distortion`` is what it is bounded by there.

    * T1 (abstract complex): β < ℓ/4, ε ≤ β/3, ξ < 1/4. T2 (planar shadow): ξ < (1 − Θ)/6, β < min{Δ, ℓ/12},
      ε ≤ (1 − Θ)(1 − Θ − 6ξ)β/12; its constants as the author quotes them, not read in the paper's text.
    * T3 (announced by the author for polygonal graphs): ξ ≤ 1/12, 3β ≤ Δ_ξ, 5β ≤ sλ, ε < 2sβ/5.

    Raises ``ValueError`` for more than 60 edges. Cost: E² ms. The paper: arXiv 2506.01603.

    >>> ds = graph_constants("square")
    >>> round(float(ds.s), 4), float(ds.systole), round(float(ds.beta_limit.sel(theorem="T3")), 4)
    (0.7071, 4.0, 0.1414)
    """
    graph = planar_graph(graph) if isinstance(graph, str) else graph
    xi = checks.real("xi", xi, exclusive_minimum=0, maximum=0.25)
    if len(graph.edges) > MOST_EDGES:
        raise ValueError(f"the graph has {len(graph.edges)} edges; constants are computed for at most {MOST_EDGES}")
    angle = sharpest_angle(graph)
    big = max(0.5, np.cos(angle / 2) ** 2)
    s = np.sqrt(1 - big)
    girth, shortest = systole(graph), float(graph.lengths.min())
    radius = shadow_radius(graph, (1 + xi) / s)
    total = float(graph.lengths.sum())
    windows = {
        "T1": (girth / 4, 1 / 3),
        "T2": (min(radius, girth / 12), (1 - big) * (1 - big - 6 * xi) / 12 if 6 * xi < 1 - big else 0.0),
        "T3": (min(radius / 3, s * shortest / 5), 2 * s / 5 if xi <= 1 / 12 else 0.0),
    }
    limit = (1 + 2 * xi) / (1 + xi)
    for name in ("T1", "T2"):
        most, share = windows[name]
        windows[name] = most, largest_share(graph, most, limit, share) if share > 0 and np.isfinite(most) else share
    beta, share = (np.array([row[k] for row in windows.values()]) for k in range(2))
    bounds = [
        distortion_bound(graph, b, e * b) if e > 0 and np.isfinite(b) else np.nan
        for b, e in zip(beta, share, strict=True)
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(share > 0, np.ceil(total / (xi * share * beta)), np.inf)
    return results.dataset(
        {
            "angle": ((), np.degrees(angle), "sharpest angle", "degree"),
            "Theta": ((), big, "Θ"),
            "s": ((), s, "s = √(1 − Θ)"),
            "systole": ((), girth, "shortest cycle ℓ"),
            "shortest_edge": ((), shortest, "shortest edge λ"),
            "shadow_radius": ((), radius, "shadow radius Δ"),
            "total_length": ((), total, "length of the graph"),
            "xi": ((), xi, "ξ"),
            "distortion_limit": ((), limit, "largest distortion that the first two theorems allow"),
            "distortion": (("theorem",), np.array(bounds), "the distortion at the largest scales is at most this"),
            "beta_limit": (("theorem",), beta, "largest β allowed"),
            "epsilon_share": (("theorem",), share, "largest ε / β allowed"),
            "points_needed": (("theorem",), needed, "points needed at the largest scales"),
        },
        {"theorem": (("theorem",), list(windows), "theorem")},
    )


def sharpest_angle(graph: Graph) -> float:
    """Return the smallest angle (radians) between two edges with a common vertex, π if there is none."""
    least = np.pi
    for v in range(len(graph.vertices)):
        ends = [int(j if i == v else i) for i, j in graph.edges if v in (i, j)]
        ways = graph.vertices[ends] - graph.vertices[v]
        for a in range(len(ways)):
            for b in range(a):
                far = np.linalg.norm(ways[a] / np.linalg.norm(ways[a]) - ways[b] / np.linalg.norm(ways[b]))
                near = np.linalg.norm(ways[a] / np.linalg.norm(ways[a]) + ways[b] / np.linalg.norm(ways[b]))
                least = min(least, 2 * float(np.arctan2(far, near)))  # no cancellation at small angles
    return least


def systole(graph: Graph) -> float:
    """Return the length of the shortest simple cycle, ∞ for a forest: each edge closed by the shortest way round it."""
    least = np.inf
    for k, (i, j) in enumerate(graph.edges):
        others = np.delete(np.arange(len(graph.edges)), k)
        a, b = graph.edges[others].T
        rest = csr_array((graph.lengths[others], (a, b)), shape=(len(graph.vertices),) * 2)
        least = min(least, float(graph.lengths[k] + dijkstra(rest, directed=False, indices=int(i))[int(j)]))
    return least


def shadow_radius(graph: Graph, factor: float) -> float:
    """Return the least distance of two points of the graph whose way along it is longer than ``factor`` times it.

    For two straight edges the pairs in question form a convex set, and so do those of one point with the points of
    the other edge: an interval with closed ends. The first edge is walked in steps of 1/1000 and then refined; a set
    narrower than a step can be missed.
    """
    far = graph.distances()
    least = np.inf
    for e in range(len(graph.edges)):
        for f in range(len(graph.edges)):
            if e != f:
                least = min(least, _nearest_violation(graph, far, e, f, factor))
    return least


def _nearest_violation(graph: Graph, far: Floats, e: int, f: int, factor: float) -> float:
    def distance(t: Floats) -> Floats:
        return _violations_from(graph, far, e, f, t, factor)

    t = np.linspace(0, 1, ALONG)
    values = distance(t)
    best = int(np.argmin(values))
    if not np.isfinite(values[best]):
        return np.inf
    low, high = t[max(best - 1, 0)], t[min(best + 1, ALONG - 1)]
    for _ in range(3):
        t = np.linspace(low, high, ALONG)
        values = distance(t)
        best = int(np.argmin(values))
        low, high = t[max(best - 1, 0)], t[min(best + 1, ALONG - 1)]
    return float(values[best])


def _violations_from(graph: Graph, far: Floats, e: int, f: int, t: Floats, factor: float) -> Floats:
    """Return for points at shares t of edge e the distance to the nearest point of edge f that is too far along G."""
    (a, b), (c, d) = graph.edges[e], graph.edges[f]
    first, second = graph.lengths[e], graph.lengths[f]
    x = graph.vertices[a] + t[:, None] * (graph.vertices[b] - graph.vertices[a])
    way = (graph.vertices[d] - graph.vertices[c]) / second
    offset = x - graph.vertices[c]
    foot = offset @ way  # the distance to the point at u of the other edge is √((u − foot)² + height²)
    height2 = np.maximum(np.sum(offset**2, axis=1) - foot**2, 0)
    to_c = np.minimum(t * first + far[a, c], (1 - t) * first + far[b, c])
    to_d = np.minimum(t * first + far[a, d], (1 - t) * first + far[b, d])
    low, high = np.zeros(len(t)), np.full(len(t), second)
    for start, slope in ((to_c, 1.0), (to_d + second, -1.0)):  # too far both ways round: start + slope·u > factor·dist
        below, above = _interval(start, slope, foot, height2, factor)
        low, high = np.maximum(low, below), np.minimum(high, above)
    u = np.clip(foot, low, high)
    return np.where(low < high, np.sqrt((u - foot) ** 2 + height2), np.inf)


def _interval(start: Floats, slope: float, foot: Floats, height2: Floats, factor: float) -> tuple[Floats, Floats]:
    """Return where start + slope·u ≥ factor·√((u − foot)² + height²), factor > 1: between the roots of a parabola."""
    k = factor**2 - 1
    v = start + slope * foot  # with w = u − foot: (v + slope·w)² ≥ factor²·(w² + height²)
    root = v**2 + k * (v**2 - factor**2 * height2)
    with np.errstate(invalid="ignore"):
        reach = np.sqrt(root) / k
    centre = foot + slope * v / k
    empty = ~(root > 0) | (v <= 0)
    return np.where(empty, np.inf, centre - reach), np.where(empty, -np.inf, centre + reach)
