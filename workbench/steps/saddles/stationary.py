"""All stationary points of a plane surface, with a proof: boxes in ball arithmetic and Krawczyk's operator.

A box X with midpoint m is thrown away when the enclosure of the gradient over it excludes zero. Otherwise Krawczyk's
K(X) = m − Y∇E(m) + (1 − Y∇²E(X))(X − m) is formed with Y an inverse of the Hessian at m: if K(X) lies inside X there is
exactly one stationary point in X and it lies in K(X); if it misses X there is none; else X is cut in two. What is left
at the smallest width is undecided, and said. The sign of determinant and trace over the enclosure proves the index.
References: R. Krawczyk, Computing 4 (1969) 187; F. Johansson, Arb (python-flint).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from flint import arb, ctx

from workbench import checks, results
from workbench.progress import Progress
from workbench.steps.saddles.search import surface_of
from workbench.steps.saddles.surfaces import Surface

BITS = 106
SMALLEST = 1e-7
"""Boxes narrower than this share of the domain are given up as undecided."""
MOST_BOXES = 400_000
GROWN = 0.05
"""Share by which a box is grown for Krawczyk's test, so that a point on a cut is inside."""
Box = list[tuple[float, float]]


@dataclass(frozen=True)
class _Point:
    """A proved stationary point: its enclosure, and the box in which it is the only one."""

    where: list[arb]
    alone: list[arb]


def _ball(low: float, high: float) -> arb:
    """Return a ball that contains [low, high]."""
    middle = 0.5 * (low + high)
    return arb(middle, max(high - middle, middle - low) * (1 + 1e-15) + 1e-300)


def _krawczyk(jet: Any, box: list[arb]) -> list[arb] | None:
    """Return K(X), or None where the Hessian at the midpoint cannot be inverted."""
    middle = [arb(b.mid()) for b in box]
    at = jet(middle)
    (a, b), (c, d) = [[float(v.mid()) for v in row] for row in at.hessian]
    determinant = a * d - b * c
    if not np.isfinite(determinant) or determinant == 0:
        return None
    inverse = [[arb(d / determinant), arb(-b / determinant)], [arb(-c / determinant), arb(a / determinant)]]
    over = jet(box).hessian
    away = [x - m for x, m in zip(box, middle, strict=True)]
    found = []
    for i in range(2):
        value = middle[i] - sum((inverse[i][k] * at.gradient[k] for k in range(2)), arb(0))
        for j in range(2):
            entry = arb(1 if i == j else 0) - sum((inverse[i][k] * over[k][j] for k in range(2)), arb(0))
            value = value + entry * away[j]
        found.append(value)
    return found if all(v.is_finite() for v in found) else None


def _excludes_zero(jet: Any, box: list[arb]) -> bool:
    """Return whether the gradient cannot vanish in the box, by its enclosure or by the mean value form."""
    over = jet(box)
    if any(not g.contains(0) and g.is_finite() for g in over.gradient):
        return True
    middle = [arb(b.mid()) for b in box]
    at = jet(middle).gradient
    away = [x - m for x, m in zip(box, middle, strict=True)]
    for i in range(2):
        value = at[i] + over.hessian[i][0] * away[0] + over.hessian[i][1] * away[1]
        if value.is_finite() and not value.contains(0):
            return True
    return False


def _inside(inner: Sequence[arb], outer: Sequence[arb]) -> bool:
    return all(o.contains_interior(i) for i, o in zip(inner, outer, strict=True))


def _apart(a: Sequence[arb], b: Sequence[arb]) -> bool:
    return any(not x.overlaps(y) for x, y in zip(a, b, strict=True))


def _narrowed(jet: Any, box: list[arb], inside: list[arb]) -> list[arb]:
    """Return a tight enclosure of the one point in ``box`` by repeating Krawczyk's step."""
    current = inside
    for _ in range(20):
        found = _krawczyk(jet, current)
        if found is None:
            break
        smaller = [f.intersection(c) for f, c in zip(found, current, strict=True)]
        if all(float(s.rad()) > 0.5 * float(c.rad()) for s, c in zip(smaller, current, strict=True)):
            return smaller
        current = smaller
    return current


def enumerate_points(
    jet: Any, box: Box, progress: Progress, smallest: float = SMALLEST, most: int = MOST_BOXES
) -> tuple[list[_Point], list[Box], int]:
    """Return the proved points, the undecided boxes, and how many boxes were looked at."""
    domain = [_ball(low, high) for low, high in box]
    widths = [high - low for low, high in box]
    waiting: list[Box] = [list(box)]
    points: list[_Point] = []
    undecided: list[Box] = []
    looked = 0
    while waiting:
        looked += 1
        if looked > most:
            return points, undecided + waiting, looked
        if looked % 50 == 1:
            progress.update(looked, looked + len(waiting), f"{len(points)} points proved")
        cell = waiting.pop()
        balls = [_ball(low, high) for low, high in cell]
        if _excludes_zero(jet, balls):
            continue
        grown = [_ball(low - GROWN * (high - low), high + GROWN * (high - low)) for low, high in cell]
        found = _krawczyk(jet, grown)
        if found is not None and _apart(found, balls):
            continue  # every stationary point of the grown box lies in K, and K misses the box itself
        if found is not None and _inside(found, grown):
            where = _narrowed(jet, grown, found)
            if any(_inside(where, known.alone) or _inside(known.where, grown) for known in points):
                continue
            if _apart(where, domain):
                continue  # the only point of the grown box lies outside the domain
            if not all(d.contains(w) for d, w in zip(domain, where, strict=True)):
                undecided.append(cell)  # on the rim: neither inside nor outside can be proved
                continue
            points.append(_Point(where, grown))
            continue
        if max((high - low) / width for (low, high), width in zip(cell, widths, strict=True)) < smallest:
            undecided.append(cell)
            continue
        k = int(np.argmax([(high - low) / width for (low, high), width in zip(cell, widths, strict=True)]))
        low, high = cell[k]
        cut = low + 0.493 * (high - low)  # not the middle: symmetric surfaces have their points there
        waiting += [[*cell[:k], part, *cell[k + 1 :]] for part in ((low, cut), (cut, high))]
    return points, undecided, looked


def proved_index(jet: Any, where: list[arb]) -> int:
    """Return the number of negative eigenvalues over an enclosure, −1 where the balls cannot tell."""
    (a, b), (c, d) = jet(where).hessian
    determinant, trace = a * d - b * c, a + d
    if determinant < 0:
        return 1
    if determinant > 0 and trace > 0:
        return 0
    return 2 if determinant > 0 and trace < 0 else -1


@results.experiment
def stationary_points(
    surface: Surface | str = "mueller-brown",
    box: Sequence[Sequence[float]] | None = None,
    *,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Find *all* stationary points of a plane surface in a box, each with a proof that it exists and is alone.

    ``surface``: a name of ``SURFACES`` or a surface with a formula over two coordinates; ``box``: ((low, high), (low,
    high)), by default the surface's. Returns over point (by energy): ``x`` (coordinate) with ``radius``, the half width
    of the proved enclosure, ``energy`` with ``energy_radius``, the proved ``index`` and the ``eigenvalues``; ``boxes``
    looked at, ``undecided`` boxes left, and ``complete``: nothing was left, so there are no others. Raises
    ``ValueError`` for surfaces without a formula. Cost: about a second for the shipped surfaces.

    >>> from workbench import steps
    >>> found = steps.stationary_points("mueller-brown")
    >>> found.sizes["point"], int((found["index"] == 1).sum()), bool(found.complete)
    (5, 2, True)
    """
    chosen = surface_of(surface)
    if chosen.jet is None or chosen.size != 2:
        raise ValueError(
            f"the surface {chosen.name!r} has no formula over two coordinates to enclose; "
            "its saddles can be searched, but not enumerated"
        )
    limits = _box(chosen.box if box is None else box)
    before, ctx.prec = ctx.prec, BITS
    try:
        points, undecided, looked = enumerate_points(chosen.jet, limits, progress or Progress())
        rows = [_row(chosen.jet, point.where) for point in points]
    finally:
        ctx.prec = before
    rows.sort(key=lambda row: row["energy"])
    table = {name: np.array([row[name] for row in rows]) for name in (rows[0] if rows else ())}
    shapes = {"x": (0, 2), "radius": (0, 2), "eigenvalues": (0, 2)}
    names = ("x", "radius", "energy", "energy_radius", "index", "eigenvalues")
    table = {name: table.get(name, np.zeros(shapes.get(name, (0,)))) for name in names}
    length, energy = chosen.length_unit, chosen.energy_unit
    return results.dataset(
        {
            "x": (("point", "coordinate"), table["x"], "stationary point", length),
            "radius": (("point", "coordinate"), table["radius"], "half width of the proved enclosure", length),
            "energy": (("point",), table["energy"], "energy", energy),
            "energy_radius": (("point",), table["energy_radius"], "half width of the energy's enclosure", energy),
            "index": (("point",), table["index"].astype(int), "proved number of negative eigenvalues"),
            "eigenvalues": (("point", "mode"), table["eigenvalues"], "eigenvalues of the Hessian", energy),
            "boxes": ((), looked, "boxes looked at"),
            "undecided": ((), len(undecided), "boxes in which nothing could be decided"),
            "complete": ((), not undecided, "whether there are provably no other points"),
        },
        {
            "point": (("point",), np.arange(len(rows)), "stationary point, by energy"),
            "coordinate": (("coordinate",), np.arange(2), "coordinate"),
            "mode": (("mode",), np.arange(2), "mode"),
        },
    )


def _row(jet: Any, where: list[arb]) -> dict[str, Any]:
    over = jet(where)
    middle = jet([arb(w.mid()) for w in where])
    hessian = np.array([[float(v.mid()) for v in row] for row in middle.hessian])
    return {
        "x": [float(w.mid()) for w in where],
        "radius": [float(w.rad()) + 2.0**-52 * abs(float(w.mid())) for w in where],  # the midpoint is rounded too
        "energy": float(over.value.mid()),
        "energy_radius": float(over.value.rad()) + 2.0**-52 * abs(float(over.value.mid())),
        "index": proved_index(jet, where),
        "eigenvalues": np.linalg.eigvalsh(hessian),
    }


def _box(box: Any) -> Box:
    limits = checks.finite_array("box", box)
    if limits.shape != (2, 2) or not (limits[:, 0] < limits[:, 1]).all():
        raise ValueError(f"box must be ((low, high), (low, high)) with low < high, got {np.asarray(box).tolist()}")
    return [(float(low), float(high)) for low, high in limits]
