"""A tab that shows a shipped study; a room adds one by a subclass among its ``view_classes``.

Nothing is computed here: the result comes with the workbench, made by ``workbench sweep studies/<name>.toml``.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import xarray as xr

from workbench import data
from workbench.costs import Cost
from workbench.progress import Progress
from workbench.ui.kit.view import View


def values_of(study: str, axis: str) -> list[Any]:
    """Return the values along an axis of a shipped study, for a selector: the study itself says what it holds."""
    return data.result(f"studies/{study}.nc")[axis].values.tolist()


class StudyView(View):
    """A tab that opens a shipped result; subclasses choose what of it is drawn."""

    study: ClassVar[str] = ""
    """Name of the study: ``data/studies/<name>.nc``."""

    def precomputed(self, inputs: Mapping[str, Any]) -> xr.Dataset:
        """Open the shipped result."""
        return data.result(f"studies/{self.study}.nc")

    def compute(self, inputs: Mapping[str, Any], progress: Progress) -> xr.Dataset:
        """Open the shipped result."""
        return self.precomputed(inputs)

    def cost(self, inputs: Mapping[str, Any]) -> Cost:
        """Opening a file takes no time worth announcing."""
        return Cost(0.1)
