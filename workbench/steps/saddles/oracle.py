"""The surface as a search sees it: every call is counted, remembered and limited."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workbench.progress import Progress
from workbench.steps.saddles.surfaces import CLOSEST, Surface, closest_pair

Array = NDArray[np.float64]


class Stop(Exception):
    """A search must end, and says why."""


@dataclass
class Oracle:
    """Counts the calls of a surface, keeps what they returned, and stops a search that may make no more."""

    surface: Surface
    most: int
    progress: Progress
    x: list[Array] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)
    gradients: list[Array] = field(default_factory=list)

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return len(self.energies)

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Return energy and gradient; raises :class:`Stop` when calls run out, atoms collide or the engine fails."""
        if self.calls >= self.most:
            raise Stop(f"{self.most} calls are used up")
        self.progress.update(self.calls, self.most, f"call {self.calls + 1}")
        energy, gradient = guarded(self.surface, x)
        self.x.append(x.copy())
        self.energies.append(energy)
        self.gradients.append(gradient)
        return energy, gradient

    def gradient(self, x: Array) -> Array:
        """Return the gradient alone; a call like any other."""
        return self(x)[1]


def guarded(surface: Surface, x: Array) -> tuple[float, Array]:
    """Return energy and gradient of a point that a search came to; raises :class:`Stop` where there are none."""
    if not np.isfinite(x).all():
        raise Stop("the coordinates are no longer finite")
    if surface.box is not None and any(not low <= v <= high for v, (low, high) in zip(x, surface.box, strict=True)):
        raise Stop("it left the surface's box")
    if surface.species is not None and len(surface.species) > 1:
        i, j, nearest = closest_pair(x)
        if nearest < CLOSEST:
            raise Stop(f"atoms {i} and {j} came within {nearest:.2g} of each other")
    try:
        with np.errstate(all="ignore"):
            energy, gradient = surface.evaluate(x)
    except (ArithmeticError, RuntimeError, ValueError) as error:
        raise Stop(f"the surface could not be evaluated ({type(error).__name__}: {error})") from error
    if not (np.isfinite(energy) and np.isfinite(gradient).all()):
        raise Stop("the surface returned an energy or gradient that is not finite")
    return float(energy), np.asarray(gradient, dtype=np.float64)
