"""The fisher page in a real browser: first pictures, dragged sliders, announced cost, refusals, address, phone."""

import re

import pytest
from hands import drag

pytestmark = pytest.mark.ui


def test_the_window_slider_changes_the_fit(open_page):
    page = open_page("fisher")
    page.get_by_text("Least squares over L = 6…9 gives the exponent 1.1115").wait_for()
    page.wait_for_selector(".bk-Figure")
    page.get_by_text("What holds, what does not").wait_for()
    page.get_by_text(re.compile(r"1\.1111 is rejected: 3 consecutive pairs")).wait_for()
    edge = page.locator("input[type=range]").nth(2)  # the upper end of the window
    edge.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.get_by_text("Least squares over L = 6…12").wait_for()
    page.wait_for_function("location.search.includes('window')")


def test_a_large_size_is_announced_and_a_small_one_refused(open_page):
    page = open_page("fisher?extra=200")
    page.get_by_text(re.compile(r"This run: about \d+ (s|min), 4\.\d GB")).wait_for()
    page = open_page("fisher?extra=2")
    page.get_by_text("every bond is doubled").wait_for()


def test_the_identity_answers_a_dragged_slider(open_page):
    page = open_page("fisher?tab=identity")
    page.get_by_text("In 24 random tensors").wait_for()
    drag(page, "Random tensors", 0.5)
    page.get_by_text(re.compile(r"In (9|10|11)\d random tensors")).wait_for()


@pytest.mark.parametrize(
    ("tab", "sentence"),
    [
        ("metric", "The metric's eigenvalues run from 0.2595 to 4.755"),
        ("across", "falls monotonically"),
        ("live", "samples from each chain"),
        ("models", "the paper predicts 1.1379"),
    ],
)
def test_every_tab_opens_with_a_result(open_page, tab, sentence):
    page = open_page(f"fisher?tab={tab}")
    page.get_by_text(re.compile(re.escape(sentence))).first.wait_for()
    page.wait_for_selector(".bk-Figure")


def test_bad_addresses_are_named_and_a_phone_does_not_scroll_sideways(open_page):
    page = open_page("fisher?tab=metric&L=2", width=390, height=844, dark=True)
    page.get_by_text("which is not allowed (3 to 128)").wait_for()
    page.wait_for_selector(".bk-Figure")
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_live_lattice_runs_before_the_eyes(open_page):
    page = open_page("fisher?tab=live")
    page.get_by_text("after 1,024 samples from each chain").wait_for()
    drag(page, "Seed", 0.02)
    page.get_by_text(re.compile(r"This run: about")).wait_for()
    page.get_by_role("button", name="Run").click()
    page.get_by_text(re.compile(r"sample \d")).first.wait_for()
    page.get_by_role("button", name="Run").wait_for()
