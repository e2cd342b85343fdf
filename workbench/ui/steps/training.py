"""Your own training: what a guard logged of it, step by step."""

from collections.abc import Mapping, Sequence
from typing import Any

import param
import xarray as xr

from workbench import data, results, steps
from workbench.costs import Cost
from workbench.figures import steps as figures
from workbench.progress import Progress
from workbench.ui.kit.controls import widget_for
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.table import Rows, Table
from workbench.ui.kit.upload import Upload, check_size, file_chooser
from workbench.ui.steps.base import StepsView

LARGEST_UPLOAD, LARGEST_LOG = 8 * 2**20, 16 * 2**20


class TrainingView(StepsView):
    """Read the log of a guarded training."""

    title, slug = "Your own training", "training"
    help = (
        "Put `guarded = steps.guard(optimizer, model)` into your script, and at its end "
        '`results.save(guarded.log, "log.nc")`. Drop that file here: which step was the worst, which sample and which '
        "classes set it, and what another r_max would have done. Until then you see the log of a small language model "
        "whose rate was 100 times too large for three steps."
    )
    experiment = "workbench.steps.guard"
    shipped_file = "guard_log.nc"
    inputs = ("log",)
    display = ("r_max",)

    log = param.ClassSelector(class_=Upload, default=None, allow_None=True)
    r_max = param.Number(1.0, bounds=(0.05, 10.0), step=0.05, label="r_max: what if?")

    def controls(self) -> list[Any]:
        """Return the place to drop a file, and the limit to try."""
        return [file_chooser("Drop or choose a guard's log (.nc)", ".nc", self.take), widget_for(self, "r_max")]

    def take(self, name: str, contents: bytes) -> None:
        """Read an uploaded log."""
        try:
            check_size(name, contents, LARGEST_UPLOAD)
        except ValueError as error:
            self.complaint = str(error)
        else:
            self.log = Upload(name, contents)

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Reading a small file takes no time worth announcing."""
        return Cost(0.1)

    def compute(self, inputs: Mapping[str, Any], progress: Progress) -> xr.Dataset:
        """Open and check the log."""
        given = inputs["log"]
        if given is None:
            return data.result(f"steps/{self.shipped_file}")
        return steps.checked_log(results.open_foreign(given.data, name=given.name, max_bytes=LARGEST_LOG))

    def show(self, ds: xr.Dataset) -> None:
        """Show a log that was opened elsewhere on the page; a forged one is refused by the room."""
        super().show(steps.checked_log(ds))

    def pictures(self) -> Sequence[Any]:
        """r of every step, what limits it, and the worst steps."""
        return [
            Picture("r of every step", lambda ds: figures.training_r(ds, r_max=self.r_max), self._words),
            Picture("What limits the steps", lambda ds: figures.training_pairs(ds, r_max=self.r_max), _pairs),
            Table("The worst steps", _worst, wide=True),
        ]

    def sentence(self, ds: xr.Dataset) -> str:
        """The worst step, and how often the limit is exceeded."""
        return steps.explain(ds, r_max=self.r_max)

    def _words(self, ds: xr.Dataset) -> str:
        changed = int(ds.engaged.sum())
        return (
            f"{ds.sizes['step']} steps in the log; the guard changed {changed} of them. Dashed: r_max {self.r_max:g}."
        )


def _pairs(ds: xr.Dataset) -> str:
    samples = len(set(ds["sample"].values.tolist()))
    return f"The bottleneck was one of {samples} places in the batch; classes are numbered as the model numbers them."


def _worst(ds: xr.Dataset) -> Rows:
    return Rows(
        ("step", "r proposed", "r taken", "sample", "position", "rises", "falls", "outcome"),
        [
            (
                record.step,
                f"{record.r_proposed:.3g}",
                f"{record.r_taken:.3g}",
                record.sample,
                record.position,
                record.rising,
                record.falling,
                record.outcome[:200],
            )
            for record in steps.worst_steps(ds)
        ],
    )
