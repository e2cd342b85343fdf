"""Make the shipped results of the saddle searches.

Run ``python data/make_steps_saddles.py``, or name the parts to make: proofs, defaults, basins, planes, clusters, lj13.
An hour on one core, most of it for the cluster of thirteen.
"""

import sys
from pathlib import Path

import xarray as xr

from workbench import results, steps

FOLDER = Path(__file__).resolve().parent / "steps"


def proofs() -> None:
    """Store all stationary points of the plane surfaces; the page looks them up instead of proving them anew."""
    for name in ("mueller-brown", "leps"):
        keep(f"stationary_{name}", steps.stationary_points(name))


def defaults() -> None:
    """Store what the pages show first."""
    keep("saddle_search", steps.saddle_search(start=[-0.4, 1.2]))
    keep("saddle_survey", steps.saddle_survey(most_calls=80))


def basins() -> None:
    """Store where each start leads, and what a training costs."""
    keep("saddle_basins", steps.saddle_basins())
    keep("saddle_pruning", steps.pruning_cost())


def planes() -> None:
    """Store the study of the plane surfaces, whose saddles are proved."""
    methods = ("gp", "gp-all", "gp-dimer", "dimer", "eigenvector-following")
    keep("saddles_planes", steps.saddle_table(("mueller-brown", "leps"), methods, starts=50))


def clusters() -> None:
    """Store the study of the cluster of seven atoms."""
    methods = ("gp", "gp-dimer", "dimer", "eigenvector-following")
    keep("saddles_clusters", steps.saddle_table(("lennard-jones",), methods, starts=50, most_surrogate_calls=60))


def lj13() -> None:
    """Store the study of the cluster of thirteen atoms."""
    methods = ("gp", "dimer", "eigenvector-following")
    keep("saddles_lj13", steps.saddle_table(("lennard-jones-13",), methods, starts=12, most_surrogate_calls=36))


def keep(name: str, ds: xr.Dataset) -> None:
    """Save a result and say how large it is."""
    file = results.save(ds, FOLDER / f"{name}.nc")
    print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB, {ds.attrs['seconds']:.0f} s", flush=True)


PARTS = {part.__name__: part for part in (proofs, defaults, basins, planes, clusters, lj13)}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
