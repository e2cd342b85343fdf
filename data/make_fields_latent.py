"""Make what "Latent" opens with and the studies behind it: ``python data/make_fields_latent.py``; minutes on one core.

Words name parts: ``first`` (what the tabs open with), ``mixture``, ``network`` (the studies of best dimensions with
each learner), ``codecs``; without any, all are made. ``--quick --folder F`` makes all of them small, in seconds.
"""

import argparse
from pathlib import Path

import torch

from workbench import results
from workbench.fields import best_dimension, codec_study, dimension_study, latent_flow
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "fields"
PARTS = ("first", "mixture", "network", "codecs")


def main(arguments: list[str] | None = None) -> None:
    """Make the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="two seeds, few points and dimensions")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to put the files")
    given = parser.parse_args(arguments)
    if set(given.parts) - set(PARTS):
        parser.error(f"parts are {', '.join(PARTS)}")
    if given.quick and given.folder == FOLDER:
        parser.error("--quick needs a --folder of its own; the shipped files are of the full length")
    torch.set_num_threads(1)
    given.folder.mkdir(parents=True, exist_ok=True)
    parts = given.parts or PARTS
    small = {"dims": (2, 4), "paths": 100} if given.quick else {}
    if "first" in parts:
        for points in (150, 600, 4000):
            results.save(best_dimension(points=points, **small), given.folder / f"latent_{points}.nc")
        for codec in ("pca", "autoencoder"):
            results.save(latent_flow(codec=codec), given.folder / f"latent_{codec}.nc")
    few = {"points": (60, 100), "seeds": (0, 1)} if given.quick else {}
    for learner, name in (("mixture", "latent_study"), ("network", "latent_networks")):
        if learner in parts:
            study = dimension_study(learner=learner, progress=TqdmProgress(learner), **few, **small)
            results.save(study, given.folder / f"{name}.nc")
    if "codecs" in parts:
        few = {"dims": (2, 4), "seeds": (0, 1)} if given.quick else {}
        results.save(codec_study(progress=TqdmProgress("codecs"), **few), given.folder / "latent_codecs.nc")


if __name__ == "__main__":
    main()
