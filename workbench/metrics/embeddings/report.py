"""One split of the classes, trained with and without the confusion term: what the page shows of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.metrics import grammar
from workbench.metrics.embeddings.baselines import EMBEDDING_BASELINES, digits
from workbench.metrics.embeddings.blind import confusion_part, few, invariance_part
from workbench.metrics.embeddings.confusion import check_pairs, checked_power
from workbench.metrics.embeddings.confusion import confusion as confusion_of
from workbench.metrics.embeddings.inputs import Floats, Labelled, labelled, unit_rows
from workbench.metrics.embeddings.losses import EMBEDDING_LOSSES
from workbench.metrics.embeddings.retrieval import found_by, resampled
from workbench.metrics.embeddings.training import Setting, train
from workbench.metrics.embeddings.zero_shot import MOST_STEPS, PAPERS_WEIGHT, check_classes, embedded
from workbench.progress import Progress

SIMPLE = ("raw", "pca", "random", "lda")
WITHOUT, WITH = "trained, λ = 0", "trained with the term"
MOST_SHOWN, NEAR = 900, 8
REPLICATES = 300
FEW_FOR_TABLES = 200


@results.experiment
def embedding_report(
    features: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    *,
    seen: Sequence[Any] | None = None,
    loss: str = "binomial",
    confusion: float = PAPERS_WEIGHT,
    power: float = 2.0,
    normalised: bool = False,
    steps: int = 120,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Train on the ``seen`` classes with λ = 0 and with λ = ``confusion``, and retrieve the unseen ones with both.

    ``features`` (n, d) and ``labels`` (n,), by default the digits; ``seen`` names the classes to train on, by default
    half of them (of the digits 0 to 4, else drawn by ``seed``). The other arguments are those of :func:`zero_shot`.

    Returns over ``embedding`` (both networks and simple features) ``recall_at_1`` and ``map_at_r`` of unseen items with
    95 % intervals over queries; ``change``, MAP@R with the term minus without, and ``change_reach`` over queries;
    ``shrinking``; ``term`` (embedding), log E of the embeddings as they are and of directions; up to 900 unseen items
    in the plane of the two widest axes of their directions (``place``), with their eight nearest (``neighbour``); of
    the digits the ``pixels``; invariances, constants and blind spots. One split says little: differences between splits
    are many times as large as what the term does. Raises ``ValueError`` as :func:`zero_shot`. Cost: 0.4 s.
    """
    progress = progress or Progress()
    if (features is None) != (labels is None):
        raise ValueError("give features and labels, or neither: then the digits are taken")
    given = digits() if features is None else labelled(features, labels)
    check_classes(given)
    check_pairs(len(given.codes), given.features.shape[1])
    loss = checks.choice("loss", loss, EMBEDDING_LOSSES)
    weight = checks.real("confusion", confusion, minimum=0, maximum=100)
    steps = checks.integer("steps", steps, minimum=1, maximum=MOST_STEPS)
    power = checked_power(power)
    rng = checks.generator(seed)
    chosen = _seen(given, seen, rng, features is None)
    start = [int(rng.integers(2**31))]
    inside, outside = given.of(chosen), given.of(~chosen)
    embeddings: dict[str, tuple[Floats, bool]] = {}
    shrinking = np.nan
    for k, (name, own) in enumerate(((WITHOUT, 0.0), (WITH, weight))):

        def look(step: int, k: int = k) -> None:
            progress.update(k * steps + step, 2 * steps, "training")

        trained = train(inside, Setting(loss, own, power, normalised, steps), seed=start, look=look)
        embeddings[name] = (embedded(trained.network, outside), True)
        shrinking = trained.shrinking
    for name in SIMPLE:
        entry = EMBEDDING_BASELINES[name]
        embeddings[entry.fact("short")] = (entry(inside, outside, start), entry.fact("normalised"))
    judged = {
        name: found_by(outside.with_features(made), normalised=flag)[1] for name, (made, flag) in embeddings.items()
    }
    shown = outside.with_features(embeddings[WITH][0])
    parts = [_scores(judged, rng), _terms(embeddings, outside), _plane(shown, outside, rng, features is None)]
    change = judged[WITH][:, 1] - judged[WITHOUT][:, 1]
    parts.append(
        (
            {
                "change": ((), change.mean(), "MAP@R with the term minus without"),
                "change_reach": (
                    (),
                    1.96 * change.std(ddof=1) / np.sqrt(len(change)),
                    "half-width of its 95 % interval over queries",
                ),
                "shrinking": ((), shrinking, "share of the term's gradient that only rescales W"),
                "seen": (("class",), chosen, "whether the class was seen in training"),
                "weight": ((), weight, "weight λ of the term"),
            },
            {"class": (("class",), np.array(given.classes), "class")},
        )
    )
    table = few(shown, rng, FEW_FOR_TABLES)
    parts += [invariance_part(table.with_features(unit_rows("embeddings", table.features)), rng), confusion_part()]
    return results.dataset(*grammar.joined(*parts))


def _seen(given: Labelled, seen: Sequence[Any] | None, rng: np.random.Generator, is_digits: bool) -> NDArray[np.bool_]:
    count = len(given.classes)
    found = np.zeros(count, dtype=bool)
    if seen is None:
        half = np.arange(count // 2) if is_digits else rng.choice(count, count // 2, replace=False)
        found[half] = True
        return found
    for name in seen:
        found[given.classes.index(checks.choice("class", str(name), given.classes))] = True
    if found.sum() < 2 or (~found).sum() < 2:
        raise ValueError(
            f"{int(found.sum())} of {count} classes are seen; leave at least two seen, to train on, and two unseen, to "
            "retrieve"
        )
    return found


def _scores(judged: dict[str, Floats], rng: np.random.Generator) -> grammar.Part:
    names = list(judged)
    ends = [
        resampled(values[:, :2], REPLICATES, np.random.default_rng(int(rng.integers(2**31))))
        for values in judged.values()
    ]
    means = np.array([values[:, :2].mean(axis=0) for values in judged.values()])
    where = ("embedding",)
    variables: dict = {"queries": ((), len(judged[names[0]]), "queries, all items of unseen classes")}
    for k, (name, label) in enumerate((("recall_at_1", "R@1"), ("map_at_r", "MAP@R"))):
        variables[name] = (where, means[:, k], f"{label} of the unseen items")
        variables[f"{name}_low"] = (where, np.array([low[k] for low, _ in ends]), "lower end of 95 % over queries")
        variables[f"{name}_high"] = (where, np.array([high[k] for _, high in ends]), "upper end of 95 % over queries")
    return variables, {"embedding": (where, np.array(names), "features")}


def _terms(embeddings: dict[str, tuple[Floats, bool]], outside: Labelled) -> grammar.Part:
    rows = []
    for made, _ in embeddings.values():
        as_is = confusion_of(outside.with_features(made))[0]
        there = made.any(axis=1).all()
        turned = confusion_of(outside.with_features(unit_rows("embeddings", made)))[0] if there else np.nan
        rows.append([np.log(value) if value > 0 else -np.inf for value in (as_is, turned)])
    values = np.array(rows)
    return {
        "term": (("embedding",), values[:, 0], "log E of the unseen items"),
        "term_of_directions": (("embedding",), values[:, 1], "log E of their directions"),
    }, {}


def _plane(shown: Labelled, outside: Labelled, rng: np.random.Generator, is_digits: bool) -> grammar.Part:
    rows = np.arange(len(shown.codes))
    if len(rows) > MOST_SHOWN:
        rows = np.sort(rng.choice(len(rows), MOST_SHOWN, replace=False))
    part = Labelled(shown.features[rows], shown.codes[rows], shown.classes)
    directions = unit_rows("embeddings", part.features)
    centred = directions - directions.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    near = min(NEAR, len(rows) - 1)
    # every item gets its neighbours, one alone in its class too: it is no query, but can be looked at
    alone = Labelled(part.features, np.zeros(len(rows), dtype=np.int64), ("all",))
    _, _, close = found_by(alone, normalised=True, near=near)
    item = ("item",)
    variables: dict = {
        "place": (("item", "axis"), centred @ axes[:2].T, "place in the plane of the two widest axes"),
        "explained": (("axis",), (sizes**2 / max(np.sum(sizes**2), 1e-300))[:2], "share of the variance"),
        "label": (item, np.array(part.classes)[part.codes], "class of the item"),
        "neighbour": (("item", "rank"), close, "nearest items among those shown"),
        "right": (("item", "rank"), part.codes[close] == part.codes[:, None], "whether it is of the item's class"),
    }
    coordinates = {
        "item": (item, np.arange(len(rows)), "item shown"),
        "axis": (("axis",), np.array([1, 2]), "axis"),
        "rank": (("rank",), np.arange(1, near + 1), "rank among the neighbours"),
    }
    if is_digits:
        variables["pixels"] = (("item", "pixel"), outside.features[rows].astype(np.uint8), "grey values, 0 to 16")
        coordinates["pixel"] = (("pixel",), np.arange(outside.features.shape[1]), "pixel, row by row")
    return variables, coordinates
