"""The flows page in a real browser: the film, sliders, refusals, uploads, all tabs, phone and dark."""

import io
import re

import numpy as np
import pytest
from hands import choose_file, drag

from workbench import results

pytestmark = pytest.mark.ui

SENTENCE = re.compile(r"SW₂² [\d.e+-]+ ± [\d.e+-]+ after \d+ steps")
PATIENCE = 90_000  # the first run in a fresh checkout compiles the kernel


def test_the_first_flow_is_there_at_once_and_plays(open_page):
    page = open_page("flows")
    page.get_by_text(re.compile("after 60 steps")).wait_for()
    canvas = page.locator(".cloud canvas").first
    canvas.wait_for()
    page.wait_for_selector(".bk-Figure")
    canvas.focus()
    page.keyboard.press("Home")
    label = page.locator(".cloud .label").first
    assert label.inner_text().startswith("step 0,")
    first = canvas.screenshot()
    page.keyboard.press("End")
    page.wait_for_timeout(300)
    assert label.inner_text().startswith("step 60,")
    assert canvas.screenshot() != first
    page.get_by_text("What holds, what does not").wait_for()
    page.get_by_text(re.compile("Gaussian control variates reduce the error")).wait_for()


def test_dragging_the_sliders_flows_anew(open_page):
    page = open_page("flows")
    page.get_by_text(re.compile("after 60 steps")).wait_for()
    drag(page, "Points in each cloud", 0.05)
    drag(page, "Steps", 0.1)
    page.get_by_text(re.compile(r"after (?!60 )\d+ steps")).wait_for(timeout=PATIENCE)
    page.wait_for_function("location.search.includes('steps=')")
    page.wait_for_function("location.search.includes('n=')")


def test_another_shape_and_a_refusal_that_keeps_the_picture(open_page):
    page = open_page("flows?n=200&steps=10&target=trefoil")
    page.get_by_text(re.compile("after 10 steps")).wait_for(timeout=PATIENCE)
    page.get_by_text("200 points flow to 200 in 10 steps.").wait_for()
    page.get_by_label("To", exact=True).first.click()
    page.locator("[role=listbox] li", has_text=re.compile("^Disc$")).click()
    page.get_by_text("The clouds lie in 3 and 2 dimensions").wait_for()
    assert page.get_by_text("200 points flow to 200 in 10 steps.").is_visible()


def test_a_bad_address_is_named(open_page):
    page = open_page("flows?tab=flow&method=guesswork&n=10")
    page.get_by_text("Estimator = 'guesswork'").wait_for()
    page.get_by_text(re.compile("50 to 5000")).wait_for()


def test_uploading_a_cloud_and_a_false_one(open_page, tmp_path):
    page = open_page("flows?tab=flow&origin=file&n=200&steps=5")
    page.get_by_text("Choose a file for “From”").wait_for()
    page.get_by_role("button", name="Play").first.wait_for()
    stream = io.BytesIO()
    np.save(stream, np.random.default_rng(0).normal(size=(300, 3)))
    (tmp_path / "mine.npy").write_bytes(stream.getvalue())
    (tmp_path / "false.npy").write_bytes(b"this is no array")
    choosers = page.locator("input[type=file][accept*='.npy']")
    choose_file(page, choosers.first, tmp_path / "mine.npy", "200 points flow to 200 in 5 steps.")
    choose_file(page, choosers.first, tmp_path / "false.npy", "false.npy is not a NumPy file")
    assert page.get_by_text("200 points flow to 200 in 5 steps.").is_visible()


def test_the_netcdf_holds_the_flow(open_page, tmp_path):
    page = open_page("flows")
    page.get_by_text(SENTENCE).wait_for()
    with page.expect_download() as caught:
        page.get_by_text("NetCDF", exact=True).first.click()
    path = tmp_path / "flow.nc"
    caught.value.save_as(path)
    flow = results.open(path)
    assert flow.attrs["function"] == "workbench.flows.gradient_flow"
    assert flow.positions.shape == (61, 1000, 3)


@pytest.mark.parametrize(
    ("tab", "text"),
    [
        ("compare", re.compile("has the smallest error")),
        ("directions", re.compile("This draw of 100 directions estimates")),
        ("colours", re.compile("SW₂² of the palettes fell from")),
        ("paper", re.compile(r"Exact W₂² at step 3000 \(mean")),
    ],
)
def test_every_tab_opens_on_a_result(open_page, tab, text):
    page = open_page(f"flows?tab={tab}")
    page.get_by_text(text).wait_for(timeout=PATIENCE)
    page.wait_for_selector(".bk-Figure")


def test_a_phone_in_the_dark(open_page):
    page = open_page("flows", width=390, height=844, dark=True)
    page.get_by_text(SENTENCE).wait_for()
    page.locator(".cloud canvas").first.wait_for()
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")
