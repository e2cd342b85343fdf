"""A new room costs one line in ``rooms.py`` and its folders: a toy room, built in a copy, is found everywhere."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GROWING = ("workbench", "workbench/ui", "workbench/figures", "apps", "docs")
MADE = ("__pycache__", "_build")
LINE = '    "waves": RoomEntry("Waves", "Turn a wave."),\n'
FILES = {
    "workbench/waves/__init__.py": '''"""The waves room.

>>> from workbench import waves
>>> float(waves.sine(2.0).frequency)
2.0
"""

import numpy as np

from workbench import results

__all__ = ["sine"]


@results.experiment
def sine(frequency: float = 1.0, progress=None):
    """Sample one second of a sine of ``frequency`` hertz."""
    times = np.linspace(0, 1, 50)
    return results.dataset(
        {"wave": (("time",), np.sin(2 * np.pi * frequency * times), "displacement", "m"),
         "frequency": ((), frequency, "frequency", "Hz")},
        {"time": (("time",), times, "time", "s")},
    )
''',
    "workbench/waves/verdicts.py": '''"""What holds of sines."""

from workbench.verdicts import Claim, Rule, at_most, judge
from workbench.waves import sine

CLAIMS = (
    Claim(
        "A sine stays below one.",
        lambda: {"largest": float(sine(3.0).wave.max())},
        "the largest is {largest:.3f}",
        Rule(at_most("largest", 1)),
        "waves.sine(3.0)",
    ),
)


def verdicts():
    return judge(CLAIMS)
''',
    "workbench/waves/costs.py": '''"""What sines cost."""

from workbench.costs import Cost


def sine(frequency):
    return Cost(10.0 * frequency)
''',
    "workbench/figures/waves/__init__.py": '''"""Figures of the waves room."""

import holoviews as hv

from workbench.figures import theme


def sine(ds):
    """Return the wave."""
    curve = theme.line(hv.Curve((ds.time.values, ds.wave.values), "time", "wave"), theme.SERIES[0])
    return theme.frame(curve, title="Sine", xlabel="s", ylabel="m")
''',
    "workbench/ui/waves/__init__.py": '''"""The waves room on the screen."""

import param

from workbench import waves
from workbench.figures import waves as figures
from workbench.ui.kit.picture import Picture
from workbench.ui.kit.room import Room
from workbench.ui.kit.view import View


class SineView(View):
    """A sine whose frequency can be turned."""

    title, slug, inputs = "A sine", "sine", ("frequency",)
    experiment = staticmethod(waves.sine)
    frequency = param.Number(1.0, bounds=(0.5, 10), label="frequency")

    def pictures(self):
        return [Picture("Sine", figures.sine, lambda ds: "A wave.")]

    def sentence(self, ds):
        return f"One period takes {1 / float(ds.frequency):.3f} s."


class WavesRoom(Room):
    """Turn a wave."""

    slug, view_classes = "waves", (SineView,)

    @classmethod
    def thumbnail(cls):
        return figures.sine(waves.sine())
''',
    "apps/waves.py": '''"""The waves room as a page."""

from workbench.ui.waves import WavesRoom

WavesRoom().page().servable()
''',
    "notebooks/waves.ipynb": "{}",
}
LOOK = """
import panel as pn
from workbench import sweeps, waves
from workbench.ui.home import Home, room_classes
from workbench.ui.kit import page
from workbench.ui.server.serve import app_files

cards = next(part for part in Home().main() if isinstance(part, pn.FlexBox) and len(part) > 2)
assert any('href="waves"' in card[0].object and "Turn a wave." in card[0].object for card in cards), "home page"
assert "Waves" in page._links("waves").object, "navigation"
assert "waves.py" in {file.name for file in app_files()}, "served pages"
room = room_classes()["waves"]()
room.view.start()
room.view.frequency = 2.0
swept = sweeps.sweep("waves.sine", {"frequency": [1.0, 2.0]}, store="cells", seed=0)
assert swept.frequency.values.tolist() == [1.0, 2.0], "sweep"
rows = list(room.verdicts())
assert [row.outcome.word for row in rows] == ["holds"] and "the largest is 0.99" in rows[0].measured, "verdicts"
from workbench import costs
assert costs.of(waves.sine, 2.0) == costs.Cost(20.0), "costs"
from workbench.figures.choose import figure_for
assert "Sine" in str(figure_for(waves.sine()).opts.get("plot").kwargs), "figure"
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the house with one room more; its folders are links, so that what was compiled there counts here."""
    house = tmp_path_factory.mktemp("house")
    for folder in GROWING:
        _furnish(ROOT / folder, house / folder)
    (house / "data").symlink_to(ROOT / "data", target_is_directory=True)
    rooms = house / "workbench" / "rooms.py"
    text = rooms.read_text()
    end = text.index("\n}\n") + 1
    rooms.write_text(text[:end] + LINE + text[end:])
    for name, content in FILES.items():
        (house / name).parent.mkdir(parents=True, exist_ok=True)
        (house / name).write_text(content)
    return house


def _furnish(source, target):
    """Copy the files of a folder to which a room adds something; link its folders that stay as they are."""
    target.mkdir()
    for path in source.iterdir():
        if path.is_file():
            shutil.copyfile(path, target / path.name)
        elif str(path.relative_to(ROOT)) not in GROWING and path.name not in MADE:
            (target / path.name).symlink_to(path, target_is_directory=True)


def run(house, *command):
    environment = {**os.environ, "PYTHONPATH": str(house), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=house, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_home_navigation_sweep_and_figure_find_the_room(copy):
    run(copy, sys.executable, "-c", LOOK)


def test_the_command_line_finds_the_room(copy):
    assert "sine" in run(copy, sys.executable, "-m", "workbench.cli", "run", "waves", "--help")
    told = run(copy, sys.executable, "-m", "workbench.cli", "run", "waves", "sine", "--frequency", "2", "-o", "w.nc")
    assert "frequency" in told
    assert (copy / "w.nc").is_file()


def test_the_index_and_the_reference_find_the_room(copy):
    run(copy, sys.executable, "docs/make_index.py")
    assert "| **Waves** | Turn a wave." in (copy / "docs" / "index.md").read_text()
    run(copy, sys.executable, "docs/make_reference.py", "waves")
    assert "Sample one second of a sine" in (copy / "docs" / "_build" / "workbench" / "waves.html").read_text()
