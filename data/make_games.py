"""Make the certificates that ship with the games room: ``python data/make_games.py`` writes data/games/*.json."""

from pathlib import Path

from workbench import games

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


if __name__ == "__main__":
    main()
