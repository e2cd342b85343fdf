"""The paper's unsupervised features: a small spectral network, trained on one pair with functional-map losses.

In the spirit of DiffusionNet (Sharp et al. 2022) without its gradient features: each block spreads every channel by the
heat equation for a time of its own, learnt, and mixes channels at each vertex. Losses, weights and schedule are those
of the paper's released code (arXiv 2403.01781); the network and the pairs are smaller.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workbench.progress import Progress
from workbench.registry import Registry
from workbench.shapes.correspondences import maps
from workbench.shapes.correspondences.laplacian import Basis
from workbench.transport.torch_loss import sliced_wasserstein_loss

Floats = NDArray[np.float64]
WIDTH, BLOCKS, OUT = 64, 3, 64
TEMPERATURE, MU, SW_WEIGHT, DIRECTIONS = 0.07, 100.0, 100.0, 200
RATES = (1e-3, 1e-4)
TERMS = Registry("transport term")
"""What the title adds to the losses of functional maps: each takes a :class:`State` and returns a scalar."""


@dataclass(frozen=True)
class Side:
    """One surface as torch has it: functions (n, k), eigenvalues (k,), masses (n,), inputs (n, d)."""

    functions: Tensor
    values: Tensor
    masses: Tensor
    inputs: Tensor

    def coefficients(self, f: Tensor) -> Tensor:
        """Return Φ⁺f."""
        return self.functions.T @ (self.masses[:, None] * f)


@dataclass(frozen=True)
class State:
    """What the losses look at: both sides, features, soft maps, the plans of the transport term, random directions.

    The plans are the soft maps, and in the refinement those of Sinkhorn, held fixed. ``rank`` is the number of Y's
    functions that have a partner on X: k, or fewer where Y is a part of X.
    """

    x: Side
    y: Side
    of_x: Tensor
    of_y: Tensor
    soft_xy: Tensor
    soft_yx: Tensor
    plan_xy: Tensor
    plan_yx: Tensor
    rng: np.random.Generator
    rank: int


@dataclass(frozen=True)
class Trained:
    """Features (n, 64) of both surfaces, the map C = Φ_Y⁺Π_YXΦ_X read out of them, and the loss at each step."""

    of_x: Floats
    of_y: Floats
    c: Floats
    losses: Floats


def _linear(inputs: int, outputs: int, source: torch.Generator) -> nn.Linear:
    """Return a layer with torch's usual start, drawn from a source of its own: threads do not share its state."""
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs)
    bound = inputs**-0.5
    with torch.no_grad():
        for part in (layer.weight, layer.bias):
            part.uniform_(-bound, bound, generator=source)
    return layer


class Block(nn.Module):
    """Diffusion for learnt times, then a perceptron at each vertex, added to what came in."""

    def __init__(self, width: int, source: torch.Generator) -> None:
        super().__init__()
        # heat spreads over a surface of area 1 in times of the order of 1/λ₁ ~ 0.1; start well within
        self.log_time = nn.Parameter(torch.linspace(-7.0, -2.5, width))
        self.mix = nn.Sequential(_linear(2 * width, width, source), nn.ReLU(), _linear(width, width, source))

    def forward(self, h: Tensor, side: Side) -> Tensor:
        """Return the new channels (n, width)."""
        decay = torch.exp(-side.values[:, None] * self.log_time.exp())
        spread = side.functions @ (decay * side.coefficients(h))
        return h + self.mix(torch.cat([h, spread], dim=1))


class Features(nn.Module):
    """Descriptors (n, d) → features (n, 64)."""

    def __init__(self, channels: int, source: torch.Generator) -> None:
        super().__init__()
        self.first = _linear(channels, WIDTH, source)
        self.blocks = nn.ModuleList([Block(WIDTH, source) for _ in range(BLOCKS)])
        self.last = _linear(WIDTH, OUT, source)

    def forward(self, side: Side) -> Tensor:
        """Return the features of one surface."""
        h = self.first(side.inputs)
        for block in self.blocks:
            h = block(h, side)
        return self.last(h)


@TERMS.add("none", label="without")
def no_term(state: State) -> Tensor:
    """Return 0."""
    return state.of_x.new_zeros(())


@TERMS.add("published", label="as published", formula=r"SW_2(F_X, \Pi_{XY}F_Y)", reference="arXiv 2403.01781")
def published(state: State) -> Tensor:
    """Return SW₂ of F_X and Π_XY F_Y with equal weights for all vertices."""
    return _root(sliced(state.of_x, state.plan_xy @ state.of_y, state.rng))


@TERMS.add("both-ways", label="both ways", formula=r"SW_2(F_X, \Pi_{XY}F_Y)+SW_2(F_Y, \Pi_{YX}F_X)")
def both_ways(state: State) -> Tensor:
    """Return the term from either side, as in the paper's variants and its refinement."""
    back = sliced(state.of_y, state.plan_yx @ state.of_x, state.rng)
    return published(state) + _root(back)


@TERMS.add("area", label="area weights, no Π", formula=r"SW_2(F_{X*}a_X, F_{Y*}a_Y)")
def by_area(state: State) -> Tensor:
    """Return SW₂ of the two features as measures: vertices count by their area, so that remeshing changes little."""
    return _root(sliced(state.of_x, state.of_y, state.rng, state.x.masses, state.y.masses))


def sliced(
    a: Tensor, b: Tensor, rng: np.random.Generator, a_mass: Tensor | None = None, b_mass: Tensor | None = None
) -> Tensor:
    """Return SW₂² over 200 random directions, drawn anew."""
    options = {"method": "monte-carlo", "n_directions": DIRECTIONS, "seed": rng}
    return sliced_wasserstein_loss(a, b, x_weights=a_mass, y_weights=b_mass, **options)


def _root(squared: Tensor) -> Tensor:
    return torch.sqrt(squared + 1e-12)


def solved(a: Tensor, b: Tensor, mask: Tensor, mu: float = MU) -> Tensor:
    """Return the regularised functional map as :func:`maps.solve_map` does, differentiable, in one batch."""
    gram = a @ a.T
    eye = torch.eye(len(gram), dtype=a.dtype)
    systems = gram + mu * mask[:, :, None] * eye + 1e-6 * gram.diagonal().mean() * eye
    return torch.linalg.solve(systems, (b @ a.T)[:, :, None])[:, :, 0]


def soft_maps(of_x: Tensor, of_y: Tensor) -> tuple[Tensor, Tensor]:
    """Return Π_XY (n_X, n_Y) and Π_YX (n_Y, n_X): row-softmax of cosines over the temperature 0.07."""
    a, b = nn.functional.normalize(of_x, dim=1), nn.functional.normalize(of_y, dim=1)
    cosines = a @ b.T / TEMPERATURE
    return torch.softmax(cosines, dim=1), torch.softmax(cosines.T, dim=1)


def map_losses(state: State, masks: tuple[Tensor, Tensor]) -> Tensor:
    """Return the paper's losses of the two maps: inverse to each other, orthogonal, and coupled to the soft maps."""
    x, y = state.x, state.y
    a, b = x.coefficients(state.of_x), y.coefficients(state.of_y)
    forth, back = solved(a, b, masks[0]), solved(b, a, masks[1])
    eye = torch.eye(len(forth), dtype=forth.dtype)
    if state.rank < len(eye):  # a part: its functions come back from X, those of X do not come back from it
        eye[range(state.rank, len(eye)), range(state.rank, len(eye))] = 0.0
        inverse = ((forth @ back - eye) ** 2).sum()
        orthogonal = ((forth @ forth.T - eye) ** 2).sum()
    else:
        inverse = ((forth @ back - eye) ** 2).sum() + ((back @ forth - eye) ** 2).sum()
        orthogonal = ((forth.T @ forth - eye) ** 2).sum() + ((back.T @ back - eye) ** 2).sum()
    coupled = ((forth - y.coefficients(state.soft_yx @ x.functions)) ** 2).sum()
    coupled = coupled + ((back - x.coefficients(state.soft_xy @ y.functions)) ** 2).sum()
    return inverse + orthogonal + coupled


def train(
    x: Basis,
    y: Basis,
    of_x: Floats,
    of_y: Floats,
    *,
    term: str = "published",
    iterations: int = 60,
    refine: int = 0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trained:
    """Train features on one pair without its truth.

    ``x``, ``y`` hold the k functions of the maps, ``of_x``, ``of_y`` the descriptors. ``term`` is in ``TERMS``, with
    weight 100. Adam from 1e-3 to 1e-4 along a cosine; ``refine`` more steps are the paper's refinement: gradients of
    norm at most 1, and in the term, from either side, Sinkhorn's plan in the place of Π, held fixed. Same seed, same
    features on one machine. Cost: 30 ms a step with 400 vertices.
    """
    progress = progress or Progress()
    both = np.concatenate([of_x, of_y])
    scale = both.mean(axis=0), both.std(axis=0) + 1e-9
    sides = [_side(basis, inputs, *scale) for basis, inputs in ((x, of_x), (y, of_y))]
    mask = torch.from_numpy(maps.resolvent_mask(x.values, y.values)).float()
    back = torch.from_numpy(maps.resolvent_mask(y.values, x.values)).float()
    rng = np.random.default_rng(seed)
    losses = []
    net = Features(of_x.shape[1], torch.Generator().manual_seed(seed))
    optimiser = torch.optim.Adam(net.parameters(), lr=RATES[0])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, iterations, eta_min=RATES[1])
    for step in range(iterations + refine):
        optimiser.zero_grad()
        refining = step >= iterations
        state = _state(net, sides[0], sides[1], rng, refining)
        loss = map_losses(state, (mask, back))
        added = TERMS["both-ways" if refining and term != "none" else term](state)
        loss = loss + SW_WEIGHT * added if term != "none" else loss
        loss.backward()
        if refining:
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        if not refining:
            schedule.step()
        losses.append(float(loss.detach()))
        if not np.isfinite(losses[-1]):
            raise ValueError("the training diverged; take fewer eigenfunctions or another seed")
        progress.update(step + 1, iterations + refine, "training features")
    with torch.no_grad():
        state = _state(net, sides[0], sides[1], rng, False)
        c = state.y.coefficients(state.soft_yx @ state.x.functions)[: state.rank]
    return Trained(state.of_x.double().numpy(), state.of_y.double().numpy(), c.double().numpy(), np.array(losses))


def _state(net: Callable[[Side], Tensor], x: Side, y: Side, rng: np.random.Generator, refining: bool) -> State:
    of_x, of_y = net(x), net(y)
    soft = soft_maps(of_x, of_y)
    plans = _plans(of_x.detach(), of_y.detach()) if refining else soft
    rank = (
        len(x.values)
        if torch.isclose(x.masses.sum(), y.masses.sum(), rtol=1e-5)
        else int((y.values <= x.values[-1]).sum())
    )
    return State(x, y, of_x, of_y, *soft, *plans, rng, rank)


def _plans(of_x: Tensor, of_y: Tensor) -> tuple[Tensor, Tensor]:
    """Return Sinkhorn's plans with rows that sum to 1, from either side; equal weights, as published."""
    cost = (torch.cdist(of_x, of_y) ** 2).double().numpy()
    even = [np.full(n, 1 / n) for n in cost.shape]
    forth = maps.sinkhorn(cost, even[0], even[1])
    back = maps.sinkhorn(cost.T, even[1], even[0])
    return tuple(torch.from_numpy(np.exp(one) * len(one)).float() for one in (forth, back))  # type: ignore[return-value]


def _side(basis: Basis, inputs: Floats, middle: Floats, spread: Floats) -> Side:
    parts = (basis.functions, basis.values, basis.masses, (inputs - middle) / spread)
    return Side(*(torch.from_numpy(np.ascontiguousarray(part)).float() for part in parts))
