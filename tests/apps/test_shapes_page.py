"""The crystal in a real browser: the loop is dragged by its middle, and what it encloses changes."""

import re

import pytest
from hands import at_rest, frames

pytestmark = pytest.mark.ui

# Where a point of the crystal is on the screen.
PLACE = """
([x, y]) => {
  for (const doc of Bokeh.documents) for (const model of doc._all_models.values()) {
    if (model.type !== 'Figure' || !(model.title && model.title.text.startsWith('Atoms and'))) continue
    const view = Bokeh.index.find_one(model)
    if (!view) continue
    const box = view.el.getBoundingClientRect(), frame = view.frame
    return [box.x + frame.x_scale.compute(x), box.y + frame.y_scale.compute(y)]
  }
  return null
}
"""
TRIES, A_TRY = 6, 9_000  # milliseconds


def drag(page, start, end):
    page.wait_for_function(f"place => ({PLACE})(place) !== null", arg=start)
    at_rest(page)  # a page that is still being laid out would move the mark away from under the hand
    a, b = (page.evaluate(PLACE, place) for place in (start, end))
    page.mouse.move(*a)
    frames(page, 5)
    page.mouse.down()
    page.mouse.move(*b, steps=8)
    frames(page, 5)
    page.mouse.up()


def test_the_loop_is_dragged_away_from_the_dislocation(open_page):
    from playwright.sync_api import TimeoutError as NotYet

    page = open_page("shapes?tab=crystal")
    page.get_by_text(re.compile(r"encloses b = \(1, 0\), Ω = 0; exact")).first.wait_for()
    for _ in range(TRIES):  # a plot that is being redrawn drops a hand's grip; a person tries again
        drag(page, [0, 0], [7, 1])
        try:
            page.wait_for_function("location.search.includes('loop=13')", timeout=A_TRY)
            break
        except NotYet:
            continue
    page.get_by_text(re.compile(r"encloses b = \(0, 0\), Ω = 0; exact")).first.wait_for()
