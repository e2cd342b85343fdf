"""The formulas of a certificate at points of its region, by differences in extended precision: for the second engine.

What has no meaning raises :class:`Meaningless`; where rounding may have made a difference, nothing is said
(:class:`Unclear`).
"""

import itertools
import math
from functools import cache

import mpmath
import numpy as np

ROUGH = 2e-4  # relative: nearer than this a claim about finite differences is not called false
POINTS = 24
FARTHEST = 1e3


class Meaningless(Exception):
    """The document does not say anything that could be true or false."""


class Unclear(np.linalg.LinAlgError):
    """Differences that rounding may have made: nothing can be said at this point."""


def number(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Meaningless(f"{value!r} is no number")
    return mpmath.mpf(value)


def vector(values, n):
    if not isinstance(values, list) or len(values) != n:
        raise Meaningless("a vector of another length")
    return [number(v) for v in values]


def sizes_of(game):
    if not game["sizes"] or any(type(s) is not int or s < 1 for s in game["sizes"]):
        raise Meaningless("players without coordinates")
    return game["sizes"]


OPERATIONS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative,
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "tanh": np.tanh, "sin": np.sin, "cos": np.cos,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}  # fmt: skip


def evaluate(game, x):
    """The stored formulas at points x (..., d), in extended precision."""
    program, values = game["program"], []
    if type(program["inputs"]) is not int or program["inputs"] != x.shape[-1]:
        raise Meaningless("a program of other inputs")
    for operation, arguments, value in program["instructions"]:
        if any(type(k) is not int or not 0 <= k < len(values) for k in arguments):
            raise Meaningless("an operand that does not exist")
        a = [values[k] for k in arguments]
        if operation == "const":
            values.append(np.full(x.shape[:-1], np.longdouble(float(number(value)))))
        elif operation == "var":
            if type(value) is not int or not 0 <= value < x.shape[-1]:
                raise Meaningless("a coordinate that does not exist")
            values.append(x[..., value])
        elif operation == "pow":
            if type(value) is not int:
                raise Meaningless("an exponent that is no integer")
            values.append(a[0] ** np.longdouble(value))
        else:
            values.append(OPERATIONS[operation](*a))
    outputs = program["outputs"]
    if any(type(k) is not int or not 0 <= k < len(values) for k in outputs):
        raise Meaningless("an output that does not exist")
    return np.stack([values[k] for k in outputs], axis=-1)


def field_at(game, point):
    """F at a point, by central differences of the costs or as stored."""
    sizes, d = sizes_of(game), len(point)
    x = np.array(point, dtype=np.longdouble)
    with np.errstate(all="ignore"):
        if game["source"] == "field":
            return evaluate(game, x).astype(float)
        h = np.longdouble(1e-6) * np.maximum(1, np.abs(x)) * np.eye(d)
        slopes = (evaluate(game, x + h) - evaluate(game, x - h)) / (2 * np.diag(h)[:, None])
    return slopes[np.arange(d), np.repeat(np.arange(len(sizes)), sizes)].astype(float)


def blocks_at(game, point):
    """The blocks of the Jacobian at a point, by central differences in extended precision with two steps.

    Where the steps disagree, numbers that cancel are too large for differences: that is :class:`Unclear`.
    """
    near, far = (_jacobian(game, point, step) for step in (2e-5, 4e-5))
    if not np.all(np.isfinite(near)):
        raise Meaningless("a formula that is not defined on the region")
    if not np.max(np.abs(near - far)) <= 0.2 * ROUGH * np.max(np.abs(near)):
        raise Unclear("differences disagree")
    edges = np.cumsum([0, *sizes_of(game)])
    return [[near[a:b, c:e] for c, e in itertools.pairwise(edges)] for a, b in itertools.pairwise(edges)]


def _jacobian(game, point, size):
    sizes, d = sizes_of(game), len(point)
    if game["source"] not in ("costs", "field"):
        raise Meaningless("neither costs nor field")
    x = np.array(point, dtype=np.longdouble)
    with np.errstate(all="ignore"):
        step = np.longdouble(size) * np.maximum(np.minimum(1, np.abs(x)), np.longdouble(1e-2))
        e = step * np.eye(d)
        if game["source"] == "field":
            if set(sizes) != {1} or len(game["program"]["outputs"]) != d:
                raise Meaningless("a field of other players")
            return ((evaluate(game, x + e) - evaluate(game, x - e)) / (2 * step[:, None])).T.astype(float)
        if len(game["program"]["outputs"]) != len(sizes):
            raise Meaningless("costs of other players")
        shifts = [s * e[:, None, :] + t * e[None, :, :] for s, t in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
        a, b, c, f = (evaluate(game, x + shift) for shift in shifts)
        second = (a - b - c + f) / (4 * step[:, None, None] * step[None, :, None])
        owner = np.repeat(np.arange(len(sizes)), sizes)
        return np.stack([second[k, :, owner[k]] for k in range(d)]).astype(float)


def clear_blocks(game, lower, upper):
    """The blocks at those points of a region where differences say something."""
    for point in points(lower, upper):
        try:
            found = blocks_at(game, point)
        except Unclear:
            continue
        yield found


def sides(region, dimension):
    """The region's sides."""
    lower, upper = (np.array([float(x) for x in vector(region[k], dimension)]) for k in ("lower", "upper"))
    if not np.all(lower < upper):
        raise Meaningless("an empty region")
    return lower, upper


@cache
def _shares(d):
    corners = list(itertools.product((0.001, 0.999), repeat=d))[:16]
    return np.concatenate([corners, np.random.default_rng(0).random((POINTS, d))])


def points(lower, upper):
    """Corners (a little inside) and random points, except those too far out for differences in extended precision."""
    found = lower + (upper - lower) * _shares(len(lower))
    return found[np.all(np.abs(found) <= FARTHEST, axis=1)]
