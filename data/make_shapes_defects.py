"""Make the precomputed results on defects of crystals: run ``python data/make_shapes_defects.py``."""

from pathlib import Path

from workbench import results, shapes

FOLDER = Path(__file__).resolve().parent / "shapes"


def main() -> None:
    """Compute and store all of them."""
    FOLDER.mkdir(exist_ok=True)
    results.save(shapes.defect_dictionaries(), FOLDER / "defects_dictionaries.nc")


if __name__ == "__main__":
    main()
