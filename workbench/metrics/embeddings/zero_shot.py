"""The zero-shot study: train on half of the classes, retrieve the other half, over all ways to halve them.

Every weight λ of the confusion term starts from the same weights and sees the same batches of the same split, so that
differences are paired. The weight is never tuned on the unseen classes: where λ is *chosen*, a part of the seen ones
is kept out of another training for that.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from workbench import checks, results
from workbench.metrics.embeddings.baselines import EMBEDDING_BASELINES, digits
from workbench.metrics.embeddings.confusion import checked_power
from workbench.metrics.embeddings.inputs import Floats, Labelled, labelled
from workbench.metrics.embeddings.losses import EMBEDDING_LOSSES
from workbench.metrics.embeddings.retrieval import scores
from workbench.metrics.embeddings.training import Network, Setting, train
from workbench.progress import Progress

PAPERS_WEIGHT = 0.13
"""λ of the paper for the binomial loss."""
MOST_SPLITS, MOST_STEPS, MOST_WEIGHTS = 1000, 20_000, 12
MOST_VALUES = 20_000_000
"""Items times features of a study."""
POWER, LEVEL = 0.8, 0.95
SCORES = ("recall_at_1", "map_at_r")


@results.experiment
def zero_shot(
    features: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    losses: Sequence[str] = ("binomial",),
    confusions: Sequence[float] = (0.0, PAPERS_WEIGHT),
    *,
    power: float = 2.0,
    normalised: bool = False,
    steps: int = 120,
    splits: int = 20,
    baselines: Sequence[str] = ("raw", "pca", "random", "lda"),
    validate: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Train an embedding on half of the classes with each loss and weight λ, and retrieve the other half with it.

    ``features`` (n, d) with ``labels`` (n,), by default the handwritten digits. ``confusions`` are weights λ, 0 among
    them: differences are taken to it. The term has the ``power`` (2: the paper's), on ``normalised`` embeddings or raw
    ones (the paper's). ``splits`` are drawn without repetition from all ways to halve the classes; all of them where
    there are no more. With ``validate``, λ is also *chosen* for each split by training on a part of the seen classes
    and retrieving the rest of them.

    Returns over (loss, confusion, split) ``recall_at_1`` and ``map_at_r`` of the unseen items, over (baseline, split)
    the same of simple features; for each score ``…_difference`` (loss, confusion), the mean paired difference to λ = 0
    with the half-width ``…_reach`` of its 95 % t-interval, ``…_sd``, the share ``…_better`` of splits in which it is
    higher, ``…_sign``, the p-value of the sign test, and ``…_needed``, how many splits would show such a difference
    with a probability of 0.8. ``shrinking`` is the share of the term's gradient that only rescales W, which no
    retrieval by direction sees. Splits share classes: the interval is over splits of *this* data set, and says nothing
    of other data. Raises ``ValueError`` for unknown losses, for no λ = 0, and for fewer than four classes. Cost: about
    60 ms for each training of 120 steps. Paper: arXiv 1901.07169; the design is this project's.

    >>> found = zero_shot(splits=2, steps=5, baselines=["raw"])
    >>> found.map_at_r.shape, float(found.map_at_r_difference.sel(confusion=0)[0])
    ((1, 2, 2), 0.0)
    """
    progress = progress or Progress()
    if (features is None) != (labels is None):
        raise ValueError("give features and labels, or neither: then the digits are taken")
    given = digits() if features is None else labelled(features, labels)
    losses = named("loss", losses, EMBEDDING_LOSSES)
    baselines = named("baseline", baselines, EMBEDDING_BASELINES, least=0)
    weights = checked_weights(confusions)
    power = checked_power(power)
    steps = checks.integer("steps", steps, minimum=1, maximum=MOST_STEPS)
    splits = checks.integer("splits", splits, minimum=2, maximum=MOST_SPLITS)
    check_classes(given)
    rng = checks.generator(seed)
    chosen = halves(len(given.classes), splits, rng)
    shape = (len(losses), len(weights), len(chosen))
    found, kept = (np.full((2, *shape), np.nan) for _ in range(2))
    shrinking = np.full(shape, np.nan)
    simple = np.full((2, len(baselines), len(chosen)), np.nan)
    key = int(rng.integers(2**31))
    for k, seen_classes in enumerate(chosen):
        seen, unseen = given.of(seen_classes), given.of(~seen_classes)
        start = [key, k]
        for b, name in enumerate(baselines):
            entry = EMBEDDING_BASELINES[name]
            made = unseen.with_features(entry(seen, unseen, start))
            simple[:, b, k] = scores(made, normalised=entry.fact("normalised"))[:2]
        for i, loss in enumerate(losses):
            for j, weight in enumerate(weights):
                at = k + (i * len(weights) + j) / (len(losses) * len(weights))
                progress.update(at, len(chosen), f"split {k + 1} of {len(chosen)}, {loss}, λ = {weight:g}")
                setting = Setting(loss, weight, power, normalised, steps)

                def look(_: int, at: float = at) -> None:
                    progress.update(at, len(chosen))

                trained = train(seen, setting, seed=start, look=look)
                shrinking[i, j, k] = trained.shrinking
                found[:, i, j, k] = of_network(trained.network, unseen)
                if validate and len(seen.classes) >= 4:
                    kept[:, i, j, k] = _validated(seen, setting, start, look)
    progress.update(1, 1, "done")
    variables, coordinates = _study(found, simple, shrinking, weights)
    if validate:
        variables |= _chosen_weights(found, kept, weights)
    coordinates |= {
        "loss": (("loss",), np.array(losses), "loss"),
        "baseline": (("baseline",), np.array(baselines, dtype=str), "simple features"),
        "split": (("split",), np.arange(len(chosen)), "split of the classes"),
        "class": (("class",), np.array(given.classes), "class"),
    }
    variables["seen"] = (("split", "class"), chosen, "whether the class was seen in training")
    variables["all_splits"] = ((), math.comb(len(given.classes), len(given.classes) // 2), "ways to halve the classes")
    return results.dataset(variables, coordinates)


def named(what: str, names: Sequence[str], registry: Sequence[str], *, least: int = 1) -> list[str]:
    """Return names of a registry, each once; ``ValueError`` for unknown ones and for too few."""
    found = list(dict.fromkeys(checks.choice(what, name, registry) for name in names))
    if len(found) < least:
        raise ValueError(f"name at least one {what}: {', '.join(registry)}")
    return found


def checked_weights(confusions: Sequence[float]) -> list[float]:
    """Return weights λ ≥ 0 in rising order, 0 among them."""
    found = sorted({checks.real("confusion", weight, minimum=0, maximum=100) for weight in confusions})
    if not found or found[0] != 0:
        raise ValueError("confusions needs λ = 0 among its weights: differences are taken to it")
    if len(found) > MOST_WEIGHTS:
        raise ValueError(f"confusions has {len(found)} weights; up to {MOST_WEIGHTS} are compared at once")
    return found


def check_classes(given: Labelled) -> None:
    """Raise ``ValueError`` where half of the classes do not make a training or a retrieval."""
    if len(given.classes) < 4:
        raise ValueError(
            f"there are {len(given.classes)} classes; a zero-shot study needs four or more: two that are seen and two "
            "that are not"
        )
    if given.features.size > MOST_VALUES:
        raise ValueError(
            f"features has {given.features.size:,} values; a study takes up to {MOST_VALUES:,}: draw a part of "
            "the items"
        )
    few = [name for name, count in zip(given.classes, given.counts, strict=True) if count < 2]
    if few:
        raise ValueError(
            f"class {few[0]} has one item ({len(few)} such class(es)): it can neither pull nor be found; drop it"
        )


def halves(classes: int, most: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return ways to choose half of the classes (split, class): all in order, or ``most`` different ones drawn."""
    half = classes // 2
    total = math.comb(classes, half)
    if total <= most:
        chosen = [list(one) for one in itertools.combinations(range(classes), half)]
    else:
        drawn: dict[tuple[int, ...], None] = {}
        while len(drawn) < most:
            drawn[tuple(sorted(rng.choice(classes, half, replace=False).tolist()))] = None
        chosen = [list(one) for one in drawn]
    found = np.zeros((len(chosen), classes), dtype=bool)
    for k, one in enumerate(chosen):
        found[k, one] = True
    return found


def of_network(network: Network, unseen: Labelled) -> Floats:
    """Return R@1 and MAP@R of the unseen items by the directions of their embeddings."""
    return scores(unseen.with_features(embedded(network, unseen)), normalised=True)[:2]


def embedded(network: Network, items: Labelled) -> Floats:
    """Return embeddings with a direction: an item that lands on zero exactly is put beside it."""
    made = network.embed(items.features)
    made[~made.any(axis=1)] = np.finfo(float).tiny
    return made


def _validated(seen: Labelled, setting: Setting, start: list[int], look) -> Floats:
    """Train on the first classes of the seen ones, in an order of the split's own, and retrieve the others."""
    count = len(seen.classes)
    order = np.random.default_rng([2, *start]).permutation(count)
    inside = np.zeros(count, dtype=bool)
    inside[order[: count - count // 2]] = True
    trained = train(seen.of(inside), setting, seed=start, look=look)
    return of_network(trained.network, seen.of(~inside))


def _study(found: Floats, simple: Floats, shrinking: Floats, weights: list[float]) -> tuple[dict, dict]:
    where = ("loss", "confusion", "split")
    variables: dict = {"shrinking": (where[:2], _mean(shrinking), "share of the term's gradient that only rescales W")}
    for k, name in enumerate(SCORES):
        label = ("R@1", "MAP@R")[k]
        variables |= {
            name: (where, found[k], f"{label} of the unseen items"),
            f"{name}_simple": (("baseline", "split"), simple[k], f"{label} of simple features"),
        }
        for key, (values, told) in paired(found[k] - found[k][:, :1], label).items():
            variables[f"{name}_{key}"] = (where[:2], values, told)
    return variables, {"confusion": (("confusion",), np.array(weights), "weight λ of the confusion term")}


def _mean(values: Floats) -> Floats:
    """Return the mean over the last axis; NaN where all of it is, as of λ = 0, which has no term."""
    there = np.isfinite(values)
    count = there.sum(axis=-1)
    return np.where(count > 0, np.where(there, values, 0).sum(axis=-1) / np.maximum(count, 1), np.nan)


def paired(differences: Floats, label: str) -> dict[str, tuple[Floats, str]]:
    """Return what paired differences (…, split) say: mean, t-interval, sd, sign test, and how many would suffice."""
    n = differences.shape[-1]
    mean, sd = differences.mean(axis=-1), differences.std(axis=-1, ddof=1)
    better, worse = (differences > 0).sum(axis=-1), (differences < 0).sum(axis=-1)
    sign = np.ones(mean.shape)
    for place in np.ndindex(mean.shape):
        if better[place] + worse[place]:
            sign[place] = stats.binomtest(int(better[place]), int(better[place] + worse[place])).pvalue
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(sd > 0, (QUANTILES * sd / mean) ** 2, np.nan)
    return {
        "difference": (mean, f"mean difference of {label} to λ = 0"),
        "reach": (stats.t.ppf((1 + LEVEL) / 2, n - 1) * sd / np.sqrt(n), "half-width of its 95 % interval over splits"),
        "sd": (sd, "standard deviation of the difference over splits"),
        "better": (better / n, "share of splits in which it is higher than at λ = 0"),
        "sign": (sign, "p-value of the sign test"),
        "needed": (needed, "splits that would show such a difference with a probability of 0.8"),
    }


QUANTILES = float(stats.norm.ppf((1 + LEVEL) / 2) + stats.norm.ppf(POWER))


def _chosen_weights(found: Floats, kept: Floats, weights: list[float]) -> dict:
    """Return λ as chosen by MAP@R of the seen classes kept out, and what it does to the unseen ones."""
    best = np.where(np.isnan(kept[1]).any(axis=1), 0, np.argmax(np.nan_to_num(kept[1]), axis=1))
    taken = np.take_along_axis(found[1], best[:, None], axis=1)[:, 0]
    told = paired(taken - found[1][:, 0], "MAP@R")
    where = ("loss", "split")
    return {
        "map_at_r_kept": (("loss", "confusion", "split"), kept[1], "MAP@R of the seen classes kept out of training"),
        "chosen_weight": (where, np.array(weights)[best], "λ chosen on the seen classes kept out"),
        "chosen_difference": (("loss",), told["difference"][0], "mean difference of MAP@R at the chosen λ"),
        "chosen_reach": (("loss",), told["reach"][0], "half-width of its 95 % interval over splits"),
    }
