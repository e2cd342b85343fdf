"""The games page in a real browser: verdicts, sliders, the own matrix, the checker, all tabs, phone and dark."""

import json
import re

import pytest
from hands import choose_file, drag

from workbench import data

pytestmark = pytest.mark.ui

PATIENCE = 90_000


def test_first_picture_certificate_and_verdicts(open_page):
    page = open_page("games")
    page.get_by_text(re.compile("CERTIFIED: margin 0.292893")).wait_for(timeout=PATIENCE)
    page.wait_for_selector(".bk-Figure")
    page.get_by_text("34.314575, 1165.6854").wait_for()
    page.get_by_text("What holds, what does not").wait_for()
    page.get_by_text(re.compile("1.006336")).wait_for()


def test_dragging_a_knob_changes_the_verdict(open_page):
    page = open_page("games?tab=contraction")
    page.get_by_text(re.compile("CERTIFIED: margin")).wait_for(timeout=PATIENCE)
    drag(page, "b", 0.98, exact=True)
    page.get_by_text(re.compile("REFUSED: no metric weights")).wait_for(timeout=PATIENCE)
    page.wait_for_function("location.search.includes('knob_2=')")


def test_another_game_brings_its_own_knobs(open_page):
    page = open_page("games?tab=contraction")
    page.get_by_text(re.compile("CERTIFIED: margin")).wait_for(timeout=PATIENCE)
    page.get_by_label("Game", exact=True).first.click()
    page.locator("[role=listbox] li", has_text="Cournot, linear demand").click()
    page.get_by_text(re.compile("a potential game")).wait_for(timeout=PATIENCE)
    page.get_by_text("firms").first.wait_for()
    page.wait_for_function("location.search.includes('game=linear-cournot')")


def test_own_matrix_and_a_bad_one(open_page):
    page = open_page("games?tab=steps&game=own&matrix=2%200.5;%200.1%201")
    page.get_by_text(re.compile("Certified up to")).wait_for(timeout=PATIENCE)
    field = page.get_by_label("Matrix J, rows separated by ;").first
    field.fill("1 x; 0 1")
    field.press("Enter")
    page.get_by_text("holds something that is no number").wait_for()
    assert page.get_by_text(re.compile("Certified up to")).is_visible()


def test_dropping_certificates(open_page, tmp_path):
    page = open_page("games?tab=check")
    page.get_by_text(re.compile("The certificate holds: margin 0.292893")).wait_for(timeout=PATIENCE)
    chooser = page.locator("input[type=file][accept*='.json']").first
    choose_file(page, chooser, data.path("games/cournot.json"), re.compile("The certificate holds: margin 1.147"))
    document = json.loads(data.path("games/toy.json").read_text())
    document["margin"] *= 1.01
    (tmp_path / "forged.json").write_text(json.dumps(document))
    forged = re.compile("Not a proof: the digest does not match")
    choose_file(page, chooser, tmp_path / "forged.json", forged)


def test_downloading_a_certificate(open_page, tmp_path):
    from workbench import games

    page = open_page("games?tab=contraction")
    button = page.get_by_text("Download the certificate (JSON)").first
    page.get_by_text(re.compile("CERTIFIED: margin")).wait_for(timeout=PATIENCE)
    with page.expect_download(timeout=PATIENCE) as waiting:
        button.click()
    path = tmp_path / "certificate.json"
    waiting.value.save_as(path)
    assert games.check(path)


TABS = {
    "weights": "best margin is τ",
    "steps": "Certified up to",
    "rates": "truly stable rates",
    "gains": "Small-gain radius",
    "box": "leaves with one common w",
    "ladder": "Passed:",
    "delays": "never exceeds the certified bound",
}


@pytest.mark.parametrize(("tab", "sentence"), TABS.items())
def test_every_tab_opens_on_a_picture(open_page, tab, sentence):
    page = open_page(f"games?tab={tab}")
    page.get_by_text(re.compile(sentence)).first.wait_for(timeout=PATIENCE)
    page.wait_for_selector(".bk-Figure")


def test_the_trap_is_shown(open_page):
    page = open_page("games?tab=box&game=vertex-trap")
    page.get_by_text(re.compile("The corners look fine, the inside is not")).wait_for(timeout=PATIENCE)


def test_bad_addresses_are_named(open_page):
    page = open_page("games?tab=contraction&game=chess&time=-4")
    page.get_by_text("Game = 'chess'").wait_for(timeout=PATIENCE)
    page = open_page("games?tab=contraction&game=linear-cournot&knob_1=99")
    page.get_by_text("outside 2 to 12").wait_for(timeout=PATIENCE)


@pytest.mark.parametrize("dark", [False, True])
def test_phone_has_no_sideways_scrolling(open_page, dark):
    page = open_page("games", width=390, height=844, dark=dark)
    page.get_by_text(re.compile("CERTIFIED: margin")).wait_for(timeout=PATIENCE)
    page.wait_for_selector(".bk-Figure")
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
