"""Make the precomputed results on defects of crystals: ``python data/make_shapes_defects.py``, half a minute."""

from pathlib import Path

from workbench import results, shapes
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "shapes"


def main() -> None:
    """Compute and store all of them."""
    FOLDER.mkdir(exist_ok=True)
    results.save(shapes.defect_dictionaries(), FOLDER / "defects_dictionaries.nc")
    circuit = shapes.circuit_report().attrs["document"]
    (FOLDER / "circuit.json").write_text(circuit, encoding="utf-8")
    results.save(shapes.dislocation_circuits(progress=TqdmProgress("circuits")), FOLDER / "defects_circuits.nc")
    results.save(shapes.noise_breakdown(progress=TqdmProgress("noise")), FOLDER / "defects_noise.nc")


if __name__ == "__main__":
    main()
