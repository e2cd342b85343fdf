"""Exact transport with its proof: enumeration, POT, SciPy, published values, bounds, uniqueness, memory, refusals."""

import itertools
import subprocess
import sys

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from workbench import flows
from workbench.clouds import cloud
from workbench.progress import Cancelled, Progress
from workbench.transport.assignment import exact_transport
from workbench.transport.exact import SPARSE_ABOVE, dense_wasserstein, sparse_above, wasserstein
from workbench.transport.measures import prepare_pair
from workbench.transport.pricing import PointCosts, kd_order


def check(found, x, y, a=None, b=None, *, gap=1e-10):
    """The one checker: marginals, feasibility of the potentials by hand, both bounds, complementary slackness."""
    n, m = len(x), len(y)
    a = np.full(n, 1 / n) if a is None else a / np.sum(a)
    b = np.full(m, 1 / m) if b is None else b / np.sum(b)
    cost = np.square(x[:, None] - y[None]).sum(axis=2)
    size = max(cost.max(), 1e-300)
    plan = found.plan.toarray()
    assert plan.min() >= 0
    np.testing.assert_allclose(plan.sum(axis=1), a, atol=1e-13)
    np.testing.assert_allclose(plan.sum(axis=0), b, atol=1e-13)
    assert np.count_nonzero(plan) <= n + m - 1
    f, g = found.potentials
    assert (cost - f[:, None] - g[None]).min() >= -1e-13 * size
    assert (plan * cost).sum() == pytest.approx(found.value, rel=1e-12, abs=1e-14 * size)
    with_mass = (a > 0, b > 0)
    dual = a[with_mass[0]] @ f[with_mass[0]] + b[with_mass[1]] @ g[with_mass[1]]
    assert dual == pytest.approx(found.lower_bound, rel=1e-10, abs=1e-12 * size)
    assert found.lower_bound <= found.value
    assert found.gap <= gap * max(found.value, 1e-3 * size)


@pytest.mark.parametrize(("n", "value"), [(1000, 0.23980739741798593), (3000, 0.22999149352925377)])
def test_known_values(n, value):
    found = exact_transport(cloud("torus", n), cloud("cube", n, seed=1))
    assert found.value == pytest.approx(value, rel=1e-14)
    assert found.relative_gap < 2e-13
    assert found.unique
    assert found.stats["rounds"] >= 1


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 3), st.booleans(), st.integers(0, 10**6))
def test_any_sizes_and_weights_against_pot(n, m, dim, has_ties, seed):
    rng = np.random.default_rng(seed)
    x, y = (rng.integers(0, 3, (k, dim)).astype(float) if has_ties else rng.normal(size=(k, dim)) for k in (n, m))
    a, b = rng.random(n) + 0.01, rng.random(m) + 0.01
    a[rng.random(n) < 0.2], b[rng.random(m) < 0.2] = 0, 0
    a[0], b[0] = 1, 1
    a, b = a / a.sum(), b / b.sum()
    found = exact_transport(x, y, a, b)
    check(found, x, y, a, b)
    assert found.value == pytest.approx(ot.emd2(a, b, ot.dist(x, y)), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("dim", [1, 2, 3, 10])
@pytest.mark.parametrize("sizes", [(900, 900), (1200, 500), (300, 1300)])
def test_larger_problems_against_pot(dim, sizes, rng):
    x, y = rng.normal(size=(sizes[0], dim)), rng.normal(size=(sizes[1], dim)) + 0.3
    found = exact_transport(x, y)
    check(found, x, y)
    n, m = sizes
    reference = ot.emd2(np.full(n, 1 / n), np.full(m, 1 / m), ot.dist(x, y), numItermax=10**7)
    assert found.value == pytest.approx(reference, rel=1e-11)


def test_weights_over_many_decades(rng):
    x, y = rng.normal(size=(2, 500, 2))
    a, b = np.exp(5 * rng.normal(size=(2, 500)))
    check(exact_transport(x, y, a / a.sum(), b / b.sum()), x, y, a, b)


@pytest.mark.parametrize("scale", [1e-100, 1e-9, 1e9, 1e140])
def test_units_do_not_matter(scale, rng):
    """POT's dense solver fails here: its tolerance is absolute."""
    x, y = rng.normal(size=(2, 200, 3))
    found = exact_transport(scale * x, scale * y)
    assert found.value == pytest.approx(scale**2 * exact_transport(x, y).value, rel=1e-12)
    assert wasserstein(scale * x, scale * y) == pytest.approx(found.value, rel=1e-12)


def test_one_dimension_is_sorting(rng):
    x, y = rng.normal(size=(2, 1500, 1))
    expected = np.mean((np.sort(x[:, 0]) - np.sort(y[:, 0])) ** 2)
    assert exact_transport(x, y).value == pytest.approx(expected, rel=1e-13)


def test_a_translated_lattice():
    lattice = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), axis=-1).reshape(-1, 2)
    found = exact_transport(lattice, lattice + np.array([0.25, -0.125]))
    assert found.value == pytest.approx(0.25**2 + 0.125**2, rel=1e-12)
    np.testing.assert_array_equal(found.plan.toarray() > 0, np.eye(400, dtype=bool))


def test_one_place_and_all_the_same(rng):
    same = exact_transport(np.ones((50, 2)), np.ones((40, 2)))
    assert same.value == 0
    assert same.unique is False
    single = exact_transport(rng.normal(size=(1, 3)), rng.normal(size=(700, 3)))
    assert single.unique
    assert single.plan.nnz == 700


def test_far_from_the_origin(rng):
    x, y = rng.normal(size=(2, 80, 2))
    found = exact_transport(x + 1000, y + 1000)
    check(found, x + 1000, y + 1000, gap=1e-9)


def test_a_cost_matrix_against_scipy(rng):
    for cost in (rng.random((120, 120)), -rng.random((60, 60)), rng.integers(0, 4, (50, 50)).astype(float)):
        rows, columns = linear_sum_assignment(cost)
        found = exact_transport(cost=cost)
        assert found.value == pytest.approx(cost[rows, columns].mean(), rel=1e-13)
        assert found.gap <= 1e-12 * np.abs(cost).max()
        f, g = found.potentials
        assert (cost - f[:, None] - g[None]).min() >= -1e-13


def test_a_cost_that_is_the_same_everywhere():
    found = exact_transport(cost=np.ones((200, 200)))
    assert found.value == pytest.approx(1, rel=1e-14)
    assert found.unique is False


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 5), st.integers(0, 10**6))
def test_uniqueness_and_support_against_enumeration(n, seed):
    cost = np.random.default_rng(seed).integers(0, 3, (n, n)).astype(float)
    best, support = np.inf, np.zeros((n, n), bool)
    optimal = []
    for order in itertools.permutations(range(n)):
        total = cost[np.arange(n), order].sum()
        if total < best:
            best, optimal = total, []
        if total == best:
            optimal.append(order)
    for order in optimal:
        support[np.arange(n), order] = True
    found = exact_transport(cost=cost)
    assert found.unique == (len(optimal) == 1)
    np.testing.assert_array_equal(found.support.toarray() > 0, support)


def test_tight_pairs_alone_do_not_tell_the_support():
    """C = [[0, 1], [1, 0]] has duals with four tight pairs, and one optimal plan."""
    found = exact_transport(cost=[[0.0, 1.0], [1.0, 0.0]])
    assert found.unique
    np.testing.assert_array_equal(found.support.toarray(), np.eye(2))


def test_atoms_without_mass_come_back(rng):
    x, y = rng.normal(size=(6, 2)), rng.normal(size=(4, 2))
    found = exact_transport(x, y, [1, 0, 1, 1, 0, 1], [1, 1, 0, 2])
    assert found.plan.shape == (6, 4)
    np.testing.assert_array_equal(np.flatnonzero(found.plan.sum(axis=1)), [0, 2, 3, 5])
    check(found, x, y, np.array([1, 0, 1, 1, 0, 1]), np.array([1, 1, 0, 2]))
    cost = rng.random((3, 4)) - 0.5
    f, g = exact_transport(cost=cost, x_weights=[1, 0, 1], y_weights=[0, 1, 1, 0]).potentials
    assert (cost - f[:, None] - g).min() > -1e-15
    assert f[[0, 2]].mean() + g[1:3].mean() == pytest.approx(min(cost[0, 1] + cost[2, 2], cost[0, 2] + cost[2, 1]) / 2)


def test_pricing_agrees_with_looking_at_every_pair(rng):
    x, y = rng.normal(size=(700, 3)), rng.normal(size=(500, 3))
    x, y = x[kd_order(x)], y[kd_order(y)]
    f, g = rng.normal(size=700), rng.normal(size=500)
    reduced = np.square(x[:, None] - y[None]).sum(axis=2) - f[:, None] - g
    for threshold in (np.inf, -1.0):
        found = PointCosts(x, y).smallest(f, g, 3, threshold, Progress())
        expected = np.minimum(np.sort(reduced, axis=1)[:, :3], threshold)
        np.testing.assert_allclose(found.reduced, expected, atol=1e-12)
        there = found.columns >= 0
        np.testing.assert_array_equal(there, expected < threshold)
        rows, places = np.nonzero(there)
        np.testing.assert_allclose(reduced[rows, found.columns[rows, places]], found.reduced[there], atol=1e-12)


def test_neighbours_in_kd_order_are_close(rng):
    x = rng.random((1000, 2))
    order = kd_order(x)
    np.testing.assert_array_equal(np.sort(order), np.arange(1000))
    spread = [np.ptp(x[order[k : k + 4]], axis=0).max() for k in range(0, 1000, 4)]
    assert np.mean(spread) < 0.1


def test_the_room_uses_it_past_the_size_where_it_wins(monkeypatch, rng):
    n = int(SPARSE_ABOVE**0.5) + 1
    x, y = rng.normal(size=(2, n, 3))
    monkeypatch.setattr(ot, "emd2", None)
    assert flows.wasserstein(x, y) == pytest.approx(exact_transport(x, y).value, rel=1e-15)
    assert flows.wasserstein(x, y, np.full(n, 3.0), np.ones(n)) == pytest.approx(flows.wasserstein(x, y), rel=1e-12)


class StopsAtOnce(Progress):
    """Somebody who cancels at the first report."""

    def show(self, done, total, message):
        self.cancel()


def test_it_can_be_cancelled(rng):
    with pytest.raises(Cancelled):
        exact_transport(rng.normal(size=(500, 3)), rng.normal(size=(500, 3)), progress=StopsAtOnce())


MEMORY = """
from pathlib import Path
from workbench.clouds import cloud
from workbench.transport.assignment import exact_transport

def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024

exact_transport(cloud("torus", 700), cloud("cube", 700, seed=1))
x, y = cloud("torus", 8000), cloud("cube", 8000, seed=1)
before = status("VmRSS")
exact_transport(x, y)
print(status("VmHWM") - before)
"""


def test_memory_is_that_of_the_points():
    """The matrix of costs would take 490 MB."""
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 60


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"x": np.eye(3), "y": np.eye(2)}, "3 dimensions and y in 2"),
        ({"x": np.eye(3)}, "give either two clouds"),
        ({}, "give either two clouds"),
        ({"x": np.eye(3), "y": np.eye(3), "cost": np.eye(3)}, "not both"),
        ({"cost": [[np.nan, 1.0]]}, "NaN or infinite"),
        ({"cost": [[1e200, 1.0]]}, "at most 1e150"),
        ({"cost": np.eye(3), "x_weights": [1, 1]}, "x_weights has 2 entries for 3 points"),
        ({"x": np.eye(3), "y": np.eye(3), "x_weights": [1, 1, 1], "y_weights": [1, 1, 0]}, "sum to 3 and .* to 2"),
        ({"x": np.eye(2), "y": np.eye(2), "x_weights": [1, -1]}, "negative"),
    ],
)
def test_refusals(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        exact_transport(**arguments)


@pytest.mark.parametrize(("dim", "n"), [(12, 601), (13, 601), (21, 801)])
def test_the_switch_by_axes_changes_no_value(dim, n, rng):
    x, y = rng.normal(size=(n, dim)), rng.normal(size=(n, dim)) + 0.3
    is_sparse = n * n > sparse_above(dim)
    assert is_sparse is (dim == 12)
    other = dense_wasserstein(*prepare_pair(x, y, dtype=np.float64)) if is_sparse else exact_transport(x, y).value
    assert wasserstein(x, y) == pytest.approx(other, rel=1e-12)
