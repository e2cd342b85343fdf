"""Make the studies behind "Embeddings": run ``python data/make_metrics_embeddings.py``, about 12 minutes on one core.

All 252 ways to halve the ten digits with four losses and three weights of the confusion term; and 63 of them each with
five times as many steps, with the term on normalised embeddings, with the energy of power 1, and with every baseline.
Names after the command (``main``, ``longer``, ``normalised``, ``power``, ``simple``, and ``first``, what two tabs open
with) make these alone.
"""

import sys
from pathlib import Path

import numpy as np
import xarray as xr

from workbench import metrics, results
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "metrics"
EVERY = list(metrics.EMBEDDING_LOSSES)
SIMPLE = list(metrics.EMBEDDING_BASELINES)
STUDIES = {
    "main": {"losses": EVERY, "confusions": (0, 0.13, 1), "splits": 252, "validate": True},
    "longer": {"losses": EVERY, "confusions": (0, 0.13), "splits": 63, "steps": 600, "baselines": ["raw", "random"]},
    "normalised": {"losses": EVERY, "confusions": (0, 0.13, 0.5), "splits": 63, "normalised": True, "baselines": []},
    "power": {"losses": EVERY, "confusions": (0, 0.13, 0.5), "splits": 63, "power": 1, "baselines": []},
    "simple": {"losses": ["binomial"], "confusions": (0, 0.13), "splits": 63, "baselines": SIMPLE},
}


def main(names: list[str]) -> None:
    """Compute and store the studies named, by default all."""
    FOLDER.mkdir(exist_ok=True)
    for name in names or ("first", *STUDIES):
        if name == "first":
            ds = metrics.embedding_report(seen=["0", "1", "2", "3", "4"])
            results.save(small(ds), FOLDER / "embeddings_first.nc")
            results.save(metrics.confusion_sight(), FOLDER / "embeddings_sight.nc")
            continue
        ds = metrics.zero_shot(progress=TqdmProgress(name), **STUDIES[name])
        results.save(small(ds), FOLDER / f"embeddings_{name}.nc")


def small(ds: xr.Dataset) -> xr.Dataset:
    """Return a result with its real variables in single precision."""
    return ds.assign({name: ds[name].astype(np.float32, keep_attrs=True) for name in ds if ds[name].dtype == float})


if __name__ == "__main__":
    main(sys.argv[1:])
