"""Every family of the fields room beside the tools a user would otherwise pick: `python benchmarks/fields.py`.

Runs the scripts ``fields_*.py`` of this folder one after the other; ``--write`` stores their tables in
``results/fields.md``, ``--quick`` makes them small.
"""

import argparse
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main() -> None:
    """Run the families' scripts and print, or store, what they print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--write", action="store_true", help="store the tables")
    given = parser.parse_args()
    parts = ["# Fields", ""]
    for script in sorted(FOLDER.glob("fields_*.py")):
        command = [sys.executable, str(script), *(["--quick"] if given.quick else [])]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        parts += [f"## {script.stem.removeprefix('fields_').capitalize()}", "", done.stdout.strip(), ""]
    text = "\n".join(parts)
    print(text)
    if given.write:
        (FOLDER / "results" / "fields.md").write_text(text)


if __name__ == "__main__":
    main()
