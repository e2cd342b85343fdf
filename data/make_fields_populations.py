"""Make the studies behind "Populations" and the networks that ship; about ten minutes on one core."""

import sys
from pathlib import Path

from workbench import results
from workbench.fields import compare_populations, population_gap, population_report
from workbench.fields.population.network import EMBEDDINGS, PopulationNetwork
from workbench.fields.population.shipped import SETTINGS, STUDIES, file_name
from workbench.progress import TqdmProgress

DATA = Path(__file__).resolve().parent


def study(kind: str) -> None:
    """Train and judge; the networks of the first seed go into files of their own."""
    ds = compare_populations(kind, **SETTINGS[kind], progress=TqdmProgress(kind))
    for embedding in EMBEDDINGS:
        key = embedding.replace("-", "_")
        fresh = PopulationNetwork.fresh(2, embedding)
        network = PopulationNetwork(embedding, fresh.outer, ds[f"network_{key}"].values)
        network.save(DATA / file_name(kind, embedding))
        ds = ds.drop_vars([f"network_{key}", f"parameter_{key}"])
    results.save(ds, DATA / STUDIES[kind])


if __name__ == "__main__":
    for kind in sys.argv[1:] or STUDIES:
        study(kind)
    results.save(population_gap(progress=TqdmProgress("gap")), DATA / "fields" / "populations_gap.nc")
    results.save(population_report(), DATA / "fields" / "first_populations.nc")
