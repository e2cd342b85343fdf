"""Solving: one registry of methods, one way to judge them. Each leaves a plan, its exact worst case and a bound."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.games.robust.bounding import Bound, tighten
from workbench.games.robust.branch import SMALLEST, branch, explore
from workbench.games.robust.climbing import improve, polish
from workbench.games.robust.cuts import Cuts
from workbench.games.robust.evaluate import WorstCase, certified
from workbench.games.robust.master import over_recourses, over_scenarios
from workbench.games.robust.neural.embedding import ARGMAX, MAX
from workbench.games.robust.neural.methods import PAPER, neural
from workbench.games.robust.problem import Knapsack
from workbench.games.robust.search import CLOSED, Search
from workbench.games.robust.strips import Strips
from workbench.games.robust.tree import write
from workbench.progress import Progress
from workbench.registry import Fact, Registry

METHODS = Registry(
    "method",
    facts={
        "proves": Fact(str, choices=("optimum", "bound"), says="whether it ends with a proof that its plan is best")
    },
)
ROUNDS = 3  # of price-and-evaluate
ROUND_SECONDS = 3.0
NETWORK_SHARE = 0.2  # of the time that is left, before price and branch
LONGEST = 3600.0
ARSLAN = "A. N. Arslan and B. Detienne, INFORMS Journal on Computing 34, 2022"


@dataclass(frozen=True)
class Solution:
    """A plan (n,) with its exact worst case and what no plan exceeds.

    ``profit`` ≤ the best possible ≤ ``bound``; ``certificate`` proves both in whole numbers
    (:func:`~workbench.games.plan_verifier.verify`). ``estimate`` is a bound that the method found beyond what the
    certificate proves (:func:`ccg`, in floating point), otherwise the same as ``bound``. ``history`` holds rows
    (seconds, best profit, bound), ``finished`` says whether the method ended by itself; ``remark`` what should be known
    of how the plan was found (that a network left what it was trained on, say), "" if nothing.
    """

    method: str
    plan: NDArray[np.int8]
    profit: float
    bound: float
    estimate: float
    worst: WorstCase
    certificate: str
    history: NDArray[np.float64]
    nodes: int
    seconds: float
    finished: bool
    remark: str = ""

    @property
    def gap(self) -> float:
        """The relative gap (bound - profit) / |profit|; what is left of a closed one is rounding."""
        return max(self.bound - self.profit, 0.0) / max(abs(self.profit), 1e-9)

    @property
    def optimal(self) -> bool:
        """Whether no plan is better by more than rounding."""
        return self.bound - self.profit <= 10 * CLOSED * max(1.0, abs(self.profit))


def solve(
    problem: Knapsack,
    method: str = "price-and-branch",
    *,
    time_limit: float = 60.0,
    progress: Progress | None = None,
) -> Solution:
    """Return a plan, its exact worst case, a bound on all plans and a certificate of both.

    ``method`` is one of :data:`METHODS`; ``time_limit`` in seconds, after which both bounds found so far are returned.
    Raises ``ValueError`` for an unknown method or limit, ``Cancelled`` when ``progress`` is cancelled.

    >>> from workbench.games.robust import knapsack
    >>> found = solve(knapsack("UN", 10, seed=1))
    >>> found.optimal, found.plan.tolist()
    (True, [1, 0, 1, 1, 1, 1, 1, 1, 0, 1])
    """
    if not isinstance(problem, Knapsack):
        raise TypeError(
            f"problem must be a Knapsack (see knapsack, read_instance, read_csv), got {type(problem).__name__}"
        )
    entry = METHODS[method]
    time_limit = checks.real("time_limit", time_limit, exclusive_minimum=0.0, maximum=LONGEST)
    search = Search(problem, time_limit, Progress() if progress is None else progress)
    found = search.bound_root()
    search.evaluate(search.rounded(found, search.tree.state))
    entry.function(search, found)
    finished = search.left > 0
    # the best plan once more to the end: the search may have been cut short while it looked at it
    worst = certified(problem, search.best, tighten(Cuts(problem), search.best, start=search.worst.scenario))
    certificate, bound = write(problem, worst, search.tree, search.strips and search.strips.walk())
    search.progress.update(time_limit, time_limit, "done")
    return Solution(
        method=method,
        plan=worst.plan,
        profit=worst.profit,
        bound=bound,
        estimate=float(min(bound, max(search.upper, worst.profit))),
        worst=worst,
        certificate=certificate,
        history=np.array([*search.history, (search.seconds, search.profit, search.upper)]),
        nodes=search.nodes,
        seconds=search.seconds,
        finished=finished,
        remark=search.remark,
    )


@METHODS.add(
    "greedy",
    label="greedy",
    formula=r"x_{i} = 1 \text{ if it helps, by } \bar p_i/c_i",
    cost="n worst cases",
    proves="bound",
)
def greedy(search: Search, _found: Bound) -> None:
    """Take items by profit per weight, each kept if the exact worst case grows; bounded by the root."""
    problem = search.problem
    plan = (problem.profit >= problem.outsourcing).astype(np.int8)
    value = search.evaluate(plan)
    for i in np.argsort(-problem.profit / problem.weight):
        if search.left <= 0:
            return
        if not plan[i]:
            trial = plan.copy()
            trial[i] = 1
            new = tighten(search.cuts, trial, stop_below=value).upper
            if new > value:
                plan, value = trial, new
    search.evaluate(plan)


@METHODS.add(
    "price-and-evaluate",
    label="price and evaluate",
    formula=r"\max_{x,\lambda} \min_\xi \sum_j \lambda_j v(x, y_j, \xi)",
    reference=ARSLAN,
    cost="greedy, some ten climbs, then up to three mixed-integer programmes",
    proves="bound",
)
def price_and_evaluate(search: Search, found: Bound) -> None:
    """Climb from the greedy plan, then choose the plan over the recourses found, and go on with what that brings.

    Never worse than greedy, unless the time ends in it.
    """
    greedy(search, found)
    improve(search)
    polish(search)
    for _ in range(ROUNDS):
        if search.left <= 0 or search.closed:
            return
        known = search.cuts.recourses[: search.cuts.count]
        plan = over_recourses(search.problem, known, min(ROUND_SECONDS, search.left))
        search.told()
        if plan is None or plan.tobytes() in search.known:
            return
        search.evaluate(plan)


@METHODS.add(
    "price-and-branch",
    label="price and branch (exact)",
    formula=r"\min_\xi V_{\mathrm{leaf}}(\xi) \leq \text{best}",
    reference=ARSLAN,
    cost="exponential at worst; seconds to minutes at n = 20 to 80, uncorrelated",
    proves="optimum",
)
def price_and_branch(search: Search, _found: Bound) -> None:
    """Climb, then split plans and prices until every part is bounded by the best; what is left is split exactly."""
    whole = True
    if search.problem.items > SMALLEST:
        improve(search)
        search.strips = strips = Strips(search)
        strips.explore()
        if search.closed or search.left <= 0:
            return
        polish(search)
        whole = explore(search)
    if whole:
        branch(search)


@METHODS.add(
    "ccg",
    label="column and constraint generation",
    formula=r"\max_x \min_{s} v(x, \xi_s)",
    reference="B. Zeng and L. Zhao, Operations Research Letters 41, 2013",
    cost="a mixed-integer programme that grows by 2n variables a round",
    proves="optimum",
)
def ccg(search: Search, found: Bound) -> None:
    """Best plan against the scenarios found, worst scenario of that plan, until both agree."""
    scenarios = [found.scenario]
    while search.left > 0 and not search.closed:
        answer = over_scenarios(search.problem, scenarios, search.left)
        if answer is None:
            return
        plan, most = answer
        search.upper = min(search.upper, max(most, search.profit))
        search.told()
        worst = tighten(search.cuts, plan, start=scenarios[-1])
        search.evaluate(plan, worst.scenario)
        search.nodes += 1
        if any(np.allclose(worst.scenario, known, atol=1e-9) for known in scenarios):
            return  # the programme's own tolerance: no new scenario
        scenarios.append(worst.scenario)


@METHODS.add(
    "neural",
    label="learned scenario, true recourse",
    formula=r"\max_{x,y} v(x, y, \xi_{s(x)}),\ s(x) = \mathrm{argmin}_s V_\theta(x, \xi_s)",
    reference=PAPER,
    cost="two mixed-integer programmes a round, some ten rounds at most",
    proves="bound",
)
def neural_argmax(search: Search, found: Bound) -> None:
    """The paper's variant "argmax": a network says which scenario is worst, a true recourse answers it."""
    neural(search, found, ARGMAX)


@METHODS.add(
    "neural-max",
    label="learned value",
    formula=r"\max_x \min_s V_\theta(x, \xi_s)",
    reference=PAPER,
    cost="two mixed-integer programmes a round, some ten rounds at most",
    proves="bound",
)
def neural_max(search: Search, found: Bound) -> None:
    """The paper's variant "max": the network alone says what a plan is worth."""
    neural(search, found, MAX)


@METHODS.add(
    "neural-branch",
    label="price and branch from the network's plans",
    formula=r"\min_\xi V_{\mathrm{leaf}}(\xi) \leq \text{best}",
    reference=PAPER,
    cost="a fifth of the time for the network, the rest for price and branch",
    proves="optimum",
)
def neural_branch(search: Search, found: Bound) -> None:
    """Start price and branch from the plans of the paper's variant "argmax"."""
    neural(search, found, ARGMAX, share=NETWORK_SHARE)
    price_and_branch(search, found)
