"""Make the precomputed results on covariances: run ``python data/make_flows_covariances.py``.

What the released batch normalisation breaks, condition by condition, and the classification study with ten seeds. Some
twenty minutes on one core, nearly all of it the study.
"""

from pathlib import Path

from workbench import flows, results
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "flows"


def main() -> None:
    """Compute and store both results."""
    FOLDER.mkdir(exist_ok=True)
    audit = flows.batchnorm_audit(repeats=3, progress=TqdmProgress("audit"))
    results.save(audit, FOLDER / "covariances_audit.nc")
    study = flows.spd_batchnorm_study(progress=TqdmProgress("study"))
    results.save(study, FOLDER / "covariances_study.nc")


if __name__ == "__main__":
    main()
