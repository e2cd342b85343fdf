"""Make the shipped results of the directed slices: run ``python data/make_flows_directed.py [name ...]``.

Searches of the largest slice, rules for one mean, flows, and the amortised networks (three seeds). About half an hour
on one core, nearly all of it the networks.
"""

import sys
from pathlib import Path

from workbench import results
from workbench.flows import directed
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "flows"
MADE = {
    "slices": lambda progress: directed.directed_slices("torus", "cube", progress=progress),
    "searches": lambda progress: directed.slice_searches(progress=progress),
    "quadratures": lambda progress: directed.directed_quadratures(progress=progress),
    "driven": lambda progress: directed.directed_flows(progress=progress),
    "amortised": lambda progress: directed.amortisation_study(progress=progress),
}


def main(names: list[str]) -> None:
    """Compute and store the results of the names given, or all."""
    for name in names or MADE:
        path = FOLDER / f"directed_{name}.nc"
        results.save(MADE[name](TqdmProgress(name)), path)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
