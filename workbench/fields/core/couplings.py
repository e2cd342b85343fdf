"""Pairs (x₀, x₁) for training: drawn independently, optimally within a batch, or as the laws pair them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from workbench import checks
from workbench.fields.core.exact import COUPLINGS, ExactField, exact_field
from workbench.fields.core.laws import FiniteSample, Floats, GaussianMixture, as_law
from workbench.progress import Progress
from workbench.transport import exact_transport

MOST_BATCH = 4096
"""Pairs that are matched optimally at once."""
MOST_DENSE = 500
"""Pairs up to which SciPy's assignment on the whole matrix of costs is faster than exact transport without it."""


def couple(
    source: Any,
    target: Any,
    n: int,
    coupling: str = "independent",
    *,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> tuple[Floats, Floats]:
    """Return ``n`` pairs x₀, x₁, each (n, d), of a coupling of two laws.

    "independent" and "paired" as :func:`exact_field`. "optimal": the optimal map itself between two Gaussians; for
    other laws two batches matched by exact transport, which is the optimal coupling of the *batches*: with a batch of
    n its cost lies above W₂² of the laws, and with a condition it breaks the marginals (see :func:`batch_bias`).

    Raises ``ValueError`` as :func:`exact_field`. Cost of a matched batch: about 4 ms at n = 256.

    >>> x0, x1 = couple("gaussian", "two-blobs", 64, "optimal")
    >>> x0.shape, x1.shape
    ((64, 2), (64, 2))
    """
    source, target = as_law("source", source), as_law("target", target)
    n = checks.integer("n", n, minimum=1, maximum=10**8)
    checks.choice("coupling", coupling, COUPLINGS)
    rng = checks.generator(seed)
    gaussians = all(isinstance(law, GaussianMixture) and law.is_gaussian for law in (source, target))
    if coupling == "optimal" and not gaussians:
        if source.dimension != target.dimension:
            raise ValueError(f"the source has {source.dimension} dimension(s) and the target {target.dimension}")
        checks.integer("n, of pairs matched at once,", n, maximum=MOST_BATCH)
        return matched(source.sample(n, rng), target.sample(n, rng), progress=progress)
    if coupling == "independent" and isinstance(source, FiniteSample) and isinstance(target, FiniteSample):
        return source.sample(n, rng), target.sample(n, rng)
    return exact_field(source, target, coupling).couple(n, rng)


def matched(x0: ArrayLike, x1: ArrayLike, *, progress: Progress | None = None) -> tuple[Floats, Floats]:
    """Return the rows of ``x0`` (n, d) with the rows of ``x1`` (n, d) that an optimal plan gives them.

    >>> matched([[0.0], [1.0]], [[5.0], [3.0]])[1].ravel().tolist()
    [3.0, 5.0]
    """
    x0, x1 = checks.finite_array("x0", x0, ndim=2), checks.finite_array("x1", x1, ndim=2)
    if x0.shape != x1.shape:
        raise ValueError(f"both batches must have one shape, got {x0.shape} and {x1.shape}")
    if len(x0) <= MOST_DENSE:
        return x0, x1[linear_sum_assignment(cdist(x0, x1, "sqeuclidean"))[1]]
    plan = exact_transport(x0, x1, progress=progress).plan.tocsr()
    # A vertex of the polytope of plans between equal masses is a permutation; rows hold one entry each, up to the
    # zero masses that a basis may carry along.
    order = np.asarray(plan.argmax(axis=1)).ravel()
    return x0, x1[order]


def batch_bias(field: ExactField, n: int, *, seed: int = 0, batches: int = 20) -> tuple[float, float]:
    """Return how much further a matched batch of ``n`` travels than the optimal coupling of two Gaussians, and ±.

    The mean of ‖x₁ − x₀‖² over batches, less W₂², with its standard error: what minibatch transport costs.
    """
    if field.coupling != "optimal":
        raise ValueError("the bias of a batch is known against the optimal coupling; give such a field")
    rng = checks.generator(seed)
    costs = []
    for _ in range(checks.integer("batches", batches, minimum=2, maximum=10_000)):
        x0, x1 = matched(field.source.sample(n, rng), field.target.sample(n, rng))
        costs.append(float(np.mean(np.sum((x1 - x0) ** 2, axis=1))))
    x0, x1 = field.couple(10**5, rng)
    least = float(np.mean(np.sum((x1 - x0) ** 2, axis=1)))
    return float(np.mean(costs)) - least, float(np.std(costs, ddof=1) / np.sqrt(len(costs)))
