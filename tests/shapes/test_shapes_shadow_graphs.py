"""Graphs, their constants, samples and path metrics, the scales and the reconstruction."""

import numpy as np
import pytest

from workbench import shapes
from workbench.shapes.shadow.constants import shadow_radius
from workbench.shapes.shadow.graphs import largest_gap

KNOWN = {  # angle, Θ, s, systole, shortest edge, shadow radius at ξ = 1/12, worked out by hand
    "square": (90.0, 0.5, 0.7071067812, 4.0, 1.0, 1.0),
    "theta": (45.0, 0.8535533906, 0.3826834324, 4.8284271247, 2**0.5, np.inf),
    "isosceles": (28.6, 0.9389914877, 0.2469990127, 2.4939980254, 0.4939980254, np.inf),
    "bow-tie": (59.0362434679, 0.7572478777, 0.4926988150, 2 * 1.36**0.5 + 1.2, 1.36**0.5, np.inf),
    "grid": (90.0, 0.5, 0.7071067812, 4.0, 1.0, 1.0),
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_constants_of_the_named_graphs(name):
    ds = shapes.graph_constants(name)
    found = [float(ds[key]) for key in ("angle", "Theta", "s", "systole", "shortest_edge", "shadow_radius")]
    assert np.allclose(found, KNOWN[name], rtol=1e-9)
    assert shapes.planar_graph(name).betti == (1, shapes.GRAPHS[name].fact("loops"))


def test_the_third_theorem_asks_for_the_points_that_its_inequalities_say():
    ds = shapes.graph_constants("square").sel(theorem="T3")
    assert float(ds.beta_limit) == pytest.approx(0.7071067812 / 5)
    assert 1200 <= float(ds.points_needed) <= 1201
    assert float(shapes.graph_constants("square", xi=0.1).sel(theorem="T3").epsilon_share) == 0  # ξ ≤ 1/12


@pytest.mark.parametrize("factor", [1.2, 1.6, 3.0])
def test_the_shadow_radius_is_that_of_a_search(factor):
    graph = shapes.Graph([[0, 0], [1, 0], [1.2, 0.3], [0.1, 0.4]], [[0, 1], [1, 2], [2, 3]])
    t = np.linspace(0, 1, 201)[:, None]
    ways = graph.vertices[graph.edges]
    along = np.concatenate([(1 - t) * a + t * b for a, b in ways])
    starts = np.cumsum([0, *graph.lengths[:-1]])
    length = (starts[:, None] + t[:, 0] * graph.lengths[:, None]).ravel()
    apart = np.linalg.norm(along[:, None] - along[None], axis=-1)
    violates = (np.abs(length[:, None] - length) > factor * apart * (1 + 1e-9)) & (apart > 1e-9)
    searched = apart[violates].min(initial=np.inf)
    found = shadow_radius(graph, factor)
    assert found <= searched + 1e-9
    assert searched - found < 0.02 or np.isinf(found)


def test_samples_lie_on_the_graph_evenly_and_noise_stays_in_its_disc():
    graph = shapes.planar_graph("isosceles")
    plain, noisy = shapes.sample_graph(graph, 50), shapes.sample_graph(graph, 50, noise=0.03, seed=4)
    assert plain.shape == (50, 2)
    assert np.linalg.norm(noisy - plain, axis=1).max() <= 0.03
    assert np.array_equal(noisy, shapes.sample_graph(graph, 50, noise=0.03, seed=4))
    nearest = np.sort(np.linalg.norm(plain[:, None] - plain[None], axis=-1), axis=1)[:, 1]
    assert nearest.max() <= largest_gap(graph, 50) * (1 + 1e-6)


def test_path_metrics_are_metrics_between_euclidean_and_the_graph():
    points = shapes.sample_graph("theta", 40, noise=0.02, seed=1)
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    metrics = [shapes.path_metric(points, epsilon) for epsilon in (0.3, 0.6, 9.0)]
    for metric in metrics:
        assert np.array_equal(metric, metric.T)
        assert (metric >= apart * (1 - 1e-12)).all()
        assert (metric <= (metric[:, :, None] + metric[None]).min(axis=1) + 1e-12).all()
    assert (metrics[1] <= metrics[0]).all()
    assert np.allclose(metrics[2], apart)


def test_bounds_are_strict_and_coincident_points_are_merged():
    lattice = np.array([[0.0, 0], [1, 0], [2, 0], [2, 0]])
    assert np.isinf(shapes.path_metric(lattice[:3], 1.0)[0, 1])
    shadow = shapes.rips_shadow(lattice, 1.0)
    assert (shadow.merged, shadow.betti_shadow, len(shadow.edges)) == (1, (3, 0), 0)
    with pytest.raises(ValueError, match="two points coincide"):
        shapes.path_metric(lattice, 1.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: shapes.rips_shadow(np.zeros((3, 3)), 1.0), "drawn in the plane"),
        (lambda: shapes.rips_shadow(np.eye(2), -1.0), "beta must be greater than 0"),
        (lambda: shapes.rips_shadow(np.random.default_rng(0).random((400, 2)), 2.0).betti_shadow, "79800 edges"),
        (lambda: shapes.Graph([[0, 0], [1, 1]], [[0, 0]]), "joins a vertex to itself"),
        (lambda: shapes.Graph([[0, 0], [1, 1]], [[0, 1], [1, 0]]), "given twice"),
        (lambda: shapes.Graph([[0, 0], [1, 1]], [[0, 2]]), "must name vertices 0 to 1"),
        (lambda: shapes.planar_graph("sqare"), "Did you mean 'square'"),
        (lambda: shapes.sample_graph("square", 3), "n must be at least 4"),
        (lambda: shapes.shadow_report(points=[[1, 1], [1, 1], [1, 1]]), "all points are at one place"),
        (lambda: shapes.shadow_scales(shares=[0.7]), "at most 0.5"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_the_sharp_corner_keeps_its_loop_along_paths_and_loses_it_straight():
    ds = shapes.shadow_report("isosceles", n=60, reach=0.38, hop=0.26, phase=(0, 0))
    assert ds.betti_shadow.values.tolist() == ds.truth.values.tolist() == [1, 1]
    assert ds.betti_complex.values.tolist() == [1, 1, 0]
    assert bool(ds.proved)
    assert ds.betti_euclidean.values.tolist() == [1, 0, 0]


@pytest.mark.parametrize(("name", "vertices", "arcs"), [("theta", 2, 3), ("bow-tie", 1, 2), ("square", 0, 1)])
def test_a_graph_is_rebuilt_from_the_ways_on(name, vertices, arcs):
    graph = shapes.planar_graph(name)
    found = shapes.reconstruct_graph(shapes.sample_graph(graph, 300), 0.15, 0.04)
    assert (found.vertices, len(found.ends)) == (vertices, arcs)
    assert found.betti == graph.betti


def test_a_graph_in_space_with_a_leaf_is_rebuilt():
    graph = shapes.Graph([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 1], [0, 2], [0, 3]])
    found = shapes.reconstruct_graph(shapes.sample_graph(graph, 150), 0.12, 0.05)
    assert (found.vertices, len(found.ends), found.betti) == (4, 3, (1, 0))


def test_the_phase_diagram_is_made_of_its_entries():
    points = shapes.sample_graph("bow-tie", 40)
    ds = shapes.shadow_phase(points, [0.2, 0.4], [0.3, 0.6], "bow-tie")
    for epsilon in ds.epsilon.values:
        for beta in ds.beta.values:
            one, shadow = ds.sel(epsilon=epsilon, beta=beta), shapes.rips_shadow(points, beta, epsilon=epsilon)
            assert (int(one.pieces), int(one.holes_shadow)) == shadow.betti_shadow
            assert int(one.holes_complex) == shadow.betti_complex[1]
            assert bool(one.proved) == shadow.apex.proved


@pytest.mark.parametrize("name", ["square", "theta", "isosceles", "bow-tie", "grid"])
def test_inside_the_window_of_the_first_theorem_the_complex_is_right(name):
    ds = shapes.theorem_runs((name,), xi=0.249, arranged=0, theorem="T1")
    assert ds.betti_complex.values.tolist() == [[1, shapes.GRAPHS[name].fact("loops"), 0]]
    assert float(ds.density[0]) < 1
    assert 1 < float(ds.distortion[0]) <= float(ds.distortion_limit[0])


@pytest.mark.slow
def test_the_square_inside_the_window_of_the_theorem():
    ds = shapes.theorem_runs(("square",))
    assert ds.betti_complex.values.tolist() == [[1, 1, 0]]
    assert ds.betti_shadow.values.tolist() == [[1, 1]]
