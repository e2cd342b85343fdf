"""Make the precomputed results on graphs from samples: run ``python data/make_shapes_shadow.py`` (two minutes)."""

from pathlib import Path

from workbench import results, shapes

FOLDER = Path(__file__).resolve().parent / "shapes"


def main() -> None:
    """Compute and store all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in (
        ("scales", shapes.shadow_scales),
        ("window", shapes.theorem_runs),
        ("first_window", lambda: shapes.theorem_runs(theorem="T1", xi=0.249, arranged=0)),
        ("agreement", shapes.rips_agreement),
    ):
        results.save(make(), FOLDER / f"shadow_{name}.nc")


if __name__ == "__main__":
    main()
