"""What the benchmarks share: their options, a heading that says what was measured where, fair rounds, kept tables."""

import argparse
import contextlib
import io
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"


def options(description: str | None, *, rivals: str = "") -> argparse.Namespace:
    """Return ``--quick`` and ``--write``, and ``--no-install`` where a script asks packages that are none of ours."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds")
    parser.add_argument("--write", action="store_true", help="store the tables in benchmarks/results")
    if rivals:
        parser.add_argument("--no-install", action="store_true", help=f"leave {rivals} out")
    return parser.parse_args()


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


@contextlib.contextmanager
def kept(name: str, title: str, packages: Sequence[str], *, write: bool) -> Iterator[None]:
    """Take what is printed inside for the tables of the report ``name``; nothing is kept of one that breaks off."""
    lines = heading(title, f"python benchmarks/{name}.py --write", packages)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        yield
    finish(name, [*lines, said.getvalue().strip("\n")], write=write)


def best_of(
    rounds: int, runs: Mapping[str, Callable[[], object]], clock: Callable[[], float] = time.perf_counter
) -> tuple[dict[str, float], dict[str, object]]:
    """Return the shortest time of each run over rounds in which they take turns, and what each returned last."""
    seconds, found = dict.fromkeys(runs, float("inf")), {}
    for _ in range(rounds):
        for name, run in runs.items():
            started = clock()
            found[name] = run()
            seconds[name] = min(seconds[name], clock() - started)
    return seconds, found


def families(room: str, description: str | None) -> None:
    """Run the scripts ``<room>_*.py`` one after the other and keep what each prints; say which of them broke off."""
    given = options(description)
    broken = []
    for script in sorted(HERE.glob(f"{room}_*.py")):
        command = [sys.executable, str(script), *(["--quick"] if given.quick else [])]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            broken.append(script.name)
            continue
        title = script.stem.removeprefix(f"{room}_").capitalize()
        said = done.stdout.strip("\n")
        own = re.search(r"^# ", said, re.M)  # a report that brings its heading, behind what was said of the rivals
        lines = [] if own else heading(title, f"python benchmarks/{room}.py --write", ("numpy", "numba", "scipy"))
        finish(script.stem, [*lines, said[own.start() if own else 0 :]], write=given.write)
    if broken:
        raise SystemExit(f"these benchmarks broke off, see above: {', '.join(broken)}")


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
