"""Directions in parameter space to look along, by name; each is one function returning parameter name → tensor."""

import torch
from torch import Tensor, nn
from torch.func import functional_call

from workbench import checks
from workbench.registry import Registry
from workbench.steps.passes import evaluation
from workbench.steps.ray import unit
from workbench.steps.threads import one_thread

DIRECTIONS = Registry("direction")


def unit_direction(
    direction: str, model: nn.Module, inputs: Tensor, targets: Tensor, *, seed: int = 0
) -> dict[str, Tensor]:
    """Return the named unit direction of ``model`` on a batch, in float64 and eval statistics.

    Raises ``ValueError`` for an unknown name or a direction of length zero (a vanishing gradient).

    >>> import torch
    >>> from workbench import steps
    >>> model, x = steps.build("linear", features=4, classes=3), torch.eye(4)
    >>> v = unit_direction("-gradient", model, x, torch.tensor([0, 1, 2, 0]))
    >>> list(v), round(float(sum((part**2).sum() for part in v.values())), 12)
    (['0.weight', '0.bias'], 1.0)
    """
    entry = DIRECTIONS[direction]
    checks.integer("seed", seed, minimum=0)
    with one_thread():
        return unit(entry(model, inputs, targets, seed))


def gradient(model: nn.Module, inputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """Return the gradient of the mean cross-entropy, name → tensor, in float64 and eval statistics."""
    leaves = {name: p.detach().double().requires_grad_() for name, p in model.named_parameters()}
    buffers = {
        name: b.detach().double() if b.is_floating_point() else b.detach().clone() for name, b in model.named_buffers()
    }
    x = inputs.double() if inputs.is_floating_point() else inputs
    with evaluation(model), torch.enable_grad():
        loss = nn.functional.cross_entropy(functional_call(model, {**leaves, **buffers}, (x,)), targets)
        values = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
    return {n: torch.zeros_like(p) if g is None else g for (n, p), g in zip(leaves.items(), values, strict=True)}


@DIRECTIONS.add("-gradient", label="steepest descent, −∇L", formula="v = −g/‖g‖")
def descent(model: nn.Module, inputs: Tensor, targets: Tensor, seed: int) -> dict[str, Tensor]:
    """Downhill along the gradient of the batch."""
    return {name: -g for name, g in gradient(model, inputs, targets).items()}


@DIRECTIONS.add("+gradient", label="steepest ascent, +∇L", formula="v = g/‖g‖")
def ascent(model: nn.Module, inputs: Tensor, targets: Tensor, seed: int) -> dict[str, Tensor]:
    """Uphill along the gradient of the batch."""
    return gradient(model, inputs, targets)


@DIRECTIONS.add("sign", label="sign of the gradient, as Adam's first step", formula="v = −sign(g)/√n")
def sign(model: nn.Module, inputs: Tensor, targets: Tensor, seed: int) -> dict[str, Tensor]:
    """Downhill along the sign of the gradient, the direction of Adam's first step."""
    return {name: -torch.sign(g) for name, g in gradient(model, inputs, targets).items()}


@DIRECTIONS.add("random", label="random, isotropic", formula="v = n/‖n‖, n ∼ N(0, 1)")
def random(model: nn.Module, inputs: Tensor, targets: Tensor, seed: int) -> dict[str, Tensor]:
    """A Gaussian direction drawn from ``seed``."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(p.shape, generator=generator, dtype=torch.float64) for name, p in model.named_parameters()
    }


@DIRECTIONS.add("output-bias", label="bias of the output layer only", formula="v = −sign(g_b) on the last bias")
def output_bias(model: nn.Module, inputs: Tensor, targets: Tensor, seed: int) -> dict[str, Tensor]:
    """The last bias of the model moves along minus the sign of its gradient, everything else stands still."""
    gradients = gradient(model, inputs, targets)
    biases = [name for name in gradients if name.endswith("bias")]
    if not biases:
        raise ValueError("the model has no bias; choose another direction")
    return {biases[-1]: -torch.sign(gradients[biases[-1]])}
