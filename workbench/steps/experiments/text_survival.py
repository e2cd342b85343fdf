"""Which guards keep a language model alive: faults of a training run, on real text, under every rule."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from workbench import checks, results
from workbench.progress import Progress
from workbench.steps.experiments.spike_rules import RULES, Rule, described
from workbench.steps.text import SYMBOLS, CharacterModel, excerpts, manual
from workbench.steps.threads import one_thread

FAULTS = {
    "none": "healthy training",
    "rate": "the learning rate 300 times too large for three steps",
    "batch": "the learning rate right, eight batches of one repeated character with random targets",
    "warm-up": "the warm-up the wrong way round: from 30 times the learning rate down to it over 30 steps",
    "overflow": "one step in bfloat16 whose loss lost its scale, so that its gradients overflow",
}
"""Fault → what goes wrong."""
TEXT_RULES = ("none", "gradient-clip", "zclip", "agc", "update-clip", "guard")
BATCH, CONTEXT, HELD_OUT_BATCHES = 12, 48, 8
RATE_FACTOR, RATE_STEPS, BAD_BATCHES, WARM_FACTOR, WARM_STEPS, LOST_SCALE = 300.0, 3, 8, 30.0, 30, 1e42


@results.experiment
def text_survival(
    *,
    faults: Sequence[str] = tuple(FAULTS),
    rules: Sequence[str] = TEXT_RULES,
    steps: int = 150,
    at: int = 75,
    learning_rate: float = 3e-3,
    r_max: float = 1.0,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    progress: Progress | None = None,
) -> xr.Dataset:
    """Train a character-level transformer on the Python manual while something goes wrong, under every rule.

    Faults as in ``FAULTS``; all but the warm-up begin at step ``at``. AdamW, weight decay 0.01, 12 × 48 characters a
    step. Over (fault, rule, seed): ``loss`` on held-out text at the end (∞ where the model has overflowed) and
    ``engaged``, the share of steps that the rule changed. Cost: 15 ms a step. Raises ``ValueError`` for unknown names
    and unusable numbers. Same seed, same start and batches for all rules and faults.
    """
    progress = progress or Progress()
    steps = checks.integer("steps", steps, minimum=WARM_STEPS, maximum=20_000)
    at = checks.integer("at", at, minimum=0, maximum=steps - 1)
    rate = checks.real("learning_rate", learning_rate, exclusive_minimum=0)
    r_max = checks.real("r_max", r_max, exclusive_minimum=0)
    fault_names = [checks.choice("fault", fault, tuple(FAULTS)) for fault in faults]
    rule_names = [checks.choice("rule", rule, RULES) for rule in rules]
    seed_list = [checks.integer("seed", seed, minimum=0) for seed in seeds]
    if not (fault_names and rule_names and seed_list):
        raise ValueError("give at least one fault, one rule and one seed")
    shape = (len(fault_names), len(rule_names), len(seed_list))
    loss, engaged = np.empty(shape), np.empty(shape)
    for done, (i, j, k) in enumerate(np.ndindex(shape)):
        fault, rule, seed = fault_names[i], rule_names[j], seed_list[k]
        loss[i, j, k], engaged[i, j, k] = _run(
            fault,
            rule,
            steps,
            at,
            rate,
            r_max,
            seed,
            lambda part, done=done, rule=rule: progress.update(done + part, loss.size, rule),
        )
    progress.update(loss.size, loss.size, "done")
    dims = ("fault", "rule", "seed")
    labels, colours = described(rule_names)
    return results.dataset(
        {
            "loss": (dims, loss, "held-out loss at the end", "nat"),
            "engaged": (dims, engaged, "share of steps that the rule changed"),
            "label": (("rule",), labels, "rule in words"),
            "colour": (("rule",), colours, "place among the colours of series"),
        },
        {
            "fault": (("fault",), fault_names, "what goes wrong"),
            "rule": (("rule",), rule_names, "rule"),
            "seed": (("seed",), seed_list, "seed"),
        },
    )


def _run(
    fault: str,
    name: str,
    steps: int,
    at: int,
    rate: float,
    r_max: float,
    seed: int,
    tell: Callable[[float], None],
) -> tuple[float, float]:
    training, held_out = manual()
    model = CharacterModel(context=CONTEXT, seed=seed).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    rule: Rule = RULES[name](model, optimizer, r_max)
    changed = 0
    for n, (x, y) in enumerate(excerpts(training, steps, seed, batch=BATCH, context=CONTEXT)):
        factor = 1.0
        if fault == "rate" and at <= n < at + RATE_STEPS:
            factor = RATE_FACTOR
        elif fault == "warm-up" and n < WARM_STEPS:
            factor = WARM_FACTOR + (1.0 - WARM_FACTOR) * n / WARM_STEPS
        elif fault == "batch" and at <= n < at + BAD_BATCHES:
            x, y = _bad(x, y, seed + n)
        rule.loss_scale = LOST_SCALE if fault == "overflow" and n == at else 1.0
        for group in optimizer.param_groups:
            group["lr"] = rate * factor
        with one_thread(), torch.autocast("cpu", torch.bfloat16, enabled=fault == "overflow" and n == at):
            changed += rule.step(x, y)[1]
        tell(n / steps)
    with one_thread():
        return held_out_loss(model, held_out), changed / steps


def _bad(x: Tensor, y: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.full_like(x, int(x[0, 0])), torch.randint(0, len(SYMBOLS), y.shape, generator=generator)


@torch.no_grad()
def held_out_loss(model: nn.Module, codes: Tensor) -> float:
    """Return the mean loss over fixed excerpts of ``codes``, ∞ if it is not finite."""
    model.eval()
    losses = [
        float(nn.functional.cross_entropy(model(x).flatten(0, -2), y.flatten()))
        for x, y in excerpts(codes, HELD_OUT_BATCHES, 0, batch=32, context=CONTEXT)
    ]
    mean = float(np.mean(losses))
    return mean if np.isfinite(mean) else float("inf")
