"""The paper's network: embedded exactly, trained here, judged like all methods; and HiGHS, which keeps silent."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from workbench.games import robust
from workbench.games.robust.neural.embedding import ARGMAX, MAX, best_plan, breakpoints, worst_scenario
from workbench.games.robust.neural.network import SIDES, Network, features, perceptron, shipped
from workbench.games.robust.neural.training import draw_samples, earned, train_network


def wild(seed):
    """A network whose rectifiers switch everywhere: harder to embed than a trained one."""
    draw = np.random.default_rng(seed)
    parts = {
        name: (
            draw.normal(size=(hidden, into)),
            draw.normal(size=hidden),
            draw.normal(size=(out, hidden)) / 4,
            draw.normal(size=out),
        )
        for name, (into, hidden, out) in SIDES.items()
    }
    return Network(parts, np.zeros(7), np.ones(7), (1, 80), 0.0)


@pytest.fixture(scope="module", params=range(3))
def case(request):
    draw = np.random.default_rng(request.param)
    problem = robust.knapsack("WC", 6, share=0.3, seed=request.param)
    scenarios = [np.minimum(draw.dirichlet(np.ones(6)) * problem.budget, 1.0) for _ in range(3)]
    return wild(request.param), problem, scenarios


def first_stage(problem, plan):
    return float(((problem.profit - problem.outsourcing) * plan).sum())


def all_plans(problem):
    pays = problem.profit >= problem.outsourcing
    return [p for p in map(np.array, itertools.product((0, 1), repeat=problem.items)) if (p >= pays).all()]


def test_the_learned_value_is_embedded_exactly(case):
    network, problem, scenarios = case

    def worth(plan):
        return first_stage(problem, plan) + min(network.value(problem, plan, scenario) for scenario in scenarios)

    found = best_plan(network, problem, scenarios, MAX, 30.0)
    assert worth(found) == pytest.approx(max(map(worth, all_plans(problem))), rel=1e-5)


def test_the_learned_choice_of_a_scenario_is_embedded_exactly(case):
    network, problem, scenarios = case

    def worth(plan):
        worst = np.argmin([network.value(problem, plan, scenario) for scenario in scenarios])
        return first_stage(problem, plan) + earned(problem, plan, scenarios[worst])

    found = best_plan(network, problem, scenarios, ARGMAX, 30.0)
    assert worth(found) == pytest.approx(max(map(worth, all_plans(problem))), rel=1e-5)


def test_the_adversary_finds_no_more_than_any_scenario(case):
    network, problem, _ = case
    plan, draw = np.array([1, 1, 0, 1, 1, 0]), np.random.default_rng(0)
    worst = worst_scenario(network, problem, plan, 30.0)
    assert worst.sum() <= problem.budget + 1e-9
    assert ((worst >= 0) & (worst <= 1)).all()
    assert not worst[plan == 0].any()
    least = network.value(problem, plan, worst)
    for _ in range(300):
        other = np.minimum(draw.dirichlet(np.full(6, 0.4)) * problem.budget, 1.0) * plan
        assert least <= network.value(problem, plan, other) + 1e-6 * abs(least)


def test_between_breakpoints_the_items_network_is_linear():
    part, known = wild(1).parts["scenario_item"], features(robust.knapsack("SC", 4, seed=1))[0]
    ends = breakpoints(part[0], part[1], known)
    assert ends[0] == 0
    assert ends[-1] == 1
    for low, high in itertools.pairwise(ends):
        values = [perceptron(part, np.r_[xi, known]) for xi in (low, 0.5 * (low + high), high)]
        np.testing.assert_allclose(values[1], 0.5 * (values[0] + values[2]), rtol=1e-9, atol=1e-9)


def test_the_network_does_not_mind_the_order_of_items():
    problem, order = robust.knapsack("UN", 9, seed=2), np.random.default_rng(0).permutation(9)
    columns = ("profit", "loss", "weight", "repair", "outsourcing")
    other = robust.Knapsack(
        *(getattr(problem, name)[order] for name in columns), capacity=problem.capacity, budget=problem.budget
    )
    plan, scenario = np.arange(9) % 2, np.linspace(0, 0.2, 9)
    ours = shipped().value(problem, plan, scenario)
    assert ours == pytest.approx(shipped().value(other, plan[order], scenario[order]), rel=1e-12)


def test_the_shipped_network_predicts_what_recourses_earn():
    samples = draw_samples(6, seed=99)  # of another seed than those that it was trained on
    draw, away = np.random.default_rng(0), []
    for seed in range(12):
        problem = robust.knapsack(tuple(robust.CLASSES)[seed % 4], 40, h=40, share=0.15, seed=1000 + seed)
        plan = (draw.random(40) < 0.7).astype(int)
        scenario = np.zeros(40)
        scenario[draw.permutation(40)[:6]] = 1.0
        unit = float(problem.outsourcing.sum())
        away.append((shipped().value(problem, plan, scenario) - earned(problem, plan, scenario)) / unit)
    assert np.sqrt(np.mean(np.square(away))) < 0.5 * samples.values.std()
    assert np.sqrt(np.mean(np.square(away))) < 3 * shipped().error


@pytest.mark.parametrize("method", ["neural", "neural-max", "neural-branch"])
def test_its_plans_are_judged_by_the_same_certificate(method):
    problem = robust.knapsack("SC", 8, share=0.25, seed=1)
    found = robust.solve(problem, method, time_limit=20)
    report = robust.verify(found.certificate)
    assert report.plan == tuple(found.plan.tolist())
    assert found.profit == pytest.approx(robust.worst_case(problem, found.plan).profit)
    assert found.profit <= found.bound * (1 + 1e-9)
    assert found.optimal or method != "neural-branch"


def test_what_a_network_was_not_trained_for_is_said():
    assert shipped().remark(robust.knapsack("UN", 30, h=40, share=0.1, seed=1)) == ""
    assert "5 items (trained for 10 to 80)" in shipped().remark(robust.knapsack("UN", 5, h=40, share=0.2, seed=1))
    assert "budget" in robust.solve(robust.knapsack("UN", 12, share=0.9, seed=1), "neural-max", time_limit=3).remark


def test_training_is_the_same_for_the_same_seed_and_comes_back_from_its_file(tmp_path):
    samples = draw_samples(6, seed=1)
    assert np.array_equal(samples.values, draw_samples(6, seed=1).values)
    first, again = (train_network(samples, epochs=2, seed=3) for _ in range(2))
    assert all(
        np.array_equal(a, b) for name in SIDES for a, b in zip(first.parts[name], again.parts[name], strict=True)
    )
    first.save(tmp_path / "net.safetensors")
    back = robust.read_network(tmp_path / "net.safetensors")
    problem = robust.knapsack("WC", 12, seed=0)
    plan, scenario = np.ones(12), np.zeros(12)
    assert back.value(problem, plan, scenario) == pytest.approx(first.value(problem, plan, scenario), rel=1e-5)
    assert back.items == (10, 80)


def test_files_that_hold_no_network_are_refused(tmp_path):
    from safetensors.numpy import save_file

    (tmp_path / "text.safetensors").write_bytes(b"no tensors here")
    save_file({"a": np.zeros(3, np.float32)}, tmp_path / "other.safetensors", {"items": "[1, 2]", "error": "0.1"})
    with pytest.raises(ValueError, match="holds no network"):
        robust.read_network(tmp_path / "text.safetensors")
    with pytest.raises(ValueError, match="other names or shapes"):
        robust.read_network(tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="at least two instances"):
        train_network(draw_samples(1))


def test_the_solver_writes_nothing_not_even_its_greeting():
    program = (
        "from workbench.games.robust.solver import Silent\nhighs = Silent()\nhighs.addVar(0.0, 1.0)\nhighs.run()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == ""
