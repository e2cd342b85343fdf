"""Where damage really begins along a ray: the measured side of every comparison."""

import numpy as np

from workbench.steps.radii import bound_radius
from workbench.steps.ray import Ray
from workbench.steps.search import first_crossing

GROWTH = 1.2
DECADES = 5
START = 0.02


def loss_onset(ray: Ray, ratio: float = 2.0) -> float:
    """Return the first τ > 0 where the mean loss reaches ``ratio`` times its start (grid of ratio 1.2, then bisected).

    ∞ if it never does within five decades from 2 % of the bound radius.
    """
    return first_crossing(lambda tau: ray.loss_at(tau) - ratio * ray.loss, _scale(ray), decades=DECADES, growth=GROWTH)


def accuracy_onset(ray: Ray, points: float = 5.0) -> float:
    """Return the first τ > 0 where accuracy has lost ``points`` percentage points; ∞ if it never does.

    Where the accuracy is a step function the answer is its first step beyond the threshold, on the same grid.
    """
    # a little less than the threshold, so that exactly 5 points lost counts in spite of rounding
    floor = ray.accuracy - points / 100 + 1e-9

    def excess(tau: float) -> float:
        accuracy = ray.accuracy_at(tau)
        return 1.0 if accuracy <= floor else -1.0

    return first_crossing(excess, _scale(ray), decades=DECADES, growth=GROWTH)


def _scale(ray: Ray) -> float:
    return START * float(np.min(bound_radius(ray.slopes)))
