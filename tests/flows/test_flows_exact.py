"""The race of solvers, the paper's table and the growth of exact transport: bounds, counts, seeds, refusals."""

import itertools

import numpy as np
import pytest

from workbench import flows, results
from workbench.flows.exact import CASES, VARIANTS


@pytest.fixture(scope="module")
def race():
    return flows.compare_solvers(n=60, log_eta=2)


def test_every_iterate_of_every_solver_proves_an_interval_around_the_optimum(race):
    results.validate(race)
    optimum = float(race.optimum)
    assert float(race.proved_bound) == pytest.approx(optimum, rel=1e-12)
    for solver in race.solver.values:
        row = race.sel(solver=solver).dropna("record", subset=["iteration"])
        assert (row.lower_bound <= optimum * (1 + 1e-13)).all()
        assert (row.upper_bound >= optimum * (1 - 1e-13)).all()
        assert np.all(np.diff(row.iteration) > 0)
    assert bool(race.converged.sel(solver="newton"))


def test_solvers_agree_where_they_converge(race):
    sns, newton = (race.value.sel(solver=name).dropna("record")[-1] for name in ("sns", "newton"))
    assert float(sns) == pytest.approx(float(newton), rel=1e-12)


def test_lines_are_the_exact_plan(race):
    plan = flows.exact_transport(race.x.values, race.y.values).plan.toarray()
    np.testing.assert_array_equal(np.argwhere(plan > 0)[:, 1], race.line_target.values)
    cost = np.square(race.x.values[race.line_source] - race.y.values[race.line_target]).sum(axis=1)
    assert float(cost @ race.line_mass.values) == pytest.approx(float(race.optimum), rel=1e-12)


def test_kept_entries_count_and_mass(race):
    assert int(race.kept_count) == 600
    assert 0 <= float(race.mass_outside) < 0.2
    total = float(race.kept_mass.sum())
    assert total + float(race.mass_outside) == pytest.approx(1, abs=1e-10)


def test_a_cost_matrix_and_weights(rng):
    cost = rng.random((20, 30))
    ds = flows.compare_solvers(None, None, cost=cost, x_weights=rng.random(20), log_eta=2)
    assert "line" not in ds.dims
    assert int(ds.is_unique) in (0, 1)
    results.validate(ds)


def test_the_same_seed_gives_the_same_result():
    first, second = (flows.compare_solvers(n=30, seed=3) for _ in range(2))
    assert first.drop_attrs().identical(second.drop_attrs())


def test_the_papers_table_in_small():
    ds = flows.sns_experiment(("random", "digits-l2"), (100.0,), n=60, repeats=2, sinkhorn_limit=5000)
    results.validate(ds)
    assert list(ds.variant.values) == list(VARIANTS)
    assert (ds.newton_steps.sel(variant="sinkhorn") == 0).all()
    assert (ds.sinkhorn_steps.sel(variant="sns 10/n, none first") == 0).all()
    assert ds.converged.sel(variant="newton").all()
    newton = ds.sel(variant="newton")
    assert (newton.excess > -1e-9).all()
    assert (newton.lower > -1e-12).all()
    agreeing = ds.excess.where(ds.converged == 1)
    assert float((agreeing - newton.excess).max()) < 1e-8
    assert ds.excess.isel(repeat=0).values.tolist() != ds.excess.isel(repeat=1).values.tolist()


def test_published_counts_are_facts_of_the_cases():
    assert CASES["random"].fact("published") == (20, 9, 56_199)


def test_growth_in_small():
    ds = flows.exact_scaling(sizes=(50, 200))
    results.validate(ds)
    assert (ds.relative_gap < 1e-11).all()
    assert (ds.share_kept.diff("size") < 0).all()
    again = flows.exact_transport(flows.cloud("torus", 200), flows.cloud("cube", 200, seed=1))
    assert float(ds.value[1]) == again.value


@pytest.mark.parametrize("seed", range(8))
def test_converged_plans_of_small_problems_lie_within_the_bound(seed):
    ds = flows.sparsity_decay(etas=(300.0, 2000.0, 1e5), densities=(1, 2), n=2 + seed % 6, steps=30, seed=seed)
    results.validate(ds)
    size = 2 + seed % 6
    cost = np.random.default_rng(seed).random((size, size))
    optimum = flows.exact_transport(cost=cost)
    others = [
        cost[np.arange(size), order].mean()
        for order in itertools.permutations(range(size))
        if not np.array_equal(order, optimum.plan.toarray().argmax(axis=1))
    ]
    assert float(ds.vertex_gap) == pytest.approx(min(others) - optimum.value, abs=1e-12)
    sharp = ds.eta * ds.vertex_gap > 1 + 2 * np.log(size)
    np.testing.assert_array_equal(np.isfinite(ds.bound), sharp)
    assert (ds.limit.max("density") <= ds.bound + 1e-13)[sharp].all()  # the marginals are right to 1e-13


def test_mass_outside_tends_to_that_of_the_converged_plan():
    ds = flows.sparsity_decay(etas=(20.0,), densities=(1, 3, 40), n=40, steps=2000, seed=1)
    assert np.isnan(ds.bound).all()
    assert np.isnan(ds.vertex_gap)
    last = ds.outside.isel(iteration=-1)
    np.testing.assert_allclose(last, ds.limit, rtol=1e-6, atol=1e-15)
    assert (ds.outside.sel(density=40) == 0).all()
    assert (ds.outside.diff("density") <= 0).all()
    plan = flows.entropic_plan(cost=np.random.default_rng(1).random((40, 40)), eta=20.0).plan.toarray()
    assert float(ds.limit.sel(density=3).isel(eta=0)) == pytest.approx(
        1 - np.sort(plan, axis=None)[-120:].sum(), rel=1e-9
    )


def test_sparsity_of_digits_and_what_is_refused():
    ds = flows.sparsity_decay("digits-l2", (50.0,), (2,), steps=20)
    assert 0 < float(ds.outside[0, 0, -1]) < 1
    for arguments, sentence in (
        ({"case": "rand"}, "Did you mean"),
        ({"etas": ()}, "at least one"),
        ({"etas": (-1,)}, "an η must be greater than 0"),
        ({"steps": 0}, "steps must be at least 1"),
    ):
        with pytest.raises(ValueError, match=sentence):
            flows.sparsity_decay(**arguments)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"x": None}, "give two clouds x and y"),
        ({"cost": np.eye(3)}, "not both"),
        ({"x": np.zeros((3001, 2)), "y": np.zeros((3, 2))}, "up to 3000"),
        ({"log_eta": 9}, "log_eta must be at most 7"),
        ({"n": 1}, "n must be at least 2"),
    ],
)
def test_refusals(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        flows.compare_solvers(**arguments)


def test_unknown_variants_are_refused():
    with pytest.raises(ValueError, match="Did you mean 'newton'"):
        flows.sns_experiment(variants=("newtn",))
