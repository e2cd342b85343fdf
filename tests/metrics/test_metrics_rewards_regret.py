"""The worst-case regret against its oracle, a linear program, enumeration, the polygon and its own bounds."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog

from workbench import metrics
from workbench.metrics.rewards.planning import best_policy, extremes, policy_values
from workbench.metrics.rewards.polygon import shadow_of
from workbench.metrics.rewards.regret import regret_of
from workbench.metrics.rewards.reward import as_reward
from workbench.metrics.rewards.worlds import random_mdp, random_reward
from workbench.metrics.rewards.yardsticks import val

ORACLE = metrics.MDP([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.1, 0.9]]], 0.9, [0.5, 0.5])
R1, R2 = np.array([[0.1, 0.3], [0.5, 0.9]]), np.array([[0.0, -2.0], [1.0, 0.8]])


def by_lp(mdp, r1, r2):
    """The regret as one linear program over two occupancies, by HiGHS."""
    rows = mdp.states * mdp.actions
    flow = (np.repeat(np.eye(mdp.states), mdp.actions, axis=0) - mdp.discount * mdp.dense().reshape(rows, mdp.states)).T
    zero = np.zeros_like(flow)
    equal = np.block([[flow, zero], [zero, flow]])
    found = linprog(
        -np.concatenate([r1.ravel(), -r1.ravel()]),
        A_ub=np.concatenate([r2.ravel(), -r2.ravel()])[None],
        b_ub=[0.0],
        A_eq=equal,
        b_eq=np.concatenate([mdp.start, mdp.start]),
        method="highs",
    )
    assert found.status == 0
    width = sum(-linprog(sign * r1.ravel(), A_eq=flow, b_eq=mdp.start, method="highs").fun for sign in (-1, 1))
    return -found.fun / width


def small(rng):
    mdp = random_mdp(int(rng.integers(2, 7)), int(rng.integers(2, 5)), float(rng.uniform(0, 0.95)), seed=rng)
    return mdp, *(as_reward("r", random_reward(mdp, rng), mdp).expected(mdp) for _ in range(2))


def test_the_oracle_to_every_digit():
    found, back = metrics.worst_case_regret(ORACLE, R1, R2), metrics.worst_case_regret(ORACLE, R2, R1)
    assert found.value == pytest.approx(0.82962629277174, abs=2e-14)
    assert found.factor == pytest.approx(0.70217917675545, abs=2e-14)
    assert back.value == pytest.approx(0.92140921409214, abs=2e-14)
    assert found.ends[0].range == pytest.approx(6.20192307692308, abs=2e-14)
    assert back.ends[0].range == pytest.approx(5.81102362204725, abs=2e-14)
    assert found.upper - found.lower < 1e-14
    for policy, column in zip(found.policies, range(2), strict=True):
        values = [ORACLE.start @ policy_values(ORACLE, r, policy) for r in (R1, R2)]
        np.testing.assert_allclose(found.returns[:, column], values, atol=1e-13)
    assert found.returns[1, 1] >= found.returns[1, 0] - 1e-12


def test_the_lake_and_its_numbers():
    mdp, goal = metrics.frozen_lake()
    costly = goal.plus(as_reward("cost", [[-0.04] * 4] * 16 + [[0.0] * 4], mdp))
    found = metrics.worst_case_regret(mdp, goal, costly)
    assert found.value == 1
    assert found.ends[0].best.value == pytest.approx(0.180471578397, abs=1e-12)
    np.testing.assert_allclose(found.returns[:, 1], [0, -0.41463585925978], atol=1e-12)
    assert found.ends[1].worst.returns(goal.expected(mdp)) == pytest.approx(0.0369, abs=5e-5)


@pytest.mark.parametrize("seed", range(12))
def test_linear_program_polygon_and_bounds_agree(seed):
    mdp, r1, r2 = small(np.random.default_rng(seed))
    found = regret_of(mdp, r1, r2)
    assert found.value == pytest.approx(by_lp(mdp, r1, r2), abs=1e-9)
    assert found.upper - found.lower <= 1e-11
    shadow = shadow_of(mdp, r1, r2)
    assert shadow.is_complete
    assert shadow.regret == pytest.approx(found.value, abs=1e-10)
    distance = metrics.reward_distance("range", mdp, r1, r2)
    assert distance <= found.value * (1 + 1e-10)
    assert found.value <= 2 * distance * (1 + 1e-10)


def test_best_policies_are_the_best_of_all(rng):
    for _ in range(10):
        mdp = random_mdp(3, 3, 0.9, seed=rng)
        r = rng.normal(size=(3, 3))
        every = [
            mdp.start @ policy_values(mdp, r, np.eye(3)[list(choice)])
            for choice in itertools.product(range(3), repeat=3)
        ]
        found = best_policy(mdp, r)
        assert found.value == pytest.approx(max(every), abs=1e-12)
        assert found.returns(r) == pytest.approx(found.value, abs=1e-12)
        assert extremes(mdp, r).range == pytest.approx(max(every) - min(every), abs=1e-12)
        assert found.visits.sum() == pytest.approx(10)


def test_all_policies_lie_in_the_polygon(rng):
    mdp = random_mdp(5, 3, 0.9, seed=rng)
    r1, r2 = rng.normal(size=(2, 5, 3))
    corners = shadow_of(mdp, r1, r2).vertices
    edges = np.roll(corners, -1, axis=0) - corners
    for _ in range(200):
        policy = rng.dirichlet(np.full(3, 0.3), size=5)
        point = [mdp.start @ policy_values(mdp, r, policy) for r in (r1, r2)]
        to = point - corners
        assert np.all(edges[:, 0] * to[:, 1] - edges[:, 1] * to[:, 0] >= -1e-10)


def test_both_constants_of_the_range_metric_are_attained():
    one = metrics.MDP([[[1.0], [1.0], [1.0]]], 0.0)
    r1, r2 = [[0.0, 1.0, 0.5]], [[0.0, 1.0, 0.0]]
    assert metrics.worst_case_regret(one, r1, r2).value == pytest.approx(0.5, abs=1e-15)
    assert metrics.reward_distance("range", one, r1, r2) == pytest.approx(0.25, abs=1e-15)
    opposite = -np.array(r1)
    assert metrics.worst_case_regret(one, r1, opposite).value == 1
    assert metrics.reward_distance("range", one, r1, opposite) == 1


def test_trivial_rewards_are_told():
    nothing = np.full((2, 2), 3.0)
    found = metrics.worst_case_regret(ORACLE, R1, nothing)
    assert (found.value, found.trivial) == (1, (False, True))
    found = metrics.worst_case_regret(ORACLE, nothing, R1)
    assert (found.value, found.trivial) == (0, (True, False))
    for r1, r2, which in ((R1, nothing, 2), (nothing, R1, 1)):
        with pytest.raises(ValueError, match=f"reward {which} is trivial"):
            metrics.worst_case_regret(ORACLE, r1, r2).certificate()
    shaped = as_reward("r", nothing * 1e6, ORACLE).shaped(ORACLE, [1e5, -3e5])
    assert metrics.worst_case_regret(ORACLE, shaped, R1).trivial[0]


def test_scales_do_not_matter(rng):
    mdp, r1, r2 = small(rng)
    plain = regret_of(mdp, r1, r2)
    for a, b in ((1e-30, 1e30), (1e40, 1e-40)):
        found = regret_of(mdp, r1 * a, r2 * b)
        assert found.value == pytest.approx(plain.value, rel=1e-10)
        assert found.factor * b / a == pytest.approx(plain.factor, rel=1e-9)


def test_the_advantage_identity(rng):
    mdp = random_mdp(6, 3, 0.9, seed=rng)
    reward = as_reward("r", random_reward(mdp, rng), mdp)
    uniform, other = np.full((6, 3), 1 / 3), rng.dirichlet(np.ones(3), size=6)
    advantage = val(mdp, reward).own
    r = reward.expected(mdp)
    gap = mdp.start @ (policy_values(mdp, r, other) - policy_values(mdp, r, uniform))
    moves = np.einsum("sa,sat->st", other, mdp.dense())
    visits = np.linalg.solve(np.eye(6) - mdp.discount * moves.T, mdp.start)
    assert visits @ np.sum(other * advantage, axis=1) == pytest.approx(gap, abs=1e-12)


def test_a_patient_and_a_myopic_world(rng):
    for discount in (0.0, 0.999):
        mdp = random_mdp(8, 3, discount, seed=rng)
        r1, r2 = rng.normal(size=(2, 8, 3))
        found = regret_of(mdp, r1, r2)
        assert found.upper - found.lower <= 1e-9
        assert found.value == pytest.approx(by_lp(mdp, r1, r2), abs=1e-7)


def test_a_large_world_is_proved_from_both_sides():
    """900 states, where the factorisation is sparse."""
    rng = np.random.default_rng(4)
    tiles = np.where(rng.random((30, 30)) < 0.15, "#", "F")
    tiles[0, 0], tiles[29, 29] = "S", "G"
    world = metrics.grid_world(["".join(row) for row in tiles], slip=0.1)
    painted = rng.normal(size=(2, 30, 30))
    found = metrics.worst_case_regret(world.mdp, *map(world.reward, painted))
    assert 0 < found.lower <= found.upper <= found.lower + 1e-10
    proved = metrics.check_regret(found.certificate())
    assert proved.valid
    assert proved.upper - proved.lower < 1e-9
    assert proved.lower <= found.value + 1e-12
