"""The steps page under a hand: sliders that compute and sliders that only redraw."""

import re

import pytest
from hands import at_rest, choose_file, drag

pytestmark = pytest.mark.ui


def test_dragging_the_batch_computes_anew(open_page):
    page = open_page("steps?tab=zeros")
    page.get_by_text(re.compile("batch of 256 samples")).wait_for()
    drag(page, "Samples in the batch", 0.05)
    page.get_by_text(re.compile(r"batch of (?!256)\d+ samples")).wait_for()
    page.wait_for_function("location.search.includes('samples=')")
    drag(page, "Reach of the picture", 0.8)
    page.wait_for_function("location.search.includes('zoom=')")


def test_the_start_of_a_saddle_search_is_dragged(open_page):
    page = open_page("steps?tab=saddles", height=1400)
    sentence = page.locator("p.sentence")
    sentence.get_by_text(re.compile(r"\d+ calls; a first-order saddle")).wait_for()
    before = sentence.inner_text()
    frame = page.locator(".bk-Figure").first
    frame.scroll_into_view_if_needed()
    at_rest(page)
    centre = page.evaluate(PLACE_OF, [-0.4, 1.2])
    goal = page.evaluate(PLACE_OF, [-0.9, 0.75])
    page.mouse.move(*centre)
    page.mouse.down()
    for step in range(1, 7):
        page.mouse.move(*(a + (b - a) * step / 6 for a, b in zip(centre, goal, strict=True)))
    page.mouse.up()
    page.wait_for_function("text => document.querySelector('p.sentence')?.innerText !== text", arg=before)
    page.wait_for_function("!location.search.includes('x=-0.4&') && location.search.includes('x=-')")


# where a point of the first picture's plane is on the screen
PLACE_OF = """([x, y]) => {
  const view = Object.values(Bokeh.index).flatMap(root => [...root.views()])
      .find(view => view.model.type === 'Figure' && view.frame)
  const box = view.canvas_view.el.getBoundingClientRect(), frame = view.frame
  return [box.x + frame.x_scale.compute(x), box.y + frame.y_scale.compute(y)]
}"""


def test_a_molecule_is_handed_over_and_a_bad_one_refused(open_page, tmp_path):
    page = open_page(
        "steps?tab=molecules&source=own&energy=lennard-jones&method=eigenvector-following&starts=2&kick=0.8"
    )
    bad, good = tmp_path / "bad.xyz", tmp_path / "argon.xyz"
    bad.write_text("4\n\nAr 0 0 0\nQq 3.8 0 0\n")
    good.write_text("4\nargon\nAr 0 0 0\nAr 3.8 0 0\nAr 3.8 3.8 0.3\nAr 0 3.8 0\n")
    chooser = page.locator('input[type="file"][accept=".xyz"]')
    choose_file(page, chooser, bad, re.compile("begins with 'Qq', which is no element"))
    choose_file(page, chooser, good, re.compile(r"Energy: Lennard-Jones \(no chemistry\); 4 atoms, Ar4"))
