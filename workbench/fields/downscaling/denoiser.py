"""Small score networks for rain, trained with and without the regulariser, and the sampler that all rows share.

A convolutional network on the torus sees x̃ = y + σε, the interpolated block means and ln σ. In the score form of the
paper x̂ = x̃ + σF; preconditioned, x̂ = c_skip x̃ + c_out F, which is the Bayes answer of an unconditional pixel for F = 0.
"""

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from workbench import checks
from workbench.fields.core.laws import Floats
from workbench.fields.downscaling.field import FACTOR, MEAN, SIZE, SPREAD, coarsen, interpolated, rain
from workbench.progress import Progress

PARAMETRISATIONS = ("score", "preconditioned")
SIGMA_MIN, SIGMA_MAX = 0.01, 50.0
CHANNELS = 16
DIRECTIONS = 100
LEVELS = 24
GATE = SPREAD / 2
"""σ below which the gated regulariser acts."""
WILD = 2.0
"""y beyond which a pixel counts as wild: e¹⁰ mm, 22 metres in a day."""
AT_ONCE = 250
"""Fields that pass the network together."""


class Denoiser(nn.Module):
    """The denoiser x̂(x̃, σ, coarse) of one parametrisation; fields (count, size, size) in single precision."""

    def __init__(self, parametrisation: str) -> None:
        super().__init__()
        self.parametrisation = checks.choice("parametrisation", parametrisation, PARAMETRISATIONS)
        sides = (3, CHANNELS, CHANNELS, CHANNELS)
        layers: list[nn.Module] = []
        for into, out in itertools.pairwise(sides):
            layers += [nn.Conv2d(into, out, 3, padding=1, padding_mode="circular"), nn.SiLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(CHANNELS, 1, 3, padding=1, padding_mode="circular"))

    def forward(self, x: torch.Tensor, sigma: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Return x̂ of the same shape as ``x``; ``sigma`` (count,), ``condition`` the interpolated block means."""
        sigma = sigma[:, None, None]
        total = torch.sqrt(SPREAD**2 + sigma**2)
        away = (x - MEAN) / total
        level = (torch.log(sigma) / 4).expand_as(x)
        f = self.layers(torch.stack([away, (condition - MEAN) / SPREAD, level], dim=1))[:, 0]
        if self.parametrisation == "score":
            return x + sigma * f
        return MEAN + (SPREAD / total) ** 2 * (x - MEAN) + SPREAD * sigma / total * f

    def __call__(self, *args: Any) -> torch.Tensor:
        """Return x̂; torch leaves its type open."""
        return super().__call__(*args)


def sliced_distance(a: torch.Tensor, b: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
    """Return the sliced W₁ of two batches (count, dimension), sorted across the batch; directions (dimension, many).

    >>> x, y, theta = torch.randn(1, 4), torch.randn(1, 4), torch.eye(4)
    >>> bool(torch.isclose(sliced_distance(x, y, theta), (x - y).abs().mean()))
    True
    """
    return ((a @ directions).sort(dim=0).values - (b @ directions).sort(dim=0).values).abs().mean()


def train_denoiser(
    weight: float = 0.0,
    gate: float | None = None,
    parametrisation: str = "preconditioned",
    steps: int = 700,
    batch: int = 12,
    rate: float = 2e-3,
    seed: int = 0,
    progress: Progress | None = None,
) -> Denoiser:
    """Return a denoiser trained on fresh draws of ``rain("gaussian")`` and their block means of 4 × 4.

    The loss is the paper's as coded: (1 − w) mean (x̂ − y)²/σ² + w SW₁, where SW₁ sorts the batch along 100 random
    directions, images of different σ together, as published; with ``gate`` only those of σ < gate take part. σ is
    log-uniform on [0.01, 50]. ``weight`` is w, 0 the plain diffusion model. Adam, its rate falling to nothing.
    ``seed`` draws start, fields, noise and directions, the same for every ``weight``.

    Raises ``ValueError`` where the training leaves the numbers. Cost: some 10 ms a step.
    Reference: Liu et al., arXiv 2410.00381 (its code); this network has 5,000 parameters, the
    paper's NCSN++ many millions.

    >>> sum(p.numel() for p in train_denoiser(steps=2).parameters())
    5233
    """
    progress = progress or Progress()
    weight = checks.real("weight", weight, minimum=0.0, maximum=0.99)
    gate = math.inf if gate is None else checks.real("gate", gate, exclusive_minimum=0)
    steps = checks.integer("steps", steps, minimum=1, maximum=50_000)
    batch = checks.integer("batch", batch, minimum=1, maximum=256)
    rate = checks.real("rate", rate, exclusive_minimum=0, maximum=1.0)
    seed = checks.integer("seed", seed, minimum=0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Denoiser(parametrisation)
    drawn = np.random.default_rng([7, seed])
    adam = torch.optim.Adam(network.parameters(), lr=rate)
    falling = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: 1 - step / steps)
    for step in range(steps):
        y = rain("gaussian", count=batch, seed=drawn)
        sigma = np.exp(drawn.uniform(math.log(SIGMA_MIN), math.log(SIGMA_MAX), batch))
        x = y + sigma[:, None, None] * drawn.standard_normal(y.shape)
        theta = drawn.standard_normal((SIZE * SIZE, DIRECTIONS))
        theta /= np.linalg.norm(theta, axis=0)
        y_, x_, s_, c_, theta_ = (
            torch.from_numpy(part.astype(np.float32)) for part in (y, x, sigma, interpolated(coarsen(y)), theta)
        )
        denoised = network(x_, s_, c_)
        loss = (1 - weight) * (((denoised - y_) / s_[:, None, None]) ** 2).mean()
        inside = s_ < gate
        if weight > 0 and bool(inside.any()):
            loss = loss + weight * sliced_distance(denoised[inside].flatten(1), y_[inside].flatten(1), theta_)
        if not bool(torch.isfinite(loss)):
            raise ValueError(f"the training left the numbers at step {step}; take a smaller rate than {rate:g}")
        adam.zero_grad()
        loss.backward()
        adam.step()
        falling.step()
        if step % 5 == 4 or step == steps - 1:
            progress.update(step + 1, steps, f"step {step + 1:,} of {steps:,}")
    return network.eval()


def save_denoiser(network: Denoiser, path: str | Path) -> None:
    """Write a denoiser to a safetensors file, which holds numbers and no code."""
    from safetensors.torch import save_file

    save_file(network.state_dict(), path, {"parametrisation": network.parametrisation})


def read_denoiser(path: str | Path) -> Denoiser:
    """Return a denoiser that :func:`save_denoiser` wrote; ``ValueError`` for a file that holds anything else."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            network = Denoiser((file.metadata() or {}).get("parametrisation", ""))
            network.load_state_dict({name: file.get_tensor(name) for name in sorted(file.keys())})
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(f"{Path(path).name} holds no denoiser of this workbench: {error}") from None
    return network.eval()


def noise_levels(count: int = LEVELS) -> Floats:
    """Return σ from 50 down to 0.01 along σ^{1/7}, and 0: the last step denoises."""
    along = np.linspace(SIGMA_MAX ** (1 / 7), SIGMA_MIN ** (1 / 7), count) ** 7
    return np.append(along, 0.0)


def sample_ode(
    denoise: Callable[[Floats, float], Floats],
    noise: Floats,
    levels: int = LEVELS,
    progress: Progress | None = None,
) -> Floats:
    """Return fields (count, size, size) that Heun's method carries from σ = 50 to the data with a denoiser.

    ``noise`` are standard normal fields: rows that share them differ by their denoiser alone. The step to σ = 0 is one
    of Euler, which is the denoiser's own answer. Cost: 2·levels − 1 calls of ``denoise(x, sigma)``.
    """
    progress = progress or Progress()
    sigma = noise_levels(levels)
    x = MEAN + sigma[0] * noise
    for k in range(levels):
        progress.update(k, levels, f"noise level {sigma[k]:.2g}")
        slope = (x - denoise(x, sigma[k])) / sigma[k]
        ahead = x + (sigma[k + 1] - sigma[k]) * slope
        if sigma[k + 1] > 0:
            slope = (slope + (ahead - denoise(ahead, sigma[k + 1])) / sigma[k + 1]) / 2
            ahead = x + (sigma[k + 1] - sigma[k]) * slope
        x = ahead
    progress.update(levels, levels, "")
    return x


def network_denoiser(network: Denoiser, coarse: Floats) -> Callable[[Floats, float], Floats]:
    """Return ``denoise(x, sigma)`` of a network for block means (count, size/4, size/4)."""
    condition = torch.from_numpy(interpolated(coarse, FACTOR).astype(np.float32))

    def denoise(x: Floats, sigma: float) -> Floats:
        made = np.empty_like(x)
        entering = torch.from_numpy(x.astype(np.float32))
        with torch.inference_mode():
            for k in range(0, len(x), AT_ONCE):
                part = entering[k : k + AT_ONCE]
                levels = torch.full((len(part),), sigma)
                made[k : k + AT_ONCE] = network(part, levels, condition[k : k + AT_ONCE]).numpy()
        return made

    return denoise
