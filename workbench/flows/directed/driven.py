"""Flows driven by different slices, each given as many one-dimensional transports a step as the others."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.clouds.named import pair
from workbench.flows.directed.searches import adam
from workbench.progress import Progress
from workbench.registry import Registry
from workbench.transport.directed import Look, best_location
from workbench.transport.estimators import Rule
from workbench.transport.evaluate import draw, make_rule
from workbench.transport.exact import wasserstein
from workbench.transport.lines import transport
from workbench.transport.max_sliced import search_pair
from workbench.transport.measures import Cloud, check_same_dim, prepare
from workbench.transport.vmf import RULES, check_kappa, even_density, vmf_second_moment

SLICINGS = Registry("slicing")
READ_DIRECTIONS = 300
Vectors = NDArray[np.float64]


class Slices(NamedTuple):
    """The directions of a step with their weights, and the slices spent."""

    rule: Rule
    spent: int
    reach: float
    """The largest E (ε·θ)² over axes: along that axis a step of η/reach does what η says."""


class Moment(NamedTuple):
    """What a slicing sees at a step: the clouds, the slices it may use, and κ."""

    x: Cloud
    y: Cloud
    budget: int
    kappa: float
    rng: np.random.Generator

    def in_double(self) -> tuple[Cloud, Cloud]:
        """Return the clouds in float64, for searches that sort exactly."""
        return tuple(  # type: ignore[return-value]
            Cloud(c.centre, c.coordinates.astype(np.float64), c.masses, c.kept, c.size) for c in (self.x, self.y)
        )


@SLICINGS.add("uniform", label="SW: uniform slices", formula=r"\int f\,d\sigma", cost="L slices")
def uniform(now: Moment) -> Slices:
    """Return a randomly rotated design: the flow of SW."""
    rule = make_rule("design", now.budget, 3, now.rng)
    return Slices(rule, now.budget, 1 / 3)


@SLICINGS.add(
    "directed", label="v-DSW: best axis by quadrature", formula=r"\max_\epsilon F_\kappa(\epsilon)", cost="L slices"
)
def directed(now: Moment) -> Slices:
    """Return one design that finds the axis *and* carries the step, weighted by the even density."""
    rule = make_rule("design", now.budget, 3, now.rng)
    seen = Look(rule.directions, rule.weights, draw(now.x, now.y, rule).costs)
    _, axis = best_location(seen, now.kappa)
    weights = rule.weights * even_density(now.kappa, rule.directions @ axis, 3)
    return Slices(Rule(rule.directions, weights / weights.sum()), now.budget, vmf_second_moment(now.kappa))


@SLICINGS.add(
    "directed-published",
    label="v-DSW as released: Adam and samples",
    formula=r"\epsilon\ \text{by Adam}, 10^{-4};\ \theta_l \sim \mathrm{vMF}(\epsilon, \kappa)",
    reference="released code of arXiv 2301.04791",
    cost="L slices, half of them for the axis",
)
def directed_published(now: Moment) -> Slices:
    """Return vMF samples around an axis that Adam moved by 1e-4 a step from a random start, as released.

    Half of the slices go to the search, which follows f at the axis itself instead of its mean over 100 samples.
    """
    half = max(now.budget // 2, 1)
    axis = adam(*now.in_double(), now.rng, half).end
    rule = RULES["vmf-sampling"](now.kappa, axis, max(now.budget - half, 1), now.rng)
    return Slices(rule, now.budget, vmf_second_moment(now.kappa))


@SLICINGS.add("largest", label="Max-SW: bounded search", formula=r"\max_\theta f(\theta)", cost="L slices")
def largest(now: Moment) -> Slices:
    """Return the largest slice that the bounded search finds with the slices it may use."""
    found = search_pair(*now.in_double(), 1e-6, max(now.budget - 1, 1))
    return Slices(Rule(found.direction[None], np.ones(1)), found.evaluations + 1, 1.0)


@SLICINGS.add(
    "largest-published",
    label="Max-SW as released: Adam",
    formula=r"\theta\ \text{by Adam}, 10^{-4}",
    reference="released code of arXiv 2301.04791",
    cost="L slices",
)
def largest_published(now: Moment) -> Slices:
    """Return the slice that Adam reaches from a random start by steps of 1e-4."""
    axis = adam(*now.in_double(), now.rng, max(now.budget - 1, 1)).end
    return Slices(Rule(axis[None], np.ones(1)), now.budget, 1.0)


@results.experiment
def directed_flows(
    x: ArrayLike | str = "torus",
    y: ArrayLike | str = "cube",
    slicings: Sequence[str] = ("uniform", "directed", "directed-published", "largest", "largest-published"),
    *,
    n: int = 500,
    steps: int = 60,
    n_directions: int = 50,
    kappa: float = 1.0,
    eta: float = 0.5,
    every: int = 5,
    seeds: Sequence[int] = (0, 1, 2),
    progress: Progress | None = None,
) -> xr.Dataset:
    """Let a cloud flow along different slices with equal slices a step, and read SW_2² and exact W_2² on the way.

    ``x`` (n, 3), ``y`` (m, 3) or names of shapes of ``n`` points; the clouds of a name and all directions follow the
    seed. x_i ← x_i − (η / (2 reach)) n ∇_i, where reach = max E (ε·θ)² is 1/3 for uniform slices, 1 − 2A/κ for vMF and
    1 for one slice: so η = 1 removes a translation along the axis at once for every slicing.

    Over (slicing, seed, frame): ``sw2`` (300 directions) and ``w2`` (exact), squared; ``slices`` (slicing), the most
    that a step used. Raises ``ValueError`` for unknown names, clouds not in three dimensions and numbers out of range.
    Cost: slicings × seeds × steps × L × n × 20 ns, and the exact distances.

    >>> ds = directed_flows("torus", "cube", ("uniform", "directed"), n=60, steps=4, every=4, seeds=(0,))
    >>> bool((ds.w2.isel(frame=-1) < ds.w2.isel(frame=0)).all())
    True
    """
    progress = progress or Progress()
    names = [SLICINGS[name].name for name in slicings]
    seeds = [checks.integer("seeds", seed, minimum=0) for seed in seeds]
    if not names or not seeds:
        raise ValueError("slicings and seeds must each name at least one")
    n, steps = (
        checks.integer("n", n, minimum=2, maximum=20_000),
        checks.integer("steps", steps, minimum=1, maximum=10_000),
    )
    budget = checks.integer("n_directions", n_directions, minimum=2, maximum=10_000)
    every = checks.integer("every", every, minimum=1, maximum=steps)
    kappa, eta = check_kappa(kappa), checks.real("eta", eta, exclusive_minimum=0, maximum=1)
    frames = sorted({*range(0, steps + 1, every), steps})
    sw2, w2 = (np.empty((len(names), len(seeds), len(frames))) for _ in range(2))
    slices = np.zeros(len(names), int)
    reader = Rule(*_reader())
    for j, seed in enumerate(seeds):
        start, target = (np.asarray(c, float) for c in pair(x, y, n, seed))
        aim = prepare("y", target)
        check_same_dim(prepare("x", start), aim)
        if aim.dim != 3:
            raise ValueError(f"the clouds lie in {aim.dim} dimensions; directed_flows works in 3")
        for i, name in enumerate(names):
            here, rng = start.copy(), np.random.default_rng([seed, 7])
            for step in range(steps + 1):
                cloud = prepare("x", here)
                if step in frames:
                    frame = frames.index(step)
                    sw2[i, j, frame] = draw(cloud, aim, reader).value
                    w2[i, j, frame] = wasserstein(here, target)
                if step == steps:
                    break
                seen: Slices = SLICINGS[name](Moment(cloud, aim, budget, kappa, rng))
                found = transport(cloud, aim, seen.rule.directions, seen.rule.weights, want_x=True)
                here = here - eta / (2 * seen.reach) * len(here) * found.gradient_x
                slices[i] = max(slices[i], seen.spent)
                done = (j * len(names) + i) * steps + step + 1
                progress.update(done, len(names) * len(seeds) * steps, f"{name}, seed {seed}: step {step + 1}")
    dims = ("slicing", "seed", "frame")
    return results.dataset(
        {
            "sw2": (dims, sw2, "sliced Wasserstein distance SW₂² (squared)"),
            "w2": (dims, w2, "exact Wasserstein distance W₂² (squared)"),
            "slices": (("slicing",), slices, "most slices that one step used"),
        },
        {
            "slicing": (("slicing",), np.array(names), "what drives the flow"),
            "seed": (("seed",), np.array(seeds), "seed of clouds and directions"),
            "frame": (("frame",), np.array(frames), "step"),
        },
    )


def _reader() -> tuple[Vectors, Vectors]:
    rule = make_rule("design", READ_DIRECTIONS, 3, np.random.default_rng(0))
    return rule.directions, rule.weights
