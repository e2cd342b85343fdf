"""The dimer: two points a hundredth apart that turn towards the lowest curvature and climb along it.

The axis τ is rotated in the plane of the rotational force by the angle that a fit of the curvature C(φ) = a₀/2 +
a₁ cos 2φ + b₁ sin 2φ gives; the effective force is −g + 2(g·τ)τ where C < 0, else (g·τ)τ. Works on the surface itself
(the rival) and on a surrogate (the published method). References: G. Henkelman, H. Jónsson, J. Chem. Phys. 111 (1999)
7010; J. Kästner, P. Sherwood, J. Chem. Phys. 128 (2008) 014106 (the gradient carried along, L-BFGS).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workbench.steps.saddles.modes import without_rigid

Array = NDArray[np.float64]
SEPARATION = 0.01
SMALLEST_ANGLE = float(np.radians(5.0))
ROTATIONS = 4
"""A turn by less is not made, nor more of them at one point: each is a call."""
MEMORY = 10


@dataclass
class Dimer:
    """The state of a dimer search: the axis, its curvature, and what L-BFGS remembers.

    >>> hessian = np.diag([3.0, -1.0])
    >>> state = Dimer(np.array([0.8, 0.6]), None, lambda x: hessian @ x, longest=0.1)
    >>> state.rotate(np.zeros(2), np.zeros(2))
    >>> bool(abs(state.axis[1]) > 0.99), round(state.curvature, 2)
    (True, -1.0)
    """

    axis: Array
    species: Sequence[str] | None
    gradient_at: Callable[[Array], Array]
    longest: float
    curvature: float = np.nan
    _steps: list[Array] = field(default_factory=list)
    _changes: list[Array] = field(default_factory=list)
    _last: tuple[Array, Array] | None = None

    def rotate(self, x: Array, g0: Array) -> None:
        """Turn the axis towards the lowest curvature at ``x``: one gradient, and one more for each rotation."""
        axis = without_rigid(self.axis, x, self.species)
        axis /= np.linalg.norm(axis)
        g1 = self.gradient_at(x + SEPARATION * axis)
        for _ in range(ROTATIONS):
            difference = without_rigid(g1 - g0, x, self.species) / SEPARATION
            self.curvature = float(difference @ axis)
            across = difference - self.curvature * axis
            size = float(np.linalg.norm(across))
            if size < 1e-12:
                break
            across = -across / size
            slope = -2 * size  # dC/dφ towards −across
            angle = -0.5 * np.arctan2(slope, 2 * abs(self.curvature))
            if angle < SMALLEST_ANGLE:
                break
            trial = self.gradient_at(x + SEPARATION * (np.cos(angle) * axis + np.sin(angle) * across))
            turned = np.cos(angle) * axis + np.sin(angle) * across
            curvature = float((trial - g0) @ turned) / SEPARATION
            b = 0.5 * slope
            a = (self.curvature - curvature + b * np.sin(2 * angle)) / (1 - np.cos(2 * angle))
            mean = self.curvature - a
            best = 0.5 * np.arctan2(b, a) + np.pi / 2  # the minimum of a cos 2φ + b sin 2φ
            best = (best + np.pi / 2) % np.pi - np.pi / 2
            # the gradient at the new end point, from the two known ones: no call
            g1 = (
                np.sin(angle - best) / np.sin(angle) * g1
                + np.sin(best) / np.sin(angle) * trial
                + (1 - np.cos(best) - np.sin(best) * np.tan(angle / 2)) * g0
            )
            axis = np.cos(best) * axis + np.sin(best) * across
            axis /= np.linalg.norm(axis)
            self.curvature = float(mean + a * np.cos(2 * best) + b * np.sin(2 * best))
            if abs(best) < SMALLEST_ANGLE:
                break
        self.axis = axis

    def turn(self, mode: Array, curvature: float) -> None:
        """Take the lowest mode where it is known, as if the rotations had converged; the axis keeps its sign."""
        self.axis, self.curvature = (mode if mode @ self.axis >= 0 else -mode), curvature

    def step(self, x: Array, g: Array) -> Array:
        """Return the next displacement from ``x`` with gradient ``g``, at most ``longest``."""
        along = float(g @ self.axis) * self.axis
        if self.curvature >= 0:  # convex: only uphill along the axis, as far as allowed
            self._steps.clear(), self._changes.clear()
            self._last = None
            size = float(np.linalg.norm(along))
            return along / size * self.longest if size > 1e-12 else self.longest * self.axis
        force = without_rigid(-g + 2 * along, x, self.species)
        if self._last is not None:
            moved, change = x - self._last[0], self._last[1] - force
            if float(moved @ change) > 1e-12:
                self._steps.append(moved)
                self._changes.append(change)
                del self._steps[:-MEMORY], self._changes[:-MEMORY]
        self._last = (x.copy(), force.copy())
        return limited(self._direction(force), self.longest, self.species)

    def _direction(self, force: Array) -> Array:
        if not self._steps:
            return force / max(abs(self.curvature), 1e-3)
        q, weights = force.copy(), []
        for s, y in zip(reversed(self._steps), reversed(self._changes), strict=True):
            weights.append(float(s @ q) / float(s @ y))
            q -= weights[-1] * y
        s, y = self._steps[-1], self._changes[-1]
        q *= float(s @ y) / float(y @ y)
        for s, y, weight in zip(self._steps, self._changes, reversed(weights), strict=True):
            q += s * (weight - float(y @ q) / float(s @ y))
        return q if float(q @ force) > 0 else force / max(abs(self.curvature), 1e-3)


def limited(step: Array, longest: float, species: Sequence[str] | None) -> Array:
    """Return the step, shortened so that no atom (or the point itself) moves farther than ``longest``."""
    size = float(
        np.linalg.norm(step if species is None else step.reshape(-1, 3), axis=None if species is None else 1).max()
    )
    return step * (longest / size) if size > longest else step
