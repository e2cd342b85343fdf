"""The tab of correspondences in a real browser: both surfaces stand, and the hand follows a point."""

import re

import pytest
from hands import drag_mark

pytestmark = pytest.mark.ui


def test_a_point_is_followed_by_hand(open_page):
    page = open_page("shapes?tab=correspondences", height=1700)  # the marks must be on the screen
    page.get_by_text(re.compile(r"Mean geodesic error \d\.\d+ .*this basis allows")).first.wait_for()
    page.get_by_text(re.compile("Vertex 0 of Y goes to vertex")).first.wait_for()

    def moved(milliseconds):
        page.wait_for_function("location.search.includes('probe=')", timeout=milliseconds)

    drag_mark(page, "The map, seen flat", ("x", "y"), "probe", 0, (-60, -40), moved=moved)
    page.get_by_text(re.compile("Vertex [1-9][0-9]* of Y goes to vertex")).first.wait_for()
