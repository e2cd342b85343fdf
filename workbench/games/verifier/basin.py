"""The basin's two claims: exactly one equilibrium in the stored box, and the M-ball around it stays in the region."""

from collections.abc import Callable

from flint import arb, arb_mat, fmpq

from .balls import ball, field, jacobian
from .document import Refused
from .exact import rational
from .model import Basin, Document, Formulas


def basin_claim(document: Document, weights: Callable[[int], fmpq]) -> None:
    """Krawczyk's test in balls, and radius² ≤ w_i * distance_k² to every face k, in rationals."""
    game, region, basin = document.game, document.region, document.basin
    if basin is None:
        return
    if not isinstance(game, Formulas) or region is None:
        raise Refused("a basin needs a game of formulas and a region", "basin")
    radius = rational(basin.radius)
    for k, player in enumerate(game.owner):
        below = rational(basin.lower[k]) - rational(region.lower[k])
        above = rational(region.upper[k]) - rational(basin.upper[k])
        if not (below > 0 and above > 0):
            raise Refused("the equilibrium is not inside the region", "basin")
        if not radius**2 <= weights(player) * min(below, above) ** 2:
            raise Refused(f"the ball of radius {basin.radius} leaves the region in coordinate {k}", "basin")
    if not one_zero(game, basin):
        raise Refused("it is not proved that the stored box holds exactly one equilibrium", "basin")


def one_zero(game: Formulas, basin: Basin) -> bool:
    """Return whether m - Y F(m) + (I - Y J(X)) (X - m) lies in the interior of X, in ball arithmetic."""
    d = len(basin.lower)
    box = [ball(a, b) for a, b in zip(basin.lower, basin.upper, strict=True)]
    middle = [arb(0.5 * a + 0.5 * b) for a, b in zip(basin.lower, basin.upper, strict=True)]
    slopes = arb_mat(jacobian(game, box))
    try:
        inverse = arb_mat(jacobian(game, middle)).inv().mid()
    except ZeroDivisionError:
        return False
    value = arb_mat([[entry] for entry in field(game, middle)])
    offset = arb_mat([[x - m] for x, m in zip(box, middle, strict=True)])
    identity = arb_mat([[arb(int(i == j)) for j in range(d)] for i in range(d)])
    image = arb_mat([[m] for m in middle]) - inverse * value + (identity - inverse * slopes) * offset
    return all(arb(basin.lower[k]) < image[k, 0] and image[k, 0] < arb(basin.upper[k]) for k in range(d))
