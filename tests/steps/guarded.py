"""Small problems and optimisers for the tests of the guards, what may not have changed after a refused step, and r as
a bystander finds it in float64."""

import copy
import gc
import math
import os

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.functional import cross_entropy

from workbench import steps

OPTIMISERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=50.0, momentum=0.9, weight_decay=1e-2),
    "nesterov": lambda p: torch.optim.SGD(p, lr=50.0, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=5.0),
    "adamw": lambda p: torch.optim.AdamW(p, lr=5.0, weight_decay=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=5.0),
    "m-fac": lambda p: steps.MFAC(p, lr=5.0, window=4),
}


def problem(seed=0, batch=16, features=6, classes=4):
    g = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Linear(features, 12), nn.Tanh(), nn.Linear(12, classes))
    steps.networks.initialise(model, seed)
    x = torch.randn(batch, features, generator=g)
    return model, x, torch.randint(0, classes, (batch,), generator=g)


def backward(model, x, y, loss=cross_entropy):
    model.zero_grad()
    value = loss(model(x), y)
    value.backward()
    return value


def flat(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()]).double()


def snapshot(model):
    return {k: v.clone() for k, v in model.state_dict().items()}


def same_state(model, state):
    return all(torch.equal(v, state[k]) for k, v in model.state_dict().items())


METHODS = ("exact", "finite-difference")


class Layered(nn.Module):
    """Two layers with ``between`` in the middle, in float64 unless said otherwise."""

    def __init__(self, between, seed=0):
        super().__init__()
        self.first, self.last, self.between = nn.Linear(6, 12), nn.Linear(12, 4), between
        steps.networks.initialise(self, seed)

    def forward(self, x):
        return self.last(self.between(self.first(x)))


def direction_of(model, seed=0):
    g = torch.Generator().manual_seed(seed)
    return {n: torch.randn(p.shape, generator=g).to(p.dtype) for n, p in model.named_parameters()}


def widest(change):
    """The widest spread of a change of logits, in units of π."""
    return float((change.amax(-1) - change.amin(-1)).max()) / math.pi


def wide_logits(model, *inputs):
    """What a float64 copy of the model says, without dropout."""
    copied = copy.deepcopy(model).double().eval()
    with torch.no_grad():
        return copied(*(v.double() if v.is_floating_point() else v for v in inputs))


def true_r(how, start, model, x):
    """r of the step from ``start`` to ``model`` in float64: the change of the logits, or their slope along it."""
    before, after = ({n: v.detach().double() for n, v in m.named_parameters()} for m in (start, model))
    copied = copy.deepcopy(model).double().eval()

    def logits(t):
        moved = {n: v + t * (after[n] - v) for n, v in before.items()}
        with torch.no_grad():
            return torch.func.functional_call(copied, moved, (x,))

    return widest(logits(1.0) - logits(0.0) if how == "replay" else (logits(1e-4) - logits(-1e-4)) / 2e-4)


def step(model, optimizer, x, y, **autocast):
    optimizer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, **{"enabled": False, **autocast}):
        logits = model(x)
        loss = cross_entropy(logits.flatten(0, -2), y.flatten())
    loss.backward()
    optimizer.step()


def tiny():
    g = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2, bias=False)).double()
    steps.networks.initialise(model, 2)
    return model, torch.randn(6, 2, generator=g, dtype=torch.float64), torch.randint(0, 2, (6,), generator=g)


def leave_the_ranks():
    """End a process that was one of several ranks, when all that it had to say is written.

    Not by returning: now and then a thread of torch's own still runs when Python unloads it, and aborts the process.
    """
    gc.collect()  # models in cycles hold on to the group
    dist.destroy_process_group()
    os._exit(0)
