"""Distances between rewards: their oracle, their invariances, their definitions written out, other engines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import metrics
from workbench.metrics.grammar import STANDS
from workbench.metrics.rewards import reward as reward_module
from workbench.metrics.rewards.reward import Reward, as_reward, redistribution
from workbench.metrics.rewards.worlds import random_mdp, random_reward
from workbench.metrics.rewards.yardsticks import REWARD_DISTANCES

ORACLE = metrics.MDP([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.1, 0.9]]], 0.9, [0.5, 0.5])


def oracle_rewards():
    first, second = np.zeros((2, 2, 2)), np.zeros((2, 2, 2))
    first[:, :, 1] = 1
    first[0, 1] -= 0.5
    second[1] += 1
    second[1, 1] -= 0.2
    second[0, 1] -= 2
    return first, second


KNOWN = {
    "range": 0.53250395667182,
    "val": 0.62607023008886,
    "minimal": 0.59110118415683,
    "epic": 0.20584683315770,
    "dard": 0.20167910230377,
}
LAKE = {"range": 0.71365, "val": 0.22706, "minimal": 0.07596, "epic": 0.08290, "dard": 0.10856}
HOLES = {"range": 0.49760, "val": 0.16225, "minimal": 0.05046, "epic": 0.56847, "dard": 0.61576}


@pytest.mark.parametrize("name", KNOWN)
def test_the_oracle(name):
    assert metrics.reward_distance(name, ORACLE, *oracle_rewards()) == pytest.approx(KNOWN[name], abs=2e-14)


@pytest.mark.parametrize("name", LAKE)
def test_the_frozen_lake(name):
    world = metrics.grid_world(("SFFF", "FHFH", "FFFH", "HFFG"))
    goal = (world.tiles == "G").astype(float)
    first = world.reward(goal)
    others = (world.reward(goal, -0.04), LAKE), (world.reward(goal - (world.tiles == "H")), HOLES)
    for other, known in others:
        assert metrics.reward_distance(name, world.mdp, first, other) == pytest.approx(known[name], abs=5e-6)
    assert metrics.reward_distance(name, world.mdp, first, first.times(2.5).plus(world.reward(0 * goal, 3))) >= 0


def test_the_advantage_of_the_oracle():
    found = metrics.canonical(ORACLE, oracle_rewards()[0], "val").own
    np.testing.assert_allclose(
        found, [[-0.30322580645161, 0.30322580645161], [-0.31612903225806, 0.31612903225806]], atol=2e-14
    )


@pytest.mark.parametrize("name", REWARD_DISTANCES)
def test_what_must_not_matter_does_not(name):
    rng = np.random.default_rng(3)
    mdp = random_mdp(6, 3, seed=rng)
    reward = as_reward("r", rng.normal(size=(6, 3, 6)), mdp)
    distance = REWARD_DISTANCES[name]
    starc = distance.fact("starc")
    shaped = reward.shaped(mdp, rng.normal(size=6))
    constant = Reward(np.full((6, 3), 3.0), np.zeros(6))
    moved = reward.plus(redistribution(mdp, rng))
    assert distance(mdp, reward, reward.times(2.5)) < STANDS
    assert distance(mdp, reward, reward.times(-1.0)) == pytest.approx(1, abs=1e-12)
    if name != "direct":
        assert distance(mdp, reward, shaped) < STANDS
        assert distance(mdp, reward, reward.plus(constant)) < STANDS
    if starc:
        assert distance(mdp, reward, moved) < STANDS
        assert distance(mdp, reward, moved.shaped(mdp, rng.normal(size=6)).times(7).plus(constant)) < STANDS
    else:
        assert distance(mdp, reward, moved) > 0.01


@pytest.mark.parametrize("name", REWARD_DISTANCES)
def test_distances_are_distances(name):
    rng = np.random.default_rng(8)
    mdp = random_mdp(5, 3, seed=rng)
    rewards = [as_reward("r", random_reward(mdp, rng), mdp) for _ in range(6)]
    rewards.append(Reward(np.full((5, 3), 2.0), np.zeros(5)))  # trivial
    table = np.array([[REWARD_DISTANCES[name](mdp, a, b) for b in rewards] for a in rewards])
    np.testing.assert_allclose(table, table.T, atol=1e-12)
    assert np.all(table <= 1)
    assert np.all(np.diag(table) < STANDS)
    assert np.all(table[:, None] <= table[:, :, None] + table[None] + 1e-12)
    if name != "direct":
        np.testing.assert_allclose(table[-1, :-1], 0.5, atol=1e-9)


def written_out(mdp, reward, name):
    """EPIC and DARD as their papers write them, one expectation after the other."""
    gamma, move = mdp.discount, mdp.dense()
    states, actions = mdp.states, mdp.actions
    if name == "epic":
        mean = reward.mean(axis=(1, 2))
        return reward + gamma * mean - mean[:, None, None] - gamma * reward.mean()
    found = reward.copy()
    for s in range(states):
        for t in range(states):
            more = sum(
                gamma * move[t, a] @ reward[t, a]
                - move[s, a] @ reward[s, a]
                - gamma * move[s, a] @ reward[:, a, :] @ move[t, a]
                for a in range(actions)
            )
            found[s, :, t] += more / actions
    return found


@pytest.mark.parametrize("name", ["epic", "dard"])
def test_canonical_forms_written_out(name, rng):
    mdp = random_mdp(6, 3, seed=rng)
    dense = rng.normal(size=(6, 3, 6))
    potential = rng.normal(size=6)
    compact = as_reward("r", dense, mdp).shaped(mdp, potential)
    whole = dense + mdp.discount * potential - potential[:, None, None]
    np.testing.assert_allclose(compact.dense(), whole, atol=1e-13)
    form = metrics.canonical(mdp, compact, name)
    np.testing.assert_allclose(form.dense(), written_out(mdp, whole, name), atol=1e-12)


def test_epic_takes_its_distributions(rng):
    mdp = random_mdp(4, 2, seed=rng)
    dense = rng.normal(size=(4, 2, 4))
    among, chosen = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(2))
    mean = np.einsum("sat,a,t->s", dense, chosen, among)
    expected = dense + mdp.discount * mean - mean[:, None, None] - mdp.discount * mean @ among
    found = metrics.canonical(mdp, dense, "epic", states=among, actions=chosen)
    np.testing.assert_allclose(found.dense(), expected, atol=1e-13)
    with pytest.raises(ValueError, match="states must be 4 probabilities"):
        metrics.canonical(mdp, dense, "epic", states=[1, 1, 1, 1])
    with pytest.raises(ValueError, match="rows sum to 1"):
        metrics.canonical(mdp, dense, "val", policy=np.ones((4, 2)))
    with pytest.raises(ValueError, match="Did you mean 'minimal'"):
        metrics.canonical(mdp, dense, "minimum")


def test_minimal_is_the_least_of_its_class(rng):
    """Against a dense least-squares problem over all shapings and redistributions."""
    mdp = random_mdp(5, 2, seed=rng)
    dense = rng.normal(size=(5, 2, 5))
    form = metrics.canonical(mdp, dense, "minimal").dense()
    move, size = mdp.dense(), dense.size
    columns = []
    for s in range(5):
        bump = np.eye(5)[s]
        columns.append((mdp.discount * bump - bump[:, None, None] + 0 * dense).ravel())
    for s in range(5):
        for a in range(2):
            row = move[s, a]
            null = np.linalg.svd(row[None])[2][1:]  # what redistributes over s'
            for direction in null:
                one = np.zeros_like(dense)
                one[s, a] = direction
                columns.append(one.ravel())
    basis = np.array(columns).T
    weights = np.linalg.lstsq(basis, -dense.ravel(), rcond=None)[0]
    np.testing.assert_allclose(form.ravel(), dense.ravel() + basis @ weights, atol=1e-12)
    assert basis.shape == (size, 5 + 40)


def test_norms_with_and_without_their_entries_agree(monkeypatch, rng):
    mdp = random_mdp(20, 3, seed=rng)
    for reward in (
        as_reward("r", random_reward(mdp, rng), mdp),
        redistribution(mdp, rng).plus(Reward(rng.normal(size=(20, 3)), rng.normal(size=20))),
        Reward(np.full((20, 3), 1e6), np.full(20, -1e6)),
    ):
        exact = np.linalg.norm(reward.dense())
        assert reward.norm() == pytest.approx(exact, rel=1e-12, abs=1e-6)
        monkeypatch.setattr(reward_module, "DENSE_NORM", 0)
        assert reward.norm() == pytest.approx(exact, rel=1e-12, abs=1e-6)
        monkeypatch.undo()


@given(st.integers(0, 10_000))
def test_redistributions_are_never_noticed(seed):
    rng = np.random.default_rng(seed)
    mdp = random_mdp(int(rng.integers(2, 8)), 2, seed=rng)
    hidden = redistribution(mdp, rng)
    assert np.abs(hidden.expected(mdp)).max() < 1e-14
    assert np.abs(hidden.entries.data).max() == pytest.approx(1)


def test_certain_worlds_hide_behind_what_never_happens():
    mdp = metrics.MDP([[[0.0, 1.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]], 0.9)
    hidden = redistribution(mdp, 1)
    assert np.abs(hidden.expected(mdp)).max() == 0
    assert metrics.fool(mdp, "dard", 0.01, seed=0).regret.value == pytest.approx(1)
    with pytest.raises(ValueError, match="one state has no redistribution"):
        redistribution(metrics.MDP([[[1.0], [1.0]]], 0.5))
