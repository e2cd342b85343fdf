"""The networks of populations that ship: letters and swarms, each embedding, the first seed of each study."""

import functools

from workbench import checks, data
from workbench.fields.population.laws import populations
from workbench.fields.population.methods import Known
from workbench.fields.population.network import EMBEDDINGS, read_population_network

FIRST = "fields/first_populations.nc"
FIRST_OWN = "fields/first_own_populations.nc"
GAP = "fields/populations_gap.nc"
STUDIES = {"letters": "fields/populations_letters.nc", "swarm": "fields/populations_swarm.nc"}
SETTINGS = {
    "letters": {"train": 72, "held": 20, "points": 300, "steps": 8000},
    "swarm": {"train": 40, "held": 20, "points": 100, "steps": 3000},
}
"""What the shipped studies were made with."""
MORE = "fields/populations_letters_240.nc"
MORE_LETTERS = SETTINGS["letters"] | {"train": 240}
"""The study of letters again, with ten of each to train on as in the paper (and not three)."""


def file_name(kind: str, embedding: str) -> str:
    """Return the name of a shipped network's file in the data folder."""
    return f"fields/populations_{kind}_{embedding}.safetensors"


@functools.lru_cache(maxsize=2)
def shipped_knowledge(kind: str) -> Known:
    """Return what ships for "letters" or "swarm": the training populations, and a network for each embedding.

    >>> sorted(shipped_knowledge("swarm").networks)
    ['deep-sets', 'graph', 'none']
    """
    checks.choice("kind", kind, STUDIES)
    found = SETTINGS[kind]
    networks = {name: read_population_network(data.path(file_name(kind, name))) for name in EMBEDDINGS}
    return Known(populations(kind, found["train"], found["points"]), networks)
