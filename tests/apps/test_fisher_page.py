"""The fisher page under a hand: keys on a slider, a drag, a lattice that runs before the eyes, two Gaussians."""

import re

import pytest
from hands import drag, drag_mark

pytestmark = pytest.mark.ui


def test_arrow_keys_on_the_window_change_the_fit_and_the_address(open_page):
    page = open_page("fisher")
    page.get_by_text("Least squares over L = 6…9 gives the exponent 1.1115").wait_for()
    edge = page.locator("input[type=range]").nth(2)  # the upper end of the window
    edge.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.get_by_text("Least squares over L = 6…12").wait_for()
    page.wait_for_function("location.search.includes('window')")


def test_the_identity_answers_a_dragged_slider(open_page):
    page = open_page("fisher?tab=identity")
    page.get_by_text("In 24 random tensors").wait_for()
    drag(page, "Random tensors", 0.5)
    page.get_by_text(re.compile(r"In (9|10|11)\d random tensors")).wait_for()


def test_the_live_lattice_runs_before_the_eyes(open_page):
    page = open_page("fisher?tab=live&seed=20")
    page.get_by_text(re.compile(r"This run: about")).wait_for()
    page.get_by_role("button", name="Run").click()
    page.get_by_text(re.compile(r"sample \d")).first.wait_for()
    page.get_by_role("button", name="Run").wait_for()
    page.get_by_text("after 1,024 samples from each chain").wait_for()


def test_a_gaussian_follows_the_hand(open_page):
    page = open_page("fisher?tab=pairs")
    page.get_by_text("At N = ∞ this pair has K = 0.4562").wait_for()

    def moved(patience):
        page.wait_for_function("location.search.includes('mean_1')", timeout=patience)

    drag_mark(page, "Two Gaussians, as mean and deviation", ("mean", "deviation"), "handles", 1, (40, 30), moved=moved)
    page.locator(".sentence", has_text=re.compile(r"this pair has K = (?!0\.4562)\d")).wait_for()
