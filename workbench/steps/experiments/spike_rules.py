"""The guards that compete in the spike laboratory; each is one small class with ``step(x, y) -> (loss, engaged)``."""

from collections.abc import Callable, Iterable
from statistics import median
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call

from workbench.registry import Registry
from workbench.steps.optimisers import MFAC, AdaHessian
from workbench.steps.safe_step import SafeStep

OPTIMISERS: dict[str, Callable[[Iterable[Any], float], torch.optim.Optimizer]] = {
    "adam": lambda parameters, rate: torch.optim.Adam(parameters, lr=rate),
    "adamw": lambda parameters, rate: torch.optim.AdamW(parameters, lr=rate),
    "sgd": lambda parameters, rate: torch.optim.SGD(parameters, lr=rate, momentum=0.9, weight_decay=1e-4),
    "adahessian": lambda parameters, rate: AdaHessian(parameters, lr=rate),
    "m-fac": lambda parameters, rate: MFAC(parameters, lr=rate, window=16, damping=1e-2),
}
"""Name → optimiser of (parameters, learning rate), for the laboratory."""

RULES = Registry("rule")
GRADIENT_LIMIT = 1.0
UPDATE_LIMIT = 2.0
ENOUGH_HISTORY = 5
HALVINGS = 24
SUFFICIENT = 1e-4


class Rule(Protocol):
    """What the laboratory asks of a rule."""

    def step(self, x: Tensor, y: Tensor) -> tuple[float, bool]:
        """Take one training step on a batch; return the loss before it and whether the step was changed."""
        ...


class _Base:
    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, r_max: float) -> None:
        self.model, self.optimizer = model, optimizer

    def backward(self, x: Tensor, y: Tensor) -> float:
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(x), y)
        loss.backward()
        return float(loss.detach())

    def move(self, x: Tensor, y: Tensor) -> float:
        """Let the optimiser do its own whole step."""
        if isinstance(self.optimizer, AdaHessian):
            return float(self.optimizer.step(lambda: nn.functional.cross_entropy(self.model(x), y)))
        loss = self.backward(x, y)
        self.optimizer.step()
        return loss


@RULES.add("none", label="none", formula="p")
class Unguarded(_Base):
    """The optimiser as it is."""

    def step(self, x: Tensor, y: Tensor) -> tuple[float, bool]:
        """Take the optimiser's step."""
        return self.move(x, y), False


@RULES.add("gradient-clip", label="gradient clip", formula="g ← min(1, 1/‖g‖) g", reference="arXiv 1211.5063")
class GradientClip(_Base):
    """Clip the gradient to norm 1 before the optimiser sees it (no effect on the scale of Adam's step)."""

    def step(self, x: Tensor, y: Tensor) -> tuple[float, bool]:
        """Clip, then step; AdaHessian computes its own gradients, so nothing can be clipped there."""
        if isinstance(self.optimizer, AdaHessian):
            raise ValueError("gradient clipping cannot reach AdaHessian's gradients; leave the rule out")
        loss = self.backward(x, y)
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), GRADIENT_LIMIT))
        self.optimizer.step()
        return loss, norm > GRADIENT_LIMIT


class _Rescaled(_Base):
    """A rule that changes the length of the update after the optimiser has made it."""

    def step(self, x: Tensor, y: Tensor) -> tuple[float, bool]:
        """Take the optimiser's step, ask for a factor, and rescale the step in place."""
        before = [p.detach().clone() for p in self.model.parameters()]
        loss = self.move(x, y)
        update = [p.detach() - old for p, old in zip(self.model.parameters(), before, strict=True)]
        factor = self.factor(x, y, before, update)
        if factor == 1.0:
            return loss, False
        with torch.no_grad():
            for p, old, u in zip(self.model.parameters(), before, update, strict=True):
                p.copy_(old + factor * u)
        return loss, True

    def factor(self, x: Tensor, y: Tensor, before: list[Tensor], update: list[Tensor]) -> float:
        """Return what the update is to be multiplied by."""
        raise NotImplementedError


@RULES.add("update-clip", label="update clip, 2 × median", formula="p ← min(1, 2·median‖p‖/‖p‖) p")
class UpdateClip(_Rescaled):
    """Cap the update at twice the median length of the updates so far: no JVP, but no model of the loss either."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, r_max: float) -> None:
        super().__init__(model, optimizer, r_max)
        self.lengths: list[float] = []

    def factor(self, x: Tensor, y: Tensor, before: list[Tensor], update: list[Tensor]) -> float:
        """Return the cap over the length, if the update is longer."""
        length = float(torch.stack([u.norm() for u in update]).norm())
        factor = 1.0
        if len(self.lengths) >= ENOUGH_HISTORY and length > UPDATE_LIMIT * median(self.lengths):
            factor = UPDATE_LIMIT * median(self.lengths) / length
        self.lengths.append(length * factor)
        return factor


@RULES.add("armijo", label="Armijo backtracking", formula="L(θ+p) ≤ L + 1e-4 g·p", reference="arXiv 1905.09997")
class Armijo(_Rescaled):
    """Halve the update until the batch loss decreases enough; give it up after 24 halvings."""

    def factor(self, x: Tensor, y: Tensor, before: list[Tensor], update: list[Tensor]) -> float:
        """Return the first power of ½ that passes (plain decrease where the update points uphill)."""
        names = [name for name, _ in self.model.named_parameters()]
        gradients = [p.grad for p in self.model.parameters()]
        slope = sum(float((g * u).sum()) for g, u in zip(gradients, update, strict=True) if g is not None)
        start = self._loss(x, y, dict(zip(names, before, strict=True)))
        factor = 1.0
        for _ in range(HALVINGS):
            moved = {n: old + factor * u for n, old, u in zip(names, before, update, strict=True)}
            if self._loss(x, y, moved) <= start + min(0.0, SUFFICIENT * factor * slope):
                return factor
            factor *= 0.5
        return 0.0

    @torch.no_grad()
    def _loss(self, x: Tensor, y: Tensor, parameters: dict[str, Tensor]) -> float:
        buffers = {name: b.clone() for name, b in self.model.named_buffers()}
        return float(nn.functional.cross_entropy(functional_call(self.model, {**parameters, **buffers}, (x,)), y))


@RULES.add("safe", label="SafeStep", formula="p ← min(1, r_max ρ_a/‖p‖) p", reference="arXiv 2603.13552")
class Safe(_Base):
    """This room's controller."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, r_max: float) -> None:
        super().__init__(model, optimizer, r_max)
        self.guard = SafeStep(optimizer, model, r_max=r_max)

    def step(self, x: Tensor, y: Tensor) -> tuple[float, bool]:
        """Take one guarded step."""
        if isinstance(self.optimizer, AdaHessian):
            loss = float(self.guard.step(x, closure=lambda: nn.functional.cross_entropy(self.model(x), y)))
        else:
            loss = self.backward(x, y)
            self.guard.step(x)
        return loss, self.guard.engaged
