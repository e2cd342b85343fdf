"""Graphs whose states can be counted one by one: torus, grid, ring, complete graph, tree, cube, or your own edges."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench import checks
from workbench.fisher.torus import _sides
from workbench.registry import Registry

GRAPHS = Registry("graph")
"""Every named family of graphs, for pages and sweeps."""


@dataclass(frozen=True)
class Graph:
    """Sites 0 … ``sites`` − 1 and a tuple of edges; each edge carries its own coupling."""

    name: str
    sites: int
    edges: tuple[tuple[int, int], ...]

    @property
    def bonds(self) -> int:
        """Number m of edges, the dimension of the family of distributions."""
        return len(self.edges)


def from_edges(edges: Iterable[Sequence[int]], name: str = "own edges") -> Graph:
    """Make a graph of pairs of site numbers; sites are 0 … the largest number named.

    Raises ``ValueError`` for a loop, for a doubled edge (it makes the Fisher metric singular) and for no edge at all.

    >>> from_edges([(0, 1), (1, 2), (2, 0)]).bonds
    3
    """
    checked = []
    for edge in edges:
        if len(edge) != 2:
            raise ValueError(f"an edge is a pair of sites, got {edge!r}")
        a, b = (checks.integer("site", site, minimum=0) for site in edge)
        if a == b:
            raise ValueError(f"edge {edge!r} joins a site to itself; its energy is constant")
        checked.append((a, b))
    if not checked:
        raise ValueError("a graph needs at least one edge")
    if len({frozenset(edge) for edge in checked}) < len(checked):
        raise ValueError(
            "an edge is given twice; the two couplings act only through their sum and the metric is singular"
        )
    return Graph(name, 1 + max(max(edge) for edge in checked), tuple(checked))


@GRAPHS.add("torus", label="L × L torus", formula="2L² bonds")
def torus_graph(L: int | tuple[int, int]) -> Graph:
    """Return the periodic grid; bond 2s is (x, y)–(x+1, y) and bond 2s + 1 is (x, y)–(x, y+1) of site s = x L_y + y.

    >>> square = torus_graph(3)
    >>> square.sites, square.bonds
    (9, 18)
    """
    width, height = _sides(L)
    edges = []
    for x in range(width):
        for y in range(height):
            site = x * height + y
            edges += [(site, (x + 1) % width * height + y), (site, x * height + (y + 1) % height)]
    return from_edges(edges, f"{width} × {height} torus")


@GRAPHS.add("open grid", label="L × L open grid", formula="2L(L−1) bonds")
def open_grid(L: int) -> Graph:
    """Return the L × L grid with free boundaries."""
    L = checks.integer("L", L, minimum=2)
    right = [(x * L + y, (x + 1) * L + y) for x in range(L - 1) for y in range(L)]
    up = [(x * L + y, x * L + y + 1) for x in range(L) for y in range(L - 1)]
    return from_edges(right + up, f"{L} × {L} open grid")


@GRAPHS.add("ring", label="ring of L sites", formula="L bonds")
def ring(L: int) -> Graph:
    """Return the cycle of L ≥ 3 sites."""
    L = checks.integer("L", L, minimum=3)
    return from_edges([(i, (i + 1) % L) for i in range(L)], f"ring of {L}")


@GRAPHS.add("complete", label="complete graph of L sites", formula="L(L−1)/2 bonds")
def complete(L: int) -> Graph:
    """Return the graph K_L in which every site is joined to every other.

    >>> complete(4).bonds
    6
    """
    L = checks.integer("L", L, minimum=2)
    return from_edges([(i, j) for i in range(L) for j in range(i + 1, L)], f"complete graph of {L}")


@GRAPHS.add("tree", label="binary tree of L sites", formula="L − 1 bonds")
def tree(L: int) -> Graph:
    """Return the binary tree in which site i hangs from site (i − 1) // 2; every tree is flat."""
    L = checks.integer("L", L, minimum=2)
    return from_edges([((i - 1) // 2, i) for i in range(1, L)], f"tree of {L}")


@GRAPHS.add("chain", label="open chain of L sites", formula="L − 1 bonds")
def chain(L: int) -> Graph:
    """Return the open chain of L sites."""
    L = checks.integer("L", L, minimum=2)
    return from_edges([(i, i + 1) for i in range(L - 1)], f"chain of {L}")


@GRAPHS.add("cube", label="L × L × L open cube", formula="3L²(L−1) bonds")
def cube(L: int) -> Graph:
    """Return the L × L × L grid with free boundaries."""
    L = checks.integer("L", L, minimum=2)
    edges = []
    for x in range(L):
        for y in range(L):
            for z in range(L):
                site = (x * L + y) * L + z
                edges += [(site, site + step) for step, c in ((L * L, x), (L, y), (1, z)) if c + 1 < L]
    return from_edges(edges, f"{L} × {L} × {L} open cube")
