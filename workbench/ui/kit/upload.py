"""Files that a visitor hands in: one chooser, one limit on their size, one way to read them, to name and to tell them.

What such a file holds was written by somebody who may mean harm, so it is read in a process apart that can be ended
(:mod:`workbench.isolated`), the small ones too: a file of one kilobyte can ask for gigabytes or for hours, and no size
tells the harmless ones. A server keeps such a process warm, which makes it a matter of milliseconds.
"""

import contextlib
import functools
import hashlib
import html
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.isolated import Busy
from workbench.progress import Cancelled, Progress
from workbench.ui.kit.controls import HELP
from workbench.ui.kit.dispatch import Place
from workbench.ui.kit.runner import QUICK

LOOK_SECONDS = 0.1
LARGEST_UPLOAD = 64 * 2**20  # that any page takes; many take less
PIECE = 2 * 2**20  # bytes of a file that come in one message, a hundredth of a second's work for the event loop
MOST_PIECES = 1000
LARGEST_KEPT = 16 * 2**20  # bytes of a file whose contents stay with it; larger ones are read anew when asked for again
_asker: ContextVar[Progress | None] = ContextVar("who asked for the files that are read", default=None)


@contextlib.contextmanager
def asked_by(progress: Progress) -> Iterator[None]:
    """Let ``progress`` end the readings that the block asks for: the work of a view reads its files in the middle."""
    token = _asker.set(progress)
    try:
        yield
    finally:
        _asker.reset(token)


@dataclass(frozen=True)
class Upload:
    """A file as it came; whoever computes with it reads it, in the worker and not on the page."""

    name: str
    data: bytes

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of the contents."""
        return hashlib.sha256(self.data).hexdigest()

    def describe(self) -> dict[str, str]:
        """Name the contents for caches and provenance."""
        return {"file": self.name, "sha256": self.digest}


@dataclass
class _Reading:
    """What is known of a file: nothing, or what it holds and how it was read, or why it cannot be read."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    contents: Any = None
    sentence: str = ""
    error: ValueError | None = None


@dataclass(frozen=True)
class ReadUpload(Upload):
    """A file that says how it was read. It is read once, whoever asks first; others wait for that."""

    _reading: _Reading = field(default_factory=_Reading, init=False, repr=False, compare=False)

    def read(self, progress: Progress) -> tuple[Any, str]:
        """Return what the file holds and how it was read, from a process apart; ``ValueError`` with a sentence."""
        raise NotImplementedError

    def contents(self) -> Any:
        """Return what the file holds.

        Raises ``ValueError`` with a sentence, the same one as before for a file that could not be read, and
        ``Cancelled`` when whoever has asked (:func:`asked_by`) wants it no more.
        """
        with self._turn() as (reading, progress):
            if reading.contents is None:
                self._read(reading, progress)
            found = reading.contents
            if len(self.data) > LARGEST_KEPT:
                reading.contents = None
        return found

    def sentence(self) -> str:
        """Return how the file was read; reads it only if nobody has. Raises as :meth:`contents`."""
        with self._turn() as (reading, progress):
            if not reading.sentence:
                self._read(reading, progress)
            return reading.sentence

    @contextlib.contextmanager
    def _turn(self) -> Iterator[tuple[_Reading, Progress]]:
        progress = _asker.get() or Progress()
        progress.update(0, 1, f"reading {self.name}")
        while not self._reading.lock.acquire(timeout=LOOK_SECONDS):
            progress.update(0, 1, f"reading {self.name}")
        try:
            if self._reading.error is not None:
                raise self._reading.error.with_traceback(None)
            yield self._reading, progress
        finally:
            self._reading.lock.release()

    def _read(self, reading: _Reading, progress: Progress) -> None:
        try:
            reading.contents, reading.sentence = self.read(progress)
        except Busy:  # may go better next time
            raise
        except ValueError as error:
            reading.error = error
            raise


def reading_line(view: Any, parameter: str) -> pn.pane.HTML:
    """Return a line that says how the :class:`ReadUpload` in ``view``'s ``parameter`` was read.

    It says that the file is being read while it is, and nothing for a file that cannot be read: then the view
    complains. Who cancels the view's work ends the reading too.
    """
    line = pn.pane.HTML("", stylesheets=[HELP], sizing_mode="stretch_width", margin=0)
    home = Place()
    current: list[Progress] = []

    def show(file: ReadUpload, sentence: str) -> None:
        if getattr(view, parameter) is file:
            told = html.escape(f"{file.name}: {sentence}") if sentence else ""
            line.object = told and f'<p aria-live="polite">{told}</p>'

    def read(file: ReadUpload, progress: Progress) -> None:
        try:
            with asked_by(progress):
                sentence = file.sentence()
        except Cancelled:
            sentence = "the reading was cancelled"
        except Exception:  # the computation reads the file too, and its error is shown
            sentence = ""
        home.call(show, file, sentence)

    def cancel() -> None:
        for progress in current:
            progress.cancel()

    def chosen(event: Any) -> None:
        cancel()
        line.object = ""
        if event.new is not None:
            current[:] = [Progress()]
            show(event.new, "is being read …")
            QUICK.submit(functools.partial(read, event.new, current[0]))

    view.param.watch(chosen, parameter)
    view.on_cancel(cancel)
    return line


def check_size(name: str, data: bytes, largest: int) -> None:
    """Raise ``ValueError`` if a file has more than ``largest`` bytes, given in words as MiB."""
    if len(data) > largest:
        raise ValueError(
            f"{name} has {len(data) / 2**20:.0f} MiB; this page takes files up to {largest / 2**20:.0f} MiB"
        )


def keep(
    view: Any,
    parameter: str,
    kind: type[Upload],
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
    view: Any,
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


class Discarded(bytes):
    """What is left of a file that was too large to be kept: its length, for the sentence that refuses it."""

    def __new__(cls, size: int) -> "Discarded":
        """Stand for ``size`` bytes that are not there."""
        made = super().__new__(cls)
        made._size = size
        return made

    def __len__(self) -> int:
        return self._size


def file_chooser(label: str, accept: str, take: Callable[[str, bytes], None], *, visible: Any = True) -> pmui.FileInput:
    """Return a widget that calls ``take(name, data)`` with every file chosen or dropped on it.

    ``accept`` is the list of file name endings that the browser offers; it proves nothing, so ``take`` must judge. The
    contents of a file beyond ``LARGEST_UPLOAD`` are not kept while it comes: ``take`` gets their length only.
    """
    chooser = pmui.FileInput(
        label=label, accept=accept, size="small", margin=(6, 10), visible=visible, chunk_size=PIECE
    )

    def given(event: Any) -> None:
        if event.new:
            take(chooser.filename or "the file", event.new)

    chooser.param.watch(given, "value")
    chooser._process_chunk = _Bounded(chooser)
    return chooser


class _Bounded:
    """Takes the pieces of files for a chooser, which by itself would keep as many as somebody cares to send.

    It would also put them together by copying the file once for each piece, on the event loop.
    """

    def __init__(self, chooser: pmui.FileInput) -> None:
        self._chooser = chooser
        self._coming: dict[str, dict[int, bytes]] = {}
        self._sizes: dict[str, int] = {}

    def __call__(self, message: dict[str, Any]) -> None:
        name, number, last = message["name"], message["chunk"], message["total_chunks"]
        data = bytes(message["data"])
        self._sizes[name] = self._sizes.get(name, 0) + len(data)
        there = sum(len(one["value"]) for one in self._chooser._buffer)
        pieces = [piece for own in self._coming.values() for piece in own.values()]
        too_many = len(pieces) >= MOST_PIECES or len(self._sizes) > MOST_PIECES
        if too_many or max(self._sizes[name], sum(map(len, pieces)) + there + len(data)) > LARGEST_UPLOAD:
            self._sizes = {name: self._sizes[name]}
            self._coming.clear()
            self._chooser._buffer.clear()
        else:
            self._coming.setdefault(name, {})[number] = data
        if number >= last:
            size, mine = self._sizes.pop(name), self._coming.pop(name, {})
            is_whole = len(mine) == last and sum(map(len, mine.values())) == size
            value = b"".join(mine[k] for k in sorted(mine)) if is_whole else Discarded(max(size, LARGEST_UPLOAD + 1))
            self._chooser._buffer[:] = [{"value": value, "filename": name, "mime_type": message["mime_type"]}]
