"""The radius of the whole network, with its activations: evaluate it on complex circles τ = R e^{iφ} and look inside.

On a circle where the logits are analytic inside, their Fourier coefficients of negative frequency vanish and the
others are the Taylor coefficients of z(τ). The winding number of F = Σ_k exp z_k(τ) counts its zeros, moments locate
them, and Newton on the Taylor polynomial polishes them. Reference quality: a circle costs 65 complex forward passes.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.progress import Progress

if TYPE_CHECKING:
    import torch
    from torch import nn

ANGLES = 128
RIM = 512
POLISHING = 6
ALIASED = 1e-5
RESOLVED = 1.05
GROWTH = 1.3
Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class Circle:
    """The logits on one circle: ``smooth`` (batch,) whether analytic inside, and their Taylor coefficients in τ/R.

    ``coefficients`` has shape (degree + 1, batch, classes) and means nothing for a sample that is not smooth.
    """

    smooth: NDArray[np.bool_]
    coefficients: Complex


@results.experiment
def network_radius(
    model: "nn.Module",
    inputs: "torch.Tensor",
    direction: Mapping[str, "torch.Tensor"],
    *,
    circles: int = 24,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the radius of analyticity of each sample's cross-entropy along ``direction``, activations included.

    The nearest singularity is either a zero of the softmax partition function (``kind`` "zero": located to about
    1e-12 by Newton on the network itself), or a singularity of the logits (poles of tanh, branch points of layer
    norm: ``kind`` "singularity", bracketed by ``lower`` and ``upper`` within 5 % when ``circles`` suffice). ``kind``
    "beyond" means that no circle reached one: ``radius`` is then the largest clean circle, a lower bound. ReLU gates
    are held at their state at the centre, so kinks do not count.

    ``inputs`` (batch, ...); ``direction`` parameter name → tensor; the model must return (batch, classes). At most
    ``circles`` circles of 65 complex forward passes each. Raises ``ValueError`` for operations that have no analytic
    continuation and for constant slopes. Reference: P. Sao, "Ghosts of Softmax", arXiv 2603.13552, R_true.

    >>> import torch
    >>> model = torch.nn.Linear(1, 2, bias=False)
    >>> _ = torch.nn.init.zeros_(model.weight)
    >>> found = network_radius(model, torch.ones(1, 1), {"weight": torch.tensor([[0.5], [-0.5]])})
    >>> str(found.kind.values[0]), round(float(found.radius[0]), 6)
    ('zero', 3.141593)
    """
    from workbench.steps.jvp import logits_and_slopes
    from workbench.steps.radii import bound_radius

    progress = progress or Progress()
    circles = checks.integer("circles", circles, minimum=1, maximum=200)
    wide = copy.deepcopy(model).double()
    found = logits_and_slopes(wide, inputs.double() if inputs.is_floating_point() else inputs, direction)
    bound = bound_radius(found.slopes.double().cpu().numpy())
    if not np.isfinite(bound).any():
        raise ValueError("all slopes are constant over the classes along this direction: every radius is infinite")
    network = ComplexNetwork(model, inputs, direction)
    search = _Search(network, len(bound), 0.5 * float(bound.min()))
    for count in range(circles):
        progress.update(count, circles, f"circle {count + 1}")
        radius = search.next_radius()
        if radius is None:
            break
        search.learn(radius, look(network.circle(radius)))
    progress.update(circles, circles, "done")
    return search.dataset()


class _Search:
    """Brackets of each sample's radius, narrowed circle by circle."""

    def __init__(self, network: "ComplexNetwork", batch: int, start: float) -> None:
        self.network, self.start = network, start
        self.lower, self.upper = np.zeros(batch), np.full(batch, np.inf)
        self.zero = np.full(batch, np.nan + 1j * np.nan)

    def next_radius(self) -> float | None:
        """Return the circle that narrows most, or None when everything is resolved."""
        open_ = np.isnan(self.zero)
        unbounded = open_ & np.isinf(self.upper)
        if unbounded.any():
            return max(self.start, GROWTH * float(self.lower[unbounded].min()))
        with np.errstate(divide="ignore"):
            ratio = np.where(open_, self.upper / np.where(self.lower > 0, self.lower, self.upper / 4), 1.0)
        worst = int(np.argmax(ratio))
        if ratio[worst] <= RESOLVED:
            return None
        return float(np.sqrt(max(self.lower[worst], self.upper[worst] / 4) * self.upper[worst]))

    def learn(self, radius: float, circle: Circle) -> None:
        """Move the brackets by what a circle showed."""
        open_ = np.isnan(self.zero) & (radius < self.upper) & (radius > self.lower)
        self.upper[open_ & ~circle.smooth] = radius
        for i in np.flatnonzero(open_ & circle.smooth):
            coefficients = circle.coefficients[:, i]
            reach, zeros = _count_zeros(coefficients)
            if zeros > 0:
                self.zero[i] = self._polished(i, coefficients, radius, _nearest_zero(coefficients, reach, zeros))
            self.lower[i] = max(self.lower[i], reach * radius)

    def _polished(self, i: int, coefficients: Complex, radius: float, start: complex) -> complex:
        """Correct a zero of the Taylor polynomial by the network's own values; the polynomial lends the derivative."""
        point = start
        for _ in range(POLISHING):
            logits = self.network.at(point * radius)[i]
            weights = np.exp(logits - logits.real.max())
            _, slope = _partition(coefficients, np.array([point]), scale=logits.real.max())
            step = complex(weights.sum() / slope[0])
            if not abs(step) < 0.1:
                return start * radius
            point -= step
            if abs(step) < 1e-13:
                break
        return point * radius

    def dataset(self) -> xr.Dataset:
        """Return what was learnt."""
        is_zero = ~np.isnan(self.zero)
        radius = np.where(np.isinf(self.upper), self.lower, np.sqrt(self.lower * self.upper))
        radius = np.where(is_zero, np.abs(self.zero), radius)
        kind = np.where(is_zero, "zero", np.where(np.isinf(self.upper), "beyond", "singularity"))
        sample = ("sample",)
        return results.dataset(
            {
                "radius": (sample, radius, "radius of analyticity of the whole network", "τ"),
                "kind": (sample, kind, "what limits it"),
                "lower": (sample, np.where(is_zero, radius, self.lower), "largest circle known to be clean", "τ"),
                "upper": (sample, np.where(is_zero, radius, self.upper), "smallest circle that is not", "τ"),
                "zero_real": (sample, self.zero.real, "real part of the nearest zero", "τ"),
                "zero_imaginary": (sample, self.zero.imag, "imaginary part of the nearest zero", "τ"),
            },
            {"sample": (sample, np.arange(len(radius)), "sample in the batch")},
        )


class ComplexNetwork:
    """A model and a batch on a ray, to be evaluated at complex τ in complex128 and eval statistics."""

    def __init__(self, model: "nn.Module", inputs: "torch.Tensor", direction: Mapping[str, "torch.Tensor"]) -> None:
        from workbench.steps.continuation import Continuation

        self._model = model
        self._base = {name: _as_complex(p) for name, p in model.named_parameters()}
        self._moving = {name: _as_complex(v) for name, v in direction.items()}
        self._inputs = _as_complex(inputs) if inputs.is_floating_point() else inputs
        self._mode = Continuation()
        with self._mode.recording():
            self._logits(0)

    def at(self, tau: complex) -> Complex:
        """Return the logits at τ, one complex forward pass: (batch, classes)."""
        with self._mode.replaying():
            return self._logits(tau)

    def circle(self, radius: float) -> Complex:
        """Return the logits at R e^{iφ}, φ = 2πj/128: (128, batch, classes); half of it by symmetry."""
        upper = np.array([self.at(radius * np.exp(2j * np.pi * j / ANGLES)) for j in range(ANGLES // 2 + 1)])
        return np.concatenate([upper, upper[-2:0:-1].conj()])

    def _logits(self, tau: complex) -> Complex:
        import torch

        from workbench.steps.passes import call, evaluation

        parameters = {**self._base, **{name: self._base[name] + tau * v for name, v in self._moving.items()}}
        with torch.no_grad(), evaluation(self._model):
            return call(self._model, self._inputs, parameters).numpy()


def _as_complex(tensor: "torch.Tensor") -> "torch.Tensor":
    import torch

    return tensor.detach().cpu().to(torch.complex128)


def look(logits: Complex) -> Circle:
    """Read logits on a circle (angles, batch, classes): analytic inside? and the Taylor coefficients.

    Singularities inside show in the lowest negative frequencies; higher ones would mostly hold aliases of the positive.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        frequencies = np.fft.fft(logits, axis=0) / len(logits)
        negative = np.abs(frequencies[-8:]).max(axis=(0, 2))
        size = np.abs(frequencies - frequencies.mean(axis=2, keepdims=True)).max(axis=(0, 2))
        smooth = np.isfinite(frequencies).all(axis=(0, 2)) & (negative < ALIASED * np.maximum(size, 1e-300))
    return Circle(smooth, frequencies[: len(logits) // 2])


def _count_zeros(coefficients: Complex) -> tuple[float, int]:
    """Return how many zeros F has in |w| < reach, and that reach: 1, or a little less if a zero sits on the rim."""
    for reach in (1.0, 0.97, 0.94, 0.91):
        f, _ = _partition(coefficients, reach * np.exp(2j * np.pi * np.arange(RIM) / RIM))
        turns = np.angle(np.roll(f, -1) / f)
        if np.abs(turns).max() < 1.5:
            return reach, int(np.round(turns.sum() / (2 * np.pi)))
    return 0.91, 0


def _nearest_zero(coefficients: Complex, reach: float, count: int) -> complex:
    """Return the zero of F nearest to 0 in |w| < reach, from Taylor coefficients (degree + 1, classes)."""
    points = reach * np.exp(2j * np.pi * np.arange(RIM) / RIM)
    f, df = _partition(coefficients, points)
    moments = [np.mean(points ** (n + 1) * df / f) for n in range(1, count + 1)]
    symmetric = [1.0 + 0j]
    for n in range(1, count + 1):
        symmetric.append(sum((-1) ** (i - 1) * symmetric[n - i] * moments[i - 1] for i in range(1, n + 1)) / n)
    roots = np.roots([(-1) ** n * s for n, s in enumerate(symmetric)])
    polished = np.array([_newton(coefficients, root) for root in roots])
    nearest = polished[np.argmin(np.abs(polished))]
    return complex(nearest.real, abs(nearest.imag))


def _newton(coefficients: Complex, start: complex) -> complex:
    point = start
    for _ in range(30):
        f, df = _partition(coefficients, np.array([point]))
        step = complex(f[0] / df[0])
        if abs(step) > 0.2:  # leave a start that Newton would throw out of the circle
            return start
        point -= step
        if abs(step) < 1e-15:
            break
    return point


def _partition(coefficients: Complex, points: Complex, scale: float | None = None) -> tuple[Complex, Complex]:
    """Return F and F' at points from the Taylor polynomial of the logits, both times e^−scale.

    By default the scale of each point is its largest logit, so that nothing overflows.
    """
    powers = np.vander(points, len(coefficients), increasing=True)
    orders = np.arange(1, len(coefficients))
    logits = powers @ coefficients
    slopes = powers[:, :-1] @ (orders[:, None] * coefficients[1:])
    weights = np.exp(logits - (logits.real.max(axis=1, keepdims=True) if scale is None else scale))
    return weights.sum(axis=1), (weights * slopes).sum(axis=1)
