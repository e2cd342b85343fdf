"""Files that a visitor hands in: one chooser, one limit on their size, one way to name their contents."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import panel_material_ui as pmui


@dataclass(frozen=True)
class Upload:
    """A file as it came; whoever computes with it reads it, in the worker and not on the page."""

    name: str
    data: bytes

    def describe(self) -> dict[str, str]:
        """Name the contents for caches and provenance."""
        return {"file": self.name, "sha256": hashlib.sha256(self.data).hexdigest()}


def check_size(name: str, data: bytes, largest: int) -> None:
    """Raise ``ValueError`` if a file has more than ``largest`` bytes, given in words as MiB."""
    if len(data) > largest:
        raise ValueError(
            f"{name} has {len(data) / 2**20:.0f} MiB; this page takes files up to {largest / 2**20:.0f} MiB"
        )


def file_chooser(label: str, accept: str, take: Callable[[str, bytes], None], *, visible: Any = True) -> pmui.FileInput:
    """Return a widget that calls ``take(name, data)`` with every file chosen or dropped on it.

    ``accept`` is the list of file name endings that the browser offers; it proves nothing, so ``take`` must judge.
    """
    chooser = pmui.FileInput(label=label, accept=accept, size="small", margin=(6, 10), visible=visible)

    def given(event: Any) -> None:
        if event.new:
            take(chooser.filename or "the file", bytes(event.new))

    chooser.param.watch(given, "value")
    return chooser
