"""AdaHessian: Adam's moments with the Hessian's diagonal, estimated by Hutchinson, in the place of squared gradients.

Reference: Z. Yao, A. Gholami, S. Shen, M. Mustafa, K. Keutzer & M. Mahoney, "ADAHESSIAN: An Adaptive Second Order
Optimizer for Machine Learning", arXiv 2006.00719, Algorithm 1 and eqs. (4)–(10).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from workbench import checks
from workbench.steps.attention import differentiable_attention


def hutchinson_diagonal(
    gradients: Sequence[Tensor], parameters: Sequence[Tensor], signs: Sequence[Tensor]
) -> list[Tensor]:
    """Return z ⊙ Hz for one Rademacher vector z, an unbiased estimate of the Hessian's diagonal.

    ``gradients`` were taken with ``create_graph=True``; ``signs`` are ±1 tensors of the parameters' shapes. E[z ⊙ Hz]
    = diag H because E[z_i z_j] = δ_ij. A complex parameter is a pair of real ones: its signs are ±1 ± i, and the
    estimate holds the second derivatives by its real and by its imaginary part. One Hessian–vector product.
    Reference: arXiv 2006.00719, eq. (4).
    """
    products = torch.autograd.grad(
        [g for g in gradients if g.requires_grad],
        parameters,
        grad_outputs=[z for g, z in zip(gradients, signs, strict=True) if g.requires_grad],
        retain_graph=True,
        allow_unused=True,
    )
    return [
        torch.zeros_like(p) if product is None else _like(p, as_real(z) * as_real(product))
        for p, product, z in zip(parameters, products, signs, strict=True)
    ]


def as_real(value: Tensor) -> Tensor:
    """Return a complex tensor as pairs of real numbers (a view), any other as it is."""
    return torch.view_as_real(value) if value.is_complex() else value


def _like(p: Tensor, pairs: Tensor) -> Tensor:
    return torch.view_as_complex(pairs.contiguous()) if p.is_complex() else pairs


class AdaHessian(torch.optim.Optimizer):
    """The AdaHessian optimiser; ``step`` takes a closure that returns the loss *without* calling backward.

    θ ← θ − lr·(m̂ / (v̂^(k/2) + ε) + weight_decay·θ), with m̂ the bias-corrected mean of gradients and v̂ that of
    squared, spatially averaged Hutchinson diagonals. A diagonal Hessian is found exactly, so that a badly scaled
    quadratic form takes steps of Newton's:

    >>> x = torch.nn.Parameter(torch.ones(2))
    >>> optimizer = AdaHessian([x], lr=1.0, betas=(0.0, 0.0), eps=1e-12)
    >>> scale = torch.tensor([1.0, 1e4])
    >>> loss = optimizer.step(lambda: 0.5 * (scale * x**2).sum())
    >>> bool((x.abs() < 1e-6).all())
    True

    Parameters: ``betas`` decay of the two means, ``hessian_power`` k in (0, 1], ``weight_decay`` decoupled,
    ``samples`` Hutchinson vectors a step, ``average_kernels`` averages |z ⊙ Hz| over the trailing dimensions of
    convolution kernels (eq. 10), ``seed`` of the random signs (redrawn from seed and step number, so that a state
    dict carries all there is). Complex parameters are treated as pairs of real ones, as torch's optimisers do. A step
    costs about one gradient and ``samples`` Hessian–vector products. Raises ``ValueError`` for numbers out of range,
    ``RuntimeError`` if the closure freed the graph.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.1,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-4,
        weight_decay: float = 0.0,
        hessian_power: float = 1.0,
        samples: int = 1,
        average_kernels: bool = True,
        seed: int = 0,
    ) -> None:
        defaults = {
            "lr": checks.real("lr", lr, exclusive_minimum=0),
            "betas": tuple(checks.real("betas", b, minimum=0, maximum=1 - 1e-12) for b in betas),
            "eps": checks.real("eps", eps, exclusive_minimum=0),
            "weight_decay": checks.real("weight_decay", weight_decay, minimum=0),
            "hessian_power": checks.real("hessian_power", hessian_power, exclusive_minimum=0, maximum=1),
            "average_kernels": bool(average_kernels),
        }
        self.samples = checks.integer("samples", samples, minimum=1)
        self.seed = checks.integer("seed", seed, minimum=0)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor]) -> Tensor:  # type: ignore[override]
        """Take one step and return the loss; the gradients are left in ``.grad``."""
        parameters = [p for group in self.param_groups for p in group["params"] if p.requires_grad]
        with torch.enable_grad(), differentiable_attention():
            loss = closure()
            if not (isinstance(loss, Tensor) and loss.requires_grad):
                raise ValueError("the closure must return the loss tensor, still attached to its graph")
            gradients = torch.autograd.grad(loss, parameters, create_graph=True, allow_unused=True)
        used = [(p, g) for p, g in zip(parameters, gradients, strict=True) if g is not None]
        diagonals = self._diagonals([g for _, g in used], [p for p, _ in used])
        groups = {p: group for group in self.param_groups for p in group["params"]}
        for (p, g), diagonal in zip(used, diagonals, strict=True):
            p.grad = g.detach()
            self._update(p, g.detach(), diagonal, groups[p])
        return loss.detach()

    def _diagonals(self, gradients: list[Tensor], parameters: list[Tensor]) -> list[Tensor]:
        step = max((int(self.state[p]["step"]) for p in parameters if p in self.state), default=0)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        total = [torch.zeros_like(p) for p in parameters]
        for _ in range(self.samples):
            signs = [_signs(p, generator) for p in parameters]
            for sum_, part in zip(total, hutchinson_diagonal(gradients, parameters, signs), strict=True):
                sum_ += part / self.samples
        return total

    def _update(self, p: Tensor, gradient: Tensor, diagonal: Tensor, group: dict[str, Any]) -> None:
        state, kernel = self.state[p], tuple(range(2, p.ndim))
        p, gradient, diagonal = as_real(p), as_real(gradient), as_real(diagonal)
        if not state:
            state.update(step=0, mean=torch.zeros_like(p), square=torch.zeros_like(p))
        if group["average_kernels"] and kernel:
            diagonal = diagonal.abs().mean(dim=kernel, keepdim=True).expand_as(p)
        first, second = group["betas"]
        state["step"] += 1
        state["mean"].lerp_(gradient, 1 - first)
        state["square"].lerp_(diagonal * diagonal, 1 - second)
        mean = state["mean"] / (1 - first ** state["step"])
        scale = (state["square"] / (1 - second ** state["step"])) ** (group["hessian_power"] / 2) + group["eps"]
        p.mul_(1 - group["lr"] * group["weight_decay"])
        p.addcdiv_(mean, scale, value=-group["lr"])


def _signs(p: Tensor, generator: torch.Generator) -> Tensor:
    """Return Rademacher numbers of the shape of ``p``, for real and imaginary parts on their own."""
    shape = as_real(p).shape
    signs = (torch.randint(0, 2, shape, generator=generator) * 2 - 1).to(device=p.device, dtype=as_real(p).dtype)
    return _like(p, signs)
