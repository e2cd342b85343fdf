"""Make the results behind "Exact transport": run ``python data/make_flows_exact.py``.

The paper's table over ten cost matrices of each kind, a sweep over η, the mass outside the largest entries, and exact transport from 500 to 50,000 points.
About ten minutes on two quiet cores, most of it Sinkhorn's steps.
"""

from pathlib import Path

from workbench import results
from workbench.flows.exact import exact_scaling, sns_experiment, sparsity_decay
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "flows"
SIZES = (500, 1000, 2000, 4000, 10_000, 20_000, 50_000)


def main() -> None:
    """Compute and store the results."""
    FOLDER.mkdir(exist_ok=True)
    results.save(exact_scaling(sizes=SIZES, progress=TqdmProgress("sizes")), FOLDER / "exact_scaling.nc")
    for name, cases in (("sns_random", ("random",)), ("sns_digits", ("digits-l2", "digits-l1"))):
        table = sns_experiment(cases, repeats=10, sinkhorn_limit=60_000, progress=TqdmProgress(name))
        results.save(table, FOLDER / f"{name}.nc")
    large = sparsity_decay(etas=(100.0, 1200.0, 1e4), progress=TqdmProgress("sparsity"))
    results.save(large, FOLDER / "sns_sparsity.nc")
    sweep = sns_experiment(
        etas=(10.0, 100.0, 1200.0, 1e4, 1e5),
        variants=("sinkhorn", "sns 2/n", "sns 10/n", "newton"),
        repeats=3,
        newton_limit=50,
        seed=1,
        progress=TqdmProgress("sweep"),
    )
    results.save(sweep, FOLDER / "sns_sweep.nc")


if __name__ == "__main__":
    main()
