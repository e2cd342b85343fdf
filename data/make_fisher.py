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

from workbench import fisher, results, sweeps
from workbench.fisher.metric import metric_in_space, pairs
from workbench.fisher.monte_carlo import Cells, growth_dataset
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

GROWTH = {
    "potts-3": {
        4: (8192, 3, 8), 8: (8192, 3, 8), 16: (8192, 4, 8), 32: (4096, 6, 24), 64: (4096, 6, 8), 128: (1024, 8, 8),
    },
    "potts-4": {
        4: (8192, 3, 6), 8: (8192, 3, 6), 16: (4096, 6, 6), 32: (4096, 8, 8), 64: (2048, 10, 8), 128: (512, 16, 1),
    },
    "ising-3d": {4: (8192, 3, 6), 7: (8192, 3, 6), 12: (4096, 3, 2), 20: (2048, 4, 1), 32: (256, 4, 1)},
}  # fmt: skip
"""Sides; samples from each of four chains, sweeps between them, and how many such runs: the trace term.

The sides past 16 have as many as it takes to settle Potts q = 3: about fifteen minutes of one core in all.
"""
SMALL = {
    "potts-3": {6: 4096, 8: 4096, 12: 2048, 16: 2048, 24: 512},
    "potts-4": {6: 4096, 8: 4096, 12: 2048, 16: 2048, 24: 512},
    "ising-3d": {4: 4096, 5: 4096, 6: 2048, 8: 1024, 10: 512},
}
"""Sides and samples from each of four chains, three sweeps apart, in two runs: ‖T‖², which is continued."""
CHAINS, RUNS = 4, 2
TRACES, NORMS = ["trace_norm", "trace_norm_error", "row_sum", "tau_energy"], ["cumulant_norm", "trace_norm"]


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


def other_models_growth() -> xr.Dataset:
    """|R| of the same models at larger sizes, from independent runs; kept one by one, so that it can be stopped.

    More runs of a size, or another size, compute only what is new.
    """
    seconds = 0.0

    def runs(function: str, keep: list[str], model: str, L: int, samples: int, spacing: int, repeats: int) -> Cells:
        nonlocal seconds
        name = keep[0]
        ds = sweeps.sweep(
            function, {"model": [model], "L": [L], "samples": samples, "spacing": spacing, "chains": CHAINS},
            store=FOLDER.parent / "cells" / name, repeats=repeats, seed=0, keep=keep,
            progress=TqdmProgress(f"{name}, {model}, L = {L}"),
        )  # fmt: skip
        seconds += ds.attrs["seconds"]
        values = ds[name].values.ravel()
        spread = np.full(len(values), values.std(ddof=min(1, len(values) - 1)))
        return Cells(values, ds[f"{name}_error"].values.ravel() if f"{name}_error" in ds else spread, CHAINS)

    traces = {
        model: {L: runs("fisher.sampled_trace_norm", TRACES, model, L, *plan) for L, plan in sizes.items()}
        for model, sizes in GROWTH.items()
    }
    norms = {
        model: {
            L: runs("fisher.monte_carlo_curvature", NORMS, model, L, samples, 3, RUNS) for L, samples in sizes.items()
        }
        for model, sizes in SMALL.items()
    }
    plan = {
        model: {str(L): dict(zip(("samples", "spacing", "runs"), row, strict=True)) for L, row in sizes.items()}
        for model, sizes in GROWTH.items()
    }
    return results.stamp(
        growth_dataset(traces, norms),
        "workbench.fisher.sampled_trace_norm",
        {
            "plan": plan,
            "norms": {m: {str(L): s for L, s in r.items()} for m, r in SMALL.items()},
            "chains": CHAINS,
            "seed": 0,
        },
        seconds=seconds,
    )


FILES: dict[str, Callable[[], xr.Dataset]] = {
    "slice": slice_,
    "across": across,
    "lattice": lattice_,
    "torus": torus,
    "beyond": beyond,
    "other_models": other_models,
    "other_models_growth": other_models_growth,
}


def main() -> None:
    """Make the files named on the command line, or all."""
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or FILES:
        path = results.save(FILES[name](), FOLDER / f"{name}.nc")
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
