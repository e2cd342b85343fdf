"""Matching two surfaces next to pyfmaps: equal errors first, then time as ratios.

    python benchmarks/shapes_correspondences.py [--quick] [--write]

pyfmaps (imported as ``pyFM``) is what a user would pick. It is installed in an environment of the benchmark's own, not
ours, which reads NumPy and SciPy from ours; all runs are in one process there, CPU seconds of one thread, the best of
interleaved rounds. Both get the same meshes, the same number of eigenfunctions and the same initial map.
"""

import argparse
import sys
import time

from report import best_of, finish, heading
from rivals import run_with

PACKAGES = ("pyfmaps==1.3.1",)
K, K_FINAL, STEP = 30, 80, 5


def pyfm_spectrum(mesh, k: int):
    """Return pyFM's mesh of area 1 with its spectrum, of the same cotangent Laplacian."""
    import numpy as np
    from pyFM.mesh import TriMesh

    made = TriMesh(mesh.vertices / np.sqrt(mesh.area), mesh.faces)
    made.process(k=k, intrinsic=False, verbose=False)
    return made


def rows(name: str, n: int, rounds: int) -> list[str]:
    """Compare spectrum, ZoomOut and the whole way for one pair."""
    import numpy as np
    from pyFM.refine.zoomout import zoomout_refine

    from workbench import shapes
    from workbench.progress import Progress
    from workbench.shapes.correspondences import maps
    from workbench.shapes.correspondences.laplacian import basis
    from workbench.shapes.correspondences.matching import described, initial_map

    pair = shapes.shape_pair(name, n)
    x, y = basis(pair.x, 100), basis(pair.y, 100)
    c = initial_map(x, y, *described(x, y, "wks"), K, 10.0)
    first, second = pyfm_spectrum(pair.x, 100), pyfm_spectrum(pair.y, 100)

    def error(points) -> float:
        from workbench.shapes.correspondences.quality import all_distances

        return 100 * float(all_distances(pair.x)[pair.truth, points] @ pair.y.masses / pair.y.area)

    def own() -> np.ndarray:
        refined = maps.zoomed(c, x, y, K_FINAL, STEP, Progress())
        return maps.to_points(refined, x, y)

    def theirs() -> np.ndarray:
        # pyFM's map goes the same way (functions of X to functions of Y); return_p2p gives Y → X
        _, points = zoomout_refine(
            c, x.functions, y.functions, nit=(K_FINAL - K) // STEP, step=STEP, A2=y.masses, return_p2p=True, n_jobs=1
        )
        return points

    spectra = {
        "own": lambda: basis(pair.x, 100),
        "pyfmaps": lambda: pyfm_spectrum(pair.x, 100),
    }
    taken, _ = best_of(rounds, spectra, time.process_time)
    refined, points = best_of(rounds, {"own": own, "pyfmaps": theirs}, time.process_time)
    gap = float(np.median(np.abs(np.asarray(first.eigenvalues[1:60]) / x.values[1:60] - 1)))
    assert len(second.eigenvalues) == 100
    cells = [
        name,
        f"{len(pair.x.vertices)}/{len(pair.y.vertices)}",
        f"{1e3 * taken['own']:.0f}",
        f"{taken['pyfmaps'] / taken['own']:.2f}",
        f"{gap:.1e}",
        f"{1e3 * refined['own']:.0f}",
        f"{refined['pyfmaps'] / refined['own']:.2f}",
        f"{error(points['own']):.3f}",
        f"{error(points['pyfmaps']):.3f}",
        f"{np.mean(points['own'] == points['pyfmaps']):.1%}",
    ]
    return [f"| {' | '.join(cells)} |"]


def main() -> None:
    """Run in the rivals' environment, or, called from ours, make it and go there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--write", action="store_true", help="keep the tables in benchmarks/results")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not given.inside:
        sys.exit(run_with("correspondences", PACKAGES, __file__))
    sizes, rounds = ([300], 2) if given.quick else ([300, 700, 1500], 5)
    head = [
        "pair",
        "vertices",
        "spectrum, ms",
        "pyfmaps ÷ own",
        "eigenvalues apart",
        "ZoomOut, ms",
        "pyfmaps ÷ own",
        "error ×100",
        "pyfmaps",
        "same vertex",
    ]
    command = "python benchmarks/shapes_correspondences.py --write"
    lines = heading("Correspondences", command, ("numpy", "scipy", "pyfmaps"))
    lines += [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [row for n in sizes for name in ("helicoid-catenoid", "remeshed") for row in rows(name, n, rounds)]
    finish("shapes_correspondences", lines, write=given.write)


if __name__ == "__main__":
    main()
