"""Decisions against the worst case: known answers, a brute force second engine, properties, refusals."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from workbench.games import robust
from workbench.games.robust.bounding import value_at
from workbench.games.robust.cuts import Cuts
from workbench.games.robust.recourse import best_choices
from workbench.progress import Cancelled, Progress

SIX = "6 60 {}\n40 20 8 20 48\n33 18 6 15 40\n25 10 5 14 30\n52 30 12 28 66\n18 9 4 9 24\n29 12 7 17 36"
TEN = (  # the first rows of a published instance of A. N. Arslan and B. Detienne (MIT licence)
    "10 2000 2\n645 334 221 546 827\n788 408 271 688 1159\n303 153 97 203 385\n1059 565 378 960 1305\n"
    "411 188 125 311 511\n306 155 98 207 356\n176 93 54 77 201\n255 125 77 155 355\n174 93 53 73 200\n"
    "343 158 103 243 391"
)


def recourses(problem, plan):
    """All ways to produce within a plan and the capacity: (items used without repair, value at no loss)."""
    for choice in itertools.product(*[(0, 1, 2) if chosen else (0,) for chosen in plan]):
        choice = np.array(choice)
        load = (problem.weight * (choice > 0) + problem.repair * (choice == 2)).sum()
        if load <= problem.capacity:
            yield problem.loss * (choice == 1), (problem.outsourcing * (choice > 0)).sum()


def brute(problem, plan):
    """The worst case of a plan by one linear programme with a row for every recourse."""
    lost, value = map(np.array, zip(*recourses(problem, plan), strict=True))
    rows = np.column_stack([-lost, -np.ones(len(value))])
    rows = np.vstack([rows, np.r_[np.ones(problem.items), 0.0]])
    done = linprog(
        np.r_[np.zeros(problem.items), 1.0],
        A_ub=rows,
        b_ub=np.r_[-value, problem.budget],
        bounds=[(0, 1)] * problem.items + [(None, None)],
    )
    return done.fun + ((problem.profit - problem.outsourcing) * plan).sum()


@st.composite
def problems(draw, largest=5):
    n = draw(st.integers(1, largest))
    whole = st.lists(st.integers(1, 30), min_size=n, max_size=n)
    columns = [draw(whole) for _ in range(5)]
    capacity = draw(st.integers(0, sum(columns[2]) + 20))
    budget = draw(st.sampled_from([0, 0.5, 1, 1.2, 2, 4.5, 9]))
    return robust.Knapsack(*columns, capacity=capacity, budget=budget)


@pytest.mark.parametrize(("budget", "profit"), [(0, 116), (1, 96), (2, 83), (3, 83), (6, 83)])
def test_six_items_at_every_budget(budget, profit):
    found = robust.solve(robust.read_instance(SIX.format(budget)))
    assert found.profit == pytest.approx(profit, rel=1e-9)
    assert found.optimal
    assert robust.verify(found.certificate).none_above == pytest.approx(profit, rel=1e-7)


def test_six_items_plans_and_bound():
    problem = robust.read_instance(SIX.format(2))
    assert robust.solve(problem).plan.tolist() == [1, 0, 1, 0, 1, 0]
    assert robust.bound(problem).value == pytest.approx(91.91304347826087, rel=1e-9)
    assert robust.worst_case(problem, "111111").profit == pytest.approx(70.82608695652172, rel=1e-9)
    assert robust.worst_case(problem, "010100").profit == pytest.approx(67, rel=1e-9)


def test_ten_items_of_a_published_instance():
    problem = robust.read_instance(TEN)
    found = robust.solve(problem)
    assert found.profit == pytest.approx(2210.1471661886553, rel=1e-9)
    assert found.plan.tolist() == [1, 0, 1, 0, 1, 1, 1, 1, 1, 1]
    assert robust.bound(problem).value == pytest.approx(2398.5498229021728, rel=1e-9)


def test_an_item_cheaper_elsewhere_is_taken_in_any_case():
    problem = robust.Knapsack([10], [6], [20], [5], [8], capacity=10, budget=1)
    found = robust.solve(problem)
    assert (found.profit, found.plan.tolist()) == (2, [1])
    assert robust.bound(problem).value == pytest.approx(2, rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(problems(), st.data())
def test_the_worst_case_is_that_of_all_recourses(problem, data):
    plan = np.array(data.draw(st.lists(st.integers(0, 1), min_size=problem.items, max_size=problem.items)))
    found = robust.worst_case(problem, plan)
    scale = float(problem.profit.sum() + problem.outsourcing.sum())
    assert float(found.at_least) == pytest.approx(brute(problem, plan), abs=1e-8 * scale)
    assert 0 <= found.at_most - found.at_least <= Fraction(1e-8 * scale)
    assert sum(found.numerators) <= problem.exact_budget * found.denominator
    assert all(0 <= part <= found.denominator for part in found.numerators)


@settings(max_examples=8, deadline=None)
@given(problems(4))
def test_the_best_plan_is_the_best_of_all(problem):
    best = max(brute(problem, np.array(plan)) for plan in itertools.product((0, 1), repeat=problem.items))
    found = robust.solve(problem)
    assert found.profit == pytest.approx(best, abs=1e-6)
    assert found.optimal
    assert robust.bound(problem).value >= best - 1e-6
    assert robust.check(found.certificate)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.sampled_from([3, 20, 500]), st.integers(0, 10**6))
def test_the_knapsack_of_three_choices_is_that_of_the_full_table(n, largest, seed):
    draw = np.random.default_rng(seed)
    light, more = draw.integers(1, largest + 1, n), draw.integers(0, largest + 1, n)
    weights = np.stack([light, light + more], axis=1)
    gains = np.round(draw.normal(size=(n, 2)) * 30 + weights * draw.choice([0, 1, 3]), draw.choice([-1, 3]))
    base, capacity = draw.normal(size=n), int(draw.integers(0, weights.sum() + 5))
    value, choices = best_choices(base, gains, weights, capacity)
    table = np.zeros(capacity + 1)
    for (w1, w2), (g1, g2) in zip(weights, gains, strict=True):
        before = table.copy()
        for w, g in ((w1, g1), (w2, g2)):
            if w <= capacity:
                table[w:] = np.maximum(table[w:], before[: capacity + 1 - w] + g)
    assert value == pytest.approx(base.sum() + table[capacity], abs=1e-9 * (1 + np.abs(gains).sum()))
    used = choices > 0
    assert weights[used, choices[used] - 1].sum() <= capacity


@pytest.mark.parametrize("kind", robust.CLASSES)
def test_methods_agree_with_their_bounds(kind):
    problem = robust.knapsack(kind, 9, share=0.2, seed=2)
    found = {
        name: robust.solve(problem, name, time_limit=20)
        for name in ("greedy", "price-and-evaluate", "price-and-branch")
    }
    exact = found["price-and-branch"]
    assert exact.optimal
    for answer in found.values():
        assert answer.profit <= exact.profit * (1 + 1e-9) <= answer.bound * (1 + 2e-9)
        assert robust.worst_case(problem, answer.plan).profit == pytest.approx(answer.profit, rel=1e-8)
        assert robust.check(answer.certificate)


def test_column_and_constraint_generation_finds_the_same():
    found = robust.solve(robust.read_instance(SIX.format(1)), "ccg")
    assert found.profit == pytest.approx(96, rel=1e-9)
    assert found.estimate == pytest.approx(96, rel=1e-5)


def test_the_profit_falls_with_the_budget_and_order_is_nothing():
    problem = robust.knapsack("WC", 8, seed=5)
    columns = [problem.profit, problem.loss, problem.weight, problem.repair, problem.outsourcing]
    values = [
        robust.solve(robust.Knapsack(*columns, capacity=problem.capacity, budget=budget)).profit
        for budget in (0, 0.5, 1, 3, 8)
    ]
    assert values == sorted(values, reverse=True)
    turned = robust.Knapsack(*[column[::-1] for column in columns], capacity=problem.capacity, budget=1)
    assert robust.solve(turned).profit == pytest.approx(values[2], rel=1e-8)


def test_without_a_budget_it_is_one_knapsack():
    problem = robust.knapsack("UN", 8, share=0.0, seed=6)
    best = max(
        sum(problem.profit[list(chosen)])
        for size in range(9)
        for chosen in itertools.combinations(range(8), size)
        if sum(problem.weight[list(chosen)]) <= problem.capacity
    )
    assert robust.solve(problem).profit == pytest.approx(best, rel=1e-9)


def test_out_of_time_both_bounds_come_back():
    found = robust.solve(robust.knapsack("ASC", 30, seed=1), time_limit=0.001)
    assert not found.finished
    assert found.profit <= found.bound < np.inf
    assert robust.check(found.certificate)


def test_cancelled_means_stopped():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        robust.solve(robust.knapsack("UN", 10, seed=1), progress=progress)


def test_every_recourse_bounds_every_scenario():
    problem = robust.knapsack("SC", 7, seed=3)
    plan, draw = problem.plan("1111011"), np.random.default_rng(0)
    worst = robust.worst_case(problem, plan)
    for _ in range(20):
        scenario = draw.dirichlet(np.ones(7)) * problem.budget
        assert value_at(problem, plan, np.minimum(scenario, 1))[0] >= worst.profit - 1e-6


def test_a_recourse_is_added_once():
    cuts = Cuts(robust.knapsack("UN", 3, seed=0))
    assert cuts.add(np.array([1, 0, 0], np.int8), 1.0)
    assert not cuts.add(np.array([1, 0, 0], np.int8), 1.0)


def test_same_seed_same_instance_and_files_return():
    problem = robust.knapsack("ASC", 12, share=0.15, seed=9)
    for again in (
        robust.knapsack("ASC", 12, share=0.15, seed=9),
        robust.read_instance(problem.to_instance()),
        robust.read_csv(problem.to_csv(), capacity=problem.capacity, budget=problem.budget),
    ):
        assert again.to_instance() == problem.to_instance()
    assert robust.knapsack("ASC", 12, seed=10).to_csv() != problem.to_csv()


HEAD = "profit,loss,weight,repair,outsourcing\n"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: robust.knapsack("XX", 5), "unknown kind"),
        (lambda: robust.knapsack("UN", 0), "n must be at least 1"),
        (lambda: robust.knapsack("UN", 5, deviation=2), "deviation must be at most 1"),
        (lambda: robust.Knapsack([1.5], [1], [1], [1], [1], capacity=1, budget=1), "cents"),
        (
            lambda: robust.Knapsack([1], [-1], [1], [1], [1], capacity=1, budget=1),
            "loss must hold whole numbers from 0",
        ),
        (
            lambda: robust.Knapsack([1], [1], [0], [1], [1], capacity=1, budget=1),
            "weight must hold whole numbers from 1",
        ),
        (lambda: robust.Knapsack([1], [1, 2], [1], [1], [1], capacity=1, budget=1), "one of each per item"),
        (lambda: robust.Knapsack([1], [1], [1], [1], [1], capacity=1, budget=-1), "budget must be at least 0"),
        (lambda: robust.Knapsack([1], [1], [1], [1], [1], capacity=1, budget=2**0.5), "six decimals"),
        (lambda: robust.Knapsack([1], [1], [1], [1], [1], capacity=2.5, budget=1), "capacity must be a whole number"),
        (lambda: robust.Knapsack([1] * 401, *[[1] * 401] * 4, capacity=1, budget=1), "at most 400 items"),
        (lambda: robust.read_instance("3 10\n"), "first line"),
        (lambda: robust.read_instance("2 10 1\n1 1 1 1 1"), "1 rows follow"),
        (lambda: robust.read_instance("1 10 1\n1 1 1 1"), "five numbers"),
        (lambda: robust.read_instance("1 10 1\n1 1 nan 1 1"), "not a finite number"),
        (lambda: robust.read_instance(""), "empty"),
        (lambda: robust.read_csv(HEAD, capacity=1, budget=1), "no items"),
        (lambda: robust.read_csv("profit,loss\n1,1", capacity=1, budget=1), "missing: weight, repair"),
        (lambda: robust.read_csv(HEAD + "1,2,3,4", capacity=1, budget=1), "row 2 has 4 entries"),
        (lambda: robust.read_csv(HEAD + "1,2,3,4,x", capacity=1, budget=1), "column outsourcing"),
        (lambda: robust.worst_case(robust.knapsack("UN", 3), "10"), "3 entries"),
        (lambda: robust.worst_case(robust.knapsack("UN", 3), "1x0"), "only 0 and 1"),
        (lambda: robust.worst_case(robust.knapsack("UN", 3), [0.5, 1, 0]), "each 0 or 1"),
        (lambda: robust.solve(robust.knapsack("UN", 3), "magic"), "unknown method"),
        (lambda: robust.solve(robust.knapsack("UN", 3), time_limit=0), "time_limit must be greater"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(make, told):
    with pytest.raises(ValueError, match=told):
        make()


def test_the_experiment_tells_both_plans_and_its_certificate():
    ds = robust.robust_plan([1, 3], kind="WC", n=7, seed=2)
    problem = robust.knapsack("WC", 7, h=40, share=0.15, seed=2)
    assert float(ds.own_profit) == pytest.approx(robust.worst_case(problem, "1010000").profit)
    assert float(ds.best_profit) == pytest.approx(robust.solve(problem).profit)
    assert float(ds.own_profit) <= float(ds.best_profit) <= float(ds.bound)
    assert bool(ds.checked)
    assert robust.check(ds.attrs["certificate"])
    assert np.all(np.diff(ds.upper.dropna("step")) <= 1e-9)
    assert np.all(np.diff(ds.lower.dropna("step")) >= -1e-9)


def test_the_experiment_publishes_the_plan_first_and_reads_tables():
    class Kept(Progress):
        def publish(self, result):
            self.kept = result

    problem, progress = robust.knapsack("UN", 5, share=0.2, seed=1), Kept()
    read = robust.robust_plan([2], problem.to_instance(), progress=progress)
    assert float(progress.kept.own_profit) == float(read.own_profit)
    assert np.isnan(float(progress.kept.best_profit))
    again = robust.robust_plan([2], problem.to_csv(), h=80, share=0.2)
    assert float(again.best_profit) == float(read.best_profit)
    with pytest.raises(ValueError, match="has item 9 and there are 5"):
        robust.robust_plan([9], problem.to_instance())
