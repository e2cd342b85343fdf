"""A game given by formulas: exact second derivatives, rigorous on boxes, stored inside its own certificate."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.games.certificates.intervals import Interval, IntervalFunctions
from workbench.games.expressions import (
    Expression,
    FloatFunctions,
    FormulaFunctions,
    Program,
    compile_program,
    derivative,
    variables,
    wrap,
)

Formulas = Callable[[list[Expression]], Sequence[Any]]


class SmoothGame:
    """N players minimise formulas f_i(x); player i owns ``sizes[i]`` consecutive coordinates of x in R^d.

    Parameters
    ----------
    sizes : coordinates of each player, positive, summing to d
    costs : function from the list of d coordinates to the N costs; or give ``field`` instead
    field : function from the coordinates to the d components of F, for dynamics that are not a cost's gradient; only
        with one coordinate a player (an own block that is no Hessian need not be symmetric)
    name, labels : what people read

    Example
    -------
    >>> toy = SmoothGame([1, 1], costs=lambda x: [x[0]**2 / 2 + 10 * x[0] * x[1], x[1]**2 / 2 + 0.05 * x[0] * x[1]])
    >>> toy.jacobian([0.0, 0.0]).tolist()
    [[1.0, 10.0], [0.05, 1.0]]
    """

    def __init__(
        self, sizes: Sequence[int], *, costs: Formulas | None = None, field: Formulas | None = None, name: str = "game"
    ) -> None:
        self.sizes = tuple(checks.integer("a player's number of coordinates", s, minimum=1) for s in sizes)
        self.name = name
        if (costs is None) == (field is None):
            raise ValueError("give either costs (one formula a player) or field (one formula a coordinate), not both")
        if field is not None and set(self.sizes) != {1}:
            raise ValueError(
                "a game given by its field needs one coordinate a player; give costs, or split the players"
            )
        x = variables(self.dimension)
        given = [wrap(f) for f in (costs or field)(x)]  # type: ignore[misc]
        wanted = self.players if costs else self.dimension
        if len(given) != wanted:
            raise ValueError(f"{'costs' if costs else 'field'} returned {len(given)} formulas, expected {wanted}")
        self.source = "costs" if costs else "field"
        self.given = compile_program(given, self.dimension)
        self._field = given if field else [derivative(given[i], k) for k, i in enumerate(self.owner)]

    @property
    def players(self) -> int:
        """Number of players."""
        return len(self.sizes)

    @property
    def dimension(self) -> int:
        """Number of coordinates d."""
        return sum(self.sizes)

    @property
    def owner(self) -> NDArray:
        """(d,) the player that owns each coordinate."""
        return np.repeat(np.arange(self.players), self.sizes)

    @cached_property
    def field_program(self) -> Program:
        """Straight-line code for F."""
        return compile_program(self._field, self.dimension)

    @cached_property
    def jacobian_program(self) -> Program:
        """Straight-line code for the d*d entries of J, row by row; an own Hessian is stored once, symmetric."""
        d, owner = self.dimension, self.owner
        memos: list[dict[int, Expression]] = [{} for _ in range(d)]
        rows = [[derivative(f, k, memos[k]) for k in range(d)] for f in self._field]
        for a in range(d):
            for b in range(a):
                if owner[a] == owner[b]:
                    rows[a][b] = rows[b][a]
        return compile_program([entry for row in rows for entry in row], d)

    def field(self, x: ArrayLike) -> NDArray:
        """Return F(x), (..., d) for x (..., d)."""
        points = self._points(x)
        values = self.field_program(list(np.moveaxis(points, -1, 0)), FloatFunctions)
        return _stack(values, points.shape[:-1])

    def jacobian(self, x: ArrayLike) -> NDArray:
        """Return J(x), (..., d, d) for x (..., d)."""
        points = self._points(x)
        values = self.jacobian_program(list(np.moveaxis(points, -1, 0)), FloatFunctions)
        return _stack(values, points.shape[:-1]).reshape(*points.shape[:-1], self.dimension, self.dimension)

    def field_on(self, lower: NDArray, upper: NDArray) -> Interval:
        """Return an enclosure of F, (n, d), over n boxes with sides (n, d)."""
        return self._enclose(self.field_program, lower, upper, (self.dimension,))

    def jacobian_on(self, lower: NDArray, upper: NDArray) -> Interval:
        """Return an enclosure of J, (n, d, d), over n boxes with sides (n, d)."""
        return self._enclose(self.jacobian_program, lower, upper, (self.dimension, self.dimension))

    def _enclose(self, program: Program, lower: NDArray, upper: NDArray, shape: tuple[int, ...]) -> Interval:
        values = program([Interval(a, b) for a, b in zip(lower.T, upper.T, strict=True)], IntervalFunctions)
        n = len(lower)
        low = np.stack([np.broadcast_to(v.lo, n) for v in values], axis=-1)
        high = np.stack([np.broadcast_to(v.hi, n) for v in values], axis=-1)
        return Interval(low.reshape(n, *shape), high.reshape(n, *shape))

    def _points(self, x: ArrayLike) -> NDArray:
        points = np.asarray(x, dtype=np.float64)
        if points.ndim == 0 or points.shape[-1] != self.dimension:
            raise ValueError(f"a point of this game has {self.dimension} coordinates, got shape {points.shape}")
        return points

    def scaled(self, factor: float) -> "SmoothGame":
        """Return the same game in other units of cost: all formulas times ``factor`` > 0.

        >>> game = SmoothGame([1, 1], costs=lambda x: [x[0] ** 2 + x[0] * x[1], x[1] ** 2])
        >>> game.scaled(0.5).jacobian([0.0, 0.0]).tolist()
        [[1.0, 0.5], [0.0, 1.0]]
        """
        c = checks.real("factor", factor, exclusive_minimum=0)
        formulas = {self.source: lambda x: [c * f for f in self.given(x, FormulaFunctions)]}
        return SmoothGame(self.sizes, name=self.name, **formulas)

    def payload(self) -> dict[str, Any]:
        """Return the game itself as JSON-ready data, for the certificate."""
        return {"type": "smooth", "sizes": list(self.sizes), "source": self.source, "program": self.given.payload()}

    def describe(self) -> dict[str, Any]:
        """Return what names this game in a result's provenance."""
        return {"type": "SmoothGame", "name": self.name, "sizes": list(self.sizes)}


def _stack(values: list[Any], shape: tuple[int, ...]) -> NDArray:
    return np.stack([np.broadcast_to(np.asarray(v, dtype=np.float64), shape) for v in values], axis=-1)
