"""Fits next to SciPy's and scikit-learn's own: equal values first, then time as ratios, and memory as the work grows.

    python benchmarks/shapes_fits.py [--quick] [--write]

All rivals are among our dependencies; runs are in one process, CPU seconds of one thread, the best of rounds in which
they take turns. tiny-cuda-nn (instant-NGP, and the paper's code) needs a graphics card by NVIDIA and is not run.
"""

import argparse
import time
import tracemalloc

import numpy as np
from report import best_of, finish, heading
from scipy.interpolate import make_lsq_spline
from scipy.sparse.linalg import lsqr, spsolve
from sklearn.linear_model import RidgeCV

from workbench import shapes
from workbench.shapes.fits.bases import bspline_knots
from workbench.shapes.fits.ridge import engine_for, fit_ridge


def splines(sizes: list[int], rounds: int) -> list[str]:
    """Compare least-squares cubic splines of one coordinate with SciPy's make_lsq_spline."""
    family = shapes.FITS["bspline"].fact("family")
    rows = [
        "| cubic splines of x | samples | ours, ms | make_lsq_spline ÷ ours | largest difference |",
        "|---" * 5 + "|",
    ]
    for count in sizes:
        x = np.sort(np.random.default_rng(0).uniform(-1, 1, 20 * count))
        y = np.sin(20 * x**2)
        design = family.design(x[:, None], (count,))
        engine = engine_for(design)

        def ours(design=design, y=y):
            engine = engine_for(design)
            c = engine.solve(1e-13 * engine.scale, np.asarray(design.matrix.T @ y[:, None]))
            return design.matrix @ c[:, 0]

        def theirs(x=x, y=y, count=count):
            return make_lsq_spline(x, y, bspline_knots(count, 3), 3)(x)

        taken, values = best_of(rounds, {"ours": ours, "theirs": theirs}, time.process_time)
        apart = np.abs(values["ours"] - values["theirs"]).max()
        assert engine.scale > 0
        assert apart < 1e-6
        ratio = taken["theirs"] / taken["ours"]
        rows.append(f"| {count} | {len(x):,} | {1e3 * taken['ours']:.2f} | {ratio:.1f} | {apart:.0e} |")
    return [*rows, ""]


def ridges(sides: list[int], rounds: int) -> list[str]:
    """Compare the leave-one-out ridge of a picture's grid with RidgeCV, and one solution with SciPy's."""
    rows = [
        "| grid | numbers | leave-one-out, ms | RidgeCV ÷ ours | error | one λ, ms | spsolve ÷ ours | lsqr ÷ ours | "
        "memory, MB |",
        "|---" * 9 + "|",
    ]
    target = shapes.signal("temple", 64)
    training = ~target.held(0.5, 0)
    values = target.values[training] - 0.5
    for name in ("linear", "bspline"):
        family = shapes.FITS[name].fact("family")
        for side in sides:
            design = family.design(target.points[training], (side,))
            engine = engine_for(design)
            lam = 0.01 * engine.scale
            right = np.asarray(design.matrix.T @ values)
            alphas = engine.scale * 10.0 ** np.arange(-9, 1.01, 1.0)

            def ours(design=design):
                return fit_ridge(design, values).loo

            def sklearn(design=design, alphas=alphas):
                found = RidgeCV(alphas, fit_intercept=False, store_cv_results=True).fit(design.matrix.toarray(), values)
                return float(found.cv_results_.mean(axis=(0, 1)).min())

            def one(design=design, lam=lam, right=right):
                return engine_for(design).solve(lam, right)

            def sparse_lu(design=design, lam=lam, right=right):
                from scipy.sparse import eye_array

                gram = (design.matrix.T @ design.matrix + lam * eye_array(right.shape[0])).tocsc()
                return spsolve(gram, right)

            def iterative(design=design, lam=lam):
                made = [
                    lsqr(design.matrix, v, damp=lam**0.5, atol=1e-10, btol=1e-10, iter_lim=5000)[0] for v in values.T
                ]
                return np.array(made).T

            actions = {"ours": ours, "sklearn": sklearn, "one": one, "lu": sparse_lu, "lsqr": iterative}
            taken, found = best_of(rounds, actions, time.process_time)
            assert np.allclose(found["one"], found["lu"], atol=1e-8)
            assert np.allclose(found["one"], found["lsqr"], atol=1e-4)
            tracemalloc.start()
            ours()
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            cells = [name, f"{3 * side**2:,}", f"{1e3 * taken['ours']:.0f}", f"{taken['sklearn'] / taken['ours']:.1f}"]
            cells += [f"{found['ours'] / found['sklearn'] - 1:+.1%}", f"{1e3 * taken['one']:.1f}"]
            cells += [f"{taken['lu'] / taken['one']:.1f}", f"{taken['lsqr'] / taken['one']:.1f}", f"{peak / 1e6:.0f}"]
            rows.append(f"| {' | '.join(cells)} |")
    return [*rows, ""]


def trained(steps: int, seeds: int) -> list[str]:
    """Compare trained grids with closed forms at equal numbers: quality on both halves, and time."""
    ds = shapes.compare_fits("temple", seeds=seeds, steps=steps)
    base = float(ds.fit_seconds.sel(fit="bspline").mean())
    rows = [
        f"| {steps} steps, {seeds} seeds | numbers | seen, dB | unseen, dB | time ÷ cubic splines |",
        "|---" * 5 + "|",
    ]
    for k, name in enumerate(ds.fit.values):
        one = ds.sel(fit=name).isel(signal=0, budget=0)
        seen, unseen = (one.psnr.sel(part=part) for part in ("training", "held out"))
        rows.append(
            f"| {ds.label.values[k]} | {int(one.parameters_used[0]):,} | "
            f"{float(seen.mean()):.2f} ± {float(seen.std()):.2f} | "
            f"{float(unseen.mean()):.2f} ± {float(unseen.std()):.2f} | {float(one.fit_seconds.mean()) / base:.1f} |"
        )
    return rows


def main() -> None:
    """Run all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--write", action="store_true", help="keep the tables in benchmarks/results")
    given = parser.parse_args()
    rounds = 2 if given.quick else 3
    lines = heading("Fits", "python benchmarks/shapes_fits.py --write", ("numpy", "scipy", "scikit-learn", "torch"))
    lines += splines([50, 200] if given.quick else [50, 200, 800, 3200], rounds)
    lines += ridges([12, 20] if given.quick else [20, 32, 44], rounds)
    lines += trained(*((50, 1) if given.quick else (300, 3)))
    finish("shapes_fits", lines, write=given.write)


if __name__ == "__main__":
    main()
