"""Make the studies behind the verdicts on robust decisions: ``python data/make_games_robust.py``, some ten minutes.

data/games/robust_race.nc: every class of random knapsacks with 20, 40 and 80 items, greedy plans and the exact method,
twenty seconds for each run. data/games/robust_learned.nc: both variants of the paper's network beside the exact method
with 20 and 40 items; the network is that of make_games_robust_network.py.
"""

import argparse
from pathlib import Path

from workbench import results
from workbench.games import robust

HERE = Path(__file__).resolve().parent / "games"
KINDS = ("UN", "WC", "ASC", "SC")


def main() -> None:
    """Race the methods, after a short race whose time goes into compiling."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("race", "learned"), help="one of both")
    options = parser.parse_args()
    robust.robust_race(("SC", "WC"), (20,), instances=1, time_limit=2.0)
    if options.only != "learned":
        ds = robust.robust_race(KINDS, (20, 40, 80), ("greedy", "price-and-branch"), instances=3, time_limit=20.0)
        results.save(ds, HERE / "robust_race.nc")
    if options.only != "race":
        methods = ("neural", "neural-max", "price-and-branch")
        ds = robust.robust_race(KINDS, (20, 40), methods, instances=2, time_limit=20.0)
        results.save(ds, HERE / "robust_learned.nc")


if __name__ == "__main__":
    main()
