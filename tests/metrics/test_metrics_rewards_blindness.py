"""Fooling pairs keep their word, and the constants of an MDP hold for the pairs that try to break them."""

import json

import numpy as np
import pytest

from workbench import data, metrics
from workbench.metrics.grammar import STANDS
from workbench.metrics.rewards.bounds import Geometry, width_and_diameter
from workbench.metrics.rewards.planning import extremes
from workbench.metrics.rewards.reward import as_reward
from workbench.metrics.rewards.worlds import random_mdp, random_reward
from workbench.metrics.rewards.yardsticks import REWARD_DISTANCES, minimal
from workbench.progress import Cancelled, Progress
from workbench.results import open_bytes, to_bytes

STARC = [name for name, entry in REWARD_DISTANCES.items() if entry.fact("starc")]
OTHER = [name for name in REWARD_DISTANCES if name not in STARC]


def world(seed=0, states=5, actions=3):
    rng = np.random.default_rng(seed)
    mdp = random_mdp(states, actions, seed=rng)
    return mdp, rng.normal(size=(states, actions))


@pytest.mark.parametrize("size", [0.1, 0.001])
@pytest.mark.parametrize("name", REWARD_DISTANCES)
def test_the_pair_is_as_far_apart_as_asked(name, size):
    mdp, reward = world()
    pair = metrics.fool(mdp, name, size, reward=reward)
    assert pair.seen == pytest.approx(size, rel=1e-6)
    assert metrics.reward_distance(name, mdp, pair.r1, pair.r2) == pair.seen
    again = metrics.worst_case_regret(mdp, pair.r1, pair.r2)
    assert again.value == pytest.approx(pair.regret.value, abs=1e-9)
    if name in OTHER:
        assert again.value == pytest.approx(1, abs=1e-9)
    if name == "range":
        assert size * (1 - 1e-6) <= again.value <= 2 * size * (1 + 1e-6)
        assert again.value > 1.7 * size  # nearly the most there can be


@pytest.mark.parametrize("name", ["val", "minimal"])
def test_the_ascent_beats_chance(name):
    mdp, reward = world(2)
    size = 0.02
    pair = metrics.fool(mdp, name, size, reward=reward)
    rng = np.random.default_rng(1)
    geometry = Geometry(mdp, name)
    chance = 0.0
    first = metrics.canonical(mdp, pair.r1, name)
    for _ in range(50):
        other = geometry.reward(geometry.range(rng.normal(size=reward.shape))[1])
        direction = metrics.canonical(mdp, other, name)
        second = first.times(1 / first.norm()).plus(direction, 2 * size / direction.norm())
        seen = metrics.reward_distance(name, mdp, pair.r1, second)
        chance = max(chance, metrics.worst_case_regret(mdp, pair.r1, second).value / seen)
    assert pair.regret.value / pair.seen > chance
    free = metrics.fool(mdp, name, size)
    assert free.regret.value / free.seen > pair.regret.value / pair.seen


@pytest.mark.parametrize("name", ["val", "minimal"])
@pytest.mark.parametrize("seed", [0, 5])
def test_constants_hold_for_random_and_for_fooling_pairs(name, seed):
    mdp, reward = world(seed, 4, 3)
    found = metrics.distance_constants(mdp, name)
    assert found.exact
    assert found.lower == pytest.approx(found.width / found.diameter)
    rng = np.random.default_rng(seed)
    pairs = [[as_reward("r", random_reward(mdp, rng), mdp) for _ in range(2)] for _ in range(60)]
    fooled = [metrics.fool(mdp, name, size, reward=given) for size in (0.3, 0.01) for given in (None, reward)]
    pairs += [[pair.r1, pair.r2] for pair in fooled]
    regrets = [metrics.worst_case_regret(mdp, *pair) for pair in pairs]
    told = [not any(regret.trivial) for regret in regrets]
    assert sum(told) > 40
    ratios = [
        regret.value / metrics.reward_distance(name, mdp, *pair)
        for regret, pair, counts in zip(regrets, pairs, told, strict=True)
        if counts
    ]
    assert found.lower <= min(ratios)
    assert max(ratios) <= found.upper
    assert max(ratios) > found.upper / 3  # the bound is no idle one


@pytest.mark.parametrize("name", ["val", "minimal"])
def test_width_and_diameter_are_those_of_their_forms(name):
    mdp, _ = world(3, 4, 3)
    width, diameter, exact, narrow, wide = width_and_diameter(mdp, name)
    assert exact
    for y, value in ((narrow, width), (wide, diameter)):
        assert np.linalg.norm(y) == pytest.approx(1)
        reward = Geometry(mdp, name).reward(y)
        assert extremes(mdp, reward).range == pytest.approx(value, rel=1e-9)
        form = metrics.canonical(mdp, reward, name)
        size = np.linalg.norm(form.own) if name == "val" else form.norm()
        assert size == pytest.approx(1, rel=1e-9)
    rng = np.random.default_rng(0)
    for _ in range(100):
        y = Geometry(mdp, name).range(rng.normal(size=(4, 3)))[1]
        value = Geometry(mdp, name).range(y / np.linalg.norm(y))[0]
        assert width * (1 - 1e-9) <= value <= diameter * (1 + 1e-9)


def test_many_states_have_a_diameter_too():
    small, _ = world(4, 4, 3)
    exact = width_and_diameter(small, "val")[1]
    mdp, _ = world(4, 12, 3)
    _, diameter, is_exact, _, wide = width_and_diameter(mdp, "val")
    assert not is_exact
    assert extremes(mdp, wide).range == pytest.approx(diameter, rel=1e-6)
    assert exact > 0


def test_states_that_nobody_reaches_take_the_constants_away():
    mdp, goal = metrics.frozen_lake()
    assert not mdp.reachable.all()
    found = metrics.distance_constants(mdp, "val")
    assert (found.lower, found.upper) == (0, np.inf)
    inside = metrics.distance_constants(mdp.reachable_part()[0], "val")
    assert 0 < inside.lower < 1 < inside.upper < np.inf
    # and rightly so: a reward that lives where nobody comes is seen by VAL and means nothing
    hidden = np.zeros((17, 4))
    hidden[5, 0] = 1.0
    other = goal.plus(as_reward("r", hidden, mdp))
    assert metrics.reward_distance("val", mdp, goal, other) > 0.1
    assert metrics.worst_case_regret(mdp, goal, other).value < 1e-9
    for name in OTHER:
        assert metrics.distance_constants(mdp, name).upper == np.inf
    assert metrics.distance_constants(mdp, "range").upper == 2


def test_what_cannot_be_fooled_is_refused():
    mdp, reward = world()
    one = metrics.MDP(np.ones((1, 2, 1)), 0.5)
    alone = metrics.MDP(np.full((2, 1, 2), 0.5), 0.5)
    for arguments, words in (
        ((mdp, "starc"), "unknown reward distance"),
        ((mdp, "epic", 0.0), "size must be at least"),
        ((mdp, "epic", 0.9), "size must be at most"),
        ((one, "epic"), "one state has no redistribution"),
        ((alone, "val"), "one action has one policy"),
    ):
        with pytest.raises(ValueError, match=words):
            metrics.fool(*arguments)
    with pytest.raises(ValueError, match="reward is trivial"):
        metrics.fool(mdp, "val", reward=np.ones((5, 3)))
    with pytest.raises(ValueError, match="up to 400 states"):
        metrics.distance_constants(random_mdp(401, 2), "val")
    stop = Progress()
    stop.cancel()
    with pytest.raises(Cancelled):
        metrics.fool(mdp, "val", reward=reward, progress=stop)


def test_the_three_questions_on_a_small_world():
    mdp, reward = world()
    ds = metrics.reward_blindness(mdp, reward)
    harmless = ds.invariance_harmless.values
    change = ds.invariance_change
    assert np.all(ds.invariance_regret.values[harmless] < 1e-9)
    assert np.all(change.sel(yardstick=STARC).values[:, harmless] < STANDS)
    assert np.all(change.sel(yardstick=["epic", "dard"], transformation="redistribution") > 0.01)
    assert np.all(change.sel(transformation="opposite") > 1 - 1e-12)
    np.testing.assert_allclose(ds.blind_seen.values, 0.05, rtol=1e-6)
    np.testing.assert_allclose(ds.blind_reference.sel(yardstick=OTHER).values, 1, atol=1e-9)
    lower, upper = ds.constant.sel(axiom="lower"), ds.constant.sel(axiom="upper")
    ratio = ds.blind_reference / ds.blind_seen
    assert np.all(ratio <= upper * (1 + 1e-9))
    assert np.all(ratio >= lower * (1 - 1e-9))
    again = open_bytes(to_bytes(ds), name="sight.nc")
    assert again.equals(metrics.reward_blindness(mdp, reward))
    with pytest.raises(ValueError, match="trivial"):
        metrics.reward_invariances(mdp, np.ones((5, 3)))


def test_absorbing_states_pay_no_living_cost():
    mdp, _ = metrics.frozen_lake()
    assert mdp.absorbing.tolist() == [False] * 16 + [True]


def test_the_page_s_comparison():
    found = metrics.grid_rewards(details=False)
    assert found.regret.values[0] == 1
    assert float(found.kept[0]) == pytest.approx(0.0369, abs=5e-5)
    assert float(found.best[0]) == pytest.approx(0.180471578397, abs=1e-12)
    assert found.chord_1.values.tolist() == [pytest.approx(0.180471578397), 0]
    np.testing.assert_allclose(found.best_visits_1.sum(), 20)
    same = metrics.grid_rewards(living=0.0, shaping=2.0, redistributed=1.0, details=False)
    assert np.all(same.distance.sel(yardstick=STARC) < STANDS)
    assert float(same.distance.sel(yardstick="epic")) > 0.1
    assert np.all(same.regret.values < 1e-9)
    nearer = metrics.grid_rewards(mix=0.9, details=False)
    assert np.all(nearer.distance.values < found.distance.values)
    fooled = metrics.grid_rewards(fool="epic", size=0.08, details=False)
    assert float(fooled.distance.sel(yardstick="epic")) == pytest.approx(0.08, rel=1e-6)
    assert fooled.regret.values[0] == pytest.approx(1)
    whole = metrics.grid_rewards()
    assert json.loads(whole.attrs["parameters"])["tiles"] == ["SFFF", "FHFH", "FFFH", "HFFG"]
    assert whole.sizes["transformation"] == 7
    for arguments, words in (
        ({"mix": 2.0}, "mix must be at most 1"),
        ({"reward_1": np.ones((2, 2))}, "painted has shape"),
        ({"fool": "vall"}, "Did you mean 'val'"),
        ({"fool": "val", "reward_1": np.zeros((4, 4))}, "reward is trivial"),
        ({"slip": 1.5}, "slip must be at most 1"),
    ):
        with pytest.raises(ValueError, match=words):
            metrics.grid_rewards(**arguments)


def test_the_shipped_studies_are_made_by_their_calls():
    lake = data.result("metrics/rewards_lake.nc")
    fresh = metrics.grid_rewards()
    for name in ("distance", "regret", "invariance_change", "blind_reference"):
        np.testing.assert_allclose(lake[name].values, fresh[name].values, rtol=1e-6, atol=1e-9)
    fooled = data.result("metrics/rewards_fooled.nc")
    np.testing.assert_allclose(fooled.seen.values, metrics.fooled_distances().seen.values, rtol=1e-6)
    bounds = data.result("metrics/rewards_bounds.nc")
    again = metrics.regret_bounds(count=30)
    np.testing.assert_allclose(bounds.ratio.values[:, :30], again.ratio.values, rtol=1e-6)
    correlations = data.result("metrics/rewards_correlations.nc")
    few = metrics.regret_correlations(mdps=1)
    np.testing.assert_allclose(correlations.regret.values[:, :24], few.regret.values, rtol=1e-6, atol=1e-9)


def test_minimal_forms_are_their_own(rng):
    mdp, reward = world(6)
    form = minimal(mdp, as_reward("r", reward, mdp))
    np.testing.assert_allclose(minimal(mdp, form).dense(), form.dense(), atol=1e-13)
