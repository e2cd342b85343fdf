"""The Hausdorff distance of shadow and graph: cases known by hand, and a second engine that samples both."""

import itertools

import numpy as np
import pytest

from workbench import shapes
from workbench.shapes.shadow.hausdorff import hausdorff_distance, triangles_of

ROAD = shapes.Graph([[0, 0], [1, 0]], [[0, 1]])


def test_a_triangle_over_a_road_is_as_far_as_its_tip():
    shadow = shapes.rips_shadow([[0, 0], [1, 0], [0.5, 0.25]], 2.0)
    found = hausdorff_distance(shadow, ROAD, tolerance=1e-9)
    assert found.from_shadow == pytest.approx((0.25, 0.25), abs=1e-8)
    assert found.from_graph == pytest.approx((0, 0), abs=1e-8)
    assert found.lower <= 0.25 <= found.upper


def test_the_farthest_point_may_lie_on_the_graph_or_be_a_bare_point():
    tent = shapes.Graph([[0, 0], [0.5, 1], [1, 0]], [[0, 1], [1, 2]])
    found = hausdorff_distance(shapes.rips_shadow([[0, 0], [1, 0]], 2.0), tent, tolerance=1e-9)
    assert found.from_graph == pytest.approx((1, 1), abs=1e-8)
    bare = hausdorff_distance(shapes.rips_shadow([[0, 0], [1, 0], [0, 7]], 2.0), ROAD)
    assert bare.from_shadow[0] <= 7 <= bare.from_shadow[1]


@pytest.mark.parametrize("name", ["square", "isosceles", "bow-tie"])
def test_bounds_enclose_what_sampling_finds(name):
    graph = shapes.planar_graph(name)
    shadow = shapes.rips_shadow(shapes.sample_graph(graph, 24, noise=0.05, seed=3), 0.6, epsilon=0.35)
    found = hausdorff_distance(shadow, graph, tolerance=0.01)
    assert found.upper - found.lower <= 0.01 * 0.6 + 1e-9
    t = np.linspace(0, 1, 60)
    lines = [a + t[:, None] * (b - a) for a, b in graph.vertices[graph.edges]]
    on_graph = np.concatenate(lines)
    weights = np.array([(a, b, 1 - a - b) for a, b in itertools.product(t[::3], repeat=2) if a + b <= 1])
    covered = [weights @ shadow.points[one] for one in triangles_of(shadow.edges, len(shadow.points))]
    covered += [a + t[:, None] * (b - a) for a, b in shadow.points[shadow.edges]]
    in_shadow = np.concatenate([shadow.points, *covered])
    for side, (points, others) in {"shadow": (in_shadow, on_graph), "graph": (on_graph, in_shadow)}.items():
        apart = np.array([np.sqrt(((others - p) ** 2).sum(axis=1).min()) for p in points]).max()
        low, high = getattr(found, f"from_{side}")
        assert apart <= high + 0.04  # the other set is sampled too: a spacing of it
        assert apart >= low - 0.04


def test_triangles_are_those_of_all_triples():
    rng = np.random.default_rng(0)
    pairs = np.array([(i, j) for i in range(14) for j in range(i + 1, 14) if rng.random() < 0.5])
    known = {tuple(pair) for pair in pairs.tolist()}
    wanted = [t for t in itertools.combinations(range(14), 3) if all(p in known for p in itertools.combinations(t, 2))]
    assert sorted(map(tuple, triangles_of(pairs, 14).tolist())) == wanted
    assert triangles_of(np.empty((0, 2), dtype=np.int64), 3).shape == (0, 3)


def test_what_cannot_be_measured_is_refused():
    shadow = shapes.rips_shadow([[0, 0], [1, 0], [0.5, 0.25]], 2.0)
    with pytest.raises(ValueError, match="graph with vertices"):
        hausdorff_distance(shadow, shapes.Graph([[0, 0, 0], [1, 0, 0]], [[0, 1]]))
    with pytest.raises(ValueError, match="take a smaller β"):
        hausdorff_distance(shadow, ROAD, work=3)
    with pytest.raises(ValueError, match="more than 200,000 triangles"):
        triangles_of(np.array(list(itertools.combinations(range(120), 2))), 120)
    with pytest.raises(ValueError, match="tolerance must be greater than 0"):
        hausdorff_distance(shadow, ROAD, tolerance=0)


def test_the_shadow_keeps_the_promise_of_the_theorem():
    ds = shapes.shadow_report("square", n=60, reach=0.3, phase=(0, 0))
    assert 0 < float(ds.hausdorff_low) <= float(ds.hausdorff_high) < float(ds.hausdorff_promised)
    alone = shapes.shadow_report(points=[[0, 0], [1, 0], [0, 1]], phase=(0, 0))
    assert np.isnan(alone.hausdorff_high)
