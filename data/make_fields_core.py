"""Make what ships for the core of the fields room: run ``python data/make_fields_core.py``; some minutes on one core.

Twelve trained networks (safetensors), the curves of their training over three seeds, the error budget of each, and
what the three tabs open with. With ``budgets`` the networks are taken as they are.
"""

import sys
from pathlib import Path

import numpy as np

from workbench import results
from workbench.fields import LAWS, budget_study, error_budget, field_report, standard_gaussian, train_field
from workbench.fields.core.network import FieldNetwork, split
from workbench.fields.core.report import UNTIL, training_study
from workbench.fields.core.shipped import SHIPPED_LAW, file_name, shipped_network, shipped_sample
from workbench.progress import TqdmProgress

DATA = Path(__file__).resolve().parent
FOLDER = DATA / "fields"


def trainings() -> None:
    """Train, and keep the networks and the curves."""
    study = training_study(progress=TqdmProgress("trainings"))
    sides = study.layer.values.tolist()
    shapes = list(zip(sides, [sides[-1] + 1, *sides[:-1]], strict=True))
    for points in study.points.values.tolist():
        for step in study.kept.values.tolist():
            row = np.ascontiguousarray(study.parameters.sel(points=points, kept=step).values, np.float32)
            network = FieldNetwork(*(list(parts) for parts in split(row, shapes)))
            network.save(DATA / file_name(points, step), law=SHIPPED_LAW, points=points, step=step, seed=0)
    results.save(study.drop_vars(("parameters", "parameter", "kept", "layer")), FOLDER / "training.nc")


def main() -> None:
    """Train unless told otherwise, and measure what was kept."""
    FOLDER.mkdir(exist_ok=True)
    if "budgets" not in sys.argv[1:]:
        trainings()
    results.save(budget_study(progress=TqdmProgress("budgets")), FOLDER / "budgets.nc")
    results.save(field_report(steps=30, centres=None), FOLDER / "first_fields.nc")
    results.save(train_field(progress=TqdmProgress("first training")), FOLDER / "first_training.nc")
    first = error_budget(
        shipped_network(128, 800),
        standard_gaussian(2),
        LAWS[SHIPPED_LAW](),
        points=shipped_sample(128),
        until=UNTIL,
        solver="euler",
        steps=20,
        paths=1000,
        seed=0,
    )
    results.save(first, FOLDER / "first_budget.nc")


if __name__ == "__main__":
    main()
