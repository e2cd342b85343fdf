"""The sliced Wasserstein distance as a loss in anyone's PyTorch training loop.

CPU tensors go through the fused kernel, whose gradient is exact for the directions drawn (float64 tensors through
the accurate path). Other devices, or ``engine="torch"``, take a plain path of torch sorts and autograd.
"""

from typing import Any

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from workbench import checks
from workbench.transport.estimators import ESTIMATORS, Rule
from workbench.transport.estimators.control_variates import QuadraticControl
from workbench.transport.evaluate import draw, make_rule
from workbench.transport.measures import check_same_dim, masses, prepare

ENGINES = ("auto", "kernel", "torch")


def sliced_wasserstein_loss(
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    method: str = "design",
    n_directions: int = 100,
    x_weights: torch.Tensor | None = None,
    y_weights: torch.Tensor | None = None,
    p: int = 2,
    seed: int | np.random.Generator = 0,
    engine: str = "auto",
) -> torch.Tensor:
    """Return SW_p^p of ``x`` (n, d) and ``y`` (m, d) as a scalar tensor, differentiable in both clouds.

    Hand in one ``numpy.random.Generator`` as ``seed`` and every call draws new directions; with an int every call
    draws the same, which is right for tests and wrong for training. Weights are constants. The gradient can be taken
    once (no second derivatives) on the kernel path. Errors as
    :func:`~workbench.flows.sliced_wasserstein`.

    Memory: O(n) on the kernel path; O(n L) on the plain path, where autograd keeps every sort.
    """
    _check_tensors(x, y, x_weights, y_weights)
    engine = checks.choice("engine", engine, ENGINES)
    if p not in (1, 2):
        raise ValueError(f"p must be 1 or 2, got {p!r}")
    needed = ESTIMATORS[method].facts.get("power", p)
    if needed != p:
        raise ValueError(f"the estimator {method!r} works for p = {needed} only, got p = {p}")
    n_directions = checks.integer("n_directions", n_directions, minimum=1)
    rule = make_rule(method, n_directions, x.shape[1], checks.generator(seed))
    on_cpu = x.device.type == "cpu" and y.device.type == "cpu"
    if engine == "kernel" and not on_cpu:
        raise ValueError(f"the kernel runs on CPU tensors, got {x.device} and {y.device}; use engine='torch'")
    if engine == "torch" or not on_cpu:
        return _plain(x, y, x_weights, y_weights, rule, p)
    return _Fused.apply(x, y, x_weights, y_weights, rule, p)


class SlicedWassersteinLoss(torch.nn.Module):
    """The loss as a module with its own stream of directions: ``loss = SlicedWassersteinLoss(); loss(x, y)``."""

    def __init__(self, method: str = "design", n_directions: int = 100, p: int = 2, seed: int = 0) -> None:
        super().__init__()
        self.method, self.n_directions, self.p = method, n_directions, p
        self._rng = checks.generator(seed)

    def forward(
        self,
        x: torch.Tensor,
        y: torch.Tensor,
        x_weights: torch.Tensor | None = None,
        y_weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return SW_p^p with fresh directions."""
        return sliced_wasserstein_loss(
            x,
            y,
            method=self.method,
            n_directions=self.n_directions,
            x_weights=x_weights,
            y_weights=y_weights,
            p=self.p,
            seed=self._rng,
        )


def _check_tensors(x: Any, y: Any, x_weights: Any, y_weights: Any) -> None:
    for name, tensor in (("x", x), ("y", y)):
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name} must be a torch.Tensor, got {type(tensor).__name__}")
        if tensor.ndim != 2 or tensor.numel() == 0:
            raise ValueError(f"{name} must be a non-empty (n, d) tensor, got shape {tuple(tensor.shape)}")
        if not torch.isfinite(tensor.detach()).all():
            raise ValueError(f"{name} holds NaN or infinite values")
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x lies in {x.shape[1]} dimensions and y in {y.shape[1]}")
    for name, tensor in (("x_weights", x_weights), ("y_weights", y_weights)):
        if isinstance(tensor, torch.Tensor) and tensor.requires_grad:
            raise ValueError(f"{name} asks for a gradient, which this loss does not give; pass {name}.detach()")


class _Fused(torch.autograd.Function):
    """The kernel behind torch's tape: the gradient is computed with the value and kept."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any, x_weights: Any, y_weights: Any, rule: Rule, p: int) -> torch.Tensor:
        dtype = np.float64 if x.dtype == torch.float64 else np.float32
        cloud_x = prepare("x", _array(x), _array(x_weights), dtype)
        cloud_y = prepare("y", _array(y), _array(y_weights), dtype)
        check_same_dim(cloud_x, cloud_y)
        want_x, want_y = ctx.needs_input_grad[:2]
        found = draw(cloud_x, cloud_y, rule, power=p, want_x=want_x, want_y=want_y)
        gradient_x = torch.as_tensor(found.gradient_x).to(x) if want_x else None
        gradient_y = torch.as_tensor(found.gradient_y).to(y) if want_y else None
        ctx.save_for_backward(gradient_x, gradient_y)
        return torch.tensor(found.value, dtype=x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: torch.Tensor) -> tuple[Any, ...]:
        gradient_x, gradient_y = ctx.saved_tensors
        return (
            None if gradient_x is None else above * gradient_x,
            None if gradient_y is None else above * gradient_y,
            None,
            None,
            None,
            None,
        )


def _array(tensor: Any) -> Any:
    return tensor.detach().numpy() if isinstance(tensor, torch.Tensor) else tensor


def _plain(x: torch.Tensor, y: torch.Tensor, x_weights: Any, y_weights: Any, rule: Rule, p: int) -> torch.Tensor:
    """Evaluate the rule with torch operations only, on the device of ``x``."""
    directions = torch.as_tensor(rule.directions).to(x)
    shares_x, shares_y = _shares("x_weights", x_weights, x), _shares("y_weights", y_weights, y)
    shift = (shares_x @ x - shares_y @ y).detach()
    px, py = directions @ (x - shift).T, directions @ y.T  # moved together first, against cancellation in float32
    if len(x) == len(y) and x_weights is None and y_weights is None:
        differences = px.sort(dim=1).values - py.sort(dim=1).values
        lengths = torch.full_like(differences, 1 / len(x))
    else:
        differences, lengths = _quantile_differences(px, py, shares_x, shares_y)
    differences = differences + (directions @ shift)[:, None]
    costs = (differences.abs() if p == 1 else differences.square()).mul(lengths).sum(dim=1)
    if rule.control is None:
        return torch.as_tensor(rule.weights).to(x) @ costs
    assert isinstance(rule.control, QuadraticControl)
    return _controlled(costs, directions, x, y, shares_x, shares_y, rule.control)


def _shares(name: str, weights: Any, cloud: torch.Tensor) -> torch.Tensor:
    shares = masses(name, _array(weights.cpu() if isinstance(weights, torch.Tensor) else weights), len(cloud))
    if shares is None:
        return torch.full((len(cloud),), 1 / len(cloud), dtype=cloud.dtype, device=cloud.device)
    return torch.as_tensor(shares).to(cloud)


def _quantile_differences(
    px: torch.Tensor, py: torch.Tensor, shares_x: torch.Tensor, shares_y: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return, per direction, the differences of quantiles on the common refinement of both mass scales, and lengths.

    Cumulative masses are float64: a float32 running sum is wrong in the third digit at a million points.
    """
    sorted_x, order_x = px.sort(dim=1)
    sorted_y, order_y = py.sort(dim=1)
    steps_x = shares_x.double()[order_x].cumsum(dim=1)
    steps_y = shares_y.double()[order_y].cumsum(dim=1)
    edges = torch.cat([steps_x, steps_y], dim=1).sort(dim=1).values.clamp(max=1)
    lengths = torch.diff(edges, dim=1, prepend=torch.zeros_like(edges[:, :1]))
    middles = edges - lengths / 2
    i = torch.searchsorted(steps_x, middles).clamp(max=px.shape[1] - 1)
    j = torch.searchsorted(steps_y, middles).clamp(max=py.shape[1] - 1)
    return sorted_x.gather(1, i) - sorted_y.gather(1, j), lengths.to(px)


def _controlled(
    costs: torch.Tensor,
    directions: torch.Tensor,
    x: torch.Tensor,
    y: torch.Tensor,
    shares_x: torch.Tensor,
    shares_y: torch.Tensor,
    control: QuadraticControl,
) -> torch.Tensor:
    """Apply a quadratic control variate with torch operations, so that autograd differentiates through it."""
    dim = x.shape[1]
    mean_x, mean_y = shares_x @ x, shares_y @ y
    shift = mean_x - mean_y
    spread = ((x - mean_x).T * shares_x) @ (x - mean_x) + ((y - mean_y).T * shares_y) @ (y - mean_y)
    form = torch.outer(shift, shift) + (spread if control.upper else 0)
    e = ((directions @ form) * directions).sum(dim=1) - form.trace() / dim
    denominator = e @ e + len(e) * control.ridge * (spread.trace() / dim) ** 2
    if denominator == 0:
        return costs.mean()
    gamma = (costs - costs.mean()) @ e / denominator
    return costs.mean() - gamma * e.mean()
