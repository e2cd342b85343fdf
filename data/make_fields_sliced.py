"""Make the study behind "Sliced losses": run ``python data/make_fields_sliced.py``; a minute or two on one core."""

from pathlib import Path

from workbench import results
from workbench.fields import generator_study
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "fields"

if __name__ == "__main__":
    results.save(generator_study(progress=TqdmProgress("generators")), FOLDER / "generators.nc")
