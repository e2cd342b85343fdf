"""Populations of one's own table: read as they stand, refused in words, judged where no training has been."""

import io

import numpy as np
import pytest
from scipy import stats

from workbench import data, fields
from workbench.fields.population.shipped import FIRST_OWN
from workbench.fields.population.tables import MOST_COUNT

RNG = np.random.default_rng(3)


def rows(count=3, points=12, particles=False):
    """Return lines of a CSV file, shuffled, its header first."""
    lines = []
    for p in range(count):
        for t in (0, 1):
            for k in range(points):
                x, y = RNG.normal(size=2) + t
                lines.append(f"d{p},{t},{x:.5f},{y:.5f}" + f",c{k}" * particles)
    RNG.shuffle(lines)
    return ["donor,day,x,y" + ",particle" * particles, *lines]


def read(lines, name="mine.csv"):
    return fields.read_populations("\n".join(lines).encode(), name=name)


def test_a_table_is_read_by_its_names_and_dealt_into_populations():
    lines = rows()
    found = read(lines)
    assert found.sentence.startswith("72 rows; 3 populations in the column donor; times in the column day; features: x")
    those = fields.own_population_table(found.features, found.population, found.time)
    assert [one.name for one in those] == ["d0", "d1", "d2"]
    wanted = sorted(tuple(map(float, line.split(",")[2:])) for line in lines[1:] if line.startswith("d1,1"))
    np.testing.assert_allclose(sorted(map(tuple, those[1].target.tolist())), wanted)
    assert not those[0].paired


def test_followed_particles_are_paired_whatever_the_order_of_rows():
    lines = rows(particles=True)
    found = read(lines)
    one = fields.own_population_table(found.features, found.population, found.time, found.particle)[2]
    assert one.paired
    of = {tuple(line.split(",")[i] for i in (0, 1, 4)): line.split(",")[2:4] for line in lines[1:]}
    pairs = {(float(of["d2", "0", f"c{k}"][0]), float(of["d2", "1", f"c{k}"][0])) for k in range(12)}
    assert set(zip(one.source[:, 0].tolist(), one.target[:, 0].tolist(), strict=True)) == pairs


def test_an_archive_says_what_a_table_says():
    stream = io.BytesIO()
    n = 40
    population, time, x = np.arange(n) % 2, np.arange(n) // 20, RNG.normal(size=(n, 3))
    np.savez(stream, population=population, time=time, features=x, remark=np.zeros(2))
    found = fields.read_populations(stream.getvalue(), name="mine.npz")
    assert "left out: remark" in found.sentence
    those = fields.own_population_table(found.features, found.population, found.time)
    np.testing.assert_array_equal(those[1].source, x[(population == 1) & (time == 0)])


def test_other_times_are_left_out_when_two_are_named():
    time = np.tile([0.0, 1.0, 2.0], 20)
    population = np.repeat(["a", "b"], 30)
    x = RNG.normal(size=(60, 2)) + time[:, None]
    both = fields.own_population_table(x, population, time)
    np.testing.assert_array_equal(both[0].target, x[(population == "a") & (time == 2)])
    early = fields.own_population_table(x, population, time, after=1.0)
    np.testing.assert_array_equal(early[0].target, x[(population == "a") & (time == 1)])
    with pytest.raises(ValueError, match=r"no row is of time 1\.5 \(after\); the table has the times 0, 1, 2"):
        fields.own_population_table(x, population, time, after=1.5)
    with pytest.raises(ValueError, match="must be earlier"):
        fields.own_population_table(x, population, time, before=2.0, after=1.0)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["donor,x,y", "a,1,2"], "which time a row belongs to"),
        (["day,x,y", "0,1,2"], "which population a row belongs to"),
        (["donor,day", "a,0"], "no column of numbers beside"),
        (["donor,day,x", "a,before,1", "a,after,2"], "holds text; give times as numbers"),
        (["donor,group,day,x", "a,b,0,1"], "only one of them can be meant"),
        (["donor,day,x", "a,0,1", "a,0,"], "line 3 of mine.csv has no value in the column x"),
        (["donor,day,x", "a,0,nan"], "has 'nan'"),
        (["donor,day,x", *["a,0,1"] * 20], "all rows are of time 0"),
        (["donor,day,x", *["a,0,1", "a,1,2"] * 20], r"1 population\(s\)"),
        (["donor,day,x", *["a,0,1", "a,1,2"] * 20, "b,0,3"], r"population b has 1 row\(s\) at time 0"),
        (["donor,day,x,z", *["a,0,1,5", "a,1,2,5", "b,0,1,5", "b,1,3,5"] * 20], "feature 2 is the same in all rows"),
    ],
)
def test_bad_tables_are_refused_in_words(lines, words):
    with pytest.raises(ValueError, match=words):
        read(lines)


def test_particles_that_do_not_fit_are_refused_by_name():
    lines = rows(particles=True)
    first = next(line for line in lines[1:] if line.startswith("d0,0"))
    with pytest.raises(ValueError, match="is there at one time only"):
        read([line for line in lines if line != first])
    with pytest.raises(ValueError, match="stands twice at time 0"):
        read([*lines, first])


def test_too_much_is_refused_before_any_work():
    population, time = np.repeat(np.arange(MOST_COUNT + 1), 2), np.tile([0, 1], MOST_COUNT + 1)
    with pytest.raises(ValueError, match="501 population"):
        fields.own_population_table(RNG.normal(size=(len(time), 1)), population, time)
    with pytest.raises(ValueError, match="too many"):
        fields.own_population_table(RNG.normal(size=(10, 65)), np.zeros(10), np.zeros(10))
    with pytest.raises(ValueError, match="more than 60 letters"):
        fields.own_population_table(RNG.normal(size=(2, 1)), ["a" * 61, "b"], [0, 1])
    with pytest.raises(ValueError, match="cannot read"):
        fields.read_populations(b"x", name="mine.h5ad")
    with pytest.raises(ValueError, match="is empty"):
        fields.read_populations(b"", name="mine.csv")


SMALL = {"steps": 60, "width": 16, "folds": 3}


def test_a_law_that_reads_the_population_is_found_and_its_numbers_agree():
    """Which way a population shifts only its spread betrays: being told it must help."""
    population, time, x = [], [], []
    for p in range(9):
        width = 0.3 if p % 2 else 1.2
        cloud = width * RNG.normal(size=(50, 2))
        x += [cloud, cloud + np.array([4.0 * (-1) ** p, 0.0])]
        population += [f"p{p}"] * 100
        time += [0] * 50 + [1] * 50
    found = fields.own_population_report(
        np.concatenate(x), population, time, steps=400, width=32, folds=3, particle=np.tile(np.arange(50), 18)
    )
    assert float(found.mean_gain) > float(found.reach) > 0
    assert float(found.mean_gain_control) > 0
    assert int(found.wins) >= 8
    gain = (found.loss[0] - found.loss[1]).mean("seed").values
    interval = stats.ttest_1samp(gain, 0.0).confidence_interval(0.95)
    np.testing.assert_allclose(float(found.mean_gain) + float(found.reach) * np.array([-1, 1]), interval)
    nearer = found.distances.sel(field="flow-matching") - found.distances.sel(field="meta-flow-matching")
    np.testing.assert_allclose(found.gain_distance, nearer.mean("seed"))


def test_few_populations_carry_no_interval_and_two_no_study():
    table = fields.example_population_table(4, 24)
    ds = fields.own_population_report(table.features, table.population, table.time, **SMALL)
    assert np.isnan([float(ds[name]) for name in ("reach", "reach_control", "reach_distance")]).all()
    again = fields.own_population_report(table.features, table.population, table.time, **SMALL)
    np.testing.assert_array_equal(ds.loss, again.loss)
    keep = np.isin(table.population, ["P01", "P02"])
    with pytest.raises(ValueError, match="leave one to train on"):
        fields.own_population_report(table.features[keep], table.population[keep], table.time[keep])


def test_units_do_not_matter_and_no_population_is_judged_by_a_field_that_saw_it():
    table = fields.example_population_table(5, 24)
    ds = fields.own_population_report(table.features, table.population, table.time, **SMALL)
    scaled = fields.own_population_report(1000 * table.features + 7, table.population, table.time, **SMALL)
    np.testing.assert_allclose(scaled.loss, ds.loss, rtol=1e-3)
    # What becomes of one population changes nothing in its own prediction: it is in no training of its own fold
    other = table.features.copy()
    mine = (table.population == "P01") & (table.time == 1)
    other[mine] += 0.3
    moved = fields.own_population_report(other, table.population, table.time, **SMALL)
    np.testing.assert_array_equal(moved.path, ds.path)
    assert abs(moved.target - ds.target).max() > 0.01


def test_a_rival_that_knows_populations_by_number_is_refused_for_a_new_one():
    one = fields.populations("letters", 1, 20, held_out=True)[0]
    with pytest.raises(ValueError, match=r"knows populations by a number, and the input for X at .* never trained"):
        fields.predict("cgfm", one)


def test_the_shipped_answer_is_that_of_the_example():
    ds, table = data.result(FIRST_OWN), fields.example_population_table()
    assert ds.population.values.tolist() == sorted(set(table.population.tolist()))
    nearer = ds.distances.sel(field="flow-matching") - ds.distances.sel(field="meta-flow-matching")
    np.testing.assert_allclose(ds.mean_gain_distance, nearer.mean())
    assert int(ds.wins) == int((ds.gain_distance > 0).sum())
