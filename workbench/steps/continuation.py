"""Run an ordinary torch model at complex parameters, as the analytic continuation of what it does at real ones.

Torch's own complex kernels are missing for some layers (ReLU, erf GELU, softmax, norms) and not analytic for others
(``var`` of a complex tensor conjugates). :class:`Continuation` steps in for those while a model runs under it. ReLU
is continued with the gates that were open at the centre.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import scipy.special
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

NOT_ANALYTIC = {torch.abs, Tensor.abs, torch.conj, Tensor.conj, torch.real, torch.imag, torch.angle}


class Continuation(TorchFunctionMode):
    """Replace the non-analytic or missing complex operations; the first pass records ReLU gates, later ones reuse them.

    >>> import torch
    >>> mode = Continuation()
    >>> with mode.recording():
    ...     _ = torch.nn.functional.relu(torch.tensor([-1.0 + 0j, 2.0 + 0j]))
    >>> with mode.replaying():
    ...     torch.nn.functional.relu(torch.tensor([3.0 + 1j, 2.0 + 1j])).tolist()
    [0j, (2+1j)]
    """

    def __init__(self) -> None:
        super().__init__()
        self._gates: list[Tensor] = []
        self._next = 0
        self._recording = False

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Note at which units every ReLU is open."""
        self._gates, self._recording = [], True
        with self:
            yield
        self._recording = False

    @contextmanager
    def replaying(self) -> Iterator[None]:
        """Apply the recorded gates, in the order of the calls."""
        self._next = 0
        with self:
            yield

    def gate(self, x: Tensor) -> Tensor:
        """Return 1 where the unit was open at the centre, else 0."""
        if self._recording:
            self._gates.append((x.real > 0).to(x.dtype))
            return self._gates[-1]
        self._next += 1
        return self._gates[self._next - 1]

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        first = args[0] if args else None
        if isinstance(first, Tensor) and first.is_complex():
            if func in NOT_ANALYTIC:
                raise ValueError(f"the model calls {func.__name__}, which has no analytic continuation")
            replacement = _REPLACEMENTS.get(func)
            if replacement is not None:
                return replacement(self, *args, **kwargs)
        return func(*args, **kwargs)


def _relu(mode: Continuation, x: Tensor, inplace: bool = False) -> Tensor:
    return x * mode.gate(x)


def _leaky_relu(mode: Continuation, x: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    gate = mode.gate(x)
    return x * (gate + negative_slope * (1 - gate))


def _gelu(mode: Continuation, x: Tensor, approximate: str = "none") -> Tensor:
    if approximate == "tanh":
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + torch.from_numpy(scipy.special.erf((x / math.sqrt(2)).numpy())))


def _silu(mode: Continuation, x: Tensor, inplace: bool = False) -> Tensor:
    return x / (1 + torch.exp(-x))


def _softmax(mode: Continuation, x: Tensor, dim: int, *args: Any, **kwargs: Any) -> Tensor:
    weights = torch.exp(x - x.real.amax(dim=dim, keepdim=True))
    return weights / weights.sum(dim=dim, keepdim=True)


def _layer_norm(
    mode: Continuation, x: Tensor, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    dims = tuple(range(-len(shape), 0))
    centred = x - x.mean(dim=dims, keepdim=True)
    # the principal root continues from the real axis as long as var + ε stays off the negative half-line
    normed = centred / torch.sqrt((centred * centred).mean(dim=dims, keepdim=True) + eps)
    normed = normed if weight is None else normed * weight
    return normed if bias is None else normed + bias


def _batch_norm(
    mode: Continuation,
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    shape = (1, -1) + (1,) * (x.ndim - 2)
    normed = (x - mean.view(shape)) / torch.sqrt(variance + eps).view(shape)
    normed = normed if weight is None else normed * weight.view(shape)
    return normed if bias is None else normed + bias.view(shape)


def _attention(
    mode: Continuation,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    **kwargs: Any,
) -> Tensor:
    scores = query @ key.transpose(-2, -1) * (query.shape[-1] ** -0.5 if scale is None else scale)
    mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril() if is_causal else attn_mask
    if mask is None:
        return _softmax(mode, scores, -1) @ value
    if mask.dtype != torch.bool:
        return _softmax(mode, scores + mask, -1) @ value
    weights = torch.exp(scores - scores.real.amax(dim=-1, keepdim=True)) * mask
    return weights / weights.sum(dim=-1, keepdim=True) @ value


_REPLACEMENTS: dict[Any, Callable[..., Tensor]] = {
    F.relu: _relu,
    torch.relu: _relu,
    Tensor.relu: _relu,
    F.leaky_relu: _leaky_relu,
    F.gelu: _gelu,
    F.silu: _silu,
    F.softmax: _softmax,
    torch.softmax: _softmax,
    Tensor.softmax: _softmax,
    F.layer_norm: _layer_norm,
    F.batch_norm: _batch_norm,
    F.scaled_dot_product_attention: _attention,
}
