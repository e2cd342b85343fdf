"""Mending the mistakes of one's own ranking: does the rule that picks them favour one of two groups?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.metrics import grammar
from workbench.metrics.rankings.drift import CODES, MOST_ITEMS, MOST_SEEDS, MOST_STEPS, RULES, mended
from workbench.metrics.rankings.inputs import Sample, sample
from workbench.metrics.rankings.levels import level_of
from workbench.progress import Progress


@results.experiment
def group_repairs(
    y: ArrayLike,
    scores: ArrayLike,
    group: ArrayLike,
    *,
    positive: Any = None,
    rules: Sequence[str] = tuple(RULES),
    steps: int = 50,
    seeds: int = 20,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Mend mistakes of a ranking (N,) with two groups by each rule, and follow the gap between their AUROCs.

    The rules of ``repair_drift``: at random, the one that gains most AP, the topmost. Ties are broken at random, anew
    in each of ``seeds`` runs. Returns over (mend_rule, mended) the mean of AUROC(first) − AUROC(second), its standard
    deviation over the runs (0 where nothing is left to chance), AUROC and AP of all. Where mistakes run out the ranking
    stays as it is. Raises ``ValueError`` for another number of groups than two, a group of one class, and more than
    20,000 items. Cost: N × steps × seeds × 2 ns a rule.

    >>> from workbench.metrics.rankings import example
    >>> drawn = example(100, prevalence=0.2)
    >>> found = group_repairs(drawn.y, drawn.scores, drawn.group, steps=10, seeds=2)
    >>> found.group_gap.dims, str(found.gap_of.item())
    (('mend_rule', 'mended'), 'AUROC(A) − AUROC(B)')
    """
    given = sample(y, scores, group=group, positive=positive)
    rules = [checks.choice("rule", name, RULES) for name in rules]
    if not rules:
        raise ValueError("name at least one rule")
    steps = checks.integer("steps", steps, minimum=1, maximum=MOST_STEPS)
    seeds = checks.integer("seeds", seeds, minimum=1, maximum=MOST_SEEDS)
    return results.dataset(*gap_part(given, rules, steps, seeds, checks.generator(seed), progress or Progress()))


def gap_part(
    given: Sample,
    rules: Sequence[str],
    steps: int,
    seeds: int,
    rng: np.random.Generator,
    progress: Progress,
) -> grammar.Part:
    """Return variables and coordinates of :func:`group_repairs`; ``ValueError`` where its question makes no sense."""
    names, codes = _two_groups(given)
    places = level_of(given.scores)[0]
    shape = (len(rules), seeds, steps + 1)
    gap, whole, ap = (np.empty(shape) for _ in range(3))
    for k in range(seeds):
        progress.update(k, seeds, "runs")
        order = np.lexsort((rng.random(len(places)), places))
        draws = rng.random(steps)
        for j, rule in enumerate(rules):
            found = mended(given.positive[order], codes[order], steps, CODES[rule], draws)
            gap[j, k], whole[j, k], ap[j, k] = found[0] - found[1], found[2], found[3]
    progress.update(1, 1, "done")
    both = ("mend_rule", "mended")
    told = f"AUROC({names[0]}) − AUROC({names[1]})"
    variables = {
        "group_gap": (both, gap.mean(axis=1), "difference of the groups' AUROCs, mean over runs"),
        "group_gap_spread": (both, gap.std(axis=1), "its standard deviation over runs"),
        "mended_auroc": (both, whole.mean(axis=1), "AUROC of all, mean over runs"),
        "mended_ap": (both, ap.mean(axis=1), "AP of all, mean over runs"),
        "gap_of": ((), told, "the difference"),
    }
    coordinates = {
        "mend_rule": (("mend_rule",), np.array(rules), "rule that picks the mistake"),
        "mended": (("mended",), np.arange(steps + 1), "mistakes mended"),
    }
    return variables, coordinates


def _two_groups(given: Sample) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Return the names of the two groups and the group of each item, or refuse."""
    if given.group is None:
        raise ValueError("the items have no groups; give group, a name an item")
    if given.weights is not None:
        raise ValueError("mistakes are mended one by one, which has no meaning for items with weights")
    names, codes = np.unique(given.group, return_inverse=True)
    if len(names) != 2:
        raise ValueError(f"the items have {len(names)} group(s); a gap is that of two")
    if len(codes) > MOST_ITEMS:
        raise ValueError(f"{len(codes):,} items; mistakes are mended one by one in up to {MOST_ITEMS:,}")
    for code, name in enumerate(names):
        if len(np.unique(given.positive[codes == code])) < 2:
            raise ValueError(f"group {name} has positives or negatives alone, and so no AUROC")
    return names, codes.astype(np.int64)
