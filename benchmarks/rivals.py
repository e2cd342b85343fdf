"""Tools that are none of our dependencies: each benchmark that wants some makes an environment for them, and asks it.

The environments lie in ``~/.cache/geometry-workbench``. Each sees the packages of the Python that runs the benchmark
*after* its own, so that NumPy and torch are not downloaded twice and nothing of ours is changed.
"""

import json
import os
import site
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

HOME = Path.home() / ".cache" / "geometry-workbench"
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
INSTALLED = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
found = {}
for package in sys.argv[1:]:
    try:
        found[package] = version(package)
    except PackageNotFoundError:
        found[package] = None
print(json.dumps(found))
"""


def environment(name: str, packages: Sequence[str], *, bare: bool = False) -> tuple[Path, list[str]]:
    """Return the Python of an environment with these packages (``name==version``), and a line on each of them.

    What is missing is installed, all together if that can be: the line of a package that does not install says why.
    ``bare`` leaves out what the packages declare to need, where that is much and is not what is measured.
    """
    python = HOME / name / "bin" / "python"
    if not python.exists():
        venv.create(HOME / name, with_pip=True)
        own = next((HOME / name / "lib").glob("python*/site-packages"))
        (own / "packages_of_the_workbench.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    wanted = {package.partition("==")[0]: package for package in packages}
    reasons = {}
    options = ["--no-deps"] if bare else []
    if _missing(python, wanted) and _install(python, [*options, *wanted.values()]):  # not together, then one by one
        for each in _missing(python, wanted):
            if reason := _install(python, [*options, wanted[each]]):
                reasons[each] = reason
    found = asked(python, INSTALLED, *wanted)
    told = [
        f"{each} did not install: {reasons[each]}" if each in reasons else f"{each} {found[each]}" for each in wanted
    ]
    return python, told


def told_environment(name: str, packages: Sequence[str], *, bare: bool = False) -> Path | None:
    """Print what :func:`environment` tells, and return its Python, or nothing if any of the packages is missing."""
    try:
        python, told = environment(name, packages, bare=bare)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        python, told = None, [f"no environment for {', '.join(packages)}: {error} did not install"]
    print(f"Rivals: {'; '.join(told)}.\n")
    return None if any("did not install" in line for line in told) else python


def run_with(name: str, packages: Sequence[str], script: str) -> int:
    """Run a script once more with its own arguments and ``--inside``, in an environment with these packages."""
    python, notes = environment(name, packages)
    print(*notes, sep="\n", flush=True)
    call = [python, "-W", "ignore", script, "--inside", *sys.argv[1:]]
    return subprocess.run(call, check=False, env=os.environ | ONE_THREAD).returncode


def _missing(python: Path, wanted: dict[str, str]) -> list[str]:
    """Return what is not there in the version asked for."""
    found = asked(python, INSTALLED, *wanted)
    pinned = {bare: package.partition("==")[2] for bare, package in wanted.items()}
    return [bare for bare in wanted if found[bare] is None or (pinned[bare] and not _same(found[bare], pinned[bare]))]


def _same(found: str, pinned: str) -> bool:
    """Say whether two versions are one: 0.6 and 0.6.0 are."""
    one, other = (version.split(".") for version in (found, pinned))
    size = max(len(one), len(other))
    return [*one, *["0"] * (size - len(one))] == [*other, *["0"] * (size - len(other))]


def _install(python: Path, packages: Iterable[str]) -> str:
    """Install packages together; returns why it failed, or nothing."""
    done = subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], capture_output=True, text=True)
    return (done.stderr.strip().splitlines() or ["no reason given"])[-1][:160] if done.returncode else ""


def asked(python: Path, source: str, *arguments: Any) -> Any:
    """Run ``source`` there, on one thread, and return what its last line of output says in JSON."""
    command = [python, "-W", "ignore", "-c", source, *map(str, arguments)]
    surroundings = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | ONE_THREAD
    with tempfile.TemporaryDirectory() as elsewhere:  # "-c" puts the folder it is called from in front of all packages
        done = subprocess.run(command, capture_output=True, text=True, env=surroundings, cwd=elsewhere)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1][:200])
    return json.loads(done.stdout.splitlines()[-1])
