"""Lattices as integers: the neighbours of an atom, and what a step to one of them means in space.

A lattice vector is a row of integers; times ``unit`` and the spacing it is a vector in crystal axes. For the cubic ones
an integer is half an edge of the cube, so ½⟨111⟩ of a bcc crystal is (1, 1, 1).
"""

import itertools

import numpy as np
from numpy.typing import NDArray

from workbench.registry import Fact, Registry

LATTICES = Registry(
    "lattice",
    facts={
        "dimension": Fact(int, says="2 or 3"),
        "unit": Fact(np.ndarray, says="rows: the vectors in space that the integers count, nearest neighbours 1 apart"),
        "order": Fact(int, says="of the rotations that the lattice has in the plane, or about a cube's edge"),
    },
)
"""Each entry is a function that returns the integer vectors (k, d) to the neighbours which are labelled as bonds."""


@LATTICES.add(
    "triangular",
    label="Triangular",
    dimension=2,
    order=6,
    unit=np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]]),
    reference="Eisenstein integers a + bζ, ζ² = ζ − 1",
)
def triangular() -> NDArray:
    """Return the six neighbours, counter-clockwise."""
    return np.array([[1, 0], [0, 1], [-1, 1], [-1, 0], [0, -1], [1, -1]])


@LATTICES.add("square", label="Square", dimension=2, order=4, unit=np.eye(2))
def square() -> NDArray:
    """Return the four neighbours, counter-clockwise."""
    return np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])


@LATTICES.add("sc", label="Simple cubic", dimension=3, order=4, unit=np.eye(3))
def simple_cubic() -> NDArray:
    """Return the six neighbours."""
    return np.concatenate([np.eye(3, dtype=int), -np.eye(3, dtype=int)])


@LATTICES.add("bcc", label="Body-centred cubic", dimension=3, order=4, unit=np.eye(3) / np.sqrt(3))
def body_centred() -> NDArray:
    """Return the eight neighbours and the six just behind them."""
    corners = np.array(list(itertools.product((-1, 1), repeat=3)))
    return np.concatenate([corners, 2 * simple_cubic()])


@LATTICES.add("fcc", label="Face-centred cubic", dimension=3, order=4, unit=np.eye(3) / np.sqrt(2))
def face_centred() -> NDArray:
    """Return the twelve neighbours."""
    near = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
    return near[(near != 0).sum(1) == 2]


def is_vector(lattice: str, vector: NDArray) -> bool:
    """Return whether integers are a vector of the lattice: in bcc all odd or all even, in fcc with an even sum.

    >>> [is_vector(name, np.array([1, 1, 0])) for name in ("sc", "bcc", "fcc")]
    [True, False, True]
    """
    if lattice == "bcc":
        return len(set((vector % 2).tolist())) == 1
    return lattice != "fcc" or int(vector.sum()) % 2 == 0
