"""What a hand does on a page."""


def drag(page, label, to, *, exact=False):
    """Drag the slider labelled ``label`` to the fraction ``to`` of its length, in steps, as a hand does."""
    slider = page.get_by_label(label, exact=exact).first
    slider.scroll_into_view_if_needed()
    track = slider.locator("xpath=ancestor::*[contains(@class, 'MuiSlider-root')][1]").bounding_box()
    thumb = slider.locator("xpath=..").bounding_box()
    start, end = thumb["x"] + thumb["width"] / 2, track["x"] + to * track["width"]
    page.mouse.move(start, thumb["y"] + thumb["height"] / 2)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(start + (end - start) * step / 8, track["y"] + track["height"] / 2)
    page.mouse.up()
