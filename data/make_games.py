"""Make what ships with the games room: ``python data/make_games.py`` writes data/games.

Certificates (.json) of the toy, a Cournot duopoly and a trap, and the two-state Markov game on a box (markov.nc), which
a row of the verdict table is read from: about half a minute, most of it the box.
"""

from pathlib import Path

from workbench import games, results

HERE = Path(__file__).resolve().parent / "games"


def main() -> None:
    """Certify the paper's toy, and isoelastic Cournot 40 % around its equilibrium, leaf by leaf, with its basin."""
    HERE.mkdir(exist_ok=True)
    games.certify(games.GALLERY["toy"]().game).save(HERE / "toy.json")
    cournot = games.GALLERY["isoelastic-cournot"](share=0.4)
    certificate = games.certify(cournot.game, cournot.region, alpha=1.147)
    games.with_basin(cournot.game, certificate).save(HERE / "cournot.json")
    refused = games.GALLERY["vertex-trap"]()
    games.certify(refused.game, refused.region).save(HERE / "trap.json")
    cube = games.box_study("markov", {"radius": 0.2}, alpha=0.1, max_boxes=60_000, seconds=600.0)
    results.save(cube, HERE / "markov.nc")


if __name__ == "__main__":
    main()
