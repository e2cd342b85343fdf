"""A ray θ₀ + τv of one model and one batch, with everything that can be asked about it, each computed once.

Predictors and experiments all look at the same ray, so one currency, τ = ‖θ − θ₀‖, holds by construction.
"""

import copy
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from workbench import checks
from workbench.steps.attention import differentiable_attention
from workbench.steps.jvp import logits_and_slopes
from workbench.steps.threads import one_thread

FloatArray = NDArray[np.float64]


class Ray:
    """The mean cross-entropy of ``model`` on a batch along a unit direction v, in float64 and eval statistics.

    ``inputs`` (batch, ...), ``targets`` (batch,) class numbers, ``direction`` parameter name → tensor (scaled to unit
    length here; names left out stand still). Works on its own float64 copy of the model. Raises ``ValueError`` for a
    zero or non-finite direction, an output without class axis, or targets outside the classes.

    >>> model = nn.Linear(1, 2, bias=False)
    >>> _ = nn.init.zeros_(model.weight)
    >>> ray = Ray(model, torch.ones(1, 1), torch.tensor([1]), {"weight": torch.tensor([[1.0], [-1.0]])})
    >>> round(ray.loss, 6), ray.slopes.round(6).tolist(), ray.loss_at(1.0) > ray.loss
    (0.693147, [[0.707107, -0.707107]], True)
    """

    def __init__(
        self,
        model: nn.Module,
        inputs: Tensor,
        targets: Tensor,
        direction: Mapping[str, Tensor],
        *,
        temperature: float = 1.0,
    ) -> None:
        self.temperature = checks.real("temperature", temperature, exclusive_minimum=0)
        self.model = copy.deepcopy(model).double().eval()
        self.inputs = inputs.double() if inputs.is_floating_point() else inputs
        self.targets = targets
        self.direction = unit(direction)
        self._base = dict(self.model.named_parameters())
        with one_thread():
            self._linear = logits_and_slopes(self.model, self.inputs, self.direction)
        classes = self._linear.logits.shape[1]
        if len(targets) != len(self._linear.logits) or int(targets.min()) < 0 or int(targets.max()) >= classes:
            raise ValueError(f"targets must be {len(self._linear.logits)} class numbers in 0 … {classes - 1}")

    @property
    def logits(self) -> FloatArray:
        """z at τ = 0, divided by the temperature: (batch, classes)."""
        return self._linear.logits.numpy() / self.temperature

    @property
    def slopes(self) -> FloatArray:
        """dz/dτ at τ = 0, divided by the temperature: (batch, classes)."""
        return self._linear.slopes.numpy() / self.temperature

    @property
    def labels(self) -> NDArray[np.int64]:
        """The targets as an array."""
        return self.targets.numpy()

    def logits_at(self, tau: float) -> FloatArray:
        """Return z(τ)/T, one forward pass: (batch, classes)."""
        with torch.no_grad(), one_thread():
            return (self._output(tau) / self.temperature).numpy()

    def loss_at(self, tau: float) -> float:
        """Return the mean loss at τ, one forward pass."""
        return mean_loss(self.logits_at(tau), self.labels)

    def accuracy_at(self, tau: float) -> float:
        """Return the share of right predictions at τ."""
        return float((self.logits_at(tau).argmax(axis=1) == self.labels).mean())

    def gradient_at(self, tau: float) -> Tensor:
        """Return the gradient of the mean loss at τ as one vector: a forward and a backward pass."""
        with one_thread():
            leaves = {name: p.detach().requires_grad_() for name, p in self._shifted(tau).items()}
            gradients = torch.autograd.grad(self._loss(leaves), list(leaves.values()))
            return torch.cat([g.reshape(-1) for g in gradients])

    def hessian_product(self, vector: Tensor) -> Tensor:
        """Return H·vector at τ = 0, vectors flat in the order of ``named_parameters``: about two gradients."""
        with one_thread(), differentiable_attention():
            leaves = {name: p.detach().requires_grad_() for name, p in self._base.items()}
            variables = list(leaves.values())
            gradients = torch.autograd.grad(self._loss(leaves), variables, create_graph=True)
            inner = torch.cat([g.reshape(-1) for g in gradients]) @ vector
            products = torch.autograd.grad(inner, variables, allow_unused=True)
            flat = [torch.zeros_like(v) if p is None else p for v, p in zip(variables, products, strict=True)]
            return torch.cat([p.reshape(-1) for p in flat])

    @cached_property
    def loss(self) -> float:
        """L(0)."""
        return mean_loss(self.logits, self.labels)

    @cached_property
    def accuracy(self) -> float:
        """The share of right predictions at τ = 0."""
        return float((self.logits.argmax(axis=1) == self.labels).mean())

    @cached_property
    def gradient(self) -> Tensor:
        """The gradient at τ = 0, flat."""
        return self.gradient_at(0.0)

    @cached_property
    def flat_direction(self) -> Tensor:
        """The unit vector v, flat."""
        parts = [self.direction.get(name, torch.zeros_like(p)) for name, p in self._base.items()]
        return torch.cat([p.detach().double().reshape(-1) for p in parts])

    @cached_property
    def slope(self) -> float:
        """dL/dτ at 0, that is g·v."""
        return float(self.gradient @ self.flat_direction)

    @cached_property
    def curved_direction(self) -> Tensor:
        """H v, flat."""
        return self.hessian_product(self.flat_direction)

    @cached_property
    def curvature(self) -> float:
        """d²L/dτ² at 0, that is v·Hv."""
        return float(self.curved_direction @ self.flat_direction)

    @cached_property
    def gauss_newton_curvature(self) -> float:
        """The Gauss–Newton part of the curvature: the mean over the batch of the variance of a under p = softmax(z)."""
        p = softmax(self.logits)
        mean = (p * self.slopes).sum(axis=1, keepdims=True)
        return float((p * (self.slopes - mean) ** 2).sum(axis=1).mean())

    def _shifted(self, tau: float) -> dict[str, Tensor]:
        moved = {name: self._base[name] + tau * v for name, v in self.direction.items()}
        return {**self._base, **moved}

    def _output(self, tau: float) -> Any:
        return functional_call(self.model, self._shifted(tau), (self.inputs,))

    def _loss(self, parameters: dict[str, Tensor]) -> Tensor:
        output = functional_call(self.model, parameters, (self.inputs,))
        return torch.nn.functional.cross_entropy(output / self.temperature, self.targets)


def unit(direction: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return ``direction`` in float64 with joint Euclidean length 1; ``ValueError`` if it is zero or not finite."""
    wide = {name: v.detach().double() for name, v in direction.items()}
    length = float(torch.stack([v.norm() for v in wide.values()]).norm()) if wide else 0.0
    if not 0 < length < float("inf"):
        raise ValueError(f"the direction has length {length}; it must be finite and not zero")
    return {name: v / length for name, v in wide.items()}


def softmax(logits: FloatArray) -> FloatArray:
    """Return the softmax over the last axis."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def sample_losses(logits: FloatArray, labels: NDArray[np.int64]) -> FloatArray:
    """Return the cross-entropy of each sample: (..., batch) from (..., batch, classes)."""
    top = logits.max(axis=-1)
    with np.errstate(invalid="ignore", over="ignore"):
        normaliser = top + np.log(np.exp(logits - top[..., None]).sum(axis=-1))
        chosen = np.take_along_axis(logits, np.broadcast_to(labels, logits.shape[:-1])[..., None], axis=-1)[..., 0]
        return normaliser - chosen


def mean_loss(logits: FloatArray, labels: NDArray[np.int64]) -> float:
    """Return the mean cross-entropy."""
    return float(sample_losses(logits, labels).mean())
