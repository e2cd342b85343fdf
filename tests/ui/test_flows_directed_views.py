"""The tab “Where they differ” without a browser: first picture, the hand, the sentence, refusals, uploads, address."""

import io

import numpy as np
import pytest

from workbench import flows
from workbench.progress import Progress
from workbench.ui.flows import FlowsRoom
from workbench.ui.flows.sphere import Sphere
from workbench.ui.flows.where import WhereView
from workbench.ui.kit.choices.clouds import CloudFile


@pytest.fixture
def view():
    view = WhereView()
    view.start()
    yield view
    view.close()


def test_the_first_result_is_shipped_and_quick(view):
    assert view.result.attrs["function"] == "workbench.flows.directed_slices"
    assert view.experiment_name() == "workbench.flows.directed_slices"
    assert view.cost(view.values()).seconds < 1
    told = view.sentence(view.result)
    ratio = float(view.result.max_sw2 / view.result.sw2)
    assert f"the largest slice is {ratio:.3f} × SW₂², certified within 1e-06" in told
    assert "the best axis sees 1.048 × SW₂²" in told
    for picture in view.figures:
        assert picture.summary(view.result)
        assert picture.figure(view.result)


def test_the_axis_follows_the_hand_and_the_sentence_follows_the_axis(view):
    before = view.sentence(view.result)
    view.move(np.array([0.0, 1.0, 0.0]))
    assert (view.follow, view.longitude, view.latitude) == (False, 90.0, 0.0)
    after = view.sentence(view.result)
    expected = flows.directed_at(view.result, 1.0, [0, 1, 0])[0] / float(view.result.sw2)
    assert f"this axis sees {expected:.3f} × SW₂², the best one 1.048" in after
    assert after != before
    shown = view._shown[0]._sphere._canvas
    np.testing.assert_allclose(shown.axis, [0, 1, 0], atol=1e-12)
    wide = shown.cap
    view.log_kappa = 2.0
    assert shown.cap < wide
    assert "At κ = 100 this axis sees about" in view.sentence(view.result)
    shown.wish_best += 1
    assert view.follow
    np.testing.assert_allclose(shown.axis, shown.best)


def test_what_the_browser_says_is_checked(view):
    canvas = view._shown[0]._sphere._canvas
    for value in ([1, 2], ["a", 0, 0], [0, 0, 0], [float("nan"), 0, 1], [1e300, 0, 0]):
        canvas.picked = value
        assert view.follow
    canvas.picked = [0.0, 0.0, -2.0]
    assert not view.follow
    assert view.latitude == -90


def test_the_sphere_shows_the_map_once_for_each_result():
    moved = []
    sphere = Sphere(moved.append, lambda: None)
    costs, way, top = np.arange(12.0).reshape(3, 4), np.eye(3)[:2], np.eye(3)[2]
    first = object()
    sphere.show(costs, way=way, top=top, of=first)
    sphere.show(costs, way=way, top=top, of=first)
    assert sphere._canvas.version == 1
    assert len(sphere._canvas.texture) == 36
    sphere.show(costs, way=way, top=top, of=object())
    assert sphere._canvas.version == 2
    sphere._canvas.picked = [3.0, 0.0, 4.0]
    np.testing.assert_allclose(moved[0], [0.6, 0, 0.8])


def test_flat_clouds_are_refused_in_words(view):
    kept = view.result
    view.param.update(origin="disc", target="square")
    assert "2 dimensions; this sphere is drawn for 3" in view.complaint
    assert view.result is kept


def test_a_cloud_of_ones_own():
    stream = io.BytesIO()
    np.save(stream, np.random.default_rng(0).normal(size=(300, 3)) * [1, 2, 5])
    view = WhereView()
    inputs = view.values() | {"origin": "file", "origin_file": CloudFile("mine.npy", stream.getvalue()), "n": 100}
    view.check(inputs)
    ds = view.compute(inputs, Progress())
    view.show(ds)
    assert "certified" in view.sentence(ds)
    flat = io.BytesIO()
    np.save(flat, np.zeros((30, 2)) + np.arange(30)[:, None])
    with pytest.raises(ValueError, match=r"2 dimensions|dimensions"):
        view.compute(inputs | {"origin_file": CloudFile("flat.npy", flat.getvalue())}, Progress())


def test_equal_clouds_are_told_as_such():
    stream = io.BytesIO()
    np.save(stream, np.random.default_rng(0).normal(size=(50, 3)))
    same = CloudFile("mine.npy", stream.getvalue())
    view = WhereView()
    inputs = view.values() | {"origin": "file", "origin_file": same, "target": "file", "target_file": same, "n": 50}
    ds = view.compute(inputs, Progress())
    view.show(ds)
    assert view.sentence(ds)


def test_the_address_holds_the_axis():
    room = FlowsRoom()
    room.read_address("?tab=where&log_kappa=1.5&follow=false&longitude=30&latitude=-45")
    assert room.view.slug == "where"
    assert (room.view.log_kappa, room.view.follow, room.view.longitude) == (1.5, False, 30)
    room.read_address("?tab=where&log_kappa=99")
    assert "log₁₀ κ" in room.notice
    room.close()
