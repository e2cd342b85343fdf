"""What does not hold: the two exact counter-examples, and the early stage of training, computed rather than quoted."""

from collections.abc import Sequence

import numpy as np
import torch
import xarray as xr
from torch import nn

from workbench import results
from workbench.progress import Progress
from workbench.steps.experiments.r_sweep import sweep_radius
from workbench.steps.network import network_radius
from workbench.steps.radii import bound_radius
from workbench.steps.ray import Ray


@results.experiment
def counterexamples(
    *,
    networks: Sequence[str] = ("mlp-relu", "mlp-layernorm", "cnn-batchnorm"),
    r: float = 0.99,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute where r < 1 promises too little.

    ``linear_before`` and ``linear_after``: the loss of an exactly linear model (one input twice with opposite labels,
    logit slope w = 0.01) before and after one gradient step of r = 0.9. ``tanh_radius`` and ``tanh_bound``: the true
    radius of z = (2 tanh(½ + t), 0) and the bound πT/Δ, which exceeds it. ``points_lost`` (network, stage): accuracy
    lost at ``r`` along the output bias, by an untrained and a converged network.
    """
    progress = progress or Progress()
    progress.update(0, 2 + len(networks), "exact examples")
    before, after = linear_example(0.9)
    true, bound = tanh_example()
    lost = []
    for n, network in enumerate(networks):
        progress.update(2 + n, 2 + len(networks), network)
        sweep = sweep_radius(
            network, stages=("initial", "early", "converged"), directions=("output-bias",), r=(r,), seed=seed
        )
        lost.append(100 * (sweep.accuracy_start.values[:, 0] - sweep.accuracy.values[:, 0, 0]))
    progress.update(1, 1, "done")
    return results.dataset(
        {
            "linear_before": ((), before, "loss of the linear example before the step", "nat"),
            "linear_after": ((), after, "loss of the linear example after a step of r = 0.9", "nat"),
            "tanh_radius": ((), true, "true radius of the tanh example", "τ"),
            "tanh_bound": ((), bound, "bound radius of the tanh example", "τ"),
            "points_lost": (
                ("network", "stage"),
                np.array(lost),
                f"accuracy lost at r = {r:g}, output bias",
                "percentage points",
            ),
        },
        {
            "network": (("network",), list(networks), "network"),
            "stage": (("stage",), ["initial", "early", "converged"], "stage of training"),
        },
    )


def linear_example(r: float) -> tuple[float, float]:
    """Return the loss before and after one −gradient step of length r·ρ_a, for one input twice with opposite labels.

    A single weight w = 0.01 and input 1, logits (wx, 0), labels 0 and 1: the optimum is w = 0 and the gradient tiny,
    but ρ_a = π does not know that.

    >>> [round(loss, 6) for loss in linear_example(0.9)]
    [0.69316, 1.466758]
    """
    model = _OneWeight(0.01)
    inputs, targets = torch.ones(2, 1), torch.tensor([0, 1])
    probability = 1 / (1 + np.exp(-0.01))
    descent = {"weight": torch.tensor([-(probability - 0.5)], dtype=torch.float64)}
    ray = Ray(model, inputs, targets, descent)
    return ray.loss, ray.loss_at(r * float(bound_radius(ray.slopes).min()))


def tanh_example() -> tuple[float, float]:
    """Return the true radius and the bound of z(t) = (2 tanh(½ + t), 0): the bound is larger, so it bounds nothing."""
    model = _TanhPair()
    step = {"shift": torch.ones(1, dtype=torch.float64)}
    inputs = torch.zeros(1, 1, dtype=torch.float64)
    ray = Ray(model, inputs, torch.tensor([0]), step)
    return float(network_radius(model, inputs, step).radius[0]), float(bound_radius(ray.slopes)[0])


class _OneWeight(nn.Module):
    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([weight], dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logit = x * self.weight
        return torch.cat([logit, torch.zeros_like(logit)], dim=1)


class _TanhPair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logit = 2 * torch.tanh(0.5 + self.shift) + 0 * x
        return torch.cat([logit, torch.zeros_like(logit)], dim=1)
