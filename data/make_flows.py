"""Make the precomputed results of the flows room: run ``python data/make_flows.py``.

The first flow that a visitor sees, the paper's experiment at full length (three seeds), and the errors of all
estimators on the named pairs. About six minutes on two quiet cores, most of it the paper's 8000 steps.
"""

from pathlib import Path

from workbench import flows, results
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "flows"


def main() -> None:
    """Compute and store the three results."""
    FOLDER.mkdir(exist_ok=True)
    first = flows.gradient_flow(
        "torus", "cube", n=1000, steps=60, method="design", n_directions=30, frames=61, checkpoints=(0, 15, 30, 60)
    )
    results.save(first, FOLDER / "first_flow.nc")
    errors = flows.compare_estimators(repeats=200, threads=1, progress=TqdmProgress("errors"))
    results.save(errors, FOLDER / "errors.nc")
    paper = flows.seed_experiment(n_directions=(10, 10, 10, 3, 10), progress=TqdmProgress("paper"))
    results.save(paper, FOLDER / "paper.nc")
    for path in sorted(FOLDER.glob("*.nc")):
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
