"""Make the precomputed results on correspondences: run ``python data/make_shapes_correspondences.py`` (half an hour).

With names ("first", "methods", "term") only those are made. One thread computes, so a second run gives the same bits;
each seed of the study of the transport term stands by itself, and those that are there already are kept.
"""

import json
import sys
from pathlib import Path

import torch
import xarray as xr

from workbench import data, results, shapes
from workbench.progress import Progress, TqdmProgress

FOLDER = Path(__file__).resolve().parent / "shapes"
SEEDS = tuple(range(18))


def term(progress: Progress) -> xr.Dataset:
    """Measure the transport term for the seeds that are not yet in the file, and put them behind those that are."""
    path = FOLDER / "correspondences_term.nc"
    if not path.exists():
        return shapes.transport_term_study(seeds=SEEDS, progress=progress)
    there = data.result("shapes/correspondences_term.nc")
    missing = [seed for seed in SEEDS if seed not in there.seed.values]
    if not missing:
        return there
    more = shapes.transport_term_study(seeds=missing, progress=progress)
    settings = json.loads(more.attrs["parameters"])
    joined = xr.concat([there, more], "seed", combine_attrs="drop_conflicts", data_vars="minimal")
    seconds = float(there.attrs["seconds"]) + float(more.attrs["seconds"])
    parameters = json.dumps(settings | {"seeds": joined.seed.values.tolist()})
    return joined.assign_attrs({**more.attrs, "seconds": seconds, "parameters": parameters})


MADE = {
    "first": lambda progress: shapes.correspondence_report(progress=progress),
    "methods": lambda progress: shapes.matcher_study(progress=progress),
    "term": term,
}


def main() -> None:
    """Compute and store all of them, or those that are named."""
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or MADE:
        results.save(MADE[name](TqdmProgress(name)), FOLDER / f"correspondences_{name}.nc")


if __name__ == "__main__":
    main()
