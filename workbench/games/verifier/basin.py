"""The basin's two claims: exactly one equilibrium in the stored box, and the M-ball around it stays in the region."""

from fractions import Fraction
from typing import Any

from flint import arb, arb_mat

from workbench.games.verifier.balls import ball, jacobian, run
from workbench.games.verifier.document import Refused


def basin_claim(document: dict[str, Any]) -> None:
    """Krawczyk's test in balls, and radius^2 <= w_i * distance_k^2 to every face k, in rationals."""
    game, region, basin = document["game"], document["region"], document["basin"]
    if game["type"] != "smooth" or region is None:
        raise Refused("a basin needs a game of formulas and a region")
    lower, upper = basin["lower"], basin["upper"]
    if not one_zero(game, lower, upper):
        raise Refused("it is not proved that the stored box holds exactly one equilibrium")
    owner = [i for i, size in enumerate(game["sizes"]) for _ in range(size)]
    radius = Fraction(basin["radius"])
    for k, player in enumerate(owner):
        below = Fraction(lower[k]) - Fraction(region["lower"][k])
        above = Fraction(region["upper"][k]) - Fraction(upper[k])
        if min(below, above) <= 0 or radius <= 0:
            raise Refused("the equilibrium is not inside the region")
        if radius**2 > Fraction(document["weights"][player]) * min(below, above) ** 2:
            raise Refused(f"the ball of radius {basin['radius']} leaves the region in coordinate {k}")


def one_zero(game: dict[str, Any], lower: list[float], upper: list[float]) -> bool:
    """Return whether m - Y F(m) + (I - Y J(X)) (X - m) lies in the interior of X, in ball arithmetic."""
    d = len(lower)
    if any(not low < high for low, high in zip(lower, upper, strict=True)):
        return False
    box = [ball(a, b) for a, b in zip(lower, upper, strict=True)]
    middle = [arb(0.5 * a + 0.5 * b) for a, b in zip(lower, upper, strict=True)]
    slopes = arb_mat(jacobian(game, box))
    try:
        inverse = arb_mat(jacobian(game, middle)).inv().mid()
    except ZeroDivisionError:
        return False
    value = arb_mat([[entry] for entry in field(game, middle)])
    offset = arb_mat([[x - m] for x, m in zip(box, middle, strict=True)])
    identity = arb_mat([[arb(int(i == j)) for j in range(d)] for i in range(d)])
    image = arb_mat([[m] for m in middle]) - inverse * value + (identity - inverse * slopes) * offset
    return all(arb(lower[k]) < image[k, 0] and image[k, 0] < arb(upper[k]) for k in range(d))


def field(game: dict[str, Any], point: list[arb]) -> list[arb]:
    """Return F at a point: own first derivatives of the costs, or the stored field."""
    owner = [i for i, size in enumerate(game["sizes"]) for _ in range(size)]
    jets = run(game["program"], point, 1)
    if game["source"] == "field":
        return [jet.value for jet in jets]
    return [jets[owner[k]].first.get(k, arb(0)) for k in range(len(point))]
