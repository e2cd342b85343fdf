"""Every family of the shapes room beside the tools a user would otherwise pick: `python benchmarks/shapes.py`.

Runs the scripts ``shapes_*.py`` of this folder one after the other with the arguments given here: ``--write`` lets each
keep its tables in ``results``, ``--quick`` makes them small.
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main() -> None:
    """Run the scripts of the families."""
    for script in sorted(FOLDER.glob("shapes_*.py")):
        subprocess.run([sys.executable, str(script), *sys.argv[1:]], check=True)


if __name__ == "__main__":
    main()
