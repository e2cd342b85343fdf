"""How the command speaks: the answer on standard output, everything else on standard error, and the exit code.

0  done, and the answer is yes
1  done, and the answer is no; or it failed on the way
2  not understood: wrong name, wrong value, missing file
130  stopped by Ctrl-C
"""

import codecs
import ctypes
import json
import math
import os
import signal
import sys
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from workbench.progress import Progress, RemainingTime, TqdmProgress

YES, NO, USAGE, STOPPED = 0, 1, 2, 130
SECONDS_BETWEEN_LINES = 10.0


# What the terminal's encoding lacks is spelled, not shown as a question mark and never an exception
SPELLED = dict(
    zip(
        "…—–−×·√∑∏∞≤≥≠≈±→“”‘’‖•",
        ["...", *"---x.", "sqrt", "sum", "prod", "inf", "<=", ">=", "!=", "~", "+-", "->", *"\"\"''", "||", "*"],
        strict=True,
    )
)


def prepare() -> None:
    """Let standard output and error take any text, whatever their encoding."""
    codecs.register_error("workbench.spell", _spell)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="workbench.spell")


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Return plain letters for those that an encoding lacks: their name if they are Greek, their base if accented."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_spelled, error.object[error.start : error.end])), error.end


def _spelled(letter: str) -> str:
    name = unicodedata.name(letter, "")
    if name.startswith("GREEK ") and "LETTER " in name:
        word = name.split("LETTER ")[1].split()[0].lower()
        return word if "SMALL" in name else word.capitalize()
    base = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    power = "^" if "SUPERSCRIPT" in name else "_" if "SUBSCRIPT" in name else ""
    return SPELLED.get(letter) or (power + base if base else "?")


@contextmanager
def stoppable(progress: Progress) -> Iterator[None]:
    """Let Ctrl-C stop the work also where the interruption itself is lost: Python drops one that meets a destructor.

    The work then ends at its next report.
    """
    if threading.current_thread() is not threading.main_thread():  # only there may signals be handled
        yield
        return

    def stop(number: int, frame: Any) -> None:
        progress.cancel()
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def only_answers() -> Iterator[None]:
    """Send to standard error what compiled libraries print while they work: another program may read the answer.

    HiGHS prints some lines that none of its options switches off.
    """
    elsewhere = sys.stdout is not sys.__stdout__  # a test or a notebook reads the answer by other means
    if elsewhere or os.name != "posix" or None in (sys.stdout, sys.stderr):  # None: closed by who started this
        yield
        return
    library, answers = ctypes.CDLL(None), os.dup(1)
    sys.stdout.flush()
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()  # Python and C keep back what is printed into a pipe
        library.fflush(None)
        os.dup2(answers, 1)
        os.close(answers)


def say(text: str) -> None:
    """Print the answer."""
    print(text, file=sys.stdout)


def note(text: str) -> None:
    """Print anything that is not the answer."""
    if sys.stderr is not None:  # print() would take None for standard output
        print(text, file=sys.stderr)


def say_json(value: Any) -> None:
    """Print the answer as JSON; NaN and infinities become null, as JSON has none.

    >>> say_json({"margin": float("nan"), "players": 2})
    {
      "margin": null,
      "players": 2
    }
    """
    plain = not (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf")
    print(json.dumps(_finite(value), indent=2, ensure_ascii=plain), file=sys.stdout)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def progress(label: str, *, quiet: bool) -> Progress:
    """Return a bar for a person at a terminal, a line now and then for a log file, nothing if ``quiet``."""
    if quiet or sys.stderr is None:
        return Progress()
    return TqdmProgress(label, file=sys.stderr) if sys.stderr.isatty() else LineProgress(label)


class LineProgress(Progress):
    """A line on standard error every ten seconds, for logs of batch systems."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self._label, self._remaining, self._last = label, RemainingTime(), time.monotonic()

    def show(self, done: float, total: float, message: str) -> None:
        """Print a line if the last one is old enough."""
        now = time.monotonic()
        if now - self._last < SECONDS_BETWEEN_LINES:
            return
        self._last = now
        left = self._remaining.seconds(done, total)
        told = message or (f"{left:.0f} s left" if left is not None else "")
        note(f"{self._label}: {done:g} of {total:g}{', ' if told else ''}{told}")
