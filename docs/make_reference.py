"""Write the reference of the public functions from their docstrings, as web pages in docs/_build: ``make docs``."""

import importlib
from pathlib import Path

import pdoc
import pdoc.render

TARGET = Path(__file__).resolve().parent / "_build"
PACKAGES = ("flows", "fisher", "steps", "games", "results", "sweeps")


def main() -> None:
    """Import what the packages import late, which pdoc would not find, and write the pages."""
    for name in PACKAGES:
        package = importlib.import_module(f"workbench.{name}")
        for public in package.__all__:
            getattr(package, public)
    pdoc.render.configure(docformat="restructuredtext", math=True)
    pdoc.pdoc("workbench", "!workbench.ui", "!workbench.cli", output_directory=TARGET)
    print(f"open {TARGET / 'index.html'}")


if __name__ == "__main__":
    main()
