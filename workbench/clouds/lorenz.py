"""States on the Lorenz attractor, by the classical Runge–Kutta method on many trajectories at once."""

import numpy as np
from numpy.typing import NDArray

SIGMA, RHO, BETA = 10.0, 28.0, 8.0 / 3.0
STEP = 0.01
SETTLING_STEPS = 1500
STEPS_BETWEEN = 10
MOST_TRAJECTORIES = 512


def velocity(state: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Lorenz vector field at states (k, 3)."""
    x, y, z = state.T
    return np.stack([SIGMA * (y - x), x * (RHO - z) - y, x * y - BETA * z], axis=1)


def advance(state: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """Move states (k, 3) by ``steps`` Runge–Kutta steps of length 0.01."""
    for _ in range(steps):
        a = velocity(state)
        b = velocity(state + STEP / 2 * a)
        c = velocity(state + STEP / 2 * b)
        d = velocity(state + STEP * c)
        state = state + STEP / 6 * (a + 2 * b + 2 * c + d)
    return state


def lorenz_states(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return ``n`` states after settling, a tenth of a time unit apart on each trajectory, scaled to about 1.

    >>> lorenz_states(5, np.random.default_rng(0)).shape
    (5, 3)
    """
    number = min(n, MOST_TRAJECTORIES)
    state = advance(rng.uniform(-1, 1, (number, 3)) * 5 + [0, 0, 25], SETTLING_STEPS)
    found = [state]
    while len(found) * number < n:
        found.append(advance(found[-1], STEPS_BETWEEN))
    return (np.concatenate(found)[:n] - [0, 0, 25]) / 20
