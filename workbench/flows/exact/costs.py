"""What the experiments on exact and entropic transport cost, measured on one core."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.costs import Cost

SECONDS_PER_SINKHORN_ENTRY = 0.8e-9
SECONDS_PER_NEWTON_PASS = 1.5e-8
"""Of one step over all n·m entries, plan, marginals and bounds together."""
SECONDS_PER_CUBE = 1.5e-10
SECONDS_PER_LOOK = 4e-8
"""Of making one plan anew and sorting its entries."""
SECONDS_AT_10000 = 2.0


def exact_seconds(n: int) -> float:
    """Return the time of one exact plan between two clouds of n points."""
    return SECONDS_AT_10000 * (n / 10_000) ** 1.8 + 0.01


def race(n: int, *, sinkhorn_limit: int) -> Cost:
    """Return the cost of all solvers on one problem of n points a side, with bounds at the recorded iterates."""
    records = 100 + 12 * np.log(1 + sinkhorn_limit / 100)
    passes = (records + 60) * SECONDS_PER_NEWTON_PASS + sinkhorn_limit * SECONDS_PER_SINKHORN_ENTRY
    return Cost(exact_seconds(n) + passes * n**2 + 20 * SECONDS_PER_CUBE * n**3 + 0.05, 100.0 * n * n)


def compare_solvers(x: Any, cost: Any, n: int, sinkhorn_limit: int) -> Cost:
    """Estimate :func:`workbench.flows.compare_solvers`."""
    given = x if cost is None else cost
    size = n if given is None or isinstance(given, str) else max(np.shape(given))
    return race(size, sinkhorn_limit=sinkhorn_limit)


def sns_experiment(
    cases: Sequence[str],
    etas: Sequence[float],
    variants: Sequence[str],
    n: int,
    repeats: int,
    sinkhorn_limit: int,
    newton_limit: int,
) -> Cost:
    """Estimate :func:`workbench.flows.sns_experiment`, as if no run ended early."""
    sinkhorn = sinkhorn_limit * n**2 * SECONDS_PER_SINKHORN_ENTRY
    newton = newton_limit * n**2 * 2e-7
    each = sum(sinkhorn if name == "sinkhorn" else newton for name in variants)
    return Cost(len(cases) * len(etas) * repeats * each, 100.0 * n * n)


def sparsity_decay(etas: Sequence[float], n: int, steps: int) -> Cost:
    """Estimate :func:`workbench.flows.sparsity_decay`: the steps, the plans looked at, and the converged one."""
    each = (steps * SECONDS_PER_SINKHORN_ENTRY + 30 * SECONDS_PER_LOOK) * n**2 + 20 * SECONDS_PER_CUBE * n**3
    return Cost(len(etas) * each + 0.05, 100.0 * n * n)


def exact_scaling(sizes: Sequence[int]) -> Cost:
    """Estimate :func:`workbench.flows.exact_scaling`."""
    return Cost(sum(exact_seconds(size) for size in sizes), 2400.0 * max(sizes))
