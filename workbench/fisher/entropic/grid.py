"""Fields on a periodic grid of cubic cells: derivatives and smoothing by Fourier transforms, and what may be one.

The row of the highest frequency (Nyquist's) of an even side has no sign: a derivative of even order keeps it, one of
odd order must drop it, or a real field would get an imaginary derivative. A mixed second derivative is odd in both.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from workbench import checks
from workbench.parallel import THREADS

Floats = NDArray[np.float64]
PAIRS = {2: ((0, 0), (1, 1), (0, 1)), 3: ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))}
"""Which entries of a symmetric matrix stand in its components, in their order, for two and three dimensions."""
AXES = "xyz"
LEAST_SIDE, MOST_CELLS = 4, 2**24
MANY = 2**18
"""Cells from which a transform is worth two threads."""


@dataclass(frozen=True)
class Grid:
    """A periodic grid of ``shape``, whose first side is ``box`` long; its cells are squares or cubes.

    >>> Grid((64, 32), 2.0).cell
    0.03125
    """

    shape: tuple[int, ...]
    box: float = 1.0

    @property
    def dimension(self) -> int:
        """Two or three."""
        return len(self.shape)

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return int(np.prod(self.shape))

    @property
    def cell(self) -> float:
        """The side of a cell."""
        return self.box / self.shape[0]

    @property
    def components(self) -> list[str]:
        """The names of the components of a symmetric matrix: xx, yy, xy, …"""
        return [AXES[i] + AXES[j] for i, j in PAIRS[self.dimension]]

    def positions(self, axis: int) -> Floats:
        """Return where the cells stand along an axis, from zero on."""
        return np.arange(self.shape[axis]) * self.cell

    def wave(self, axis: int, *, odd: bool = False) -> Floats:
        """Return the wave numbers along an axis, as they stand in the half of a real transform.

        ``odd`` is for derivatives of odd order, which drop Nyquist's row.
        """
        n = self.shape[axis]
        frequencies = fft.rfftfreq if axis == self.dimension - 1 else fft.fftfreq
        k = 2 * np.pi * frequencies(n, self.cell)
        if odd and n % 2 == 0:
            k[n // 2] = 0.0
        return k.reshape([-1 if i == axis else 1 for i in range(self.dimension)])

    def squared(self) -> Floats:
        """Return |k|² of all modes of the half."""
        return sum((self.wave(axis) ** 2 for axis in range(self.dimension)), start=np.zeros(1))

    def weights(self) -> Floats:
        """Return how many modes of the full transform each mode of the half stands for, along the last axis."""
        n = self.shape[-1]
        count = np.full(n // 2 + 1, 2.0)
        count[0] = 1.0
        if n % 2 == 0:
            count[-1] = 1.0
        return count

    def forward(self, values: Floats) -> NDArray[np.complex128]:
        """Return the half of the transform of a real field."""
        return fft.rfftn(values, workers=THREADS if self.cells >= MANY else 1)

    def backward(self, spectrum: NDArray[np.complex128]) -> Floats:
        """Return the real field of a half transform."""
        return fft.irfftn(spectrum, s=self.shape, workers=THREADS if self.cells >= MANY else 1)

    def blurred(self, spectrum: NDArray[np.complex128], radius: float) -> NDArray[np.complex128]:
        """Return the transform of the field folded with a Gaussian of standard deviation ``radius``."""
        if radius == 0:
            return spectrum
        found = spectrum
        for axis in range(self.dimension):
            found = found * np.exp(-((self.wave(axis) * radius) ** 2) / 2)
        return found

    def gradient(self, spectrum: NDArray[np.complex128]) -> list[Floats]:
        """Return the first derivatives, one field for each axis."""
        return [self.backward(1j * self.wave(axis, odd=True) * spectrum) for axis in range(self.dimension)]

    def second(self, spectrum: NDArray[np.complex128], reach: float = 0.0) -> Floats:
        """Return the second derivatives, (component, *shape); with a ``reach`` h the symmetric differences over ±h.

        The diagonal is [f(x + h eᵢ) + f(x − h eᵢ) − 2 f(x)]/h². Off it stands half of what such differences along
        (eᵢ + eⱼ)/√2 and (eᵢ − eⱼ)/√2 differ by: the matrix has these values along these directions. One inverse
        transform for each component, exact for whatever the grid resolves.
        """
        found = np.empty((len(PAIRS[self.dimension]), *self.shape))
        for row, (i, j) in enumerate(PAIRS[self.dimension]):
            if i == j:
                k = self.wave(i)
                factor = -(k**2) if reach == 0 else (2 * np.cos(reach * k) - 2) / reach**2
            else:
                factor = -self._sine(i, reach) * self._sine(j, reach)
            found[row] = self.backward(factor * spectrum)
        return found

    def _sine(self, axis: int, reach: float) -> Floats:
        k = self.wave(axis, odd=True)
        return k if reach == 0 else np.sqrt(2) * np.sin(reach * k / np.sqrt(2)) / reach

    def moved(self, spectrum: NDArray[np.complex128], step: ArrayLike) -> NDArray[np.complex128]:
        """Return the transform of x ↦ f(x + step), a real field for every step: Nyquist's rows take the cosine."""
        found = spectrum
        for axis, along in enumerate(np.asarray(step, dtype=float)):
            if along:
                turn = np.cos(self.wave(axis) * along) + 1j * np.sin(self.wave(axis, odd=True) * along)
                found = found * turn
        return found


def grid_of(shape: ArrayLike, box: float = 1.0) -> Grid:
    """Return the checked grid; ``ValueError`` for sides, numbers of cells or boxes that are out of bounds.

    >>> grid_of((64, 64)).components
    ['xx', 'yy', 'xy']
    """
    sides = np.atleast_1d(np.asarray(shape, dtype=object)).ravel().tolist()
    if len(sides) not in PAIRS:
        raise ValueError(f"a field has two or three dimensions, got the shape {tuple(sides)[:6]}")
    sides = [checks.integer(f"side {i + 1} of the grid", n, minimum=LEAST_SIDE) for i, n in enumerate(sides)]
    cells = int(np.prod(sides, dtype=object))
    if cells > MOST_CELLS:
        raise ValueError(
            f"a grid of {' × '.join(map(str, sides))} has {cells:,} cells; up to {MOST_CELLS:,} (256³, 4096²) are "
            "taken. Average it over blocks of cells first"
        )
    return Grid(tuple(sides), checks.real("box", box, exclusive_minimum=0, maximum=1e12))


def checked_density(
    rho: ArrayLike, box: float = 1.0, *, floor: float | None = None, zeros: bool = False
) -> tuple[Floats, Grid]:
    """Return a density on its grid, positive everywhere; the mean is brought to one, on which nothing here depends.

    ``floor`` lifts every lower cell to that share of the mean. ``zeros`` lets empty cells pass, for a density that is
    going to be smoothed. Raises ``ValueError`` for a wrong shape, for NaN, for cells at zero or below with their
    number and place, and for a field without mass.

    >>> checked_density([[0, 1, 1, 1]] * 4)
    Traceback (most recent call last):
    ValueError: the density has 4 of 16 cells at 0 or below (the first at (0, 0)), where ln ρ does not exist; smooth it,
    or give floor=… as a share of the mean
    """
    values = checks.finite_array("the density", rho, ndim=(2, 3))
    grid = grid_of(values.shape, box)
    if floor is not None:
        floor = checks.real("floor", floor, exclusive_minimum=0, maximum=1)
    largest = float(np.abs(values).max())
    if not values.max() > 0:
        raise ValueError(f"the density has no positive cell (its largest is {values.max():.3g}); it has no mass")
    values = values / largest  # before the mean, which might overflow
    mean = float(values.mean())
    if not mean > 1e-12:
        raise ValueError("the density has no mass: its positive and negative cells cancel. Give ρ itself, not ρ/ρ̄ − 1")
    values = values / mean
    if floor is not None:
        return np.maximum(values, floor), grid
    bad = values < 0 if zeros else values <= 0
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        reason = "a density has none below 0" if zeros else "where ln ρ does not exist"
        told = "below 0" if zeros else "at 0 or below"
        raise ValueError(
            f"the density has {int(bad.sum())} of {values.size} cells {told} (the first at {first}), {reason}; "
            f"{'' if zeros else 'smooth it, or '}give floor=… as a share of the mean"
        )
    return values, grid


def on_grid(grid: Grid) -> dict[str, tuple]:
    """Return the coordinates of a grid, as :func:`workbench.results.dataset` takes them."""
    return {
        AXES[axis]: ((AXES[axis],), grid.positions(axis), f"position along {AXES[axis]}", "length")
        for axis in range(grid.dimension)
    }


def axes_of(grid: Grid) -> tuple[str, ...]:
    """Return the names of the axes of a grid."""
    return tuple(AXES[: grid.dimension])
