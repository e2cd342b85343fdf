"""Make the trained checkpoints and precomputed results of the steps room.

Run ``python data/make_steps.py``, or name the parts to make: checkpoints, defaults, studies, text, log.

Weights are stored in half precision (a checkpoint is a point in parameter space; rounding moves it a little, and all
shipped results are computed from the rounded weights). About fifteen minutes on one core, most of them for the studies.
"""

import sys
from pathlib import Path

import torch
import xarray as xr
from safetensors.torch import save_file

from workbench import results, steps
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


def defaults() -> None:
    """Store what each tab of the page shows first, so that it opens at once."""
    for name, run in {
        "zeros_map": lambda: steps.zeros_map("mlp-tanh"),
        "taylor_orders": lambda: steps.taylor_orders("mlp-tanh"),
        "limits": lambda: steps.limits("mlp-relu"),
        "sweep_radius": lambda: steps.sweep_radius("mlp-relu", stages=tuple(STAGES)),
        "temperature_scaling": lambda: steps.temperature_scaling("mlp-relu"),
        "spike": lambda: steps.spike("mlp-relu", persistent=True),
        "bottlenecks": lambda: steps.bottlenecks("mlp-relu"),
    }.items():
        keep(name, run())


def studies() -> None:
    """Store the studies behind the verdict table."""
    keep("study_counterexamples", steps.counterexamples(networks=tuple(NETWORKS)))
    keep("study_sweep", steps.sweep_study())
    for name, persistent in (("single", False), ("persistent", True)):
        table = steps.spike_table(persistent=persistent, multipliers=(1000.0,), steps=110, seeds=(0, 1, 2, 3, 4))
        keep(f"study_spike_{name}", table)
    keep("study_onset", steps.prediction_spread(samples=128))


def text() -> None:
    """Store who survives which fault on real text (the manual inside the Python that runs this)."""
    keep("study_text_survival", steps.text_survival())


def log() -> None:
    """Store the log of a guard that watched a small language model whose rate was wrong for three steps."""
    from workbench.steps.text import CharacterModel, excerpts, manual

    model = CharacterModel(seed=0).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with steps.guard(optimizer, model, mode="cap", measure="replay") as guarded:
        for n, (x, y) in enumerate(excerpts(manual()[0], 300, 0, batch=12, context=48)):
            optimizer.param_groups[0]["lr"] = 3e-3 * (100.0 if 150 <= n < 153 else 1.0)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x).flatten(0, -2), y.flatten()).backward()
            optimizer.step()
    results.save(guarded.log, FOLDER / "guard_log.nc")


def keep(name: str, ds: xr.Dataset) -> None:
    """Save a result and say how large it is."""
    file = results.save(ds, FOLDER / f"{name}.nc")
    print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB, {ds.attrs['seconds']:.0f} s", flush=True)


PARTS = {"checkpoints": checkpoints, "defaults": defaults, "studies": studies, "text": text, "log": log}

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
