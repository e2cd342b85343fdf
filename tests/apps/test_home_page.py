"""The front door in a real browser: what one looks for is found and opened."""

import pytest

pytestmark = pytest.mark.ui


def test_what_is_typed_is_found_and_opened(open_page):
    page = open_page("home")
    page.get_by_text("claims of papers, judged by numbers").wait_for()
    page.get_by_label("Search rooms").first.click()
    page.keyboard.type("growth torus")
    page.get_by_role("link", name="Fisher: Growth").click()
    page.wait_for_url("**/fisher?tab=growth*")
