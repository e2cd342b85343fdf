"""How long work reports where it is, and how it is told to stop.

The caller hands a :class:`Progress` in; the work calls ``progress.update(done, total, message)`` at least a few times
a second. ``progress=None`` means a fresh silent one. ``update`` raises :class:`Cancelled` when somebody has asked to
stop, so an experiment is cancelled at its next report without knowing who asked. Pages pass a subclass that feeds
their progress bar (``workbench.ui.kit.runner``), notebooks and the command line pass :class:`TqdmProgress`.
"""

import threading
import time
from typing import Any, TextIO


class Cancelled(Exception):
    """The work was told to stop; whatever it held back was not finished."""


class Progress:
    """A silent progress meter that can be cancelled from any thread.

    >>> progress = Progress()
    >>> progress.update(1, 10, "one of ten")
    >>> progress.cancel()
    >>> try:
    ...     progress.update(2, 10)
    ... except Cancelled as stopped:
    ...     print(stopped)
    cancelled before it finished
    """

    def __init__(self) -> None:
        self._cancelled = threading.Event()

    def update(self, done: float, total: float, message: str = "") -> None:
        """Report that ``done`` of ``total`` units are finished; raises :class:`Cancelled` once cancelled."""
        if self._cancelled.is_set():
            raise Cancelled("cancelled before it finished")
        self.show(done, total, message)

    def show(self, done: float, total: float, message: str) -> None:
        """Display the state; the silent meter shows nothing."""

    def publish(self, result: Any) -> None:
        """Hand over what there is of the result so far; the silent meter lets it go."""

    def cancel(self) -> None:
        """Ask the work to stop at its next report."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether the work has been asked to stop."""
        return self._cancelled.is_set()


class TqdmProgress(Progress):
    """A progress bar with the time left, on standard error or in a notebook cell."""

    def __init__(self, label: str = "", file: TextIO | None = None) -> None:
        super().__init__()
        self._label, self._file = label, file
        self._bar: Any = None

    def show(self, done: float, total: float, message: str) -> None:
        """Move the bar; it closes itself when ``done`` reaches ``total``."""
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=total, desc=self._label, file=self._file, leave=False)
        self._bar.total = total
        self._bar.n = done
        if message:
            self._bar.set_postfix_str(message, refresh=False)
        self._bar.refresh()
        if done >= total:
            self._bar.close()
            self._bar = None


class RemainingTime:
    """Estimates the seconds left from the rate since the work began.

    >>> remaining = RemainingTime()
    >>> remaining.seconds(0, 10) is None, remaining.seconds(5, 10) >= 0
    (True, True)
    """

    def __init__(self) -> None:
        self._started = time.monotonic()

    def seconds(self, done: float, total: float) -> float | None:
        """Return the estimated seconds left, or None while nothing is done."""
        if done <= 0:
            return None
        return (time.monotonic() - self._started) * max(total - done, 0) / done
