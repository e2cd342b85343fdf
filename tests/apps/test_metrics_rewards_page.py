"""The tab "Rewards" in a real browser: a stroke over the cells of a map paints them."""

import re

import pytest
from hands import PATIENCE_A_TRY, TRIES, at_rest

pytestmark = pytest.mark.ui

# Where a point of the maps is on the screen.
PLACE = """
([x, y]) => {
  for (const doc of Bokeh.documents) for (const model of doc._all_models.values()) {
    if (model.type !== 'Figure' || !(model.title && model.title.text.startsWith('Rewards, and'))) continue
    const view = Bokeh.index.find_one(model)
    if (!view) continue
    const box = view.el.getBoundingClientRect(), frame = view.frame
    return [box.x + frame.x_scale.compute(x), box.y + frame.y_scale.compute(y)]
  }
  return null
}
"""


def stroke(page, points, painted):
    """Draw through points of the maps until the address says what was ``painted``.

    A plot that is being redrawn drops a hand's grip. A person tries again.
    """
    from playwright.sync_api import TimeoutError as NotYet

    for _ in range(TRIES):
        page.wait_for_function(f"place => ({PLACE})(place) !== null", arg=list(points[0]))
        at_rest(page)
        places = [page.evaluate(PLACE, list(point)) for point in points]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=8)
        page.mouse.up()
        try:
            return page.wait_for_function(f"location.search.includes('{painted}')", timeout=PATIENCE_A_TRY)
        except NotYet:
            continue
    raise AssertionError(f"{painted} was not painted")


def test_a_stroke_over_the_cells_paints_them(open_page):
    page = open_page("metrics?tab=rewards")
    page.get_by_text(re.compile(r"EPIC calls the two 0\.0829 apart")).first.wait_for()
    page.get_by_text("What stepping on a cell pays").first.wait_for()
    stroke(page, [(1, 0), (2, 0)], "paint_1=kuuk")
    page.get_by_text(re.compile(r"EPIC calls the two 0\.[1-9]")).first.wait_for()
    stroke(page, [(5, -1)], "paint_2=kkkk%2Fukkk")  # the right map is reward 2
