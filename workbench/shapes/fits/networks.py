"""Trained fits in PyTorch: hash grids as in instant-NGP, MetricGrids as published, a SIREN, and a linear grid by Adam.

Levels of a grid have resolutions in geometric progression; a place reads the 2^d corners of its cell at each level,
two numbers a corner, and interpolates. MetricGrids read *one* table three times, at the three metric coordinates, and
add what they read. Coordinates of the sine and arcsine maps are negative: cells of the same index are the same numbers,
so the cells of φ₂, in [−1, −½]^d, are among those of φ₁, in [−1, 0]^d, and only those of φ₀ lie apart.

Indices are whole numbers with a sign, and a table that is too small takes (XOR of coordinate times prime) modulo its
length, never negative: one convention, whatever a cast to unsigned numbers would make of them.

All models share one recipe: Adam (β 0.9 and 0.99), mean squared error, cosine decay, batches of 1,024 samples; tables
and ReLU decoders learn at 1e-2, layers of sines at 1e-3. Same seed and threads, same weights.
"""

import copy
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workbench.progress import Progress
from workbench.shapes.fits.bases import LinearFamily, metric_maps

Floats = NDArray[np.float64]
LEVELS, FEATURES, COARSEST = 6, 2, 4
PRIMES = (1, 2_654_435_761, 805_459_861)
BATCH = 1024
DECODER_SHARE = 0.35
WIDTHS = tuple(range(64, 7, -4))
OMEGA = 30.0
REPORTS = 60
"""Points of the curve of a training."""
PIECE = 8192
JUDGES = 0.1
"""Share of the samples seen that does not train where the best step is kept."""


@dataclass(frozen=True)
class Trained:
    """What a trained model shows at all samples (n, channels), how many numbers it has, and how its training went."""

    shown: Floats
    parameters: int
    seconds: float
    step: NDArray[np.int64] = field(repr=False)
    loss: Floats = field(repr=False)
    validation: Floats = field(repr=False)
    kept: int


@dataclass(frozen=True)
class Plan:
    """Sizes of a model for a budget: table lengths and resolutions of the levels, and the width of the decoder."""

    resolutions: tuple[int, ...]
    lengths: tuple[int, ...]
    width: int
    parameters: int


def capacity(resolution: int, dimension: int, metric: bool) -> int:
    """Return how many corners a level has: of the cells of [0, 1]^d, with those of [−1, 0]^d for the metric maps."""
    return (1 + metric) * (resolution + 1) ** dimension


def decoder_size(kind: str, width: int, dimension: int, channels: int) -> int:
    """Return the numbers of a decoder: two hidden layers of ReLU, or four of modulated sines."""
    inputs = LEVELS * FEATURES
    last = width * channels + channels
    if kind == "relu":
        return inputs * width + width * width + 2 * width + last
    modulators = (dimension + 3 * inputs) * width + 4 * width
    return inputs * width + 3 * width * width + 4 * width + modulators + last


def plan(budget: int, size: int, dimension: int, channels: int, *, metric: bool, decoder: str) -> Plan:
    """Return the largest model of at most ``budget`` numbers; ``ValueError`` says the least that works.

    The decoder takes about a third. The finest level has as many cells as half the samples of an axis, or more where
    the budget is not used up; table lengths are then cut, and corners hashed, until the budget holds.

    >>> made = plan(5808, 64, 2, 3, metric=False, decoder="relu")
    >>> made.parameters <= 5808, made.resolutions[-1], made.width
    (True, 32, 36)
    """
    fitting = (w for w in WIDTHS if decoder_size(decoder, w, dimension, channels) <= DECODER_SHARE * budget)
    width = next(fitting, WIDTHS[-1])
    head = decoder_size(decoder, width, dimension, channels)
    least = head + FEATURES * LEVELS * 4
    if budget < least:
        raise ValueError(f"{budget} numbers are too few for this model, whose smallest has {least}; give more")
    finest = max(size // 2, 2 * COARSEST)
    while True:
        growth = (finest / COARSEST) ** (1 / (LEVELS - 1))
        resolutions = tuple(round(COARSEST * growth**level) for level in range(LEVELS))
        full = [capacity(n, dimension, metric) for n in resolutions]
        if head + FEATURES * sum(full) > 0.9 * budget or finest >= 2 * size:
            break
        finest = int(np.ceil(1.1 * finest))
    low, high = 4, max(full)
    while low < high:
        middle = (low + high + 1) // 2
        fits = head + FEATURES * sum(min(middle, n) for n in full) <= budget
        low, high = (middle, high) if fits else (low, middle - 1)
    lengths = tuple(min(low, n) for n in full)
    return Plan(resolutions, lengths, width, head + FEATURES * sum(lengths))


def corner_addresses(phi: Floats, resolution: int, length: int, metric: bool) -> tuple[NDArray[np.int64], Floats]:
    """Return where in a table of ``length`` the corners of each place's cell stand, and their weights: (n, 2^d) both.

    ``phi`` (n, d) lies in [0, 1]^d or, of a metric map, in [−1, 0]^d. A table that holds every corner has an entry for
    each; a shorter one is hashed.
    """
    n, d = phi.shape
    low = -resolution if phi.min() < 0 else 0
    cell = np.clip(np.floor(phi * resolution).astype(np.int64), low, low + resolution - 1)
    share = phi * resolution - cell
    bits = np.array(np.meshgrid(*[(0, 1)] * d, indexing="ij")).reshape(d, -1).T
    corners = cell[:, None, :] + bits
    weights = np.where(bits, share[:, None, :], 1 - share[:, None, :]).prod(axis=2)
    whole = capacity(resolution, d, metric)
    if length >= whole:
        negative = (corners < 0).any(axis=2)
        moved = np.where(negative[..., None], corners + resolution, corners)
        strides = (resolution + 1) ** np.arange(d)
        return (moved * strides).sum(axis=2) + negative * (resolution + 1) ** d, weights
    hashed = np.zeros((n, len(bits)), np.int64)
    for axis in range(d):
        hashed ^= corners[..., axis] * PRIMES[axis]
    return np.mod(hashed, length), weights


def _uniform(shape: tuple[int, ...], reach: float, generator: torch.Generator) -> nn.Parameter:
    return nn.Parameter(torch.empty(shape).uniform_(-reach, reach, generator=generator))


class Dense(nn.Module):
    """A linear layer whose start comes from a generator of its own."""

    def __init__(self, inputs: int, outputs: int, reach: float, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = _uniform((outputs, inputs), reach, generator)
        self.bias = _uniform((outputs,), inputs**-0.5, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Return W x + b."""
        return nn.functional.linear(x, self.weight, self.bias)


class ReluDecoder(nn.Module):
    """Two hidden layers of ReLU over the sum of what the grids read."""

    rate = 1e-2

    def __init__(self, plan: Plan, dimension: int, channels: int, generator: torch.Generator) -> None:
        super().__init__()
        sizes = (LEVELS * FEATURES, plan.width, plan.width, channels)
        self.layers = nn.ModuleList(Dense(a, b, (6 / a) ** 0.5, generator) for a, b in itertools.pairwise(sizes))

    def forward(self, x: Tensor, read: list[Tensor]) -> Tensor:
        """Return the channels for places x and what each grid reads there."""
        h = torch.stack(read).sum(dim=0)
        for layer in self.layers[:-1]:
            h = torch.relu(layer(h))
        return self.layers[-1](h)


class SineDecoder(nn.Module):
    """Four layers h ← m² ⊙ sin(30(W h + b)) with modulators m = sin(30(A q + a)), q the place, then each grid's part.

    With one grid all three later modulators read that one.
    """

    rate = 1e-3

    def __init__(self, plan: Plan, dimension: int, channels: int, generator: torch.Generator) -> None:
        super().__init__()
        inputs, width = LEVELS * FEATURES, plan.width
        sizes = (inputs, width, width, width)
        reaches = (1 / inputs, *[(6 / width) ** 0.5 / OMEGA] * 3)
        self.layers = nn.ModuleList(Dense(a, width, r, generator) for a, r in zip(sizes, reaches, strict=True))
        self.modulators = nn.ModuleList(Dense(a, width, 1 / a, generator) for a in (dimension, inputs, inputs, inputs))
        self.last = Dense(width, channels, (6 / width) ** 0.5 / OMEGA, generator)

    def forward(self, x: Tensor, read: list[Tensor]) -> Tensor:
        """Return the channels for places x and what each grid reads there."""
        h = torch.stack(read).sum(dim=0)
        asked = [(x + 1) / 2, *(read if len(read) == 3 else read * 3)]
        for layer, modulator, q in zip(self.layers, self.modulators, asked, strict=True):
            m = torch.sin(OMEGA * modulator(q))
            h = m * m * torch.sin(OMEGA * layer(h))
        return self.last(h)


class GridModel(nn.Module):
    """A table read at one or three coordinates, and a decoder; addresses and weights of the samples are made once."""

    def __init__(
        self, points: Floats, plan: Plan, channels: int, *, metric: bool, decoder: str, generator: torch.Generator
    ) -> None:
        super().__init__()
        d = points.shape[1]
        self.points = torch.as_tensor(points, dtype=torch.float32)
        starts = np.concatenate([[0], np.cumsum(plan.lengths)])
        maps = [metric_maps(points[:, axis]) for axis in range(d)]
        self.where: list[Tensor] = []
        self.weights: list[Tensor] = []
        for k in range(3 if metric else 1):
            phi = np.stack([maps[axis][k] for axis in range(d)], axis=1)
            made = [corner_addresses(phi, n, m, metric) for n, m in zip(plan.resolutions, plan.lengths, strict=True)]
            where = np.stack([at + start for (at, _), start in zip(made, starts, strict=False)], axis=1)
            self.where.append(torch.as_tensor(where))
            self.weights.append(torch.as_tensor(np.stack([w for _, w in made], axis=1), dtype=torch.float32))
        self.table = _uniform((int(starts[-1]), FEATURES), 1e-4, generator)
        self.decoder = (ReluDecoder if decoder == "relu" else SineDecoder)(plan, d, channels, generator)

    def rates(self) -> list[dict]:
        """Return the groups of parameters with their rates, as Adam takes them."""
        return [
            {"params": [self.table], "lr": 1e-2},
            {"params": list(self.decoder.parameters()), "lr": self.decoder.rate},
        ]

    def forward(self, rows: Tensor) -> Tensor:
        """Return the channels at the samples ``rows``."""
        read = []
        for where, weights in zip(self.where, self.weights, strict=True):
            entries = self.table[where[rows]]
            read.append((entries * weights[rows][..., None]).sum(dim=2).flatten(1))
        return self.decoder(self.points[rows], read)


class Siren(nn.Module):
    """Coordinates through four layers of sin(30(W h + b)), then a linear one."""

    def __init__(self, points: Floats, width: int, channels: int, generator: torch.Generator) -> None:
        super().__init__()
        d = points.shape[1]
        self.points = torch.as_tensor(points, dtype=torch.float32)
        sizes = ((d, 1 / d), *[(width, (6 / width) ** 0.5 / OMEGA)] * 3)
        self.layers = nn.ModuleList(Dense(a, width, reach, generator) for a, reach in sizes)
        self.last = Dense(width, channels, (6 / width) ** 0.5 / OMEGA, generator)

    def rates(self) -> list[dict]:
        """Return the groups of parameters with their rates, as Adam takes them."""
        return [{"params": list(self.parameters()), "lr": 1e-3}]

    def forward(self, rows: Tensor) -> Tensor:
        """Return the channels at the samples ``rows``."""
        h = self.points[rows]
        for layer in self.layers:
            h = torch.sin(OMEGA * layer(h))
        return self.last(h)


class LinearModel(nn.Module):
    """The coefficients of a linear family of local functions, to be trained instead of solved for."""

    def __init__(self, points: Floats, family: LinearFamily, sides: tuple[int, ...], channels: int) -> None:
        super().__init__()
        matrix = family.design(points, sides).matrix
        self.where = torch.as_tensor(matrix.indices.reshape(len(points), -1).astype(np.int64))
        self.weights = torch.as_tensor(matrix.data.reshape(len(points), -1), dtype=torch.float32)
        self.table = nn.Parameter(torch.zeros(matrix.shape[1], channels))

    def rates(self) -> list[dict]:
        """Return the groups of parameters with their rates, as Adam takes them."""
        return [{"params": [self.table], "lr": 1e-2}]

    def forward(self, rows: Tensor) -> Tensor:
        """Return the channels at the samples ``rows``."""
        return (self.table[self.where[rows]] * self.weights[rows][..., None]).sum(dim=1)


def siren_width(budget: int, dimension: int, channels: int) -> int:
    """Return the width of the largest SIREN of at most ``budget`` numbers."""
    width = 0
    while siren_size(width + 1, dimension, channels) <= budget:
        width += 1
    if width < 4:
        raise ValueError(
            f"{budget} numbers are too few for a SIREN, whose smallest has {siren_size(4, dimension, channels)}"
        )
    return width


def siren_size(width: int, dimension: int, channels: int) -> int:
    """Return the numbers of a SIREN of four hidden layers."""
    return (dimension + 1) * width + 3 * (width + 1) * width + (width + 1) * channels


def train(
    build: Callable[[torch.Generator], nn.Module],
    values: Floats,
    training: NDArray[np.bool_],
    middle: float,
    span: float,
    *,
    steps: int,
    seed: int,
    stopping: str = "last",
    progress: Progress,
) -> Trained:
    """Train ``build(generator)`` on the samples marked ``training`` and return what it shows at all of them.

    Targets are (values − middle)/span. With ``stopping`` "best" a tenth of the samples does not train; after each
    sixtieth of the steps the error on it is taken, and the weights that had the least are what is returned: samples
    held out are not looked at. Raises ``Cancelled`` within ten steps of being told.
    """
    generator = torch.Generator().manual_seed(seed)
    started = time.thread_time()
    model = build(generator)
    rows = torch.as_tensor(np.flatnonzero(training))
    targets = torch.as_tensor((values - middle) / span, dtype=torch.float32)
    optimiser = torch.optim.Adam(model.rates(), betas=(0.9, 0.99), eps=1e-15)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    every = max(1, steps // REPORTS)
    seen_step, seen_loss, judged = [], [], []
    judges, best, kept = None, None, steps
    if stopping == "best" and len(rows) > 1:
        rows = rows[torch.randperm(len(rows), generator=generator)]
        count = max(1, round(JUDGES * len(rows)))
        judges, rows = rows[:count], rows[count:]
    for step in range(steps):
        if step % 10 == 0:
            progress.update(step, steps, "training")
        chosen = rows
        if len(rows) > BATCH:
            chosen = rows[torch.randint(len(rows), (BATCH,), generator=generator)]
        loss = nn.functional.mse_loss(model(chosen), targets[chosen])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % every == 0 or step == steps - 1:
            seen_step.append(step + 1)
            seen_loss.append(float(loss.detach()) * span**2)
            if judges is not None:
                with torch.no_grad():
                    judged.append(float(nn.functional.mse_loss(model(judges), targets[judges])) * span**2)
                if judged[-1] <= min(judged):
                    best, kept = copy.deepcopy(model.state_dict()), step + 1
    if best is not None:
        model.load_state_dict(best)
    with torch.no_grad():
        shown = torch.cat([model(part) for part in torch.arange(len(values)).split(PIECE)])
    progress.update(steps, steps, "training")
    return Trained(
        shown.numpy().astype(float) * span + middle,
        sum(p.numel() for p in model.parameters()),
        time.thread_time() - started,
        np.array(seen_step),
        np.array(seen_loss),
        np.array(judged),
        kept,
    )
