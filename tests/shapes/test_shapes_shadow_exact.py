"""Shadows against second engines: rational convex sets and their nerve, gudhi, and shapes whose topology is known."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import shapes
from workbench.shapes.shadow import rips_shadow
from workbench.shapes.shadow.betti import flag_betti
from workbench.shapes.shadow.doubled import side_of_crossing
from workbench.shapes.shadow.exact import ExactPoints
from workbench.shapes.shadow.shadows import Shadow


def polygon(k, radius=1.0):
    t = 2 * np.pi * np.arange(k) / k
    return radius * np.stack([np.cos(t), np.sin(t)], axis=1)


# ---- a second engine: the nerve of the triangles and edges, in fractions --------------------------------------------


def cut(piece, a, b):
    """Return the part of a convex polygon (a list of points) on the left of the line ab."""
    kept = []
    for p, q in zip(piece, piece[1:] + piece[:1], strict=True):
        left, right = (side(a, b, r) for r in (p, q))
        if left >= 0:
            kept.append(p)
        if (left > 0 > right) or (left < 0 < right):
            t = left / (left - right)
            kept.append((p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])))
    return kept


def side(a, b, p):
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def inside(corners, p):
    """Return whether p is in the hull of one, two or three points."""
    if len(corners) == 1:
        return corners[0] == p
    if len(corners) == 2:
        a, b = corners
        return side(a, b, p) == 0 and min(a, b) <= p <= max(a, b)
    a, b, c = corners
    if side(a, b, c) == 0:
        return inside([min(corners), max(corners)], p)
    signs = {np.sign(side(*pair, p)) for pair in ((a, b), (b, c), (c, a))} - {0}
    return len(signs) <= 1


def meet(sets):
    """Return whether hulls of up to three points have a common point."""
    piece = list(sets[0])
    for other in sets[1:]:
        if len(other) == 3 and side(*other) < 0:
            other = other[::-1]
        if len(other) == 3 and side(*other) != 0:
            for a, b in zip(other, other[1:] + other[:1], strict=True):
                piece = cut(piece, a, b)
        elif len({*other}) == 1:
            piece = [other[0]] if inside_polygon(piece, other[0]) else []
        else:
            a, b = min(other), max(other)
            normal = (b[0] - a[0], b[1] - a[1])
            piece = cut(cut(piece, a, b), b, a)
            for p, way in ((a, 1), (b, -1)):  # the strip between the ends
                turned = (p[0] - way * normal[1], p[1] + way * normal[0])
                piece = cut(piece, turned, p)
        if not piece:
            return False
    return True


def inside_polygon(piece, p):
    return any(inside(list(three), p) for three in itertools.combinations_with_replacement(piece, 3))


def nerve_betti(points, edges):
    """Return (b₀, b₁) of the union of all triangles, edges and points: those of the nerve of these convex sets."""
    near = {frozenset(pair) for pair in edges}
    number = range(len(points))
    threes = [
        t for t in itertools.combinations(number, 3) if all(frozenset(p) in near for p in itertools.combinations(t, 2))
    ]
    threes = [t for t in threes if side(*(points[v] for v in t)) != 0]
    covered = {frozenset(p) for t in threes for p in itertools.combinations(t, 2)}
    sets = [*threes, *(tuple(sorted(e)) for e in near - covered)]
    sets += [(v,) for v in number if not any(v in s for s in sets)]
    hulls = [[points[v] for v in s] for s in sets]
    pairs = [p for p in itertools.combinations(range(len(sets)), 2) if meet([hulls[k] for k in p])]
    known = set(pairs)
    triples = [
        t
        for t in itertools.combinations(range(len(sets)), 3)
        if all(p in known for p in itertools.combinations(t, 2)) and meet([hulls[k] for k in t])
    ]
    first, second = rank(pairs), rank(triples)
    return len(sets) - first, len(pairs) - first - second


def rank(simplices):
    pivots = {}
    faces = {}
    for simplex in simplices:
        column = 0
        for face in itertools.combinations(simplex, len(simplex) - 1):
            column ^= 1 << faces.setdefault(face, len(faces))
        while column and (low := column.bit_length()) in pivots:
            column ^= pivots[low]
        if column:
            pivots[column.bit_length()] = column
    return len(pivots)


def apexless(points, edges, nodes):
    """Return how many of the given places (fractions) have no apex, by looking at every edge and triangle."""
    near = [set() for _ in points]
    for i, j in edges:
        near[i].add(j)
        near[j].add(i)
    simplices = [(v,) for v in range(len(points))] + [tuple(e) for e in edges]
    threes = itertools.combinations(range(len(points)), 3)
    simplices += [t for t in threes if t[1] in near[t[0]] and t[2] in near[t[0]] & near[t[1]]]
    count = 0
    for node in nodes:
        star = {v for s in simplices if inside([points[k] for k in s], node) for v in s}
        count += not any(star <= near[v] | {v} for v in range(len(points)))
    return count


@st.composite
def lattice_graphs(draw):
    """Points of a small lattice with arbitrary edges: collinear, overlapping and nested in every way."""
    places = draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=7, unique=True))
    every = list(itertools.combinations(range(len(places)), 2))
    return places, draw(st.lists(st.sampled_from(every), max_size=9, unique=True))


@settings(max_examples=25, deadline=None)
@given(lattice_graphs())
def test_any_flag_complex_on_a_lattice_has_the_topology_of_its_nerve_and_the_apexes_of_a_search(case):
    places, edges = case
    shadow = Shadow(np.array(places, dtype=float), np.array(edges, dtype=np.int64).reshape(-1, 2), 1.0, None)
    exact = [(Fraction(x), Fraction(y)) for x, y in places]
    assert shadow.betti_shadow == nerve_betti(exact, edges)
    arrangement = shadow.arrangement
    left, below = min(p[0] for p in places), min(p[1] for p in places)
    unit = Fraction(1)
    while (arrangement.points.x[0] * unit, arrangement.points.y[0] * unit) != (
        places[0][0] - left,
        places[0][1] - below,
    ):
        unit /= 2  # the integers are the coordinates over one power of two
        assert unit > Fraction(1, 2**80)
    nodes = []
    for k in range(arrangement.nodes):
        x, y, w = arrangement.exactly(k)
        nodes.append((Fraction(x, w) * unit + left, Fraction(y, w) * unit + below))
    assert len(set(nodes)) == len(nodes)
    assert shadow.apex.failing.size == apexless(exact, edges, nodes)


def test_a_triangle_over_a_loose_edge_joins_the_pieces():
    points = np.array([[0, 0], [9, 0], [0, 9], [1, 1], [2, 2], [8, 8]], dtype=float)
    shadow = Shadow(points, np.array([[0, 1], [1, 2], [0, 2], [3, 4]]), 1.0, None)
    assert shadow.betti_shadow == (2, 0)
    frame = Shadow(np.array([[0, 0], [9, 0], [9, 9], [0, 9], [3, 3], [5, 3], [4, 5]], dtype=float),
                   np.array([[0, 1], [1, 2], [2, 3], [0, 3], [4, 5], [5, 6], [4, 6]]), 1.0, None)  # fmt: skip
    assert frame.betti_shadow == (2, 1)


# ---- known shapes ----------------------------------------------------------------------------------------------------


def test_the_hexagon_is_a_sphere_over_a_disc():
    shadow = rips_shadow(polygon(6), 1.8)
    assert shadow.betti_complex == (1, 0, 1)
    assert shadow.betti_shadow == (1, 0)
    assert (shadow.arrangement.nodes, len(shadow.arrangement.piece), shadow.arrangement.crossings) == (12, 24, 6)
    assert np.count_nonzero(~shadow.faces.outer) == 13
    assert not shadow.apex.proved
    assert shadow.apex.failing.size == len(shadow.failing) == 6


@pytest.mark.parametrize(("k", "steps"), [(7, 2), (9, 2), (9, 3), (12, 3), (12, 4), (15, 5)])
def test_polygons_are_circles_below_a_third_and_wedges_of_spheres_at_it(k, steps):
    shadow = rips_shadow(polygon(k), 2 * np.sin(np.pi * (steps + 0.5) / k))
    is_third = 3 * steps == k
    assert shadow.betti_complex == ((1, 0, k // 3 - 1) if is_third else (1, 1, 0))
    assert shadow.betti_shadow == ((1, 0) if is_third else (1, 1))


def test_every_euclidean_complex_of_the_plane_has_the_pieces_and_holes_of_its_shadow():
    ds = shapes.rips_agreement(40, n=25, seed=3)
    assert (ds.complex.values[:, :2] == ds.shadow.values).all()
    assert ds.shadow.values[:, 1].max() >= 1  # there were holes to lose
    lattice = np.stack(np.meshgrid(np.arange(6), np.arange(6)), -1).reshape(-1, 2) * 0.1  # rounded: nearly concurrent
    keep = np.random.default_rng(0).random(36) < 0.7
    for beta in (0.12, 0.15, 0.22, 0.25):
        shadow = rips_shadow(lattice[keep], beta)
        assert shadow.betti_complex[:2] == shadow.betti_shadow


def test_moving_and_scaling_by_powers_of_two_changes_nothing():
    points = np.random.default_rng(5).integers(0, 64, (30, 2)).astype(float)
    plain = rips_shadow(points, 14.0)
    for moved, beta in ((points + 2**40, 14.0), (points * 2.0**-300, 14 * 2.0**-300), (points[:, ::-1], 14.0)):
        other = rips_shadow(moved, beta)
        assert other.betti_shadow == plain.betti_shadow
        assert other.arrangement.crossings == plain.arrangement.crossings
        assert other.apex.failing.size == plain.apex.failing.size


# ---- the complex alone -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_betti_numbers_are_those_of_gudhi(seed):
    gudhi = pytest.importorskip("gudhi", reason="gudhi comes with the extra [shapes]")
    rng = np.random.default_rng(seed)
    n = 18
    every = np.array(list(itertools.combinations(range(n), 2)))
    edges = every[rng.random(len(every)) < rng.uniform(0.2, 0.7)]
    found = []
    for collapse in (False, True):
        tree = gudhi.SimplexTree()
        for v in range(n):
            tree.insert([v])
        for edge in edges:
            tree.insert(edge)
        if collapse:
            tree.collapse_edges()
        tree.expansion(3)  # one more than is read: the highest dimension is an artefact
        tree.compute_persistence(homology_coeff_field=2, min_persistence=-1, persistence_dim_max=True)
        found.append((*tree.betti_numbers(), 0, 0, 0)[:3])
    assert flag_betti(edges, n) == found[0] == found[1]


# ---- filters ---------------------------------------------------------------------------------------------------------


def test_the_filters_never_contradict_the_integers():
    rng = np.random.default_rng(1)
    for spread in (1.0, 1e-7, 1e-14):
        middle = 1 + spread * rng.standard_normal((6, 2))  # six lines nearly through one point
        way = rng.standard_normal((6, 2))
        points = ExactPoints(np.concatenate([middle + way, middle - way]))
        decided = 0
        for p, a, b in itertools.permutations(range(6), 3):
            one, two, line = np.array([a, a + 6]), np.array([b, b + 6]), (p, p + 6)
            found = side_of_crossing(points.near, points.rest, line, one, two)
            exact = points.side_of(p, p + 6, points.crossing(a, a + 6, b, b + 6))
            assert found in (exact, 2)
            decided += found != 2
        assert decided == 120


def test_exact_points_are_exact():
    given_points = np.array([[0.1, -1e-30], [1e20, 3.0], [0.0, 5e-324 * 2**200]])
    points = ExactPoints(given_points)
    back = points.unscaled(points.near)
    assert np.allclose(back, given_points, rtol=1e-15, atol=0) or np.abs(back - given_points).max() <= 1e20 * 2.0**-52
    with pytest.raises(ValueError, match="too wide for one exact scale"):
        ExactPoints(np.array([[1e-200, 0.0], [1e150, 1.0]]))
