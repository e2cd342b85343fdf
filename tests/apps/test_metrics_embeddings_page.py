"""The tabs on embeddings in a real browser: an item is clicked, a point dragged, and the link shows it again."""

import re

import pytest
from hands import click_mark, drag_mark

pytestmark = pytest.mark.ui


def test_an_item_is_clicked_and_a_dragged_point_stands_in_the_link(open_page):
    page = open_page("metrics?tab=embeddings")
    page.get_by_text(re.compile(r"Item 20, class \d, is looked at")).first.wait_for()
    other = page.get_by_text(re.compile(r"Item (?!20,)\d+, class \d, is looked at")).first
    click_mark(page, "Unseen classes", ("x", "y"), "7", 30, hit=lambda t: other.wait_for(timeout=t))
    assert "item=" in page.evaluate("location.search")

    page = open_page("metrics?tab=confusion")
    page.get_by_text(re.compile("Energy confusion stands")).first.wait_for()
    kept = "location.search.includes('moves=40_3_0~')"
    drag_mark(page, "Two classes", ("x", "y"), "A", 0, (60, 0), moved=lambda t: page.wait_for_function(kept, timeout=t))
    linked = open_page("metrics" + page.evaluate("location.search"))
    # Marks that lie on each other are dragged together: how many a hand takes is a matter of pixels.
    linked.get_by_text(re.compile(r"\d+ points? ha(s|ve) been moved")).first.wait_for()
