"""Taylor series of a multilayer perceptron along a straight step, by recurrences; no differentiation by differences.

Every quantity is an array of coefficients (order + 1, batch, ...): coefficient n multiplies τⁿ. Linear layers
convolve, tanh obeys y' = (1 − y²)h', GELU and layer norm their own first-order equations, so that order N costs
O(N²) products of the size of one forward pass.
"""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.special
from numpy.typing import NDArray

from workbench import checks

if TYPE_CHECKING:
    import torch
    from torch import nn

Series = NDArray[np.float64]


def logit_series(
    model: "nn.Module", inputs: "torch.Tensor", direction: Mapping[str, "torch.Tensor"], *, order: int = 40
) -> Series:
    """Return the Taylor coefficients of the logits along ``direction``: (order + 1, batch, classes).

    ``model`` is an ``nn.Sequential`` (nested ones are fine) of Linear, Flatten, Identity, Dropout (eval: off), ReLU
    (gates of the centre), Tanh, Sigmoid, GELU (erf or tanh) and LayerNorm; ``ValueError`` for any other layer.
    ``inputs`` (batch, features). Computed in float64 with NumPy.
    """
    order = checks.integer("order", order, minimum=1, maximum=200)
    series = np.zeros((order + 1, *inputs.shape))
    series[0] = inputs.detach().double().cpu().numpy()
    for name, layer in _layers(model, ""):
        rule = _RULES.get(type(layer).__name__)
        if rule is None:
            raise ValueError(
                f"no Taylor recurrence for layer {name or 'model'} ({type(layer).__name__}); known are "
                f"{', '.join(_RULES)}. network_radius works for other models"
            )
        weights = {key: _array(p) for key, p in layer.named_parameters()}
        rates = {key: _array(direction[f"{name}.{key}"]) for key in weights if f"{name}.{key}" in direction}
        series = rule(series, layer, weights, rates)
    return series


def partition_series(logits: Series) -> tuple[Series, Series]:
    """Return the Taylor coefficients of F = Σ_k exp z_k, divided by its value at 0, and of log F.

    ``logits`` (order + 1, batch, classes) → two arrays (order + 1, batch).
    """
    top = logits[0].max(axis=1)
    shifted = logits.copy()
    shifted[0] -= top[:, None]
    powers = _exponential(shifted)
    f = powers.sum(axis=2)
    start = f[0].copy()
    f = f / start
    log = np.zeros_like(f)
    log[0] = top + np.log(start)
    for n in range(1, len(f)):
        log[n] = f[n] - sum((j * log[j] * f[n - j] for j in range(1, n)), np.zeros_like(f[0])) / n
    return f, log


def loss_series(logits: Series, targets: NDArray[np.int64]) -> Series:
    """Return the Taylor coefficients of each sample's cross-entropy log F − z_y: (order + 1, batch)."""
    _, log = partition_series(logits)
    return log - logits[:, np.arange(logits.shape[1]), targets]


def taylor_radius(
    model: "nn.Module", inputs: "torch.Tensor", direction: Mapping[str, "torch.Tensor"], *, order: int = 40
) -> NDArray[np.float64]:
    """Return each sample's distance to the nearest zero of F, from the Taylor series of the network: (batch,).

    F'/F has a pole of residue 1 at each zero of F; Prony's method on its coefficients finds the poles, and those
    with another residue (singularities of the activations) are dropped. NaN where no pole of residue 1 stands out.
    About 0.1 s for 128 samples of a small MLP at order 40; errors as :func:`logit_series`.

    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(1, 2, bias=False))
    >>> _ = torch.nn.init.zeros_(model[0].weight)
    >>> taylor_radius(model, torch.ones(1, 1), {"0.weight": torch.tensor([[0.5], [-0.5]])}).round(6).tolist()
    [3.141593]
    """
    _, log = partition_series(logit_series(model, inputs, direction, order=order))
    derivative = log[1:] * np.arange(1, len(log))[:, None]
    return np.array([_nearest_pole(column) for column in derivative.T])


def convergence_radius(series: Series) -> NDArray[np.float64]:
    """Estimate the radius of convergence of each column from the decay of its coefficients, to a few per cent.

    A logarithmic singularity at distance ρ, which a zero of F is for the loss, gives |c_n| ~ ρ^(−n)/n times an
    oscillation. So the peaks of log(n|c_n|) in an early and a late stretch are joined by a line of slope −log ρ. A
    column that vanishes gives ∞. ``series`` is (order + 1, columns), order ≥ 8.
    """
    series = np.asarray(series, dtype=float)
    order = len(series) - 1
    n = np.arange(1, order + 1)[:, None]
    with np.errstate(divide="ignore"):
        logs = np.log(np.abs(series[1:]) * n)
    tilt = np.maximum((logs / n)[order // 2 :].max(axis=0), -700.0)  # the plain root test levels the peaks
    level = np.maximum(logs - n * tilt, -1e6)
    early = order // 4 + level[order // 4 : order // 2].argmax(axis=0)
    late = 3 * order // 4 + level[3 * order // 4 :].argmax(axis=0)
    columns = np.arange(series.shape[1])
    slope = (level[late, columns] - level[early, columns]) / (late - early)
    return np.where(np.isneginf(logs[order // 2 :].max(axis=0)), np.inf, np.exp(-(tilt + slope)))


def _nearest_pole(series: Series, count: int = 12, tolerance: float = 0.05) -> float:
    scale = float(convergence_radius(series[:, None])[0])
    if not (np.isfinite(scale) and scale > 0):
        return float("nan")
    scaled = series * scale ** np.arange(1, len(series) + 1)
    rows = len(scaled) - count
    hankel = np.array([scaled[n : n + count] for n in range(rows)])
    prediction = np.linalg.lstsq(hankel, scaled[count:], rcond=1e-13)[0]
    inverse = np.roots(np.concatenate([[1.0], -prediction[::-1]]))
    inverse = inverse[np.abs(inverse) > 0.2]
    if inverse.size == 0:
        return float("nan")
    vandermonde = -(inverse[None, :] ** np.arange(1, len(scaled) + 1)[:, None])
    residues = np.linalg.lstsq(vandermonde, scaled.astype(complex), rcond=None)[0]
    zeros = np.abs(residues - 1) < tolerance
    return float(scale / np.abs(inverse[zeros]).max()) if zeros.any() else float("nan")


def _layers(module: "nn.Module", prefix: str) -> list[tuple[str, "nn.Module"]]:
    if type(module).__name__ != "Sequential":
        return [(prefix, module)]
    return [
        entry
        for name, child in module.named_children()
        for entry in _layers(child, f"{prefix}.{name}" if prefix else name)
    ]


def _array(tensor: "torch.Tensor") -> NDArray[np.float64]:
    return tensor.detach().double().cpu().numpy()


def _product(a: Series, b: Series, n: int) -> NDArray[np.float64]:
    """Return coefficient n of the product of two series."""
    return np.einsum("j...,j...->...", a[: n + 1], b[n::-1])


def _exponential(h: Series) -> Series:
    y = np.zeros_like(h)
    y[0] = np.exp(h[0])
    weighted = h * np.arange(len(h)).reshape(-1, *[1] * (h.ndim - 1))
    for n in range(1, len(h)):
        y[n] = np.einsum("j...,j...->...", weighted[1 : n + 1], y[n - 1 :: -1]) / n
    return y


def _from_derivative(h: Series, start: NDArray[np.float64], rate: Callable[[Series, int], Any]) -> Series:
    """Solve y' = rate·h' with y(0) = start; ``rate(y, n)`` gives coefficient n of the factor from y's first n."""
    y, factor = np.zeros_like(h), np.zeros_like(h)
    y[0] = start
    weighted = h * np.arange(len(h)).reshape(-1, *[1] * (h.ndim - 1))
    for n in range(1, len(h)):
        factor[n - 1] = rate(y, n - 1)
        y[n] = np.einsum("j...,j...->...", weighted[1 : n + 1], factor[n - 1 :: -1]) / n
    return y


def _linear(h: Series, layer: Any, weights: Mapping[str, Any], rates: Mapping[str, Any]) -> Series:
    y = h @ weights["weight"].T
    if "weight" in rates:
        y[1:] += h[:-1] @ rates["weight"].T
    if "bias" in weights:
        y[0] += weights["bias"]
    if "bias" in rates:
        y[1] += rates["bias"]
    return y


def _same(h: Series, layer: Any, weights: Any, rates: Any) -> Series:
    return h


def _flatten(h: Series, layer: Any, weights: Any, rates: Any) -> Series:
    return h.reshape(*h.shape[:2], -1)


def _relu(h: Series, layer: Any, weights: Any, rates: Any) -> Series:
    return h * (h[0] > 0)


def _tanh_of(h: Series) -> Series:
    def rate(y: Series, n: int) -> Any:
        return (1.0 if n == 0 else 0.0) - _product(y, y, n)

    return _from_derivative(h, np.tanh(h[0]), rate)


def _tanh(h: Series, layer: Any, weights: Any, rates: Any) -> Series:
    return _tanh_of(h)


def _sigmoid(h: Series, layer: Any, weights: Any, rates: Any) -> Series:
    y = 0.5 * _tanh_of(0.5 * h)
    y[0] += 0.5
    return y


def _gelu(h: Series, layer: Any, weights: Any, rates: Any) -> Series:
    square = np.stack([_product(h, h, n) for n in range(len(h))])
    if layer.approximate == "tanh":
        cube = np.stack([_product(square, h, n) for n in range(len(h))])
        cdf = 0.5 * _tanh_of(math.sqrt(2 / math.pi) * (h + 0.044715 * cube))
        cdf[0] += 0.5
    else:
        density = _exponential(-0.5 * square) / math.sqrt(2 * math.pi)
        cdf = _from_derivative(h, scipy.special.ndtr(h[0]), lambda y, n: density[n])
    return np.stack([_product(h, cdf, n) for n in range(len(h))])


def _layer_norm(h: Series, layer: Any, weights: Mapping[str, Any], rates: Mapping[str, Any]) -> Series:
    centred = h - h.mean(axis=-1, keepdims=True)
    variance = np.stack([_product(centred, centred, n).mean(axis=-1, keepdims=True) for n in range(len(h))])
    variance[0] += layer.eps
    root = _inverse_root(variance)
    y = np.stack([_product(centred, root, n) for n in range(len(h))])
    if "weight" in weights:
        gain = np.zeros((len(h), *weights["weight"].shape))
        gain[0] = weights["weight"]
        gain[1] = rates.get("weight", 0.0)
        y = np.stack([y[n] * gain[0] + (y[n - 1] * gain[1] if n else 0.0) for n in range(len(h))])
    if "bias" in weights:
        y[0] += weights["bias"]
        y[1] += rates.get("bias", 0.0)
    return y


def _inverse_root(q: Series) -> Series:
    """Return q^(−1/2) by the power recurrence q y' = −y q'/2."""
    y = np.zeros_like(q)
    y[0] = q[0] ** -0.5
    for n in range(1, len(q)):
        total = sum(((-0.5 * j - (n - j)) * q[j] * y[n - j] for j in range(1, n + 1)), np.zeros_like(q[0]))
        y[n] = total / (n * q[0])
    return y


_RULES: dict[str, Callable[..., Series]] = {
    "Linear": _linear,
    "Flatten": _flatten,
    "Identity": _same,
    "Dropout": _same,
    "ReLU": _relu,
    "Tanh": _tanh,
    "Sigmoid": _sigmoid,
    "GELU": _gelu,
    "LayerNorm": _layer_norm,
}
