"""Make the trained checkpoints and the precomputed results that the steps room ships: run ``python data/make_steps.py``.

Weights are stored in half precision (a checkpoint is a point in parameter space; rounding moves it a little, and all
shipped results are computed from the rounded weights). About five minutes on two cores.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

from workbench.steps import NETWORKS, STAGES, digits, train_stages

FOLDER = Path(__file__).resolve().parent / "steps"


def checkpoints() -> None:
    """Train every network on digits with seed 0 and store its stages (the initial one comes from the seed)."""
    for network in NETWORKS:
        tensors = {
            f"{stage}/{name}": (value.half() if value.is_floating_point() else value).contiguous()
            for stage, model in train_stages(network, digits()).items()
            if stage != "initial"
            for name, value in model.state_dict().items()
        }
        file = FOLDER / f"{network}.safetensors"
        save_file(tensors, file)
        print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB, stages {', '.join(s for s in STAGES)}")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    checkpoints()
