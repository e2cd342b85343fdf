"""What the experiments on rewards cost, measured on one core."""

from typing import Any

import numpy as np

from workbench.costs import Cost

SECONDS_A_SOLUTION, SECONDS_AN_ENTRY = 8e-5, 6e-7
"""Of one best policy: its overhead, and by the number of transitions."""
COMPARED, DRAWN, SEEN = 40, 60, 2000
"""Solutions of the MDP that a comparison takes, that its polygon takes, and the room's three questions."""


def _solution(mdp: Any) -> float:
    entries = getattr(getattr(mdp, "table", None), "nnz", 100)
    return SECONDS_A_SOLUTION + SECONDS_AN_ENTRY * entries


def _bytes(mdp: Any) -> float:
    return 2e7 + 2e3 * getattr(getattr(mdp, "table", None), "nnz", 100)


def reward_distances(mdp: Any, details: bool) -> Cost:
    """Estimate :func:`workbench.metrics.reward_distances`."""
    drawn = DRAWN if getattr(mdp, "states", 1) <= 2500 else 0
    return Cost((COMPARED + drawn + SEEN * bool(details)) * _solution(mdp), _bytes(mdp))


def grid_rewards(tiles: Any, fool: str, details: bool) -> Cost:
    """Estimate :func:`workbench.metrics.grid_rewards`."""
    cells = max(sum(len(row) for row in tiles), 1)
    solution = SECONDS_A_SOLUTION + SECONDS_AN_ENTRY * 13 * cells
    return Cost((COMPARED + DRAWN + SEEN * bool(details) + 400 * bool(fool)) * solution, 2e7 + 3e4 * cells)


def reward_invariances(mdp: Any) -> Cost:
    """Estimate :func:`workbench.metrics.reward_invariances`."""
    return Cost(7 * COMPARED * _solution(mdp), _bytes(mdp))


def reward_blindness(mdp: Any) -> Cost:
    """Estimate :func:`workbench.metrics.reward_blindness`."""
    return Cost(SEEN * _solution(mdp), _bytes(mdp))


def regret_correlations(mdps: int, pairs: int, steps: int, states: int, actions: int) -> Cost:
    """Estimate :func:`workbench.metrics.regret_correlations`."""
    samples = mdps * pairs * steps
    return Cost(samples * (5e-3 + 1e-5 * states * actions * np.sqrt(states)), 1e8 + 300.0 * states**2 * actions)


def regret_bounds(count: int) -> Cost:
    """Estimate :func:`workbench.metrics.regret_bounds`."""
    return Cost(0.02 + 0.012 * count, 1e8)


def fooled_distances(sizes: Any, states: int, actions: int) -> Cost:
    """Estimate :func:`workbench.metrics.fooled_distances`."""
    return Cost(0.1 + 0.3 * np.size(sizes) * (1 + 1e-3 * states * actions), 1e8)


def regret_verification(certificate: Any) -> Cost:
    """Estimate :func:`workbench.metrics.regret_verification` by the length of the file."""
    return checking(len(certificate) if isinstance(certificate, (str, bytes)) else 0)


def checking(length: int) -> Cost:
    """Return the cost of checking a certificate of so many bytes."""
    return Cost(0.3 + 4e-7 * length, 1e8 + 100.0 * length)
