"""The games room without a browser: defaults, knobs, matrices, refusals, the card and the checker."""

import html
import json

import numpy as np
import pytest

from workbench import games
from workbench.progress import Progress
from workbench.ui.games import GamesRoom
from workbench.ui.games.certificate_card import card_html
from workbench.ui.games.check import CheckView, report_html
from workbench.ui.games.choices import OWN, game_of, knobs_of
from workbench.ui.games.contraction import ContractionView
from workbench.ui.kit.upload import Upload


@pytest.mark.parametrize("view_class", GamesRoom.view_classes)
def test_every_view_computes_draws_and_tells(view_class):
    view = view_class()
    inputs = view.values()
    view.check(inputs)
    ds = view.compute(inputs, Progress())
    assert view.experiment_name() in ("", ds.attrs["function"])  # a shipped study is no result that opens in a tab
    view.show(ds)
    assert view.sentence(ds)
    assert view.cost(view.values()).is_quick
    for picture in view.figures:
        assert picture.summary(ds)


def test_knobs_follow_the_game():
    view = ContractionView()
    assert [slider.label for slider in view._knobs] == ["a", "b"]
    view.knob_1 = 5.0
    assert game_of(view.values()) == {"game": "toy", "options": {"a": 5.0, "b": 0.05}}
    assert [slider.value for slider in view._knobs] == [5.0, 0.05]
    view.game = "linear-cournot"
    assert view.knob_1 is None
    assert game_of(view.values()) == {"game": "linear-cournot", "options": {"firms": 2, "b": 1.0}}
    assert isinstance(game_of(view.values())["options"]["firms"], int)
    with pytest.raises(ValueError, match="outside 2 to 12"):
        game_of({**view.values(), "knob_1": 99})
    for name in games.GALLERY:
        assert all(low <= default <= high for low, high, default in knobs_of(name).values())
        assert games.resolve(name, {knob: bounds[2] for knob, bounds in knobs_of(name).items()})


def test_own_matrix():
    view = ContractionView()
    view.game, view.matrix = OWN, "1 0.5\n0.2 1"
    ds = view.compute(view.values(), Progress())
    assert ds.attrs["status"] == "CERTIFIED"
    other = ContractionView()
    other.show(ds)
    assert other.game == OWN
    assert games.parse_matrix(other.matrix).tolist() == [[1.0, 0.5], [0.2, 1.0]]
    for text, message in (("1 2", "give a square matrix"), ("1 x; 0 1", "no number"), ("", "1 to 40 rows")):
        view.matrix = text
        view.run()
        assert message in view.complaint


def test_saved_results_bring_their_game():
    view = ContractionView()
    view.show(games.portrait("linear-bertrand", {"firms": 3, "c": 0.5}, frames=5, arrows=3))
    assert (view.game, view.knob_1, view.knob_2) == ("linear-bertrand", 3, 0.5)
    assert [slider.value for slider in view._knobs] == [3, 0.5]


def test_card_tells_verdict_and_numbers():
    good = json.loads(games.certify(games.GALLERY["toy"]().game).to_json())
    text = card_html(good)
    assert "CERTIFIED" in text
    assert "0.29289322" in text
    bad = card_html(json.loads(games.certify(games.GALLERY["bilinear"]().game).to_json()))
    assert "REFUSED" in bad
    assert "<script>" not in card_html({**good, "reason": "<script>"})


def test_checking_a_dropped_certificate():
    view = CheckView()
    text = games.certify(games.GALLERY["linear-bertrand"]().game).to_json()
    view.take("good.json", text.encode())
    ds = view.compute(view.values(), Progress())
    assert bool(ds.valid)
    assert "holds" in view.sentence(ds)
    shown = report_html(ds)
    for sentence in (*games.verify(text).proves, *games.verify(text).not_proved):
        assert html.escape(sentence) in shown
    view.take("bad.json", text.replace("0.4", "0.5", 1).encode())
    bad = view.compute(view.values(), Progress())
    assert not bool(bad.valid)
    assert "digest" in view.sentence(bad)
    assert "Not a proof" in report_html(bad)
    assert "This proves" not in report_html(bad)
    refusal = games.certify(games.GALLERY["bilinear"]().game).to_json()
    assert "witness" in view.sentence(view.compute({"certificate": Upload("r.json", refusal.encode())}, Progress()))
    view.take("large.json", b" " * (17 * 2**20))
    assert "16 MiB" in view.complaint


def test_room_keeps_its_state_in_the_address():
    room = GamesRoom()
    room.read_address("?tab=weights&game=mix&knob_2=0.25&alpha=0.01")
    assert room.view.slug == "weights"
    assert (room.view.game, room.view.knob_2) == ("mix", 0.25)
    assert room.state()["knob_2"] == "0.25"
    assert [slider.value for slider in room.view._knobs][1] == 0.25
    room.read_address("?tab=weights&game=chess")
    assert "chess" in room.notice
    assert np.isfinite(room.view.alpha)
