"""Make the precomputed results on surfaces: run ``python data/make_shapes_surfaces.py`` (a quarter of an hour).

``first`` etc. as arguments makes only these; ``cortex`` and ``rules_cortex`` need the package nilearn.
"""

import sys
from pathlib import Path

from workbench import results, shapes

FOLDER = Path(__file__).resolve().parent / "shapes"
MAKERS = {
    "first": lambda: shapes.deform("walnut", "walnut-outer", steps=4, iterations=150),
    "carried": shapes.carried_crossings,
    "noise": shapes.sampling_noise,
    "losses": lambda: shapes.compare_losses(seconds=0.8),
    "cortex": lambda: shapes.compare_losses(pairs=("cortex",), sizes=(642, 2562), seconds=0.9),
    "rules": shapes.rule_errors,
    "rules_cortex": lambda: shapes.rule_errors(("cortex",)),
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
