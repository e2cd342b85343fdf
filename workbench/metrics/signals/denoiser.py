"""A denoiser learned from data, and the identity that tries it: does it know the density it was trained on?

Where no mixture fits, a small network can learn x̂(z, σ) from noisy samples. Its IEM has no error bar of its own. But
the pointwise I-MMSE relation ½ ∫ (E‖ε₁‖² − E‖ε₂‖²) dg = log p(x₂) − log p(x₁) holds for the best denoiser and no other:
with a mixture as teacher the right side is known, and the defect says in nats how wrong the network is.

The network is preconditioned (Karras et al. 2022): x̂ = c_skip z + c_out f(c_in z, ¼ log σ), so that it copies where
noise is small and shrinks where it is large, and learns only what lies between.
"""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.metrics.signals.distance import integrated
from workbench.metrics.signals.mixture import Mixture, checked
from workbench.metrics.signals.rules import Rule, rule
from workbench.progress import Progress

Floats = NDArray[np.float64]
WIDTH, BATCH = 128, 256
RATE = 2e-3
MOST_STEPS = 100_000
WIDEST = 30.0
"""Noise in training goes up to so many spreads; beyond, the best denoiser is the mean."""


class Denoiser(results.Described):
    """A learned denoiser: ``denoise(z, sigma)`` returns x̂ for z = x + σe, trained for σ in ``sigmas``."""

    def __init__(self, network: Any, centre: Floats, spread: float, sigmas: tuple[float, float], steps: int) -> None:
        self._network, self.centre, self.spread, self.sigmas, self.steps = network, centre, spread, sigmas, steps

    @property
    def dimension(self) -> int:
        """The number of coordinates."""
        return len(self.centre)

    def correction(self, z: Floats, sigma: float) -> Floats:
        """Return x̂ − z (n, d): differences of it are exact where those of scores would cancel in float32."""
        import torch

        ratio = sigma / self.spread
        with torch.no_grad():
            inside = torch.from_numpy((z - self.centre) / self.spread)
            skip, out, entry = _precondition(torch.tensor(ratio, dtype=torch.float64))
            level = torch.full((len(z), 1), np.log(ratio) / 4, dtype=torch.float64)
            found = self._network(torch.cat([entry * inside, level], dim=1).float()).double()
            return ((skip - 1) * inside + out * found).numpy() * self.spread

    def denoise(self, z: ArrayLike, sigma: float) -> Floats:
        """Return x̂ (n, d) for noisy points ``z`` (n, d)."""
        z = checks.finite_array("z", z, ndim=2)
        if z.shape[1] != self.dimension:
            raise ValueError(f"z has points of {z.shape[1]} coordinates; the denoiser was trained on {self.dimension}")
        return z + self.correction(z, checks.real("sigma", sigma, exclusive_minimum=0))

    def describe(self) -> Any:
        """Return the weights' digest and the settings."""
        weights = np.concatenate([p.detach().numpy().ravel() for p in self._network.parameters()])
        return {"weights": results.describe(weights), "steps": self.steps, "sigmas": list(self.sigmas)}

    def __repr__(self) -> str:
        return f"Denoiser({self.dimension} dimensions, {self.steps} steps)"


def learn_denoiser(
    points: ArrayLike, *, steps: int = 3000, smallest: float = 0.05, seed: int = 0, progress: Progress | None = None
) -> Denoiser:
    """Return a denoiser trained on ``points`` (n, d) for noise from ``smallest`` to 30 times their spread.

    ``steps`` of Adam with batches of 256 and log-uniform σ, the error weighted by its own size at every σ. A number of
    steps and not of seconds, so that the same seed gives the same network. Raises ``ValueError`` for points without
    spread. Cost: 1.5 ms a step.

    >>> denoiser = learn_denoiser(np.random.default_rng(0).normal(size=(500, 2)), steps=20)
    >>> denoiser.denoise([[0.0, 0.0]], 1.0).shape
    (1, 2)
    """
    import torch

    points = checks.finite_array("points", points, ndim=2)
    steps = checks.integer("steps", steps, minimum=1, maximum=MOST_STEPS)
    smallest = checks.real("smallest", smallest, minimum=1e-3, maximum=1)
    seed = checks.integer("seed", seed, minimum=0, maximum=2**31)
    spread = float(np.sqrt(points.var(axis=0).mean()))
    if not spread > 0:
        raise ValueError("all points are equal; a density needs points that differ")
    progress = progress or Progress()
    centre = points.mean(axis=0)
    rng = torch.Generator().manual_seed(seed)
    d = points.shape[1]
    network = _network(d, rng)
    data = torch.from_numpy((points - centre) / spread).float()
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=RATE / 50)
    for step in range(steps):
        if step % 50 == 0:
            progress.update(step, steps, "training")
        x = data[torch.randint(len(data), (BATCH,), generator=rng)]
        low, high = np.log(smallest), np.log(WIDEST)
        sigma = torch.exp(low + (high - low) * torch.rand(BATCH, 1, generator=rng))
        z = x + sigma * torch.randn(x.shape, generator=rng)
        skip, out, entry = _precondition(sigma)
        wanted = (x - skip * z) / out
        loss = torch.mean((network(torch.cat([entry * z, torch.log(sigma) / 4], dim=1)) - wanted) ** 2)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    progress.update(1, 1, "done")
    return Denoiser(network.eval(), centre, spread, (smallest * spread, WIDEST * spread), steps)


@results.experiment
def denoiser_trial(
    density: Mixture,
    *,
    points: int = 4000,
    pairs: int = 12,
    steps: int = 3000,
    smallest: float = 0.05,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return how a denoiser, learned from ``points`` drawn of ``density``, stands the identity, and its IEM.

    Over ``pairs`` of drawn points: ``estimation``, ½ ∫ (E‖ε₁‖² − E‖ε₂‖²) dg of the network; ``information``, the same
    integral of the exact denoiser over the same SNRs, E[log q_σ(x₂ + σe) − log q_σ(x₁ + σe)] at the last σ; ``defect``,
    their difference in nats; ``learned`` and ``exact``, the distances. All up to SNR 1/σ² of the smallest σ trained.
    d ≤ 2. Cost: the training, and 10 ms a pair.
    """
    density = checked(density)
    if density.dimension > 2:
        raise ValueError(f"the trial needs exact values, in up to two dimensions; the density has {density.dimension}")
    points = checks.integer("points", points, minimum=50, maximum=1_000_000)
    pairs = checks.integer("pairs", pairs, minimum=1, maximum=500)
    progress = progress or Progress()
    rng = checks.generator(seed)
    data = density.sample(points, seed=rng)
    denoiser = learn_denoiser(data, steps=steps, smallest=smallest, seed=seed, progress=progress)
    ends = density.sample(2 * pairs, seed=rng).reshape(pairs, 2, -1)
    snr = denoiser.sigmas[0] ** -2
    made = rule(density, snr=snr, nodes=32, step=0.2 if density.dimension == 1 else 0.6)
    learned = np.array([_of_denoiser(denoiser, a, b, made) for a, b in ends])
    exact = np.array([
        [one.value for one in integrated(density, a, b, snr, digits=8, samples=16, seed=0, progress=progress)]
        for a, b in ends
    ])  # fmt: skip
    one = ("pair",)
    return results.dataset(
        {
            "estimation": (one, learned[:, 1] / 2, "½ ∫ (E‖ε₁‖² − E‖ε₂‖²) dg of the network"),
            "information": (one, exact[:, 1] / 2, "the same of the exact denoiser"),
            "defect": (one, (learned[:, 1] - exact[:, 1]) / 2, "their difference, in nats"),
            "learned": (one, np.sqrt(learned[:, 0]), "information-estimation distance by the network"),
            "exact": (one, np.sqrt(exact[:, 0]), "exact information-estimation distance"),
            "end": (("pair", "which", "axis"), ends, "the two points", "x"),
        },
        {
            "pair": (one, np.arange(pairs), "pair"),
            "which": (("which",), np.array(["x1", "x2"]), "which point"),
            "axis": (("axis",), np.arange(1, density.dimension + 1), "coordinate"),
        },
        {"snr": float(snr)},
    )


def _of_denoiser(denoiser: Denoiser, a: Floats, b: Floats, made: Rule) -> tuple[float, float]:
    """Return ∫ E‖ε₁ − ε₂‖² dg and ∫ (E‖ε₁‖² − E‖ε₂‖²) dg of a learned denoiser by a rule.

    Above the widest σ that was trained the denoiser is the linear one of the data's mean and spread.
    """
    apart = energy = 0.0
    for sigma, weight in zip(made.snr.sigma, made.snr.weights, strict=True):
        noise = sigma * made.noise.noise
        if sigma <= denoiser.sigmas[1]:
            first, second = (denoiser.correction(x + noise, sigma) for x in (a, b))
        else:
            shrink = sigma**2 / (denoiser.spread**2 + sigma**2)
            first, second = (-shrink * (x + noise - denoiser.centre) for x in (a, b))
        difference, total = second - first, -2 * noise - first - second
        apart += weight * float(made.noise.weights @ (difference**2).sum(axis=1))
        energy += weight * float(made.noise.weights @ (difference * total).sum(axis=1))
    return apart, energy


def _precondition(sigma: Any) -> tuple[Any, Any, Any]:
    """Return c_skip, c_out and c_in for data of unit spread."""
    root = (1 + sigma**2) ** 0.5
    return 1 / (1 + sigma**2), sigma / root, 1 / root


def _network(d: int, rng: Any) -> Any:
    """Return a network of three layers, its weights drawn from ``rng``."""
    import torch
    from torch import nn

    layers = nn.Sequential(
        nn.Linear(d + 1, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU(),
        nn.Linear(WIDTH, d),
    )  # fmt: skip
    with torch.no_grad():
        for layer in layers:
            if isinstance(layer, nn.Linear):
                bound = layer.in_features**-0.5
                layer.weight.copy_((2 * torch.rand(layer.weight.shape, generator=rng) - 1) * bound * 3**0.5)
                layer.bias.zero_()
        layers[-1].weight.mul_(0.1)
    return layers
