"""Training that repeats: seeded batches, one thread, snapshots at named stages; and the shipped checkpoints."""

import copy
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from workbench import checks
from workbench.progress import Progress
from workbench.steps.data import Data, digits
from workbench.steps.networks import NETWORKS, build
from workbench.steps.threads import one_thread

STAGES = {"initial": 0, "early": 20, "middle": 150, "converged": 3000}
"""Stage of training → number of AdamW steps (batch 64, learning rate 3e-3) that lead there."""
BATCH = 64
LEARNING_RATE = 3e-3
REPORT_EVERY = 10


def train(
    model: nn.Module,
    data: Data,
    *,
    steps: int,
    seed: int = 0,
    learning_rate: float = LEARNING_RATE,
    after_step: Callable[[int], None] | None = None,
    progress: Progress | None = None,
) -> nn.Module:
    """Train ``model`` in place with AdamW on seeded batches of 64 and return it in eval mode.

    ``after_step(n)`` is called after every step (n = 1 … steps). One torch thread; the same seed gives the same
    weights. Raises ``ValueError`` for unusable numbers.
    """
    progress = progress or Progress()
    steps = checks.integer("steps", steps, minimum=0)
    rate = checks.real("learning_rate", learning_rate, exclusive_minimum=0)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    with one_thread():
        for n, (x, y) in enumerate(batches(data, steps, seed), start=1):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            if n % REPORT_EVERY == 0:
                progress.update(n, steps, f"training, step {n}")
            if after_step is not None:
                after_step(n)
    return model.eval()


def batches(data: Data, steps: int, seed: int, size: int = BATCH) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield ``steps`` batches, epoch after epoch of a seeded permutation; the incomplete last batch is dropped."""
    generator = torch.Generator().manual_seed(checks.integer("seed", seed, minimum=0))
    size = min(size, len(data.train_inputs))
    made = 0
    while made < steps:
        order = torch.randperm(len(data.train_inputs), generator=generator)
        for start in range(0, len(order) - size + 1, size):
            if made == steps:
                return
            rows = order[start : start + size]
            yield data.train_inputs[rows], data.train_targets[rows]
            made += 1


def train_stages(network: str, data: Data, *, seed: int = 0, progress: Progress | None = None) -> dict[str, nn.Module]:
    """Return the network at every stage of :data:`STAGES`, from one training run."""
    model = build(network, features=data.features, classes=data.classes, seed=seed)
    kept = {"initial": copy.deepcopy(model).eval()}
    when = {steps: stage for stage, steps in STAGES.items() if steps > 0}

    def keep(n: int) -> None:
        if n in when:
            kept[when[n]] = copy.deepcopy(model).eval()

    train(model, data, steps=max(when), seed=seed, after_step=keep, progress=progress)
    return kept


def at_stage(
    network: str | nn.Module,
    stage: str = "converged",
    *,
    data: Data | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> nn.Module:
    """Return a network of the registry at a stage of its training, in eval mode; a module passes through as it is.

    Digits with seed 0 come from the shipped checkpoints (half precision weights of the same training); anything else
    is trained now, a few seconds. Raises ``ValueError`` for unknown names.

    >>> model, data = at_stage("linear"), digits()
    >>> accuracy(model, data.test_inputs, data.test_targets) > 0.9
    True
    """
    if isinstance(network, nn.Module):
        return network
    NETWORKS[network]
    checks.choice("stage", stage, STAGES)
    data = data or digits()
    if stage == "initial":
        return build(network, features=data.features, classes=data.classes, seed=seed).eval()
    if seed == 0 and data.name == "digits":
        shipped = load_checkpoint(network, stage)
        if shipped is not None:
            return shipped
    model = build(network, features=data.features, classes=data.classes, seed=seed)
    return train(model, data, steps=STAGES[stage], seed=seed, progress=progress)


def load_checkpoint(network: str, stage: str) -> nn.Module | None:
    """Return the shipped checkpoint of a network trained on digits, or None if there is none."""
    from safetensors.torch import load_file

    from workbench.data import path

    try:
        file = path(f"steps/{network}.safetensors")
    except FileNotFoundError:
        return None
    prefix = f"{stage}/"
    stored = {k.removeprefix(prefix): v for k, v in load_file(file).items() if k.startswith(prefix)}
    if not stored:
        return None
    model = build(network)
    model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in stored.items()})
    return model.eval()


def accuracy(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Return the share of right predictions in eval statistics, without touching the model."""
    from workbench.steps.passes import evaluation

    with torch.no_grad(), evaluation(model):
        return float((model(inputs).argmax(-1) == targets).double().mean())
