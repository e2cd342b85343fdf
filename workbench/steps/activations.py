"""How far each activation and normalisation stays analytic when its input moves along h + h'τ.

A unit whose input is h and moves at rate h' meets its nearest singularity at a distance known in closed form:
tanh at √(h² + (π/2)²)/|h'|, sigmoid, SiLU and softplus at √(h² + π²)/|h'|, a ReLU kink at |h|/|h'|, a layer norm at
√(var h + ε)/std h' or nearer (see :func:`layer_norm_radius`). GELU by erf, sine and exponential are entire: ∞. The
distances are exact for the first such layer and, deeper, for the inputs linearised at θ₀. They say where a Taylor
series in τ ends, not where training fails: ReLU kinks sit orders of magnitude below any damage.

Reference: P. Sao, "Ghosts of Softmax", arXiv 2603.13552, section on activations.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results

if TYPE_CHECKING:
    import torch
    from torch import nn

FloatArray = NDArray[np.float64]


def tanh_radius(value: ArrayLike, slope: ArrayLike) -> FloatArray:
    """Return √(h² + (π/2)²)/|h'|: tanh has poles at ±iπ/2 + iπn. Shapes broadcast; h' = 0 gives ∞.

    >>> tanh_radius([0.0, 0.0], [2.0, 0.0]).round(6).tolist()
    [0.785398, inf]
    """
    return _pole_distance(value, slope, np.pi / 2)


def sigmoid_radius(value: ArrayLike, slope: ArrayLike) -> FloatArray:
    """Return √(h² + π²)/|h'|, for sigmoid and SiLU (poles at ±iπ) and softplus (branch points there)."""
    return _pole_distance(value, slope, np.pi)


def relu_radius(value: ArrayLike, slope: ArrayLike) -> FloatArray:
    """Return |h|/|h'|, the real distance to the kink (in either direction); ∞ for h' = 0."""
    return _pole_distance(value, slope, 0.0)


def entire_radius(value: ArrayLike, slope: ArrayLike) -> FloatArray:
    """Return ∞ everywhere: the activation (erf GELU, sine, identity) has no singularity."""
    value, slope = np.broadcast_arrays(checks.finite_array("value", value), checks.finite_array("slope", slope))
    return np.full(value.shape, np.inf)


def layer_norm_radius(value: ArrayLike, slope: ArrayLike, *, epsilon: float = 1e-5) -> FloatArray:
    """Return the distance to the branch points of 1/√(var(h + h'τ) + ε), the variance over the last axis.

    The variance is the quadratic var h + 2τ cov(h, h') + τ² var h'; its roots, a conjugate pair, have the modulus
    √((var h + ε)/var h'). ``value`` and ``slope`` have shape (..., features); the result (...). A constant h' gives ∞.
    """
    value, slope = checks.finite_array("value", value), checks.finite_array("slope", slope)
    epsilon = checks.real("epsilon", epsilon, minimum=0)
    spread = slope.std(axis=-1)
    with np.errstate(divide="ignore"):
        return np.where(spread > 0, np.sqrt(value.var(axis=-1) + epsilon) / spread, np.inf)


def _pole_distance(value: ArrayLike, slope: ArrayLike, height: float) -> FloatArray:
    value, slope = checks.finite_array("value", value), np.abs(checks.finite_array("slope", slope))
    with np.errstate(divide="ignore"):
        return np.where(slope > 0, np.hypot(value, height) / np.where(slope > 0, slope, 1.0), np.inf)


ACTIVATION_RADII: dict[str, Callable[[ArrayLike, ArrayLike], FloatArray]] = {
    "Tanh": tanh_radius,
    "Sigmoid": sigmoid_radius,
    "SiLU": sigmoid_radius,
    "Softplus": sigmoid_radius,
    "ReLU": relu_radius,
    "LeakyReLU": relu_radius,
    "GELU": entire_radius,
}
"""Class name of a torch activation → its radius; add a line to teach :func:`activation_radii` another one."""


@results.experiment
def activation_radii(model: "nn.Module", inputs: "torch.Tensor", direction: Mapping[str, "torch.Tensor"]) -> xr.Dataset:
    """Return the radius of every activation and layer norm of ``model`` along ``direction``, per layer and sample.

    ``inputs``: one batch, (batch, ...); ``direction``: parameter name → tensor, unit length for radii in τ. The
    Dataset has ``radius`` (layer, sample), the minimum over the layer's units, and ``kind`` (layer). One dual-number
    forward pass in eval statistics. Raises ``ValueError`` if the model has no module in ``ACTIVATION_RADII`` or
    LayerNorm (functional activations cannot be seen), or if values are not finite.
    """
    seen: list[tuple[str, nn.Module, FloatArray, FloatArray]] = []
    with _recorded(model, seen) as names:
        if not names:
            raise ValueError(
                "the model has no activation module that is known "
                f"({', '.join(ACTIVATION_RADII)}, LayerNorm); functional calls such as F.tanh cannot be observed"
            )
        from workbench.steps.jvp import dual_outputs

        dual_outputs(model, inputs, direction)
    rows = [_module_radius(module, value, slope) for _, module, value, slope in seen]
    labels = [name for name, *_ in seen]
    if len(set(labels)) < len(labels):  # a module used more than once: number its calls
        labels = [f"{name} (call {n})" for n, name in enumerate(labels)]
    return results.dataset(
        {
            "radius": (("layer", "sample"), np.array(rows), "distance to the layer's nearest singularity", "τ"),
            "kind": (("layer",), [type(module).__name__ for _, module, *_ in seen], "kind of layer"),
        },
        {
            "layer": (("layer",), labels, "layer"),
            "sample": (("sample",), np.arange(rows[0].size), "sample in the batch"),
        },
    )


@contextmanager
def _recorded(model: "nn.Module", seen: list[Any]) -> Iterator[list[str]]:
    """Record input value and slope of every known module during a dual-number pass."""
    from torch.autograd import forward_ad

    def hook(name: str) -> Callable[..., None]:
        def record(module: Any, arguments: tuple[Any, ...]) -> None:
            primal, tangent = forward_ad.unpack_dual(arguments[0])
            value = primal.detach().double().cpu().numpy()
            slope = np.zeros_like(value) if tangent is None else tangent.detach().double().cpu().numpy()
            seen.append((name, module, value, slope))

        return record

    names, handles = [], []
    try:
        for name, module in model.named_modules():
            if type(module).__name__ in ACTIVATION_RADII or type(module).__name__ == "LayerNorm":
                names.append(name)
                handles.append(module.register_forward_pre_hook(hook(name)))
        yield names
    finally:
        for handle in handles:
            handle.remove()


def _module_radius(module: "nn.Module", value: FloatArray, slope: FloatArray) -> FloatArray:
    kind = type(module).__name__
    if kind == "LayerNorm":
        features = len(module.normalized_shape)
        shape = (*value.shape[: value.ndim - features], -1)
        radius = layer_norm_radius(value.reshape(shape), slope.reshape(shape), epsilon=module.eps)
    elif kind == "GELU" and module.approximate == "tanh":
        radius = _tanh_gelu_radius(value, slope)
    else:
        beta = getattr(module, "beta", 1.0)  # softplus(βh)/β
        radius = ACTIVATION_RADII[kind](beta * value, beta * slope)
    return radius.reshape(radius.shape[0], -1).min(axis=1)


def _tanh_gelu_radius(value: FloatArray, slope: FloatArray) -> FloatArray:
    """Return the distance to the poles of tanh(√(2/π)(h + 0.044715h³)): the roots of three cubics' conjugate pairs.

    The inner cubic equals iπ/2 + iπn; over n the nearest root to h decides, and n = 0, ±1 reach far enough because
    |h| grows with the imaginary part.
    """
    roots = np.concatenate(
        [np.roots([0.044715, 0, 1, -1j * (np.pi / 2 + np.pi * n) / np.sqrt(2 / np.pi)]) for n in range(-6, 6)]
    )
    distance = np.abs(roots[(None,) * value.ndim] - value[..., None]).min(axis=-1)
    with np.errstate(divide="ignore"):
        return np.where(slope != 0, distance / np.abs(np.where(slope != 0, slope, 1.0)), np.inf)
