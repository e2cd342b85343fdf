"""The demo room as a page, for the browser tests of the shared parts."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ui"))

from demo_room import DemoRoom

DemoRoom().page().servable()
