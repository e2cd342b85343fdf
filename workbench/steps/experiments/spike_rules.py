"""The guards that compete in the spike laboratory; each is one small class with ``step(x, y) -> (loss, engaged)``."""

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call

from workbench.registry import Fact, Registry
from workbench.steps.hooks import guard
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

RULES = Registry(
    "rule",
    facts={
        "colour": Fact(int, says="its place among the colours of series, 0 to 7"),
        "of_gradients": Fact(bool, required=False, says="True if it changes gradients, which AdaHessian shows nobody"),
    },
)
GRADIENT_LIMIT = 1.0
UPDATE_LIMIT = 2.0
ENOUGH_HISTORY = 5
HALVINGS = 24
SUFFICIENT = 1e-4
ZCLIP_WARMUP, ZCLIP_DECAY, ZCLIP_LIMIT = 25, 0.97, 2.5
AGC_LIMIT, AGC_LEAST = 0.01, 1e-3


def described(rules: Sequence[str]) -> tuple[list[str], list[int]]:
    """Return the labels and colours of rules, by the registry."""
    return [RULES[name].label for name in rules], [RULES[name].fact("colour") for name in rules]


class Rule(Protocol):
    """What the laboratory asks of a rule."""

    def step(self, x: Tensor, y: Tensor) -> tuple[float, bool]:
        """Take one training step on a batch; return the loss before it and whether the step was changed."""
        ...


class _Base:
    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, r_max: float) -> None:
        self.model, self.optimizer = model, optimizer
        self.loss_scale = 1.0  # of a gradient that has lost its scale

    def backward(self, x: Tensor, y: Tensor) -> float:
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(x).flatten(0, -2), y.flatten())
        (loss * self.loss_scale).backward()
        return float(loss.detach())

    def move(self, x: Tensor, y: Tensor) -> float:
        """Let the optimiser do its own whole step."""
        if isinstance(self.optimizer, AdaHessian):
            return float(self.optimizer.step(lambda: nn.functional.cross_entropy(self.model(x), y)))
        loss = self.backward(x, y)
        self.optimizer.step()
        return loss


@RULES.add("none", label="none", formula="p", colour=1)
class Unguarded(_Base):
    """The optimiser as it is."""

    def step(self, x: Tensor, y: Tensor) -> tuple[float, bool]:
        """Take the optimiser's step."""
        return self.move(x, y), False


@RULES.add(
    "gradient-clip",
    label="gradient clip",
    formula="g ← min(1, 1/‖g‖) g",
    reference="arXiv 1211.5063",
    colour=2,
    of_gradients=True,
)
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


class _OfGradients(_Base):
    """A rule that changes the gradient before the optimiser sees it."""

    def step(self, x: Tensor, y: Tensor) -> tuple[float, bool]:
        """Change the gradient, then step; AdaHessian computes its own, out of reach."""
        if isinstance(self.optimizer, AdaHessian):
            raise ValueError("clipping of gradients cannot reach AdaHessian's; leave the rule out")
        loss = self.backward(x, y)
        engaged = self.change()
        self.optimizer.step()
        return loss, engaged

    def change(self) -> bool:
        """Change the gradients in place and return whether anything changed."""
        raise NotImplementedError


@RULES.add(
    "zclip",
    label="ZClip",
    formula="‖g‖ ← μ + (2.5²/z) σ if z > 2.5",
    reference="arXiv 2504.02507",
    colour=6,
    of_gradients=True,
)
class ZClip(_OfGradients):
    """Clip the gradient's norm where it is an outlier of its running mean μ and deviation σ, z = (‖g‖ − μ)/σ.

    As the paper has it: exponential averages with α = 0.97 after 25 steps of warm-up, threshold 2.5, and clipped norms
    enter the averages.
    """

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, r_max: float) -> None:
        super().__init__(model, optimizer, r_max)
        self.norms: list[float] = []
        self.mean = self.variance = 0.0

    def change(self) -> bool:
        """Clip an outlier."""
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        norm = float(nn.utils.get_total_norm(gradients))
        if len(self.norms) < ZCLIP_WARMUP:
            self.norms.append(norm)
            self.mean = sum(self.norms) / len(self.norms)
            self.variance = sum((n - self.mean) ** 2 for n in self.norms) / len(self.norms)
            return False
        deviation = self.variance**0.5 + 1e-6
        z, wanted = (norm - self.mean) / deviation, norm
        if z > ZCLIP_LIMIT:
            wanted = self.mean + ZCLIP_LIMIT**2 / z * deviation
            for g in gradients:
                g.mul_(wanted / norm)
        self.mean = ZCLIP_DECAY * self.mean + (1 - ZCLIP_DECAY) * wanted
        self.variance = ZCLIP_DECAY * self.variance + (1 - ZCLIP_DECAY) * (wanted - self.mean) ** 2
        return wanted != norm


@RULES.add(
    "agc",
    label="adaptive gradient clip",
    formula="‖g_i‖ ≤ 0.01 ‖w_i‖ per unit",
    reference="arXiv 2102.06171",
    colour=7,
    of_gradients=True,
)
class AdaptiveClip(_OfGradients):
    """Clip the gradient of each unit (row of a weight) at a hundredth of the unit's own norm, not below 1e-3."""

    @torch.no_grad()
    def change(self) -> bool:
        """Clip every unit."""
        engaged = False
        for p in self.model.parameters():
            if p.grad is None:
                continue
            axes = tuple(range(1, p.ndim)) if p.ndim > 1 else (0,)
            limit = AGC_LIMIT * p.norm(dim=axes, keepdim=True).clamp(min=AGC_LEAST)
            norm = p.grad.norm(dim=axes, keepdim=True)
            over = norm > limit
            if bool(over.any()):
                engaged = True
                p.grad.mul_(torch.where(over, limit / norm, 1.0))
        return engaged


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


@RULES.add("update-clip", label="update clip", formula="p ← min(1, 2·median‖p‖/‖p‖) p", colour=3)
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


@RULES.add("armijo", label="Armijo", formula="L(θ+p) ≤ L + 1e-4 g·p", reference="arXiv 1905.09997", colour=4)
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


@RULES.add("safe", label="SafeStep", formula="p ← min(1, r_max ρ_a/‖p‖) p", reference="arXiv 2603.13552", colour=0)
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


@RULES.add(
    "guard", label="guard, replay", formula="p ← min(1, r_max ρ/‖p‖) p, ρ of the actual change of the logits", colour=5
)
class Hooked(_Base):
    """The same controller as hooks on the optimiser, measuring what the step does to the logits."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, r_max: float) -> None:
        super().__init__(model, optimizer, r_max)
        self.guard = guard(optimizer, model, r_max=r_max, mode="cap", measure="replay")

    def step(self, x: Tensor, y: Tensor) -> tuple[float, bool]:
        """Take the optimiser's step; the guard acts by itself."""
        loss = self.move(x, y)
        return loss, self.guard.engaged or self.guard.refused
