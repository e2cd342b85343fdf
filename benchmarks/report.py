"""What the newer benchmarks share: a clock, a heading that says what was measured where, a place to keep the tables."""

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


def best(actions: Mapping[str, Callable[[], Any]], rounds: int) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the best CPU time of each action over rounds in which they take turns, and the values."""
    times, values = dict.fromkeys(actions, float("inf")), {}
    for _ in range(rounds):
        for name, action in actions.items():
            started = time.process_time()
            values[name] = action()
            times[name] = min(times[name], time.process_time() - started)
    return times, values


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
