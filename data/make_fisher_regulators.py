"""Make the results behind "Regulators": run ``python data/make_fisher_regulators.py``.

The paper's claims on twelve Fisher matrices, and regimes of exact Ising tori up to 256 × 256 along two paths. About a
minute on one core.
"""

from pathlib import Path

import numpy as np

from workbench import fisher, results
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "fisher"
SIDES = (8, 16, 32, 64, 128, 256)


def main() -> None:
    """Compute and store the results."""
    results.save(fisher.regulator_study(progress=TqdmProgress("study")), FOLDER / "regulators.nc")
    around = np.unique(np.concatenate([np.linspace(0.05, 0.7, 27), fisher.J_CRITICAL + np.array([-0.01, 0.0, 0.01])]))
    for name, path, couplings in (
        ("regulators_torus", "coupling", around),
        ("regulators_critical", "critical line", np.linspace(0.1, 0.9, 25)),
    ):
        found = fisher.torus_regimes(SIDES, couplings, path, progress=TqdmProgress(name))
        results.save(found, FOLDER / f"{name}.nc")


if __name__ == "__main__":
    main()
