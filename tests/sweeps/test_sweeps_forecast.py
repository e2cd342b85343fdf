"""What a sweep will take is told before it starts, from the costs of the room, and its progress goes by them."""

import pytest
import sweep_toys as toys

from workbench import costs, fisher, sweeps
from workbench.costs import Cost
from workbench.progress import Progress
from workbench.sweeps import forecast
from workbench.sweeps import run as sweep_run

GRID = {"L": [8, 16, 32], "J": [0.40, 0.44]}


def one_by_one(function, grid):
    return costs.total(costs.of(function, L=L, J=J) for L in grid["L"] for J in grid["J"])


def test_the_cost_of_a_grid_is_the_sum_of_its_cells():
    alone = one_by_one(fisher.ising_curvature, GRID)
    found = sweeps.cost(fisher.ising_curvature, GRID)
    assert (found.seconds, found.bytes) == (pytest.approx(alone.seconds), alone.bytes)
    shared = sweeps.cost("fisher.ising_curvature", GRID, repeats=4, workers=2)
    assert (shared.seconds, shared.bytes) == (pytest.approx(2 * alone.seconds), 2 * alone.bytes)
    assert sweeps.cost(fisher.ising_curvature, {"L": 8, "J": [0.4]}, workers=64).seconds == pytest.approx(
        costs.of(fisher.ising_curvature, L=8, J=0.4).seconds
    )


def test_a_large_grid_is_asked_here_and_there(monkeypatch):
    grid = {"L": list(range(3, 65)), "J": [0.3 + 0.001 * k for k in range(50)]}
    exact = one_by_one(fisher.ising_curvature, grid).seconds
    asked = []
    monkeypatch.setattr(
        costs, "of", lambda function, real=costs.of, **call: asked.append(call) or real(function, **call)
    )
    assert sweeps.cost(fisher.ising_curvature, grid).seconds == pytest.approx(exact, rel=0.05)
    assert len(asked) <= forecast.MOST_ASKED


def test_what_nobody_knows_is_not_guessed():
    assert sweeps.cost(toys.walk, {"steps": [4, 9]}) is None
    assert forecast.seconds_of(toys.walk, [{"steps": 4}]) is None
    refused = forecast.seconds_of(
        fisher.ising_curvature, [{"L": 8, "J": 0.4, "method": "by hand"}, {"L": -1, "J": 0.4}]
    )
    assert len(refused) == 2
    assert min(refused) > 0
    with pytest.raises(ValueError, match="workers"):
        sweeps.cost(fisher.ising_curvature, GRID, workers=0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((600.0, 100, 100, 1), "100 cells: about 10 min"),
        ((600.0, 100, 300, 4), "300 cells, 200 of them finished before; the others: about 2 min on 4 workers"),
        ((30.0, 1, 1, 4), "1 cell: about 30 s on 4 workers"),
    ],
)
def test_the_sentence(arguments, words):
    assert forecast.sentence(*arguments) == words


class Told(Progress):
    def __init__(self):
        super().__init__()
        self.words = []

    def show(self, done, total, message):
        self.words.append((done, total, message))


def test_a_sweep_announces_its_time_once_and_only_what_is_left(tmp_path, monkeypatch):
    """The cells say that they take a minute each, and take none."""
    grid, heard = {"L": [4, 6], "J": [0.40, 0.44]}, []
    options = {"store": tmp_path / "store", "seed": None, "announce": heard.append}
    sweeps.sweep(fisher.ising_curvature, {**grid, "L": [4]}, **options)
    assert heard == [], "a moment is not announced"
    monkeypatch.setattr(costs, "of", lambda *_, **__: Cost(60.0))
    sweeps.sweep(fisher.ising_curvature, grid, **options)
    assert heard == ["4 cells, 2 of them finished before; the others: about 2 min"]
    sweeps.sweep(toys.walk, {"steps": [4]}, store=tmp_path / "toys", seed=0, announce=heard.append)
    assert len(heard) == 1


def test_the_time_left_goes_by_cost(tmp_path, monkeypatch):
    """After the small one of two cells nine tenths of the work are left, not half of it."""
    monkeypatch.setattr(costs, "of", lambda *_, L, **__: Cost({4: 1.0, 6: 9.0}[L]))
    asked = []
    monkeypatch.setattr(
        sweep_run.RemainingTime, "seconds", lambda self, done, total: asked.append((done, total)) or (total - done)
    )
    told = Told()
    sweeps.sweep(fisher.ising_curvature, {"L": [4, 6], "J": 0.4}, store=tmp_path / "s", seed=None, progress=told)
    assert asked == [(0, 10.0), (1.0, 10.0), (10.0, 10.0)]
    assert told.words[1] == (1, 2, "9 s left")
