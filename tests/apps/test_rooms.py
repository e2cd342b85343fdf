"""Every room there is: all tabs on a wide screen and on a dark phone, and axe-core as their reader."""

import re

import pytest
from hands import at_rest

from workbench.rooms import ROOMS

pytestmark = pytest.mark.ui

PICTURE = "canvas, table"


def tabs_of(page):
    """Open the tabs of a room's page one after the other; yields each once its finding and its picture are there."""
    from playwright.sync_api import expect

    tabs, panel = page.get_by_role("tab"), page.locator(".MuiTabsPanel").filter(visible=True)
    tabs.first.wait_for()
    told = ""
    for k, tab in enumerate(tabs.all()):
        address = page.evaluate("location.search")
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        sentence = panel.locator(".sentence")
        expect(sentence).to_have_text(re.compile(r"\w+ .*\w"))
        expect(sentence).not_to_have_text(told)
        panel.locator(PICTURE).filter(visible=True).first.wait_for()
        if k:
            page.wait_for_function("before => location.search !== before", arg=address)
        told = sentence.inner_text()
        yield tab.inner_text()


def opens_well(page):
    """Open the tabs of a room one after the other, each must have a name of its own and fit the screen; yields them."""
    seen = []
    for tab in tabs_of(page):
        page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")
        assert not page.get_by_role("alert").filter(visible=True).all_inner_texts()
        seen.append(tab)
        yield tab
    assert len(set(seen)) == len(seen) >= 1
    page.get_by_text("What holds, what does not").wait_for()


@pytest.mark.slow
@pytest.mark.parametrize("room", ROOMS)
def test_every_tab_opens_with_its_finding_on_a_dark_phone(open_page, room):
    assert list(opens_well(open_page(room, width=390, height=844, dark=True)))


def complaints_of_axe(page):
    """Read the page as a screen reader's user would have it read; returns axe's complaints as sentences."""
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import expect

    expect(page.locator(".MuiToolbar-root > h5:not([role])").filter(has_not_text=re.compile(r"\S"))).to_have_count(0)
    at_rest(page)
    found = Axe().run(page).response["violations"]
    told = [f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:200]}" for one in found]
    serious = [line for line, one in zip(told, found, strict=True) if one["impact"] in ("serious", "critical")]
    return told, serious


PAGES = [("demo", True), ("home", True), *((name, False) for name in ("home", *ROOMS))]


@pytest.mark.parametrize(("name", "dark"), PAGES)
def test_pages_can_be_read_by_all(open_page, name, dark):
    """Fewer than five of axe-core's rules may complain, none of them seriously; all tabs in both lights are slow."""
    page = open_page(name, dark=dark, still=True)
    page.locator("h1").wait_for()
    page.locator("canvas").first.wait_for()
    assert not page.get_by_role("alert").filter(visible=True).all_inner_texts()
    told, serious = complaints_of_axe(page)
    assert not serious, "\n".join(serious)
    assert len(told) < 5, "\n".join(told)


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("room", ROOMS)
def test_every_tab_opens_with_its_finding_and_can_be_read_by_all(open_page, room, dark):
    from playwright.sync_api import expect

    page = open_page(room, dark=dark, still=True)
    for tab in opens_well(page):
        # a result that is made whole meanwhile lights its buttons up: their colours are on the way for a moment
        expect(page.locator(".sentence").filter(visible=True, has_text="to follow …")).to_have_count(0)
        _, serious = complaints_of_axe(page)
        assert not serious, f"{tab}:\n" + "\n".join(serious)
