"""The sliced Wasserstein distance as a loss in anyone's PyTorch training loop.

CPU tensors go through the fused kernel, whose gradient is exact for the directions drawn (float64 tensors through
the accurate path). Other devices, or ``engine="torch"``, take a plain path of torch sorts and autograd.

**The plain path never waits for the device.** To ask a graphics card whether a number is finite, or to hand it numbers
from ordinary memory, is to wait until it has done all that it was given, which at 10⁴ points takes longer than the
loss. So the plain path looks at no value: NaN and infinity pass through to the loss, as in torch's own losses, and
weights that lie on the device and are no weights (negative, NaN, of sum 0) make the loss NaN. Directions are copied
without waiting, and with an ``int`` as seed only once.
"""

from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from workbench import checks
from workbench.transport.estimators import Rule
from workbench.transport.estimators.control_variates import QuadraticControl
from workbench.transport.evaluate import check_method, check_power, draw, make_rule
from workbench.transport.measures import check_same_dim, masses, prepare

ENGINES = ("auto", "kernel", "torch")
STAGED_BYTES = 2**15


@torch.compiler.disable(reason="the kernel and the drawing of directions are no torch code")
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
    once (no second derivatives) on the kernel path.

    Types are as with torch's own losses: the result has the common type of the clouds, float32 under autocast, and
    each gradient that of its cloud; the work is done in float32, or in float64 if either cloud is. Two clouds of
    integers, or complex ones, are refused. Inside ``torch.compile`` the loss is a break in the graph and runs as it
    does outside.

    Errors as :func:`~workbench.transport.sliced_wasserstein`; but the plain path lets NaN and infinity through.
    Memory: O(n) on the kernel path; O(n L) on the plain path, where autograd keeps every sort.

    >>> import torch
    >>> x = torch.eye(3, requires_grad=True)
    >>> loss = sliced_wasserstein_loss(x, torch.zeros(3, 3), n_directions=6)
    >>> loss.backward()
    >>> round(loss.item(), 5), x.grad.shape
    (0.33333, torch.Size([3, 3]))
    """
    power, engine = check_power(p), checks.choice("engine", engine, ENGINES)
    check_method(method, power)
    result_type = _check_tensors(x, y, x_weights, y_weights)
    n_directions = checks.integer("n_directions", n_directions, minimum=1)
    on_cpu = x.device.type == "cpu"
    if engine == "kernel" and not on_cpu:
        raise ValueError(f"the kernel runs on CPU tensors, got {x.device} and {y.device}; use engine='torch'")
    work_type = torch.float64 if result_type == torch.float64 else torch.float32
    a, b = x.to(work_type), y.to(work_type)
    with _full_precision(x.device.type):
        if engine == "torch" or not on_cpu:
            rule, numbers = _rule_on_device(method, n_directions, x.shape[1], seed, work_type, x.device)
            loss = _plain(a, b, x_weights, y_weights, rule, numbers, power)
        else:
            rule = make_rule(method, n_directions, x.shape[1], checks.generator(seed))
            loss = _Fused.apply(a, b, x_weights, y_weights, rule, power)
    return loss.to(result_type)


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


def _check_tensors(x: Any, y: Any, x_weights: Any, y_weights: Any) -> torch.dtype:
    """Refuse what is no pair of clouds, by type, shape and place only; return the type of the result."""
    for name, tensor in (("x", x), ("y", y)):
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name} must be a torch.Tensor, got {type(tensor).__name__}")
        if tensor.ndim != 2 or tensor.numel() == 0:
            raise ValueError(f"{name} must be a non-empty (n, d) tensor, got shape {tuple(tensor.shape)}")
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x lies in {x.shape[1]} dimensions and y in {y.shape[1]}")
    if x.device != y.device:
        raise ValueError(f"x lies on {x.device} and y on {y.device}; move both to one device")
    for name, tensor in (("x_weights", x_weights), ("y_weights", y_weights)):
        if isinstance(tensor, torch.Tensor) and tensor.requires_grad:
            raise ValueError(f"{name} asks for a gradient, which this loss does not give; pass {name}.detach()")
    common = torch.promote_types(x.dtype, y.dtype)
    if not common.is_floating_point:
        raise TypeError(
            f"x and y hold {str(x.dtype).removeprefix('torch.')} and {str(y.dtype).removeprefix('torch.')}; "
            "the loss is for floating point numbers: pass x.float()"
        )
    if _autocast_is_on(x.device.type):
        return torch.promote_types(common, torch.float32)
    return common


def _autocast_is_on(device_type: str) -> bool:
    """Some devices know no autocast."""
    return torch.amp.is_autocast_available(device_type) and torch.is_autocast_enabled(device_type)


def _full_precision(device_type: str) -> AbstractContextManager:
    """Leave autocast, which would project in half precision; to leave what is off takes as long as a small sort."""
    return torch.autocast(device_type, enabled=False) if _autocast_is_on(device_type) else nullcontext()


def _rule_on_device(
    method: str, n_directions: int, dim: int, seed: Any, dtype: torch.dtype, device: torch.device
) -> tuple[Rule, torch.Tensor]:
    """Return a rule, and its directions and weights as one tensor (L, d + 1) on the device."""
    if isinstance(seed, np.random.Generator):
        return _copied(make_rule(method, n_directions, dim, seed), dtype, device)
    return _fixed_rule(method, n_directions, dim, checks.integer("seed", seed, minimum=0), dtype, device)


@lru_cache(maxsize=8)
def _fixed_rule(
    method: str, n_directions: int, dim: int, seed: int, dtype: torch.dtype, device: torch.device
) -> tuple[Rule, torch.Tensor]:
    return _copied(make_rule(method, n_directions, dim, checks.generator(seed)), dtype, device)


def _copied(rule: Rule, dtype: torch.dtype, device: torch.device) -> tuple[Rule, torch.Tensor]:
    return rule, _to_device(np.column_stack([rule.directions, rule.weights]), dtype, device)


def _to_device(array: np.ndarray, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Copy an array to a device without waiting for it.

    The driver takes a few kilobytes of ordinary memory along with the command; page-locking them would take longer than
    the copy. Larger arrays it would stage in pieces, and wait for them.
    """
    tensor = torch.as_tensor(array).to(dtype)
    if device.type == "cuda" and tensor.nbytes > STAGED_BYTES:
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


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


def _plain(
    x: torch.Tensor,
    y: torch.Tensor,
    x_weights: Any,
    y_weights: Any,
    rule: Rule,
    numbers: torch.Tensor,
    p: int,
) -> torch.Tensor:
    """Evaluate the rule with torch operations only, on the device of ``x``, looking at no value."""
    directions = numbers[:, :-1]
    shares_x, shares_y = _shares("x_weights", x_weights, x), _shares("y_weights", y_weights, y)
    centre = y.mean(dim=0).detach()  # far from the origin float32 has no digits left for differences
    px, py = directions @ (x - centre).T, directions @ (y - centre).T
    if len(x) == len(y) and shares_x is None and shares_y is None:
        first, second = px.sort(dim=1).values, py.sort(dim=1).values
        distance = torch.nn.functional.l1_loss if p == 1 else torch.nn.functional.mse_loss
        if rule.control is None and rule.weights.min() == rule.weights.max():
            return distance(first, second)
        costs = distance(first, second, reduction="none").mean(dim=1)
    else:
        shares_x, shares_y = _all_shares(shares_x, x), _all_shares(shares_y, y)
        differences, lengths = _quantile_differences(px, py, shares_x, shares_y)
        costs = (differences.abs() if p == 1 else differences.square()).mul(lengths).sum(dim=1)
    if rule.control is None:
        return numbers[:, -1] @ costs
    assert isinstance(rule.control, QuadraticControl)
    return _controlled(costs, directions, x, y, _all_shares(shares_x, x), _all_shares(shares_y, y), rule.control)


def _all_shares(shares: torch.Tensor | None, cloud: torch.Tensor) -> torch.Tensor:
    if shares is not None:
        return shares
    return torch.full((len(cloud),), 1 / len(cloud), dtype=cloud.dtype, device=cloud.device)


def _shares(name: str, weights: Any, cloud: torch.Tensor) -> torch.Tensor | None:
    """Return weights as shares of 1 on the device of the cloud, or None if there are none.

    Weights in ordinary memory are checked and refused in words; those on a device are not waited for.
    """
    if not isinstance(weights, torch.Tensor) or weights.device.type == "cpu":
        shares = masses(name, _array(weights), len(cloud))
        return None if shares is None else _to_device(shares, cloud.dtype, cloud.device)
    return _shares_unseen(name, weights, cloud)


def _shares_unseen(name: str, weights: torch.Tensor, cloud: torch.Tensor) -> torch.Tensor:
    """Return weights as shares of 1 without looking at them: NaN if one is negative or not finite, or all are 0."""
    if weights.shape != cloud.shape[:1]:
        raise ValueError(f"{name} has shape {tuple(weights.shape)} for {len(cloud)} points; give one weight per point")
    total = weights.sum()
    good = (weights >= 0).all() & (total > 0) & torch.isfinite(total)
    return torch.where(good, weights / total, torch.nan).to(cloud.dtype)


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
    # Diagonals are summed because the gradient of trace() waits for the device.
    e = ((directions @ form) * directions).sum(dim=1) - form.diagonal().sum() / dim
    denominator = e @ e + len(e) * control.ridge * (spread.diagonal().sum() / dim) ** 2
    # Where the denominator is 0 so is e, and nothing is left to correct; a branch would have to wait for the device.
    gamma = (costs - costs.mean()) @ e / torch.where(denominator > 0, denominator, torch.ones_like(denominator))
    return costs.mean() - gamma * e.mean()
