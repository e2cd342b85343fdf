"""Every code block of the documentation runs, in the order of its page, in an empty folder.

A block marked ``python`` is executed, and so is every line of a block marked ``sh`` or ``console``; those that cannot
be are listed below with their reason. A page can prepare files that its blocks expect in a block inside an HTML
comment: ``<!-- setup`` followed by Python and ``-->``. A block under ``<!-- needs PACKAGE -->`` runs where that package
is installed, after the page's preparations only, and is skipped elsewhere.
"""

import ast
import importlib.util
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from warm import warm_python

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^(?:<!-- needs (\w+) -->\n)?```python\n(.*?)^```|^<!-- setup\n(.*?)^-->", re.M | re.S)


SERVER = "workbench serve"
ONE_COMMAND = re.compile(r"workbench( [\w./=:,-]+)+")  # without anything that a shell would read otherwise
COMMANDS = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.M | re.S)
FILES = re.compile(r"^```toml\n(.*?)^```", re.M | re.S)
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)

# Commands that no test runs whole, each with the reason and the command that is run in its stead
INSTALLS, MINUTES, ALL_TESTS = "installs packages", "takes minutes", "is the whole test suite"
NOT_RUN = {
    "make serve": (INSTALLS, f"make --dry-run --directory {ROOT} serve"),
    "make test": (ALL_TESTS, f"make --dry-run --directory {ROOT} test"),
    'python3 -m venv .venv && . .venv/bin/activate && pip install -c constraints.txt -e ".[all]" && workbench serve': (
        INSTALLS,
        f"test -f {ROOT}/constraints.txt && workbench serve --help",
    ),
    "conda env create -f environment.yml && conda activate geometry-workbench && workbench serve": (
        INSTALLS,
        f"grep -q '^name: geometry-workbench' {ROOT}/environment.yml && workbench serve --help",
    ),
    "workbench sweep studies/curvature.toml": (
        MINUTES,
        f"python -c 'from workbench import sweeps; sweeps.read_study(\"{ROOT}/studies/curvature.toml\")'",
    ),
    ".venv/bin/python -m pytest notebooks/fisher.ipynb --nbval-lax": (
        MINUTES,
        f"python -m pytest -p no:cacheprovider --collect-only -q {ROOT}/notebooks/fisher.ipynb --nbval-lax",
    ),
}
# What a reader has and the test's folder has not
STAND_INS = {"--address 0.0.0.0": "--address 127.0.0.1", "/srv/results": "."}
USERS = '{"ada": "a long password"}'


def commands(page):
    """The command lines of a page; a console block shows them after a prompt."""
    lines = [line for block in COMMANDS.findall(page.read_text()) for line in block.splitlines()]
    return [line.removeprefix("$ ").split("  #")[0].strip() for line in lines if line.strip()]


@pytest.fixture(scope="module")
def python():
    """A Python that runs scripts, each in a process of its own."""
    with warm_python() as run:
        yield run


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_blocks_run(page, tmp_path, python):
    """First the Python of the page, then its commands, in one folder: they may use what the Python made."""
    blocks = [visible or hidden for package, visible, hidden in BLOCK.findall(page.read_text()) if not package]
    lines = commands(page)
    if not blocks and not lines:
        pytest.skip("no code on this page")
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    environment = {**os.environ, "MPLBACKEND": "agg", "PATH": path}
    _runs(python, blocks, tmp_path, environment)
    for text in FILES.findall(page.read_text()):
        (tmp_path / _named(lines, ".toml")).write_text(text)
    for line in lines:
        if line in NOT_RUN:
            line = NOT_RUN[line][1]
        elif line.startswith(SERVER):
            continue  # see test_servers_start
        if ONE_COMMAND.fullmatch(line):
            code, said = python(["-m", "workbench.cli", *shlex.split(line)[1:]], tmp_path, environment)
        else:
            done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True)
            code, said = done.returncode, done.stdout + done.stderr
        assert code == 0, f"{line}\n{said[-3000:]}"


SERVERS = [page for page in PAGES if any(line.startswith(SERVER) for line in commands(page))]


@pytest.mark.slow
@pytest.mark.parametrize("page", SERVERS, ids=lambda page: page.stem)
def test_servers_start(page, tmp_path):
    """As the page says, each in its folder; all pages are built before a server answers, which takes a while."""
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    (tmp_path / "my-results").mkdir()
    for line in commands(page):
        if line.startswith(SERVER) and line not in NOT_RUN:
            _serves(line, tmp_path, {**os.environ, "PATH": path})


OPTIONAL = sorted({(page, found[0]) for page in PAGES for found in BLOCK.findall(page.read_text()) if found[0]})


@pytest.mark.slow  # whole frameworks are loaded
@pytest.mark.parametrize(("page", "package"), OPTIONAL, ids=[f"{page.stem}-{package}" for page, package in OPTIONAL])
def test_code_blocks_that_need_a_package_run(page, package, tmp_path, python):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"the package {package} is not installed; its blocks of {page.name} were not run")
    found = BLOCK.findall(page.read_text())
    blocks = [visible or hidden for needed, visible, hidden in found if hidden or needed == package]
    _runs(python, blocks, tmp_path, {**os.environ, "MPLBACKEND": "agg"})


def _runs(python, blocks, folder, environment):
    """Run Python blocks one after the other, in a process of their own."""
    script = folder / "blocks.py"
    script.write_text("if __name__ == '__main__':\n    pass\n" + "".join(_indented(block) for block in blocks))
    code, said = python([script], folder, environment)
    assert code == 0, said[-3000:]


def _named(lines, suffix):
    return next(word for line in lines for word in line.split() if word.endswith(suffix))


def _serves(line, folder, environment):
    """Start a server as the page says, on a port of its own, until it is alive; then stop it."""
    (folder / "users.json").write_text(USERS)
    for words, instead in STAND_INS.items():
        line = line.replace(words, instead)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [*shlex.split(line), "--port", str(port)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        for _ in range(600):
            assert server.poll() is None, server.stdout.read()[-3000:]
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/liveness", timeout=5) as answer:
                    assert answer.status == 200
                    break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        else:
            raise AssertionError(f"{line} was never alive")
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.communicate(timeout=60)


def test_every_exception_is_on_a_page():
    """The list of commands that are not run grows no moss."""
    shown = {line for page in PAGES for line in commands(page)}
    assert set(NOT_RUN) <= shown
    assert all(reason for reason, _ in NOT_RUN.values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_that_are_not_run_are_at_least_python(page):
    for language, block in FENCED.findall(page.read_text()):
        if not language:
            ast.parse(block)


def _indented(block: str) -> str:
    """One level under the main guard, which worker processes need."""
    return "".join(f"    {line}" if line.strip() else line for line in block.splitlines(keepends=True)) + "\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_and_pictures_exist(page):
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", _prose(page.read_text())):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def _prose(text: str) -> str:
    """The page without its code blocks, where brackets mean something else."""
    return re.sub(r"^(```|<!-- setup).*?^(```|-->)", "", text, flags=re.M | re.S)


def test_readme_tables_come_from_the_benchmarks():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        from update_readme import updated
    finally:
        sys.path.pop(0)
    text = (ROOT / "README.md").read_text()
    assert updated(text) == text, "run python benchmarks/update_readme.py"


def test_made_pages_are_as_their_scripts_make_them():
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        import make_experiments
        import make_index
    finally:
        sys.path.pop(0)
    index = make_index.PAGE.read_text()
    assert make_index.updated(index) == index, "run make docs"
    assert make_experiments.PAGE.read_text() == make_experiments.text(), "run make docs"


def test_the_architecture_page_shows_the_house_as_it_is(monkeypatch):
    """Boxes and arrows are those of the source; the counts may age, but not by more than half."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import make_architecture as made

    found = made.house()
    unknown = found.boxes.keys() - made.KNOWN
    assert not unknown, f"{unknown}: make_architecture.py has no place for it"
    page, svg = made.PAGE.read_text(), made.PICTURE.read_text()
    told = {
        (line.split("`")[1], other): int(count)
        for line in page.split("## All arrows")[1].splitlines()
        if line.startswith("| `")
        for other, count in re.findall(r"`([\w/]+)` \((\d+)\)", line.split("|")[2])
    }
    assert told.keys() == found.arrows.keys(), f"run make docs: {told.keys() ^ found.arrows.keys()}"
    for arrow, count in found.arrows.items():
        assert abs(told[arrow] - count) <= 3 + count // 2, f"run make docs: {arrow}"
    drawn = re.findall(r"<title>\d+ files of ([\w/]+) import ([\w/]+)</title>", svg)
    assert drawn == [(one, other) for one, other, _ in made.drawn(found)], "run make docs"
    for name in (*made.ROOMS, *made.GROUND, *made.SHARED):
        assert f"`workbench/{name}`" in page


def test_container_files_name_what_is_there():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    for line in lines:
        if line.startswith("COPY"):
            for name in line.split()[1:-1]:
                assert (ROOT / name).exists(), line
    import yaml

    from workbench.cli import app

    command = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["workbench"]["command"]
    assert command[0] in {entry.callback.__name__ for entry in app.registered_commands}


def test_workbench_command_is_installed():
    assert shutil.which("workbench", path=os.path.dirname(sys.executable))


def test_every_family_shows_an_example_that_runs():
    """Of the ground, of what rooms share, and of two rooms; ``docs/count.py --bare`` names those of the others."""
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        from count import families
    finally:
        sys.path.remove(str(ROOT / "docs"))
    shown = families()
    assert {"clouds", "costs", "games/verifier", "sweeps"} <= set(shown)
    rooms = ("flows", "shapes", "fields", "steps", "metrics")
    lacking = [name for name, has in shown.items() if not has and name.split("/")[0] not in rooms]
    assert not lacking, f"no docstring of {lacking} shows an example"
