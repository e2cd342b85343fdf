"""The tab "Rewards" in a real browser: a stroke over the cells of a map paints them."""

import re

import pytest

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


def test_a_stroke_over_the_cells_paints_them(open_page):
    page = open_page("metrics?tab=rewards")
    page.get_by_text(re.compile(r"EPIC calls the two 0\.0829 apart")).first.wait_for()
    page.get_by_text("What stepping on a cell pays").first.wait_for()
    page.wait_for_function(f"place => ({PLACE})(place) !== null", arg=[1, 0])
    start, end = (page.evaluate(PLACE, [x, 0]) for x in (1, 2))
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=8)
    page.mouse.up()
    page.wait_for_function("location.search.includes('paint_1=kuuk')")
    page.get_by_text(re.compile(r"EPIC calls the two 0\.[1-9]")).first.wait_for()
    page.mouse.click(*page.evaluate(PLACE, [5, -1]))  # the right map is reward 2
    page.wait_for_function("location.search.includes('paint_2=kkkk%2Fukkk')")
