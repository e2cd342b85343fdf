"""A tab that shows a shipped study; a room adds one by a subclass among its ``view_classes``.

Nothing is computed here: the result comes with the workbench, made by ``workbench sweep studies/<name>.toml``. How long
that takes is said in the sidebar: what it took when it was made, and what the room's costs say of it.
"""

import functools
import json
from collections.abc import Mapping
from typing import Any, ClassVar

import panel as pn
import xarray as xr

from workbench import data, sweeps
from workbench.costs import Cost, duration
from workbench.progress import Progress
from workbench.ui.kit.view import HELP, View


def values_of(study: str, axis: str) -> list[Any]:
    """Return the values along an axis of a shipped study, for a selector: the study itself says what it holds."""
    return data.result(f"studies/{study}.nc")[axis].values.tolist()


class StudyView(View):
    """A tab that opens a shipped result; subclasses choose what of it is drawn."""

    study: ClassVar[str] = ""
    """Name of the study: ``data/studies/<name>.nc``. Empty for results of a script under ``data/``."""

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset:
        """Open the shipped result."""
        return data.result(f"studies/{self.study}.nc")

    def controls(self) -> list[Any]:
        """Return the widgets, and under them what making the study anew takes, if it is one of ``studies/``."""
        told = [pn.pane.HTML(f"<p>{effort(self.study)}</p>", stylesheets=[HELP])] if self.study else []
        return [*super().controls(), *told]

    def compute(self, inputs: Mapping[str, Any], progress: Progress) -> xr.Dataset:
        """Open the shipped result."""
        return self.precomputed(inputs)

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Opening a file takes no time worth announcing."""
        return Cost(0.1)


@functools.cache
def effort(study: str) -> str:
    """Say what the sweep behind a shipped study took when it was made, and what the room's costs say of it."""
    ds = data.result(f"studies/{study}.nc")
    asked = json.loads(ds.attrs["parameters"])
    told = f"{int(ds.attrs['cells']):,} cells, {duration(float(ds.attrs['seconds']))} of computing when it was made"
    try:
        estimate = sweeps.cost(asked["function"], asked["grid"], repeats=asked["repeats"])
    except (ValueError, TypeError, KeyError):  # a study of another version, or of another package
        estimate = None
    return f"{told}; estimated from the costs of its cells: {estimate}." if estimate is not None else f"{told}."
