"""What the newer benchmarks share: a heading that says what was measured where, and a place to keep the tables."""

import os
import platform
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"


def heading(title: str, command: str, packages: Sequence[str]) -> list[str]:
    """Return the first lines of a report: title, day, machine, load, versions, and the command that makes it."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return [
        f"# {title}: benchmark",
        "",
        f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, "
        f"Python {platform.python_version()}, {versions}.",
        f"Made by `{command}`. Trust the ratios more than the times.",
        "",
    ]


def finish(name: str, lines: Sequence[str], *, write: bool) -> None:
    """Print the report, and keep it in ``benchmarks/results`` if asked to."""
    text = "\n".join(lines).rstrip("\n") + "\n"
    print(text)
    if write:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.md").write_text(text)


class Told:
    """What a benchmark says: printed at once, line by line, and kept for :meth:`write`."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, text: str) -> None:
        """Print ``text`` and keep it."""
        print(text, flush=True)
        self.lines.append(text)

    def write(self, name: str) -> None:
        """Keep everything said so far in ``benchmarks/results``."""
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.md").write_text("\n".join(self.lines).rstrip("\n") + "\n")
