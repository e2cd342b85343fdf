"""The bound of the large-scale distortion, against ways that cut corners; and where the certificate says too little."""

import itertools

import numpy as np
import pytest

from workbench import shapes
from workbench.shapes.shadow.distortion import corner_shares, edges_apart, largest_share


def inner_corner(before, corner, after, epsilon):
    """Return where the strips of two edges meet on their inner side."""
    u, v = ((one - corner) / np.linalg.norm(one - corner) for one in (before, after))
    half = np.arccos(np.clip(u @ v, -1, 1)) / 2
    return corner + epsilon / np.sin(half) * (u + v) / np.linalg.norm(u + v)


def cut_short(graph, beta, epsilon, steps=61):
    """Return the largest ratio found by ways round a polygon through its inner corners: no more than the distortion."""
    n = len(graph.vertices)
    inner = [
        inner_corner(graph.vertices[k - 1], graph.vertices[k], graph.vertices[(k + 1) % n], epsilon) for k in range(n)
    ]
    starts = np.concatenate([[0], np.cumsum(graph.lengths)])
    around = starts[-1]
    t = np.linspace(0, 1, steps)[1:-1]
    largest = 1.0
    for s, u in itertools.product(t, t):
        for first in range(n):
            a = graph.vertices[first] + s * (graph.vertices[(first + 1) % n] - graph.vertices[first])
            for passed in range(1, n):
                last = (first + passed) % n
                b = graph.vertices[last] + u * (graph.vertices[(last + 1) % n] - graph.vertices[last])
                along = abs(starts[last] + u * graph.lengths[last] - starts[first] - s * graph.lengths[first])
                if min(along, around - along) < beta:
                    continue
                stops = [a, *(inner[(first + k) % n] for k in range(1, passed + 1)), b]
                way = sum(np.linalg.norm(q - p) for p, q in itertools.pairwise(stops))
                largest = max(largest, min(along, around - along) / way)
    return largest


@pytest.mark.parametrize(("name", "beta", "epsilon"), [("square", 0.5, 0.02), ("isosceles", 0.6, 0.02)])
def test_no_way_through_the_inner_corners_is_shorter_than_the_bound_says(name, beta, epsilon):
    found, bound = cut_short(shapes.planar_graph(name), beta, epsilon, 25), shapes.distortion_bound(name, beta, epsilon)
    assert 1 < found <= bound
    assert bound - 1 < 1.6 * (found - 1)  # ways that cut a corner are nearly as short as the bound


def test_one_corner_in_closed_form():
    corner = shapes.Graph([[0, 0], [1, 0], [0, 1]], [[0, 1], [0, 2]])
    assert shapes.distortion_bound(corner, 0.5, 0.01) == pytest.approx(0.5 / 0.48)  # 2 z cut off, z = ε cot 45°
    assert corner_shares(corner)[0] == pytest.approx(1.0)
    assert np.isnan(corner_shares(corner)[1:]).all()
    sharp = shapes.planar_graph("isosceles")
    assert corner_shares(sharp)[0] == pytest.approx(1 / np.tan(np.radians(14.3)))


def test_the_bound_rises_with_epsilon_and_is_infinite_where_strips_meet():
    values = [shapes.distortion_bound("square", 0.3, epsilon) for epsilon in (1e-6, 0.01, 0.05, 0.1, 0.2, 0.6)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(1, abs=1e-4)
    assert np.isinf(values[-1])
    graph = shapes.Graph([[0, 0], [1, 0], [0, 0.1], [1, 0.1]], [[0, 1], [2, 3]])
    assert edges_apart(graph) == pytest.approx(0.1)
    assert np.isinf(shapes.distortion_bound(graph, 0.5, 0.06))
    assert shapes.distortion_bound(graph, 0.5, 0.04) == 1.0  # no corner


def test_the_distance_of_edges_is_that_of_a_search():
    rng = np.random.default_rng(3)
    for dim in (2, 3):
        places = rng.normal(size=(4, dim))
        graph = shapes.Graph(places, [[0, 1], [2, 3]])
        t = np.linspace(0, 1, 401)[:, None]
        one, two = (places[k] + t * (places[k + 1] - places[k]) for k in (0, 2))
        searched = np.linalg.norm(one[:, None] - two[None], axis=-1).min()
        assert edges_apart(graph) <= searched + 1e-12
        assert searched - edges_apart(graph) < 0.01


def test_the_largest_share_is_where_the_bound_meets_its_limit():
    graph = shapes.planar_graph("square")
    share = largest_share(graph, 0.5, 14 / 13, 1 / 3)
    assert share == pytest.approx(1 / 28)  # 2 ε ≤ βξ/(1 + 2ξ) at ξ = 1/12
    assert shapes.distortion_bound(graph, 0.5, share * 0.5) <= 14 / 13 + 1e-12
    constants = shapes.graph_constants(graph).sel(theorem="T1")
    assert float(constants.distortion) == pytest.approx(float(constants.distortion_limit))
    assert float(constants.points_needed) == 2592


@pytest.mark.parametrize(("beta", "epsilon"), [(0.0, 0.1), (0.1, -1.0)])
def test_scales_that_are_not_positive_are_refused(beta, epsilon):
    with pytest.raises(ValueError, match="must be greater than 0"):
        shapes.distortion_bound("square", beta, epsilon)


# ---- three branches at 15°, 0° and −15°, an example by the paper's author --------------------------------------------


def branches(spacing):
    along = np.arange(0, 1.3 + spacing / 2, spacing)
    ways = np.array([[np.cos(t), np.sin(t)] for t in np.radians([15.0, 0.0, -15.0])])
    points = np.concatenate([[[0.0, 0.0]], *(along[1:, None] * way for way in ways)])
    return points, along


@pytest.mark.slow
@pytest.mark.parametrize(("spacing", "count", "without"), [(0.02, 29, 9), (0.03, 19, 4)])
def test_the_certificate_is_sufficient_and_not_necessary(spacing, count, without):
    points, along = branches(spacing)
    shadow = shapes.rips_shadow(points, 1 - 1e-9, epsilon=0.044)  # no chain of hops is as long as this
    near = along[(along > 0) & (along < 0.6)]
    failing = no_apex(shadow, np.stack([near, np.zeros(len(near))], axis=1))
    assert (len(near), int(failing.sum())) == (count, without)
    assert shadow.betti_complex == (1, 0, 0)  # a tree all the same


def cross(u, v):
    return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]


def no_apex(shadow, places):
    """Say of places whether the corners of all triangles that hold them have no common neighbour, by plain search."""
    points, edges = shadow.points, shadow.edges
    near = np.eye(len(points), dtype=bool)
    near[edges[:, 0], edges[:, 1]] = near[edges[:, 1], edges[:, 0]] = True
    i, j = edges.T
    rows, k = np.nonzero(near[i] & near[j] & (np.arange(len(points)) > np.maximum(i, j)[:, None]))
    corners = np.stack([i[rows], j[rows], k], axis=1)
    a, b, c = (points[corners[:, one]] for one in range(3))
    found = []
    for x in places:
        (u, v, w) = (cross(q - p, x - p) for p, q in ((a, b), (b, c), (c, a)))
        sides = np.stack([u, v, w])
        flat = np.abs(sides).max(axis=0) <= 1e-12
        low, high = (extreme.reduce([a, b, c]) for extreme in (np.minimum, np.maximum))
        within = ((low <= x + 1e-12) & (x <= high + 1e-12)).all(axis=1)
        holds = np.where(flat, within, (sides >= -1e-12).all(axis=0) | (sides <= 1e-12).all(axis=0))
        found.append(not near[:, np.unique(corners[holds])].all(axis=1).any())
    return np.array(found)
