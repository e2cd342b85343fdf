"""The lattice models that have no exact solution here, and the 2-D Ising model as a control."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.fisher.torus import J_CRITICAL
from workbench.registry import Registry


@dataclass(frozen=True)
class Model:
    """A q-colour model on the periodic hypercubic lattice; each site owns one bond in each of ``dimension`` directions.

    Ising bonds have energy ±1 (``scale`` 2, ``offset`` −1 on δ(s_i, s_j)), Potts bonds 0 or 1. ``largest`` is the
    largest side whose third cumulants are kept (more would take gigabytes).
    """

    name: str
    label: str
    dimension: int
    colours: int
    scale: float
    offset: float
    critical: float
    largest: int

    def bond_probability(self, J: float) -> float:
        """Return the chance that a cluster takes a satisfied bond, 1 − e^(−ΔE)."""
        return -math.expm1(-self.scale * J)


MODELS = Registry("model")
"""Every model that can be sampled; an entry called gives its :class:`Model`."""


def _enter(model: Model) -> None:
    @MODELS.add(model.name, label=model.label, formula=f"J_c = {model.critical:.8f}")
    def make() -> Model:
        return model


_enter(Model("ising-2d", "2-D Ising", 2, 2, 2.0, -1.0, J_CRITICAL, 64))
_enter(Model("ising-3d", "3-D Ising", 3, 2, 2.0, -1.0, 0.22165463, 12))
_enter(Model("potts-3", "Potts q = 3", 2, 3, 1.0, 0.0, math.log(1 + math.sqrt(3)), 64))
_enter(Model("potts-4", "Potts q = 4", 2, 4, 1.0, 0.0, math.log(3), 64))


def lattice_shape(model: Model, L: int) -> tuple[int, ...]:
    """Check the side and return the shape of the lattice."""
    side = checks.integer("L", L)
    if side < 3:
        raise ValueError(f"L must be at least 3, got {side}: at 2 every bond is doubled and the metric is singular")
    return (side,) * model.dimension


def neighbours(shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Return for every site its forward neighbours, then its backward ones, (n, 2d).

    >>> neighbours((3, 3))[0].tolist()
    [3, 1, 6, 2]
    """
    sites = np.arange(math.prod(shape), dtype=np.int32).reshape(shape)
    forward = [np.roll(sites, -1, axis=axis).ravel() for axis in range(len(shape))]
    backward = [np.roll(sites, 1, axis=axis).ravel() for axis in range(len(shape))]
    return np.ascontiguousarray(np.array(forward + backward).T)
