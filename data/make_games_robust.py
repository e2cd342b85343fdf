"""Make the study behind the verdicts on robust decisions: ``python data/make_games_robust.py``, ten minutes.

It writes data/games/robust_race.nc: every class of random knapsacks with 20, 40 and 80 items, three methods,
twenty seconds for each run.
"""

from pathlib import Path

from workbench import results
from workbench.games import robust

HERE = Path(__file__).resolve().parent / "games"


def main() -> None:
    """Race the methods, after a short race whose time goes into compiling."""
    robust.robust_race(("SC",), (20,), instances=1, time_limit=2.0)
    ds = robust.robust_race(
        ("UN", "WC", "ASC", "SC"),
        (20, 40, 80),
        ("greedy", "price-and-evaluate", "price-and-branch"),
        instances=3,
        time_limit=20.0,
    )
    results.save(ds, HERE / "robust_race.nc")


if __name__ == "__main__":
    main()
