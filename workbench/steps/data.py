"""Data: scikit-learn's digits, or whatever the user hands in, split and checked once."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from workbench import checks

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Data:
    """A classification problem: float32 inputs (samples, features) and class numbers, split into train and test."""

    train_inputs: "Tensor"
    train_targets: "Tensor"
    test_inputs: "Tensor"
    test_targets: "Tensor"
    classes: int
    name: str = "your data"

    @property
    def features(self) -> int:
        """The number of features of a sample."""
        return int(self.train_inputs.shape[1])

    def describe(self) -> dict[str, Any]:
        """Return what distinguishes this data set, for the provenance of results."""
        if self.name != "your data":
            return {"name": self.name}
        return {"name": self.name, "inputs": self.train_inputs.numpy(), "targets": self.train_targets.numpy()}


def make_data(
    inputs: ArrayLike, targets: ArrayLike, *, test_share: float = 0.2, seed: int = 0, name: str = "your data"
) -> Data:
    """Split inputs (samples, features) and integer class labels (samples,) into train and test parts.

    The split is a seeded permutation. Raises ``ValueError`` for NaN, unequal lengths, a single class, classes that are
    not 0 … C − 1, or parts that would be empty.

    >>> data = make_data(np.eye(10), [0, 1] * 5, test_share=0.2)
    >>> tuple(data.train_inputs.shape), len(data.test_targets), data.classes
    ((8, 10), 2, 2)
    """
    import torch

    x = checks.finite_array("inputs", inputs, ndim=2, dtype=np.float32)
    y = checks.finite_array("targets", targets, ndim=1)
    if len(x) != len(y):
        raise ValueError(f"inputs and targets must have equal lengths, got {len(x)} and {len(y)}")
    if not (y == np.round(y)).all() or y.min() < 0:
        raise ValueError("targets must be class numbers 0, 1, 2, …")
    classes = int(y.max()) + 1
    if classes < 2:
        raise ValueError("targets hold one class only; cross-entropy needs at least 2")
    share = checks.real("test_share", test_share, exclusive_minimum=0, maximum=0.9)
    n_test = round(share * len(x))
    if n_test < 1 or n_test >= len(x):
        raise ValueError(f"{len(x)} samples cannot be split with a test share of {share}")
    order = np.random.default_rng(checks.integer("seed", seed, minimum=0)).permutation(len(x))
    test, train = order[:n_test], order[n_test:]
    labels = y.astype(np.int64)
    return Data(
        torch.from_numpy(x[train]),
        torch.from_numpy(labels[train]),
        torch.from_numpy(x[test]),
        torch.from_numpy(labels[test]),
        classes,
        name,
    )


@lru_cache(maxsize=1)
def digits() -> Data:
    """Return scikit-learn's 1797 handwritten digits, 8 × 8 pixels scaled to [0, 1], split 80/20 with seed 0.

    Source: UCI "Optical Recognition of Handwritten Digits", as shipped inside scikit-learn (no download).
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return make_data(bunch.data / 16.0, bunch.target, name="digits")
