"""The tabs on embeddings without a browser: clicks, hands, own files, stored studies, refusals."""

import io
import time

import numpy as np
import pytest

from workbench import data, metrics
from workbench.metrics.embeddings import two_classes
from workbench.ui.metrics.confusion import ConfusionView
from workbench.ui.metrics.embeddings import FILE, EmbeddingFile, EmbeddingsView, ZeroShotView
from workbench.ui.metrics.tapped import TappedPoints

RNG = np.random.default_rng(0)
X = (RNG.normal(size=(48, 4)) + 4 * np.repeat(RNG.normal(size=(6, 4)), 8, axis=0)).round(3)
NAMES = np.repeat(["ash", "birch", "cedar", "date", "elm", "fir"], 8)
CSV = b"tree,p,q,r,s\n" + "\n".join(f"{n},{','.join(map(str, x))}" for n, x in zip(NAMES, X, strict=True)).encode()


def at_rest(view):
    """Wait until nothing computes, and no newer value waits for its turn."""
    end = time.monotonic() + 60
    while view._again or view.runner.busy:
        assert time.monotonic() < end
        assert view.runner.wait(60)
        time.sleep(0.01)


def settled(view):
    at_rest(view)
    assert view.complaint == ""
    return view.result


def opened(kind, **params):
    view = kind(**params)
    view.start()
    settled(view)
    return view


def test_the_first_answers_are_shipped():
    view = opened(EmbeddingsView)
    assert view.result is not None
    assert view.result.identical(data.result("metrics/embeddings_first.nc"))
    study = data.result("metrics/embeddings_main.nc").sel(loss="binomial").isel(confusion=1)
    assert f"{float(study.map_at_r_difference):+.4f} ± {float(study.map_at_r_reach):.4f}" in view.sentence(view.result)
    assert f"Over {study.sizes['split']} splits" in view.sentence(view.result)
    view.close()
    view = opened(ZeroShotView)
    assert view.result.identical(data.result("metrics/embeddings_main.nc"))
    assert view.result.sizes["split"] == 252
    view.close()


def test_a_click_chooses_an_item():
    view = opened(EmbeddingsView)
    plane = next(picture for picture in view.figures if isinstance(picture, TappedPoints))
    plane.hit({"item": np.array([5, 77, 3])}, [1])
    assert view.item == 77
    assert "Item 77" in plane.summary(view.result)
    plane.hit({"item": np.array([5])}, [])
    assert view.item == 77
    right = int(view.result.right.values[77].sum())
    tiles = next(picture for picture in view.figures if picture.title == "Neighbours")
    assert tiles.summary(view.result).startswith(f"{right} of the 8")
    view.close()


def test_another_setting_trains_live():
    view = opened(EmbeddingsView)
    view.steps = 15
    ds = settled(view)
    expected = metrics.embedding_report(seen=list("01234"), steps=15)
    np.testing.assert_array_equal(ds.map_at_r, expected.map_at_r)
    assert view.cost(view.values()).is_quick
    view.seen = ["1"]
    at_rest(view)
    assert "1 of 10 classes are seen" in view.complaint
    view.close()


def test_ones_own_file_with_a_column_of_words():
    view = EmbeddingsView(source=FILE, steps=10)
    with pytest.raises(ValueError, match="Choose a file"):
        view.check(view.values())
    view.take_file("trees.csv", CSV)
    view.start()
    ds = settled(view)
    assert "48 items of 4 features; 6 classes in the column tree" in view.file.sentence()
    expected = metrics.embedding_report(X, NAMES, steps=10)
    np.testing.assert_array_equal(ds.map_at_r, expected.map_at_r)
    assert "Over" not in view.sentence(ds)  # the stored study is of other items
    for picture in view.figures:
        picture.figure(ds)
    view.column = "p"
    at_rest(view)
    assert "has one item" in view.complaint
    view.take_file("huge.npz", b"x" * (65 * 2**20))
    assert "65 MiB" in view.complaint
    view.close()


def test_a_file_that_does_not_say_its_classes_asks_for_them():
    file = EmbeddingFile("a.csv", b"a,b,c\nx,p,1\ny,q,2\n")
    assert "write it into “Column of classes”" in file.sentence()
    assert file.reading("b").labels.tolist() == ["p", "q"]


def test_the_study_of_ones_own_items_waits_and_runs():
    stored = io.BytesIO()
    np.savez(stored, features=X, labels=np.unique(NAMES, return_inverse=True)[1])
    view = ZeroShotView(source=FILE, losses=["triplet"], weights=[0.5], steps=10, splits=3, validate=False)
    view.take_file("trees.npz", stored.getvalue())
    view.start()
    ds = settled(view)
    expected = metrics.zero_shot(X, np.repeat(np.arange(6), 8), ["triplet"], [0, 0.5], steps=10, splits=3)
    np.testing.assert_array_equal(ds.map_at_r, expected.map_at_r)
    assert "triplet" in view.sentence(ds)
    view.losses = []
    at_rest(view)
    assert "at least one loss" in view.complaint
    view.close()


def test_long_studies_are_announced_and_stored_ones_are_not():
    view = ZeroShotView(steps=121)
    assert not view.cost(view.values()).is_quick
    longer = ZeroShotView(steps=600, splits=63, weights=[0.13], validate=False)
    assert longer.precomputed(longer.values()).identical(data.result("metrics/embeddings_longer.nc"))
    view.show(longer.precomputed(longer.values()))
    assert (view.steps, view.weights) == (600, [0.13])


def test_points_are_dragged_and_taken_back():
    view = opened(ConfusionView)
    first = view.result
    view.move(41, 9.0, 1.0)
    ds = settled(view)
    a, b = two_classes()
    b[1] = 9.0, 1.0
    np.testing.assert_array_equal(ds.before, b)
    np.testing.assert_array_equal(ds.a, a)
    assert "1 point has been moved" in view.figures[0].summary(ds)
    assert float(ds.confusion[1]) == pytest.approx(float(ds.confusion[0]), rel=1e-13)
    view.move(500, 0.0, 0.0)
    view.move(1, np.nan, 0.0)
    assert len(view.moves[1]) == 1
    view.reset()
    assert settled(view).identical(first)
    view.seed = 4
    assert not np.array_equal(settled(view).a, a)
    view.close()


def test_a_dropped_mark_tells_the_view():
    view = opened(ConfusionView)
    picture = view.figures[0]
    element = picture.prepared(picture.figure(view.result))
    part = next(part for part in element if part.label == "B before")
    places = {name: part[name].tolist() for name in ("x", "y", "item")}
    picture.dropped("B before", places)
    assert view.moves == ((), ())
    places["x"][2] += 1
    picture.dropped("B before", places)
    assert [item for item, _ in view.moves[1]] == [42]
    at_rest(view)
    view.close()


def test_the_stretch_asked_for_is_shown():
    view = opened(ConfusionView, shape="stretched", stretch=0.5, turn=0.0)
    values = np.linalg.eigvalsh(np.cov(view.result.after.values.T))
    assert values[1] / values[0] == pytest.approx(3.0)
    assert "Energy confusion stands at" in view.sentence(view.result)
    view.close()
