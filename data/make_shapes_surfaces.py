"""Make the precomputed results on surfaces: run ``python data/make_shapes_surfaces.py`` (a few minutes; ``first`` etc.
as arguments makes only these; ``cortex`` needs the package nilearn).
"""

import sys
from pathlib import Path

from workbench import results, shapes

FOLDER = Path(__file__).resolve().parent / "shapes"
MAKERS = {
    "first": lambda: shapes.deform("walnut", "walnut-outer", steps=4, iterations=150),
    "carried": shapes.carried_crossings,
    "noise": shapes.sampling_noise,
    "losses": lambda: shapes.compare_losses(sizes=(642, 2562), seconds=0.8, seeds=3),
    "large": lambda: shapes.compare_losses(sizes=(10242,), seconds=0.5, seeds=2),
    "cortex": lambda: shapes.compare_losses(pairs=("cortex",), sizes=(642,), seconds=1.2, seeds=3),
    "fields": lambda: shapes.compare_losses(
        sizes=(642,), losses=("varifold", "chamfer"), fields=("bspline", "mlp"), seconds=1.5, seeds=2
    ),
}


def main() -> None:
    """Compute and store all of them, or those that are named."""
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or MAKERS:
        results.save(MAKERS[name](), FOLDER / f"surfaces_{name}.nc")


if __name__ == "__main__":
    main()
