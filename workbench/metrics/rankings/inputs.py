"""What a ranking is made of: labels, scores, perhaps weights and groups, checked once and refused in words."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks

LARGEST = 20_000_000
"""Items in one ranking."""
MOST_GROUPS = 50
LONGEST_NAME = 60


@dataclass(frozen=True)
class Sample:
    """Checked items of a ranking, in the order given: is it positive, its score, its weight, its group."""

    positive: NDArray[np.bool_]
    scores: NDArray[Any]
    """In the type given where the kernels know it: rounding to another would make ties or break them."""
    weights: NDArray[np.float64] | None = None
    group: NDArray[np.str_] | None = None

    @property
    def positives(self) -> int:
        """How many items are positive."""
        return int(np.count_nonzero(self.positive))

    @property
    def negatives(self) -> int:
        """How many items are negative."""
        return len(self.positive) - self.positives

    def part(self, chosen: NDArray[np.bool_]) -> "Sample":
        """Return the chosen items alone."""
        weights = None if self.weights is None else self.weights[chosen]
        return Sample(self.positive[chosen], self.scores[chosen], weights)


def sample(
    y: ArrayLike,
    scores: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    group: ArrayLike | None = None,
    positive: Any = None,
) -> Sample:
    """Return labels (N,), scores (N,), weights (N,) and groups (N,) as a :class:`Sample`.

    ``positive`` says which of two labels counts as positive where they are neither booleans nor 0 and 1. Raises
    ``ValueError`` for one class only, a NaN or infinite score (with its row), other lengths, weights that are not
    positive, and labels of which nobody can tell which is positive.

    >>> sample([0, 1, 1], [0.2, 0.9, 0.4]).positives
    2
    >>> sample([1, 2], [0.2, 0.9])
    Traceback (most recent call last):
    ...
    ValueError: y holds the labels 1 and 2; say which is positive, e.g. positive=2
    """
    values = score_array("scores", scores)
    labels = positive_labels(y, positive)
    if len(labels) != len(values):
        raise ValueError(f"y has {len(labels)} labels and scores has {len(values)} values; give one of each an item")
    found = int(np.count_nonzero(labels))
    if found in (0, len(labels)):
        kind = "positive" if found else "negative"
        raise ValueError(
            f"all {len(labels)} labels are {kind}; a ranking is judged by positives and negatives together"
        )
    return Sample(labels, values, _weights(weights, len(labels)), _groups(group, len(labels)))


def score_array(name: str, scores: ArrayLike) -> NDArray[Any]:
    """Return scores (N,) in their own type, so that no two become equal or different on the way.

    Half precision becomes single (exact), small integers and booleans 64 bits; what is wider than a double is replaced
    by its dense rank. Raises ``ValueError`` naming the first row that is NaN or infinite.
    """
    given = _as_seen(scores)
    if given is None:
        given = checks.finite_array(name, scores, ndim=1)
    if given.dtype.kind == "f" and given.ndim == 1 and given.size and not np.ma.isMaskedArray(given):
        bad = np.flatnonzero(~np.isfinite(given))
        if len(bad):
            raise ValueError(
                f"{name} has {given[bad[0]]} in row {bad[0]} (counted from 0), {len(bad)} such value(s) in all; a "
                "score must be a finite number: remove these items or give them one"
            )
    own = given.dtype if given.dtype.kind in "biuf" else np.dtype(np.float64)
    array = checks.finite_array(name, scores, ndim=1, dtype=own)
    if len(array) > LARGEST:
        raise ValueError(f"{name} has {len(array):,} values; a ranking may have up to {LARGEST:,}")
    if own.itemsize > 8:
        return np.unique(array, return_inverse=True)[1].astype(np.int64)
    if own == np.float16:
        return array.astype(np.float32)
    if own.kind == "b" or (own.kind in "iu" and own != np.uint64):
        return array.astype(np.int64)
    return np.ascontiguousarray(array, dtype=own.newbyteorder("="))


def _as_seen(value: ArrayLike) -> NDArray[Any] | None:
    """Return ``value`` as NumPy sees it; None for what it cannot read, which the checks then refuse in words."""
    try:
        return value if isinstance(value, np.ndarray) else np.asarray(value)
    except Exception:  # every library's ``__array__`` raises what it likes
        return None


def positive_labels(y: ArrayLike, positive: Any = None) -> NDArray[np.bool_]:
    """Return which items (N,) are positive."""
    labels = _as_seen(y)
    if labels is None or np.ma.isMaskedArray(labels) or labels.dtype.kind not in "biufUSO":
        labels = checks.finite_array("y", y, ndim=1)
    if labels.ndim != 1:
        raise ValueError(f"y must have one dimension, got shape {labels.shape}; give one label an item")
    if labels.size == 0:
        raise ValueError("y is empty; give at least one positive and one negative item")
    if labels.dtype.kind in "SO":
        missing = [k for k, value in enumerate(labels.tolist()) if value is None or value != value]
        if missing:
            raise ValueError(f"y has no label in row {missing[0]} (counted from 0); remove such items or label them")
        labels = np.array([value.decode() if isinstance(value, bytes) else value for value in labels.tolist()])
        if labels.dtype.kind not in "biufU":
            raise TypeError(f"y must hold 0 and 1, booleans or two texts, got {labels.dtype}")
    elif labels.dtype.kind == "f":
        checks.finite_array("y", labels)
    if positive is None and labels.dtype.kind == "b":
        return labels.copy()
    if positive is None and labels.dtype.kind != "U":
        is_one = labels == 1
        if np.all(is_one | (labels == 0)):
            return is_one
    return _chosen(labels, positive)


def _chosen(labels: NDArray[Any], positive: Any) -> NDArray[np.bool_]:
    """Return where the labels are the one that the caller calls positive."""
    kinds = np.unique(labels)
    if len(kinds) > 2:
        told = ", ".join(str(kind)[:LONGEST_NAME] for kind in kinds[:5])
        raise ValueError(f"y holds {len(kinds)} different labels ({told}…); a ranking needs two: positive and negative")
    if positive is None and len(kinds) == 1:
        raise ValueError(f"all {len(labels)} labels are {kinds[0]!s}; a ranking needs positives and negatives")
    if positive is None:
        first, second = (kind.item() for kind in kinds)
        raise ValueError(f"y holds the labels {first} and {second}; say which is positive, e.g. positive={second!r}")
    wanted = str(positive) if labels.dtype.kind == "U" else positive
    is_positive = np.asarray(labels == wanted)
    if is_positive.shape != labels.shape or not is_positive.any():
        told = " and ".join(str(kind)[:LONGEST_NAME] for kind in kinds)
        raise ValueError(f"positive={positive!r} is none of the labels; y holds {told}")
    return is_positive


def _weights(weights: ArrayLike | None, count: int) -> NDArray[np.float64] | None:
    if weights is None:
        return None
    found = checks.finite_array("weights", weights, ndim=1)
    if len(found) != count:
        raise ValueError(f"weights has {len(found)} values for {count} items; give one an item")
    if not np.all(found > 0):
        row = int(np.flatnonzero(~(found > 0))[0])
        raise ValueError(
            f"weights has {found[row]:g} in row {row} (counted from 0); weights are above 0: drop the item"
        )
    return found


def _groups(group: ArrayLike | None, count: int) -> NDArray[np.str_] | None:
    if group is None:
        return None
    found = np.asarray(group)
    if found.ndim != 1 or len(found) != count:
        raise ValueError(f"group has shape {found.shape} for {count} items; give one name an item")
    names = np.array([str(value) for value in found.tolist()])
    kinds = np.unique(names)
    if len(kinds) > MOST_GROUPS:
        raise ValueError(f"group names {len(kinds)} groups; up to {MOST_GROUPS} are told apart")
    if max(len(name) for name in kinds) > LONGEST_NAME:
        raise ValueError(f"group has a name of more than {LONGEST_NAME} letters; give short names")
    return names
