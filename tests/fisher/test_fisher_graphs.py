"""Graphs: right numbers of sites and bonds, and no metric that would be singular."""

import networkx
import pytest

from workbench import fisher


@pytest.mark.parametrize(
    ("name", "L", "sites", "bonds"),
    [
        ("torus", 4, 16, 32),
        ("torus", (3, 5), 15, 30),
        ("open grid", 4, 16, 24),
        ("ring", 5, 5, 5),
        ("tree", 7, 7, 6),
        ("chain", 5, 5, 4),
        ("cube", 2, 8, 12),
    ],
)
def test_counts(name, L, sites, bonds):
    graph = fisher.GRAPHS[name](L)
    assert (graph.sites, graph.bonds) == (sites, bonds)
    assert len({frozenset(edge) for edge in graph.edges}) == bonds
    assert networkx.is_connected(networkx.Graph(graph.edges))


def test_trees_have_no_cycle():
    assert networkx.is_tree(networkx.Graph(fisher.GRAPHS["tree"](11).edges))


def test_own_edges():
    graph = fisher.from_edges([(0, 1), [1, 2]])
    assert (graph.sites, graph.edges) == (3, ((0, 1), (1, 2)))


@pytest.mark.parametrize(
    ("edges", "says"),
    [
        ([(0, 1), (1, 0)], "twice"),
        ([(2, 2)], "itself"),
        ([], "at least one"),
        ([(0, 1, 2)], "pair"),
        ([(0, -1)], "at least 0"),
    ],
)
def test_bad_edges_are_refused(edges, says):
    with pytest.raises(ValueError, match=says):
        fisher.from_edges(edges)


def test_a_torus_of_two_is_refused():
    with pytest.raises(ValueError, match="doubled"):
        fisher.GRAPHS["torus"](2)
