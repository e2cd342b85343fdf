"""Formulas, intervals and the games built from them."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.games import SmoothGame
from workbench.games import expressions as e
from workbench.games.certificates.intervals import Interval, IntervalFunctions

UNARY = [e.exp, e.log, e.sqrt, e.tanh, e.sigmoid, e.sin, e.cos, lambda x: x**2, lambda x: x**3, lambda x: -x]


class HighPrecision:
    """The same functions in 60 digits."""

    const = staticmethod(mpmath.mpf)
    pow = staticmethod(lambda x, n: x**n)
    exp, log, sqrt, tanh, sin, cos = (
        staticmethod(f) for f in (mpmath.exp, mpmath.log, mpmath.sqrt, mpmath.tanh, mpmath.sin, mpmath.cos)
    )
    sigmoid = staticmethod(lambda x: 1 / (1 + mpmath.exp(-x)))


@st.composite
def random_formula(draw):
    """A random formula of two variables, defined everywhere on (0, 4)^2."""
    x = e.variables(2)
    pool = [*x, e.wrap(draw(st.floats(0.1, 2)))]
    for _ in range(draw(st.integers(1, 8))):
        a, b = draw(st.sampled_from(pool)), draw(st.sampled_from(pool))
        kind = draw(st.integers(0, 6))
        if kind == 0:
            pool.append(a + b)
        elif kind == 1:
            pool.append(a - b)
        elif kind == 2:
            pool.append(a * b)
        elif kind == 3:
            pool.append(a / (1.5 + b**2))
        elif kind == 4:
            pool.append(e.log(1.0 + a**2) + e.sqrt(2.0 + e.sin(b)))
        else:
            pool.append(draw(st.sampled_from([e.tanh, e.sigmoid, e.sin, e.cos]))(a))
    return pool[-1]


@settings(deadline=None, max_examples=150)
@given(random_formula(), st.integers(0, 2**32 - 1))
def test_intervals_contain_high_precision_values(formula, seed):
    program = e.compile_program([formula, e.derivative(formula, 0), e.derivative(e.derivative(formula, 0), 1)], 2)
    rng = np.random.default_rng(seed)
    lower = rng.uniform(0.1, 3, (5, 2))
    width = 10 ** rng.uniform(-12, 0, (5, 2))
    boxes = program([Interval(lower[:, k], lower[:, k] + width[:, k]) for k in range(2)], IntervalFunctions)
    points = lower + rng.random((5, 2)) * width
    points = np.clip(points, lower, lower + width)
    with mpmath.workdps(60):
        for n in range(5):
            values = program([mpmath.mpf(float(x)) for x in points[n]], HighPrecision)
            for value, box in zip(values, boxes, strict=True):
                low, high = np.broadcast_to(box.lo, 5)[n], np.broadcast_to(box.hi, 5)[n]
                assert mpmath.mpf(float(low)) <= value <= mpmath.mpf(float(high))


@settings(deadline=None, max_examples=200)
@given(st.floats(-50, 50), st.floats(0, 20), st.floats(0, 1), st.integers(0, 9))
def test_each_function_contains(low, width, share, which):
    x = Interval(np.array([low]), np.array([low + width]))
    image = e.compile_program([UNARY[which](e.variables(1)[0])], 1)([x], IntervalFunctions)[0]
    point = min(low + share * width, low + width)
    if which in (1, 2) and point <= 0:
        return
    with mpmath.workdps(60):
        value = e.compile_program([UNARY[which](e.variables(1)[0])], 1)([mpmath.mpf(point)], HighPrecision)[0]
        assert mpmath.mpf(float(image.lo[0])) <= value <= mpmath.mpf(float(image.hi[0]))


def test_intervals_through_poles_are_unknown_not_wrong():
    whole = 1.0 / Interval(np.array([-1.0]), np.array([1.0]))
    assert np.isneginf(whole.lo[0])
    assert np.isposinf(whole.hi[0])
    assert np.isinf(IntervalFunctions.log(Interval(np.array([-1.0]), np.array([-0.5]))).hi[0])
    assert np.isneginf(IntervalFunctions.sqrt(Interval(np.array([-1.0]), np.array([1.0]))).lo[0])
    assert (np.array([2.0]) * Interval(np.array([1.0]), np.array([2.0]))).hi[0] >= 4


@settings(deadline=None, max_examples=80)
@given(random_formula(), st.floats(0.2, 3), st.floats(0.2, 3))
def test_derivatives_against_differences(formula, a, b):
    f = e.compile_program([formula], 2)
    d = e.compile_program([e.derivative(formula, 0), e.derivative(formula, 1)], 2)
    with mpmath.workdps(60):
        point = [mpmath.mpf(a), mpmath.mpf(b)]
        h = mpmath.mpf(10) ** -20
        for k, value in enumerate(d(point, HighPrecision)):
            up, down = list(point), list(point)
            up[k], down[k] = up[k] + h, down[k] - h
            slope = (f(up, HighPrecision)[0] - f(down, HighPrecision)[0]) / (2 * h)
            assert abs(slope - value) <= mpmath.mpf(10) ** -25 * (1 + abs(value))


def test_programs_share_and_substitute():
    x, y = e.variables(2)
    program = e.compile_program([x * y + x * y], 2)
    assert len(program.instructions) == 4
    replaced = program([e.wrap(2.0), x], e.FormulaFunctions)
    assert e.compile_program(replaced, 1)([3.0], e.FloatFunctions) == [12.0]
    assert e.compile_program([0.0 * x + 1.0 * y - 0.0], 2).instructions == (("var", (), 1),)


def test_bad_formulas_are_refused():
    x = e.variables(1)[0]
    with pytest.raises(ValueError, match="x_0 but there are 0"):
        e.compile_program([x], 0)
    with pytest.raises(TypeError, match="truth value"):
        bool(x)
    with pytest.raises(TypeError, match="whole number"):
        x ** "2"
    with pytest.raises(ValueError, match="finite"):
        x + float("nan")


def test_smooth_games():
    game = SmoothGame([2, 1], costs=lambda x: [x[0] ** 2 + x[0] * x[1] * x[2], x[2] ** 2 - x[0] * x[2]])
    point = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(game.field(point), [2 + 6, 3, 6 - 1])
    np.testing.assert_allclose(game.jacobian(point), [[2, 3, 2], [3, 0, 1], [-1, 0, 2]])
    assert game.jacobian(np.zeros((4, 5, 3))).shape == (4, 5, 3, 3)
    assert game.owner.tolist() == [0, 0, 1]
    with pytest.raises(ValueError, match="3 coordinates"):
        game.field([1.0])
    with pytest.raises(ValueError, match="either costs"):
        SmoothGame([1])
    with pytest.raises(ValueError, match="one coordinate a player"):
        SmoothGame([2], field=lambda x: x)
    with pytest.raises(ValueError, match="returned 1 formulas, expected 2"):
        SmoothGame([1, 1], costs=lambda x: [x[0]])
