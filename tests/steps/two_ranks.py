"""One of two processes that train one model under DistributedDataParallel with SafeStep; writes what it saw.

python two_ranks.py RANK WORLD FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from guarded import flat, leave_the_ranks
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

from workbench import steps

RUNS = {
    "whole": (1.0, "exact", 50),
    "most": (0.9, "exact", 10),
    "difference": (1.0, "finite-difference", 10),
    "hooks": (1.0, "exact", 10),
}


def data():
    g = torch.Generator().manual_seed(0)
    x = torch.randn(32, 6, generator=g)
    x[20:] *= 3  # the second half, and so the second rank, has the wider spreads
    return x, torch.randint(0, 4, (32,), generator=g)


def network():
    model = nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.Tanh(), nn.Linear(12, 4))
    steps.networks.initialise(model, 0)
    return model


def train(rank, world, quantile, jvp, count):
    """Return the parameters after every step and the log."""
    x, y = data()
    mine = slice(rank * 32 // world, (rank + 1) * 32 // world)
    model = DistributedDataParallel(network()) if world > 1 else network()
    guard = steps.SafeStep(torch.optim.AdamW(model.parameters(), lr=0.5), model, r_max=0.5, quantile=quantile, jvp=jvp)
    path = []
    for k in range(count):
        guard.zero_grad()
        cross_entropy(model(x[mine]), y[mine]).backward()
        batch = x[mine].clone()
        if k == 7 and rank == world - 1:
            batch[0] = float("nan")  # one rank cannot measure: no rank may step
        guard.step(batch)
        path.append(flat(model).numpy())
    return np.array(path), guard


def hooked(rank, world, quantile, jvp, count):
    """The same with hooks on the optimiser instead of SafeStep."""
    x, y = data()
    mine = slice(rank * 32 // world, (rank + 1) * 32 // world)
    model = DistributedDataParallel(network())
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.5)
    guarded = steps.guard(optimizer, model, mode="cap", r_max=0.5, quantile=quantile, measure=jvp)
    path = []
    for k in range(count):
        optimizer.zero_grad()
        cross_entropy(model(x[mine]), y[mine]).backward()
        if k == 7 and rank == world - 1:
            model.module[0].weight.grad[0, 0] = float("nan")  # one rank has lost its gradient: no rank may step
        optimizer.step()
        path.append(flat(model).numpy())
    return np.array(path), guarded


def main(rank, world, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=world)
    for name, (quantile, jvp, count) in RUNS.items():
        path, guard = (hooked if name == "hooks" else train)(rank, world, quantile, jvp, count)
        columns = {column: guard.log[column].values for column in ("radius", "r_taken", "engaged", "sample", "rank")}
        outcome = guard.log.outcome.values.astype("U40")
        np.savez(folder / f"{name}-{rank}.npz", path=path, outcome=outcome, **columns)
    failing(rank)
    leave_the_ranks()


def failing(rank):
    """A measurement that raises on one rank raises on the other too, instead of leaving it waiting."""

    class Breaks(nn.Linear):
        def forward(self, x):
            if rank == 1 and not self.training:
                raise RuntimeError("out of memory")
            return super().forward(x)

    model = DistributedDataParallel(Breaks(6, 4))
    guard = steps.SafeStep(torch.optim.SGD(model.parameters(), lr=1.0), model)
    x, y = data()
    before, said = flat(model), ""
    cross_entropy(model(x), y).backward()
    try:
        guard.step(x)
    except RuntimeError as error:
        said = str(error)
    if said != "out of memory" if rank == 1 else "failed on rank 1" not in said:
        raise SystemExit(f"the failure of rank 1 was told to rank {rank} as {said!r}")
    if not torch.equal(before, flat(model)):
        raise SystemExit("the model moved")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
