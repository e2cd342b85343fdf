"""The steps page in a real browser: first picture at once, sliders, the live laboratory, refusals, phone and dark."""

import re

import pytest
from hands import drag

pytestmark = pytest.mark.ui

PATIENCE = 90_000  # the first run in a fresh checkout compiles the kernels


def test_the_first_picture_and_the_verdicts_are_there(open_page):
    page = open_page("steps")
    page.get_by_text(re.compile(r"converged: ρ_a = [\d.e-]+, ρ_dom")).wait_for()
    page.wait_for_selector(".bk-Figure")
    page.get_by_text("What holds, what does not").wait_for()
    page.get_by_text("The controller survives a learning rate that stays 1000 times too large").wait_for()


def test_dragging_the_batch_computes_anew(open_page):
    page = open_page("steps?tab=zeros")
    page.get_by_text(re.compile("batch of 256 samples")).wait_for()
    drag(page, "Samples in the batch", 0.05)
    page.get_by_text(re.compile(r"batch of (?!256)\d+ samples")).wait_for(timeout=PATIENCE)
    page.wait_for_function("location.search.includes('samples=')")
    drag(page, "Reach of the picture", 0.8)
    page.wait_for_function("location.search.includes('zoom=')")


@pytest.mark.parametrize(
    ("tab", "sentence"),
    [
        ("taylor", r"The series of this loss converges up to about τ"),
        ("limits", r"The loss reaches q times its start at τ"),
        ("sweep", r"converged: at r < 1 at most"),
        ("spike", r"Test accuracy at the end: .*SafeStep 0\.\d+"),
        ("bottlenecks", r"limits the step to ρ_a"),
        ("temperature", r"Standard deviation of log10"),
    ],
)
def test_every_tab_opens_with_its_finding(open_page, tab, sentence):
    page = open_page(f"steps?tab={tab}")
    page.get_by_text(re.compile(sentence)).first.wait_for()
    page.wait_for_selector(".bk-Figure")


def test_the_laboratory_trains_live(open_page):
    page = open_page("steps?tab=spike&steps=100&at=20&seed=5")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text(re.compile(r"Test accuracy at the end: none 0\.\d+")).wait_for(timeout=PATIENCE)


def test_a_spike_after_the_end_is_refused_in_words(open_page):
    page = open_page("steps?tab=spike&steps=40&at=100")
    page.get_by_text(re.compile("the spike at step 100 comes after the last of 40 steps")).wait_for()


def test_an_unknown_network_in_the_address_is_told(open_page):
    page = open_page("steps?tab=zeros&network=resnet-9000")
    page.get_by_text(re.compile("resnet-9000")).first.wait_for()
    page.get_by_text(re.compile(r"converged: ρ_a")).wait_for()


@pytest.mark.parametrize("dark", [False, True])
def test_phone_width_does_not_scroll_sideways(open_page, dark):
    page = open_page("steps?tab=limits", width=390, height=800, dark=dark)
    page.get_by_text(re.compile("The loss reaches q times")).wait_for()
    page.wait_for_selector(".bk-Figure")
    assert page.evaluate("document.documentElement.scrollWidth") <= 392
