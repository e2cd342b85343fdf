"""Decisions against the worst case: choose now, repair later, and know exactly what the plan is worth.

>>> from workbench.games import robust
>>> found = robust.solve(robust.knapsack("SC", 8, seed=3))
>>> found.optimal, robust.verify(found.certificate).plan == tuple(found.plan.tolist())
(True, True)

A problem comes from :func:`knapsack` (random), :func:`read_instance` or :func:`read_csv`; :func:`worst_case` evaluates
any plan exactly, :func:`bound` and :func:`priced_bound` bound all of them, :func:`solve` looks for the best by one of
:data:`METHODS`; :func:`check` and :func:`verify` are the second, small program that believes nothing.
:func:`robust_race` sets the methods side by side. Where costs are uncertain too: :func:`capital_budgeting`,
:func:`budget_worst_case` and :func:`budget_plan`.
"""

from workbench.games.plan_verifier import check, verify
from workbench.games.robust.budget_plan import BudgetPlan, budget_plan
from workbench.games.robust.budgeting import (
    BudgetWorstCase,
    CapitalBudgeting,
    budget_worst_case,
    capital_budgeting,
    sampled_worst_case,
)
from workbench.games.robust.evaluate import UpperBound, WorstCase, bound, worst_case
from workbench.games.robust.experiment import retyped, robust_plan
from workbench.games.robust.neural.network import Network, read_network
from workbench.games.robust.problem import CLASSES, Knapsack, knapsack, read_csv, read_instance
from workbench.games.robust.projects import budget_study, projects_csv, read_projects
from workbench.games.robust.race import robust_race
from workbench.games.robust.solve import METHODS, Solution, solve
from workbench.games.robust.strips import priced_bound

__all__ = [
    "CLASSES",
    "METHODS",
    "BudgetPlan",
    "BudgetWorstCase",
    "CapitalBudgeting",
    "Knapsack",
    "Network",
    "Solution",
    "UpperBound",
    "WorstCase",
    "bound",
    "budget_plan",
    "budget_study",
    "budget_worst_case",
    "capital_budgeting",
    "check",
    "knapsack",
    "priced_bound",
    "projects_csv",
    "read_csv",
    "read_instance",
    "read_network",
    "read_projects",
    "retyped",
    "robust_plan",
    "robust_race",
    "sampled_worst_case",
    "solve",
    "verify",
    "worst_case",
]
