"""Make the studies behind "Web": run ``python data/make_fisher_entropic.py``.

Many random fields, lognormal and Zel'dovich, in two and three dimensions, against the closed forms. About two minutes
on two cores.
"""

from pathlib import Path

from workbench import results
from workbench.fisher import web_study
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "fisher"
CUBE = {"shape": (96, 96, 96), "smoothing": 0.03, "probe": 0.05}


def main() -> None:
    """Compute and store the results."""
    studies = {
        "web_2d": {"fields": 20},
        "web_zeldovich": {"kind": "zeldovich", "sigma": 0.25, "fields": 20},
        "web_3d_03": {**CUBE, "sigma": 0.3, "fields": 24},
        "web_3d_10": {**CUBE, "sigma": 1.0, "fields": 24},
        "web_3d_20": {**CUBE, "sigma": 2.0, "fields": 24},
    }
    for name, arguments in studies.items():
        results.save(web_study(**arguments, progress=TqdmProgress(name)), FOLDER / f"{name}.nc")


if __name__ == "__main__":
    main()
