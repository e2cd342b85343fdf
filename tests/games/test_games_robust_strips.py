"""Bounds by prices of nature's budget: above every plan, sharp, and written down so that the checker proves them."""

import copy
import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from workbench.games import robust
from workbench.games.plan_verifier import Refused, digest, document, grammar, proofs
from workbench.games.plan_verifier.model import Leaf
from workbench.games.robust.evaluate import exact
from workbench.games.robust.relaxation import FREE, IN, OUT, Relaxation
from workbench.games.robust.search import Search
from workbench.games.robust.strips import Strips, strip_bound
from workbench.progress import Progress

KINDS = tuple(robust.CLASSES)


def explored(problem, seconds=30.0):
    search = Search(problem, seconds, Progress())
    search.evaluate(search.rounded(search.bound_root(), search.tree.state))
    search.strips = Strips(search)
    search.strips.explore()
    return search


def best_of_all(problem):
    plans = itertools.product((0, 1), repeat=problem.items)
    return max(robust.worst_case(problem, np.array(plan)).profit for plan in plans)


@pytest.mark.parametrize("kind", KINDS)
def test_it_closes_small_problems_at_the_best_of_all_plans(kind):
    for seed in range(2):
        problem = robust.knapsack(kind, 7, h=(40, 80)[seed], share=0.3, seed=seed)
        search = explored(problem)
        assert search.closed
        assert search.profit == pytest.approx(best_of_all(problem), rel=1e-9)


def relaxed_by_linprog(problem, plan, pi):
    """What mixtures of fractional recourses earn with the price π: a linear programme in e, r and what exceeds π."""
    n = problem.items
    prices, loss = problem.outsourcing.astype(float), problem.loss.astype(float)
    cost = np.r_[-prices, -prices, np.ones(n)]
    one, none = np.eye(n), np.zeros((n, n))
    rows = np.vstack(
        [
            np.hstack([one, one, none]),
            np.hstack([np.diag(loss), none, -one]),
            np.r_[problem.weight, problem.weight + problem.repair, np.zeros(n)][None],
        ]
    )
    side = np.r_[plan, np.full(n, pi), problem.capacity]
    found = linprog(cost, A_ub=rows, b_ub=side, bounds=[(0, None)] * (3 * n))
    return float(((problem.profit - problem.outsourcing) * plan).sum()) - problem.budget * pi - found.fun


@pytest.mark.parametrize("seed", range(4))
def test_a_single_price_is_the_linear_programme_of_a_plan(seed):
    problem, draw = robust.knapsack(KINDS[seed], 8, h=40, share=0.25, seed=seed), np.random.default_rng(seed)
    own = Relaxation(problem)
    for _ in range(5):
        plan = draw.integers(0, 2, 8).astype(np.int8)
        pi = float(draw.uniform(0, problem.loss.max()))
        value, price = strip_bound(pi, pi, plan, own.data, own.capacity, own.budget)
        assert value == pytest.approx(relaxed_by_linprog(problem, plan, pi), rel=1e-7, abs=1e-6)
        assert own.at_prices(plan, price, pi) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_strip_bounds_every_price_inside(kind):
    problem, draw = robust.knapsack(kind, 9, h=80, share=0.2, seed=5), np.random.default_rng(1)
    own, ends = Relaxation(problem), np.unique(np.r_[0.0, problem.loss])
    for low, high in itertools.pairwise(ends):
        state = draw.integers(-1, 2, 9).astype(np.int8)
        bound, _ = strip_bound(low, high, state, own.data, own.capacity, own.budget)
        for pi in draw.uniform(low, high, 4):
            assert strip_bound(pi, pi, state, own.data, own.capacity, own.budget)[0] <= bound * (1 + 1e-9) + 1e-9


def test_it_closes_correlated_problems_that_branch_and_price_leaves_open():
    found = robust.solve(robust.knapsack("SC", 60, h=80, deviation=1.0, share=0.2, seed=1), time_limit=60)
    assert found.optimal
    assert json.loads(found.certificate)["version"] == 2
    report = robust.verify(found.certificate)
    assert report.none_above == pytest.approx(found.profit, rel=1e-6)


@pytest.fixture(scope="module")
def small():
    problem = robust.knapsack("SC", 7, h=40, share=0.3, seed=3)
    search = explored(problem)
    worst = robust.worst_case(problem, search.best)
    from workbench.games.robust.tree import write

    certificate, bound = write(problem, worst, search.tree, search.strips.walk())
    values = {
        "".join(map(str, plan)): robust.worst_case(problem, np.array(plan)).profit
        for plan in itertools.product((0, 1), repeat=7)
    }
    return json.loads(certificate), bound, values


def signed(changed):
    return json.dumps({**changed, "digest": digest(changed)})


def test_the_certificate_proves_the_optimum(small):
    honest, bound, values = small
    assert honest["version"] == 2
    report = robust.verify(signed(honest))
    assert report.none_above == pytest.approx(max(values.values()), rel=1e-7)
    assert report.none_above == pytest.approx(bound)
    assert report.at_least == pytest.approx(max(values.values()), rel=1e-7)


def test_the_integers_of_the_checker_are_the_kernels_numbers(small):
    honest, _, _ = small
    found = grammar.parse(document.read(signed(honest)))
    problem = robust.knapsack("SC", 7, h=40, share=0.3, seed=3)
    assert exact(problem) == found.problem
    own, priced = Relaxation(problem), [leaf for leaf in found.leaves if leaf.scenario < 0]
    assert len(priced) > 10
    for leaf in priced:
        ends = [
            own.at_prices(np.array(leaf.state, np.int8), leaf.price / found.grain, end / found.grain)
            for end in (leaf.low, leaf.high)
        ]
        assert float(proofs.strip_bound(found.problem, leaf, found.grain)) == pytest.approx(max(ends), rel=1e-9)


def test_a_strip_with_a_loss_inside_proves_nothing():
    problem = exact(robust.Knapsack([40, 20], [20, 9], [8, 5], [20, 4], [48, 25], capacity=13, budget=1))
    with pytest.raises(Refused, match="loss inside"):
        proofs.strip_bound(problem, Leaf((FREE, FREE), -1, 0, 20, 1), 1)
    both = [proofs.strip_bound(problem, Leaf((IN, OUT), -1, *strip, 1), 1) for strip in ((0, 9), (9, 20))]
    assert (
        max(both)
        >= robust.worst_case(
            robust.Knapsack([40, 20], [20, 9], [8, 5], [20, 4], [48, 25], capacity=13, budget=1), "10"
        ).profit
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d["ends"].pop(), "below the largest loss|whole number|not inside"),
        (lambda d: d["ends"].reverse(), "do not rise"),
        (lambda d: d.update(grain=0), "grain"),
        (lambda d: d.update(version=1), "unknown 'ends'"),
        (lambda d: d.pop("prices"), "missing prices"),
        (lambda d: d["prices"].__setitem__(0, -1), "prices"),
        (lambda d: d["tree"].__setitem__(0, 10**6), "whole number"),
        (lambda d: d["tree"].__setitem__(1, d["tree"][0]), "not inside|twice|branches|goes on"),
        (lambda d: d.update(none_above=[d["none_above"][0] - d["none_above"][1] // 100, d["none_above"][1]]), "leaf"),
    ],
)
def test_what_is_wrong_with_strips_is_refused_by_name(small, change, told):
    changed = copy.deepcopy(small[0])
    change(changed)
    with pytest.raises(Refused, match=told):
        robust.verify(signed(changed))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_forged_strips_prove_what_is_false(small, data):
    honest, _, values = small
    changed = copy.deepcopy(honest)
    best = max(values.values())
    changed["none_above"] = [int(best * 8) - data.draw(st.integers(-40, 400)), 8]
    for _ in range(data.draw(st.integers(0, 3))):
        what = data.draw(st.sampled_from(["tree", "price", "ends", "grain", "short"]))
        if what == "tree":
            at = data.draw(st.integers(0, len(changed["tree"]) - 1))
            low = -len(changed["scenarios"]) - len(changed["prices"])
            changed["tree"][at] = data.draw(st.integers(low, 6 + len(changed["ends"])))
        elif what == "price" and changed["prices"]:
            at = data.draw(st.integers(0, len(changed["prices"]) - 1))
            changed["prices"][at] = data.draw(st.integers(0, 4 * changed["grain"]))
        elif what == "ends":
            at = data.draw(st.integers(0, len(changed["ends"]) - 1))
            changed["ends"][at] = data.draw(st.integers(1, 2 * changed["ends"][-1]))
        elif what == "grain":
            changed["grain"] = data.draw(st.sampled_from([1, 2**10, 2**39, 2**40]))
        else:
            changed["tree"] = [-1 - len(changed["scenarios"]) - data.draw(st.integers(0, len(changed["prices"]) - 1))]
    try:
        report = robust.verify(signed(changed))
    except Refused:
        return
    assert report.none_above >= best * (1 - 1e-9)
