"""The tabs on signals without a browser: hands, own files, refusals, sentences."""

import io

import numpy as np
import pytest
from PIL import Image

from workbench import metrics
from workbench.metrics import signals
from workbench.ui.metrics.signal_data import FILE, PhotographsView, SignalPointsView
from workbench.ui.metrics.signals import SignalsView
from workbench.ui.metrics.yardsticks import Yardsticks

CSV = b"u,v\n" + b"".join(b"%.3f,%.3f\n" % (k % 7 + 0.01 * k, (k * k) % 11 + 0.02 * k) for k in range(60))


@pytest.fixture
def view():
    found = SignalsView()
    found.start()
    assert found.runner.wait(60)
    yield found
    found.close()


def settled(view):
    assert view.runner.wait(60)
    assert view.complaint == ""
    return view.result


def test_the_sentence_compares_the_ridge_with_the_bumps(view):
    sentence = view.sentence(view.result)
    assert "a to b: IEM 1.734 ±" in sentence
    assert "0.5 across the ridge at 0: 3.443" in sentence
    assert "IEM calls the far pair closer" in sentence
    assert "14.25 long, 8.22 times that" in sentence
    assert view.cost(view.values()).is_quick


def test_a_dragged_bump_changes_the_density_and_can_be_taken_back(view):
    before = view.result["mean"].values.ravel()
    view.move(20, 1.0, 0.0)
    ds = settled(view)
    assert ds["mean"].values.ravel().tolist() == [before[0], 1.0]
    view.move(11, -1.0, 0.0)  # the width of the first: a whole unit
    settled(view)
    assert view.state().covariances[0] == ((1.0,),)
    view.move(1, 0.5, 0.0)
    assert settled(view).point.values.ravel().tolist() == [-2.0, 0.5]
    view.reset()
    np.testing.assert_array_equal(settled(view)["mean"].values.ravel(), before)


def test_what_was_dragged_belongs_to_its_example(view):
    view.move(20, 1.0, 0.0)
    settled(view)
    view.example = "three-bumps"
    assert settled(view).sizes["component"] == 3
    view.example = "two-bumps"
    assert settled(view)["mean"].values.ravel().tolist() == [-2.0, 1.0]


def test_two_points_in_one_place_and_places_too_far_are_refused(view):
    view.move(1, -2.0, 0.0)
    assert view.runner.wait(60)
    assert "a and b are one point" in view.complaint
    view.move(1, 1e9, 0.0)
    assert "x must be at most 100" in view.complaint
    view.move(1, float("nan"), 0.0)
    view.reset()
    settled(view)


def test_weight_and_snr_are_sliders(view):
    view.first_weight = 0.8
    np.testing.assert_allclose(settled(view).weight, [0.8, 0.2])
    view.up_to = "10"
    ds = settled(view)
    assert float(ds.up_to) == 10
    assert "noise down to SNR 10" in view.sentence(ds)


def test_the_picture_tells_where_a_mark_was_dropped(view):
    picture = view.figures[0]
    picture.dropped("bumps", {"x": [-2.0, 0.7], "y": [0.4, 0.4], "item": [10, 20]})
    assert settled(view)["mean"].values.ravel().tolist() == [-2.0, 0.7]
    picture.dropped("bumps", {"x": [-2.0], "y": [0.4], "item": [10]})  # taken away with a key: comes back
    assert settled(view).sizes["component"] == 2


def test_the_tables_of_the_room_stand_below(view):
    table = next(shown for shown in view._shown if isinstance(shown, Yardsticks))
    text = table._pane.object
    assert "other units on the first axis" in text
    assert "−2 | 2" in text
    assert "worst excess over the triangle inequality" in text


def test_a_saved_result_opens_with_its_density():
    example = metrics.SIGNAL_EXAMPLES["two-bumps"]()
    state = signals.drawn(example.density, (-1.0,), (0.5,))
    ds = metrics.signal_report(**state._asdict(), snr=100.0)
    view = SignalsView()
    view.show(ds)
    assert view.state().a == (-1.0,)
    assert view.up_to == "100"
    assert "IEM" in view.sentence(ds)
    view.close()


def test_own_points_are_fitted_and_a_missing_file_is_asked_for():
    view = SignalPointsView()
    view.source = FILE
    view.start()
    assert "Choose a table or an array" in view.complaint
    view.take_file("mine.csv", CSV)
    view.run()
    ds = settled(view)
    assert int(ds.total) == 60
    assert "60 signals of 2 numbers" in view.sentence(ds)
    view.take_file("mine.csv", b"u,v\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n")
    view.run()
    assert view.runner.wait(60)
    assert "all points are equal" in view.complaint
    view.take_file("mine.npy", b"\x93NUMPY nonsense")
    view.run()
    assert view.runner.wait(60)
    assert "mine.npy" in view.complaint
    view.close()


def test_photographs_open_with_the_shipped_study_and_take_an_own_picture():
    view = PhotographsView()
    view.start()
    ds = settled(view)
    assert "At RMSE 0.04: " in view.sentence(ds)
    stream = io.BytesIO()
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(60, 180, (24, 32)).astype(np.uint8)).save(stream, "PNG")
    view.source, view.samples = FILE, 16
    view.take_file("mine.png", stream.getvalue())
    view.run()
    ds = settled(view)
    assert ds.image.shape == (8, 24, 24)
    view.take_file("mine.png", b"no picture")
    view.run()
    assert view.runner.wait(60)
    assert "no readable PNG" in view.complaint
    view.close()
