"""Cluster updates: Swendsen–Wang and Wolff for any number of colours, and one chain that can be stopped and resumed.

R. Swendsen and J.-S. Wang, Phys. Rev. Lett. 58 (1987) 86; U. Wolff, Phys. Rev. Lett. 62 (1989) 361. A sweep is a fixed
number of updates: one Swendsen–Wang update, or ``clusters`` Wolff clusters (a number fixed in advance keeps the
measurement unbiased; stopping when enough sites have flipped would not).
"""

import numba
import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.fisher.monte_carlo.models import Model, lattice_shape, neighbours
from workbench.fisher.monte_carlo.random_bits import states, uniform
from workbench.registry import Registry

ALGORITHMS = Registry("algorithm")
"""Cluster updates by name; each is f(spins, near, probability, colours, count, state) → sites flipped."""


@ALGORITHMS.add("swendsen-wang", label="Swendsen–Wang", cost="O(n) an update", reference="PRL 58 (1987) 86")
@numba.njit(nogil=True, cache=True)
def swendsen_wang(spins: NDArray, near: NDArray, probability: float, colours: int, count: int, state: NDArray) -> int:
    """Grow all clusters and give each a fresh colour, ``count`` times."""
    n, links = near.shape
    parent = np.empty(n, dtype=np.int32)
    colour = np.empty(n, dtype=np.int8)
    flipped = 0
    for _ in range(count):
        for i in range(n):
            parent[i] = i
        for i in range(n):
            for a in range(links // 2):
                j = near[i, a]
                if spins[i] == spins[j] and uniform(state) < probability:
                    _join(parent, i, j)
        for i in range(n):
            if parent[i] == i:
                colour[i] = int(uniform(state) * colours)
        for i in range(n):
            new = colour[_root(parent, i)]
            flipped += spins[i] != new
            spins[i] = new
    return flipped


@numba.njit(nogil=True, cache=True, inline="always")
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@numba.njit(nogil=True, cache=True, inline="always")
def _join(parent, i, j):
    i, j = _root(parent, i), _root(parent, j)
    if i < j:
        parent[j] = i
    elif j < i:
        parent[i] = j


@ALGORITHMS.add("wolff", label="Wolff", cost="O(cluster) an update", reference="PRL 62 (1989) 361")
@numba.njit(nogil=True, cache=True)
def wolff(spins: NDArray, near: NDArray, probability: float, colours: int, count: int, state: NDArray) -> int:
    """Grow one cluster from a random site and give it another colour, ``count`` times."""
    n, links = near.shape
    stack = np.empty(n, dtype=np.int32)
    flipped = 0
    for _ in range(count):
        seed = int(uniform(state) * n)
        old = spins[seed]
        new = old + 1 + int(uniform(state) * (colours - 1))
        if new >= colours:
            new -= colours
        spins[seed] = new
        stack[0], size = seed, 1
        while size:
            size -= 1
            i = stack[size]
            flipped += 1
            for a in range(links):
                j = near[i, a]
                if spins[j] == old and uniform(state) < probability:
                    spins[j] = new
                    stack[size] = j
                    size += 1
    return flipped


@numba.njit(nogil=True, cache=True)
def _take(spins, near, probability, q, spacing, by_wolff, clusters, state, scale, offset, fields, order):
    n = len(spins)
    share = np.empty(q, dtype=np.int64)
    flips = 0
    for s in range(len(fields)):
        if by_wolff:
            flips += wolff(spins, near, probability, q, spacing * clusters, state)
        else:
            flips += swendsen_wang(spins, near, probability, q, spacing, state)
        share[:] = 0
        for i in range(n):
            share[spins[i]] += 1
            for a in range(fields.shape[1]):
                fields[s, a, i] = offset + scale * (spins[i] == spins[near[i, a]])
        order[s] = (q * share.max() / n - 1) / (q - 1)
    return flips


class Chain:
    """One Markov chain: spins (colours 0 … q−1) and a generator state, moved in place."""

    def __init__(
        self,
        model: Model,
        L: int,
        J: float | None = None,
        algorithm: str = "swendsen-wang",
        seed: int | np.random.Generator | NDArray = 0,
        clusters: int = 1,
    ) -> None:
        self.model, self.shape = model, lattice_shape(model, L)
        self.J = model.critical if J is None else checks.real("J", J, exclusive_minimum=0.0)
        self.algorithm, self.clusters = ALGORITHMS[algorithm].name, checks.integer("clusters", clusters, minimum=1)
        self.near = neighbours(self.shape)
        self.state = seed.copy() if isinstance(seed, np.ndarray) else states(seed, 1)[0]
        self.spins = np.zeros(len(self.near), dtype=np.int8)

    def sweep(self, count: int = 1) -> int:
        """Make ``count`` sweeps; returns how many sites changed colour."""
        update = ALGORITHMS[self.algorithm].function
        each = self.clusters if self.algorithm == "wolff" else 1
        return update(
            self.spins, self.near, self.model.bond_probability(self.J), self.model.colours, count * each, self.state
        )

    def take(self, count: int, spacing: int = 1) -> tuple[NDArray, NDArray, int]:
        """Take ``count`` samples, ``spacing`` sweeps apart.

        Returns bond energies (count, d, *shape), the Potts order parameter (q max_c ρ_c − 1)/(q − 1) of each sample
        (|m| for Ising), and the number of sites that changed colour.
        """
        d, q = self.model.dimension, self.model.colours
        fields, order = np.empty((count, d, len(self.spins))), np.empty(count)
        flips = _take(
            self.spins, self.near, self.model.bond_probability(self.J), q, spacing, self.algorithm == "wolff",
            self.clusters, self.state, self.model.scale, self.model.offset, fields, order,
        )  # fmt: skip
        return fields.reshape(count, d, *self.shape), order, flips

    def thermalise(self, sweeps: int) -> None:
        """Forget the start; for Wolff also fix the clusters a sweep so that one sweep turns about every site once."""
        self.sweep(sweeps)
        if self.algorithm == "wolff":
            probes = 100
            self.clusters, before = 1, self.clusters
            size = self.sweep(probes) / probes
            self.clusters = max(before, round(len(self.spins) / size))
