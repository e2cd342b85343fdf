"""Make the study behind the verdicts on robust decisions: ``python data/make_games_robust.py``, ten minutes.

It writes data/games/robust_race.nc: every class of random knapsacks with 20, 40 and 80 items, five methods, six seconds
for each run. The network is that of make_games_robust_network.py.
"""

from pathlib import Path

from workbench import results
from workbench.games import robust

METHODS = ("greedy", "price-and-evaluate", "neural", "neural-max", "price-and-branch")
HERE = Path(__file__).resolve().parent / "games"


def main() -> None:
    """Race the methods, after a short race whose time goes into compiling."""
    robust.robust_race(("SC", "WC"), (20, 40), METHODS, instances=1, time_limit=2.0)
    ds = robust.robust_race(
        ("UN", "WC", "ASC", "SC"),
        (20, 40, 80),
        METHODS,
        instances=3,
        time_limit=6.0,
    )
    results.save(ds, HERE / "robust_race.nc")


if __name__ == "__main__":
    main()
