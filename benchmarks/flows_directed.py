"""Directed slices: the certified largest slice next to POT's best of random directions, rules for one mean.

    python benchmarks/flows_directed.py [--quick] [--write]

CPU time of one thread, the best of several rounds. POT returns the best of L random directions and no bound; it is
given 10, 100 and 1000 of them.
"""

import time
import warnings

import numpy as np
import ot
from report import finish, heading, options

from workbench import clouds, flows, transport


def cpu(function, rounds: int) -> tuple[float, object]:
    """Return the least CPU time of a call and its last result."""
    best, found = np.inf, None
    for _ in range(rounds):
        started = time.process_time()
        found = function()
        best = min(best, time.process_time() - started)
    return best, found


def largest(sizes: list[int], rounds: int) -> list[str]:
    """Compare value and time of the largest slice."""
    rows = [
        "## The largest slice, torus → cube",
        "",
        "| n | method | value ÷ certified | bound | slices | ms | ÷ ours |",
    ]
    rows.append("|---|---|---|---|---|---|---|")
    for n in sizes:
        x, y = clouds.cloud("torus", n), clouds.cloud("cube", n, seed=1)
        ours, top = cpu(lambda x=x, y=y: transport.max_sliced_wasserstein(x, y), rounds)
        proof = f"1 + {top.gap / top.value:.0e}"
        rows.append(f"| {n} | branch and bound | 1 | {proof} | {top.evaluations} | {1e3 * ours:.1f} | 1 |")
        for number in (10, 100, 1000):
            seconds, value = cpu(
                lambda x=x, y=y, k=number: ot.max_sliced_wasserstein_distance(x, y, n_projections=k, seed=0), rounds
            )
            share = float(value) ** 2 / top.value
            rows.append(
                f"| {n} | POT, best of random | {share:.3f} | — | {number} | {1e3 * seconds:.1f} "
                f"| {seconds / ours:.2f} |"
            )
    return [*rows, ""]


def means(repeats: int) -> list[str]:
    """Compare the error of one directed mean at equal directions."""
    ds = flows.directed_quadratures(n=500, repeats=repeats)
    rows = ["## One mean over vMF(ε, κ), 100 directions: relative error, worst of three pairs", ""]
    rows += [f"| κ | {' | '.join(str(r) for r in ds.rule.values)} |", "|---" * (1 + ds.sizes["rule"]) + "|"]
    for kappa in ds.kappa.values:
        errors = ds.relative_rmse.sel(kappa=kappa).max("pair").values
        rows.append(f"| {kappa:g} | {' | '.join(f'{e:.1e}' for e in errors)} |")
    return [*rows, ""]


def main() -> None:
    """Run the benchmark and print its tables."""
    given = options(__doc__)
    quick = given.quick
    warnings.simplefilter("ignore")
    lines = heading("Directed slices", "python benchmarks/flows_directed.py --write", ("numpy", "numba", "POT"))
    lines += largest([500] if quick else [500, 2000, 10_000], 2 if quick else 5)
    lines += means(20 if quick else 100)
    finish("flows_directed", lines, write=given.write)


if __name__ == "__main__":
    main()
