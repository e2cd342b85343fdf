"""A field that is told its population: v̂(x, t, φ(p₀)) with an embedding φ of the whole cloud p₀, or without one.

Two embeddings. *Deep sets*: the mean over points of a perceptron. *Graph*: the paper's convolutions on the directed
graph of nearest neighbours, a mean over a point and its neighbours before each layer, pooled and divided by its length.
Both see p₀ alone, never p₁, and do not depend on the order of the points.
"""

import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from safetensors import safe_open
from safetensors.numpy import save_file
from scipy.spatial import cKDTree

from workbench import checks, results
from workbench.fields.core.laws import Floats
from workbench.fields.core.network import LARGEST, Singles, forward, pull_back, silu, silu_slope, split

EMBEDDINGS = ("none", "deep-sets", "graph")
INNER, NUMBERS = 64, 32
"""Width of an embedding's layers, and how many numbers it gives."""
SHARE = 8
"""A point has n/8 neighbours: 50 of 400 as in the paper, and the same share of clouds of other sizes."""
MOST_CLOUD = 3000
"""Points of a cloud in a graph, which is kept as a matrix."""


class Cloud(NamedTuple):
    """What an embedding needs of a cloud: its points, and for the graph the mean over neighbours as a matrix."""

    points: Singles
    neighbours: Singles | None
    smooth: Singles | None
    pool: Singles | None


def prepare_cloud(points: ArrayLike, embedding: str) -> Cloud:
    """Return a cloud (n, d) as ``embedding`` needs it. Cost: of a graph n² · 4 bytes; none else."""
    x = checks.finite_array("source", points, ndim=2, dtype=np.float32)
    if embedding != "graph":
        return Cloud(x, None, None, None)
    n = len(x)
    if not 2 <= n <= MOST_CLOUD:
        raise ValueError(
            f"a graph of nearest neighbours takes 2 to {MOST_CLOUD:,} points, got {n:,}; thin the cloud out"
        )
    k = min(max(n // SHARE, 1), n - 1)
    near = cKDTree(x).query(x, k=k + 1)[1]
    matrix = np.zeros((n, n), np.float32)
    np.put_along_axis(matrix, near, np.float32(1.0), axis=1)
    np.fill_diagonal(matrix, 1.0)  # of duplicate points the tree may name another first
    matrix /= matrix.sum(axis=1, keepdims=True)
    return Cloud(x, matrix, matrix @ x, matrix.mean(axis=0))


class PopulationNetwork(results.Described):
    """A perceptron (x, t, φ) ↦ v̂ and its embedding φ, with one row of parameters for both, in single precision.

    >>> network = PopulationNetwork.fresh(2, "deep-sets", width=16, depth=2, seed=0)
    >>> cloud = np.random.default_rng(0).normal(size=(20, 2))
    >>> network.embed(cloud).shape, network.field(cloud)(cloud, 0.5).shape
    ((32,), (20, 2))
    """

    def __init__(self, embedding: str, outer: Sequence[int], row: ArrayLike) -> None:
        self.embedding = checks.choice("embedding", embedding, EMBEDDINGS)
        self.outer = [checks.integer("width of a layer", n, minimum=1, maximum=1024) for n in outer]
        self.dimension = self.outer[-1]
        told = self.dimension + 1 + (NUMBERS if embedding != "none" else 0)
        if len(self.outer) < 3 or self.outer[0] != told:
            raise ValueError(
                f"the layers of a field in {self.dimension} dimensions begin with {told}, got {self.outer}"
            )
        self._shapes = [(b, a) for a, b in itertools.pairwise(self.outer)]
        inner = [self.dimension, INNER, INNER, NUMBERS] if embedding != "none" else []
        self._inner_shapes = [(b, a) for a, b in itertools.pairwise(inner)]
        self.first = sum(a * b + a for a, b in self._shapes)
        size = self.first + sum(a * b + a for a, b in self._inner_shapes)
        self.row = checks.finite_array("parameters", row, ndim=1, dtype=np.float32).copy()
        if len(self.row) != size:
            raise ValueError(f"a network of these layers has {size:,} parameters, got {len(self.row):,}")
        self.weights, self.biases = split(self.row[: self.first], self._shapes)
        self.inner_weights, self.inner_biases = split(self.row[self.first :], self._inner_shapes)

    @classmethod
    def fresh(
        cls, dimension: int, embedding: str = "none", *, width: int = 128, depth: int = 3, seed: int = 0
    ) -> "PopulationNetwork":
        """Return a network before training, weights and biases uniform in ±1/√in."""
        dimension = checks.integer("dimension", dimension, minimum=1, maximum=512)
        checks.choice("embedding", embedding, EMBEDDINGS)
        width = checks.integer("width", width, minimum=8, maximum=512)
        depth = checks.integer("depth", depth, minimum=1, maximum=8)
        rng = checks.generator(seed)
        told = NUMBERS if embedding != "none" else 0
        outer = [dimension + 1 + told, *[width] * depth, dimension]
        sides = [*itertools.pairwise(outer)]
        if told:
            sides += itertools.pairwise([dimension, INNER, INNER, NUMBERS])
        row = [rng.uniform(-1, 1, a * b + b) / np.sqrt(a) for a, b in sides]
        return cls(embedding, outer, np.concatenate(row))

    def describe(self) -> object:
        """Return the layers and parameters."""
        return {"embedding": self.embedding, "layers": self.outer, "parameters": self.row}

    def embed(self, points: ArrayLike | Cloud) -> Floats:
        """Return φ of a cloud (n, d): 32 numbers, none without an embedding."""
        cloud = points if isinstance(points, Cloud) else prepare_cloud(points, self.embedding)
        if cloud.points.shape[1] != self.dimension:
            raise ValueError(f"the cloud has {cloud.points.shape[1]} coordinates and the network {self.dimension}")
        if self.embedding == "none":
            return np.empty(0)
        return self.embeddings([cloud])[0][0].astype(np.float64)

    def field(self, points: ArrayLike) -> Callable[[ArrayLike, ArrayLike], Floats]:
        """Return the field of the population whose source is ``points``: a function (x, t) ↦ v̂."""
        told = self.embed(points).astype(np.float32)

        def velocity(x: ArrayLike, t: ArrayLike) -> Floats:
            x = checks.finite_array("x", x, ndim=2)
            if x.shape[1] != self.dimension:
                raise ValueError(f"x has {x.shape[1]} coordinates and the network {self.dimension}")
            entering = np.empty((len(x), self.outer[0]), np.float32)
            entering[:, : self.dimension], entering[:, self.dimension], entering[:, self.dimension + 1 :] = x, t, told
            h = entering
            for w, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
                h = silu(h @ w.T + b)
            return (h @ self.weights[-1].T + self.biases[-1]).astype(np.float64)

        return velocity

    def embeddings(self, clouds: Sequence[Cloud]) -> tuple[Singles, object]:
        """Return φ of several clouds (clouds, 32), with what :meth:`pull` needs."""
        if self.embedding == "deep-sets":
            sizes = np.array([len(c.points) for c in clouds])
            out, *kept = forward(self.inner_weights, self.inner_biases, np.concatenate([c.points for c in clouds]))
            sums = np.add.reduceat(out, np.concatenate([[0], np.cumsum(sizes)[:-1]]), axis=0)
            return sums / sizes[:, None].astype(np.float32), (sizes, kept)
        made = [self._graph(c) for c in clouds]
        return np.stack([one[0] for one in made]), (clouds, made)

    def pull(self, kept: object, away: Singles, slopes: Singles) -> None:
        """Write the gradient of a loss in the embedding's parameters, from its gradient ``away`` (clouds, 32) in φ."""
        if self.embedding == "deep-sets":
            sizes, (hidden, bends) = kept  # type: ignore[misc]
            spread = np.repeat(away / sizes[:, None].astype(np.float32), sizes, axis=0)
            pull_back(self.inner_weights, hidden, bends, spread, slopes)
            return
        slopes[:] = 0.0
        into_w, into_b = split(slopes, self._inner_shapes)
        for cloud, (phi, length, pooled, z1, second, z2), d_phi in zip(*kept, away, strict=True):  # type: ignore[misc]
            d_out = (d_phi - phi * (phi @ d_phi)) / length
            into_w[2] += np.outer(d_out, pooled)
            into_b[2] += d_out
            d_z2 = np.outer(cloud.pool, self.inner_weights[2].T @ d_out) * silu_slope(z2)
            into_w[1] += d_z2.T @ second
            into_b[1] += d_z2.sum(axis=0)
            d_z1 = (cloud.neighbours.T @ (d_z2 @ self.inner_weights[1])) * silu_slope(z1)
            into_w[0] += d_z1.T @ cloud.smooth
            into_b[0] += d_z1.sum(axis=0)

    def _graph(self, cloud: Cloud) -> tuple:
        (w1, w2, w3), (b1, b2, b3) = self.inner_weights, self.inner_biases
        z1 = cloud.smooth @ w1.T + b1
        second = cloud.neighbours @ silu(z1)
        z2 = second @ w2.T + b2
        pooled = cloud.pool @ silu(z2)  # the last layer is linear, so its mean is taken first
        out = w3 @ pooled + b3
        length = max(float(np.linalg.norm(out)), 1e-6)
        return out / np.float32(length), np.float32(length), pooled, z1, second, z2

    def save(self, path: str | Path) -> None:
        """Write the network as safetensors."""
        told = json.dumps({"embedding": self.embedding, "layers": self.outer})
        save_file({"parameters": self.row}, str(path), metadata={"workbench": told})


def read_population_network(path: str | Path) -> PopulationNetwork:
    """Return a network that :meth:`PopulationNetwork.save` wrote; ``ValueError`` for any other file."""
    path = Path(path)
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path.name} has more than {LARGEST:,} bytes, the most of a field network's file")
    try:
        with safe_open(str(path), "numpy") as file:
            told = json.loads((file.metadata() or {})["workbench"])
            row = file.get_tensor("parameters")
            embedding, layers = str(told["embedding"]), list(told["layers"])
    except Exception as error:  # the reader has an exception of its own
        raise ValueError(f"{path.name} is no network of populations ({error})") from error
    return PopulationNetwork(embedding, layers, row)
