"""The check in a process of its own, which can be ended: for files of strangers, on a server or a command line.

The process loads this package and nothing else of the workbench (a third of a second), gets the file on its standard
input, and answers on its standard output. Time and memory are limited from inside by the operating system and from
outside by ending it. Nothing here holds the interpreter: the caller waits for a pipe.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .document import LARGEST_TEXT
from .verify import Examination, Report, content_of, examine
from .work import allowed

SECONDS = 30.0
MEMORY = 4 * 2**30  # of addresses, which NumPy's libraries take more of than they use
GRACE = 2.0  # seconds for starting and for reading, on top of those of the check
BETWEEN_LOOKS = 0.1


def examine_apart(
    certificate: Any,
    *,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    watch: Callable[[float], None] | None = None,
) -> Examination:
    """Return what :func:`.verify.examine` does, from a process that is ended after ``seconds``.

    ``memory`` bounds its addresses in bytes (where the system has such limits). ``watch`` is called ten times a second
    with the seconds so far; what it raises ends the process and is raised. Raises ``FileNotFoundError`` for a path that
    leads to no file.

    Example
    -------
    >>> examine_apart(b"{}", seconds=10).report.message
    'the file does not say that it is a workbench-games-certificate'
    """
    limit, content = allowed(seconds), content_of(certificate)
    if isinstance(content, str):
        content = content.encode(errors="replace")
    if not isinstance(content, (bytes, bytearray)) or len(content) > LARGEST_TEXT:
        return examine(content, seconds=limit)  # an object of this process, or a refusal that costs nothing
    arguments = [sys.executable, "-I", str(Path(__file__).parent / "child.py"), repr(limit), str(int(memory))]
    single = {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL")}
    # A file and not a pipe: it is there whole before the process starts, so waiting is all that is left to do.
    with tempfile.TemporaryFile() as given:
        given.write(content)
        given.seek(0)
        child = subprocess.Popen(
            arguments,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**{k: v for k, v in os.environ.items() if k in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")}, **single},
        )
        out = _wait(child, limit, watch)
    if out is None:
        return _ended(f"the check was ended after {limit + GRACE:.0f} s")
    try:
        answer = json.loads(out)
        return Examination(_report(answer["report"]), _report(answer["refusal"]), answer["claims"])
    except (ValueError, KeyError, TypeError):
        return _ended(f"the check ended without an answer (code {child.returncode}): it needed too much memory or time")


def _wait(child: subprocess.Popen, limit: float, watch: Callable[[float], None] | None) -> bytes | None:
    """Return what the process says, or None if it had to be ended; it does not outlive this call."""
    started = time.monotonic()
    try:
        while True:
            try:
                return child.communicate(timeout=BETWEEN_LOOKS)[0]
            except subprocess.TimeoutExpired:
                spent = time.monotonic() - started
                if watch is not None:
                    watch(spent)
                if spent > limit + GRACE:
                    return None
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()


def _ended(why: str) -> Examination:
    no = Report(False, f"{why}, so nothing is known of this certificate", "size")
    return Examination(no, no)


def _report(plain: dict[str, Any]) -> Report:
    lists = {name: tuple(plain[name]) for name in ("proves", "not_proved")}
    return Report(plain["valid"] is True, plain["message"], plain["field"], **lists)
