"""Make the results behind "Rankings": run ``python data/make_metrics_rankings.py``.

The drift of two groups under repairs, in the paper's set-up and three controls, and the check of the error bars. About
a minute on two cores.
"""

from pathlib import Path

import numpy as np

from workbench import results
from workbench.metrics import interval_study, repair_drift
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "metrics"


def main() -> None:
    """Compute and store the results."""
    FOLDER.mkdir(exist_ok=True)
    for name, settings in (
        ("rankings_drift", {"n": 400, "auroc": 0.85}),
        ("rankings_drift_small", {"n": 200, "auroc": 0.85}),
        ("rankings_drift_weak", {"n": 200, "auroc": 0.65}),
    ):
        drift = repair_drift(seeds=400, progress=TqdmProgress(name), **settings)
        results.save(drift.astype(np.float32, keep_attrs=True).drop_vars("final_change"), FOLDER / f"{name}.nc")
    study = interval_study(samples=1000, progress=TqdmProgress("intervals"))
    results.save(study, FOLDER / "rankings_intervals.nc")


if __name__ == "__main__":
    main()
