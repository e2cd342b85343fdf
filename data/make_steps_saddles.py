"""Make the shipped results of the saddle searches.

Run ``python data/make_steps_saddles.py``, or name the parts to make: defaults, planes, clusters. Some ten minutes on
one core.
"""

import sys
from pathlib import Path

import xarray as xr

from workbench import results, steps

FOLDER = Path(__file__).resolve().parent / "steps"


def defaults() -> None:
    """Store what the page shows first."""
    keep("saddle_search", steps.saddle_search(start=[-0.4, 1.2]))
    keep("saddle_basins", steps.saddle_basins())
    keep("saddle_pruning", steps.pruning_cost())


def planes() -> None:
    """Store the study of the plane surfaces, whose saddles are proved."""
    methods = ("gp", "gp-all", "gp-dimer", "dimer", "eigenvector-following")
    keep("saddles_planes", steps.saddle_table(("mueller-brown", "leps"), methods, starts=50))


def clusters() -> None:
    """Store the study of the cluster of seven atoms."""
    methods = ("gp", "dimer", "eigenvector-following")
    keep("saddles_clusters", steps.saddle_table(("lennard-jones",), methods, starts=12, most_surrogate_calls=60))


def keep(name: str, ds: xr.Dataset) -> None:
    """Save a result and say how large it is."""
    file = results.save(ds, FOLDER / f"{name}.nc")
    print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB, {ds.attrs['seconds']:.0f} s", flush=True)


PARTS = {"defaults": defaults, "planes": planes, "clusters": clusters}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
