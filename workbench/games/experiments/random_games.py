"""Which share of random quadratic games each rung of the ladder certifies: the experiment of a shipped study."""

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.games.experiments.ladder import ladder
from workbench.games.models.quadratic import QuadraticGame
from workbench.progress import Progress


@results.experiment
def random_games(
    players: int,
    coupling: float = 0.5,
    density: float = 1.0,
    games: int = 50,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return which share of random quadratic games each rung of the ladder of certificates accepts.

    Every player has one coordinate and curvature 1. A coupling J_ij is present with probability ``density`` and is
    then normal with standard deviation ``coupling`` / √(players − 1). So the eigenvalues of J fill a disc of radius
    about coupling · √density around 1 (circular law), and about 1 is where games of many players stop converging at
    all: the spectral rung ``hurwitz`` is the truth that the others fall short of.

    Over ``rung`` (see ``games.ladder``): ``share`` of CERTIFIED games and ``median_margin`` (refused games count with
    the negative margin that they have; NaN where a rung gives none). Rung ``leafwise`` says nothing about quadratic
    games and is left out. Raises ``ValueError`` for fewer than two players, a negative coupling, a density outside
    [0, 1]. Cost: the two matrix inequalities, about 0.1 s a game at 10 players.
    """
    players = checks.integer("players", players, minimum=2, maximum=80)
    coupling = checks.real("coupling", coupling, minimum=0)
    density = checks.real("density", density, minimum=0, maximum=1)
    games = checks.integer("games", games, minimum=1)
    progress = progress or Progress()
    rng = checks.generator(seed)
    climbed = []
    for k in range(games):
        progress.update(k, games, "random games")
        climbed.append(ladder(_random_game(players, coupling, density, rng)))
    all_games = xr.concat([one[["margin", "verdict"]] for one in climbed], "game", combine_attrs="drop_conflicts")
    all_games = all_games.sel(rung=[name for name in all_games.rung.values if name != "leafwise"])
    progress.update(games, games, "done")
    return results.dataset(
        {
            "share": (("rung",), (all_games.verdict == "CERTIFIED").mean("game").values, "share of certified games"),
            "median_margin": (("rung",), all_games.margin.median("game").values, "median margin", "1/time"),
        },
        {"rung": (("rung",), all_games.rung.values, "rung of the ladder")},
    )


def _random_game(players: int, coupling: float, density: float, rng: np.random.Generator) -> QuadraticGame:
    matrix = rng.normal(scale=coupling / np.sqrt(players - 1), size=(players, players))
    matrix *= rng.random((players, players)) < density
    np.fill_diagonal(matrix, 1.0)
    return QuadraticGame(matrix)
