"""Shadows next to shapely's floats, complexes next to gudhi: equal values first, then time as ratios.

    python benchmarks/shapes_shadow.py [--quick] [--write]

The rivals are installed in an environment of the benchmark's own, not ours, which reads NumPy and SciPy from ours; all
runs are in one process there, CPU seconds of one thread, the best of interleaved rounds.
"""

import argparse
import sys
import time

from report import best_of, finish, heading
from rivals import run_with

PACKAGES = ("shapely==2.1.2", "gudhi==3.13.0")


def by_shapely(points, edges) -> int:
    """Count holes as one would with shapely: the faces of all lines that the union of the triangles does not cover."""
    import numpy as np
    import shapely

    from workbench.shapes.shadow.faces import triangles

    sides = triangles(edges)
    corners = [np.unique(edges[row]) for row in sides]
    parts = [shapely.Polygon(points[row]) for row in corners] + [shapely.LineString(points[e]) for e in edges]
    lines = shapely.union_all([*(part.exterior for part in parts[: len(corners)]), *parts[len(corners) :]])
    filled = shapely.union_all(parts[: len(corners)])
    cells = shapely.polygonize([lines]).geoms
    return sum(not filled.covers(cell.representative_point()) for cell in cells)


def by_gudhi(points, edges, collapse: bool = True) -> tuple[int, ...]:
    """Count Betti numbers (b₀, b₁, b₂) with gudhi."""
    import gudhi
    import numpy as np

    tree = gudhi.SimplexTree()
    tree.insert_batch(np.arange(len(points))[None], np.zeros(len(points)))
    if len(edges):
        tree.insert_batch(edges.T.astype(np.int32), np.zeros(len(edges)))
    if collapse:
        tree.collapse_edges()
    tree.expansion(3)
    tree.compute_persistence(homology_coeff_field=2, min_persistence=-1, persistence_dim_max=True)
    return (*tree.betti_numbers(), 0, 0, 0)[:3]


def values(samples: int) -> list[str]:
    """Compare the numbers on random complexes of the plane, where a theorem makes all of them equal."""
    import numpy as np

    from workbench import shapes

    rng = np.random.default_rng(0)
    wrong = {"exact shadow": 0, "shapely": 0, "own complex": 0}
    for _ in range(samples):
        shadow = shapes.rips_shadow(rng.random((30, 2)), rng.uniform(0.15, 0.3))
        truth = by_gudhi(shadow.points, shadow.edges)
        wrong["exact shadow"] += shadow.betti_shadow != truth[:2]
        wrong["shapely"] += by_shapely(shadow.points, shadow.edges) != truth[1]
        wrong["own complex"] += shadow.betti_complex != truth
    told = ", ".join(f"{name} {count}" for name, count in wrong.items())
    return [
        f"Betti numbers (of shapely: holes) other than gudhi's in {samples} random Euclidean complexes: {told}.",
        "",
    ]


def times(sizes: list[float], rounds: int) -> list[str]:
    """Compare the time for one sampled graph as β grows."""
    from workbench import shapes

    rows = ["| β | crossings | exact, ms | apex ÷ exact | shapely ÷ exact | own complex, ms | gudhi ÷ own |"]
    rows.append("|---" * 7 + "|")
    points = shapes.sample_graph("theta", 80, noise=0.01, seed=0)
    for beta in sizes:
        plain = shapes.rips_shadow(points, beta, epsilon=0.3)

        def fresh(plain=plain):
            return shapes.Shadow(plain.points, plain.edges, plain.beta, plain.epsilon)

        apex = fresh()
        assert apex.betti_shadow
        actions = {
            "exact": lambda fresh=fresh: fresh().betti_shadow,
            "apex": lambda fresh=fresh: fresh().apex.proved,
            "shapely": lambda plain=plain: by_shapely(plain.points, plain.edges),
            "own": lambda fresh=fresh: fresh().betti_complex,
            "gudhi": lambda plain=plain: by_gudhi(plain.points, plain.edges),
        }
        taken, found = best_of(rounds, actions, time.process_time)
        assert found["own"] == found["gudhi"]
        ratios = [taken["apex"] / taken["exact"], taken["shapely"] / taken["exact"]]
        cells = [f"{beta}", f"{apex.arrangement.crossings:,}", f"{1e3 * taken['exact']:.1f}"]
        cells += [f"{ratio:.1f}" for ratio in ratios]
        cells += [f"{1e3 * taken['own']:.2f}", f"{taken['gudhi'] / taken['own']:.1f}"]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def main() -> None:
    """Run in the rivals' environment, or, called from ours, make it and go there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--write", action="store_true", help="keep the tables in benchmarks/results")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not given.inside:
        sys.exit(run_with("shadow", PACKAGES, __file__))
    sizes, rounds = ([0.4, 0.6], 2) if given.quick else ([0.4, 0.6, 0.8, 1.0], 5)
    lines = heading("Graphs from samples", "python benchmarks/shapes_shadow.py --write", ("numba", "shapely", "gudhi"))
    lines += [*values(20 if given.quick else 160), *times(sizes, rounds)]
    finish("shapes_shadow", lines, write=given.write)


if __name__ == "__main__":
    main()
