"""A tab where anybody drops a certificate, and the small checker of its family says what it proves."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import param
import xarray as xr

from workbench.progress import Progress
from workbench.ui.kit.proof import Report
from workbench.ui.kit.upload import Upload, file_chooser, keep
from workbench.ui.kit.view import View


class CheckView(View):
    """Verify a certificate; until one is dropped, the one that ships. Subclasses write ``shipped`` and ``report``."""

    inputs = ("certificate",)
    largest: ClassVar[int] = 16 * 2**20
    """Bytes of a file that is taken."""

    certificate = param.ClassSelector(class_=Upload, default=None, allow_None=True)

    def shipped(self) -> str:
        """Return the certificate that is shown first."""
        raise NotImplementedError

    def report(self, ds: xr.Dataset) -> str:
        """Return what the checker says as HTML, every entry escaped."""
        raise NotImplementedError

    def controls(self) -> list[Any]:
        """Return the place to drop a file."""
        return [file_chooser("Drop or choose a certificate (.json)", ".json", self.take)]

    def take(self, name: str, data: bytes) -> None:
        """Check an uploaded file."""
        keep(self, "certificate", Upload, name, data, self.largest)

    def content(self, inputs: Mapping[str, Any]) -> str | bytes:
        """Return the file that was dropped, or the shipped certificate."""
        dropped = inputs["certificate"]
        return self.shipped() if dropped is None else dropped.data

    def compute(self, inputs: Mapping[str, Any], progress: Progress) -> xr.Dataset:
        """Verify the file, or the shipped certificate."""
        return self.experiment(self.content(inputs), progress=progress)

    def pictures(self) -> Sequence[Any]:
        """Return the report."""
        return [Report(self.report)]
