"""The metrics room in a real browser: items of a ranking, its threshold and the bumps of a density are dragged."""

import re

import pytest
from hands import drag_mark

pytestmark = pytest.mark.ui

STRIP = ("The ranking", ("score", "row"))


def test_items_and_threshold_are_dragged_and_a_mistake_is_mended(open_page):
    page = open_page("metrics?tab=rankings")
    page.get_by_text(re.compile(r"AUROC 0\.888 ± 0\.040, AP 0\.625")).first.wait_for()
    page.get_by_text(re.compile("Drag any item")).first.wait_for()
    fired = "location.search.includes('fired=')"
    drag_mark(page, *STRIP, "threshold", 0, (-150, 0), moved=lambda t: page.wait_for_function(fired, timeout=t))
    one = page.get_by_text(re.compile(r"\d+ items? ha(s|ve) been moved")).first
    drag_mark(page, *STRIP, "positive, A", 0, (-120, 0), moved=lambda t: one.wait_for(timeout=t))
    page.get_by_role("button", name="Mend the best by AP").click()
    page.get_by_text(re.compile(r"[23] items have been moved")).first.wait_for()
    page.get_by_role("button", name="Take all back").click()
    page.get_by_text(re.compile(r"AUROC 0\.888 ± 0\.040, AP 0\.625")).first.wait_for()


def test_a_bump_is_dragged_and_the_distance_follows(open_page):
    page = open_page("metrics?tab=signals")
    page.get_by_text(re.compile(r"a to b: IEM 1\.734")).first.wait_for()
    changed = page.get_by_text(re.compile(r"a to b: IEM (?!1\.734)")).first
    drag_mark(page, "The density: drag", ("x", "y"), "bumps", 1, (-60, 0), moved=lambda t: changed.wait_for(timeout=t))
    page.get_by_role("button", name="Take all back").click()
    page.get_by_text(re.compile(r"a to b: IEM 1\.734")).first.wait_for()
