"""Experiment (b), the spike laboratory: train while the learning rate is wrong, under different guards."""

from collections.abc import Sequence

import numpy as np
import torch
import xarray as xr
from torch import nn

from workbench import checks, results
from workbench.progress import Progress
from workbench.steps.data import Data, digits
from workbench.steps.experiments.setting import Network
from workbench.steps.experiments.spike_rules import OPTIMISERS, RULES, Rule, described
from workbench.steps.jvp import logits_and_slopes
from workbench.steps.networks import build
from workbench.steps.radii import bound_radius
from workbench.steps.threads import one_thread
from workbench.steps.training import accuracy, batches

REPORT_EVERY = 4
VARIABLES = ("loss", "accuracy", "r", "update_norm", "engaged")


@results.experiment
def spike(
    network: Network = "mlp-relu",
    *,
    rules: Sequence[str] = ("none", "gradient-clip", "update-clip", "armijo", "safe"),
    multiplier: float = 1000.0,
    persistent: bool = False,
    at: int = 60,
    steps: int = 160,
    optimizer: str = "adam",
    learning_rate: float = 1e-2,
    r_max: float = 1.0,
    seeds: Sequence[int] = (0,),
    data: Data | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Train under each rule with a learning rate that is ``multiplier`` times too large from step ``at`` on.

    ``persistent=False`` spoils the one step ``at``; True all steps from there. ``network``: a name (fresh weights for
    each seed) or a module (its own weights, a fresh copy for each run). All rules advance together, step by step, on
    the same batches; ``progress.publish`` gets the unfinished Dataset (NaN to come) to show.

    Returns over (rule, seed, step): ``loss`` of the batch before the step, test ``accuracy`` after it, ``r`` =
    ‖update‖/ρ_a of the step taken, ``update_norm`` and ``engaged``, whether the rule changed the step; NaN loss and r
    where training has overflowed. Also ``label`` and ``colour`` of each rule, for pictures. About 5 ms a step and rule
    on a small net. Raises ``ValueError`` for unknown names and unusable numbers.

    A spike laboratory after P. Sao, arXiv 2603.13552, except that r is measured along the update really taken.
    """
    progress = progress or Progress()
    names = [checks.choice("rule", rule, RULES) for rule in rules]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"name one or more distinct rules of: {', '.join(RULES)}")
    checks.choice("optimizer", optimizer, OPTIMISERS)
    multiplier = checks.real("multiplier", multiplier, exclusive_minimum=0)
    steps = checks.integer("steps", steps, minimum=1, maximum=20_000)
    at = checks.integer("at", at, minimum=0, maximum=steps - 1)
    rate = checks.real("learning_rate", learning_rate, exclusive_minimum=0)
    r_max = checks.real("r_max", r_max, exclusive_minimum=0)
    seed_list = [checks.integer("seed", seed, minimum=0) for seed in seeds]
    if not seed_list:
        raise ValueError("give at least one seed")
    data = data or digits()
    table = {name: np.full((len(names), len(seed_list), steps), np.nan) for name in VARIABLES}
    for j, seed in enumerate(seed_list):
        runs = [Run(network, rule, optimizer, rate, r_max, data, seed) for rule in names]
        for n, (x, y) in enumerate(batches(data, steps, seed)):
            wrong = multiplier if (n >= at if persistent else n == at) else 1.0
            with one_thread():
                for i, run in enumerate(runs):
                    for name, value in zip(VARIABLES, run.step(x, y, rate * wrong), strict=True):
                        table[name][i, j, n] = value
            progress.update(j * steps + n + 1, len(seed_list) * steps, f"seed {seed}, step {n + 1}")
            if n % REPORT_EVERY == 0:
                progress.publish(results.stamp(_dataset(table, names, seed_list, steps), "workbench.steps.spike"))
    return _dataset(table, names, seed_list, steps)


class Run:
    """One training run under one rule; every step is measured along the update that was really made."""

    def __init__(
        self, network: Network, rule: str, optimizer: str, rate: float, r_max: float, data: Data, seed: int
    ) -> None:
        import copy

        if isinstance(network, nn.Module):
            self.model = copy.deepcopy(network)
        else:
            self.model = build(network, features=data.features, classes=data.classes, seed=seed)
        self.model.train()
        self.optimizer = OPTIMISERS[optimizer](self.model.parameters(), rate)
        self.rule: Rule = RULES[rule](self.model, self.optimizer, r_max)
        self.data = data

    def step(self, x: torch.Tensor, y: torch.Tensor, learning_rate: float) -> tuple[float, float, float, float, float]:
        """Take one step and return loss, test accuracy, r, update length and whether the rule engaged."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        before = {name: p.detach().clone() for name, p in self.model.named_parameters()}
        loss, engaged = self.rule.step(x, y)
        update = {name: p.detach() - before[name] for name, p in self.model.named_parameters()}
        length = float(torch.stack([u.norm() for u in update.values()]).norm())
        score = accuracy(self.model, self.data.test_inputs, self.data.test_targets)
        return loss, score, self._r(x, before, update, length), length, float(engaged)

    def _r(self, x: torch.Tensor, before: dict, update: dict, length: float) -> float:
        if length == 0:
            return 0.0
        if not np.isfinite(length):
            return float("nan")
        direction = {name: u / length for name, u in update.items()}
        try:
            found = logits_and_slopes(self.model, x, direction, parameters=before)
        except ValueError:  # the logits have overflowed: no radius exists
            return float("nan")
        return length / float(bound_radius(found.slopes.double().numpy()).min())


@results.experiment
def spike_table(
    networks: Sequence[str] = ("mlp-relu", "mlp-layernorm", "cnn-batchnorm"),
    *,
    multipliers: Sequence[float] = (10.0, 100.0, 1000.0, 10_000.0),
    rules: Sequence[str] = ("none", "gradient-clip", "update-clip", "armijo", "safe"),
    persistent: bool = False,
    at: int = 60,
    steps: int = 160,
    optimizer: str = "adam",
    learning_rate: float = 1e-2,
    r_max: float = 1.0,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    progress: Progress | None = None,
) -> xr.Dataset:
    """Run the spike laboratory over networks × multipliers × seeds, on digits.

    Returns over (network, multiplier, rule, seed): ``accuracy`` (test) at the end and ``worst``, its minimum from the
    spike on. One :func:`spike` each.
    """
    progress = progress or Progress()
    shape = (len(networks), len(multipliers), len(rules), len(seeds))
    final, worst = np.empty(shape), np.empty(shape)
    done, total = 0, len(networks) * len(multipliers)
    for i, network in enumerate(networks):
        for j, multiplier in enumerate(multipliers):
            progress.update(done, total, f"{network}, × {multiplier:g}")
            one = spike(
                network,
                rules=rules,
                multiplier=multiplier,
                persistent=persistent,
                at=at,
                steps=steps,
                optimizer=optimizer,
                learning_rate=learning_rate,
                r_max=r_max,
                seeds=seeds,
            )
            final[i, j] = one.accuracy.values[:, :, -1]
            worst[i, j] = one.accuracy.values[:, :, at:].min(axis=2)
            done += 1
    progress.update(total, total, "done")
    dims = ("network", "multiplier", "rule", "seed")
    labels, colours = described(list(rules))
    return results.dataset(
        {
            "label": (("rule",), labels, "rule in words"),
            "colour": (("rule",), colours, "place among the colours of series"),
            "accuracy": (dims, final, "test accuracy at the end"),
            "worst": (dims, worst, "lowest test accuracy from the spike on"),
        },
        {
            "network": (("network",), list(networks), "network"),
            "multiplier": (("multiplier",), list(multipliers), "learning rate over its usual value"),
            "rule": (("rule",), list(rules), "rule"),
            "seed": (("seed",), list(seeds), "seed"),
        },
    )


def _dataset(table: dict, names: list[str], seeds: list[int], steps: int) -> xr.Dataset:
    dims = ("rule", "seed", "step")
    labels, colours = described(names)
    return results.dataset(
        {
            "loss": (dims, table["loss"].copy(), "loss of the batch before the step", "nat"),
            "accuracy": (dims, table["accuracy"].copy(), "test accuracy after the step"),
            "r": (dims, table["r"].copy(), "length of the step over the bound radius along it"),
            "update_norm": (dims, table["update_norm"].copy(), "length of the step", "τ"),
            "engaged": (dims, table["engaged"].copy(), "1 where the rule changed the step"),
            "label": (("rule",), labels, "rule in words"),
            "colour": (("rule",), colours, "place among the colours of series"),
        },
        {
            "rule": (("rule",), names, "rule"),
            "seed": (("seed",), seeds, "seed"),
            "step": (("step",), np.arange(steps), "training step"),
        },
    )
