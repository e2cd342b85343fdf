"""Make the precomputed results on rewards: run ``python data/make_metrics_rewards.py``, about a minute on one core.

The comparison that the tab opens with, the correlations with regret, the bounds over random MDPs, the fooling pairs.
"""

from pathlib import Path

from workbench import metrics, results
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "metrics"


def main() -> None:
    """Compute and store all four."""
    FOLDER.mkdir(exist_ok=True)
    results.save(metrics.grid_rewards(), FOLDER / "rewards_lake.nc")
    results.save(metrics.fooled_distances(), FOLDER / "rewards_fooled.nc")
    results.save(metrics.regret_bounds(progress=TqdmProgress("bounds")), FOLDER / "rewards_bounds.nc")
    found = metrics.regret_correlations(mdps=64, progress=TqdmProgress("correlations"))
    results.save(found, FOLDER / "rewards_correlations.nc")


if __name__ == "__main__":
    main()
