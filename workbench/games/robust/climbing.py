"""Better plans by small steps: climb in the relaxation, where a step costs microseconds; evaluate the tops exactly."""

import numpy as np

from workbench.games.robust.search import Search

TRIES = 24
POLISHING = 2.0  # seconds
SHAKEN = 4  # items that are turned before the next climb


def improve(search: Search, tries: int = TRIES) -> None:
    """Climb from the best plan of the search, and again from shaken copies of the best top.

    A top is evaluated exactly when its worth in the relaxation, which is no less than the exact one, is above the best
    plan's profit. The shaking is the same at every call.
    """
    own, draw = search.cuts.relaxation, np.random.default_rng(0)
    movable = np.flatnonzero(~own.pays)
    worth, plan = own.climb(np.asarray(search.best, np.int8))
    search.evaluate(plan)
    if movable.size == 0:
        return
    for _ in range(tries):
        if search.left <= 0 or search.closed:
            return
        shaken = plan.copy()
        turned = draw.choice(movable, min(SHAKEN, movable.size), replace=False)
        shaken[turned] = 1 - shaken[turned]
        value, top = own.climb(shaken)
        if value > search.profit:
            search.evaluate(top)
        if value > worth:
            worth, plan = value, top
        search.told()


def polish(search: Search, seconds: float = POLISHING) -> None:
    """Take in, leave out or exchange items of the best plan as long as its exact worst case grows, for some seconds.

    A neighbour that is worth no more in the relaxation, or against the scenario of the best plan, costs little.
    """
    own = search.cuts.relaxation
    movable = np.flatnonzero(~own.pays)
    until, improved = search.seconds + seconds, True
    while improved:
        improved = False
        plan = np.array(search.best, np.int8)
        inside, outside = movable[plan[movable] == 1], movable[plan[movable] == 0]
        steps = [(i,) for i in movable] + [(i, k) for i in inside for k in outside]
        for step in steps:
            near = plan.copy()
            near[list(step)] = 1 - near[list(step)]
            value, _ = own.bound(near)
            if value <= search.cutoff:
                continue
            before = search.profit
            search.evaluate(near)
            if search.left <= 0 or search.closed or search.seconds > until:
                return
            if search.profit > before:
                improved = True
                break
