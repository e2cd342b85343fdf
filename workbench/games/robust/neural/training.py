"""Training the network: instances, plans and scenarios drawn at random, the recourse solved to the optimum for each."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from workbench import checks
from workbench.games.robust.bounding import OUT
from workbench.games.robust.neural.network import SIDES, Layers, Network, features
from workbench.games.robust.problem import CLASSES, Knapsack, knapsack
from workbench.games.robust.recourse import best_choices
from workbench.games.robust.relaxation import Relaxation
from workbench.progress import Progress

SMALLEST, LARGEST = 10, 80
PLANS, SCENARIOS = 8, 16  # of an instance; every pair is a sample
KEPT_APART = 0.1  # of the instances
SHAKEN = 0.15  # share of the items that are turned in a plan that was climbed to


@dataclass(frozen=True)
class Samples:
    """Samples of m instances, padded with zeros to n items.

    ``known`` (m, n, 7), ``there`` (m, n) 1 where there is an item, ``plans`` (m, 8, n), ``scenarios`` (m, 16, n) and
    ``values`` (m, 8, 16): what the best recourse of each plan earns against each scenario, as a share of Σf.
    """

    known: NDArray[np.float32]
    there: NDArray[np.float32]
    plans: NDArray[np.float32]
    scenarios: NDArray[np.float32]
    values: NDArray[np.float32]


def draw_samples(instances: int, *, seed: int = 0, progress: Progress | None = None) -> Samples:
    """Return samples from so many random instances of all classes with 10 to 80 items; same seed, same samples.

    Half of the plans take each item by the toss of a coin, the others are climbed to in the relaxation and shaken; half
    of the scenarios hit random items, the others are the worst ones of a plan in the relaxation. One dynamic programme
    for each pair.
    """
    instances = checks.integer("instances", instances, minimum=1, maximum=100_000)
    draw, progress = checks.generator(checks.integer("seed", seed, minimum=0)), progress or Progress()
    known = np.zeros((instances, LARGEST, SIDES["plan_item"][0] - 1), np.float32)
    there = np.zeros((instances, LARGEST), np.float32)
    plans = np.zeros((instances, PLANS, LARGEST), np.float32)
    scenarios = np.zeros((instances, SCENARIOS, LARGEST), np.float32)
    values = np.zeros((instances, PLANS, SCENARIOS), np.float32)
    kinds = list(CLASSES)
    for k in range(instances):
        if k % 20 == 0:
            progress.update(k, instances, f"instance {k:,} of {instances:,}")
        n = int(draw.integers(SMALLEST, LARGEST + 1))
        problem = knapsack(
            kinds[k % len(kinds)], n, h=int(draw.choice((40, 80))), deviation=float(draw.choice((0.1, 0.5, 1.0))),
            share=float(draw.choice((0.1, 0.15, 0.2))), seed=draw,
        )  # fmt: skip
        relaxation = Relaxation(problem)
        tried = [_plan(problem, relaxation, draw, p) for p in range(PLANS)]
        hits = [_scenario(problem, relaxation, tried, draw, s) for s in range(SCENARIOS)]
        known[k, :n], there[k, :n] = features(problem), 1.0
        plans[k, :, :n], scenarios[k, :, :n] = tried, hits
        for p, plan in enumerate(tried):
            for s, scenario in enumerate(hits):
                values[k, p, s] = earned(problem, plan, scenario) / problem.outsourcing.sum()
    return Samples(known, there, plans, scenarios, values)


def earned(problem: Knapsack, plan: NDArray, scenario: NDArray) -> float:
    """Return what the best recourse of a plan earns against ξ: the most of Σ f y - p̂ξ (y - r)."""
    open_ = np.flatnonzero(plan != OUT)
    price = problem.outsourcing[open_].astype(float)
    gains = np.stack([price - problem.loss[open_] * scenario[open_], price], axis=1)
    weights = np.stack([problem.weight[open_], problem.weight[open_] + problem.repair[open_]], axis=1)
    return float(best_choices(np.zeros(open_.size), gains, weights, problem.capacity)[0])


def _plan(problem: Knapsack, relaxation: Relaxation, draw: np.random.Generator, turn: int) -> NDArray[np.int8]:
    plan = (draw.random(problem.items) < draw.uniform(0.2, 1.0)).astype(np.int8)
    if turn % 2:
        _, plan = relaxation.climb(plan, 2000)
        turned = draw.random(problem.items) < SHAKEN * draw.random()
        plan = np.where(turned, 1 - plan, plan).astype(np.int8)
    return plan


def _scenario(
    problem: Knapsack, relaxation: Relaxation, plans: list[NDArray], draw: np.random.Generator, turn: int
) -> NDArray[np.float64]:
    n = problem.items
    if turn % 2:
        return relaxation.bound(plans[(turn // 2) % len(plans)])[1]
    order, scenario, left = draw.permutation(n), np.zeros(n), problem.budget
    for i in order:
        scenario[i] = min(1.0, left) * (1.0 if turn % 4 else draw.random())
        left -= scenario[i]
        if left <= 0:
            break
    return scenario


class Perceptron(nn.Sequential):
    """One hidden layer of rectifiers."""

    def __init__(self, into: int, hidden: int, out: int) -> None:
        super().__init__(nn.Linear(into, hidden), nn.ReLU(), nn.Linear(hidden, out))

    def arrays(self) -> Layers:
        """Return (W, b, W', b') in double precision."""
        first, shift, last, offset = (p.detach().numpy().astype(np.float64) for p in self.parameters())
        return first, shift, last, offset


class Surrogate(nn.ModuleDict):
    """The five perceptrons, on a batch of m instances."""

    def __init__(self) -> None:
        super().__init__({name: Perceptron(*sides) for name, sides in SIDES.items()})

    def forward(
        self, known: torch.Tensor, there: torch.Tensor, plans: torch.Tensor, scenarios: torch.Tensor
    ) -> torch.Tensor:
        """Return V of every plan against every scenario, shape (m, plans, scenarios)."""
        x = self["plan_post"](self._summed("plan_item", known, there, plans))
        xi = self["scenario_post"](self._summed("scenario_item", known, there, scenarios))
        many, hits = x.shape[1], xi.shape[1]
        both = torch.cat([x[:, :, None].expand(-1, -1, hits, -1), xi[:, None].expand(-1, many, -1, -1)], dim=-1)
        return self["head"](both)[..., 0]

    def _summed(self, part: str, known: torch.Tensor, there: torch.Tensor, sets: torch.Tensor) -> torch.Tensor:
        inner = torch.cat([sets[..., None], known[:, None].expand(-1, sets.shape[1], -1, -1)], dim=-1)
        share = there / there.sum(dim=1, keepdim=True)
        return (self[part](inner) * share[:, None, :, None]).sum(dim=2)


def train_network(
    samples: Samples | None = None,
    *,
    instances: int = 600,
    epochs: int = 150,
    batch: int = 24,
    rate: float = 3e-3,
    seed: int = 0,
    progress: Progress | None = None,
) -> Network:
    """Return a network trained on ``samples``, or on those of so many ``instances``; same seed, same network.

    Adam on the mean square error with a rate that falls to zero along a cosine; a tenth of the instances is kept apart
    and measures ``error``. Costs about a second for each epoch of 600 instances.

    >>> network = train_network(instances=10, epochs=1)
    >>> network.items
    (10, 80)
    """
    epochs = checks.integer("epochs", epochs, minimum=1, maximum=10_000)
    batch = checks.integer("batch", batch, minimum=1, maximum=10_000)
    rate = checks.real("rate", rate, exclusive_minimum=0.0, maximum=1.0)
    progress = progress or Progress()
    samples = samples or draw_samples(instances, seed=seed, progress=progress)
    tensors = [torch.from_numpy(a) for a in (samples.known, samples.there, samples.plans, samples.scenarios)]
    values = torch.from_numpy(samples.values)
    m = values.shape[0]
    apart = max(1, int(KEPT_APART * m))
    if m <= apart:
        raise ValueError(f"training needs at least two instances, got {m}: one is kept apart")
    order = torch.Generator().manual_seed(checks.integer("seed", seed, minimum=0))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Surrogate()
    trained = m - apart
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for epoch in range(epochs):
        total = 0.0
        for chosen in torch.randperm(trained, generator=order).split(batch):
            optimiser.zero_grad()
            loss = ((model(*(t[chosen] for t in tensors)) - values[chosen]) ** 2).mean()
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) * len(chosen)
        schedule.step()
        progress.update(epoch + 1, epochs, f"epoch {epoch + 1:,}: error {(total / trained) ** 0.5:.3%} of Σf")
    with torch.no_grad():
        away = model(*(t[trained:] for t in tensors)) - values[trained:]
    seen = samples.known[samples.there > 0].astype(np.float64)
    parts: dict[str, Layers] = {}
    for name in SIDES:
        part = model[name]
        assert isinstance(part, Perceptron)
        parts[name] = part.arrays()
    return Network(parts, seen.min(axis=0), seen.max(axis=0), (SMALLEST, LARGEST), float((away**2).mean().sqrt()))
