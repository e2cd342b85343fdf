"""Capital budgeting looked at: a plan of one's own, what samples miss of its worst case, the best plan and a bound."""

import csv
import io
import math
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.games.robust.budget_plan import BudgetPlan, budget_plan
from workbench.games.robust.budgeting import (
    FACTORS,
    MOST_PROJECTS,
    BudgetWorstCase,
    CapitalBudgeting,
    budget_worst_case,
    capital_budgeting,
    sampled_values,
)
from workbench.games.robust.problem import finite_number
from workbench.progress import Progress

COLUMNS = (
    "cost",
    "revenue",
    *(f"cost_{k}" for k in range(1, FACTORS + 1)),
    *(f"revenue_{k}" for k in range(1, FACTORS + 1)),
)
LONGEST_TEXT = 50_000
FIRST_LOOK = 20_000  # boxes for the plan of one's own
POINTS = 40  # of the curve over the samples


def read_projects(text: str, *, spend: float = 0.5) -> CapitalBudgeting:
    """Return the problem of a table of projects with a budget of ``spend`` times the sum of all costs.

    A header names cost, revenue, cost_1 … cost_4 and revenue_1 … revenue_4 (Φ and Ψ) in any order, and ``project`` if
    you like. Raises ``ValueError`` for anything else.

    >>> text = "cost,revenue,cost_1,cost_2,cost_3,cost_4,revenue_1,revenue_2,revenue_3,revenue_4\\n4,1,1,0,0,0,0,1,0,0"
    >>> read_projects(text).budget
    2.0
    """
    if not isinstance(text, str):
        raise TypeError(f"the table must be given as text, got {type(text).__name__}; read the file first")
    if len(text) > LONGEST_TEXT:
        raise ValueError(
            f"the table has {len(text):,} characters; {LONGEST_TEXT:,} are enough for {MOST_PROJECTS} projects"
        )
    spend = checks.real("spend", spend, exclusive_minimum=0.0, maximum=10.0)
    rows = [row for row in csv.reader(text.lstrip("\ufeff").splitlines()) if any(entry.strip() for entry in row)]
    head = [name.strip().lower() for name in rows[0]] if rows else []
    missing, unknown = [name for name in COLUMNS if name not in head], sorted({*head} - {*COLUMNS, "project"})
    if missing or unknown or len({*head}) != len(head):
        raise ValueError(
            f"the header must name each of {', '.join(COLUMNS)} once (and project, if you like); "
            f"unknown: {', '.join(unknown)[:80] or 'none'}, missing: {', '.join(missing) or 'none'}"
        )
    if not 2 <= len(rows) <= MOST_PROJECTS + 1:
        raise ValueError(f"the table must hold 1 to {MOST_PROJECTS} projects, got {len(rows) - 1}")
    columns: dict[str, list[float]] = {name: [] for name in COLUMNS}
    for k, row in enumerate(rows[1:], 2):
        if len(row) != len(head):
            raise ValueError(f"row {k} has {len(row)} entries and the header has {len(head)}")
        for name, entry in zip(head, row, strict=True):
            if name in columns:
                columns[name].append(finite_number(entry, f"row {k}, column {name}"))
    factors = [np.column_stack([columns[f"{side}_{k}"] for k in range(1, FACTORS + 1)]) for side in COLUMNS[:2]]
    cost = np.array(columns["cost"])
    return CapitalBudgeting(cost, np.array(columns["revenue"]), *factors, float(spend * cost.sum()))


def projects_csv(problem: CapitalBudgeting) -> str:
    """Return the projects as CSV; :func:`read_projects` reads them."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow(("project", *COLUMNS))
    for i in range(problem.projects):
        row = [problem.cost[i], problem.revenue[i], *problem.cost_factors[i], *problem.revenue_factors[i]]
        write.writerow((i + 1, *(f"{value:.17g}" for value in row)))
    return out.getvalue()


@results.experiment
def budget_study(
    n: int = 8,
    chosen: Sequence[int] = (),
    table: str | None = None,
    *,
    spend: float = 0.5,
    seed: int = 0,
    gap: float = 0.01,
    boxes: int = 200_000,
    samples: int = 1000,
    time_limit: float = 20.0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return a capital budget of one's own beside the best one found, and what samples miss of both worst cases.

    The problem is a random instance of ``n`` projects, or read from ``table`` (:func:`read_projects`, with ``spend``);
    ``chosen`` are the numbers, from 1, of the projects that your plan takes now. Dimension ``project``: the data and
    both plans; ``factor``: the worst factors; ``step``: how both bounds on the worst case of the best plan met while
    boxes were split; ``drawn``: the least of so many samples of your plan. ``at_least`` ≤ worst case ≤ ``at_most``;
    ``sampled`` is the least of ``samples`` random factors, ``missed`` how far that lies above ``at_most``; the same
    with ``own_`` for your plan; no plan earns more than ``bound``. Your plan is published
    before the best one is looked for.

    >>> found = budget_study(5, [1], boxes=5000, samples=50)
    >>> bool(found.own_at_least <= found.own_at_most <= found.own_sampled)
    True
    """
    if table is None:
        problem = capital_budgeting(n, seed=checks.integer("seed", seed, minimum=0))
        if spend != 0.5:
            spend = checks.real("spend", spend, exclusive_minimum=0.0, maximum=10.0)
            problem = CapitalBudgeting(
                problem.cost, problem.revenue, problem.cost_factors, problem.revenue_factors,
                float(spend * problem.cost.sum()),
            )  # fmt: skip
    else:
        problem = read_projects(table, spend=spend)
    plan = np.zeros(problem.projects, np.int8)
    for number in chosen:
        project = checks.integer("a project of the plan", number, minimum=1)
        if project > problem.projects:
            raise ValueError(f"the plan has project {project} and there are {problem.projects}; take it out")
        plan[project - 1] = 1
    progress = progress or Progress()
    own = budget_worst_case(problem, plan, gap=gap, boxes=min(boxes, FIRST_LOOK), progress=progress)
    values = sampled_values(problem, plan, samples, seed=seed)
    progress.publish(results.unfinished(_dataset(problem, own, values, None, math.nan), "the best plan"))
    found = budget_plan(problem, gap=gap, boxes=boxes, time_limit=time_limit, progress=progress)
    least = float(sampled_values(problem, found.worst.plan, samples, seed=seed).min())
    return _dataset(problem, own, values, found, least)


def _dataset(
    problem: CapitalBudgeting, own: BudgetWorstCase, values: NDArray, found: BudgetPlan | None, sampled: float
) -> xr.Dataset:
    nothing = np.full(problem.projects, np.nan)
    best = None if found is None else found.worst
    history = np.full((1, 3), np.nan) if best is None else best.history
    drawn = np.unique(np.rint(np.geomspace(1, values.size, POINTS)).astype(int))
    least = np.minimum.accumulate(values)[drawn - 1]
    project, factor, step = ("project",), ("factor",), ("step",)
    return results.dataset(
        {
            "cost": (project, problem.cost, "cost without any factor"),
            "revenue": (project, problem.revenue, "revenue without any factor"),
            "dearest": (project, problem.at(np.ones(FACTORS))[0], "cost at most"),
            "own_plan": (project, own.plan, "whether your plan takes it now"),
            "own_factors": (factor, own.factors, "worst factors found for your plan"),
            "own_at_least": ((), own.at_least, "your plan earns at least"),
            "own_at_most": ((), own.at_most, "your plan earns at most in its worst case"),
            "own_sampled": ((), float(values.min()), "least of the samples of your plan"),
            "own_missed": ((), float(values.min()) / own.at_most - 1, "what sampling misses of your plan"),
            "least": (("drawn",), least, "least of so many samples of your plan"),
            "plan": (
                project,
                nothing if best is None else best.plan.astype(float),
                "whether the best plan takes it now",
            ),
            "factors": (factor, np.full(FACTORS, np.nan) if best is None else best.factors, "worst factors found"),
            "at_least": ((), np.nan if best is None else best.at_least, "the best plan earns at least"),
            "at_most": ((), np.nan if best is None else best.at_most, "the best plan earns at most in its worst case"),
            "sampled": ((), sampled, "least of the samples of the best plan"),
            "missed": ((), np.nan if best is None else sampled / best.at_most - 1, "what sampling misses"),
            "bound": ((), np.nan if found is None else found.bound, "no plan earns more"),
            "boxes": (step, history[:, 0], "boxes of factors"),
            "lower": (step, history[:, 1], "worst case at least"),
            "upper": (step, history[:, 2], "worst case at most"),
            "budget": ((), problem.budget, "budget"),
        },
        {
            "project": (project, np.arange(1, problem.projects + 1), "project"),
            "factor": (factor, np.arange(1, FACTORS + 1), "factor"),
            "step": (step, np.arange(len(history)), "step"),
            "drawn": (("drawn",), drawn, "samples"),
        },
        {"table": projects_csv(problem)},
    )
