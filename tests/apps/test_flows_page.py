"""The flows page under a hand: the film, sliders, a choice that is refused, an upload."""

import io
import re

import numpy as np
import pytest
from hands import choose_file, drag, until

pytestmark = pytest.mark.ui


def test_the_film_of_the_first_flow_can_be_wound(open_page):
    page = open_page("flows", still=True)
    page.get_by_text(re.compile(r"SW₂² [\d.e+-]+ ± [\d.e+-]+ after 60 steps")).wait_for()
    canvas = page.locator(".cloud canvas").first
    canvas.wait_for()
    canvas.focus()
    page.keyboard.press("Home")
    label = page.locator(".cloud .label").first
    assert label.inner_text().startswith("step 0,")
    first = canvas.screenshot()
    page.keyboard.press("End")
    assert label.inner_text().startswith("step 60,")
    until(page, lambda: canvas.screenshot() != first, "the last step looks like the first")


def test_dragging_the_sliders_flows_anew(open_page):
    page = open_page("flows")
    page.get_by_text(re.compile("after 60 steps")).wait_for()
    drag(page, "Points in each cloud", 0.05)
    drag(page, "Steps", 0.1)
    page.locator(".sentence", has_text=re.compile(r"after (?!60 )\d+ steps")).wait_for()
    page.wait_for_function("location.search.includes('steps=')")
    page.wait_for_function("location.search.includes('n=')")


def test_another_shape_and_a_refusal_that_keeps_the_picture(open_page):
    page = open_page("flows?n=200&steps=10&target=trefoil")
    page.get_by_text(re.compile("after 10 steps")).wait_for()
    page.get_by_text("200 points flow to 200 in 10 steps.").wait_for()
    page.get_by_label("To", exact=True).first.click()
    page.locator("[role=listbox] li", has_text=re.compile("^Disc$")).click()
    page.get_by_text("The clouds lie in 3 and 2 dimensions").wait_for()
    assert page.get_by_text("200 points flow to 200 in 10 steps.").is_visible()


def test_uploading_a_cloud_and_a_false_one(open_page, tmp_path):
    page = open_page("flows?tab=flow&origin=file&n=200&steps=5")
    page.get_by_text("Choose a file for “From”").wait_for()
    stream = io.BytesIO()
    np.save(stream, np.random.default_rng(0).normal(size=(300, 3)))
    (tmp_path / "mine.npy").write_bytes(stream.getvalue())
    (tmp_path / "false.npy").write_bytes(b"this is no array")
    choosers = page.locator("input[type=file][accept*='.npy']")
    choose_file(page, choosers.first, tmp_path / "mine.npy", "200 points flow to 200 in 5 steps.")
    choose_file(page, choosers.first, tmp_path / "false.npy", "false.npy is not a NumPy file")
    assert page.get_by_text("200 points flow to 200 in 5 steps.").is_visible()
