"""A small network as a field: v̂(x, t) of a perceptron in NumPy, with its slope, its Jacobian and a Lipschitz proof.

In NumPy and not in torch because everything here is a handful of matrix products: training begins at once, runs beside
other visitors without holding Python's lock, and the Jacobian in x comes out in the same pass. torch's own
differentiation is the test's second engine.
"""

import itertools
import json
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from workbench import checks, results
from workbench.fields.core.laws import Floats

Singles = NDArray[np.float32]
SILU_SLOPE = 1.09984
"""The largest derivative of SiLU, rounded up (1.0998393194…)."""
ROUNDED_UP = 1 + 1e-12
"""On norms that come out of a singular value decomposition, before they enter a proof."""
WIDTHS, DEPTHS = (8, 512), (1, 8)
LARGEST = 300_000


class FieldNetwork(results.Described):
    """A perceptron (x, t) ↦ v̂ with SiLU between its layers, in single precision.

    ``weights`` are matrices (out, in), the first with d + 1 columns (the last of them for t), the last with d rows;
    ``biases`` their vectors (out,). Called with points (n, d) and a time, or one for each, it gives (n, d).

    >>> network = FieldNetwork.fresh(2, width=16, depth=2, seed=0)
    >>> network.dimension, network.size, network(np.zeros((3, 2)), 0.5).shape
    (2, 370, (3, 2))
    """

    def __init__(self, weights: list[ArrayLike], biases: list[ArrayLike]) -> None:
        if len(weights) != len(biases) or len(weights) < 2:
            raise ValueError(f"a field network has two layers or more, got {len(weights)} and {len(biases)} biases")
        self.weights = [checks.finite_array(f"weight {k}", w, ndim=2, dtype=np.float32) for k, w in enumerate(weights)]
        self.biases = [checks.finite_array(f"bias {k}", b, ndim=1, dtype=np.float32) for k, b in enumerate(biases)]
        into = self.weights[-1].shape[0] + 1
        for k, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            if w.shape[1] != into or len(b) != w.shape[0]:
                raise ValueError(f"layer {k} has weights {w.shape} and biases {b.shape} where {into} numbers come in")
            into = w.shape[0]

    @classmethod
    def fresh(cls, dimension: int, *, width: int = 128, depth: int = 3, seed: int = 0) -> "FieldNetwork":
        """Return a network before training: ``depth`` hidden layers, weights uniform in ±1/√in as torch begins."""
        dimension = checks.integer("dimension", dimension, minimum=1, maximum=512)
        width = checks.integer("width", width, minimum=WIDTHS[0], maximum=WIDTHS[1])
        depth = checks.integer("depth", depth, minimum=DEPTHS[0], maximum=DEPTHS[1])
        rng = checks.generator(seed)
        sides = [dimension + 1, *[width] * depth, dimension]
        weights, biases = [], []
        for into, out in itertools.pairwise(sides):
            reach = 1 / np.sqrt(into)
            weights.append(rng.uniform(-reach, reach, (out, into)))
            biases.append(rng.uniform(-reach, reach, out))
        return cls(weights, biases)

    def describe(self) -> object:
        """Return the parameters."""
        return {"parameters": self.parameters, "layers": [list(w.shape) for w in self.weights]}

    @property
    def dimension(self) -> int:
        """The number d of coordinates."""
        return self.weights[-1].shape[0]

    @property
    def size(self) -> int:
        """The number of parameters."""
        return sum(w.size + b.size for w, b in zip(self.weights, self.biases, strict=True))

    @property
    def parameters(self) -> Singles:
        """All parameters in one row, layer by layer, weights before biases."""
        return np.concatenate([p.ravel() for pair in zip(self.weights, self.biases, strict=True) for p in pair])

    def with_parameters(self, row: ArrayLike) -> "FieldNetwork":
        """Return a network of the same layers with other parameters."""
        row = checks.finite_array("parameters", row, ndim=1, dtype=np.float32)
        if len(row) != self.size:
            raise ValueError(f"this network has {self.size:,} parameters, got {len(row):,}")
        weights, biases = split(row, [w.shape for w in self.weights])
        return FieldNetwork([w.copy() for w in weights], [b.copy() for b in biases])

    def __call__(self, x: ArrayLike, t: ArrayLike) -> Floats:
        """Return v̂(x, t), (n, d), in double precision for whoever integrates it."""
        h = self._entering(x, t)
        for w, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            h = silu(h @ w.T + b)
        return (h @ self.weights[-1].T + self.biases[-1]).astype(np.float64)

    def jacobian(self, x: ArrayLike, t: ArrayLike) -> Floats:
        """Return ∂v̂_a/∂x_b, (n, d, d), forwards through the layers. Memory n · d · width · 4 bytes."""
        h = self._entering(x, t)
        d = self.dimension
        checks.memory(12.0 * len(h) * d * max(len(b) for b in self.biases), "the Jacobian of the network")
        slope = np.broadcast_to(np.eye(d + 1, d, dtype=np.float32).T, (len(h), d, d + 1))  # (n, in, layer)
        for w, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            z = h @ w.T + b
            slope = (slope @ w.T) * silu_slope(z)[:, None, :]
            h = silu(z)
        return (slope @ self.weights[-1].T).transpose(0, 2, 1).astype(np.float64)

    def lipschitz(self) -> float:
        """Return a proved bound of the Lipschitz constant in x: Π ‖W_l‖₂ · 1.09984 for each SiLU, t apart.

        A certificate, and far above the truth: 10³ for a network whose slopes never pass 20.
        """
        first = self.weights[0][:, : self.dimension].astype(np.float64)
        norms = [np.linalg.norm(w.astype(np.float64), 2) * ROUNDED_UP for w in (first, *self.weights[1:])]
        return float(np.prod(norms)) * SILU_SLOPE ** (len(self.weights) - 1)

    def save(self, path: str | Path, **told: object) -> None:
        """Write the network as safetensors; ``told`` goes into the header as JSON."""
        tensors = {f"layers.{k}.weight": w for k, w in enumerate(self.weights)}
        tensors |= {f"layers.{k}.bias": b for k, b in enumerate(self.biases)}
        save_file(tensors, str(path), metadata={"workbench": json.dumps(told)})

    def _entering(self, x: ArrayLike, t: ArrayLike) -> Singles:
        x = checks.finite_array("x", x, ndim=2)
        if x.shape[1] != self.dimension:
            raise ValueError(f"x has {x.shape[1]} coordinates and the network {self.dimension}")
        times = checks.finite_array("t", t, ndim=(0, 1))
        if times.ndim and len(times) != len(x):
            raise ValueError(f"there are {len(x)} points and {len(times)} times; give one time, or one for each point")
        made = np.empty((len(x), self.dimension + 1), np.float32)
        made[:, :-1], made[:, -1] = x, times
        return made


def read_network(path: str | Path) -> FieldNetwork:
    """Return a network that :meth:`FieldNetwork.save` wrote; ``ValueError`` for any other file."""
    path = Path(path)
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path.name} has more than {LARGEST:,} bytes, the most of a field network's file")
    try:
        with safe_open(str(path), "numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except Exception as error:  # the reader has an exception of its own
        raise ValueError(f"{path.name} is no safetensors file ({error})") from error
    depth = len(tensors) // 2
    names = [f"layers.{k}.{kind}" for k in range(depth) for kind in ("weight", "bias")]
    if sorted(names) != sorted(tensors):
        raise ValueError(f"{path.name} is no field network: its tensors are {', '.join(sorted(tensors)[:6])}")
    return FieldNetwork(
        [tensors[f"layers.{k}.weight"] for k in range(depth)], [tensors[f"layers.{k}.bias"] for k in range(depth)]
    )


def split(row: Singles, shapes: list[tuple[int, ...]]) -> tuple[list[Singles], list[Singles]]:
    """Return a row of parameters as views: the weights and the biases of each layer."""
    weights, biases, at = [], [], 0
    for out, into in shapes:
        weights.append(row[at : at + out * into].reshape(out, into))
        at += out * into
        biases.append(row[at : at + out])
        at += out
    return weights, biases


def silu(z: Singles) -> Singles:
    """Return z σ(z), written with tanh, which knows no overflow."""
    return z * (0.5 * np.tanh(0.5 * z) + np.float32(0.5))


def silu_slope(z: Singles) -> Singles:
    """Return the derivative of SiLU."""
    s = 0.5 * np.tanh(0.5 * z) + np.float32(0.5)
    return s * (1 + z * (1 - s))


def forward(
    weights: list[Singles], biases: list[Singles], entering: Singles
) -> tuple[Singles, list[Singles], list[Singles]]:
    """Return what leaves the layers for ``entering`` (n, in), with what :func:`pull_back` needs: inputs and slopes."""
    hidden, bends = [entering], []
    h = entering
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        z = h @ w.T
        z += b
        s = np.tanh(0.5 * z)
        s *= 0.5
        s += 0.5
        h = z * s
        z *= 1 - s
        z += 1
        s *= z  # the derivative: s (1 + z (1 − s))
        hidden.append(h)
        bends.append(s)
    return h @ weights[-1].T + biases[-1], hidden, bends


def pull_back(
    weights: list[Singles], hidden: list[Singles], bends: list[Singles], away: Singles, slopes: Singles
) -> Singles:
    """Write the gradient of a loss in all parameters into ``slopes``, from its gradient ``away`` in the values.

    Returned is the gradient in what enters the first layer's bend: times its weights, that in the network's inputs.
    """
    d_weights, d_biases = split(slopes, [w.shape for w in weights])
    for k in range(len(weights) - 1, -1, -1):
        np.dot(away.T, hidden[k], out=d_weights[k])
        np.sum(away, axis=0, out=d_biases[k])
        if k:
            away = away @ weights[k]
            away *= bends[k - 1]
    return away


def backward(
    weights: list[Singles], biases: list[Singles], entering: Singles, wanted: Singles, slopes: Singles
) -> float:
    """Write the gradient of the loss mean ‖v̂ − u‖² into ``slopes`` (a row as ``parameters``); return the loss.

    ``entering`` (n, d + 1) are points with their times, ``wanted`` (n, d) the velocities u.
    """
    away, hidden, bends = forward(weights, biases, entering)
    away -= wanted
    loss = float(np.einsum("ij,ij->", away, away)) / len(away)
    away *= 2 / len(away)
    pull_back(weights, hidden, bends, away, slopes)
    return loss


class Adam:
    """Adam on one row of parameters, in place.

    Reference: Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1.

    >>> theta = np.ones(3, np.float32)
    >>> Adam(theta, 0.1).step(np.array([1.0, -1.0, 2.0], np.float32))
    >>> theta.round(4).tolist()
    [0.8999999761581421, 1.100000023841858, 0.8999999761581421]
    """

    def __init__(self, theta: Singles, rate: float) -> None:
        self.theta, self.rate = theta, rate
        self._first, self._second, self._steps = np.zeros_like(theta), np.zeros_like(theta), 0

    def step(self, slopes: Singles) -> None:
        """Take one step against the gradient ``slopes``."""
        self._steps += 1
        self._first += np.float32(0.1) * (slopes - self._first)
        self._second += np.float32(0.001) * (slopes * slopes - self._second)
        size = np.sqrt(self._second * np.float32(1 / (1 - 0.999**self._steps))) + np.float32(1e-8)
        self.theta -= np.float32(self.rate / (1 - 0.9**self._steps)) * self._first / size
