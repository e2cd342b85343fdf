"""Linear-quadratic dynamic games played by policy gradient, the feedback gains being the actions."""

import numpy as np

from workbench import checks
from workbench.games.expressions import Expression, wrap
from workbench.games.gallery.registry import GALLERY, Example, example
from workbench.games.models.markov import solve_formulas
from workbench.games.models.region import Box
from workbench.games.models.smooth import SmoothGame

MAZUMDAR = "E. Mazumdar, L. Ratliff, M. Jordan, S. Sastry, arXiv:1907.03712"


@GALLERY.add(
    "scalar-lq",
    label="Scalar LQ dynamic game",
    formula=r"x' = .9x + .5(u_1+u_2),\; u_i = -k_i x",
    reference="T. Basar, G. Olsder 1999",
    knobs={"radius": (0.005, 0.2, 0.02)},
)
def scalar_lq(radius: float = 0.02) -> Example:
    """Return f_i(k) = (1 + k_i^2) / (1 - (.9 - .5 (k_1 + k_2))^2) around k* = .39344288; radius .1 only by leaves.

    >>> scalar_lq().game.players
    2
    """
    radius = checks.real("radius", radius, exclusive_minimum=0, maximum=0.35)

    def costs(k: list[Expression]) -> list[Expression]:
        closed = 0.9 - 0.5 * (k[0] + k[1])
        return [(1.0 + k[i] ** 2) / (1.0 - closed**2) for i in range(2)]

    best = np.full(2, 0.3934428837952334)
    region = Box.around(best, radius)
    game = SmoothGame([1, 1], costs=costs, name="scalar LQ game")
    return example(
        game, radius <= 0.1, "policy gradient converges near k*", best + radius * np.array([0.8, -0.5]), region
    )


@GALLERY.add(
    "strict-saddle-lq",
    label="LQ game with a saddle Nash",
    formula=r"x' = Ax + B_1u_1 + B_2u_2",
    reference=MAZUMDAR,
    seconds=0.5,
)
def strict_saddle_lq(radius: float = 1e-3) -> Example:
    """Return the general-sum LQ game whose Nash equilibrium is a strict saddle of policy gradient: must be refused.

    A = [[.511, .064], [.533, .993]], B_1 = (1, 1), B_2 = (0, 1), Q_1 = diag(.01, 1), Q_2 = diag(1, .147), R = .01; the
    first state is (1, 1) or (1, 1.1) with equal chance. Cost tr((Q_i + .01 K_i^T K_i) S) with S = C S C^T + S_0, C the
    closed loop. At the Nash equilibrium J has the eigenvalues -.0081 +- .0216 i.
    """
    game = SmoothGame([2, 2], costs=_saddle_costs, name="strict-saddle LQ game")
    nash = np.array([0.47172772, 0.38404739, 0.05712154, 0.6006838])
    truth = "policy gradient avoids the Nash equilibrium almost surely"
    return example(game, False, truth, nash + 1e-3, Box.around(nash, radius))


def _saddle_costs(k: list[Expression]) -> list[Expression]:
    a, b = ((0.511, 0.064), (0.533, 0.993)), ((1.0, 1.0), (0.0, 1.0))
    state = ((0.01, 1.0), (1.0, 0.147))
    closed = [[a[r][c] - b[0][r] * k[c] - b[1][r] * k[2 + c] for c in range(2)] for r in range(2)]
    s11, s12, s22 = _covariance(closed)
    costs = []
    for i in range(2):
        gain = k[2 * i : 2 * i + 2]
        effort = gain[0] ** 2 * s11 + 2.0 * (gain[0] * gain[1] * s12) + gain[1] ** 2 * s22
        costs.append(state[i][0] * s11 + state[i][1] * s22 + 0.01 * effort)
    return costs


def _covariance(c: list[list[Expression]]) -> list[Expression]:
    """Return the entries of S = C S C^T + S_0 from three linear equations."""
    one = wrap(1.0)
    matrix = [
        [one - c[0][0] ** 2, -2.0 * (c[0][0] * c[0][1]), -(c[0][1] ** 2)],
        [-(c[0][0] * c[1][0]), one - (c[0][0] * c[1][1] + c[0][1] * c[1][0]), -(c[0][1] * c[1][1])],
        [-(c[1][0] ** 2), -2.0 * (c[1][0] * c[1][1]), one - c[1][1] ** 2],
    ]
    return solve_formulas(matrix, [one, wrap(1.05), wrap(1.105)])
