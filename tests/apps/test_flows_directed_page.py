"""The tab “Where they differ” in a real browser: the axis is dragged and moved by keys, the ball turns."""

import re

import numpy as np
import pytest

from workbench import data, flows

pytestmark = pytest.mark.ui


def handle(box):
    """Where the axis is drawn at first: the page opens turned to it, 0.6 to the side and 0.35 from above."""
    _, axis = flows.directed_at(data.result("flows/directed_slices.nc"), 1.0)
    yaw, pitch = np.arctan2(axis[0], -axis[1]) + 0.6, 0.35
    (cy, sy), (cp, sp) = (np.cos(yaw), np.sin(yaw)), (np.cos(pitch), np.sin(pitch))
    right, up, near = np.array([[cy, sy, 0], [-sy * sp, cy * sp, cp], [sy * cp, -cy * cp, sp]])
    side = np.sign(axis @ near)
    radius = 0.44 * min(box["width"], box["height"])
    x, y = side * axis @ right, side * axis @ up
    return box["x"] + box["width"] / 2 + radius * x, box["y"] + box["height"] / 2 - radius * y


def test_the_axis_is_dragged_and_the_sentence_follows(open_page):
    page = open_page("flows?tab=where")
    page.get_by_text(re.compile("the best axis sees 1.048 × SW₂².*certified within 1e-06")).first.wait_for()
    canvas = page.locator(".sphere canvas")
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    box = canvas.bounding_box()
    x, y = handle(box)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y + 15, steps=3)
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.6 * box["height"], steps=6)
    page.mouse.up()
    told = page.get_by_text(re.compile("this axis sees")).first
    told.wait_for()
    page.wait_for_function("location.search.includes('follow=false')")
    first = told.inner_text()
    canvas.focus()
    for _ in range(6):
        page.keyboard.press("ArrowUp")
    page.wait_for_function("before => !document.body.innerText.includes(before)", arg=first)
    before = canvas.screenshot()
    page.mouse.move(box["x"] + 30, box["y"] + 30)  # beside the ball: this turns it and leaves the axis
    page.mouse.down()
    page.mouse.move(box["x"] + 130, box["y"] + 60, steps=5)
    page.mouse.up()
    page.wait_for_timeout(300)
    assert canvas.screenshot() != before
    page.keyboard.press("b")
    page.get_by_text(re.compile("the best axis sees 1.048")).first.wait_for()
