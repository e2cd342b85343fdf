"""The rankings tab in a real browser: an item and the threshold are dragged, a mistake is mended by a button."""

import re

import pytest
from hands import at_rest, frames

pytestmark = pytest.mark.ui

# Where a mark of the strip is on the screen: the middle of the part called `label`, or its mark number k.
PLACE = """([label, k]) => {
  for (const doc of Bokeh.documents) for (const model of doc._all_models.values()) {
    if (model.type !== 'Figure' || !(model.title && model.title.text.startsWith('The ranking'))) continue
    const view = Bokeh.index.find_one(model)
    if (!view) continue
    for (const renderer of model.renderers) {
      const data = renderer.data_source && renderer.data_source.data
      if (!data || !('item' in data) || (renderer.name || '') !== label) continue
      const box = view.el.getBoundingClientRect(), frame = view.frame
      return [box.x + frame.x_scale.compute(data.score[k]), box.y + frame.y_scale.compute(data.row[k])]
    }
  }
  return null
}"""


TRIES, A_TRY = 6, 9_000  # milliseconds


def drag_mark(page, label, k, shift, *, moved):
    """Drag a mark until ``moved()`` says that it was: a plot that is being redrawn drops a hand's grip, without a word.

    A person tries again.
    """
    from playwright.sync_api import TimeoutError as NotYet

    for _ in range(TRIES):
        _drag_once(page, label, k, shift)
        try:
            return moved()
        except NotYet:
            continue
    raise AssertionError(f"{label!r} does not move")


def _drag_once(page, label, k, shift):
    page.wait_for_function(f"([l, k]) => ({PLACE})([l, k]) !== null", arg=[label, k])
    at_rest(page)  # a page that is still being laid out would move the mark away from under the hand
    x, y = page.evaluate(PLACE, [label, k])
    page.mouse.move(x, y)
    frames(page, 5)
    page.mouse.down()
    page.mouse.move(x + shift / 2, y, steps=4)
    page.mouse.move(x + shift, y, steps=4)
    frames(page, 5)
    page.mouse.up()


def test_items_and_threshold_are_dragged_and_a_mistake_is_mended(open_page):
    page = open_page("metrics?tab=rankings")
    page.get_by_text(re.compile(r"AUROC 0\.888 ± 0\.040, AP 0\.625")).first.wait_for()
    page.get_by_text(re.compile("Drag any item")).first.wait_for()
    fired = "location.search.includes('fired=')"
    drag_mark(page, "threshold", 0, -150, moved=lambda: page.wait_for_function(fired, timeout=A_TRY))
    one = page.get_by_text(re.compile("1 item has been moved")).first
    drag_mark(page, "positive, A", 0, -120, moved=lambda: one.wait_for(timeout=A_TRY))
    page.get_by_role("button", name="Mend the best by AP").click()
    page.get_by_text(re.compile(r"[23] items have been moved")).first.wait_for()
    page.get_by_role("button", name="Take all back").click()
    page.get_by_text(re.compile(r"AUROC 0\.888 ± 0\.040, AP 0\.625")).first.wait_for()
