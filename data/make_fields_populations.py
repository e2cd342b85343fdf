"""Make the studies behind "Populations" and the networks that ship; about twenty minutes on one core.

``python data/make_fields_populations.py [PART …] [--quick FOLDER]`` makes all parts or those named: letters, swarm,
more-letters (the study of letters again with 240 of them to train on), first (what the tabs open with). ``--quick``
goes through all of it with tiny settings and writes into another folder, to see that the script works.
"""

import argparse
from pathlib import Path

from workbench import results
from workbench.fields import (
    compare_populations,
    example_population_table,
    own_population_report,
    population_gap,
    population_report,
)
from workbench.fields.population.network import EMBEDDINGS, PopulationNetwork
from workbench.fields.population.shipped import FIRST, FIRST_OWN, GAP, MORE, MORE_LETTERS, SETTINGS, STUDIES, file_name
from workbench.progress import TqdmProgress

DATA = Path(__file__).resolve().parent
TINY = {"train": 4, "held": 5, "points": 30, "steps": 4, "seeds": (0, 1)}


def study(kind: str, folder: Path, quick: bool) -> None:
    """Train and judge; the networks of the first seed go into files of their own."""
    ds = compare_populations(kind, **(TINY if quick else SETTINGS[kind]), progress=TqdmProgress(kind))
    for embedding in EMBEDDINGS:
        row = ds[f"network_{embedding.replace('-', '_')}"].values
        PopulationNetwork(embedding, PopulationNetwork.fresh(2, embedding).outer, row).save(
            folder / file_name(kind, embedding)
        )
    results.save(without_networks(ds), folder / STUDIES[kind])


def more_letters(folder: Path, quick: bool) -> None:
    """Train again on more letters; the networks are not kept."""
    ds = compare_populations("letters", **(TINY if quick else MORE_LETTERS), progress=TqdmProgress("more letters"))
    results.save(without_networks(ds), folder / MORE)


def without_networks(ds):
    """Return a study without the parameters of its networks."""
    keys = [embedding.replace("-", "_") for embedding in EMBEDDINGS]
    return ds.drop_vars([f"{part}_{key}" for key in keys for part in ("network", "parameter")])


def first(folder: Path, quick: bool) -> None:
    """Keep what the tabs open with; the populations of one tab move by the networks that ship."""
    gap = {"count": 4, "draws": 2, "times": 2} if quick else {}
    results.save(population_gap(**gap, progress=TqdmProgress("gap")), folder / GAP)
    results.save(population_report(), folder / FIRST)
    table, few = example_population_table(), {"steps": 5, "folds": 2} if quick else {}
    rows = (table.features, table.population, table.time, table.particle)
    results.save(own_population_report(*rows, **few, progress=TqdmProgress("own")), folder / FIRST_OWN)


def main() -> None:
    """Make the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--quick", type=Path, metavar="FOLDER", help="tiny settings, into this folder")
    given = parser.parse_args()
    known = (*STUDIES, "more-letters", "first")
    if set(given.parts) - set(known):
        parser.error(f"the parts are {', '.join(known)}")
    folder = given.quick or DATA
    (folder / "fields").mkdir(parents=True, exist_ok=True)
    for part in given.parts or known:
        if part in STUDIES:
            study(part, folder, given.quick is not None)
        else:
            (more_letters if part == "more-letters" else first)(folder, given.quick is not None)


if __name__ == "__main__":
    main()
