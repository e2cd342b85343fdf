"""Entropic plans: closed forms, invariances, weak duality at every iterate, any η, the paper's method, refusals."""

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.transport import OT_SOLVERS, entropic_plan, exact_transport, transport_bounds

REGULARISED = [name for name, entry in OT_SOLVERS.items() if entry.fact("regularised")]


def circle(n):
    angles = 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@pytest.mark.parametrize("method", REGULARISED)
@pytest.mark.parametrize("eta", [0.1, 3.0, 30.0])
def test_two_by_two(method, eta):
    found = entropic_plan(cost=[[0, 1], [1, 0]], eta=eta, method=method)
    assert found.value == pytest.approx(1 / (1 + np.exp(eta)), rel=1e-13)


@pytest.mark.parametrize("method", REGULARISED)
@pytest.mark.parametrize(("n", "eta", "value"), [(8, 5, 0.0567364796354263), (50, 200, 0.00124059323676858)])
def test_a_circulant_cost(method, n, eta, value):
    assert entropic_plan(circle(n), circle(n), eta=eta, method=method).value == pytest.approx(value, abs=1e-13)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 9), st.integers(2, 9), st.floats(-1, 3), st.integers(0, 10**6))
def test_optimality_of_newton_for_any_weights(n, m, log_eta, seed):
    """The plan has its marginals and the Gibbs form; that is all that optimality asks."""
    rng = np.random.default_rng(seed)
    cost, eta = rng.random((n, m)), 10**log_eta
    a, b = rng.random(n) + 0.01, rng.random(m) + 0.01
    a, b = a / a.sum(), b / b.sum()
    found = entropic_plan(cost=cost, eta=eta, x_weights=a, y_weights=b)
    x, y = found.duals
    plan = np.exp(eta * (x[:, None] + y - cost) - 1)
    np.testing.assert_allclose(found.plan.toarray(), plan, rtol=1e-12, atol=1e-16)
    np.testing.assert_allclose(plan.sum(axis=1), a, atol=1e-12)
    np.testing.assert_allclose(plan.sum(axis=0), b, atol=1e-12)
    exact = exact_transport(cost=cost, x_weights=a, y_weights=b).value
    assert found.lower_bound - 1e-13 <= exact <= found.upper_bound + 1e-13


@pytest.mark.parametrize("method", REGULARISED)
def test_bounds_hold_at_every_iterate_and_close(method, rng):
    cost = rng.random((60, 60))
    exact = exact_transport(cost=cost).value
    found = entropic_plan(cost=cost, eta=150, method=method, steps=30_000)
    assert len(found.history["iteration"]) > 3
    assert (found.history["lower_bound"] <= exact + 1e-14).all()
    assert (found.history["upper_bound"] >= exact - 1e-14).all()
    assert (np.diff(found.history["upper_bound"] - found.history["lower_bound"]) <= 1e-15).all()
    assert found.gap < 0.5 * exact
    assert found.stats["converged"]
    f, g = found.potentials
    assert (cost - f[:, None] - g).min() > -1e-14


def test_methods_and_pot_agree(rng):
    x, y = rng.normal(size=(40, 2)), rng.normal(size=(30, 2)) + 1
    plans = [entropic_plan(x, y, epsilon=0.02, method=method, steps=20_000).plan.toarray() for method in REGULARISED]
    for plan in plans[1:]:
        np.testing.assert_allclose(plan, plans[0], atol=1e-12)
    cost = ot.dist(x, y)
    reference = ot.sinkhorn(
        np.full(40, 1 / 40), np.full(30, 1 / 30), cost, 0.02 * cost.mean(), "sinkhorn_log", 100_000, 1e-13
    )
    np.testing.assert_allclose(plans[0], reference, atol=1e-12)


def test_adding_to_rows_and_columns_shifts_the_value_only(rng):
    cost, u, v = rng.random((30, 20)), rng.normal(size=30), rng.normal(size=20)
    plain, shifted = (entropic_plan(cost=c, eta=50) for c in (cost, cost + u[:, None] + v))
    np.testing.assert_allclose(plain.plan.toarray(), shifted.plan.toarray(), atol=1e-13)
    assert shifted.value == pytest.approx(plain.value + u.mean() + v.mean(), rel=1e-11)
    moved = shifted.duals[0] - plain.duals[0] - u
    assert np.ptp(moved) < 1e-10  # unique up to a constant


def test_a_translation_adds_its_square(rng):
    x, y = rng.normal(size=(25, 3)), rng.normal(size=(30, 3))
    shift = np.array([30.0, -20.0, 10.0])
    both = [entropic_plan(x, points, eta=3) for points in (y - y.mean(axis=0) + x.mean(axis=0), y)]
    moved = y.mean(axis=0) - x.mean(axis=0)
    assert both[1].value == pytest.approx(both[0].value + moved @ moved, rel=1e-12)
    far = entropic_plan(x, y + shift, eta=3)
    cost = np.square(x[:, None] - y[None] - shift).sum(axis=2)
    np.testing.assert_allclose(np.exp(3 * (far.duals[0][:, None] + far.duals[1] - cost) - 1).sum(axis=1), 1 / 25)


@pytest.mark.parametrize("eta", [1.0, 1e3, 1e5, 1e7])
def test_newton_reaches_rounding_at_any_eta(eta, rng):
    cost = rng.random((100, 100))
    found = entropic_plan(cost=cost, eta=eta)
    assert found.stats["converged"]
    assert found.stats["marginal_error"] < max(1e-13, 1e-15 * eta)
    exact = exact_transport(cost=cost).value
    assert found.value >= exact - 1e-10
    if eta >= 1e5:
        assert found.value == pytest.approx(exact, rel=1e-3)


def test_newton_without_a_dense_factor_takes_the_same_steps(rng):
    cost = rng.random((80, 60))
    dense = entropic_plan(cost=cost, eta=1000)
    sparse = entropic_plan(cost=cost, eta=1000, dense_up_to=0)
    assert sparse.stats["cg_steps"] > 0
    np.testing.assert_allclose(sparse.plan.toarray(), dense.plan.toarray(), atol=1e-12)
    assert abs(sparse.stats["newton_steps"] - dense.stats["newton_steps"]) <= 3


def test_the_papers_method_needs_fewer_newton_steps_with_more_entries():
    cost = np.random.default_rng(0).random((200, 200))
    counts = [
        entropic_plan(cost=cost, eta=400, method="sns", density=k / 200, bounds=False).stats["newton_steps"]
        for k in (2, 20)
    ]
    assert counts[1] < counts[0]
    full = entropic_plan(cost=cost, eta=400, method="sns", density=1.0)
    assert full.stats["newton_steps"] <= counts[1] + 1
    assert full.stats["converged"]


def test_sinkhorn_survives_what_overflows(rng):
    """exp(−η C) is 0 in every entry of some rows; the log-domain start and absorption keep the iterates."""
    cost = rng.random((30, 30)) + 10 * rng.random((30, 1))
    found = entropic_plan(cost=cost, eta=2000, method="sinkhorn", steps=3000)
    assert np.isfinite(found.value)
    x, y = found.duals
    for _ in range(2):  # an iterate of Sinkhorn has exact columns
        plan = np.exp(2000 * (x[:, None] + y - cost) - 1)
        np.testing.assert_allclose(plan.sum(axis=0), 1 / 30, rtol=1e-9)


def test_atoms_without_mass(rng):
    cost = rng.random((5, 4))
    found = entropic_plan(cost=cost, eta=10, x_weights=[1, 0, 1, 1, 1], y_weights=[2, 0, 1, 1])
    plan = found.plan.toarray()
    assert not plan[1].any()
    assert not plan[:, 1].any()
    np.testing.assert_allclose(plan.sum(axis=1), [0.25, 0, 0.25, 0.25, 0.25], atol=1e-13)


def test_bounds_from_any_potentials(rng):
    x, y = rng.normal(size=(50, 2)), rng.normal(size=(40, 2)) + 3
    exact = exact_transport(x, y)
    for f, g in ((rng.normal(size=50), rng.normal(size=40)), exact.potentials):
        bounds = transport_bounds(f, g, x, y, plan=exact.plan)
        assert bounds.lower <= exact.value * (1 + 1e-14)
        assert bounds.upper == pytest.approx(exact.value, rel=1e-12)
        cost = np.square(x[:, None] - y[None]).sum(axis=2)
        assert (cost - bounds.f[:, None] - bounds.g).min() > -1e-12
        assert bounds.f.mean() + bounds.g.mean() == pytest.approx(bounds.lower, rel=1e-10)
    assert bounds.lower == pytest.approx(exact.value, rel=1e-12)
    assert transport_bounds(np.zeros(50), np.zeros(40), x, y).upper == pytest.approx(cost.mean(), rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "give one of epsilon"),
        ({"eta": 1, "epsilon": 1}, "give one of epsilon"),
        ({"eta": 0}, "eta must be greater than 0"),
        ({"eta": 1e300}, "Take exact_transport"),
        ({"eta": 1, "method": "exact"}, "call exact_transport"),
        ({"eta": 1, "method": "newtn"}, "Did you mean 'newton'"),
        ({"eta": 1, "speed": 3}, "unknown option 'speed'"),
        ({"eta": 1, "steps": 0}, "steps must be at least 1"),
        ({"eta": 1, "method": "sns", "density": 0}, "density must be greater than 0"),
        ({"eta": 1, "method": "newton", "density": 0.5}, "method 'newton' takes"),
        ({"eta": 1, "x_weights": [1, 2, 3], "y_weights": [1, 1, 1]}, "sum to 6 and y_weights to 3"),
    ],
)
def test_refusals(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        entropic_plan(cost=np.eye(3), **arguments)


def test_a_share_of_nothing_is_refused():
    with pytest.raises(ValueError, match="share of the mean cost, which is 0"):
        entropic_plan(cost=np.zeros((3, 3)), epsilon=0.1)
