"""The tour in a real JupyterLab, live, as ``make lab`` starts it: all cells run, sliders answer, nothing leaves."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import watched_pages
from hands import drag
from lab import CONFIG, jupyterlab, open_notebook, run_all

from workbench.rooms import ROOMS

pytestmark = [pytest.mark.ui, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
# A slider of each room's first tab that answers by itself, and where to drag it; any other room: its first one.
SLIDERS = {"flows": "Directions per step", "fisher": "Window of the fit (L)", "steps": "Samples in the batch"}


@pytest.fixture(scope="module")
def tour(browser):
    """The tour, run from top to bottom in a live JupyterLab; afterwards nothing may have left or gone wrong."""
    with jupyterlab() as address, watched_pages(browser, address) as open_page:
        page = open_page("lab")
        open_notebook(page, address)
        run_all(page)
        yield page


def cell_of(page, room):
    """Return the cell that shows a room."""
    return page.locator(".jp-CodeCell").filter(has_text=f'room("{room}")').first


def test_the_tour_runs_live_and_one_slider_of_each_room_answers(tour):
    assert not tour.locator(".jp-OutputArea-output[data-mime-type*='stderr']").filter(has_text="Traceback").count()
    for room in ROOMS:
        cell = cell_of(tour, room)
        sentence = cell.locator(".sentence").first
        sentence.scroll_into_view_if_needed()
        before = sentence.inner_text()
        label = SLIDERS.get(room)
        if label is None:
            cell.locator(".MuiSlider-root input[type=range]").first.focus()
            tour.keyboard.press("ArrowRight")
        else:
            parts = SimpleNamespace(get_by_label=cell.get_by_label, mouse=tour.mouse, evaluate=tour.evaluate)
            drag(parts, label, 0.7)
        # asked anew each time: an answer may put a new node in the place of the sentence
        cell.locator(".sentence").filter(has_not_text=before).first.wait_for(timeout=60_000)
        colour = cell.locator(".MuiSlider-thumb").first.evaluate("e => getComputedStyle(e).backgroundColor")
        assert colour == "rgb(0, 114, 178)"  # the page's blue, not the library's


def test_a_second_tab_of_each_room_opens_with_its_finding(tour):
    for room in ROOMS:
        cell = cell_of(tour, room)
        first = cell.locator(".sentence:visible").first.inner_text()
        cell.get_by_role("tab").nth(1).click()
        found = cell.locator(".sentence:visible").filter(has_not_text=first)
        found.first.wait_for(timeout=60_000)
        assert found.first.inner_text()


def test_nothing_of_the_news_question_or_the_shop_is_left(tour):
    assert not tour.get_by_text("news", exact=False).count()
    assert not tour.get_by_title("Extension Manager").count()


def test_make_lab_starts_with_these_settings():
    recipe = re.search(r"^lab:.*\n\t(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    assert f"JUPYTER_CONFIG_PATH={CONFIG.relative_to(ROOT)}" in recipe[1]
    assert "WORKBENCH_LIVE=1" in recipe[1]
    for path in CONFIG.rglob("*.json"):
        assert json.loads(path.read_text())
