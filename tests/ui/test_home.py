"""The front door: every room is there with a picture and its verdicts, and saved results lead to their rooms."""

import re

import pytest

from workbench import results
from workbench.rooms import ROOMS
from workbench.ui.home import Home, all_verdicts_html, recent_html, room_classes
from workbench.ui.kit import saved


@pytest.fixture(scope="module")
def home():
    return Home()


def test_every_room_has_a_card_with_a_picture(home):
    cards = home.main()[1]
    for room, card in zip(room_classes().values(), cards, strict=True):
        assert f'href="{room.slug}"' in card[0].object
        assert room.purpose in card[0].object
        assert len(card[1]) == 1, "no picture"
        assert card[1].height >= 300


def test_all_verdicts_are_there():
    text = all_verdicts_html()
    for room in room_classes().values():
        rows = list(room.verdicts())
        assert len(rows) >= 4, room.title
        assert {row.outcome.word for row in rows} >= {"holds", "does not hold"}, room.title
        assert f"{room.title}: what holds" in text


def test_a_screen_reader_can_tell_the_tables_apart():
    names = re.findall(r'aria-label="([^"]*)"', all_verdicts_html())
    assert len(names) == len(set(names)) == len(ROOMS)


def test_recent_results_link_to_their_room(monkeypatch, tmp_path):
    monkeypatch.delenv("WORKBENCH_RESULTS", raising=False)
    assert "given no results folder" in recent_html(saved.recent())
    monkeypatch.setenv("WORKBENCH_RESULTS", str(tmp_path))
    assert "is empty" in recent_html(saved.recent())
    from workbench import flows

    x, y = flows.cloud("torus", 30), flows.cloud("cube", 30)
    results.save(flows.gradient_flow(x, y, steps=2), tmp_path / "a & b.nc")
    assert 'href="flows?result=a%20%26%20b.nc">a &amp; b.nc' in recent_html(saved.recent())
