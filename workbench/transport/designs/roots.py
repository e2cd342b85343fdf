"""Lines of R⁶ from the root system E6: rules on S⁵ that are exact to degree 5 and to degree 7.

The 36 lines of the roots of E6, and the 27 lines of the minimal vectors of its dual lattice E6*, integrate every even
polynomial of degree 4 and hence all of degree 5 exactly. Their errors of degree 6 have opposite signs and the same
shape: weights 3/5 on the roots and 2/5 on the dual vectors cancel them, and 63 lines are exact to degree 7.
"""

import itertools
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def _roots_of_e8() -> Floats:
    """Return the 240 roots of E8, (240, 8)."""
    signs = [s for s in itertools.product((-0.5, 0.5), repeat=8) if np.prod(s) > 0]
    pairs = []
    for i, j in itertools.combinations(range(8), 2):
        for a, b in itertools.product((-1.0, 1.0), repeat=2):
            root = np.zeros(8)
            root[i], root[j] = a, b
            pairs.append(root)
    return np.array([*pairs, *signs])


def _one_of_each_line(vectors: Floats) -> Floats:
    """Return one unit vector of each line, the first that comes."""
    kept: list[Floats] = []
    for vector in vectors / np.linalg.norm(vectors, axis=1, keepdims=True):
        if not any(abs(vector @ other) > 1 - 1e-9 for other in kept):
            kept.append(vector)
    return np.array(kept)


@lru_cache(maxsize=1)
def root_lines() -> tuple[Floats, Floats]:
    """Return the unit vectors of the 36 lines of E6 and of the 27 lines of E6*, (36, 6) and (27, 6), read-only.

    E6 are the roots of E8 orthogonal to two roots a, b with a·b = −1; E6* are the projections onto that space of the
    roots r with r·a = 1 and r·b = 0.

    >>> roots, dual = root_lines()
    >>> gram = (roots @ roots.T) ** 4
    >>> roots.shape, dual.shape, bool(abs(gram.mean() - 3 / 48) < 1e-14)  # E x⁴ on S⁵
    ((36, 6), (27, 6), True)
    """
    roots = _roots_of_e8()
    a = roots[0]
    b = roots[np.flatnonzero(np.abs(roots @ a + 1) < 1e-9)[0]]
    inside = np.linalg.svd(np.stack([a, b]))[2][2:]  # an orthonormal basis of what is orthogonal to both
    of_a, of_b = roots @ a, roots @ b
    found = (
        _one_of_each_line(roots[(np.abs(of_a) < 1e-9) & (np.abs(of_b) < 1e-9)] @ inside.T),
        _one_of_each_line(roots[(np.abs(of_a - 1) < 1e-9) & (np.abs(of_b) < 1e-9)] @ inside.T),
    )
    for lines in found:
        lines.flags.writeable = False
    return found


def root_rule(n_directions: int) -> tuple[Floats, Floats] | None:
    """Return directions and weights of a rule on S⁵ of 27, 36 (degree 5) or 63 (degree 7) lines, None for others.

    >>> [root_rule(n)[1].sum().round(12).item() for n in (27, 36, 63)], root_rule(64)
    ([1.0, 1.0, 1.0], None)
    """
    roots, dual = root_lines()
    if n_directions == len(roots):
        return roots, np.full(36, 1 / 36)
    if n_directions == len(dual):
        return dual, np.full(27, 1 / 27)
    if n_directions == len(roots) + len(dual):
        return np.concatenate([roots, dual]), np.concatenate([np.full(36, 1 / 60), np.full(27, 2 / 135)])
    return None
