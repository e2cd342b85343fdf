"""The games page under a hand: a knob, another game with its knobs, a matrix typed in, certificates dropped."""

import json
import re

import pytest
from hands import choose_file, drag

from workbench import data

pytestmark = pytest.mark.ui


def test_dragging_a_knob_changes_the_verdict_and_another_game_brings_its_own(open_page):
    page = open_page("games?tab=contraction")
    page.get_by_text(re.compile("CERTIFIED: margin 0.292893")).wait_for()
    drag(page, "b", 0.98, exact=True)
    page.get_by_text(re.compile("REFUSED: no metric weights")).wait_for()
    page.wait_for_function("location.search.includes('knob_2=')")
    page.get_by_label("Game", exact=True).first.click()
    page.locator("[role=listbox] li", has_text="Cournot, linear demand").click()
    page.get_by_text(re.compile("a potential game")).wait_for()
    page.get_by_text("firms").first.wait_for()
    page.wait_for_function("location.search.includes('game=linear-cournot')")


def test_own_matrix_and_a_bad_one(open_page):
    page = open_page("games?tab=steps&game=own&matrix=2%200.5;%200.1%201")
    page.get_by_text(re.compile("Certified up to")).wait_for()
    field = page.get_by_label("Matrix J, rows separated by ;").first
    field.fill("1 x; 0 1")
    field.press("Enter")
    page.get_by_text("holds something that is no number").wait_for()
    assert page.get_by_text(re.compile("Certified up to")).is_visible()


def test_dropping_certificates(open_page, tmp_path):
    page = open_page("games?tab=check")
    page.get_by_text(re.compile("The certificate holds: margin 0.292893")).wait_for()
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
    page.get_by_text(re.compile("CERTIFIED: margin")).wait_for()
    with page.expect_download() as waiting:
        button.click()
    path = tmp_path / "certificate.json"
    waiting.value.save_as(path)
    assert games.check(path)
