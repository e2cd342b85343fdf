"""Make the precomputed results on fits: ``python data/make_shapes_fits.py`` (half an hour), or the names of some."""

import sys
from pathlib import Path

import torch

from workbench import results, shapes
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "shapes"
CROPS = ("temple", "garden", "petals")
BUDGETS = (1452, 2904, 5808)
SEEDS, STEPS = 5, 300


def frontier():
    """Fit three photographs by all compared methods with three budgets over five seeds."""
    return shapes.compare_fits(CROPS, parameters=BUDGETS, seeds=SEEDS, steps=STEPS, progress=TqdmProgress("frontier"))


def longer(stopping: str = "last"):
    """Train the grids longer, with the largest budget, over the same seeds."""
    methods = ("bspline", "pspline", "hash", "metricgrids")
    shown = TqdmProgress("longer")
    return shapes.compare_fits(CROPS, methods, BUDGETS[-1], SEEDS, steps=2000, stopping=stopping, progress=shown)


def stopped():
    """Stop those trainings where a tenth of the samples seen, kept apart, likes them best."""
    return longer("best")


def orders():
    """Measure how fast the best fits of linear families get better."""
    return shapes.approximation_orders()


def first():
    """Answer what the tab opens with."""
    return shapes.fits_report()


MADE = {"orders": orders, "frontier": frontier, "longer": longer, "stopped": stopped, "first": first}


def main() -> None:
    """Compute and store those that were named, or all."""
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or MADE:
        results.save(MADE[name](), FOLDER / f"fits_{name}.nc")


if __name__ == "__main__":
    main()
