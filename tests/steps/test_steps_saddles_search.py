"""Whole searches: proved saddles are reached, failures are said, and nothing converges to the wrong kind of point."""

import numpy as np
import pytest
from scipy import stats

from workbench import costs, data, results, steps
from workbench.progress import Cancelled, Progress
from workbench.steps.saddles import released
from workbench.steps.saddles.dimer import Dimer
from workbench.steps.saddles.experiments import proved_saddles, random_start, which_saddle
from workbench.steps.saddles.methods import Options, Trust, bofill, oscillates
from workbench.steps.saddles.modes import difference_spectrum, spectrum
from workbench.steps.saddles.statistics import (
    bootstrap_ratio,
    calls_curve,
    calls_per_success,
    mcnemar,
    median_calls,
    success_rate,
)

PLAIN = ("dimer", "eigenvector-following")


@pytest.mark.parametrize("method", steps.SADDLE_METHODS)
@pytest.mark.parametrize(("surface", "start"), [("mueller-brown", (-0.9, 0.75)), ("leps", (1.3, 0.85))])
def test_every_method_reaches_a_proved_saddle(method, surface, start):
    found = steps.saddle(surface, start, method, seed=1, axis=(0.6, -0.8))
    assert found.is_saddle
    assert which_saddle(found.surface, found.x) >= 0
    assert found.calls == found.oracle.calls == found.history.sizes["call"]
    assert found.check_calls == 1 + 2 * 2
    assert np.abs(found.surface(found.x)[1]).max() < found.surface.tolerance


def test_the_surrogate_needs_fewer_calls_than_the_dimer():
    rng = np.random.default_rng(3)
    surface = steps.SURFACES["leps"]()
    ratios = []
    for stream in rng.spawn(4):
        start, axis = random_start(surface, stream)
        pair = [steps.saddle(surface, start, m, axis=axis) for m in ("gp", "dimer")]
        if all(p.is_saddle for p in pair):
            ratios.append(pair[0].calls / pair[1].calls)
    assert len(ratios) >= 2
    assert np.mean(ratios) < 0.6


def test_a_minimum_is_no_success():
    """At a minimum the gradient vanishes at once; the index says what it is."""
    found = steps.saddle("mueller-brown", (-0.5582236346330243, 1.441725841804669))
    assert found.converged
    assert found.index == 0
    assert not found.is_saddle
    assert "0 negative" in found.reason
    with pytest.raises(ValueError, match="only a first-order saddle"):
        steps.neighbours(found)


def test_both_sides_of_a_saddle_are_the_minima_it_joins():
    found = steps.saddle("mueller-brown", (-0.85, 0.6), "eigenvector-following")
    ends = sorted(steps.neighbours(found), key=lambda x: x[0])
    assert np.allclose(ends[0], (-0.558, 1.442), atol=0.02)
    assert np.allclose(ends[1], (-0.050, 0.467), atol=0.05)


def test_a_search_that_fails_says_why_and_keeps_its_best_point():
    found = steps.saddle("mueller-brown", (0.9, 1.9), "dimer")
    assert not found.converged
    assert found.index == -1
    assert "left the surface's box" in found.reason
    short = steps.saddle("mueller-brown", (-0.9, 0.9), "dimer", most_calls=5)
    assert short.calls == 5
    assert "5 calls are used up" in short.reason
    gradients = [np.abs(g).max() for g in short.oracle.gradients]
    assert np.allclose(short.x, short.oracle.x[int(np.argmin(gradients))])


def test_an_engine_that_fails_does_not_end_in_its_own_exception():
    calls = []

    def evaluate(x):
        calls.append(x)
        if len(calls) > 3:
            raise RuntimeError("SCF not converged")
        return float(x @ x), 2 * x

    broken = steps.Surface("broken", evaluate, np.array([1.0, 1.0]))
    found = steps.saddle(broken)
    assert not found.converged
    assert "SCF not converged" in found.reason


def test_same_seed_same_search():
    one, other = (steps.saddle("mueller-brown", seed=5, most_calls=12) for _ in range(2))
    assert np.array_equal(one.history.x, other.history.x)


def test_bad_arguments_are_refused_before_any_call():
    def evaluate(x):
        raise AssertionError("called")

    surface = steps.Surface("silent", evaluate, np.zeros(2))
    for options, words in (
        ({"axis": (0, 0)}, "axis is zero"),
        ({"axis": (1, 0, 0)}, "must hold 2"),
        ({"threshold": 0}, "threshold must be greater"),
        ({"threshold": "addaptive"}, "adaptive"),
        ({"trust": "nearest"}, "unknown distance"),
        ({"subset": 1}, "subset must be at least 3"),
        ({"most_calls": 10**9}, "must be at most"),
        ({"method": "dimmer"}, "Did you mean 'dimer'"),
        ({"start": (np.nan, 0)}, "NaN"),
        ({"tolerance": -1}, "tolerance"),
    ):
        with pytest.raises(ValueError, match=words):
            steps.saddle(surface, **options)


def test_a_search_can_be_cancelled():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        steps.saddle("mueller-brown", progress=progress)


def test_a_cluster_leads_to_a_first_order_saddle():
    surface = steps.SURFACES["lennard-jones"](7)
    start, axis = random_start(surface, np.random.default_rng(1))
    found = steps.saddle(surface, start, "dimer", axis=axis)
    assert found.is_saddle
    assert -16.5 < found.energy < -14.5
    exact = spectrum(surface.hessian(found.x), found.x, surface.species)
    assert np.allclose(exact.values, found.eigenvalues, atol=1e-3 * np.abs(exact.values).max())


def test_differences_give_the_spectrum(rng):
    surface = steps.SURFACES["lennard-jones"](5)
    x = surface.start + 0.02 * rng.normal(size=15)
    exact = spectrum(surface.hessian(x), x, surface.species).values
    measured = difference_spectrum(lambda x: surface(x)[1], x, surface.species).values
    assert np.allclose(measured, exact, rtol=1e-3, atol=1e-2)


def test_the_dimer_turns_to_the_lowest_mode():
    """Of a quadratic form the rotations must find the lowest eigenvector."""
    hessian = np.diag([5.0, -2.0, 9.0, 3.0])
    state = Dimer(np.array([1.0, 0.2, 0.7, -0.4]), None, lambda x: hessian @ x, 0.1)
    for _ in range(10):
        state.rotate(np.zeros(4), np.zeros(4))
    assert abs(state.axis[1]) > 0.99
    assert state.curvature == pytest.approx(-2, abs=0.1)


def test_bofill_keeps_the_secant_condition(rng):
    hessian = rng.normal(size=(4, 4))
    hessian += hessian.T
    step, change = rng.normal(size=(2, 4))
    updated = bofill(hessian, step, change)
    assert np.allclose(updated @ step, change)
    assert np.allclose(updated, updated.T)


@pytest.mark.parametrize("kind", ["assignment", "assignment-max", "sorted-pairs", "greedy"])
def test_trust_is_the_distance_whatever_the_shortcut(kind, rng):
    species = "HHHCCO"
    trust = Trust(species, Options(trust=kind))
    data = rng.normal(size=(4, 18))
    for _ in range(50):
        x = data[0] + 0.4 * rng.normal(size=18)
        exact = min(steps.configuration_distance(x.reshape(-1, 3), row.reshape(-1, 3), species, kind) for row in data)
        for threshold in (0.5 * exact, 1.001 * exact):
            assert trust.within(x, data, threshold) == (exact <= threshold)


def test_the_trust_radius_grows_with_the_data():
    trust = Trust("H" * 13, Options())
    assert trust.threshold(0) == pytest.approx(0.15)
    assert trust.threshold(50) == pytest.approx(0.325)
    assert trust.threshold(10**6) == pytest.approx(1.3 / 13**0.5)


def test_only_a_subset_that_swings_grows():
    swinging = [np.array([(-1.0) ** k, (-1.0) ** k]) for k in range(6)]
    assert oscillates(swinging)
    assert not oscillates(swinging[:4])
    assert not oscillates([np.array([0.1 * k, 0.2 * k]) for k in range(6)])


def test_statistics_against_scipy():
    assert success_rate(469, 500) == pytest.approx((0.938, 0.9132, 0.9575), abs=5e-4)
    assert success_rate(4, 4, kind="wilson").low == pytest.approx(0.51, abs=0.005)
    assert mcnemar(16, 27) == pytest.approx(stats.binomtest(16, 43).pvalue)
    assert mcnemar(0, 0) == 1
    assert calls_curve([5, 9], [False, False], [10.0]).tolist() == [0.0]
    # a failure after 2 calls leaves the risk set early: the rest share its weight
    assert calls_curve([2, 4, 6], [False, True, True], [4.0]).tolist() == [0.5]
    assert median_calls([3, 5, 100, 100], [True, True, False, False]) == 5
    assert median_calls([3, 100, 100], [True, False, False]) == np.inf
    value, low, high = bootstrap_ratio(np.exp([0.1, -0.2, 0.4, 0.0]), np.ones(4))
    assert low < value < high


def test_failures_are_paid_for():
    value, low, high = calls_per_success([10.0, 10.0, 40.0, 100.0], [True, True, True, False])
    assert value == pytest.approx(160 / 3)
    assert low < value < high
    exact = calls_per_success([7.0] * 30, [True] * 30)
    assert exact == (7.0, 7.0, 7.0)
    assert calls_per_success([5.0, 5.0], [False, False]) == (np.inf, np.inf, np.inf)
    with pytest.raises(ValueError, match="one length"):
        calls_per_success([1.0], [True, False])


def test_the_interval_of_calls_per_success_is_what_scipy_finds(rng):
    calls = rng.integers(5, 100, 40).astype(float)
    good = rng.random(40) < 0.8
    found = stats.bootstrap(
        (calls, good.astype(float)),
        lambda c, g, axis: c.sum(axis) / g.sum(axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=9999,
        rng=np.random.default_rng(1),
    ).confidence_interval
    _, low, high = calls_per_success(calls, good, draws=9999)
    assert (low, high) == pytest.approx(tuple(found), rel=0.02)


def test_released_failures_are_reactions_of_the_tables():
    """The totals, the pairs and the number where all three succeed, as handed down with the tables."""
    for of_spin in released.FAILED.values():
        for spin, numbers in of_spin.items():
            assert list(numbers) == sorted(set(numbers))
            assert max(numbers) < released.REACTIONS[spin]
    good = {method: released.succeeded(method) for method in released.FAILED}
    assert {method: row.sum() for method, row in good.items()} == {"surrogate": 469, "predecessor": 480, "dimer": 484}
    assert (good["surrogate"] & good["predecessor"] & good["dimer"]).sum() == 441
    assert released.pairs("surrogate", "predecessor") == (16, 27)
    assert released.pairs("surrogate", "dimer") == (14, 29)


@pytest.mark.parametrize("name", ["mueller-brown", "leps"])
def test_shipped_proofs_are_found_again(name):
    shipped, fresh = data.result(f"steps/stationary_{name}.nc"), steps.stationary_points(name)
    assert bool(shipped.complete)
    for variable in fresh.data_vars:
        assert np.allclose(shipped[variable], fresh[variable], atol=1e-12, rtol=1e-12)


def test_a_slow_rival_lets_the_search_be_seen_first():
    class Watching(Progress):
        parts: list

        def publish(self, result):
            self.parts.append(result)

    for rival, count in (("gp-all", 1), ("dimer", 0)):
        watching = Watching()
        watching.parts = []
        ds = steps.saddle_search(start=[-0.9, 0.75], rival=rival, progress=watching)
        assert len(watching.parts) == count
        for part in watching.parts:
            assert results.missing(part) == "the rival"
            assert part.x.equals(ds.x)
            assert np.isnan(part.rival_calls)
        assert results.missing(ds) == ""


def test_a_search_is_a_result_that_survives_a_file(tmp_path):
    ds = steps.saddle_search(start=[-0.9, 0.75])
    assert bool(ds.is_saddle)
    assert int(ds.saddle) >= 0
    assert np.allclose(ds.stationary.values[ds.stationary_index.values == 1], proved_saddles("mueller-brown"))
    again = results.open(results.save(ds, tmp_path / "search.nc"))
    assert again.identical(ds)
    calls = int(ds.calls)
    assert ds.x.shape == (calls, 2)
    assert np.isnan(ds.threshold[0])
    failed = steps.saddle_search(start=[0.9, 1.9], method="dimer")
    assert not bool(failed.is_saddle)
    results.open(results.save(failed, tmp_path / "failed.nc"))
    plain = {"method": "eigenvector-following", "rival": "dimer"}
    cluster = steps.saddle_search("lennard-jones", "kick", **plain, most_calls=200)
    assert cluster.x.shape[1] == 21
    with pytest.raises(ValueError, match="kick"):
        steps.saddle_search(start="kik")


def test_a_table_counts_what_its_searches_did():
    ds = steps.saddle_table(("leps",), PLAIN, starts=3)
    assert ds.rate.values == pytest.approx(ds.success.mean("start").values)
    assert ds.success.values.any()
    assert (ds.rate_low <= ds.rate).all()
    assert (ds.rate <= ds.rate_high).all()
    good = ds.success.astype(bool)
    assert ds.calls_per_saddle.values == pytest.approx((ds.calls.sum("start") / good.sum("start")).values)
    assert (ds.wrong == (ds.converged.astype(bool) & (ds["index"] != 1)).sum("start")).all()
    for method in PLAIN:
        row = ds.sel({"surface": "leps", "method": method})
        assert float(row.median_calls) == median_calls(row.calls.values, row.success.values)
    assert steps.saddle_table(("leps",), PLAIN, starts=3).calls.equals(ds.calls)


def test_basins_name_proved_saddles():
    ds = steps.saddle_basins("dimer", points=4, most_calls=200)
    assert set(np.unique(ds.saddle)) <= {-1, 0, 1}
    assert ds.sizes["number"] == 2
    with pytest.raises(ValueError, match="no proved saddles"):
        steps.saddle_basins(surface="lennard-jones")


def test_pruning_reports_what_it_covers():
    ds = steps.pruning_cost((4, 14), subset=5)
    assert float(ds.radius[0]) == 0
    assert float(ds.radius[1]) > 0
    assert (ds.seconds_all > 0).all()


def test_costs_grow_with_the_work():
    few, many = (costs.of(steps.saddle_table, starts=n).seconds for n in (5, 50))
    assert many == pytest.approx(10 * few)
    plane, cluster = (costs.of(steps.saddle_search, s).seconds for s in ("leps", "lennard-jones-13"))
    assert plane < 2 < cluster


def test_a_dimer_on_the_surrogate_climbs_out_of_a_cluster_of_seven():
    """With steps and rotations of the surface itself it climbed the repulsion instead, to energies beyond −5."""
    surface = steps.SURFACES["lennard-jones"]()
    start, axis = random_start(surface, np.random.default_rng(0).spawn(7)[6])
    found = steps.saddle(surface, start, "gp-dimer", axis=axis, most_calls=40)
    assert found.is_saddle
    assert -16 < found.energy < -14
    assert max(found.oracle.energies) < -10


def test_an_axis_that_is_known_keeps_its_side():
    state = Dimer(np.array([0.6, 0.8]), None, lambda x: x, longest=0.1)
    state.turn(np.array([-1.0, 0.0]), -2.0)
    assert (state.axis.tolist(), state.curvature) == ([1.0, 0.0], -2.0)
