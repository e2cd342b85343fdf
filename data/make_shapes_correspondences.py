"""Make the precomputed results on correspondences: run ``python data/make_shapes_correspondences.py`` (ten minutes).

With names ("first", "methods", "term") only those are made.
"""

import sys
from pathlib import Path

from workbench import results, shapes
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "shapes"
MADE = {
    "first": lambda progress: shapes.correspondence_report(progress=progress),
    "methods": lambda progress: shapes.matcher_study(progress=progress),
    "term": lambda progress: shapes.transport_term_study(progress=progress),
}


def main() -> None:
    """Compute and store all of them, or those that are named."""
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or MADE:
        results.save(MADE[name](TqdmProgress(name)), FOLDER / f"correspondences_{name}.nc")


if __name__ == "__main__":
    main()
