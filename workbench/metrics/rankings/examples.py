"""Rankings to begin with: two classes in two groups, and a second model that sees them through noise."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from workbench import checks

MOST_ITEMS = 1_000_000


class Example(NamedTuple):
    """Drawn items (n,): label, score of the model, score of a second model, group A or B."""

    y: NDArray[np.int64]
    scores: NDArray[np.float64]
    other: NDArray[np.float64]
    group: NDArray[np.str_]


def binormal(
    n: int = 200, *, prevalence: float = 0.1, separation: float = 1.8, seed: int | np.random.Generator = 0
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return labels and scores (n,): round(n · prevalence) positives from N(separation, 1), negatives from N(0, 1).

    The expected AUROC is Φ(separation/√2), 0.898 at the default. At least one item of each class is drawn.

    >>> y, scores = binormal(50, prevalence=0.2)
    >>> int(y.sum()), scores.shape
    (10, (50,))
    """
    n = checks.integer("n", n, minimum=2, maximum=MOST_ITEMS)
    prevalence = checks.real("prevalence", prevalence, minimum=0, maximum=1)
    separation = checks.real("separation", separation, minimum=-20, maximum=20)
    rng = checks.generator(seed)
    y = np.zeros(n, dtype=np.int64)
    y[: min(max(round(n * prevalence), 1), n - 1)] = 1
    scores = rng.normal(size=n) + separation * y
    order = rng.permutation(n)
    return y[order], scores[order]


def example(
    n: int = 200,
    *,
    prevalence: float = 0.1,
    separation: float = 1.8,
    noise: float = 0.7,
    scale: float = 1.0,
    seed: int = 0,
) -> Example:
    """Return a drawn :class:`Example`: scores Φ(z − separation/2), z of :func:`binormal`; group B times ``scale``.

    Every second item is in group B; the second model scores z plus ``noise`` times a normal variable.

    >>> found = example(100)
    >>> len(found.y), sorted(set(found.group.tolist()))
    (100, ['A', 'B'])
    """
    scale = checks.real("scale", scale, minimum=1e-3, maximum=1)
    noise = checks.real("noise", noise, minimum=0, maximum=100)
    rng = checks.generator(seed)
    y, z = binormal(n, prevalence=prevalence, separation=separation, seed=rng)
    group = np.where(np.arange(len(y)) % 2, "B", "A")
    times = np.where(group == "B", scale, 1.0)
    blurred = z + noise * rng.normal(size=len(z))
    first, second = (ndtr(values - separation / 2) * times for values in (z, blurred))
    return Example(y, first, second, group)


def moved(scores: NDArray[np.float64], moves: Iterable[tuple[int, float]]) -> NDArray[np.float64]:
    """Return a copy of ``scores`` with some of them replaced: ``moves`` holds (item, new score).

    >>> moved(np.array([0.1, 0.2]), [(1, 0.9)]).tolist()
    [0.1, 0.9]
    """
    found = np.array(scores, dtype=float)
    for item, score in moves:
        place = checks.integer("item", item, minimum=0, maximum=len(found) - 1)
        found[place] = checks.real("score", score)
    return found
