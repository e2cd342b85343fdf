"""The tabs on rankings without a browser: hands, buttons, own files, refusals, tables."""

import importlib
import io
import time

import numpy as np
import pytest

from workbench import data, metrics
from workbench.figures.metrics import HANDLE
from workbench.metrics import rankings
from workbench.progress import Progress
from workbench.ui.metrics.drift import DriftView, _change
from workbench.ui.metrics.ranking_tables import repair_rows
from workbench.ui.metrics.rankings import FILE, RankingsView
from workbench.ui.metrics.yardsticks import Yardsticks, invariance_rows, moved

LABELS = [k % 3 == 0 for k in range(90)]
ROWS = [
    (one, (k * 37 % 101) / 101 + 0.3 * one, (k * 53 % 97) / 97, b"u" if k % 2 else b"v") for k, one in enumerate(LABELS)
]
CSV = b"label,one,two,group\n" + b"".join(b"%d,%.3f,%.3f,%s\n" % row for row in ROWS)


@pytest.fixture
def view(monkeypatch):
    found = RankingsView()
    plain, turns = found.run, []

    def run(**options):  # between a value that waits and work that runs there is a moment with neither: it is marked
        turns.append(None)
        try:
            plain(**options)
        finally:
            turns.pop()

    monkeypatch.setattr(found, "run", run)
    found.turns = turns
    found.start()
    assert found.runner.wait(60)
    yield found
    found.close()


def at_rest(view):
    """Wait until nothing computes, and no newer value waits for its turn."""
    end = time.monotonic() + 60
    while view._again or getattr(view, "turns", None) or view.runner.busy or not view.runner.wait(0):
        assert time.monotonic() < end
        assert view.runner.wait(60)
        time.sleep(0.01)


def settled(view):
    at_rest(view)
    assert view.complaint == ""
    return view.result


def test_the_sentence_gives_both_scores_the_range_and_the_test(view):
    ds = view.result
    sentence = view.sentence(ds)
    assert f"AUROC {float(ds.auroc[0]):.3f} ± {float(ds.auroc_error[0]):.3f}" in sentence
    assert f"from {float(ds.lowest):.3f} to {float(ds.highest):.3f}" in sentence
    assert "Model a minus b: AUROC" in sentence
    assert view.cost(view.values()).seconds < 0.6


def test_an_item_that_is_dragged_changes_its_score_alone(view):
    before = view.result.sortby("tick_item").tick_score.values
    item = int(view.result.tick_item[0])
    view.move(item, 0.01)
    ds = settled(view).sortby("tick_item")
    changed = np.flatnonzero(ds.tick_score.values != before)
    assert changed.tolist() == [item]
    assert float(ds.tick_score[item]) == 0.01
    assert "1 item has been moved" in view.figures[0].summary(view.result)
    view.reset()
    np.testing.assert_array_equal(settled(view).sortby("tick_item").tick_score, before)


def test_what_was_moved_belongs_to_its_example(view):
    view.move(3, 0.5)
    settled(view)
    view.seed = 5
    ds = settled(view)
    np.testing.assert_array_equal(np.sort(ds.tick_score), np.sort(rankings.example(seed=5).scores))


def test_a_dropped_mark_tells_the_view_and_one_moved_upwards_goes_back(view):
    strip = view.figures[0]
    element = strip.prepared(strip.figure(view.result))
    part = next(part for part in element if part.label == "negative, A")
    data = {name: part[name].tolist() for name in ("score", "row", "item")}
    up = {**data, "row": [row + 0.3 for row in data["row"]]}
    strip.dropped("negative, A", up)
    assert view.moves == ((), ())
    data["score"][2] += 0.1
    strip.dropped("negative, A", data)
    settled(view)
    assert dict(view.moves[1]) == {int(data["item"][2]): pytest.approx(data["score"][2])}
    grip = {"score": [0.2], "row": [1.0], "item": [-1]}
    strip.dropped(HANDLE, grip)
    assert view.fired == pytest.approx(float((view.result.tick_score >= 0.2).mean()))
    strip.dropped("negative, A", {"score": [], "row": [], "item": []})  # taken away with a key: it comes back


@pytest.mark.parametrize("rule", ["ap", "topmost", "random"])
def test_a_button_mends_one_mistake(view, rule):
    before = view.result
    view.mend(rule)
    after = settled(view)
    gain = float(after.auroc[0] - before.auroc[0])
    assert gain == pytest.approx(1 / (20 * 180), abs=1e-12)
    if rule == "ap":
        assert float(after.ap[0] - before.ap[0]) == pytest.approx(float(before.ap_gain.max()), abs=1e-12)


def test_ones_own_file_with_two_models_and_groups(view):
    view.take_file("mine.csv", CSV)
    view.source = FILE
    ds = settled(view)
    reading = metrics.read_rankings(_stream(CSV))
    expected = metrics.compare(reading.positive, reading.scores["one"], reading.scores["two"], names=("one", "two"))
    np.testing.assert_array_equal(ds.difference, expected.difference)
    assert ds.part.values.tolist() == ["all", "u", "v"]
    assert "Model one minus two" in view.sentence(ds)
    assert "90 items, 30 positive; scores: one, two; groups" in view.file.sentence()
    assert "Drag the threshold" in view.figures[0].summary(ds)
    view.column = 2
    assert float(settled(view).auroc[0]) == pytest.approx(float(expected.value.sel(metric="auroc", model="two")))
    view.column = 3
    at_rest(view)
    assert "there is no column 3" in view.complaint


def test_a_file_with_labels_in_words_asks_for_the_positive_one(view):
    view.take_file("mine.csv", b"label,s\nill,0.9\nwell,0.4\nill,0.3\nwell,0.1\n")
    view.source = FILE
    at_rest(view)
    assert "say which is positive" in view.complaint
    assert "Positive label" in view.file.sentence()
    view.positive = "ill"
    assert float(settled(view).auroc[0]) == 0.75


def test_a_file_with_weights_leaves_out_what_they_do_not_define(view):
    rows = b"".join(b"%d,%.2f,%d\n" % (k % 2, k * 7 % 20, 1 + k % 3) for k in range(40))
    view.take_file("weights.csv", b"label,s,weight\n" + rows)
    view.source = FILE
    ds = settled(view)
    assert "lowest" not in ds
    assert "Not defined where items have weights." in [picture.summary(ds) for picture in view.figures]
    assert "AUROC" in view.sentence(ds)


def _stream(data):
    stream = io.BytesIO(data)
    stream.name = "mine.csv"
    return stream


def test_refusals(view):
    fresh = RankingsView(source=FILE)
    with pytest.raises(ValueError, match="Choose a file"):
        fresh.check(fresh.values())
    fresh.take_file("huge.csv", b"x" * (65 * 2**20))
    assert "65 MiB" in fresh.complaint
    fresh.take_file("bad.csv", b"a,b\n1,2\n")
    with pytest.raises(ValueError, match="name the one that says"):
        fresh.compute(fresh.values(), Progress())
    large = RankingsView(n=1000)
    large.start()
    settled(large)
    large.mend("ap")
    assert "up to 400 items" in large.complaint
    assert "400 of 1,000 items" in large.figures[0].summary(large.result)


def test_the_tables_show_what_stands_and_what_moves(view):
    table = Yardsticks("ranking scores")
    table.update(view.result)
    text = table._pane.object
    assert "Invariances of ranking scores" in text
    assert text.count("<table") == 3
    rows = list(invariance_rows(view.result).cells)
    assert [row[0] for row in rows][:2] == ["AUROC", "AP"]
    assert "stands" in str(rows[0][1])
    assert "blind" in str(rows[0][list(view.result.transformation.values).index("negatives-twice") + 1])


@pytest.mark.parametrize(
    ("change", "harmless", "words"),
    [(0.0, True, "stands"), (0.2, True, "moves 0.200"), (0.2, False, "0.200"), (0.0, False, "blind"),
     (np.nan, True, "not defined"), (1e-7, False, "1.0e-07")],
)  # fmt: skip
def test_cells(change, harmless, words):
    assert words in str(moved(change, harmless))


def test_the_drift_is_shipped_and_told():
    view = DriftView()
    view.start()
    ds = settled(view)
    assert ds.attrs["function"] == view.experiment_name()
    end = ds.isel(step=-1).sel(rule="ap", setup="paper")
    assert f"{float(end.gap_change):+.5f}" in view.sentence(ds)
    view.rule = "random"
    assert "at random" in view.sentence(ds)
    quick = DriftView(n=100, seeds=3, steps=5)
    fresh = quick.compute(quick.values(), Progress())
    assert fresh.sizes["sample"] == 3
    assert not DriftView(n=2000, steps=500, seeds=1000).cost(DriftView(n=2000, steps=500, seeds=1000).values()).is_quick


def test_a_change_without_spread_says_so_and_a_small_interval_shows_two_digits():
    one = data.result("metrics/rankings_drift.nc").isel(step=-1).sel(rule="ap", setup="paper")
    told = {}
    for error in (0.0, 3.1e-8, 2.5e-3):
        found = one.assign(gap_change=0.0125, gap_change_error=error)
        told[error] = _change(found)
    assert told == {
        0.0: "+0.01250 in every sample",
        3.1e-8: "+0.012500000 ± 0.000000061",
        2.5e-3: "+0.01250 ± 0.00490",
    }
    ds = data.result("metrics/rankings_drift.nc")
    view = DriftView()
    for rule in ds.rule.values:
        view.rule = str(rule)
        assert "± 0.00000" not in view.sentence(ds)
    view.close()


def test_the_best_exchanges_stand_in_a_table(view):
    rows = repair_rows(view.result).cells
    assert view.result.sizes["best"] == 10
    assert [row[0] for row in rows] == ["all"] * 10 + ["group A"] * 3 + ["group B"] * 3
    assert rows[0][3] == f"{float(view.result.best_ap_gain[0]):.4g}"
    inside = view.result.inside_ap_gain.sel(inside="A")
    assert rows[10][3] == f"{float(inside[0]):.4g}"
    assert float(inside.max()) <= float(view.result.best_ap_gain[0])
    assert repair_rows(metrics.ranking_report([1, 0, 1], [0.1, 0.5, 0.3], weights=[1, 2, 1])).cells == []


def test_the_gap_of_the_groups_is_told_where_there_are_two(view):
    picture = next(shown for shown in view.figures if shown.title == "Gap of the groups")
    assert "AUROC(A) − AUROC(B) is" in picture.summary(view.result)
    one = metrics.ranking_report([1, 0, 1, 0], [0.1, 0.5, 0.3, 0.2])
    assert "Needs two groups" in picture.summary(one)
    picture.figure(one)


def test_a_parquet_file_is_uploaded(view):
    arrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow, which is none of our dependencies")
    parquet = importlib.import_module("pyarrow.parquet")
    stream = io.BytesIO()
    columns = {"label": [row[0] for row in ROWS], "one": [row[1] for row in ROWS], "group": ["u", "v"] * 45}
    parquet.write_table(arrow.table(columns), stream)
    view.take_file("mine.parquet", stream.getvalue())
    view.source = FILE
    ds = settled(view)
    assert int(ds["items"]) == 90
    assert ds.part.values.tolist() == ["all", "u", "v"]
