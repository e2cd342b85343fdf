"""Labelled features: what every yardstick of an embedding takes, checked once and refused in words."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks

MOST_ITEMS, MOST_FEATURES, MOST_CLASSES = 200_000, 20_000, 10_000
LONGEST_NAME = 60
LARGEST_VALUE = 1e100
"""Beyond it sums of squares would leave the range of doubles."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Labelled:
    """Checked items in the order given: features (n, d), the class of each as a number, and the classes' names."""

    features: Floats
    codes: NDArray[np.int64]
    classes: tuple[str, ...]

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many items each class has."""
        return np.bincount(self.codes, minlength=len(self.classes))

    def of(self, chosen: NDArray[np.bool_]) -> "Labelled":
        """Return the items of the chosen classes (classes,) alone."""
        rows = chosen[self.codes]
        names = tuple(name for name, one in zip(self.classes, chosen, strict=True) if one)
        return Labelled(self.features[rows], (np.cumsum(chosen) - 1)[self.codes[rows]], names)

    def with_features(self, features: Floats) -> "Labelled":
        """Return the same items with other features."""
        return Labelled(features, self.codes, self.classes)


def labelled(features: ArrayLike, labels: ArrayLike, *, least_classes: int = 2) -> Labelled:
    """Return features (n, d) and labels (n,) of numbers or texts as :class:`Labelled`, classes in sorted order.

    Raises ``ValueError`` for another number of labels than of items, NaN (with its row), missing labels, and fewer
    than ``least_classes`` classes: between items of one class there is nothing to tell apart.

    >>> labelled([[0.0], [1.0], [2.0]], ["b", "a", "b"]).codes.tolist()
    [1, 0, 1]
    >>> labelled([[0.0], [1.0]], [3, 3])
    Traceback (most recent call last):
    ...
    ValueError: all 2 items are of class 3; give items of 2 classes or more
    """
    array = feature_array("features", features)
    names, codes = _classes(labels)
    if len(codes) != len(array):
        raise ValueError(f"features has {len(array)} rows and labels has {len(codes)} entries; give one label a row")
    if len(names) < least_classes:
        told = (
            f"all {len(codes)} items are of class {names[0]}" if len(names) == 1 else f"labels has {len(names)} classes"
        )
        raise ValueError(f"{told}; give items of {least_classes} classes or more")
    return Labelled(array, codes, names)


def feature_array(name: str, features: ArrayLike) -> Floats:
    """Return features (n, d) as finite doubles; ``ValueError`` names the first row that is not."""
    seen = features if isinstance(features, np.ndarray) else None
    if seen is not None and seen.dtype.kind == "f" and seen.ndim == 2 and not np.ma.isMaskedArray(seen):
        bad = np.flatnonzero(~np.isfinite(seen).all(axis=1))
        if len(bad):
            raise ValueError(
                f"{name} has NaN or infinity in row {bad[0]} (counted from 0), {len(bad)} such row(s) in all; remove "
                "these items or mend them"
            )
    array = np.ascontiguousarray(checks.finite_array(name, features, ndim=2))
    if len(array) > MOST_ITEMS or array.shape[1] > MOST_FEATURES:
        raise ValueError(
            f"{name} has shape {array.shape}; up to {MOST_ITEMS:,} items of {MOST_FEATURES:,} features are taken"
        )
    if float(np.abs(array).max()) > LARGEST_VALUE:
        raise ValueError(f"{name} holds a value beyond {LARGEST_VALUE:g}, whose square sums overflow; rescale it")
    return array


def unit_rows(name: str, features: Floats) -> Floats:
    """Return every row divided by its length; ``ValueError`` for a row of zeros, which has no direction."""
    largest = np.abs(features).max(axis=1, keepdims=True)
    zero = np.flatnonzero(largest[:, 0] == 0)
    if len(zero):
        raise ValueError(
            f"row {zero[0]} (counted from 0) of {name} is all zeros and has no direction; drop it, or compare "
            "raw features"
        )
    scaled = features / largest
    return np.ascontiguousarray(scaled / np.sqrt(np.einsum("ij,ij->i", scaled, scaled))[:, None])


def _classes(labels: ArrayLike) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    seen: Any = labels if isinstance(labels, np.ndarray) else np.asarray(labels)
    if seen.ndim != 1:
        raise ValueError(f"labels must have one dimension, got shape {seen.shape}; give one label an item")
    if not seen.size:
        raise ValueError("labels is empty; give one label an item")
    if np.ma.isMaskedArray(seen) and np.ma.getmaskarray(seen).any():
        raise ValueError("labels is a masked array with masked entries; drop these items or label them")
    if seen.dtype.kind in "OSTU":
        texts = [one.decode() if isinstance(one, bytes) else one for one in seen.tolist()]
        missing = [k for k, one in enumerate(texts) if one is None or one != one or one == ""]
        if missing:
            raise ValueError(
                f"labels has no label in row {missing[0]} (counted from 0); remove such items or label them"
            )
        seen = np.array([str(one) for one in texts])
    elif seen.dtype.kind not in "biuf":
        raise TypeError(f"labels must hold numbers or texts, got {seen.dtype}")
    elif seen.dtype.kind == "f" and not np.isfinite(seen).all():
        row = int(np.flatnonzero(~np.isfinite(seen))[0])
        raise ValueError(f"labels has {seen[row]} in row {row} (counted from 0); remove such items or label them")
    kinds, codes = np.unique(seen, return_inverse=True)
    if len(kinds) > MOST_CLASSES:
        raise ValueError(
            f"labels holds {len(kinds):,} different classes; up to {MOST_CLASSES:,} are told apart (is it a column of "
            "measurements?)"
        )
    names = tuple(_plain(kind) for kind in kinds.tolist())
    if max(map(len, names)) > LONGEST_NAME:
        raise ValueError(f"labels has a name of more than {LONGEST_NAME} letters; give short names")
    return names, codes.astype(np.int64).ravel()


def _plain(kind: Any) -> str:
    """Return a class's name as people write it: 3.0 is "3"."""
    return str(int(kind)) if isinstance(kind, float) and kind.is_integer() else str(kind)
