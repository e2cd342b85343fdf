"""Write the reference of the public functions from their docstrings, as web pages in docs/_build: ``make docs``.

``python docs/make_reference.py flows games`` writes the pages of these packages only.
"""

import importlib
import sys
from pathlib import Path

import pdoc
import pdoc.render

from workbench.rooms import ROOMS

TARGET = Path(__file__).resolve().parent / "_build"
PACKAGES = (*ROOMS, "transport", "clouds", "results", "sweeps")


def main(names: list[str]) -> None:
    """Import what the packages import late, which pdoc would not find, and write the pages."""
    for name in names or PACKAGES:
        package = importlib.import_module(f"workbench.{name}")
        for public in package.__all__:
            getattr(package, public)
    wanted = [f"workbench.{name}" for name in names] or ["workbench", "!workbench.ui", "!workbench.cli"]
    pdoc.render.configure(docformat="restructuredtext", math=True)
    pdoc.pdoc(*wanted, output_directory=TARGET)
    print(f"open {TARGET / 'index.html'}")


if __name__ == "__main__":
    main(sys.argv[1:])
