"""A small network trained with a loss and the paper's confusion term, in NumPy.

f = W relu(V x + v) + b. The term λ log E_ec(f) acts as in the released code: on raw embeddings unless asked otherwise,
with its gradient stopped at the last layer, so that only W feels it (b cannot: E knows differences alone).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.metrics.embeddings.inputs import Floats, Labelled
from workbench.metrics.embeddings.losses import EMBEDDING_LOSSES, Pairs

HIDDEN, DIMENSIONS = 96, 16
RATE = 1e-3
BATCH, MOST_CLASSES_IN_BATCH = 40, 65
"""Items of a batch where classes are few; the paper's batch has 65 classes of two items each."""


@dataclass(frozen=True)
class Setting:
    """What a run is trained with: loss, weight λ of the confusion term, its power, on raw or normalised embeddings."""

    loss: str = "binomial"
    confusion: float = 0.0
    power: float = 2.0
    normalised: bool = False
    steps: int = 120


class Network(NamedTuple):
    """Weights of the network, and how inputs are brought to its scale: (x − shift)/scale."""

    first: Floats
    first_bias: Floats
    last: Floats
    last_bias: Floats
    shift: Floats
    scale: float

    def hidden(self, x: Floats) -> Floats:
        """Return the hidden layer (n, hidden) of raw inputs (n, features)."""
        return np.maximum((x - self.shift) / self.scale @ self.first.T + self.first_bias, 0.0)

    def embed(self, x: Floats) -> Floats:
        """Return the embeddings (n, dimensions) of raw inputs."""
        return self.hidden(x) @ self.last.T + self.last_bias


class Trained(NamedTuple):
    """A network, the mean over its steps of the share of shrinking in the term's gradient, and the last loss."""

    network: Network
    shrinking: float
    loss: float


def fresh(seen: Labelled, seed: int | list[int]) -> Network:
    """Return a network before training: weights uniform in ±1/√in, inputs scaled to the seen items."""
    rng = np.random.default_rng(seed)
    x = seen.features
    shift = x.mean(axis=0)
    scale = float(np.sqrt(np.mean((x - shift) ** 2))) or 1.0
    sides = ((HIDDEN, x.shape[1]), (DIMENSIONS, HIDDEN))
    made = []
    for out, into in sides:
        reach = 1 / np.sqrt(into)
        made += [rng.uniform(-reach, reach, (out, into)), rng.uniform(-reach, reach, out)]
    return Network(*made, shift, scale)


def train(
    seen: Labelled, setting: Setting, *, seed: int | list[int] = 0, look: Callable[[int], None] | None = None
) -> Trained:
    """Return the network after Adam (rate 10⁻³); with one seed, starts and batches are the same for every setting.

    ``look(step)`` is called at every tenth step.
    """
    start = fresh(seen, seed)
    theta = np.concatenate([part.ravel() for part in start[:4]])
    ends = np.cumsum([0, *(part.size for part in start[:4])])
    V, v, W, b = (theta[ends[k] : ends[k + 1]].reshape(start[k].shape) for k in range(4))
    slopes = np.zeros_like(theta)
    dV, dv, dW, db = (slopes[ends[k] : ends[k + 1]].reshape(start[k].shape) for k in range(4))
    first, second = np.zeros_like(theta), np.zeros_like(theta)
    loss = EMBEDDING_LOSSES[setting.loss]
    inputs = (seen.features - start.shift) / start.scale
    draw = _Batches(seen, [1, *np.atleast_1d(seed).tolist()])
    shares, value = [], np.nan
    for step in range(1, setting.steps + 1):
        if look is not None and step % 10 == 0:
            look(step)
        rows, pairs = draw()
        x = inputs[rows]
        h = np.maximum(x @ V.T + v, 0.0)
        f = h @ W.T + b
        value, back = loss(f, pairs)
        np.dot(back.T, h, out=dW)
        np.sum(back, axis=0, out=db)
        behind = (back @ W) * (h > 0)
        np.dot(behind.T, x, out=dV)
        np.sum(behind, axis=0, out=dv)
        if setting.confusion:
            term = relative_gradient(f, pairs, setting.power, setting.normalised)
            own, own_bias = term.T @ h, term.sum(axis=0)
            shares.append(shrinking_share(own, own_bias, W, b))
            dW += setting.confusion * own
            db += setting.confusion * own_bias
        first += 0.1 * (slopes - first)
        second += 0.001 * (slopes * slopes - second)
        theta -= (RATE / (1 - 0.9**step)) * first / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    parts = (part.copy() for part in (V, v, W, b))
    shrinking = float(np.mean(shares)) if shares else np.nan
    return Trained(Network(*parts, start.shift, start.scale), shrinking, float(value))


def relative_gradient(f: Floats, pairs: Pairs, power: float, normalised: bool) -> Floats:
    """Return the gradient in f (B, d) of log E over a batch; 0 where E vanishes and the logarithm has none."""
    x, lengths = f, None
    if normalised:
        lengths = np.sqrt(np.einsum("ij,ij->i", f, f))[:, None]
        lengths = np.where(lengths > 0, lengths, 1.0)
        x = f / lengths
    x = x - x.mean(axis=0)
    norms = np.einsum("ij,ij->i", x, x)
    squares = np.maximum(norms[:, None] + norms[None, :] - 2 * x @ x.T, 0.0) * pairs.negative
    if power == 2.0:
        weights, total = 2.0 * pairs.negative, squares.sum()
    else:
        safe = np.where(squares > 0, squares, 1.0)
        weights = np.where(squares > 0, power * safe ** (0.5 * power - 1), 0.0)
        total = (squares ** (0.5 * power)).sum()
    if not total > 0:
        return np.zeros_like(f)
    # total counts every pair twice, and each pair pulls at both of its ends
    slope = 2 * (weights.sum(axis=1)[:, None] * x - weights @ x) / total
    if lengths is None:
        return slope
    u = f / lengths
    return (slope - np.einsum("ij,ij->i", u, slope)[:, None] * u) / lengths


def shrinking_share(slope: Floats, slope_bias: Floats, last: Floats, bias: Floats) -> float:
    """Return how much of a gradient's squared length lies along (W, b) itself, i.e. only rescales the embedding."""
    size = float(np.sum(slope**2) + np.sum(slope_bias**2))
    own = float(np.sum(last**2) + np.sum(bias**2))
    if not size > 0 or not own > 0:
        return np.nan
    along = float(np.sum(slope * last) + np.sum(slope_bias * bias))
    return along**2 / (own * size)


class _Batches:
    """Draws batches with equally many items of each class; of classes that have two items or more."""

    def __init__(self, seen: Labelled, seed: list[int]) -> None:
        self._rng = np.random.default_rng(seed)
        kinds = np.flatnonzero(seen.counts >= 2)
        self._rows = [np.flatnonzero(seen.codes == kind) for kind in kinds]
        self._classes = min(len(kinds), MOST_CLASSES_IN_BATCH)
        smallest = min(len(rows) for rows in self._rows)
        self._each = min(max(BATCH // self._classes, 2), smallest)
        self._pairs = Pairs.of(np.repeat(np.arange(self._classes), self._each))

    def __call__(self) -> tuple[NDArray[np.int64], Pairs]:
        """Return the rows of a batch, class by class, and its pairs."""
        chosen = range(self._classes)
        if self._classes < len(self._rows):
            chosen = self._rng.choice(len(self._rows), self._classes, replace=False)
        rows = [self._rng.choice(self._rows[k], self._each, replace=False) for k in chosen]
        return np.concatenate(rows), self._pairs
