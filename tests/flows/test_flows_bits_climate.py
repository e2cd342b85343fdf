"""The test by whole runs: known distances, exact permutations, false alarms, power; one's own files."""

import itertools

import numpy as np
import pytest
import xarray as xr
from scipy.stats import wasserstein_distance

from workbench import data, flows, results
from workbench.flows.bits.climate_test import cumulative, jackknife, permutation_p, samples


def test_known_distances():
    grid = (np.arange(4000) + 0.5) / 4000
    a = np.tile(grid, (4, 1))
    assert flows.rounding_test(1.5 * a, a).w1 == pytest.approx(0.25, abs=1e-3)  # U[0, c] to U[0, 1]: |1 − c|/2
    assert flows.rounding_test(a + 0.3, a).w1 == pytest.approx(0.3, abs=1e-12)
    same = flows.rounding_test(a, a)
    assert (same.w1, same.p_value, same.standard_error) == (0.0, 1.0, 0.0)


def test_the_p_value_of_few_runs_is_the_enumeration():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (3, 50)) + rng.normal(0, 1, (3, 1)), rng.normal(0, 1, (4, 50))
    cdf, width = cumulative(a, b)
    p, least = permutation_p(cdf, width, (3, 4), 99, rng)
    everything = np.concatenate([a, b])
    distances = []
    for pick in itertools.combinations(range(7), 3):
        rest = [k for k in range(7) if k not in pick]
        distances.append(wasserstein_distance(everything[list(pick)].ravel(), everything[rest].ravel()))
    assert least == 1 / 35
    assert p == np.mean(np.array(distances) >= distances[0] - 1e-12)


def test_the_jackknife_is_the_spread_of_repetitions():
    rng = np.random.default_rng(1)
    found, errors = [], []
    for _ in range(60):
        a, b = (rng.normal(shift, 1, (8, 200)) + 0.3 * rng.normal(size=(8, 1)) for shift in (2.0, 0.0))
        cdf, width = cumulative(a, b)
        errors.append(jackknife(cdf, width, (8, 8)))
        found.append(flows.rounding_test(a, b, trials=10).w1)
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.3)


def test_false_alarms_are_as_rare_as_said_although_samples_depend_on_each_other():
    rng = np.random.default_rng(2)

    def runs():
        return np.cumsum(rng.normal(0, 0.1, (4, 400)), axis=1) * 0.1 + rng.normal(0, 1, (4, 1))

    alarms = []
    for _ in range(200):
        cdf, width = cumulative(runs(), runs())
        alarms.append(permutation_p(cdf, width, (4, 4), 99, rng)[0] <= 0.05)
    assert np.mean(alarms) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_a_shift_of_the_detectable_size_is_seen_about_nine_times_in_ten():
    rng = np.random.default_rng(3)
    population = rng.normal(0, 1, (60, 100)) + 0.5 * rng.normal(size=(60, 1))
    least = flows.detectable_shift(population, (6, 6), trials=200, seed=0)
    seen = []
    for _ in range(150):
        a, b = (rng.normal(0, 1, (6, 100)) + 0.5 * rng.normal(size=(6, 1)) for _ in range(2))
        cdf, width = cumulative(a + least, b)
        seen.append(permutation_p(cdf, width, (6, 6), 199, rng)[0] <= 0.05)
    assert 0.8 < np.mean(seen) < 0.98
    assert flows.detectable_shift(population, (12, 12), trials=100, seed=0) < 0.85 * least
    assert flows.detectable_shift(population, (3, 3)) == np.inf  # 2 of 20 regroupings: p cannot reach 0.05


def test_too_few_runs_say_so():
    rng = np.random.default_rng(0)
    test = flows.rounding_test(rng.normal(5, 1, (3, 50)), rng.normal(0, 1, (3, 50)))
    assert test.smallest_p == 0.1
    assert "cannot give p" in test.sentence()
    with pytest.raises(ValueError, match="two or more"):
        flows.rounding_test(rng.normal(size=(1, 50)), rng.normal(size=(3, 50)))
    with pytest.raises(ValueError, match="NaN"):
        flows.rounding_test(np.full((3, 5), np.nan), rng.normal(size=(3, 50)))
    quiet = flows.rounding_test(rng.normal(0, 1, (6, 50)), rng.normal(0, 1, (12, 50)))
    assert "would see with 90% probability a shift of" in quiet.sentence()
    few = flows.rounding_test(rng.normal(0, 1, (6, 50)), rng.normal(0, 1, (6, 50)))
    assert np.isnan(few.detectable)
    assert "too few to tell" in few.sentence()


def test_a_shift_in_space_counts_by_its_mean_cosine():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(6, 300, 3))
    test = flows.joint_rounding_test(states + np.array([0.0, 0.8, 0.0]), states, trials=0)
    assert test.w1 == pytest.approx(0.4, rel=1e-2)
    same = flows.joint_rounding_test(states, states, trials=0)
    assert (same.w1, same.p_value) == (0.0, 1.0)
    line = rng.normal(size=(4, 200, 1))
    one = flows.joint_rounding_test(line + 0.5, line, trials=0)
    assert one.w1 == pytest.approx(0.5, abs=1e-12)  # in one dimension it is W₁ itself


def test_only_the_joint_test_sees_how_variables_go_together():
    rng = np.random.default_rng(1)
    apart = rng.normal(size=(6, 200, 2))
    common = rng.normal(size=(12, 200, 1)) * np.ones(2)
    assert not flows.rounding_test(apart, common, trials=10).seen
    test = flows.joint_rounding_test(apart, common, trials=0)
    assert test.seen
    assert test.w1 > 2 * test.floor


@pytest.mark.slow
def test_false_alarms_and_power_of_the_joint_test():
    rng = np.random.default_rng(4)

    def runs(count, shift=0.0):
        return rng.normal(size=(count, 60, 2)) + 0.5 * rng.normal(size=(count, 1, 2)) + np.array([shift, 0.0])

    few = {"n_directions": 12, "permutations": 199, "trials": 0}
    alarms = [flows.joint_rounding_test(runs(5), runs(10), **few).seen for _ in range(60)]
    assert np.mean(alarms) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)
    least = flows.joint_rounding_test(runs(5), runs(40), **few | {"trials": 40}).detectable
    seen = [flows.joint_rounding_test(runs(5, least), runs(40), **few).seen for _ in range(60)]
    assert 0.7 < np.mean(seen) <= 1


def test_the_joint_test_refuses_in_words():
    states = np.zeros((3, 10, 2))
    for low, high, told in (
        (states[:1], states, "two or more"),
        (states, states[:, :, :1], "2 variables and high 1"),
        (states[0], states, r"low must have 3 dimension\(s\)"),
        (xr.Dataset(), states, "no variable 'state'"),
    ):
        with pytest.raises(ValueError, match=told):
            flows.joint_rounding_test(low, high)


def test_holm():
    np.testing.assert_allclose(flows.holm([[0.01, 0.04], [0.03, 0.9]]), [[0.04, 0.09], [0.09, 0.9]])


def test_half_precision_is_another_lorenz_climate_and_single_is_not():
    half = flows.precision_climate(bits=10, runs=4, reference_runs=8, steps=60_000)
    assert float(half.p_value) < 0.05
    assert float(half.w1) > 2 * float(half.floor)
    assert set(half.period.values) <= {0, 1786, 19366}
    assert 0 < float(half.cycles) <= 4
    single = flows.precision_climate(bits=23, runs=4, reference_runs=8, steps=20_000, cycle_steps=0)
    assert float(single.p_value) > 0.05
    assert float(half.w1_so_far[-1]) == pytest.approx(float(half.w1), abs=0.2)


def test_a_small_sweep_with_a_yardstick():
    ds = flows.precision_sweep(
        "lorenz96", (5, 23), runs=4, reference_runs=6, steps=2000, cycle_steps=0, yardstick={"forcing": (8.5, 10.0)}
    )
    assert (ds.p_holm >= ds.p_value).all()
    assert float(ds.changed_w1[1]) > float(ds.changed_w1[0]) > float(ds.floor_mean)
    with pytest.raises(ValueError, match="parameter of lorenz96"):
        flows.precision_sweep("lorenz96", (5,), yardstick={"f": (8,)})
    with pytest.raises(ValueError, match="bits must be"):
        flows.precision_sweep("lorenz96", (5, 99))


def test_own_runs_from_tables_and_netcdf(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5, 40))
    text = "\n".join(",".join(map(str, row)) for row in values.T.tolist())
    read, told = flows.read_runs(text.encode(), name="a.csv")
    np.testing.assert_array_equal(read, values)
    assert told.startswith("5 runs of 40 samples")
    ds = xr.Dataset({"z": (("time", "member"), values.T)}, {"member": np.arange(5)})
    path = tmp_path / "a.nc"
    ds.to_netcdf(path, engine="h5netcdf")
    read, told = flows.read_runs(path)
    np.testing.assert_array_equal(read, values)
    assert "runs along 'member'" in told
    found = flows.compare_runs(read + 1, values)
    assert float(found.w1) == pytest.approx(1.0)
    assert results.problems(found) == []
    assert samples("low", xr.Dataset({"state": (("run", "time"), values)})).shape == (5, 40)


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (b"1\n2\n3\n", "a.csv", "holds 1 run"),
        (b"1,2\n3,\n", "a.csv", "row"),
        (b"\x00\x01", "a.bin", "neither a table"),
        (b"\x89HDF\r\n\x1a\nrubbish", "a.nc", "damaged|refused"),
    ],
)
def test_files_that_are_refused(data, name, told):
    with pytest.raises(ValueError, match=told):
        flows.read_runs(data, name=name)
    with pytest.raises(ValueError, match="MiB"):
        flows.read_runs(b"1,2\n" * 1000, name="a.csv", max_bytes=100)


def test_netcdf_with_several_variables_asks_which(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 20))
    path = tmp_path / "b.nc"
    xr.Dataset({"u": (("run", "time"), values), "v": (("run", "time"), 2 * values)}).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(ValueError, match="u, v"):
        flows.read_runs(path)
    np.testing.assert_array_equal(flows.read_runs(path, variable="v")[0], 2 * values)
    with pytest.raises(ValueError, match="no numeric variable 'w'"):
        flows.read_runs(path, variable="w")


def test_a_distance_is_placed_between_changes_of_a_parameter():
    sweep = data.result("flows/bits_lorenz96.nc")
    least, most = float(sweep.changed_w1.min()), float(sweep.changed_w1.max())
    assert flows.equivalent_change(0.027, sweep) == (8.05, 8.1)
    low, high = flows.equivalent_change(least / 2, sweep)
    assert (np.isnan(low), high) == (True, 8.02)
    low, high = flows.equivalent_change(2 * most, sweep)
    assert (low, np.isnan(high)) == (8.5, True)
    assert np.isnan(flows.equivalent_change(0.01, data.result("flows/bits_channel.nc"))).all()  # it does not rise
    assert np.isnan(flows.equivalent_change(0.01, data.result("flows/bits_lorenz63.nc"))).all()  # it has none
    with pytest.raises(ValueError, match="w1 must be at least 0"):
        flows.equivalent_change(-1.0, sweep)
