"""The front door: every room is there with a picture and its verdicts, and saved results lead to their rooms."""

import re

import pytest

from workbench import results
from workbench.rooms import ROOMS
from workbench.ui.catalogue import entries, find, found_html, room_classes, verdicts_html
from workbench.ui.home import Home, recent_html
from workbench.ui.kit import saved
from workbench.verdicts import OUTCOMES


@pytest.fixture(scope="module")
def home():
    return Home()


def test_every_room_has_a_card_with_a_picture(home):
    cards = home.main()[3]
    for room, card in zip(room_classes().values(), cards, strict=True):
        assert f'href="{room.slug}"' in card[0].object
        assert room.purpose in card[0].object
        assert len(card[1]) == 1, "no picture"
        assert card[1].height >= 300


def test_all_verdicts_are_there():
    text = verdicts_html()
    for room in room_classes().values():
        rows = list(room.verdicts())
        assert len(rows) >= 4, room.title
        assert {row.outcome.word for row in rows} >= {"holds", "does not hold"}, room.title
        assert f"{room.title}: what holds" in text


def test_a_screen_reader_can_tell_the_tables_apart():
    names = re.findall(r'aria-label="([^"]*)"', verdicts_html())
    assert len(names) == len(set(names)) == len(ROOMS)


def test_what_one_looks_for_is_found_with_its_address():
    by_kind = {}
    for entry in entries():
        by_kind.setdefault(entry.kind, []).append(entry)
    assert set(by_kind) == {"room", "tab", "experiment", "guide"}
    assert [entry.label for entry in by_kind["room"]] == [room.title for room in ROOMS.values()]
    assert len(by_kind["experiment"]) > len(by_kind["tab"]) / 2 > 10
    found = find(entries(), "GRADIENT flow")
    assert any(e.label == "flows.gradient_flow" and e.address == "flows?tab=flow" for e in found)
    assert find(entries(), "no such word anywhere") == []
    assert len(find(entries(), "")) == len(entries())


def test_a_search_shows_links_and_the_rows_that_fit(home):
    home.search = "lattice"
    try:
        assert '<a href="fisher">Fisher</a>' in home._found.object
        assert "<section>" in home._verdicts.object
        shown, known = map(int, re.search(r"(\d+) of (\d+) claims", home._verdicts.object).groups())
        assert 0 < shown < known
        home.search = "<b>bold</b>"
        assert "&lt;b&gt;bold" in home._found.object
        assert "<b>" not in home._found.object
        assert "0 of" in home._verdicts.object
    finally:
        home.search = ""
    assert home._found.object == "" == found_html("  ")


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_verdicts_of_one_outcome(outcome):
    expected = sum(row.outcome.word == outcome for room in room_classes().values() for row in room.verdicts())
    text = verdicts_html(outcome=outcome)
    assert text.count("<tr>") - text.count("<thead>") == expected
    assert f"<p>{expected} of " in text


def test_recent_results_link_to_their_room(monkeypatch, tmp_path):
    monkeypatch.delenv("WORKBENCH_RESULTS", raising=False)
    assert "given no results folder" in recent_html(saved.recent())
    monkeypatch.setenv("WORKBENCH_RESULTS", str(tmp_path))
    assert "is empty" in recent_html(saved.recent())
    from workbench import flows

    x, y = flows.cloud("torus", 30), flows.cloud("cube", 30)
    results.save(flows.gradient_flow(x, y, steps=2), tmp_path / "a & b.nc")
    assert 'href="flows?result=a%20%26%20b.nc">a &amp; b.nc' in recent_html(saved.recent())
