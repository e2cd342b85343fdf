"""Rankings to begin with: positives and negatives from two normal distributions."""

import numpy as np
from numpy.typing import NDArray

from workbench import checks

MOST_ITEMS = 1_000_000


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
