"""Make the study behind "Downscaling" and its networks: ``python data/make_fields_downscaling.py``; about 8 minutes."""

from pathlib import Path

import torch

from workbench import results
from workbench.fields.downscaling.denoiser import save_denoiser, train_denoiser
from workbench.fields.downscaling.methods import TRAINED
from workbench.fields.downscaling.study import downscaling_study
from workbench.progress import TqdmProgress

FOLDER = Path(__file__).resolve().parent / "fields"

if __name__ == "__main__":
    torch.set_num_threads(1)
    for name, (weight, gate) in TRAINED.items():
        save_denoiser(train_denoiser(weight, gate), FOLDER / f"downscaler_{name}.safetensors")
    results.save(downscaling_study(progress=TqdmProgress("downscalers")), FOLDER / "downscaling.nc")
