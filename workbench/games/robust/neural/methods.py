"""The paper's loop: a plan against the scenarios found, the scenario that the network thinks worst for it, again.

Entries of the one registry of methods, judged like all others by the exact worst case of the plan they end with.
"""

import numpy as np

from workbench.games.robust.bounding import Bound
from workbench.games.robust.neural.embedding import ARGMAX, MAX, best_plan, worst_scenario
from workbench.games.robust.neural.network import Network, shipped
from workbench.games.robust.search import Search

PAPER = "J. Dumouchelle, E. Julien, J. Kurtz and E. B. Khalil, arXiv 2310.04345"
MOST_SCENARIOS = 12
PROGRAMME_SECONDS = 5.0  # for each programme
ADVERSARY_SECONDS = 2.0


def neural(search: Search, found: Bound, variant: str, network: Network | None = None, share: float = 1.0) -> None:
    """Go the paper's loop with "argmax" or "max" until a scenario comes again, or ``share`` of the time is spent.

    The first scenario is the one that bounds all plans. Every plan that is met is evaluated exactly and the best one
    kept; the paper keeps the last one.
    """
    if variant not in (ARGMAX, MAX):
        raise ValueError(f"variant must be {ARGMAX!r} or {MAX!r}, got {variant!r}")
    network = network or shipped()
    problem, end = search.problem, search.seconds + share * search.left
    search.remark = network.remark(problem)
    scenarios = [np.array(found.scenario)]
    while len(scenarios) <= MOST_SCENARIOS and not search.closed:
        left = min(end - search.seconds, search.left)
        if left <= 0:
            return
        plan = best_plan(network, problem, scenarios, variant, min(PROGRAMME_SECONDS, left))
        if plan is None:
            return
        search.evaluate(plan)
        search.nodes += 1
        search.told()
        left = min(end - search.seconds, search.left)
        if left <= 0:
            return
        worst = worst_scenario(network, problem, plan, min(ADVERSARY_SECONDS, left))
        if worst is None or any(np.allclose(worst, known, atol=1e-6) for known in scenarios):
            return
        scenarios.append(worst)
