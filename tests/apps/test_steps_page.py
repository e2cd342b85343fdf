"""The steps page under a hand: sliders that compute and sliders that only redraw."""

import re

import pytest
from hands import drag

pytestmark = pytest.mark.ui


def test_dragging_the_batch_computes_anew(open_page):
    page = open_page("steps?tab=zeros")
    page.get_by_text(re.compile("batch of 256 samples")).wait_for()
    drag(page, "Samples in the batch", 0.05)
    page.get_by_text(re.compile(r"batch of (?!256)\d+ samples")).wait_for()
    page.wait_for_function("location.search.includes('samples=')")
    drag(page, "Reach of the picture", 0.8)
    page.wait_for_function("location.search.includes('zoom=')")
