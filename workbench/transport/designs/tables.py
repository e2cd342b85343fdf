"""Read the shipped design tables (plain numeric arrays in one ``.npz``, opened without pickle)."""

from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

FILE = "tables.npz"


@lru_cache(maxsize=1)
def _tables() -> dict[int, NDArray[np.float64]]:
    with files(__package__).joinpath(FILE).open("rb") as file, np.load(file, allow_pickle=False) as archive:
        tables = {len(archive[name]): archive[name] for name in archive.files}
    for table in tables.values():
        table.flags.writeable = False
    return dict(sorted(tables.items()))


def design_sizes() -> tuple[int, ...]:
    """Return the numbers of directions for which a table is shipped, in increasing order."""
    return tuple(_tables())


def design_table(n_directions: int) -> NDArray[np.float64] | None:
    """Return the ``(n_directions, 3)`` design (read-only), or None if no table of that size is shipped.

    >>> design_table(6).shape, design_degree(6), design_table(7) is None
    ((6, 3), 4, True)
    """
    return _tables().get(n_directions)


def design_degree(n_directions: int) -> int:
    """Return the highest even degree T that ``n_directions`` antipodal pairs can integrate exactly.

    The even harmonics of degree 2…T give T(T+3)/2 conditions, and L points on the sphere have 2L − 3 degrees of
    freedom after removing rotations: T(T+3)/2 + 3 ≤ 2L. The icosahedron (L = 6) does better than the count, T = 4.

    >>> design_degree(100)
    18
    """
    if n_directions == 6:
        return 4
    degree = 0
    while (degree + 2) * (degree + 5) / 2 + 3 <= 2 * n_directions:
        degree += 2
    return degree
