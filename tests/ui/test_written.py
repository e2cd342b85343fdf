"""What a hand has changed stands in the address: written and read back to the last bit, refused in words otherwise."""

import contextlib

import param
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import shapes
from workbench.metrics import signals
from workbench.ui.fields.canvas import FieldsView
from workbench.ui.kit import url
from workbench.ui.kit.written import LONGEST_WRITTEN, Written, lists_of, moves_in_letters, moves_of
from workbench.ui.metrics.confusion import ConfusionView
from workbench.ui.metrics.rankings import RankingsView
from workbench.ui.metrics.room import MetricsRoom
from workbench.ui.metrics.signals import SignalsView
from workbench.ui.shapes.fits import FitsView
from workbench.ui.shapes.graphs import GraphsView

number = st.floats(-1e6, 1e6)
BY_HAND = ((RankingsView, "moves"), (ConfusionView, "moves"), (SignalsView, "drawn"), (GraphsView, "drawn"))


def linked(view, names):
    """Return another view of the kind, as a link to this one opens it."""
    state = url.read_state(url.query(url.write_state(view, names)))
    other = type(view)()
    assert url.apply_state(other, names, state) == []
    return other


@given(
    of=st.tuples(st.integers(1, 500), number),
    moves=st.dictionaries(st.integers(0, 499), st.tuples(number, number), min_size=1, max_size=20),
)
@settings(max_examples=60)
def test_moves_are_read_as_they_were_written(of, moves):
    kept = tuple(sorted((item, place) for item, place in moves.items() if item < of[0]))
    if kept:
        assert moves_of(moves_in_letters((of, kept)), settings=2, places=2) == (of, kept)


@given(st.text(alphabet="0123456789_~-.e+∞nainfx ", max_size=60))
@settings(max_examples=100)
def test_whatever_the_address_says_is_taken_or_refused_in_words(text):
    for view, name in BY_HAND:
        with contextlib.suppress(ValueError):
            value = view.param[name].read(text)
            assert view.param[name].read(view.param[name].write(value)) == value


@pytest.mark.parametrize(
    ("view", "name", "text", "words"),
    [
        (RankingsView, "moves", "200_0.1_1.8_0.7_1_0", "then moves, each behind a ~"),
        (RankingsView, "moves", "200_0.1~3_0.5", "must hold 6 settings"),
        (RankingsView, "moves", "200_0.1_1.8_0.7_1_0~200_0.5", "whole numbers from 0 to 199"),
        (RankingsView, "moves", "200_0.1_1.8_0.7_1_0~1.5_0.5", "whole numbers"),
        (RankingsView, "moves", "200_0.1_1.8_0.7_1_0~3_0.5~3_0.6", "each named once"),
        (RankingsView, "moves", "200_0.1_1.8_0.7_1_0~3_0.5_0.6", "an item and 1 number"),
        (RankingsView, "moves", "200_0.1_1.8_0.7_1_0~3_nan", "'nan' is no number"),
        (RankingsView, "moves", "200_0.1_1.8_0.7_1_0~3_1e300", "beyond 1e\\+06"),
        (ConfusionView, "moves", "40_3_0~80_0.5_1", "whole numbers from 0 to 79"),
        (SignalsView, "drawn", "three~1", "there is no example 'three'"),
        (SignalsView, "drawn", "two-bumps~1~0~1~0", "it must hold weights, means"),
        (SignalsView, "drawn", "two-bumps~1~0~1~0_0_0~1_1_1", "it must hold weights, means"),
        (SignalsView, "drawn", "two-bumps~1~200~1~0~1", "beyond ±100"),
        (SignalsView, "drawn", "two-bumps~1~0~1e-6~0~1", "standard deviations go from 0.001"),
        (SignalsView, "drawn", "two-bumps~0.5_0.6~0_1~1_1~0~1", "sum"),
        (SignalsView, "drawn", "paper~1~0_0~1_2_1~0_0~1_1", "positive"),
        (SignalsView, "drawn", f"two-bumps~{'_'.join(['0.025'] * 40)}~{'_'.join('0' * 40)}~{'_'.join('1' * 40)}~0~1",
         "up to 32"),
        (GraphsView, "drawn", "heptagon~0_0", "there is no graph 'heptagon'"),
        (GraphsView, "drawn", "isosceles~0_0", "vertices of two coordinates"),
        (GraphsView, "drawn", "isosceles~" + "1" * (LONGEST_WRITTEN + 1), "letters; up to"),
    ],
)  # fmt: skip
def test_what_no_hand_has_made_is_refused_and_told(view, name, text, words):
    with pytest.raises(ValueError, match=words):
        view.param[name].read(text)
    target = view()
    (complaint,) = url.apply_state(target, [name], {name: text})
    assert f"of {target.param[name].label} cannot be taken" in complaint
    assert getattr(target, name) == target.param[name].default


def test_vertices_upon_each_other_are_refused():
    places = [tuple(row) for row in shapes.planar_graph("isosceles").vertices.tolist()]
    places[1] = (places[0][0] + 1e-9, places[0][1])
    with pytest.raises(ValueError, match="at one place"):
        GraphsView.param["drawn"].read("isosceles~" + "~".join(f"{x!r}_{y!r}" for x, y in places))


def test_a_link_shows_the_ranking_that_the_hand_has_left():
    view = RankingsView(n=60)
    view._change({3: 0.123456, 17: 0.5})
    other = linked(view, ("n", "moves"))
    assert other.moves == view.moves
    assert other.arguments(other.values())["scores"].tolist() == view.arguments(view.values())["scores"].tolist()


def test_more_moves_than_an_address_holds_are_left_out_and_told():
    view = RankingsView(n=300)
    view._change({item: 0.1 + item / 3e3 for item in range(290)})
    assert not view.param.moves.fits(view.moves)
    assert "moves" not in url.write_state(view, ["moves"])
    view.start()
    assert view.runner.wait(60)
    assert "290 items have been moved: more than the page's address can hold." in view._strip_in_words(view.result)


@pytest.mark.parametrize("example", ["two-bumps", "paper", "ring"])
def test_a_link_shows_the_bumps_that_were_dragged(example):
    view = SignalsView(example=example)
    for item, x, y in ((10, 0.3, 0.7), (11, -1.234, 0.5), (12, 0.1, 0.9), (0, 3.3, -1.0)):
        if item != 12 or example != "two-bumps":
            view.move(item, x, y)
    other = linked(view, ("example", "drawn"))
    assert other.drawn == view.drawn
    assert other.state() == view.state()
    wide = signals.dragged(signals.dragged(view.state(), 11, 60.0, 0.0), 11, 0.0, 0.0)
    view.drawn = (example, *wide)  # at both bounds of a width
    assert linked(view, ("example", "drawn")).state() == view.state()


def test_a_link_shows_the_points_and_the_vertices_that_were_dragged():
    points = ConfusionView(count=5)
    points.move(7, 0.12345, -3.0)
    assert linked(points, ("count", "moves")).moves == points.moves
    graph = GraphsView()
    graph.move(1, 0.4, 0.2)
    assert linked(graph, ("graph", "drawn")).drawn == graph.drawn


def test_a_link_shows_the_box_and_the_centres_that_were_dragged():
    fits = FitsView()
    fits.move(1, 0.5, 0.25)
    assert linked(fits, ("box",)).box == fits.box == (-0.15, -0.15, 0.5, 0.25)
    for text, words in (("0_0_1", "a box is"), ("0.5_0_0.1_1", "below its high one"), ("0_0_1_2", r"within ±1")):
        with pytest.raises(ValueError, match=words):
            fits.param.box.read(text)
    law = FieldsView()
    law.move(0, 0.5, -0.25)
    assert law.centres
    assert linked(law, ("centres",)).centres == law.centres
    for text, words in (
        ("none~0_0", "there is no law"),
        ("two-blobs~0_0", "centres of shape"),
        ("two-blobs~0_0_0~1_1_1", "two coordinates"),
        ("two-blobs~0_0~9e5_0", "from the middle"),
    ):
        with pytest.raises(ValueError, match=words):
            law.param.centres.read(text)


def test_the_room_reads_and_writes_it():
    room = MetricsRoom()
    room.read_address("?tab=signals&drawn=two-bumps~0.5_0.5~-2_1~0.25_0.25~-2~2")
    assert room.notice == ""
    assert room.view.state().means == ((-2.0,), (1.0,))
    assert room.state() == {"tab": "signals", "drawn": "two-bumps~0.5_0.5~-2_1~0.25_0.25~-2~2"}
    room.read_address("?tab=signals&drawn=two-bumps~9")
    assert "What the address says of the bumps and points dragged by hand cannot be taken" in room.notice
    room.close()


def test_other_values_keep_their_own_bound():
    class Plain(param.Parameterized):
        text = param.String("")
        own = Written((), write=str, read=lists_of, label="things")

    (complaint,) = url.apply_state(Plain(), ["text"], {"text": "x" * 500})
    assert "not allowed" in complaint
