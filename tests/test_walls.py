"""The walls of the house: arrows point down, rooms draw nothing and know nothing of each other.

The folders are walked, not listed: a new package has walls from its first file, and one that stands nowhere in the
house fails. Imports are read from the source, relative ones and those by ``importlib.import_module("…")`` included.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench
from workbench.rooms import ROOMS

PACKAGE = Path(workbench.__file__).parent
DRAWING = {"panel", "holoviews", "bokeh", "plotly", "matplotlib", "panel_material_ui", "IPython"}
SHARED = {"transport", "clouds"}
UPPER = {"figures", "ui", "cli", "notebook"}
DYNAMIC = {
    *(
        "costs.py",
        "verdicts.py",
        "sweeps/experiments.py",
        "results/provenance.py",
        "figures/choose.py",
        "ui/catalogue.py",
        "__init__.py",
    ),
    *("isolated/calls.py", "isolated/worker.py"),
}
"""Files that import a package by a name made at run time; they take the name from ``ROOMS`` and nowhere else.

``isolated`` is the exception: it imports what its caller has handed in as a function, in another process.
"""


def ground() -> set[str]:
    """Whatever stands in the package and is neither a room, nor shared, nor above: the ground."""
    found = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    return found - set(ROOMS) - SHARED - UPPER - {"__init__"}


def imports(file: Path, package: Path = PACKAGE) -> Iterator[str]:
    """Yield the dotted names that a file imports from the workbench, wherever in the file; relative ones resolved."""
    inside = ["workbench", *file.relative_to(package).with_suffix("").parts]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = inside[: len(inside) - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value
            else:
                yield "dynamic"


def house_parts(file: Path) -> set[tuple[str, ...]]:
    """Return the parts of the house that a file imports: ("flows",), ("ui", "kit"), ("figures", "games"), …"""
    found = set()
    for name in imports(file):
        parts = name.split(".")
        if parts[0] == "workbench" and len(parts) > 1:
            found.add(tuple(parts[1:3]) if parts[1] in ("ui", "figures") else (parts[1],))
    return found


def files(*folders: str) -> list[Path]:
    return [file for folder in folders for file in sorted((PACKAGE / folder).rglob("*.py"))]


def test_every_folder_has_its_place_in_the_house():
    for folder in ("figures", "ui"):
        for path in (PACKAGE / folder).iterdir():
            if (path / "__init__.py").is_file():
                assert path.name in {*ROOMS, "kit", "server"}, f"{folder}/{path.name} belongs to no room of rooms.py"
    # What is no room draws nothing and knows no room: a room that nobody listed would fail here at the latest.
    assert ground() == {
        "checks", "costs", "data", "isolated", "papers", "parallel", "progress", "registry", "results", "rooms",
        "sweeps", "verdicts",
    }  # fmt: skip


def test_every_room_has_its_folders():
    root = PACKAGE.parent
    for room in ROOMS:
        for place in (
            f"workbench/{room}/__init__.py", f"workbench/figures/{room}/__init__.py",
            f"workbench/ui/{room}/__init__.py", f"apps/{room}.py", f"notebooks/{room}.ipynb",
            f"benchmarks/{room}.py", f"tests/{room}",
        ):  # fmt: skip
            assert (root / place).exists(), f"the room {room!r} lacks {place}"


@pytest.mark.parametrize("name", sorted(ground()))
def test_the_ground_knows_nothing_above_it(name):
    above = {*ROOMS, *SHARED, *UPPER}
    here = PACKAGE / name
    for file in sorted(here.rglob("*.py")) if here.is_dir() else [here.with_suffix(".py")]:
        wrong = {part[0] for part in house_parts(file)} & above
        assert not wrong, f"{file.relative_to(PACKAGE)} imports {wrong}"


@pytest.mark.parametrize("name", sorted(SHARED))
def test_shared_packages_stand_on_the_ground(name):
    for file in files(name):
        wrong = {part[0] for part in house_parts(file)} & ({*ROOMS, *UPPER, *SHARED} - {name})
        assert not wrong, f"{file.relative_to(PACKAGE)} imports {wrong}"


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_do_not_know_each_other(room):
    for file in files(room):
        wrong = {part[0] for part in house_parts(file)} & ({*ROOMS, *UPPER} - {room})
        assert not wrong, f"{file.relative_to(PACKAGE)} imports {wrong}"


@pytest.mark.parametrize("file", files("figures"), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_figures_take_data_and_know_no_room(file):
    room = file.relative_to(PACKAGE / "figures").parts[0]
    for part in house_parts(file):
        assert part[0] not in {*ROOMS, *SHARED, "ui", "cli", "notebook"}, f"imports {part}"
        if part[0] == "figures" and len(part) > 1 and room in ROOMS:
            assert part[1] == room or part[1] not in ROOMS, f"imports the figures of another room: {part}"


@pytest.mark.parametrize("room", ROOMS)
def test_a_page_knows_its_own_room_only(room):
    for file in files(f"ui/{room}"):
        for part in house_parts(file):
            assert part[0] == room or part[0] not in ROOMS, f"{file.name} imports {part}"
            if part[0] in ("ui", "figures") and len(part) > 1:
                assert part[1] == room or part[1] not in ROOMS, f"{file.name} imports {part}"


def test_what_pages_share_knows_no_room():
    for file in files("ui/kit", "ui/server"):
        wrong = {part for part in house_parts(file) if {*part} & set(ROOMS)}
        assert not wrong, f"{file.name} imports {wrong}"


def test_names_made_at_run_time_are_few_and_known():
    found = {str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.py") if "dynamic" in imports(file)}
    rooms_own = {name for name in found if name.split("/")[0] in ROOMS and name.endswith("__init__.py")}
    assert found - rooms_own == DYNAMIC


@pytest.mark.parametrize("name", [*ROOMS, *sorted(SHARED)])
def test_importing_numerics_pulls_in_nothing_that_draws(name):
    code = f"import sys, workbench.{name}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not DRAWING & set(done.stdout.split())


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("from ..steps import guard", "workbench.steps.guard"),
        ("from . import flow", "workbench.flows.flow"),
        ("import importlib\nimportlib.import_module('workbench.games')", "workbench.games"),
        ("def f():\n    from workbench.ui import kit", "workbench.ui.kit"),
        ("import importlib\nimportlib.import_module('workbench.' + x)", "dynamic"),
    ],
)
def test_no_way_of_importing_is_overlooked(tmp_path, source, seen):
    file = tmp_path / "flows" / "new.py"
    file.parent.mkdir()
    file.write_text(source)
    assert seen in set(imports(file, tmp_path))
