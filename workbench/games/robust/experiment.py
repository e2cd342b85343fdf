"""A plan of one's own beside the best one: what the page and the notebook look at."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.games.plan_verifier import Refused, verify
from workbench.games.robust.evaluate import WorstCase, worst_case
from workbench.games.robust.problem import COLUMNS, STEPS, Knapsack, knapsack, read_csv, read_instance
from workbench.games.robust.solve import Solution, solve
from workbench.progress import Progress

LABELS = {
    "profit": "profit in the best case",
    "loss": "largest loss of profit",
    "weight": "capacity that it needs",
    "repair": "further capacity of a repair",
    "outsourcing": "price of buying it elsewhere",
}


@results.experiment
def robust_plan(
    chosen: Sequence[int] = (1, 2, 3, 4, 5, 6),
    table: str | None = None,
    *,
    kind: str = "SC",
    n: int = 12,
    h: int = 40,
    deviation: float = 0.5,
    share: float = 0.15,
    seed: int = 0,
    method: str = "price-and-branch",
    time_limit: float = 20.0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the exact worst case of a plan (item numbers from 1) beside a best plan, its bound and its certificate.

    The problem is drawn by :func:`knapsack` from ``kind``, ``n``, ``h``, ``deviation``, ``share``, ``seed``, or read
    from ``table``: the text of a published instance, or CSV, whose capacity and budget ``h`` and ``share`` then set.
    Dimension ``item``: the data, both plans, both worst scenarios ξ and the losses p̂ξ in them. Dimension ``step``: how
    the best profit and the bound met. The certificate stands in the attribute of that name; ``checked`` says whether
    the second program proved it; ``table`` holds the items as CSV. The worst case of the plan is published before the
    best one is looked for.
    """
    problem = _problem(table, kind, n, h, deviation, share, seed)
    plan = _plan(problem, chosen)
    progress = progress or Progress()
    own = worst_case(problem, plan)
    progress.publish(results.unfinished(_dataset(problem, own, None), "the best plan"))
    return _dataset(problem, own, solve(problem, method, time_limit=time_limit, progress=progress))


def retyped(table: str, item: int, column: str, value: float) -> str:
    """Return a table of items, CSV or a published instance, with one number replaced; items count from 1.

    What the rest of the table holds is read, and refused, like any table; ``value`` must be whole.

    >>> print(retyped("profit,loss,weight,repair,outsourcing\\n40,20,8,20,48", 1, "loss", 30).splitlines()[1])
    1,40,30,8,20,48
    """
    checks.choice("column", column, COLUMNS)
    instance = table.lstrip("\ufeff \n\r\t")[:1].isdigit()
    problem = read_instance(table) if instance else read_csv(table, capacity=0, budget=0)
    item = checks.integer("item", item, minimum=1, maximum=problem.items)
    columns = {name: getattr(problem, name).astype(float) for name in COLUMNS}
    columns[column][item - 1] = value
    changed = Knapsack(**columns, capacity=problem.capacity, budget=problem.budget)
    return changed.to_instance() if instance else changed.to_csv()


def _problem(table: str | None, kind: str, n: int, h: int, deviation: float, share: float, seed: int) -> Knapsack:
    if table is None:
        return knapsack(kind, n, h=h, deviation=deviation, share=share, seed=seed)
    if isinstance(table, str) and table.lstrip("\ufeff \n\r\t")[:1].isdigit():
        return read_instance(table)
    h = checks.integer("h", h, minimum=1, maximum=STEPS)
    share = checks.real("share", share, minimum=0.0, maximum=1.0)
    read = read_csv(table, capacity=0, budget=0)
    columns = [getattr(read, name) for name in COLUMNS]
    return Knapsack(*columns, capacity=int(h / (STEPS + 1) * read.weight.sum()), budget=round(share * read.items, 6))


def _plan(problem: Knapsack, chosen: Sequence[int]) -> NDArray[np.int8]:
    plan = np.zeros(problem.items, np.int8)
    for number in chosen:
        item = checks.integer("an item of the plan", number, minimum=1)
        if item > problem.items:
            raise ValueError(f"the plan has item {item} and there are {problem.items}; take it out or add items")
        plan[item - 1] = 1
    return plan


def _dataset(problem: Knapsack, own: WorstCase, best: Solution | None) -> xr.Dataset:
    n = problem.items
    nothing = np.full(n, np.nan)
    scenario = nothing if best is None else best.worst.scenario
    race = np.full((1, 3), np.nan) if best is None else best.history
    item = ("item",)
    return results.dataset(
        {
            **{name: (item, getattr(problem, name), LABELS[name]) for name in COLUMNS},
            "own_plan": (item, own.plan, "whether the item is in your plan"),
            "own_scenario": (item, own.scenario, "how hard the worst case of your plan hits it"),
            "own_lost": (item, own.scenario * problem.loss * own.plan, "lost in the worst case of your plan"),
            "own_profit": ((), own.profit, "exact worst-case profit of your plan"),
            "best_plan": (item, nothing if best is None else best.plan.astype(float), "whether it is in the best plan"),
            "best_scenario": (item, scenario, "how hard the worst case of the best plan hits it"),
            "best_lost": (
                item,
                nothing if best is None else scenario * problem.loss * best.plan,
                "lost in the worst case of the best plan",
            ),
            "best_profit": ((), np.nan if best is None else best.profit, "exact worst-case profit of the best plan"),
            "bound": ((), np.nan if best is None else best.bound, "no plan is worth more"),
            "checked": ((), best is not None and _holds(best.certificate), "whether the checker proved it"),
            "seconds": (("step",), race[:, 0], "time", "s"),
            "lower": (("step",), np.where(np.isinf(race[:, 1]), np.nan, race[:, 1]), "best profit so far"),
            "upper": (("step",), np.where(np.isinf(race[:, 2]), np.nan, race[:, 2]), "bound so far"),
            "capacity": ((), problem.capacity, "capacity"),
            "budget": ((), problem.budget, "how many items may be fully hit"),
        },
        {
            "item": (item, np.arange(1, n + 1), "item"),
            "step": (("step",), np.arange(len(race)), "step of the search"),
        },
        {
            "certificate": "" if best is None else best.certificate,
            "table": problem.to_csv(),
            "remark": "" if best is None else best.remark,
        },
    )


def _holds(certificate: str) -> bool:
    """Ask the second program; a check that would take longer than a little is left to the visitor."""
    try:
        verify(certificate, seconds=5.0)
    except Refused:
        return False
    return True
