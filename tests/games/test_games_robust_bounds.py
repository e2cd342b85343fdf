"""What the bounds rest on: the linear programme, the relaxation, the explored tree, weak duality."""

import itertools
import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from workbench.games import robust
from workbench.games.plan_verifier import proofs
from workbench.games.robust import branch, evaluate
from workbench.games.robust.bounding import FREE, OUT, tighten, value_at
from workbench.games.robust.cuts import Cuts
from workbench.games.robust.recourse import best_choices, several_choices
from workbench.games.robust.relaxation import Relaxation
from workbench.games.robust.search import Search
from workbench.progress import Progress


def by_linprog(cuts):
    """The value of the programme by SciPy."""
    n, m = cuts.problem.items, cuts.count
    hits = np.where(cuts.recourses[:m] == 1, cuts.problem.loss, 0)
    rows = np.vstack([np.column_stack([-hits, -np.ones(m)]), np.r_[np.ones(n), 0.0]])
    level = np.array([cuts.level_of(cuts._state, row) for row in cuts.recourses[:m]])
    out = (cuts.recourses[:m][:, cuts._state == OUT] > 0).any(axis=1)
    keep = np.r_[~out, True]
    side = np.r_[-level, cuts.problem.budget]
    found = linprog(np.r_[np.zeros(n), 1.0], A_ub=rows[keep], b_ub=side[keep], bounds=[(0, 1)] * n + [(None, None)])
    return found.fun


@pytest.mark.parametrize("seed", range(4))
def test_the_programme_is_solved_whatever_is_added_and_moved(seed):
    draw = np.random.default_rng(seed)
    problem = robust.knapsack("WC", 9, share=0.25, seed=seed)
    cuts = Cuts(problem)
    state = np.full(9, FREE, np.int8)
    cuts.at(state)
    for _ in range(25):
        row = draw.integers(0, 3, 9).astype(np.int8)
        cuts.add(row, cuts.level_of(state, row))
        assert cuts.solve() == pytest.approx(by_linprog(cuts), rel=1e-9)
    weights = cuts.mixture()
    assert weights.sum() == pytest.approx(1)
    for _ in range(12):
        cuts.at(draw.integers(-1, 2, 9).astype(np.int8))
        assert cuts.solve() == pytest.approx(by_linprog(cuts), rel=1e-9, abs=1e-6)
    cuts.restart()
    assert cuts.solve() == pytest.approx(by_linprog(cuts), rel=1e-9, abs=1e-6)


def relaxed_by_linprog(problem, state):
    """The relaxation of a node as one linear programme in y, r, π and ρ."""
    n = problem.items
    short = np.asarray(problem.profit - problem.outsourcing, float)
    base = np.where(state == 1, short, np.where(state == OUT, 0.0, np.maximum(short, 0.0)))
    gain = problem.profit - base
    one, none = np.eye(n), np.zeros((n, n))
    rows = np.vstack(
        [
            np.r_[problem.weight, problem.repair, np.zeros(n + 1)][None],
            np.hstack([-one, one, np.zeros((n, n + 1))]),
            np.hstack([np.diag(problem.loss), -np.diag(problem.loss), -np.ones((n, 1)), -one]),
            np.hstack([one, none, np.zeros((n, n + 1))]),
        ]
    )
    sides = np.r_[problem.capacity, np.zeros(2 * n), (state != OUT).astype(float)]
    found = linprog(np.r_[-gain, np.zeros(n), problem.budget, np.ones(n)], A_ub=rows, b_ub=sides)
    return base.sum() - found.fun


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["UN", "WC", "ASC", "SC"]), st.integers(1, 12), st.integers(0, 10**6))
def test_the_relaxation_is_that_linear_programme(kind, n, seed):
    draw = np.random.default_rng(seed)
    problem = robust.knapsack(
        kind, n, h=int(draw.integers(5, 95)), share=float(draw.choice([0.1, 0.25, 0.5])), seed=seed
    )
    state = draw.integers(-1, 2, n).astype(np.int8)
    own = Relaxation(problem)
    value, scenario = own.bound(state)
    assert value == pytest.approx(relaxed_by_linprog(problem, state), rel=1e-9, abs=1e-6)
    assert scenario.min() >= 0
    assert scenario.max() <= 1
    assert scenario.sum() <= problem.budget + 1e-12
    assert own.at(state, scenario) == pytest.approx(value, rel=1e-9, abs=1e-6)
    exact, _ = value_at(problem, state, scenario)
    assert exact <= value + 1e-9 * abs(value)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 8), st.integers(0, 10**6))
def test_weak_duality_is_no_less_than_the_dynamic_programme(n, seed):
    draw = np.random.default_rng(seed)
    problem = robust.knapsack(str(draw.choice(["UN", "SC"])), n, share=0.3, seed=seed)
    state = tuple(draw.integers(-1, 2, n).tolist())
    d = int(draw.choice([1, 7, 1000, 2**40]))
    scenario = tuple(draw.integers(0, d + 1, n).tolist())
    whole = evaluate.exact(problem)
    exact = proofs.leaf_value(whole, state, scenario, d)
    assert proofs.leaf_bound(whole, state, scenario, d) >= exact
    assert float(exact) == pytest.approx(
        value_at(problem, np.array(state), np.array(scenario) / d)[0], rel=1e-9, abs=1e-6
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(0, 10**6))
def test_several_recourses_are_all_allowed_and_the_first_is_best(n, seed):
    draw = np.random.default_rng(seed)
    weights = np.cumsum(draw.integers(1, 40, (n, 2)), axis=1)
    gains, base = np.round(draw.normal(size=(n, 2)) * 30, 1), draw.normal(size=n)
    capacity = int(draw.integers(0, weights.sum()))
    value, rows, found = several_choices(base, gains, weights, capacity, 5, 0.0)
    assert value == pytest.approx(best_choices(base, gains, weights, capacity)[0])
    kept = rows[:found]
    assert len({row.tobytes() for row in kept}) == found
    padded, heavy = np.column_stack([np.zeros(n), gains]), np.column_stack([np.zeros(n, int), weights])
    worth = [base.sum() + padded[np.arange(n), row].sum() for row in kept]
    assert all(heavy[np.arange(n), row].sum() <= capacity for row in kept)
    assert worth[0] == pytest.approx(value)
    assert max(worth) <= value + 1e-9


def test_the_mixture_in_64_bits_is_the_verifiers():
    problem = robust.knapsack("ASC", 12, share=0.15, seed=4)
    found = robust.worst_case(problem, "111111011111")
    whole = evaluate.exact(problem)
    rows = tuple(map(tuple, found.recourses.tolist()))
    assert proofs.mixture_value(whole, tuple(found.plan.tolist()), found.weights, rows) == found.at_least
    large = robust.Knapsack(
        *[600_001 * getattr(problem, name) for name in ("profit", "loss")],
        problem.weight, problem.repair, 600_001 * problem.outsourcing,
        capacity=problem.capacity, budget=problem.budget,
    )  # fmt: skip
    again = robust.worst_case(large, "111111011111")
    assert float(again.at_least) == pytest.approx(600_001 * float(found.at_least), rel=1e-8)
    assert 0 <= again.at_most - again.at_least <= Fraction(1e-6) * again.at_most


@pytest.fixture(scope="module")
def explored():
    """A search over forty items after its exploration."""
    problem = robust.knapsack("WC", 40, h=40, share=0.15, seed=3)
    search = Search(problem, 60.0, Progress())
    found = search.bound_root()
    search.evaluate(search.rounded(found, search.tree.state))
    first = search.upper
    branch.explore(search, most_leaves=300)
    return search, first


def test_an_explored_tree_covers_all_plans_and_lowers_the_bound(explored):
    search, first = explored
    leaves = search.tree.leaves()
    assert 100 < len(leaves) <= 300
    assert search.upper < first
    assert search.upper >= search.profit
    draw = np.random.default_rng(0)
    for plan in draw.integers(0, 2, (50, 40)):
        fits = [leaf for leaf in leaves if ((leaf.state == FREE) | (leaf.state == plan)).all()]
        assert len(fits) == 1
    for leaf in leaves[::17]:
        exact, _ = value_at(search.problem, leaf.state, leaf.scenario)
        assert exact <= leaf.bound * (1 + 1e-9)


def test_its_certificate_is_proved(explored):
    search, _ = explored
    problem = search.problem
    worst = evaluate.certified(problem, search.best, tighten(Cuts(problem), search.best))
    from workbench.games.robust.tree import write

    certificate, bound = write(problem, worst, search.tree)
    report = robust.verify(certificate)
    assert report.none_above == pytest.approx(bound)
    assert bound <= search.tree.bounded() * (1 + 1e-9)
    assert report.leaves == len(search.tree.leaves())
    changed = json.loads(certificate)
    changed["none_above"][0] -= int(1e-3 * changed["none_above"][0])
    changed["digest"] = robust_digest(changed)
    assert not robust.check(json.dumps(changed))


def robust_digest(document):
    from workbench.games.plan_verifier import digest

    return digest(document)


def test_price_and_evaluate_is_never_behind_greedy():
    for kind, seed in itertools.product(("WC", "SC"), range(2)):
        problem = robust.knapsack(kind, 16, h=40, share=0.15, seed=seed)
        greedy = robust.solve(problem, "greedy")
        assert robust.solve(problem, "price-and-evaluate", time_limit=5.0).profit >= greedy.profit * (1 - 1e-9)


def test_a_climb_ends_where_no_step_helps():
    problem = robust.knapsack("SC", 14, h=40, share=0.15, seed=5)
    own = Relaxation(problem)
    value, plan = own.climb(np.zeros(14, np.int8))
    assert own.bound(plan)[0] == pytest.approx(value)
    for i in range(14):
        turned = plan.copy()
        turned[i] = 1 - turned[i]
        assert own.bound(turned)[0] <= value * (1 + 1e-8)


def test_a_plan_that_is_mostly_repaired_is_evaluated_in_a_few_rounds():
    """The programme has many optima here: only scenarios that spend the whole budget tell them apart."""
    problem = robust.knapsack("WC", 40, h=80, deviation=0.5, share=1.0, seed=65)
    plan = np.ones(40, np.int8)
    found = tighten(Cuts(problem), plan)
    assert found.upper - found.lower <= 1e-9 * abs(found.upper)
    assert found.asked < 200
