"""The certified Bures–Wasserstein mean beside POT's fixed point, in one run: time as ratios, and what each reaches.

    python benchmarks/flows_covariances.py [--quick]

CPU time, the best of interleaved rounds: noise only ever adds. POT stops at a movement of 1e-8, ours at a certified gap
of 1e-12; the excess of POT's V is taken against ours.
"""

import argparse
import contextlib
import io
import time
import warnings

import numpy as np
import ot

from workbench import flows

SIZES = ((30, 4), (30, 12), (100, 20))
CONDITIONS = (1e2, 1e4, 1e6, 1e8)


def pot(x: np.ndarray) -> np.ndarray:
    """Return POT's fixed point."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return ot.gaussian.bures_barycenter_fixpoint(x, eps=1e-8, num_iter=2000)


def main() -> None:
    """Print one row a size and condition."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, one size")
    quick = parser.parse_args().quick
    print("| N | n | condition | ours, ms | steps | gap ÷ V | POT, ms | POT ÷ ours | POT: excess of V |")
    print("|---|---|---|---|---|---|---|---|---|")
    for count, n in SIZES[: 1 if quick else None]:
        for condition in CONDITIONS:
            x = flows.random_covariances(count, n, condition=condition)
            best = {"ours": np.inf, "pot": np.inf}
            for _ in range(1 if quick else 5):
                for name, run in (("ours", flows.bures_mean), ("pot", pot)):
                    start = time.process_time()
                    found = run(x)
                    best[name] = min(best[name], time.process_time() - start)
                    if name == "ours":
                        ours = found
            excess = float(np.mean(flows.bures_distance(found, x))) / ours.value - 1
            print(
                f"| {count} | {n} | {condition:.0e} | {1e3 * best['ours']:.1f} | {ours.iterations} | "
                f"{ours.gap / ours.value:.1e} | {1e3 * best['pot']:.1f} | {best['pot'] / best['ours']:.2g} | "
                f"{excess:.1e} |"
            )


if __name__ == "__main__":
    main()
