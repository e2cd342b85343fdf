"""Make what "Latent" opens with and the study behind it: ``python data/make_fields_latent.py``; minutes on one core."""

from pathlib import Path

from workbench import results
from workbench.fields import best_dimension, dimension_study, latent_flow
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "fields"

if __name__ == "__main__":
    for points in (150, 600, 4000):
        results.save(best_dimension(points=points), FOLDER / f"latent_{points}.nc")
    for codec in ("pca", "autoencoder"):
        results.save(latent_flow(codec=codec), FOLDER / f"latent_{codec}.nc")
    results.save(dimension_study(progress=TqdmProgress("dimensions")), FOLDER / "latent_study.nc")
