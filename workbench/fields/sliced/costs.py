"""What training a generator with sliced losses costs, measured on one core."""

from collections.abc import Sequence

from workbench.costs import Cost

LOOK = 0.12
"""Seconds of an exact W₂ between 397 pictures, and of sixteen gradients."""


def _training(n_directions: int, steps: int, batch: int, looks: int) -> float:
    step = 4e-4 + batch * (1e-6 + 1.2e-7 * n_directions)
    return 0.05 + steps * step + (looks + 1) * (LOOK + 16 * batch * 1.2e-7 * n_directions)


def train_generator(n_directions: int, steps: int, batch: int, looks: int) -> Cost:
    """Estimate :func:`workbench.fields.train_generator`."""
    return Cost(_training(n_directions, steps, batch, looks), 2e7)


def generator_study(methods: Sequence[str], seeds: Sequence[int], n_directions: int, steps: int, looks: int) -> Cost:
    """Estimate :func:`workbench.fields.generator_study`."""
    return Cost(len(methods) * len(seeds) * _training(n_directions, steps, 128, looks), 4e7)
