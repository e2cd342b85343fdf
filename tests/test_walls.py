"""The walls of the house: rooms draw nothing and know nothing of each other."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import workbench

PACKAGE = Path(workbench.__file__).parent
ROOMS = ("flows", "fisher", "steps", "games")
DRAWING = {"panel", "holoviews", "bokeh", "plotly", "matplotlib", "panel_material_ui", "IPython"}


@pytest.mark.parametrize("room", ROOMS)
def test_importing_a_room_pulls_in_nothing_that_draws(room):
    code = f"import sys, workbench.{room}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not DRAWING & set(done.stdout.split())


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_do_not_know_each_other(room):
    others = {f"workbench.{name}" for name in (*ROOMS, "ui", "figures") if name != room}
    for file in (PACKAGE / room).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                assert ".".join(name.split(".")[:2]) not in others, f"{file.name} imports {name}"
