"""One of two processes that train one model sharded by ``fully_shard`` with a guard; writes what it saw.

python two_shards.py RANK WORLD FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from guarded import leave_the_ranks
from torch import nn
from torch.nn.functional import cross_entropy

from workbench import steps

STEPS = 12
REFUSED = {
    "exact": {"measure": "exact"},
    "finite-difference": {"measure": "finite-difference"},
    "alone": {"group": False},
}


def data():
    g = torch.Generator().manual_seed(0)
    x = torch.randn(32, 6, generator=g)
    x[20:] *= 3  # the second half, and so the second rank, has the wider spreads
    return x, torch.randint(0, 4, (32,), generator=g)


def network():
    model = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 12), nn.Tanh(), nn.Linear(12, 4))
    steps.networks.initialise(model, 0)
    return model


def train(model, x, y, whole):
    """Return all parameters after every step, as ``whole`` gathers them, and the guard."""
    optimizer = torch.optim.SGD(model.parameters(), lr=20.0, momentum=0.9)
    guarded = steps.guard(optimizer, model, mode="cap", measure="replay", r_max=0.5)
    path = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        cross_entropy(model(x), y).backward()
        optimizer.step()
        path.append(torch.cat([whole(p.detach()).reshape(-1) for p in model.parameters()]).numpy())
    return np.array(path), guarded


def sharded(rank, world):
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    model, mesh = network(), init_device_mesh("cpu", (world,))
    for layer in model:
        if isinstance(layer, nn.Linear):
            fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    return model


def refusals(rank, world):
    """Return what the guard says of measures that it cannot take of shards, and of processes that decide alone."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    said = {}
    model = sharded(rank, world)
    for name, options in REFUSED.items():
        try:
            steps.guard(torch.optim.SGD(model.parameters(), lr=1.0), model, **options)
        except ValueError as error:
            said[name] = str(error)
    narrow = network()
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, output_dtype=torch.float32)
    fully_shard(narrow, mesh=init_device_mesh("cpu", (world,)), mp_policy=policy)
    optimizer = torch.optim.SGD(narrow.parameters(), lr=1.0)
    steps.guard(optimizer, narrow, mode="cap")
    before = [p.detach().to_local().clone() for p in narrow.parameters()]
    x, y = data()
    cross_entropy(narrow(x), y).backward()
    try:
        optimizer.step()
    except RuntimeError as error:
        said["bfloat16"] = str(error)
    if not all(torch.equal(a, p.detach().to_local()) for a, p in zip(before, narrow.parameters(), strict=True)):
        said["bfloat16"] = "the model moved"
    return said


def main(rank, world, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=world)
    x, y = data()
    mine = slice(rank * 32 // world, (rank + 1) * 32 // world)
    path, guarded = train(sharded(rank, world), x[mine], y[mine], lambda p: p.full_tensor())
    columns = {c: guarded.log[c].values for c in ("radius", "r_proposed", "r_taken", "update_norm", "sample", "rank")}
    said = {f"said-{name}": np.array(text) for name, text in refusals(rank, world).items()}
    np.savez(folder / f"shards-{rank}.npz", path=path, **columns, **said)
    leave_the_ranks()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
