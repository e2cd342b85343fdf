"""Capital budgeting: the knapsack against enumeration, the bounds against a fine grid, and what samples miss."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.games import robust
from workbench.games.robust.budget_plan import over_points
from workbench.games.robust.budgeting import FACTORS, second_stage


def enumerated(problem, plan, factors):
    """The second stage by all later choices."""
    cost, revenue = problem.at(factors)
    best = -np.inf
    for later in itertools.product((0, 1), repeat=problem.projects):
        later = np.array(later)
        if (later & plan).any() or cost @ (plan + later) > problem.budget:
            continue
        best = max(best, revenue @ (plan + problem.later * later))
    return best


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 8), st.integers(0, 10**6))
def test_the_second_stage_is_that_of_all_later_choices(n, seed):
    draw = np.random.default_rng(seed)
    problem = robust.capital_budgeting(n, seed=seed)
    plan = np.zeros(n, int)
    cheapest = int(np.argmin(problem.cost))
    plan[cheapest] = draw.integers(0, 2) if 1.5 * problem.cost[cheapest] <= problem.budget else 0
    factors = draw.uniform(-1, 1, FACTORS)
    value, later = second_stage(problem, plan, factors)
    cost, revenue = problem.at(factors)
    assert value == pytest.approx(enumerated(problem, plan, factors), rel=1e-12)
    assert cost @ (plan + later) <= problem.budget * (1 + 1e-12)
    assert revenue @ (plan + problem.later * later) == pytest.approx(value)
    assert not (later & plan).any()


@pytest.mark.parametrize(("n", "plan"), [(5, "00000"), (6, "100000"), (7, "0100100")])
def test_the_bounds_hold_against_a_grid(n, plan):
    problem = robust.capital_budgeting(n, seed=n)
    found = robust.budget_worst_case(problem, plan, gap=0.01, boxes=30_000)
    sides = np.linspace(-1, 1, 9)
    grid = min(second_stage(problem, plan, point)[0] for point in itertools.product(sides, repeat=FACTORS))
    assert found.at_least <= grid
    assert found.at_most <= grid * 1.02
    assert found.gap <= 0.011
    assert second_stage(problem, plan, found.factors)[0] == pytest.approx(found.at_most)
    lower, upper = found.history[:, 1], found.history[:, 2]
    assert np.all(np.diff(lower) >= 0)
    assert np.all(np.diff(upper) <= 0)


def test_more_boxes_never_hurt_and_samples_never_prove():
    problem = robust.capital_budgeting(8, seed=2)
    rough = robust.budget_worst_case(problem, "00000000", gap=0.0, boxes=200)
    fine = robust.budget_worst_case(problem, "00000000", gap=0.0, boxes=5000)
    assert rough.at_least <= fine.at_least <= fine.at_most <= rough.at_most
    assert robust.sampled_worst_case(problem, "00000000", 200, seed=0) >= fine.at_least


def test_no_plan_is_above_the_bound():
    problem = robust.capital_budgeting(5, seed=1)
    found = robust.budget_plan(problem, boxes=20_000, time_limit=20)
    dearest = problem.at(np.ones(FACTORS))[0]
    for plan in itertools.product((0, 1), repeat=5):
        if dearest @ np.array(plan) <= problem.budget:
            assert robust.budget_worst_case(problem, plan, boxes=5000).at_least <= found.bound * (1 + 1e-6)
    assert found.worst.at_least <= found.bound


def test_the_programme_over_points_is_that_of_all_plans():
    problem = robust.capital_budgeting(5, seed=3)
    points = [np.ones(FACTORS), -np.ones(FACTORS), np.array([1.0, -1, 0, 0.5])]
    plan, most = over_points(problem, points, 10.0)
    dearest = problem.at(np.ones(FACTORS))[0]
    values = {}
    for x in itertools.product((0, 1), repeat=5):
        if dearest @ np.array(x) <= problem.budget:
            values[x] = min(enumerated(problem, np.array(x), point) for point in points)
    assert most == pytest.approx(max(values.values()), rel=1e-5)
    assert values[tuple(plan.tolist())] == pytest.approx(max(values.values()), rel=1e-5)


def test_the_experiment_tells_what_samples_miss():
    ds = robust.budget_study(5, seed=1, boxes=20_000, samples=100)
    assert float(ds.at_least) <= float(ds.at_most) <= float(ds.sampled) + 1e-12
    assert float(ds.missed) == pytest.approx(float(ds.sampled / ds.at_most) - 1)
    assert float(ds.at_least) <= float(ds.bound)


GOOD = {"cost": [1, 2], "revenue": [1, 1], "cost_factors": np.zeros((2, 4)), "revenue_factors": np.zeros((2, 4))}


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: robust.capital_budgeting(0), "n must be at least 1"),
        (lambda: robust.CapitalBudgeting(**{**GOOD, "cost": [1, 0]}, budget=1), "cost must not be negative"),
        (lambda: robust.CapitalBudgeting(**{**GOOD, "cost_factors": np.ones((2, 4))}, budget=1), "at most 1"),
        (lambda: robust.CapitalBudgeting(**{**GOOD, "revenue_factors": np.zeros((2, 3))}, budget=1), "shape"),
        (lambda: robust.CapitalBudgeting(**GOOD, budget=0), "budget must be greater"),
        (lambda: robust.CapitalBudgeting(**GOOD, budget=1, later=2), "later must be at most 1"),
        (lambda: robust.budget_worst_case(robust.capital_budgeting(4), "1111"), "take projects out"),
        (lambda: robust.budget_worst_case(robust.capital_budgeting(4), "111"), "4 entries"),
        (lambda: robust.budget_worst_case(robust.capital_budgeting(4), "0000", boxes=10**9), "boxes must be at most"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(make, told):
    with pytest.raises(ValueError, match=told):
        make()


def test_projects_come_back_from_their_table():
    problem = robust.capital_budgeting(5, seed=2)
    back = robust.read_projects(robust.projects_csv(problem))
    for name in ("cost", "revenue", "cost_factors", "revenue_factors"):
        np.testing.assert_allclose(getattr(back, name), getattr(problem, name), rtol=1e-15)
    assert back.budget == pytest.approx(problem.budget)
    ds = robust.budget_study(chosen=[2], table=robust.projects_csv(problem), boxes=3000, samples=50)
    assert ds.sizes["project"] == 5
    assert ds.own_plan.values.tolist() == [0, 1, 0, 0, 0]
    assert float(ds.own_at_most) <= float(ds.own_sampled)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "header must name"),
        ("cost,revenue\n1,2", "missing: cost_1"),
        (robust.projects_csv(robust.capital_budgeting(2)).replace("project", "name"), "unknown: name"),
        (robust.projects_csv(robust.capital_budgeting(2)).split("\n")[0], "1 to 40 projects"),
        (robust.projects_csv(robust.capital_budgeting(1)) + "2,1\n", "row 3 has 2 entries"),
        (robust.projects_csv(robust.capital_budgeting(1)).replace("\n1,", "\n1,nan", 1), "not a finite number"),
        ("x" * 60_000, "characters"),
    ],
)
def test_tables_of_projects_that_cannot_be_are_refused(text, told):
    with pytest.raises(ValueError, match=told):
        robust.read_projects(text)
