"""The parts that all pages share, in a real browser: sliders, cancel, address, downloads, dark mode, phone, viewer."""

import io
import re

import numpy as np
import pytest
from hands import choose_file, drag, frames, until
from PIL import Image

from workbench import results

pytestmark = pytest.mark.ui


def test_a_dragged_slider_changes_picture_sentence_and_address(open_page):
    page = open_page("demo")
    page.get_by_text("One period takes 1.000 s.").wait_for()
    page.wait_for_selector(".bk-Figure")
    drag(page, "frequency", 0.5)
    page.get_by_text(re.compile(r"One period takes 0\.1\d\d s")).wait_for()
    page.wait_for_function("location.search.includes('frequency=5')")


def test_long_work_is_announced_and_can_be_cancelled(open_page):
    page = open_page("demo?seconds=300")
    page.get_by_text("This run: about 5 min, 3.0 GB.").wait_for()
    page.get_by_role("button", name="Run").click()
    page.get_by_text(re.compile("sample 0")).wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Run").wait_for()


def test_a_bad_address_is_named(open_page):
    page = open_page("demo?tab=sine&frequency=1e99")
    page.get_by_text("which is not allowed (0.5 to 10); using 1.0 instead").wait_for()


def test_refusal_keeps_the_page(open_page):
    page = open_page("demo?shape=square")
    page.get_by_text("choose sine").wait_for()


def test_the_netcdf_download_opens(open_page, tmp_path):
    page = open_page("demo")
    page.get_by_text("One period takes 1.000 s.").wait_for()
    with page.expect_download() as caught:
        page.get_by_text("NetCDF", exact=True).click()
    path = tmp_path / "result.nc"
    caught.value.save_as(path)
    assert float(results.open(path).frequency) == 1.0


def test_an_uploaded_result_is_shown_and_a_false_one_refused(open_page, tmp_path):
    from demo_room import sine

    path = results.save(sine(4.0), tmp_path / "four.nc")
    page = open_page("demo")
    page.get_by_text("One period takes 1.000 s.").wait_for()
    chooser = page.locator("input[type=file]")
    choose_file(page, chooser, path, "One period takes 0.250 s.")
    (tmp_path / "false.nc").write_bytes(b"not a file of that kind")
    choose_file(page, chooser, tmp_path / "false.nc", "false.nc is not a NetCDF-4 file")
    assert page.get_by_text("One period takes 0.250 s.").is_visible()


def test_a_phone_sees_the_page_and_opens_the_sidebar_when_it_wants(open_page):
    page = open_page("demo", width=390, height=844, dark=True)
    page.wait_for_selector(".bk-Figure")
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")
    slider = page.locator(".MuiSlider-root").first
    assert not slider.is_visible()
    page.locator("header button").first.click()
    slider.wait_for()


# Notes every colour that the page's background takes, from the first frame on.
COLOURS = """() => {
  window.colours = []
  const look = () => {
    const colour = document.body && getComputedStyle(document.body).backgroundColor
    if (colour && colour !== window.colours.at(-1)) window.colours.push(colour)
    requestAnimationFrame(look)
  }
  look()
}"""


@pytest.mark.parametrize(
    ("address", "colours"),
    [
        ("demo", ["rgb(18, 18, 18)"]),
        ("demo?theme=dark", ["rgb(18, 18, 18)"]),
        ("demo?theme=default", ["rgb(255, 255, 255)"]),
    ],
)
def test_a_page_has_its_colours_from_the_first_frame(open_page, address, colours):
    page = open_page("demo", dark=True)
    page.add_init_script(f"({COLOURS})()")
    page.goto(page.url.rsplit("/", 1)[0] + f"/{address}")
    page.wait_for_selector(".bk-Figure")
    frames(page, 60)
    seen = page.evaluate("colours")
    assert [colour for colour in seen if colour != "rgba(0, 0, 0, 0)"] == colours
    if colours == ["rgb(18, 18, 18)"]:
        assert seen == colours  # a page without a colour yet is white


def test_the_theme_can_be_changed_by_hand(open_page):
    page = open_page("demo", dark=True)
    page.wait_for_selector(".bk-Figure")
    page.get_by_role("button", name="Toggle theme").click()
    page.wait_for_function("getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'")


def test_the_cloud_plays_pauses_turns_and_scrubs(open_page):
    page = open_page("demo?tab=cloud")
    canvas = page.locator(".cloud canvas")
    canvas.wait_for()
    label = page.locator(".cloud .label")
    page.get_by_role("button", name="Pause").wait_for()  # it starts by itself
    page.get_by_role("button", name="Play").wait_for(timeout=20_000)  # and stops at the end
    assert label.inner_text() == "step 29"
    before = canvas.screenshot()
    assert len(set(before)) > 50
    canvas.focus()
    page.keyboard.press("Home")
    assert label.inner_text() == "step 0"
    page.keyboard.press("ArrowRight")
    assert label.inner_text() == "step 1"
    at_one = canvas.screenshot()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 320, box["y"] + 240, steps=4)
    page.mouse.up()
    until(page, lambda: canvas.screenshot() != at_one, "the cloud does not turn")
    frames(page, 3)  # the last move of the hand is drawn as well
    turned = canvas.screenshot()
    page.mouse.wheel(0, -600)
    until(page, lambda: canvas.screenshot() != turned, "the cloud comes no nearer")
    page.keyboard.press("r")
    page.locator(".cloud .scrub").fill("12")
    assert label.inner_text() == "step 12"
    page.keyboard.press("Tab")


def vermilion(canvas):
    """Count the pixels in the colour of faces that are pointed out, however they are lit."""
    red, green, blue = np.moveaxis(np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB"), int), -1, 0)
    return int(np.sum((red > 60) & (abs(green / np.maximum(red, 1) - 0.442) < 0.06) & (blue < 0.12 * red)))


def test_a_surface_is_lit_turns_and_shows_its_marked_faces(open_page):
    page = open_page("demo?tab=surface", still=True)
    canvas = page.locator(".cloud canvas")
    page.locator(".cloud .label").filter(has_text="frame 0").wait_for()
    until(page, lambda: vermilion(canvas) > 50, "the marked faces are not seen")
    canvas.focus()
    before = canvas.screenshot()
    page.keyboard.press("End")
    until(page, lambda: canvas.screenshot() != before, "the surface does not bend")
    bent = canvas.screenshot()
    for _ in range(8):
        page.keyboard.press("Shift+ArrowLeft")
    until(page, lambda: canvas.screenshot() != bent, "the surface does not turn")
    assert len(set(np.asarray(Image.open(io.BytesIO(bent)).convert("L")).ravel().tolist())) > 20, "it is not lit"


def test_reduced_motion_is_respected(open_page):
    page = open_page("demo?tab=cloud", still=True)
    page.locator(".cloud .label").filter(has_text="step 0").wait_for()
    frames(page, 40)  # half a second, in which the film would have moved on
    assert page.locator(".cloud .label").inner_text() == "step 0"
    page.get_by_role("button", name="Play").wait_for()
