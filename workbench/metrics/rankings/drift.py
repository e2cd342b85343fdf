"""Mending mistakes one after the other: does the rule that picks them favour a group, and what makes it do so?

The paper lets two groups of different prevalence share a ranking, mends 50 neighbouring mistakes by one rule, and
looks at the gap between the groups' AUROCs. The set-ups here change one thing at a time: the score scale, the
prevalence, both or neither. The scores of a group are Φ(z) times the group's scale, z from two normal distributions
with the AUROC asked for; a scale equal to the prevalence stands for calibrated scores.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numba import njit
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from workbench import checks, results
from workbench.progress import Progress
from workbench.registry import Fact, Registry

RULES = {
    "random": "a random mistake (all gain AUROC alike)",
    "ap": "the mistake that gains most AP",
    "topmost": "the topmost mistake (the released notebook's “AUPRC”)",
}
"""How the next mistake is picked. AUROC itself picks none: every mistake gains it as much."""
CODES = {name: code for code, name in enumerate(RULES)}
MOST_ITEMS, MOST_STEPS, MOST_SEEDS = 20_000, 5_000, 10_000

SETUPS = Registry(
    "set-up",
    facts={
        "prevalence": Fact(tuple, says="share of positives in the groups A and B"),
        "scale": Fact(tuple, says="what the scores of A and B are multiplied by"),
    },
)
"""The paper's set-up and three controls: prevalence and score scale of the groups A and B."""


def _setup(name: str, label: str, prevalence: tuple[float, float], scale: tuple[float, float]) -> None:
    SETUPS.add(name, label=label, prevalence=prevalence, scale=scale)(lambda: (prevalence, scale))


_setup("paper", "As in the paper: scores scaled to the prevalence", (0.05, 0.01), (0.05, 0.01))
_setup("same-scale", "Prevalence differs, one score scale", (0.05, 0.01), (1.0, 1.0))
_setup("scale-only", "Equal prevalence, scores of B × 0.2", (0.03, 0.03), (1.0, 0.2))
_setup("equal", "All equal", (0.03, 0.03), (1.0, 1.0))


@results.experiment
def repair_drift(
    setups: Sequence[str] = tuple(SETUPS),
    rules: Sequence[str] = tuple(RULES),
    *,
    n: int = 400,
    auroc: float = 0.85,
    steps: int = 50,
    seeds: int = 40,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Mend ``steps`` mistakes of two groups of ``n`` items by each rule, and follow the gap between their AUROCs.

    ``setups`` and ``rules`` are names of ``SETUPS`` and ``RULES``; every rule starts from the same ``seeds`` samples.
    Where mistakes run out the ranking stays as it is. Returns over (setup, rule, step): the mean change of the gap
    AUROC(A) − AUROC(B) since the start, its standard error over seeds, the mean AUROC and AP of all; the change at the
    end of every seed. Raises ``ValueError`` for unknown names and for sizes that leave a group without positives.
    Cost: n × steps × seeds × 2 ns for each set-up and rule.

    >>> found = repair_drift(["paper"], ["random", "ap"], n=200, steps=20, seeds=5)
    >>> found.gap_change.dims, float(found.gap_change[0, 0, 0])
    (('setup', 'rule', 'step'), 0.0)
    """
    progress = progress or Progress()
    setups = [checks.choice("set-up", name, SETUPS) for name in setups]
    rules = [checks.choice("rule", name, RULES) for name in rules]
    if not setups or not rules:
        raise ValueError("name at least one set-up and one rule")
    n = checks.integer("n", n, minimum=20, maximum=MOST_ITEMS)
    steps = checks.integer("steps", steps, minimum=1, maximum=MOST_STEPS)
    seeds = checks.integer("seeds", seeds, minimum=2, maximum=MOST_SEEDS)
    auroc = checks.real("auroc", auroc, minimum=0.5, maximum=0.999)
    checks.memory(32.0 * len(setups) * len(rules) * seeds * (steps + 1), "a drift of so many samples and steps")
    rng = checks.generator(seed)
    streams = rng.spawn(seeds)
    shape = (len(setups), len(rules), seeds, steps + 1)
    gap, whole, ap = (np.empty(shape) for _ in range(3))
    for k, stream in enumerate(streams):
        progress.update(k, seeds, "samples")
        own = stream.spawn(len(setups))
        for i, name in enumerate(setups):
            labels, groups = _order(name, n, auroc, own[i])
            draws = own[i].random(steps)
            for j, rule in enumerate(rules):
                found = mended(labels.copy(), groups.copy(), steps, CODES[rule], draws)
                gap[i, j, k] = found[0] - found[1]
                whole[i, j, k], ap[i, j, k] = found[2], found[3]
    progress.update(1, 1, "done")
    change = gap - gap[..., :1]
    dims = ("setup", "rule", "step")
    return results.dataset(
        {
            "gap_change": (dims, change.mean(2), "change of AUROC(A) − AUROC(B)"),
            "gap_change_error": (dims, change.std(2, ddof=1) / np.sqrt(seeds), "its standard error over samples"),
            "auroc": (dims, whole.mean(2), "AUROC of all, mean over samples"),
            "ap": (dims, ap.mean(2), "AP of all, mean over samples"),
            "gap_start": (("setup",), gap[:, 0, :, 0].mean(1), "AUROC(A) − AUROC(B) at the start"),
            "final_change": ((*dims[:2], "sample"), change[..., -1], "change of the gap at the end"),
        },
        {
            "setup": (("setup",), np.array(setups), "set-up"),
            "rule": (("rule",), np.array(rules), "rule that picks the mistake"),
            "step": (("step",), np.arange(steps + 1), "mistakes mended"),
            "sample": (("sample",), np.arange(seeds), "sample"),
        },
    )


def _order(setup: str, n: int, auroc: float, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Return labels and groups (2 n,) from the highest score down."""
    prevalence, scale = SETUPS[setup].fact("prevalence"), SETUPS[setup].fact("scale")
    separation = np.sqrt(2) * ndtri(auroc)
    labels, scores, groups = [], [], []
    for k in range(2):
        count = round(n * prevalence[k])
        if not 0 < count < n:
            raise ValueError(f"n = {n} leaves group {'AB'[k]} of the set-up {setup!r} with {count} positives; raise n")
        y = np.arange(n) < count
        z = rng.normal(size=n) + separation * y
        labels.append(y)
        scores.append(ndtr(z - separation / 2) * scale[k])
        groups.append(np.full(n, k))
    order = np.argsort(-np.concatenate(scores), kind="stable")
    return np.concatenate(labels)[order], np.concatenate(groups)[order]


@njit(cache=True, nogil=True)
def mended(label: NDArray, group: NDArray, steps: int, rule: int, draws: NDArray) -> NDArray:
    """Mend ``steps`` mistakes of one ranking by a rule; ``label`` and ``group`` are from the top.

    Mending swaps two neighbours, a negative above a positive.
    """
    size = len(label)
    sizes = np.zeros((2, 2))
    for r in range(size):
        sizes[group[r], 1 if label[r] else 0] += 1
    positives = sizes[0, 1] + sizes[1, 1]
    pairs = positives * (size - positives)
    # inverted[g]: pairs of group g with the negative above the positive; 2: of all
    inverted = np.zeros(3)
    above = np.zeros(2)
    ap = 0.0
    true = 0
    before = np.zeros(size, np.int64)  # positives above
    for r in range(size):
        before[r] = true
        if label[r]:
            inverted[group[r]] += above[group[r]]
            inverted[2] += above[0] + above[1]
            true += 1
            ap += true / (r + 1)
        else:
            above[group[r]] += 1
    found = np.empty((4, steps + 1))
    for step in range(steps + 1):
        if step:
            best, gain, count = -1, 0.0, 0
            for r in range(size - 1):
                if label[r] or not label[r + 1]:
                    continue
                if rule == 2:
                    best = r
                    break
                if rule == 1:
                    value = (before[r] + 1) / ((r + 1.0) * (r + 2.0))
                    if value > gain:
                        best, gain = r, value
                count += 1
            if rule == 0 and count:
                wanted = int(draws[step - 1] * count)
                for r in range(size - 1):
                    if not label[r] and label[r + 1]:
                        if wanted == 0:
                            best = r
                            break
                        wanted -= 1
            if best >= 0:
                r = best
                ap += (before[r] + 1) / ((r + 1.0) * (r + 2.0))
                inverted[2] -= 1
                if group[r] == group[r + 1]:
                    inverted[group[r]] -= 1
                label[r], label[r + 1] = label[r + 1], label[r]
                group[r], group[r + 1] = group[r + 1], group[r]
                before[r + 1] += 1
        for g in range(2):
            found[g, step] = 1 - inverted[g] / (sizes[g, 0] * sizes[g, 1])
        found[2, step] = 1 - inverted[2] / pairs
        found[3, step] = ap / positives
    return found
