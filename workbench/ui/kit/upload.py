"""Files that a visitor hands in: one chooser, one limit on their size, one way to name their contents."""

import hashlib
import html
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from workbench.ui.kit.controls import HELP
from workbench.ui.kit.dispatch import Place
from workbench.ui.kit.runner import QUICK


@dataclass(frozen=True)
class Upload:
    """A file as it came; whoever computes with it reads it, in the worker and not on the page."""

    name: str
    data: bytes

    def describe(self) -> dict[str, str]:
        """Name the contents for caches and provenance."""
        return {"file": self.name, "sha256": hashlib.sha256(self.data).hexdigest()}


@dataclass(frozen=True)
class ReadUpload(Upload):
    """A file that says how it was read. Only one worker reads it at a time, since that can take much memory."""

    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)
    _said: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    def read(self) -> tuple[Any, str]:
        """Return what the file holds and how it was read; raise ``ValueError`` with a sentence."""
        raise NotImplementedError

    def contents(self) -> Any:
        """Return what the file holds."""
        with self._lock:
            found, sentence = self.read()
            self._said[:] = [sentence]
        return found

    def sentence(self) -> str:
        """Return how the file was read; reads it only if nobody has."""
        with self._lock:
            if not self._said:
                self._said[:] = [self.read()[1]]
            return self._said[0]


def reading_line(view: param.Parameterized, parameter: str) -> pn.pane.HTML:
    """Return a line that says how the :class:`ReadUpload` in ``view``'s ``parameter`` was read.

    It is empty until a worker has read the file, and for a file that cannot be read: then the view complains.
    """
    line = pn.pane.HTML("", stylesheets=[HELP], sizing_mode="stretch_width", margin=0)
    home = Place()

    def show(file: ReadUpload, sentence: str) -> None:
        if getattr(view, parameter) is file:
            line.object = f'<p aria-live="polite">{html.escape(f"{file.name}: {sentence}")}</p>'

    def read(file: ReadUpload) -> None:
        try:
            sentence = file.sentence()
        except Exception:  # the computation reads the file too, and its error is shown
            return
        home.call(show, file, sentence)

    def chosen(event: Any) -> None:
        line.object = ""
        if event.new is not None:
            QUICK.submit(lambda: read(event.new))

    view.param.watch(chosen, parameter)
    return line


def check_size(name: str, data: bytes, largest: int) -> None:
    """Raise ``ValueError`` if a file has more than ``largest`` bytes, given in words as MiB."""
    if len(data) > largest:
        raise ValueError(
            f"{name} has {len(data) / 2**20:.0f} MiB; this page takes files up to {largest / 2**20:.0f} MiB"
        )


def keep(
    view: param.Parameterized,
    parameter: str,
    kind: Callable[[str, bytes], Upload],
    name: str,
    data: bytes,
    largest: int,
) -> None:
    """Put a file that was handed in into ``view``'s ``parameter`` as ``kind(name, data)``; complain of a larger one."""
    try:
        check_size(name, data, largest)
    except ValueError as error:
        view.complaint = str(error)
    else:
        setattr(view, parameter, kind(name, data))


def file_field(
    view: param.Parameterized,
    parameter: str,
    label: str,
    accept: str,
    take: Callable[[str, bytes], None],
    *,
    visible: Any = True,
) -> pn.Column:
    """Return a :func:`file_chooser` with the line below it that says how the file in ``parameter`` was read."""
    parts = file_chooser(label, accept, take), reading_line(view, parameter)
    return pn.Column(*parts, visible=visible, sizing_mode="stretch_width", margin=0)


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
