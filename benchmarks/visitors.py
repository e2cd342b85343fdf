"""Many visitors at one server: does anybody wait for somebody else's run, and what does a session leave behind?

    python benchmarks/visitors.py [--write]

Needs Chromium. First every room is opened a few times: how long from asking for the page until it has loaded, and from
there until its first picture stands. Then nine visitors, three at each of three tabs, move a slider, each to values of
its own so that no result is known already: one after the other; again while a tenth visitor's run, the paper's
experiment of the flows room, takes minutes; and once more all nine at the same moment. Times are taken in the page,
from the key to the new sentence and to the last new picture. All pages live in one browser on the machine that also
serves them, so the times include the browser's own work and the cores are shared. Afterwards forty sessions are opened
and closed in every room, three times over, and the server's memory is read before and after each time.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

# The client must know the models that a page sends.
import panel_material_ui  # noqa: F401
import psutil
from bokeh.client import pull_session
from playwright.sync_api import BrowserContext, Page

import workbench.ui.kit.pointcloud
import workbench.ui.kit.screen  # noqa: F401
from workbench.rooms import ROOMS
from workbench.ui.server.serve import command

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from chromium import free_port, launched, serving

LONG_RUN = "flows?tab=paper&n=2000&seeds=5"
# address and slider of each visitor: the value in the address keeps the results of one from being another's
SLIDERS = [
    visitor
    for k in range(3)
    for visitor in (
        (f"fisher?tab=identity&draws={20 + 10 * k}", "Random tensors"),
        (f"games?tab=contraction&knob_1={9 + 0.3 * k:.1f}", "a"),
        (f"flows?tab=directions&n_directions={60 + 20 * k}", "Directions"),
    )
]
PICTURE = ".bk-Figure canvas, canvas"
OPENINGS = 5
SESSIONS = 40
ROUNDS = 3  # what a server grows by in the first only is its working size, not a leak

# Notes when a key is pressed, when the sentence changes, and when the last new picture has been painted.
WATCH = """() => {
  const rootOf = (node) => {
    for (const e of node.querySelectorAll('*')) {
      if (e.classList.contains('sentence')) return e.getRootNode()
      const inner = e.shadowRoot && rootOf(e.shadowRoot)
      if (inner) return inner
    }
    return null
  }
  const painted = (then) => requestAnimationFrame(() => setTimeout(then, 0))
  const seen = (window.seen = {})
  document.addEventListener('keydown', () => Object.assign(seen, {key: performance.now(), told: 0, drawn: 0}), true)
  const told = () => { if (seen.key && !seen.told) seen.told = performance.now() }
  new MutationObserver(told).observe(rootOf(document), {subtree: true, childList: true, characterData: true})
  for (const doc of Bokeh.documents) doc.on_change((event) => {
    if (seen.key && ['data', 'positions'].includes(event.attr)) painted(() => { seen.drawn = performance.now() })
  })
}"""
# Moves a slider as its widget does, but from a script: a page that is not in front gets no key.
MOVE = """(label) => {
  const slider = [...Bokeh.documents[0].all_models].find((model) => model.label === label && 'value_throttled' in model)
  Object.assign(window.seen, {key: performance.now(), told: 0, drawn: 0})
  slider.value += slider.step ?? 1
  slider.value_throttled = slider.value
}"""
TAKEN = "() => [seen.told, seen.drawn].map((time) => time ? (time - seen.key) / 1000 : null)"
SETTLE = 2.5  # seconds after which a page is at rest again


class Answer(NamedTuple):
    """Seconds from a key to what it changes."""

    sentence: float
    picture: float


def opening_times(context: BrowserContext, address: str, room: str) -> tuple[float, float]:
    """Return the median seconds until the page has loaded, and from there until its first picture stands."""
    loaded, drawn = [], []
    for k in range(OPENINGS + 1):
        page = context.new_page()
        started = time.perf_counter()
        page.goto(f"{address}/{room}", wait_until="load")
        middle = time.perf_counter()
        page.locator(PICTURE).first.wait_for(timeout=60_000)
        if k:  # the first one fetches the scripts
            loaded.append(middle - started)
            drawn.append(time.perf_counter() - middle)
        page.close()
        time.sleep(0.5)
    return statistics.median(loaded), statistics.median(drawn)


def start_long_run(context: BrowserContext, address: str) -> Page:
    """Open the paper's experiment and press Run."""
    page = context.new_page()
    page.goto(f"{address}/{LONG_RUN}")
    page.get_by_role("button", name="Run").click(timeout=60_000)
    page.get_by_role("button", name="Cancel").wait_for(timeout=60_000)
    return page


def answer(page: Page, label: str) -> Answer:
    """Press an arrow key on a slider of the page in front, and read when it was answered."""
    page.bring_to_front()  # a browser draws the pages behind the front one once a second only
    page.wait_for_timeout(500)
    page.get_by_label(label, exact=True).first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(1000 * SETTLE)
    told, drawn = page.evaluate(TAKEN)
    if told is None or drawn is None:
        raise TimeoutError(f"no answer to {label} in {SETTLE} s")
    return Answer(told, drawn)


def together(pages: list[tuple[Page, str]]) -> list[float]:
    """Move the sliders of all pages within milliseconds; returns the seconds until each new sentence."""
    for page, label in pages:
        page.evaluate(MOVE, label)
    time.sleep(3 * SETTLE)
    times = [page.evaluate(TAKEN)[0] for page, _ in pages]
    if None in times:
        raise TimeoutError(f"{times.count(None)} visitors had no answer in {3 * SETTLE} s")
    return times


def crowd(context: BrowserContext, address: str) -> dict[str, list[Answer] | list[float]]:
    """Return the answer times of nine visitors: alone, while a tenth runs something long, and all at once."""
    pages = []
    for name, label in SLIDERS:
        page = context.new_page()
        page.goto(f"{address}/{name}")
        page.locator(".bk-Figure").first.wait_for(timeout=90_000)
        page.locator(".sentence").first.wait_for(timeout=90_000)
        page.evaluate(WATCH)
        pages.append((page, label))
    time.sleep(5)
    for page, label in pages:  # once each, so that nothing is compiled or imported while the clock runs
        answer(page, label)
    quiet = [answer(page, label) for page, label in pages]
    busy_page = start_long_run(context, address)
    time.sleep(5)
    busy = [answer(page, label) for page, label in pages]
    at_once = together(pages)
    if not busy_page.get_by_role("button", name="Cancel").is_visible():
        raise RuntimeError("the long run ended too soon to measure")
    return {"quiet": quiet, "busy": busy, "at once": at_once}


def memory_left(address: str, process: psutil.Process, room: str) -> list[float]:
    """Return by how many MB the server grows in each round of ``SESSIONS`` sessions of one room, after warming up."""

    def size_after(visits: int) -> float:
        for _ in range(visits):
            pull_session(url=f"{address}/{room}").close()
        time.sleep(7)
        return process.memory_info().rss / 1e6

    sizes = [size_after(20)] + [size_after(SESSIONS) for _ in range(ROUNDS)]
    return [after - before for before, after in pairwise(sizes)]


def report(opened: dict[str, tuple[float, float]], answers: dict[str, list], left: dict[str, list[float]]) -> str:
    """Return the findings as markdown."""
    lines = ["# Many visitors", "", f"{os.cpu_count()} cores, {date.today()}; `python benchmarks/visitors.py`.", ""]
    lines += ["| room | s until the page has loaded | s from there to the first picture |", "|---|---|---|"]
    lines += [f"| {room} | {loaded:.2f} | {drawn:.2f} |" for room, (loaded, drawn) in opened.items()]
    lines += ["", f"Medians of {OPENINGS}, server and browser on the same machine.", ""]
    lines += ["| nine visitors move a slider | s to the sentence | s to the last picture |", "|---|---|---|"]
    for name, key in (("one by one", "quiet"), ("one by one, beside minutes of work", "busy")):
        told, drawn = zip(*answers[key], strict=True)
        lines.append(f"| {name} | {_spread(told)} | {_spread(drawn)} |")
    lines.append(f"| all at the same moment, beside minutes of work | {_spread(answers['at once'])} | |")
    lines += ["", "Median and longest. All ten pages share the cores with the server, and pages that are not in front"]
    lines += ["paint nothing, so that the last row has no pictures."]
    rounds = " | ".join(f"round {k + 1}" for k in range(ROUNDS))
    lines += ["", f"| MB left by {SESSIONS} sessions | {rounds} |", "|---" * (ROUNDS + 1) + "|"]
    lines += [f"| {room} | {' | '.join(f'{value:+.1f}' for value in values)} |" for room, values in left.items()]
    return "\n".join(lines) + "\n"


def _spread(times: Sequence[float]) -> str:
    return f"{statistics.median(times):.2f}, {max(times):.2f}"


def main() -> None:
    """Measure, print, and with ``--write`` store the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="store benchmarks/results/visitors.md")
    parser.add_argument("--answers", action="store_true", help="only the sliders")
    wanted = parser.parse_args()
    rooms = () if wanted.answers else ("home", *ROOMS)
    port = free_port()
    with serving(command(port=port), port) as (address, started):
        with launched() as browser:
            context = browser.new_context()
            opened = {room: opening_times(context, address, room) for room in rooms}
            answers = crowd(context, address)
        time.sleep(10)
        left = {room: memory_left(address, psutil.Process(started.pid), room) for room in rooms}
    text = report(opened, answers, left)
    print(text)
    if wanted.write and not wanted.answers:
        Path(__file__).with_name("results").joinpath("visitors.md").write_text(text)


if __name__ == "__main__":
    main()
