"""Spherical designs, the default: antipodally symmetric point sets exact to a high degree, rotated at every draw.

A design of L antipodal pairs integrates all polynomials up to degree T ≈ 2√L exactly, and f(θ), the transport cost
along θ, is even and continuous, so little of it is left. One Haar rotation per draw makes every direction uniform: the
estimate is unbiased, and a flow sees every direction instead of stalling on a fixed set.

Where there is no table the rule takes the best there is: in the plane equal angles (which *are* designs), on the
sphere in three dimensions the spiral, in six the lines of the root system E6 (27, 36 or 63 of them, exact to degree 5
and 7, or several such sets, each rotated by itself), beyond that orthogonal blocks (exact for degree 2).
"""

import numpy as np

from workbench.transport.designs import design_table
from workbench.transport.estimators.base import ESTIMATORS, Rule, equal_weights, random_rotations
from workbench.transport.estimators.equispaced import equispaced
from workbench.transport.estimators.orthogonal import orthogonal
from workbench.transport.estimators.roots import rotated_copies
from workbench.transport.estimators.spiral import spiral


@ESTIMATORS.add(
    "design",
    label="Spherical design",
    formula=r"\frac{1}{L}\sum_l f(Q\theta_l),\ \theta\ \text{a design},\ Q\ \text{Haar}",
    reference="Womersley, Efficient spherical designs with good geometric properties, arXiv 1709.01624",
    cost="exact to degree about 2 sqrt(L) in three dimensions",
)
def design(n_directions: int, dim: int, rng: np.random.Generator) -> Rule:
    """Return a randomly rotated design (d = 3, sizes of ``design_sizes()``) or its stand-in; unbiased."""
    if dim == 1:
        return equal_weights(np.ones((n_directions, 1)))
    if dim == 2:
        return equispaced(n_directions, dim, rng)
    if dim == 6:
        for size in (63, 36, 27):
            if n_directions % size == 0:
                return rotated_copies(size, n_directions, rng)
    if dim > 3:
        return orthogonal(n_directions, dim, rng)
    table = design_table(n_directions)
    if table is None:
        return spiral(n_directions, dim, rng)
    return equal_weights(table @ random_rotations(1, 3, rng)[0])
