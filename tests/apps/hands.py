"""What a hand does on a page, and what an eye waits for."""

PATIENCE_A_TRY = 9_000  # milliseconds until a file is handed over once more


def drag(page, label, to, *, exact=False):
    """Drag the slider labelled ``label`` to the fraction ``to`` of its length, in steps, as a hand does."""
    slider = page.get_by_label(label, exact=exact).first
    slider.scroll_into_view_if_needed()
    stands(page, slider)
    track = slider.locator("xpath=ancestor::*[contains(@class, 'MuiSlider-root')][1]").bounding_box()
    thumb = slider.locator("xpath=..").bounding_box()
    start, end = thumb["x"] + thumb["width"] / 2, track["x"] + to * track["width"]
    page.mouse.move(start, thumb["y"] + thumb["height"] / 2)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(start + (end - start) * step / 8, track["y"] + track["height"] / 2)
    page.mouse.up()


def choose_file(page, chooser, path, text, *, patience=90_000):
    """Hand a file to ``chooser`` and wait for ``text``; hand it over again if the page was not ready to take it.

    A widget that is still being mounted drops what it is given, without a word to anybody: a person tries again.
    """
    from playwright.sync_api import TimeoutError as NotYet

    tries = max(1, patience // PATIENCE_A_TRY)
    for _ in range(tries):
        chooser.set_input_files([])
        chooser.set_input_files(path)
        try:
            page.get_by_text(text).wait_for(timeout=PATIENCE_A_TRY)
            return
        except NotYet:
            continue
    raise AssertionError(f"{text!r} did not appear after {tries} tries with {path.name}")


def frames(page, count):
    """Let the page paint ``count`` times: whatever it would do by itself, it does in a frame."""
    page.evaluate(
        """count => new Promise(done => {
          const next = () => (count-- > 0 ? requestAnimationFrame(next) : done())
          next()
        })""",
        count,
    )


def until(page, condition, told):
    """Look again after every few frames until ``condition()`` is true; fail with ``told`` after 300 looks."""
    for _ in range(300):
        if condition():
            return
        frames(page, 3)
    raise AssertionError(told)


def stands(page, part):
    """Wait until a part of a page that is still being built no longer moves: ten frames in one place."""
    places = [part.bounding_box()]

    def stays():
        frames(page, 7)
        places.append(part.bounding_box())
        return places[-1] == places[-2]

    until(page, stays, "the page never stops moving")


def at_rest(page):
    """Wait until three pictures of the page, taken over a third of a second, are the same.

    A server draws a tab in turns of a tenth of a second or two: between them a page looks finished.
    """
    seen = [page.screenshot(), b""]

    def stands():
        frames(page, 9)
        seen.append(page.screenshot())
        return seen[-1] == seen[-2] == seen[-3]

    until(page, stands, "the page never comes to rest")


# Where a mark is on the screen: of the figure whose title begins with `title`, mark number k of the part `label`.
MARK = """([title, [across, up], label, k]) => {
  for (const doc of Bokeh.documents) for (const model of doc._all_models.values()) {
    if (model.type !== 'Figure' || !(model.title && model.title.text.startsWith(title))) continue
    const view = Bokeh.index.find_one(model)
    if (!view) continue
    for (const renderer of model.renderers) {
      const data = renderer.data_source && renderer.data_source.data
      if (!data || !('item' in data) || (renderer.name || '') !== label) continue
      const box = view.el.getBoundingClientRect(), frame = view.frame
      return [box.x + frame.x_scale.compute(data[across][k]), box.y + frame.y_scale.compute(data[up][k])]
    }
  }
  return null
}"""
TRIES = 6


def drag_mark(page, title, axes, label, k, shift, *, moved):
    """Drag mark ``k`` of a figure's part by ``shift`` pixels until ``moved(milliseconds)`` says that it was.

    A plot that is being redrawn drops a hand's grip, without a word. A person tries again.
    """
    from playwright.sync_api import TimeoutError as NotYet

    for _ in range(TRIES):
        _drag_once(page, [title, list(axes), label, k], shift)
        try:
            return moved(PATIENCE_A_TRY)
        except NotYet:
            continue
    raise AssertionError(f"{label!r} of {title!r} does not move")


def _drag_once(page, mark, shift):
    page.wait_for_function(f"mark => ({MARK})(mark) !== null", arg=mark)
    at_rest(page)  # a page that is still being laid out would move the mark away from under the hand
    x, y = page.evaluate(MARK, mark)
    page.mouse.move(x, y)
    frames(page, 5)
    page.mouse.down()
    for part in (0.5, 1.0):
        page.mouse.move(x + part * shift[0], y + part * shift[1], steps=4)
    frames(page, 5)
    page.mouse.up()


def click_mark(page, title, axes, label, k, *, hit):
    """Click mark ``k`` of a figure's part until ``hit(milliseconds)`` says that the page has heard it."""
    from playwright.sync_api import TimeoutError as NotYet

    mark = [title, list(axes), label, k]
    for _ in range(TRIES):
        page.wait_for_function(f"mark => ({MARK})(mark) !== null", arg=mark)
        at_rest(page)
        page.mouse.click(*page.evaluate(MARK, mark))
        try:
            return hit(PATIENCE_A_TRY)
        except NotYet:
            continue
    raise AssertionError(f"{label!r} of {title!r} does not answer")
