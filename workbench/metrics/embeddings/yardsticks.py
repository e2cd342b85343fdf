"""What an embedding is measured with: the yardsticks of this family, each a function of labelled features."""

import numpy as np

from workbench.metrics.embeddings.confusion import class_sums, class_tables, confusion
from workbench.metrics.embeddings.inputs import Labelled, unit_rows
from workbench.metrics.embeddings.retrieval import scores
from workbench.registry import Fact, Registry

EMBEDDING_YARDSTICKS = Registry(
    "yardstick of embeddings",
    facts={
        "symbol": Fact(str, says="label in tables"),
        "kind": Fact(str, choices=("term", "distance", "retrieval"), says="what it is"),
    },
)
"""Yardsticks of an embedding, by name: functions of :class:`~workbench.metrics.embeddings.inputs.Labelled`."""


@EMBEDDING_YARDSTICKS.add(
    "confusion",
    label="Energy confusion, as in the paper",
    symbol="log E",
    kind="term",
    formula=r"\ln\mathrm{E}\,\frac{1}{2}|f(x)-f(y)|^2",
    reference="arXiv 1901.07169",
)
def log_confusion(given: Labelled) -> float:
    """Return log E over pairs of different classes; −∞ where all of them coincide."""
    return _log(confusion(given)[0])


@EMBEDDING_YARDSTICKS.add(
    "confusion-of-directions",
    label="Energy confusion of directions",
    symbol="log E of f/|f|",
    kind="term",
    formula=r"\ln\mathrm{E}\,\frac{1}{2}|u(x)-u(y)|^2, u = f/|f|",
)
def log_confusion_of_directions(given: Labelled) -> float:
    """Return log E of f/|f|; NaN where an item has no direction."""
    if not given.features.any(axis=1).all():
        return np.nan
    return _log(confusion(given.with_features(unit_rows("features", given.features)))[0])


@EMBEDDING_YARDSTICKS.add(
    "energy-distance",
    label="Energy distance of power 1",
    symbol="energy distance",
    kind="distance",
    formula=r"2\mathrm{E}|X-Y|-\mathrm{E}|X-X'|-\mathrm{E}|Y-Y'|",
    reference="Székely and Rizzo 2013",
)
def mean_energy_distance(given: Labelled) -> float:
    """Return the energy distance of power 1, mean over all pairs of classes."""
    _, distance = class_tables(class_sums(given, given, 1.0), given.counts)
    return float(distance[np.triu_indices(len(distance), 1)].mean())


@EMBEDDING_YARDSTICKS.add("recall-at-1", label="Recall at 1", symbol="R@1", kind="retrieval")
def recall_at_1(given: Labelled) -> float:
    """Return R@1 by Euclidean neighbours."""
    return _retrieved(given, 0)


@EMBEDDING_YARDSTICKS.add(
    "map-at-r",
    label="Mean average precision at R",
    symbol="MAP@R",
    kind="retrieval",
    formula=r"\frac{1}{R}\sum_{k\leq R}\mathrm{prec}(k)\,[k\text{ relevant}]",
    reference="arXiv 2003.08505",
)
def map_at_r(given: Labelled) -> float:
    """Return MAP@R by Euclidean neighbours."""
    return _retrieved(given, 1)


def evaluated(given: Labelled) -> np.ndarray:
    """Return the values of all yardsticks, retrieval asked once."""
    found = scores(given) if given.counts.max() > 1 else np.full(3, np.nan)
    own = {"recall-at-1": found[0], "map-at-r": found[1]}
    return np.array([own[name] if name in own else entry(given) for name, entry in EMBEDDING_YARDSTICKS.items()])


def _retrieved(given: Labelled, which: int) -> float:
    return float(scores(given)[which]) if given.counts.max() > 1 else np.nan


def _log(value: float) -> float:
    return float(np.log(value)) if value > 0 else -np.inf
