"""Rules on S⁵ from the root system E6, for measures on R³ × S² such as varifolds: rotated copies of 36 or 63 lines.

The cost f(θ) is even, so a rule needs lines, and harmonics of odd degree are integrated by themselves. The 36 lines of
the roots are exact to degree 5, the 63 lines of E6 and its dual with two weights to degree 7.
"""

import numpy as np

from workbench.transport.designs import root_rule
from workbench.transport.estimators.base import ESTIMATORS, Rule, random_rotations, require_dim
from workbench.transport.estimators.orthogonal import orthogonal

DIM = 6


def rotated_copies(size: int, n_directions: int, rng: np.random.Generator) -> Rule:
    """Return as many rotated copies of a rule of ``size`` lines as fit, and orthogonal blocks for what is left.

    >>> rule = rotated_copies(36, 40, np.random.default_rng(0))
    >>> rule.directions.shape, round(float(rule.weights[:36].sum()), 12)
    ((40, 6), 0.9)
    """
    found = root_rule(size)
    assert found is not None
    copies, rest = divmod(n_directions, size)
    lines, weights = found
    directions = [lines @ turn for turn in random_rotations(copies, DIM, rng)] if copies else []
    shares = [np.tile(weights * (size / n_directions), copies)]
    if rest:
        directions.append(orthogonal(rest, DIM, rng).directions)
        shares.append(np.full(rest, 1 / n_directions))
    return Rule(np.concatenate(directions), np.concatenate(shares))


@ESTIMATORS.add(
    "roots-5",
    label="Lines of E6 (d = 6, degree 5)",
    formula=r"\frac{1}{36}\sum_l f(Q\theta_l),\ \theta\ \text{the roots of}\ E_6,\ Q\ \text{Haar}",
    reference="Delsarte, Goethals, Seidel, Spherical codes and designs, Geom. Dedicata 6 (1977) 363",
    cost="exact to degree 5 with 36 lines",
    dim=DIM,
)
def roots_5(n_directions: int, dim: int, rng: np.random.Generator) -> Rule:
    """Return rotated copies of the 36 lines of E6, with orthogonal blocks for the rest; unbiased, d = 6 only."""
    require_dim("roots-5", dim, DIM, "'design' or 'orthogonal'")
    return rotated_copies(36, n_directions, rng)


@ESTIMATORS.add(
    "roots-7",
    label="Lines of E6 and its dual (d = 6, degree 7)",
    formula=r"\frac{1}{60}\sum_{36} f(Q\theta_l)+\frac{2}{135}\sum_{27} f(Q\theta^*_l)",
    reference="the weights are of this project; lines as for degree 5",
    cost="exact to degree 7 with 63 lines",
    dim=DIM,
)
def roots_7(n_directions: int, dim: int, rng: np.random.Generator) -> Rule:
    """Return rotated copies of the 63 lines of E6 and E6*, with orthogonal blocks for the rest; unbiased, d = 6 only.

    >>> rule = roots_7(63, 6, np.random.default_rng(0))
    >>> bool(abs(rule.weights @ rule.directions[:, 0] ** 6 - 15 / 480) < 1e-14)  # E x⁶ on S⁵
    True
    """
    require_dim("roots-7", dim, DIM, "'design' or 'orthogonal'")
    return rotated_copies(63, n_directions, rng)
