"""What each yardstick of an embedding sees: the changes that leave it where it is, its constants, and what fools it."""

import functools
from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from workbench import checks, results
from workbench.metrics import grammar
from workbench.metrics.embeddings.hiding import reshaped
from workbench.metrics.embeddings.inputs import Floats, Labelled, labelled
from workbench.metrics.embeddings.yardsticks import EMBEDDING_YARDSTICKS, evaluated
from workbench.progress import Progress

LABELS = {name: entry.fact("symbol") for name, entry in EMBEDDING_YARDSTICKS.items()}
MOST_ITEMS = 400
"""The tables look at up to so many items, drawn class by class."""
PERMUTED = 20
NEARLY = 2e-3
"""Two embeddings whose values differ by no more are called equal in the search for blind spots."""
CLASSES, ITEMS = 4, 12
"""Of the embeddings in that search, all of them in the plane."""
HIDING_STEPS = 12
Change = Callable[[Labelled, np.random.Generator], Labelled]


def _shuffled(given: Labelled, rng: np.random.Generator) -> Labelled:
    order = rng.permutation(len(given.codes))
    return Labelled(given.features[order], given.codes[order], given.classes)


def _renamed(given: Labelled, rng: np.random.Generator) -> Labelled:
    return Labelled(given.features, len(given.classes) - 1 - given.codes, given.classes)


def _moved(given: Labelled, rng: np.random.Generator) -> Labelled:
    # by whole numbers: where features are whole numbers too, no tie is broken by rounding
    return given.with_features(given.features + np.round(4 * rng.normal(size=given.features.shape[1])) + 1)


def _turned(given: Labelled, rng: np.random.Generator) -> Labelled:
    q, _ = np.linalg.qr(rng.normal(size=(given.features.shape[1],) * 2))
    return given.with_features(given.features @ q)


def _doubled(given: Labelled, rng: np.random.Generator) -> Labelled:
    return given.with_features(2 * given.features)


def _twice(given: Labelled, rng: np.random.Generator) -> Labelled:
    return Labelled(np.tile(given.features, (2, 1)), np.tile(given.codes, 2), given.classes)


def _stretched(given: Labelled, rng: np.random.Generator) -> Labelled:
    axis = np.argmax(given.features.var(axis=0))
    return given.with_features(given.features * np.where(np.arange(given.features.shape[1]) == axis, 3.0, 1.0))


def _hidden(given: Labelled, rng: np.random.Generator) -> Labelled:
    """Reshape every class that has a shape, at its mean and trace."""
    after = given.features.copy()
    for kind in range(len(given.classes)):
        own = np.flatnonzero(given.codes == kind)
        if np.ptp(given.features[own], axis=0).any():
            after[own] = reshaped(given.features[own], 1.0, HIDING_STEPS, Progress())[0]
    return given.with_features(after)


def _permuted(given: Labelled, rng: np.random.Generator) -> Labelled:
    return Labelled(given.features, rng.permutation(given.codes), given.classes)


TRANSFORMATIONS: Mapping[str, tuple[str, bool, Change]] = {
    "shuffled": ("rows in another order", True, _shuffled),
    "renamed": ("classes renamed", True, _renamed),
    "moved": ("all moved by one vector", True, _moved),
    "turned": ("turned", True, _turned),
    "doubled": ("features × 2", True, _doubled),
    "twice": ("every item twice", True, _twice),
    "stretched": ("widest axis × 3", False, _stretched),
    "hidden": ("each class reshaped, same mean and trace", False, _hidden),
    "permuted": ("labels permuted", False, _permuted),
}
"""Name → what is done, whether it should not matter, and the function that does it."""

AXIOMS = {
    "here": "value of this embedding",
    "collapsed": "each class on its mean",
    "merged": "all class means on one point",
    "permuted": f"mean of {PERMUTED} permutations of the labels",
}


@results.experiment
def embedding_invariances(features: ArrayLike, labels: ArrayLike, *, seed: int = 0) -> xr.Dataset:
    """Return how far each yardstick moves under changes of an embedding, and what it says in extreme cases.

    ``features`` (n, d), ``labels`` (n,); of more than 400 items a part is drawn, class by class. Over (yardstick,
    transformation) ``invariance_change`` and over (yardstick, axiom) ``constant``, in the form of
    :mod:`workbench.metrics.grammar`. Ties of features that are whole numbers are broken by rounding when all is
    turned, which moves MAP@R a little. Raises ``ValueError`` as :func:`retrieval`. Cost: 40 evaluations, 0.1 s.

    >>> found = embedding_invariances([[0.0, 1.0], [1.0, 0.0], [3.0, 1.0], [4.0, 4.0]], ["a", "a", "b", "b"])
    >>> float(found.invariance_change.sel(yardstick="confusion", transformation="moved")) < 1e-12
    True
    """
    rng = checks.generator(seed)
    return results.dataset(*invariance_part(few(labelled(features, labels), rng), rng))


def few(given: Labelled, rng: np.random.Generator, most: int = MOST_ITEMS) -> Labelled:
    """Return up to ``most`` items, drawn class by class, at least two of each class that has them."""
    if len(given.codes) <= most:
        return given
    share = most / len(given.codes)
    rows = []
    for kind in range(len(given.classes)):
        own = np.flatnonzero(given.codes == kind)
        rows.append(rng.choice(own, min(max(int(share * len(own)), 2), len(own)), replace=False))
    chosen = np.sort(np.concatenate(rows))
    return Labelled(given.features[chosen], given.codes[chosen], given.classes)


def invariance_part(given: Labelled, rng: np.random.Generator) -> grammar.Part:
    """Return invariances and constants as a part of a result."""
    here = evaluated(given)
    with np.errstate(invalid="ignore"):
        moved = [np.abs(evaluated(change(given, rng)) - here) for _, _, change in TRANSFORMATIONS.values()]
    means = np.array([given.features[given.codes == kind].mean(axis=0) for kind in range(len(given.classes))])
    own = means[given.codes]
    axioms = [
        here,
        evaluated(given.with_features(own)),
        evaluated(given.with_features(given.features - own)),
        np.mean([evaluated(_permuted(given, rng)) for _ in range(PERMUTED)], axis=0),
    ]
    told = {name: (label, harmless) for name, (label, harmless, _) in TRANSFORMATIONS.items()}
    return grammar.joined(
        grammar.invariances(LABELS, told, np.array(moved).T), grammar.constants(LABELS, AXIOMS, np.array(axioms).T)
    )


# ---- blind spots ----------------------------------------------------------------------------------------------------


REFERENCES = {
    "confusion": "energy-distance",
    "confusion-of-directions": "energy-distance",
    "energy-distance": "map-at-r",
    "recall-at-1": "map-at-r",
    "map-at-r": "energy-distance",
}
"""What judges the pairs of a yardstick. MAP@R is judged by the energy distance, which no rescaling should lead: all
embeddings of the search have one trace in all."""


@results.experiment
def embedding_confusions() -> xr.Dataset:
    """Return for each yardstick the two embeddings that it calls equal, and another yardstick tells apart most.

    The search runs over a few hundred embeddings of 4 × 12 items in the plane, all of one total variance: clusters,
    twins, rings, chains, and each of them with every class reshaped at its mean and trace. Over yardstick, in the form
    of :mod:`workbench.metrics.grammar`. Cost: 0.3 s, once in a process.

    >>> row = embedding_confusions().sel(yardstick="recall-at-1")
    >>> bool(row.blind_seen <= 2e-3), bool(row.blind_reference > 0.7)
    (True, True)
    """
    return results.dataset(*confusion_part())


def confusion_part() -> grammar.Part:
    """Return the blind spots as a part of a result."""
    seen, reference, words = _confused()
    return grammar.blind_spots(LABELS, seen, reference, [LABELS[REFERENCES[name]] for name in LABELS], words)


@functools.cache
def _confused() -> tuple[list[float], list[float], list[str]]:
    pool = _pool()
    values = np.array([evaluated(given) for _, given in pool])
    names = list(EMBEDDING_YARDSTICKS)
    seen, reference, words = [], [], []
    for k, name in enumerate(names):
        judge = values[:, names.index(REFERENCES[name])]
        own = values[:, k]
        apart = np.abs(judge[:, None] - judge[None, :])
        # within the size of the pool's values: energies and distances have no scale of their own
        near = NEARLY * max(1.0, float(np.ptp(own)))
        apart[~(np.abs(own[:, None] - own[None, :]) <= near)] = -1
        i, j = np.unravel_index(int(np.argmax(apart)), apart.shape)
        seen.append(float(abs(own[i] - own[j])))
        reference.append(float(abs(judge[i] - judge[j])))
        words.append(f"{pool[i][0]} | {pool[j][0]}")
    return seen, reference, words


def _pool() -> list[tuple[str, Labelled]]:
    """Return embeddings with their names: clusters, twins, rings, chains; as they are and with classes reshaped."""
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(CLASSES), ITEMS)
    angle = 2 * np.pi * np.arange(CLASSES) / CLASSES
    corners = np.column_stack([np.cos(angle), np.sin(angle)])[codes]
    noise = rng.normal(size=(len(codes), 2))
    twin = np.repeat(rng.normal(size=(len(codes) // 2, 2)), 2, axis=0)
    around = 2 * np.pi * np.tile(np.arange(ITEMS), CLASSES) / ITEMS + 0.7 * codes
    circle = np.column_stack([np.cos(around), np.sin(around)])
    made: dict[str, Floats] = {}
    for width in np.geomspace(0.02, 8, 40):
        made[f"clusters, width {width:.2g} of their distance"] = corners + width * noise
    for width in np.geomspace(1e-3, 1, 20):
        made[f"twins scattered alike, {width:.2g} apart"] = twin + width * noise
        made[f"twins in clusters, {width:.2g} apart"] = corners + twin + width * noise
    for step in np.geomspace(0.02, 3, 20):
        made[f"rings, radii growing by {step:.2g}"] = (1 + step * codes)[:, None] * circle
        line = np.column_stack([step * np.tile(np.arange(ITEMS), CLASSES), 1.0 * codes])
        made[f"chains, steps of {step:.2g}"] = line + 0.01 * noise
    found = []
    for name, features in made.items():
        given = Labelled(_scaled(features), codes, tuple("abcd"))
        found += [(name, given), (f"{name}, each class reshaped", _hidden(given, rng))]
    return found


def _scaled(features: Floats) -> Floats:
    """Return features of mean 0 and trace 1."""
    centred = features - features.mean(axis=0)
    return centred / np.sqrt(np.mean(np.sum(centred**2, axis=1)))
