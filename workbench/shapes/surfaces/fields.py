"""Fields that move all of space by steps x ↦ x + u_k(x), each with a certified Lipschitz constant ρ_k of u_k.

If ρ_k < 1 the step is a diffeomorphism of R³ (of class C¹) whose determinant lies between (1 − ρ_k)³ and (1 + ρ_k)³;
steps compose. The constants are bounds that are proved, not sampled, and what is trained is scaled back to obey them.
"""

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench import checks
from workbench.registry import Registry

ROUNDED_UP = 1 + 1e-12
"""Bounds are sums of at most a few hundred rounded terms; this is above what rounding may have taken from them."""
PADDING = 3
Floats = NDArray[np.float64]
FIELDS = Registry("field")


class Field(Protocol):
    """What moves points: ``arrays`` are its parameters, which a trainer changes in place."""

    arrays: dict[str, Floats]

    def carry(self, points: Floats) -> Floats:
        """Return the points (n, 3) after 0, 1, …, K steps, (K + 1, n, 3)."""
        ...

    def pull(self, path: Floats, gradient: Floats) -> dict[str, Floats]:
        """Return the gradient in the parameters from that in the last points of a path."""
        ...

    def lipschitz(self) -> Floats:
        """Return bounds ρ_k on the Lipschitz constants of the steps' displacements, (K,)."""
        ...

    def restrain(self, most: float) -> None:
        """Scale every step back whose bound exceeds ``most``."""
        ...


def determinant_bounds(rho: Floats) -> tuple[float, float]:
    """Return bounds on det of the Jacobian of all steps; the lower one is 0 if a step is not certified.

    >>> [round(bound, 9) for bound in determinant_bounds(np.array([0.5, 0.0]))]
    [0.125, 3.375]
    """
    low = float(np.prod((1 - rho) ** 3)) / ROUNDED_UP if (rho < 1).all() else 0.0
    return low, float(np.prod((1 + rho) ** 3)) * ROUNDED_UP


# ---- cubic B-splines -----------------------------------------------------------------------------------------------


@dataclass
class SplineField:
    """Displacements u_k(x) = Σ c_k,ijl B(x/h − i) B(y/h − j) B(z/h − l), cubic, on a grid that is 0 outside.

    ``arrays["spline"]`` (K, N, N, N, 3), the coefficient (i, j, l) at ``origin`` + h (i, j, l). A partial derivative of
    u is a convex combination of the differences of 3 × 4 × 4 neighbouring coefficients over h, hence

        ρ_k ≤ max over cells of √(Σ_a max ‖Δ_a c‖²) / h,

    with the zeros around the grid included: u vanishes outside, so this is a map of all of R³.
    """

    origin: Floats
    spacing: float
    arrays: dict[str, Floats]

    def carry(self, points: Floats) -> Floats:
        """Return the points after every step; see :class:`Field`."""
        coefficients = self.arrays["spline"]
        path = np.empty((len(coefficients) + 1, *points.shape))
        path[0] = points
        for k, one in enumerate(coefficients):
            spline_step(path[k], one, self.origin, self.spacing, path[k + 1])
        return path

    def pull(self, path: Floats, gradient: Floats) -> dict[str, Floats]:
        """Return the gradient in the coefficients; see :class:`Field`."""
        coefficients = self.arrays["spline"]
        found, now = np.zeros_like(coefficients), np.ascontiguousarray(gradient)
        for k in range(len(coefficients) - 1, -1, -1):
            before = np.empty_like(now)
            spline_pull(path[k], coefficients[k], self.origin, self.spacing, now, found[k], before)
            now = before
        return {"spline": found}

    def lipschitz(self) -> Floats:
        """Return ρ_k; see :class:`SplineField`."""
        rho = []
        for one in self.arrays["spline"]:
            padded = np.pad(one, [(PADDING, PADDING)] * 3 + [(0, 0)])
            total = 0.0
            for axis in range(3):
                square = np.sum(np.diff(padded, axis=axis) ** 2, axis=-1)
                for other in range(3):
                    square = _running_max(square, 3 if other == axis else 4, other)
                total = total + square
            rho.append(math.sqrt(float(np.max(total))) / self.spacing * ROUNDED_UP)
        return np.array(rho)

    def restrain(self, most: float) -> None:
        """Scale back the steps beyond ``most``."""
        for one, rho in zip(self.arrays["spline"], self.lipschitz(), strict=True):
            if rho > most:
                one *= most / rho


def _running_max(values: Floats, size: int, axis: int) -> Floats:
    end = values.shape[axis] - size + 1
    parts = [values[(slice(None),) * axis + (slice(k, k + end),)] for k in range(size)]
    return np.maximum.reduce(parts)


@FIELDS.add(
    "bspline",
    label="B-spline steps",
    formula=r"x\mapsto x+\sum c_{ijl}B_iB_jB_l",
    reference="Rueckert et al., Diffeomorphic registration using B-splines, MICCAI 2006, with a bound for each cell",
    cost="64 coefficients a point and step",
)
def bspline(centre: Floats, half: float, steps: int, seed: int, *, control: int = 12) -> SplineField:
    """Return a field of zeros over the cube of half-side 1.25 ``half`` around ``centre``; ``control`` N³ a step."""
    control = checks.integer("control", control, minimum=4, maximum=64)
    spacing = 2.5 * half / (control - 1)
    return SplineField(centre - 1.25 * half, spacing, {"spline": np.zeros((steps, control, control, control, 3))})


@njit(cache=True, nogil=True)
def _basis(f: float, values: NDArray, slopes: NDArray) -> None:
    """Write the four cubic B-splines over a cell and their derivatives at the fraction f."""
    g = 1.0 - f
    values[0], values[3] = g * g * g / 6, f * f * f / 6
    values[1] = (3 * f * f * f - 6 * f * f + 4) / 6
    values[2] = (3 * g * g * g - 6 * g * g + 4) / 6
    slopes[0], slopes[3] = -g * g / 2, f * f / 2
    slopes[1] = (3 * f * f - 4 * f) / 2
    slopes[2] = -(3 * g * g - 4 * g) / 2


@njit(cache=True, nogil=True)
def spline_step(points: NDArray, coefficients: NDArray, origin: NDArray, spacing: float, out: NDArray) -> None:
    """Write x + u(x) for every point."""
    n = coefficients.shape[0]
    values, slopes, cell = np.empty((3, 4)), np.empty(4), np.empty(3, np.int64)
    for p in range(points.shape[0]):
        inside = True
        for axis in range(3):
            local = (points[p, axis] - origin[axis]) / spacing
            if not -2 < local < n + 1:
                inside = False
                break
            cell[axis] = int(np.floor(local))
            _basis(local - cell[axis], values[axis], slopes)
        ux = uy = uz = 0.0
        if inside:
            for a in range(4):
                i = cell[0] - 1 + a
                if i < 0 or i >= n:
                    continue
                for b in range(4):
                    j = cell[1] - 1 + b
                    if j < 0 or j >= n:
                        continue
                    ab = values[0, a] * values[1, b]
                    for c in range(4):
                        k = cell[2] - 1 + c
                        if k < 0 or k >= n:
                            continue
                        w = ab * values[2, c]
                        ux += w * coefficients[i, j, k, 0]
                        uy += w * coefficients[i, j, k, 1]
                        uz += w * coefficients[i, j, k, 2]
        out[p, 0], out[p, 1], out[p, 2] = points[p, 0] + ux, points[p, 1] + uy, points[p, 2] + uz


@njit(cache=True, nogil=True)
def spline_pull(
    points: NDArray,
    coefficients: NDArray,
    origin: NDArray,
    spacing: float,
    gradient: NDArray,
    by_coefficient: NDArray,
    by_point: NDArray,
) -> None:
    """Add the gradient in the coefficients, and write that in the points before the step: (1 + ∇u)ᵀ g."""
    n = coefficients.shape[0]
    values, slopes, cell = np.empty((3, 4)), np.empty((3, 4)), np.empty(3, np.int64)
    for p in range(points.shape[0]):
        gx, gy, gz = gradient[p, 0], gradient[p, 1], gradient[p, 2]
        by_point[p, 0], by_point[p, 1], by_point[p, 2] = gx, gy, gz
        inside = True
        for axis in range(3):
            local = (points[p, axis] - origin[axis]) / spacing
            if not -2 < local < n + 1:
                inside = False
                break
            cell[axis] = int(np.floor(local))
            _basis(local - cell[axis], values[axis], slopes[axis])
        if not inside:
            continue
        for a in range(4):
            i = cell[0] - 1 + a
            if i < 0 or i >= n:
                continue
            for b in range(4):
                j = cell[1] - 1 + b
                if j < 0 or j >= n:
                    continue
                for c in range(4):
                    k = cell[2] - 1 + c
                    if k < 0 or k >= n:
                        continue
                    w = values[0, a] * values[1, b] * values[2, c]
                    by_coefficient[i, j, k, 0] += w * gx
                    by_coefficient[i, j, k, 1] += w * gy
                    by_coefficient[i, j, k, 2] += w * gz
                    along = (
                        gx * coefficients[i, j, k, 0] + gy * coefficients[i, j, k, 1] + gz * coefficients[i, j, k, 2]
                    ) / spacing
                    by_point[p, 0] += along * slopes[0, a] * values[1, b] * values[2, c]
                    by_point[p, 1] += along * values[0, a] * slopes[1, b] * values[2, c]
                    by_point[p, 2] += along * values[0, a] * values[1, b] * slopes[2, c]


# ---- a neural ODE --------------------------------------------------------------------------------------------------


@dataclass
class NeuralField:
    """Euler steps x ↦ x + h/K · v(x/h, k/K) of a net v = W₂ tanh(W₁ tanh(W₀ (x, t) + b₀) + b₁) + b₂, h the half-size.

    tanh has slope at most 1, so ρ_k ≤ ‖W₂‖‖W₁‖‖W₀ₓ‖/K in spectral norms: valid, and loose.
    """

    centre: Floats
    half: float
    steps: int
    arrays: dict[str, Floats] = field(default_factory=dict)

    def carry(self, points: Floats) -> Floats:
        """Return the points after every step; see :class:`Field`."""
        path = np.empty((self.steps + 1, *points.shape))
        path[0] = points
        for k in range(self.steps):
            path[k + 1] = path[k] + self.half / self.steps * self._velocity(path[k], k)[0]
        return path

    def _velocity(self, points: Floats, k: int) -> tuple[Floats, Floats, Floats, Floats]:
        a = self.arrays
        given = np.hstack([(points - self.centre) / self.half, np.full((len(points), 1), k / self.steps)])
        first = np.tanh(given @ a["weight_0"].T + a["bias_0"])
        second = np.tanh(first @ a["weight_1"].T + a["bias_1"])
        return second @ a["weight_2"].T + a["bias_2"], given, first, second

    def pull(self, path: Floats, gradient: Floats) -> dict[str, Floats]:
        """Return the gradient in the weights, by hand: two layers need no library that differentiates."""
        a, now = self.arrays, gradient
        found = {name: np.zeros_like(value) for name, value in a.items()}
        for k in range(self.steps - 1, -1, -1):
            _, given, first, second = self._velocity(path[k], k)
            up = self.half / self.steps * now
            by_second = (up @ a["weight_2"]) * (1 - second**2)
            by_first = (by_second @ a["weight_1"]) * (1 - first**2)
            for layer, (out, into) in enumerate(((by_first, given), (by_second, first), (up, second))):
                found[f"weight_{layer}"] += out.T @ into
                found[f"bias_{layer}"] += out.sum(axis=0)
            now = now + (by_first @ a["weight_0"])[:, :3] / self.half
        return found

    def lipschitz(self) -> Floats:
        """Return the bound of every step, the same for all."""
        a = self.arrays
        norms = [np.linalg.norm(a[name], 2) for name in ("weight_1", "weight_2")]
        rho = float(np.prod(norms) * np.linalg.norm(a["weight_0"][:, :3], 2)) / self.steps * (1 + 1e-9)
        return np.full(self.steps, rho)

    def restrain(self, most: float) -> None:
        """Scale back the last layer if the bound exceeds ``most``."""
        rho = float(self.lipschitz()[0])
        if rho > most:
            self.arrays["weight_2"] *= most / rho


@FIELDS.add(
    "mlp",
    label="Neural ODE",
    formula=r"\dot x=v_\varphi(x,t)",
    reference="Le, Nguyen, Sun, Han, Ho, Xie, arXiv 2305.17555",
    cost="two layers of 64 units",
)
def neural(centre: Floats, half: float, steps: int, seed: int, *, control: int = 12) -> NeuralField:
    """Return a net of two hidden layers of 64 units that moves nothing yet; ``control`` is not used."""
    rng, hidden = np.random.default_rng(seed), 64
    arrays = {
        "weight_0": rng.normal(size=(hidden, 4)),
        "bias_0": rng.normal(size=hidden),
        "weight_1": rng.normal(size=(hidden, hidden)) / math.sqrt(hidden),
        "bias_1": np.zeros(hidden),
        "weight_2": np.zeros((3, hidden)),
        "bias_2": np.zeros(3),
    }
    return NeuralField(centre, half, steps, arrays)


def train(
    arrays: dict[str, Floats], gradients: dict[str, Floats], moments: dict[str, Floats], number: int, rate: float
) -> None:
    """Take one step of Adam (Kingma, Ba 2015) on the arrays of a field, in place; ``number`` counts from 1."""
    for name, gradient in gradients.items():
        first = moments.setdefault(f"{name} mean", np.zeros_like(gradient))
        second = moments.setdefault(f"{name} square", np.zeros_like(gradient))
        first += 0.1 * (gradient - first)
        second += 0.001 * (gradient**2 - second)
        mean, square = first / (1 - 0.9**number), second / (1 - 0.999**number)
        arrays[name] -= rate * mean / (np.sqrt(square) + 1e-12)
