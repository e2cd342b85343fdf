"""Oligopolies with curved demand: isoelastic Cournot and logit Bertrand, certified on boxes."""

import numpy as np

from workbench import checks
from workbench.games.expressions import Expression, exp
from workbench.games.gallery.registry import GALLERY, Example, example
from workbench.games.models.region import Box
from workbench.games.models.smooth import SmoothGame


@GALLERY.add(
    "isoelastic-cournot",
    label="Cournot, isoelastic demand",
    formula=r"p = 1/Q,\; c = (1, 1.5)",
    reference="T. Puu 1991",
    knobs={"share": (0.02, 0.45, 0.1)},
    seconds=0.25,
)
def isoelastic_cournot(share: float = 0.1) -> Example:
    """Return two firms facing p = 1/Q with unit costs 1 and 1.5; the box is q* = (.24, .16) plus or minus ``share``.

    At 10 % aggregated bounds certify 3.117; at 40 % they refuse (-.98) and leaf-by-leaf bounds certify 1.147.

    >>> example = isoelastic_cournot(0.1)
    >>> example.region.dimension
    2
    """
    share = checks.real("share", share, exclusive_minimum=0, maximum=0.9)
    cost = (1.0, 1.5)

    def costs(q: list[Expression]) -> list[Expression]:
        total = q[0] + q[1]
        return [cost[i] * q[i] - q[i] / total for i in range(2)]

    best = np.array([0.24, 0.16])
    region = Box((1 - share) * best, (1 + share) * best)
    game = SmoothGame([1, 1], costs=costs, name="isoelastic Cournot")
    return example(game, share <= 0.45, "converges near q*", 0.5 * region.lower + 0.5 * best, region)


@GALLERY.add(
    "logit-bertrand",
    label="Bertrand, logit demand",
    formula=r"s_i = e^{1-p_i}/(1+\sum_j e^{1-p_j})",
    reference="S. Anderson, A. de Palma, J.-F. Thisse 1992",
    seconds=0.45,
)
def logit_bertrand() -> Example:
    """Return two firms with logit market shares and unit cost .5 on prices [1.4, 2]²; p* = 1.808261156445."""

    def costs(p: list[Expression]) -> list[Expression]:
        weight = [exp(1.0 - price) for price in p]
        total = 1.0 + weight[0] + weight[1]
        return [-(p[i] - 0.5) * weight[i] / total for i in range(2)]

    region = Box([1.4, 1.4], [2.0, 2.0])
    game = SmoothGame([1, 1], costs=costs, name="logit Bertrand")
    return example(game, True, "converges; contraction is lost once the step reaches about 6", [1.5, 1.95], region)
