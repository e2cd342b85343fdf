"""Make the results behind "Exact transport": run ``python data/make_flows_exact.py``.

The paper's table over ten cost matrices of each kind, a sweep over η, the mass outside the largest entries, and exact
transport from 500 to 50,000 points. About ten minutes on two quiet cores, most of it Sinkhorn's steps. Names of files
as arguments (``sns_sparsity``) make those only.
"""

import sys
from pathlib import Path

from workbench import results
from workbench.flows.exact import exact_scaling, sns_experiment, sparsity_decay
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "flows"
SIZES = (500, 1000, 2000, 4000, 10_000, 20_000, 50_000)


MADE = {
    "exact_scaling": lambda progress: exact_scaling(sizes=SIZES, progress=progress),
    "sns_random": lambda progress: sns_experiment(("random",), repeats=10, sinkhorn_limit=60_000, progress=progress),
    "sns_digits": lambda progress: sns_experiment(
        ("digits-l2", "digits-l1"), repeats=10, sinkhorn_limit=60_000, progress=progress
    ),
    "sns_sparsity": lambda progress: sparsity_decay(etas=(100.0, 1200.0, 1e4), progress=progress),
    "sns_sweep": lambda progress: sns_experiment(
        etas=(10.0, 100.0, 1200.0, 1e4, 1e5),
        variants=("sinkhorn", "sns 2/n", "sns 10/n", "newton"),
        repeats=3,
        newton_limit=50,
        seed=1,
        progress=progress,
    ),
}


def main(names: list[str]) -> None:
    """Compute and store the named results, by default all."""
    FOLDER.mkdir(exist_ok=True)
    for name in names or MADE:
        results.save(MADE[name](TqdmProgress(name)), FOLDER / f"{name}.nc")


if __name__ == "__main__":
    main(sys.argv[1:])
