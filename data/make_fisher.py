"""Make the small results in data/fisher again: python data/make_fisher.py [name ...]

Names are the files without suffix; without a name everything is made. ``beyond`` takes minutes and up to 5 GB; tests
recompute parts of every file. The sides past 128 in ``torus`` were computed on a graphics card and are read from
``card.json``, which ``benchmarks/fisher_card.py --out`` wrote there; two cores take up to ten minutes for one of them.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from workbench import fisher, results
from workbench.fisher.metric import metric_in_space, pairs
from workbench.fisher.scaling import scaling_dataset
from workbench.fisher.shipped import NAMES
from workbench.fisher.torus import torus as lattice
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).parent / "fisher"
SIDES = (*range(3, 25), 28, 32, 36, 40, 48, 56, 64, 80, 96, 112, 128)
FURTHER = (128, 256, 512, 1024, 2048)
SAMPLED = {
    "ising-3d": {3: 40_000, 4: 40_000, 5: 20_000, 6: 20_000, 7: 10_000, 8: 5000},
    "potts-3": {4: 40_000, 6: 40_000, 7: 40_000, 8: 40_000, 10: 20_000, 12: 20_000, 16: 10_000},
    "potts-4": {4: 40_000, 6: 40_000, 8: 40_000, 10: 20_000, 12: 20_000, 16: 10_000},
}
"""Sides and samples from each of eight chains, two sweeps apart."""


def torus() -> xr.Dataset:
    """Exact curvature at J_c for every side that the page shows, the largest from the record of a card."""
    near = fisher.curvature_scaling(SIDES, progress=TqdmProgress("torus"))
    record = json.loads((FOLDER / "card.json").read_text())
    far = {int(L): values for L, values in record["values"].items() if int(L) > SIDES[-1]}
    for L, values in far.items():
        if abs(values["trace_norm"] / fisher.trace_norm(L) - 1) > 1e-11:
            raise ValueError(f"card.json holds another ‖tr T‖² at L = {L} than this machine finds")
    sides = [*SIDES, *far]
    values = {name: np.append(near[name].values, [far[L][name] for L in far]) for name in NAMES}
    rows = np.append(near.row_sum.values, [metric_in_space(pairs(lattice(L)))[0].sum() for L in far])
    card = f"torch {record['torch']}, {record['card']}"
    engines = np.array(["pfaffian, processor"] * len(SIDES) + [card] * len(far))
    extra = {
        "row_sum": (("L",), rows, "row sum of the metric Σ_b F_ab"),
        "engine": (("L",), engines, "engine that found ‖T‖², and where it ran"),
    }
    return results.stamp(
        scaling_dataset(sides, values, extra), near.attrs["function"], {"sizes": sides}, seconds=near.attrs["seconds"]
    )


def beyond() -> xr.Dataset:
    """The large-size combination: exact trace term, extrapolated ‖T‖²."""
    return fisher.extrapolated_curvature(FURTHER, anchors=(16, 20, 24, 32, 48, 64, 96), progress=TqdmProgress("beyond"))


def slice_() -> xr.Dataset:
    """A slice of the third cumulant at L = 32."""
    return fisher.third_cumulant(32, dx=3)


def across() -> xr.Dataset:
    """Curvature across the transition at L = 16."""
    return fisher.coupling_sweep(16, 0.3, 0.6, 61)


def lattice_() -> xr.Dataset:
    """A short run whose lattice and estimate the live tab opens with."""
    return fisher.live_curvature("ising-2d", 16, samples=1024)


def other_models() -> xr.Dataset:
    """|R| of the models without exact solution, by cluster Monte Carlo."""
    return fisher.monte_carlo_survey(SAMPLED, progress=TqdmProgress("other models"))


FILES: dict[str, Callable[[], xr.Dataset]] = {
    "slice": slice_,
    "across": across,
    "lattice": lattice_,
    "torus": torus,
    "beyond": beyond,
    "other_models": other_models,
}


def main() -> None:
    """Make the files named on the command line, or all."""
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or FILES:
        path = results.save(FILES[name](), FOLDER / f"{name}.nc")
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
