"""Make the study behind "Downscaling" and its networks: ``python data/make_fields_downscaling.py``; about 12 minutes.

``--quick`` makes the same files small, in seconds, and ``--folder`` puts them elsewhere.
"""

import argparse
from pathlib import Path

import torch

from workbench import results
from workbench.fields.downscaling.denoiser import save_denoiser, train_denoiser
from workbench.fields.downscaling.methods import TRAINED
from workbench.fields.downscaling.study import downscaling_study
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "fields"


def main(arguments: list[str] | None = None) -> None:
    """Train the shipped networks, run the study, and store both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two seeds, few steps and days")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to put the files")
    given = parser.parse_args(arguments)
    if given.quick and given.folder == FOLDER:
        parser.error("--quick needs a --folder of its own; the shipped files are of the full length")
    torch.set_num_threads(1)
    given.folder.mkdir(parents=True, exist_ok=True)
    steps = {"steps": 6} if given.quick else {}
    for name, (weight, gate) in TRAINED.items():
        save_denoiser(train_denoiser(weight, gate, **steps), given.folder / f"downscaler_{name}.safetensors")
    small = {"seeds": (0, 1), "days": 12, "steps": 6} if given.quick else {}
    study = downscaling_study(progress=TqdmProgress("downscalers"), **small)
    results.save(study, given.folder / "downscaling.nc")


if __name__ == "__main__":
    main()
