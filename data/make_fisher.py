"""Make the small results in data/fisher again: python data/make_fisher.py [name ...]

Names are the files without suffix; without a name everything is made. ``torus`` takes ten seconds on a CUDA card and
some ten minutes on two cores, ``beyond`` minutes and up to 5 GB; tests recompute parts of every file.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import xarray as xr

from workbench import fisher, results
from workbench.fisher.torch_engine import choose_device
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).parent / "fisher"
SIDES = (*range(3, 25), 28, 32, 36, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256)
FURTHER = (128, 256, 512, 1024, 2048)
SAMPLED = {
    "ising-3d": {3: 40_000, 4: 40_000, 5: 20_000, 6: 20_000, 7: 10_000, 8: 5000},
    "potts-3": {4: 40_000, 6: 40_000, 7: 40_000, 8: 40_000, 10: 20_000, 12: 20_000, 16: 10_000},
    "potts-4": {4: 40_000, 6: 40_000, 8: 40_000, 10: 20_000, 12: 20_000, 16: 10_000},
}
"""Sides and samples from each of eight chains, two sweeps apart."""


def torus() -> xr.Dataset:
    """Exact curvature at J_c for every side that the page shows; on a card if there is one."""
    method = "torch" if choose_device() == "cuda" else "pfaffian"
    return fisher.curvature_scaling(SIDES, method=method, progress=TqdmProgress("torus"))


def beyond() -> xr.Dataset:
    """The large-size combination: exact trace term, extrapolated ‖T‖²."""
    return fisher.extrapolated_curvature(FURTHER, anchors=(16, 20, 24, 32, 48, 64, 96), progress=TqdmProgress("beyond"))


def slice_() -> xr.Dataset:
    """A slice of the third cumulant at L = 32."""
    return fisher.third_cumulant(32, dx=3)


def across() -> xr.Dataset:
    """Curvature across the transition at L = 16."""
    return fisher.coupling_sweep(16, 0.3, 0.6, 61)


def lattice() -> xr.Dataset:
    """A short run whose lattice and estimate the live tab opens with."""
    return fisher.live_curvature("ising-2d", 16, samples=1024)


def other_models() -> xr.Dataset:
    """|R| of the models without exact solution, by cluster Monte Carlo."""
    return fisher.monte_carlo_survey(SAMPLED, progress=TqdmProgress("other models"))


FILES: dict[str, Callable[[], xr.Dataset]] = {
    "slice": slice_,
    "across": across,
    "lattice": lattice,
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
