"""Make the results behind "Signals": run ``python data/make_metrics_signals.py``.

The mixture of photographs' patches, its studies of distortions and of masking, and the recognition of digits. About two
minutes on two cores.
"""

from pathlib import Path

import numpy as np

from workbench import results
from workbench.metrics import fit_mixture, masking_study, photograph_study, recognition_study
from workbench.metrics.signals.photographs import training_patches
from workbench.metrics.signals.pictures import QUANTISED
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "metrics"


def main() -> None:
    """Compute and store the results."""
    FOLDER.mkdir(exist_ok=True)
    made = fit_mixture(training_patches(), components=8, floor=QUANTISED)
    results.save(made, FOLDER / "signals_patches.nc")
    photographs = photograph_study(crops=4, samples=128, progress=TqdmProgress("photographs"))
    images = np.round(np.clip(photographs.image, 0, 1) * 255).astype(np.uint8)  # as a picture is stored
    photographs["image"] = images.assign_attrs(long_name="grey values, of 255", units="1")
    results.save(photographs, FOLDER / "signals_photographs.nc")
    results.save(masking_study(progress=TqdmProgress("masking")), FOLDER / "signals_masking.nc")
    results.save(recognition_study(samples=32, progress=TqdmProgress("digits")), FOLDER / "signals_digits.nc")


if __name__ == "__main__":
    main()
