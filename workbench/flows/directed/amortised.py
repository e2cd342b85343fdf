"""The paper's amortised axis: networks that predict where to look from the two clouds, trained and judged.

Each network maps a pair of clouds to ε = (g(X) + g(Y)) / |·|; attention reads the cloud as a set, Q = XW_q + b and so
on, with d_k = 64 keys and as many values as axes:

* ``attention``: g = mean of softmax(QKᵀ/√d_k) V, O(n²);
* ``attention-efficient``: g = mean of softmax_rows(Q) (softmax_columns(K)ᵀ V), O(n);
* ``attention-linformer``: K and V first mapped from n to 64 rows by a learned matrix: fixed n, and the order counts;
* ``linear``: the earlier baseline, one weight a point, g = Xᵀw: the order counts as well.

Training ascends E F_κ(ε) with Adam as published (learning rate 1e-3, β = (0, 0.9), fresh pairs at every step); only the
expectation over vMF is taken by quadrature instead of by samples, which spares the networks that noise. The target is
an *axis* (F is even in ε) and a mean of equivariant vectors vanishes on clouds with a centre of symmetry, so there is
not much that such a network could learn when clouds may be turned.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.clouds.named import SHAPES, cloud
from workbench.progress import Progress
from workbench.registry import Registry
from workbench.transport.designs import design_table
from workbench.transport.directed import Look, axes_of, best_location
from workbench.transport.estimators import Rule
from workbench.transport.estimators.base import random_rotations, uniform_directions
from workbench.transport.evaluate import draw
from workbench.transport.measures import prepare
from workbench.transport.vmf import check_kappa, log_peak

KEYS = 64
POOL = 8
"""Clouds of each shape that training pairs are drawn from, freshly turned each time."""
TRAIN_DIRECTIONS, JUDGE_DIRECTIONS = 100, 300
ARRANGEMENTS = ("turned", "aligned")
NETWORKS = Registry("network")
REFERENCES = ("random", "eigenvector")
Points = NDArray[np.float64]


def _projection(n_in: int, n_out: int) -> Any:
    from torch import nn

    return nn.Linear(n_in, n_out)


@NETWORKS.add(
    "attention", label="Self-attention", formula=r"\overline{\mathrm{softmax}(QK^\top/\sqrt{d_k})V}", cost="O(n²)"
)
def attention(n: int) -> Any:
    """Return the network with full self-attention."""
    return _attention(lambda q, k, v: (q @ k.transpose(1, 2) / KEYS**0.5).softmax(2) @ v)


@NETWORKS.add(
    "attention-efficient",
    label="Efficient attention",
    formula=r"\overline{\mathrm{softmax}(Q)\,(\mathrm{softmax}(K)^\top V)}",
    cost="O(n)",
)
def attention_efficient(n: int) -> Any:
    """Return the network with efficient attention, the paper's choice."""
    return _attention(lambda q, k, v: q.softmax(2) @ (k.softmax(1).transpose(1, 2) @ v))


@NETWORKS.add("attention-linformer", label="Linear attention (Linformer)", formula=r"K, V \to EK, EV", cost="O(n)")
def attention_linformer(n: int) -> Any:
    """Return the network whose keys and values are first mapped from n to 64 rows: made for one n."""
    import torch
    from torch import nn

    class Linformer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query, self.key, self.value = _projection(3, KEYS), _projection(3, KEYS), _projection(3, 3)
            self.shorten = nn.Linear(n, KEYS, bias=False)

        def one(self, x: Any) -> Any:
            short_key = self.shorten(self.key(x).transpose(1, 2)).transpose(1, 2)
            short_value = self.shorten(self.value(x).transpose(1, 2)).transpose(1, 2)
            weights = (self.query(x) @ short_key.transpose(1, 2) / KEYS**0.5).softmax(2)
            return (weights @ short_value).mean(1)

        def forward(self, x: Any, y: Any) -> Any:
            return torch.nn.functional.normalize(self.one(x) + self.one(y), dim=1)

    return Linformer()


@NETWORKS.add("linear", label="Linear (earlier baseline)", formula=r"X^\top w + Y^\top w'", cost="O(n)")
def linear(n: int) -> Any:
    """Return one weight for every point of either cloud, in the order in which they come."""
    import torch
    from torch import nn

    class Linear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(n, 1), nn.Linear(n, 1)

        def forward(self, x: Any, y: Any) -> Any:
            sides = self.first(x.transpose(1, 2)) + self.second(y.transpose(1, 2))
            return torch.nn.functional.normalize(sides[..., 0], dim=1)

    return Linear()


def _attention(mix: Callable[[Any, Any, Any], Any]) -> Any:
    import torch
    from torch import nn

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query, self.key, self.value = _projection(3, KEYS), _projection(3, KEYS), _projection(3, 3)

        def one(self, x: Any) -> Any:
            return mix(self.query(x), self.key(x), self.value(x)).mean(1)

        def forward(self, x: Any, y: Any) -> Any:
            return torch.nn.functional.normalize(self.one(x) + self.one(y), dim=1)

    return Attention()


class Pairs:
    """Draws pairs of clouds from a pool of all shapes in space, turned at random or left as they are."""

    def __init__(self, n: int, arrangement: str, rng: np.random.Generator) -> None:
        names = [name for name, entry in SHAPES.items() if entry.facts["dim"] == 3 and "source" not in entry.facts]
        self.pool = np.array([[cloud(name, n, rng) for _ in range(POOL)] for name in names])
        self.arrangement, self.rng = arrangement, rng

    def draw(self, number: int) -> tuple[Points, Points]:
        """Return ``number`` pairs, (number, n, 3) each: never a cloud with itself, for which no axis is better."""
        kinds = self.rng.integers(0, len(self.pool), (2, number))
        which = self.rng.integers(0, POOL, (2, number))
        same = (kinds[0] == kinds[1]) & (which[0] == which[1])
        which[1, same] = (which[1, same] + self.rng.integers(1, POOL, number)[same]) % POOL
        x, y = self.pool[kinds[0], which[0]], self.pool[kinds[1], which[1]]
        if self.arrangement == "turned":
            x = x @ random_rotations(number, 3, self.rng)
            y = y @ random_rotations(number, 3, self.rng)
        return x, y


def costs_along(x: Points, y: Points, directions: Points) -> Points:
    """Return f along the directions (L, 3) for a batch of pairs, (batch, L)."""
    rule = Rule(directions, np.full(len(directions), 1 / len(directions)))
    return np.array([draw(prepare("x", a), prepare("y", b), rule, threads=1).costs for a, b in zip(x, y, strict=True)])


def _objective(epsilon: Any, directions: Any, costs: Any, kappa: float) -> Any:
    """Return F_κ(ε) of a batch, by the even density on fixed directions."""
    import torch

    size = (epsilon @ directions.T).abs()
    density = 0.5 * torch.exp(kappa * (size - 1) + log_peak(kappa, 3)) * (1 + torch.exp(-2 * kappa * size))
    return (density * costs).mean(1)


@results.experiment
def amortisation_study(
    networks: Sequence[str] = ("attention", "attention-efficient", "attention-linformer", "linear"),
    *,
    kappa: float = 1.0,
    n: int = 256,
    steps: int = 800,
    batch: int = 32,
    held_out: int = 200,
    seeds: Sequence[int] = (0, 1, 2),
    arrangements: Sequence[str] = ARRANGEMENTS,
    learning_rate: float = 1e-3,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Train networks to predict the best axis and compare them with a random axis and with the eigenvector of B.

    Pairs come from all generated shapes in space (``n`` points), each cloud turned at random, or as they are
    (``arrangements``). All networks of a seed see the same pairs. On ``held_out`` fresh pairs, over (arrangement,
    finder, seed): ``gain`` = Σ(F_κ(ε) − SW) / Σ(max F_κ − SW), ``value_share`` = mean of F_κ(ε) / max F_κ,
    ``turning`` = mean |cos| between the axis of turned clouds and the turned axis, ``shuffling`` the same for points in
    another order. 1 is right for all four. The finders "random" and "eigenvector" are added.

    Raises ``ValueError`` for unknown names and numbers out of range. Cost: about 0.1 s a step for the four networks.
    Reference: arXiv 2301.04791 (released code); see the module for what is as published.

    >>> ds = amortisation_study(("linear",), n=16, steps=2, batch=2, held_out=8, seeds=(0,), arrangements=("turned",))
    >>> bool(ds.gain.sel(finder="eigenvector").min() > 0.9)
    True
    """
    import torch

    progress = progress or Progress()
    kappa = check_kappa(kappa)
    names = [NETWORKS[name].name for name in networks]
    arrangements = [checks.choice("arrangement", name, ARRANGEMENTS) for name in arrangements]
    seeds = [checks.integer("seeds", seed, minimum=0) for seed in seeds]
    if not names or not seeds or not arrangements:
        raise ValueError("networks, seeds and arrangements must each name at least one")
    n = checks.integer("n", n, minimum=8, maximum=4096)
    steps = checks.integer("steps", steps, minimum=0, maximum=1_000_000)
    batch = checks.integer("batch", batch, minimum=1, maximum=4096)
    held_out = checks.integer("held_out", held_out, minimum=2, maximum=100_000)
    rate = checks.real("learning_rate", learning_rate, exclusive_minimum=0)
    methods = [*names, *REFERENCES]
    found = np.empty((4, len(arrangements), len(methods), len(seeds)))
    ceiling = np.empty((len(arrangements), len(seeds)))
    directions = design_table(TRAIN_DIRECTIONS)
    nodes = torch.tensor(np.array(directions), dtype=torch.float32)
    runs = len(arrangements) * len(seeds)
    for i, arrangement in enumerate(arrangements):
        for j, seed in enumerate(seeds):
            run = i * len(seeds) + j
            rng = np.random.default_rng([seed, ARRANGEMENTS.index(arrangement)])
            source = Pairs(n, arrangement, rng)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                nets = {name: NETWORKS[name](n) for name in names}
            ascents = [torch.optim.Adam(net.parameters(), lr=rate, betas=(0.0, 0.9)) for net in nets.values()]
            for step in range(steps):
                x, y = source.draw(batch)
                costs = torch.tensor(costs_along(x, y, directions), dtype=torch.float32)
                clouds = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
                for net, ascent in zip(nets.values(), ascents, strict=True):
                    ascent.zero_grad()
                    (-_objective(net(*clouds), nodes, costs, kappa).mean()).backward()
                    ascent.step()
                progress.update(run + step / steps, runs, f"{arrangement}, seed {seed}: step {step + 1} of {steps}")
            progress.update(run + 1, runs, "judging")
            judged, ceiling[i, j] = _judge(nets, Pairs(n, arrangement, rng), held_out, kappa, rng)
            found[:, i, :, j] = judged
    dims = ("arrangement", "finder", "seed")
    labels = (
        ("gain", "share of the gain of the best axis over uniform slices"),
        ("value_share", "mean F_κ ÷ the largest F_κ"),
        ("turning", "mean |cos| of the axis of turned clouds and the turned axis"),
        ("shuffling", "mean |cos| of the axes before and after shuffling the points"),
    )
    return results.dataset(
        {
            **{name: (dims, found[k], label) for k, (name, label) in enumerate(labels)},
            "ceiling": (("arrangement", "seed"), ceiling, "mean of the largest F_κ ÷ SW₂²"),
        },
        {
            "arrangement": (("arrangement",), np.array(arrangements), "arrangement of the clouds"),
            "finder": (("finder",), np.array(methods), "how the axis is found"),
            "seed": (("seed",), np.array(seeds), "seed of networks and clouds"),
        },
    )


def _judge(
    nets: dict[str, Any], source: Pairs, number: int, kappa: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], float]:
    """Return the four measures (4, methods), and the mean of max F_κ ÷ SW."""
    x, y = source.draw(number)
    directions = np.array(design_table(JUDGE_DIRECTIONS))
    weights = np.full(len(directions), 1 / len(directions))
    looks = [Look(directions, weights, costs) for costs in costs_along(x, y, directions)]
    best = np.array([best_location(seen, kappa)[0] for seen in looks])
    uniform = np.array([seen.mean_cost for seen in looks])
    turn, order = random_rotations(number, 3, rng), rng.permuted(np.tile(np.arange(x.shape[1]), (2, number, 1)), axis=2)
    turned = x @ turn, y @ turn
    shuffled = tuple(np.take_along_axis(c, o[..., None], axis=1) for c, o in zip((x, y), order, strict=True))
    turned_looks = [Look(directions, weights, costs) for costs in costs_along(*turned, directions)]
    axes: list[tuple[Points, Points, Points]] = [
        tuple(_predict(net, *clouds) for clouds in ((x, y), turned, shuffled)) for net in nets.values()
    ]
    axes.append(tuple(uniform_directions(number, 3, rng) for _ in range(3)))
    plain, after = (np.array([axes_of(seen).best for seen in several]) for several in (looks, turned_looks))
    axes.append((plain, after, plain))
    rows = []
    for here, there, mixed in axes:
        values = np.array([seen.value(kappa, axis) for seen, axis in zip(looks, here, strict=True)])
        followed = np.einsum("bi,bij->bj", here, turn)
        rows.append(
            (
                (values - uniform).sum() / (best - uniform).sum(),
                (values / best).mean(),
                np.abs((there * followed).sum(1)).mean(),
                np.abs((here * mixed).sum(1)).mean(),
            )
        )
    return np.array(rows).T, float((best / uniform).mean())


def _predict(net: Any, x: Points, y: Points) -> Points:
    import torch

    with torch.no_grad():
        found = net(torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)).double().numpy()
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.where(lengths > 0, found / np.where(lengths > 0, lengths, 1), np.eye(3)[0])
