"""The trained networks that ship: five blobs, from 32, 128 and 1,024 points, at four steps of their training."""

import functools

import numpy as np

from workbench import checks, data
from workbench.fields.core.laws import LAWS, Floats
from workbench.fields.core.network import FieldNetwork, read_network

SHIPPED_LAW = "five-blobs"
SHIPPED_POINTS = (32, 128, 1024)
SHIPPED_STEPS = (200, 800, 3000, 6000)
STUDY = "fields/training.nc"
BUDGETS = "fields/budgets.nc"


@functools.lru_cache(maxsize=16)
def shipped_network(points: int, step: int) -> FieldNetwork:
    """Return a network that was trained on ``points`` draws from "five-blobs" for ``step`` steps.

    ``ValueError`` for numbers that do not ship. The curves of their training are ``data.result("fields/training.nc")``.

    >>> shipped_network(128, 800).size
    33794
    """
    for name, value, known in (("points", points, SHIPPED_POINTS), ("step", step, SHIPPED_STEPS)):
        if checks.integer(name, value) not in known:
            raise ValueError(f"no network ships for {name} = {value}; there are {', '.join(map(str, known))}")
    return read_network(data.path(file_name(points, step)))


def file_name(points: int, step: int) -> str:
    """Return the name of a shipped network's file in the data folder."""
    return f"fields/five_blobs_{points}_{step}.safetensors"


def shipped_sample(points: int) -> Floats:
    """Return the points (n, 2) that a shipped network was trained on.

    >>> shipped_sample(32).shape
    (32, 2)
    """
    return LAWS[SHIPPED_LAW]().sample(points, np.random.default_rng([0, 0]))
