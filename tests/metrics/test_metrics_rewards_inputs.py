"""MDPs, worlds and files: what is refused in words, and that what is read is what was written."""

import io
import json

import numpy as np
import pytest
from scipy import sparse

from workbench import metrics
from workbench.metrics.rewards.reward import LARGEST, as_reward
from workbench.results import describe

GOOD = np.full((2, 2, 2), 0.5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((GOOD, 1.0), "discount must be below 1, got 1: without discounting"),
        ((GOOD, -0.1), "discount must be at least 0"),
        ((GOOD, np.nan), "discount must be finite"),
        ((GOOD * 1.1, 0.9), r"state 0, action 0 sum to 1.1; every row .* \(4 rows do not\)"),
        (([[[1.5, -0.5]], [[0, 1]]], 0.9), "state 0, action 0 has the probability -0.5 for state 1"),
        ((np.ones((2, 3, 4)) / 4, 0.9), r"must be \(S, A, S\)"),
        ((np.ones((2, 2)), 0.9), "must have 3 dimension"),
        (([[[np.nan, 1.0]], [[0, 1]]], 0.9), "NaN or infinite"),
        (([sparse.eye_array(2), sparse.eye_array(3)], 0.9), r"shapes \(2, 2\), \(3, 3\)"),
        ((sparse.eye_array(2), 0.9), "one sparse matrix; give a list"),
        ((GOOD, 0.9, [0.5, 0.6]), "start must be probabilities"),
        ((GOOD, 0.9, [1.0]), "start has 1 probabilities for 2 states"),
        ((GOOD, 0.9, 2), "start must be at most 1"),
    ],
)
def test_bad_worlds_are_refused(arguments, words):
    with pytest.raises((ValueError, TypeError), match=words):
        metrics.MDP(*arguments)


@pytest.mark.parametrize(
    ("reward", "words"),
    [
        (np.ones(2), "must have 2 or 3 dimension"),
        (np.ones((3, 2)), r"r has shape \(3, 2\); for this MDP it must be \(S, A\) = \(2, 2\)"),
        (np.ones((2, 2, 3)), "for this MDP it must be"),
        ([[np.inf, 0], [0, 0]], "NaN or infinite"),
        ([[2 * LARGEST, 0], [0, 0]], "beyond 1e\\+100"),
        ([sparse.eye_array(2)], "has 1 matrices of 2 states"),
        ([["a", "b"], ["c", "d"]], "got text"),
    ],
)
def test_bad_rewards_are_refused(reward, words):
    with pytest.raises((ValueError, TypeError), match=words):
        as_reward("r", reward, metrics.MDP(GOOD, 0.9))


def test_sparse_and_dense_are_one_world(rng):
    dense = rng.dirichlet(np.ones(4), size=(4, 3))
    reward = rng.normal(size=(4, 3, 4))
    one = metrics.MDP(dense, 0.8, 1)
    other = metrics.MDP([sparse.coo_array(dense[:, a]) for a in range(3)], 0.8, [0, 1, 0, 0])
    np.testing.assert_array_equal(one.dense(), other.dense())
    r1, r2 = as_reward("r", reward, one), as_reward("r", [sparse.csr_array(reward[:, a]) for a in range(3)], one)
    np.testing.assert_array_equal(r1.dense(), r2.dense())
    np.testing.assert_allclose(r1.expected(one), np.einsum("sat,sat->sa", dense, reward), atol=1e-14)
    assert describe(one) == describe(other)
    assert describe(one) != describe(metrics.MDP(dense, 0.8, 2))
    with pytest.raises(ValueError, match="read-only"):
        one.table.data[0] = 1


def test_reachable_states():
    mdp = metrics.MDP([[[0, 1, 0]], [[0, 1, 0]], [[1, 0, 0]]], 0.9, 0)
    assert mdp.reachable.tolist() == [True, True, False]
    part, kept = mdp.reachable_part()
    assert kept.tolist() == [0, 1]
    assert part.states == 2
    whole = metrics.MDP(GOOD, 0.9)
    assert whole.reachable_part()[0] is whole


def gym_table(world):
    """A Gymnasium table of a painted lake, written out by hand as Gymnasium writes it."""
    tiles = world.tiles
    height, width = tiles.shape
    moves = ((0, -1), (1, 0), (0, 1), (-1, 0))
    table = {}
    for row in range(height):
        for column in range(width):
            s, table[row * width + column] = row * width + column, {}
            for a in range(4):
                if tiles[row, column] in "GH":
                    table[s][a] = [(1.0, s, 0, True)]
                    continue
                found = []
                for b in ((a - 1) % 4, a, (a + 1) % 4):
                    y = min(max(row + moves[b][0], 0), height - 1)
                    x = min(max(column + moves[b][1], 0), width - 1)
                    found.append((1 / 3, y * width + x, float(tiles[y, x] == "G"), bool(tiles[y, x] in "GH")))
                table[s][a] = found
    return table


def test_a_painted_lake_is_gymnasiums():
    world = metrics.grid_world(("SFFF", "FHFH", "FFFH", "HFFG"))
    mdp, reward = metrics.MDP.from_gymnasium(gym_table(world), 0.95)
    np.testing.assert_allclose(mdp.dense(), world.mdp.dense(), atol=1e-15)
    painted = world.reward((world.tiles == "G").astype(float))
    np.testing.assert_allclose(reward.dense(), painted.dense(), atol=1e-15)
    np.testing.assert_array_equal(mdp.start, world.mdp.start)


@pytest.mark.parametrize("name", ["FrozenLake-v1", "Taxi-v4", "CliffWalking-v1"])
def test_gymnasiums_own_tables(name):
    gymnasium = pytest.importorskip("gymnasium")
    table = gymnasium.make(name).unwrapped.P
    mdp, reward = metrics.MDP.from_gymnasium(table)
    found = metrics.reward_distances(mdp, reward, reward.times(2.0))
    assert np.all(found.regret.values < 1e-9)
    if name == "FrozenLake-v1":
        assert float(found.best[0]) == pytest.approx(0.180471578397, abs=1e-12)
        np.testing.assert_allclose(reward.dense(), metrics.frozen_lake()[1].dense(), atol=1e-15)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "is a mapping of states"),
        ([1, 2], "is a mapping of states"),
        ({0: {0: [(1.0, 0, 0.0)]}}, r"a transition is \(p, s', r, done\)"),
        ({0: {0: [(1.0, 5, 0.0, False)]}}, "leads to state 5; there are 1"),
        ({0: {0: [(1.5, 0, 0.0, False)]}}, "must be at most 1"),
        ({0: {0: [(0.5, 0, 0.0, False)]}}, "sum to 0.5"),
        ({0: {0: [(1.0, 0, 0.0, False)]}, 1: {1: []}}, "state 1 must have the actions 0 to 0"),
    ],
)
def test_bad_tables_are_refused(table, words):
    with pytest.raises((ValueError, TypeError), match=words):
        metrics.MDP.from_gymnasium(table)


@pytest.mark.parametrize(
    ("tiles", "words"),
    [
        ((), "rows of one length"),
        (("SF", "F"), "rows of one length"),
        (("FF", "FG"), "have no start"),
        (("SX", "FG"), "hold 'X'; the letters are F floor"),
        (("S" * 200,) * 200, "40,000 cells"),
    ],
)
def test_bad_grids_are_refused(tiles, words):
    with pytest.raises(ValueError, match=words):
        metrics.grid_world(tiles)


def test_walls_and_slips():
    world = metrics.grid_world(("S#G",), slip=0.0)
    assert not world.mdp.reachable[1:].any()  # a wall between
    open_world = metrics.grid_world(("SFG",), slip=0.0)
    right = open_world.mdp.dense()[:, 2]
    assert right[0, 1] == 1
    assert right[1, 3] == 1  # onto the goal: to the absorbing state
    assert open_world.reward([[0.0, 0.0, 5.0]]).expected(open_world.mdp)[1, 2] == 5
    with pytest.raises(ValueError, match="painted has shape"):
        open_world.reward([[1.0]])


def npz(name="mine.npz", **arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    stream.seek(0)
    stream.name = name
    return stream


def test_files_of_tables_and_of_lists(rng, tmp_path):
    move = rng.dirichlet(np.ones(3), size=(3, 2))
    r1, r2 = rng.normal(size=(3, 2)), rng.normal(size=(3, 2, 3))
    whole = metrics.read_mdp(npz(transitions=move, reward_1=r1, reward_2=r2, gamma=0.8, start=1))
    turned = metrics.read_mdp(npz(P=move.transpose(1, 0, 2), r1=r1, r2=r2.transpose(1, 0, 2), discount=0.8, start=1))
    state, action, after = np.nonzero(move)
    lists = {"state": state, "action": action, "next_state": after, "probability": move[state, action, after]}
    listed = metrics.read_mdp(
        npz(**lists, reward_1=r1[state, action], reward_2=r2[state, action, after], gamma=0.8, start=1)
    )
    for other in (turned, listed):
        np.testing.assert_allclose(other.mdp.dense(), whole.mdp.dense(), atol=1e-15)
        for side in ("first", "second"):
            np.testing.assert_allclose(
                getattr(other, side).expected(other.mdp), getattr(whole, side).expected(whole.mdp), atol=1e-14
            )
    assert whole.sentence == "3 states, 2 actions, 18 transitions, γ = 0.8; two rewards"
    path = tmp_path / "mine.npz"
    path.write_bytes(npz(transitions=move, reward=r1).read())
    assert metrics.read_mdp(path).sentence.endswith("γ = 0.95 (assumed); one reward")


MOVE = np.full((2, 2, 2), 0.5)
LISTS = {"state": [0, 0, 1, 1], "action": [0, 1, 0, 1], "next_state": [0, 1, 1, 0], "probability": [1.0, 1, 1, 1]}


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"transitions": MOVE}, "holds no reward; give 'transitions'"),
        ({"reward": np.ones((2, 2))}, "holds reward; give"),
        ({"transitions": MOVE, "rewards": np.ones((2, 2))}, "the array 'rewards', which has no meaning here"),
        ({"transitions": MOVE, "reward": np.ones((2, 3))}, "for this MDP it must be"),
        ({"transitions": MOVE, "reward": np.ones((2, 2)), "gamma": [0.9, 0.8]}, "must be one number"),
        ({"transitions": MOVE, "reward": np.ones((2, 2)), "gamma": 1.0}, "discount must be below 1"),
        ({"transitions": MOVE.astype("U3"), "reward": np.ones((2, 2))}, "not numbers"),
        ({"transitions": np.array([None]), "reward": np.ones((2, 2))}, "pickled objects are never read"),
        ({"P": MOVE, "reward": np.ones((2, 2, 2))}, r"\(S, A, S\) or \(A, S, S\)"),
        ({**LISTS, "reward": [1.0, 2.0]}, "different lengths: .*reward_1 2"),
        ({**LISTS, "reward": [1.0] * 4, "action": [0, 0, 0, -1]}, "counted from 0"),
        ({**LISTS, "reward": [1.0] * 4, "action": [0, 1, 0, 0], "next_state": [0, 1, 1, 1]}, "twice"),
        ({**LISTS, "reward": [1.0] * 4, "state": [0, 0, 1, 10**7]}, "10,000,001 states"),
        ({**LISTS, "reward": [1.0] * 4, "state": [0, 0, 1, 1.5]}, "whole numbers"),
        ({**LISTS, "reward": [1.0] * 4, "next_state": [0, 1, 1, 2]}, "state 2, action 0 sum to 0"),
    ],
)
def test_bad_files_are_refused(arrays, words):
    with pytest.raises((ValueError, TypeError), match=words):
        metrics.read_mdp(npz(**arrays))


def test_what_is_no_archive():
    for name, data, words in (("a.npz", b"no", "not a NumPy file"), ("a.mat", b"no", "cannot read 'a.mat'")):
        stream = io.BytesIO(data)
        stream.name = name
        with pytest.raises(ValueError, match=words):
            metrics.read_mdp(stream)
    with pytest.raises(FileNotFoundError):
        metrics.read_mdp("nowhere.npz")
    with pytest.raises(ValueError, match="more than 0 MiB"):
        metrics.read_mdp(npz(transitions=MOVE, reward=np.ones((2, 2))), max_bytes=100)


def as_json(document, name="lake.json"):
    text = document if isinstance(document, str) else json.dumps(document)
    stream = io.BytesIO(text.encode())
    stream.name = name
    return stream


def test_gymnasiums_table_as_json_is_the_table():
    world = metrics.grid_world(("SFFF", "FHFH", "FFFH", "HFFG"))
    table = gym_table(world)
    mdp, reward = metrics.MDP.from_gymnasium(table, 0.9, 2)
    lists = [[list(map(list, table[s][a])) for a in range(4)] for s in range(16)]
    for P in (table, lists):
        reading = metrics.read_mdp(as_json({"P": P, "gamma": 0.9, "start": 2}))
        np.testing.assert_array_equal(reading.mdp.dense(), mdp.dense())
        np.testing.assert_array_equal(reading.mdp.start, mdp.start)
        np.testing.assert_array_equal(reading.first.dense(), reward.dense())
        assert reading.second is None
    alone = metrics.read_mdp(as_json(dict(reversed(table.items()))), discount=0.8)
    np.testing.assert_array_equal(alone.mdp.dense(), mdp.dense())
    assert "γ = 0.8; one reward" in alone.sentence
    assert alone.sentence.endswith("start at state 0 (assumed); a state 16 is added, where walks that are done stay")


def test_json_with_a_second_reward_and_a_distribution_of_the_start(rng):
    # No transition is done, so there is no state more; two entries for one next state are joined.
    P = [[[[0.25, 0, 1.0, False], [0.25, 0, 3.0, False], [0.5, 1, 0, False]]], [[[1, 1, -1, False], [0, 0, 9, True]]]]
    second = rng.normal(size=(2, 1))
    reading = metrics.read_mdp(as_json({"P": P, "reward_2": second.tolist(), "start": [0.25, 0.75]}))
    np.testing.assert_array_equal(reading.mdp.dense(), [[[0.5, 0.5]], [[0, 1]]])
    np.testing.assert_array_equal(reading.first.expected(reading.mdp), [[1.0], [-1.0]])
    np.testing.assert_array_equal(reading.second.expected(reading.mdp), second)
    assert reading.mdp.start.tolist() == [0.25, 0.75]
    assert reading.sentence == "2 states, 1 actions, 3 transitions, γ = 0.95 (assumed); two rewards"
    ended = metrics.read_mdp(as_json({"P": [[[[1, 0, 2, True]]]], "reward_2": [[5]], "start": 0}))
    assert ended.second.expected(ended.mdp).tolist() == [[5.0], [0.0]]


ONE = [[[[1.0, 0, 0.0, False]]]]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("", "is not JSON"),
        ("[" * 100_000, "nested far deeper than a table|is not JSON"),
        ('{"P": [[[[NaN, 0, 0, false]]]]}', "NaN is no number here"),
        ('{"0": {"0": [[1, 0, 0, false]]}, "0": {}}', "the key '0' stands twice"),
        ("[[[[1, " + "1" * 40 + ", 0, false]]]]", "a number of 40 letters"),
        ({"P": ONE, "Q": 1}, "'Q' beside 'P', which has no meaning"),
        ({"P": ONE, "gamma": 0.9, "discount": 0.9}, "both 'discount' and 'gamma'"),
        ({"P": ONE, "discount": "0.9"}, "'discount' in lake.json must be a finite number, got \"0.9\""),
        ({"P": ONE, "discount": 1.0}, "discount must be below 1"),
        ({"transitions": ONE}, 'must number its 1 states "0", "1", … "0"; it has \'transitions\''),
        ({"00": ONE[0]}, "it has '00'"),
        ([], "must list its states, got a list of 0"),
        (3, "must list its states, got 3"),
        ([[]], "state 0 in lake.json must list its actions"),
        ([ONE[0], ONE[0] * 2], "state 1 in lake.json has 2 actions and state 0 has 1"),
        ([[5]], "state 0, action 0 in lake.json must hold a list of transitions"),
        ([[[]]], "must hold a list of transitions"),
        ([[[[1.0, 0, 0.0]]]], "a transition is .*, got a list of 3"),
        ([[[[1.0, 0, 0.0, 1]]]], "true or false"),
        ([[[[1.0, 0.0, 0.0, True]]]], "a transition is"),
        ([[[[1.0, True, 0.0, True]]]], "a transition is"),
        ([[[[True, 0, 0.0, True]]]], "the probability of state 0, action 0 in lake.json must be a finite number"),
        ([[[[1.5, 0, 0.0, True]]]], "must be from 0 to 1, got 1.5"),
        ([[[[1.0, -1, 0.0, True]]]], "leads to state -1; states are counted from 0"),
        ([[[[1.0, 1, 0.0, True]]]], "leads to state 1; there are 1"),
        ("[[[[1.0, 0, 1e999, true]]]]", "the reward of state 0, action 0 in lake.json must be a finite number"),
        ([[[[0.5, 0, 0.0, True]]]], "sum to 0.5"),
        ([[[[0.0, 0, 0.0, True]]]], "sum to 0"),
        ({"P": ONE, "start": 1}, "'start' in lake.json must be a state from 0 to 0, or 1 probabilities, got 1"),
        ({"P": ONE, "start": True}, "must be a state"),
        ({"P": ONE, "start": [0.5]}, "start must be probabilities"),
        ({"P": ONE, "reward_2": [[1.0, 2.0]]}, r"like P"),
        ({"P": ONE, "reward_2": [["1"]]}, "an entry of 'reward_2' in lake.json must be a finite number"),
        ({"P": ONE, "reward_2": [[1e200]]}, "beyond 1e\\+100"),
    ],
)
def test_bad_json_is_refused(document, words):
    with pytest.raises(ValueError, match=words):
        metrics.read_mdp(as_json(document))


def test_json_apart_and_too_large(monkeypatch):
    monkeypatch.setattr("workbench.metrics.rewards.gymnasium_table.LARGEST_JSON", 100)
    with pytest.raises(ValueError, match=r"JSON is read up to 0 MiB\. Give an NPZ of lists"):
        metrics.read_mdp(as_json("[" + " " * 200 + "]"))
    world = {"P": {"0": {"0": [[1.0, 0, 2.0, True]]}}, "reward_2": [[3.0]]}
    here, apart = metrics.read_mdp(as_json(world)), metrics.read_mdp(as_json(world), apart=True)
    assert here.sentence == apart.sentence
    np.testing.assert_array_equal(here.second.own, apart.second.own)
    with pytest.raises(ValueError, match="leads to state 7"):
        metrics.read_mdp(as_json([[[[1.0, 7, 0.0, True]]]]), apart=True)
