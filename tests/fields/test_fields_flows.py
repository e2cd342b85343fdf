"""Solvers have their orders, a stiff field is told, and the error budget is right where it is known."""

import math

import numpy as np
import pytest

from workbench import fields
from workbench.fields import exact_field, gaussian, integrate, standard_gaussian

ONE = standard_gaussian(1)
K = math.sqrt(2) * math.asinh(1)


class Shifted:
    """An exact field with a constant added, and its slopes."""

    def __init__(self, exact, by):
        self.exact, self.by = exact, by

    def __call__(self, x, t):
        return self.exact(x, t) + self.by

    def jacobian(self, x, t):
        return self.exact.jacobian(x, t)


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2), ("rk4", 4)])
def test_solvers_have_their_order(solver, order):
    field = exact_field(ONE, gaussian(0.0, 0.25))
    x = np.array([[1.0], [-0.7]])
    errors = [np.abs(integrate(field, x, steps, solver).end - x / 2).max() for steps in (80, 160)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


def test_adaptive_steps_keep_their_tolerance_and_every_frame():
    field = exact_field(ONE, gaussian(0.0, 0.25))
    found = integrate(field, [[1.0]], solver="adaptive", tolerance=1e-9, frames=7)
    assert found.end[0, 0] == pytest.approx(0.5, abs=1e-8)
    assert found.note == ""
    assert found.path.shape == (7, 1, 1)
    for t, x in zip(found.times, found.path[:, 0, 0], strict=True):
        assert x == pytest.approx(math.sqrt((1 - t) ** 2 + 0.25 * t**2), abs=1e-7)


def test_adaptive_steps_that_underflow_are_told_and_replaced():
    stiff = integrate(lambda x, t: -np.sign(x - 0.3) * 1e8, [[1.0]], solver="adaptive", end=1.0)
    assert "fixed steps of order 4 were taken" in stiff.note
    assert np.isfinite(stiff.end).all()


def test_integration_refuses_in_words():
    for arguments, words in (
        ({"steps": 0}, "at least 1"),
        ({"end": 0.0}, "after its start"),
        ({"solver": "rk5"}, "rk4"),
    ):
        with pytest.raises(ValueError, match=words):
            integrate(lambda x, t: x, [[1.0]], **arguments)
    with pytest.raises(ValueError, match="leaves the numbers"), np.errstate(over="ignore", invalid="ignore"):
        integrate(lambda x, t: x**3 * 1e6, [[1.0]], 20, "euler")


def test_a_shifted_field_errs_by_what_is_known():
    """N(0, 1) to itself, v̂ = v* + b: both flows end bK apart, K = √2 asinh 1, and the one-sided bound is sharp."""
    exact, b = exact_field(ONE, ONE), 0.1
    ds = fields.error_budget(Shifted(exact, b), ONE, ONE, until=1.0, paths=100)
    assert float(ds.whole) == pytest.approx(b, rel=1e-12)
    assert float(ds.coupled) == pytest.approx(b * K, rel=1e-7)
    assert 10 ** float(ds.one_sided) == pytest.approx(b * K, rel=5e-3)  # 24 nodes with half steps at their ends
    assert float(ds.coupled_error) < 1e-8
    classical = 0.5 * (1 + 2 * float(ds.lipschitz) + math.log(b * b)) / math.log(10)
    assert float(ds.classical) == pytest.approx(classical, rel=1e-12)
    assert float(ds.classical) > float(ds.one_sided)


def test_solver_and_field_parts_stand_apart():
    truth = exact_field(ONE, gaussian(0.0, 0.25))
    ds = fields.error_budget(truth, ONE, gaussian(0.0, 0.25), until=1.0, solver="heun", steps=20, paths=200)
    assert float(ds.coupled) == 0.0
    assert float(ds.order) == pytest.approx(2, abs=0.2)
    assert float(ds.total) == pytest.approx(float(ds.integration), rel=1e-6)
    assert np.isneginf(float(ds.classical))


def test_the_memorisers_error_is_all_estimation():
    points = fields.LAWS["two-blobs"]().sample(40, 0)
    memory = exact_field(standard_gaussian(2), points)
    ds = fields.error_budget(memory, standard_gaussian(2), "two-blobs", points=points, paths=200)
    assert float(ds.approximation) == 0.0
    assert float(ds.estimation) == pytest.approx(float(ds.whole), rel=1e-12)
    assert float(ds.coupled) < float(ds.total) + 0.1


@pytest.mark.parametrize(
    ("field", "arguments", "words"),
    [
        ("no field", {}, "must be a callable"),
        (lambda x, t: x[:, :0], {}, "must return velocities"),
        (lambda x, t: x, {"until": 1.2}, "until must be at most 1"),
        (lambda x, t: x, {"paths": 5}, "at least 100"),
    ],
)
def test_a_budget_refuses_in_words(field, arguments, words):
    with pytest.raises((ValueError, TypeError), match=words):
        fields.error_budget(field, ONE, ONE, **arguments)
