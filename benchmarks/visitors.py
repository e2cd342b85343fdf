"""Many visitors at one server: does anybody wait for somebody else's run, and what does a session leave behind?

    python benchmarks/visitors.py [--write] [--PART ...] [--room NAME]

Needs Chromium. First every room is opened a few times: how long from asking for the page until it has loaded, and from
there until its first picture stands. Then every slider of every tab of every room is moved (the selectors, where a tab
has no slider), on the served page and in a real JupyterLab: how long until the sentence changes, until the first
picture is new, and until nothing changes any more. Rooms, tabs and sliders are found, not listed. Then nine visitors,
three at each of three tabs, move a slider, each to values of its own so that no result is known already: one after the
other; again while a tenth visitor's run, the paper's experiment of the flows room, takes minutes; and once more all
nine at the same moment. The same nine wait beside a network in training, which a server lets run in a process of its
own. Times are taken in the page, from the key to the new sentence and to the last new picture. All
pages live in one browser on the machine that also serves them, so the times include the browser's own work and the
cores are shared. Afterwards forty sessions are opened and closed in every room, three times over, and the server's
memory is read before and after each time.
"""

import argparse
import json
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
from workbench.ui.home import room_classes
from workbench.ui.kit.view import View
from workbench.ui.server.serve import command

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from chromium import free_port, launched, serving
from lab import jupyterlab, open_notebook, run_all

LONG_RUN = "flows?tab=paper&n=2000&seeds=5"
TRAINING = "fields?tab=training&steps=10000&width=256&depth=5&seed=7"  # some minutes
PROMISED = 0.3  # seconds that nobody's slider waits longer because of a training
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
  const rootsOf = (node) => [...node.querySelectorAll('*')].flatMap((e) =>
    e.classList.contains('sentence') ? [e.getRootNode()] : e.shadowRoot ? rootsOf(e.shadowRoot) : [])
  const painted = (then) => requestAnimationFrame(() => setTimeout(then, 0))
  const seen = (window.seen ??= {watched: new WeakSet()})
  seen.start = () => Object.assign(seen, {key: performance.now(), told: 0, first: 0, drawn: 0, last: performance.now()})
  const once = (thing, then) => { if (!seen.watched.has(thing)) { seen.watched.add(thing); then() } }
  once(document, () => document.addEventListener('keydown', seen.start, true))
  const told = () => { seen.last = performance.now(); if (seen.key && !seen.told) seen.told = seen.last }
  for (const root of rootsOf(document)) once(root, () =>
    new MutationObserver(told).observe(root, {subtree: true, childList: true, characterData: true}))
  for (const doc of Bokeh.documents) once(doc, () => doc.on_change((event) => {
    if (seen.key && ['data', 'positions', 'colours'].includes(event.attr)) painted(() => {
      seen.drawn = seen.last = performance.now()
      seen.first ||= seen.drawn
    })
  }))
}"""
# Moves a slider as its widget does, but from a script: a page that is not in front gets no key.
MOVE = """(label) => {
  const slider = [...Bokeh.documents[0].all_models].find((model) => model.label === label && 'value_throttled' in model)
  seen.start()
  slider.value += slider.step ?? 1
  slider.value_throttled = slider.value
}"""
TAKEN = "() => [seen.told, seen.drawn].map((time) => time ? (time - seen.key) / 1000 : null)"
# What a tab can be moved by: its sliders, or its selectors if it has none.
# A notebook keeps the tabs that were open before: what was moved there is not moved again.
ROOMS_SHOWN = """
  const isTabs = (model) => model.data && 'active' in model.data && model.data.objects?.length > 1
  const shown = Bokeh.documents.map((one) => [...one.all_models]).filter((models) => models.some(isTabs))[k]
"""
HANDLES = (
    f"""(k) => {{{ROOMS_SHOWN}"""
    + """
  const known = (window.known ??= new WeakSet())
  const all = shown.filter((model) => model.data && model.visible !== false && !known.has(model))
    .filter((model) => model.data.label && !model.data.disabled && known.add(model)).map((model) => model.data)
  const sliders = all.filter((model) => 'value_throttled' in model && 'end' in model && model.end > model.start)
  window.handles = sliders.length ? sliders : all.filter((model) => model.options?.length > 1 && 'value' in model)
  return window.handles.map((model) => model.label)
}"""
)
TURN = """([k, back]) => {
  const model = window.handles[k]
  seen.start()
  if ('value_throttled' in model) {
    const step = (model.step ?? 1) * (back ? -1 : 1)
    const moved = (v) => v + step <= model.end && v + step >= model.start ? v + step : v - step
    model.value = Array.isArray(model.value) ? [model.value[0], moved(model.value[1])] : moved(model.value)
    model.value_throttled = model.value
  } else {
    const names = model.options.map((option) => Array.isArray(option) ? option[1] : option)
    model.value = names[(names.indexOf(model.value) + 1) % names.length]
  }
}"""
OPEN_TAB = f"([k, tab]) => {{{ROOMS_SHOWN}  shown.find(isTabs).data.active = tab\n}}"
AT_REST = "() => performance.now() - seen.last > 700"
SEEN = "() => [seen.told, seen.first, seen.last].map((time) => time > seen.key ? (time - seen.key) / 1000 : null)"
TRIES = 3
PATIENCE = 12.0  # seconds
SLOWEST = 10
SETTLE = 2.5  # seconds after which a page is at rest again
PARTS = {
    "opening": "how long each room takes to open",
    "tabs": "the sliders of all tabs, on the served pages",
    "answers": "the nine visitors",
    "training": "the nine visitors beside a training",
    "memory": "what sessions leave behind",
    "lab": "the sliders of all tabs, in JupyterLab",
}


class Answer(NamedTuple):
    """Seconds from a key to what it changes."""

    sentence: float
    picture: float


class Moved(NamedTuple):
    """How one slider of one tab was answered: medians in seconds, None where nothing came by itself."""

    where: str
    sentence: float | None
    picture: float | None
    whole: float | None
    is_long: bool

    @property
    def first(self) -> float:
        """When the visitor has an answer: sentence and main picture."""
        return max(self.sentence or 0.0, self.picture or 0.0)


def at_rest(page: Page) -> None:
    """Wait until nothing has changed for a moment."""
    deadline = time.monotonic() + PATIENCE
    while not page.evaluate(AT_REST) and time.monotonic() < deadline:
        page.wait_for_timeout(50)


def moved(page: Page, where: str, view: type[View], document: int = 0) -> list[Moved]:
    """Turn every handle of the tab that is open, and read when it was answered."""
    page.evaluate(WATCH)
    page.evaluate("() => seen.start()")
    at_rest(page)
    found = []
    for k, label in enumerate(page.evaluate(HANDLES, document)):
        times = []
        for turn in range(TRIES + 1):  # the first one may compile or import
            page.evaluate(TURN, [k, turn == TRIES])
            page.wait_for_timeout(300)
            at_rest(page)
            times.append(page.evaluate(SEEN))
        kept = [[value for value in column if value] for column in zip(*times[1:], strict=True)]
        medians = [statistics.median(column) if column else None for column in kept]
        is_long = not view().cost(view().values()).is_quick
        found.append(Moved(f"{where}: {label}", *medians, is_long))
        print(f"  {found[-1]}", file=sys.stderr)
    return found


def served_tabs(context: BrowserContext, address: str, rooms: Sequence[str]) -> list[Moved]:
    """Move every slider of every tab of the served rooms."""
    found = []
    for room in rooms:
        for view in room_classes()[room].view_classes:
            page = context.new_page()
            page.goto(f"{address}/{room}?tab={view.slug}")
            page.locator(".sentence").first.wait_for(timeout=90_000)
            page.wait_for_timeout(1500)
            found += moved(page, f"{room}, {view.title}", view)
            page.close()
    return found


def notebook_tabs(context: BrowserContext, rooms: Sequence[str]) -> tuple[float, list[Moved]]:
    """Do the same in JupyterLab, one cell a room; also return the seconds from Run to the first sentence."""
    cells = ["from workbench.notebook import setup, widget\nfrom workbench.ui.home import room_classes\nsetup()"]
    cells += [f"widget(room_classes()[{room!r}])" for room in rooms]
    found: list[Moved] = []
    with jupyterlab({"visitors.ipynb": notebook(cells)}) as address:
        page = context.new_page()
        open_notebook(page, address, "visitors.ipynb")
        started = time.perf_counter()
        run_all(page)
        page.locator(".sentence").first.wait_for(timeout=60_000)
        first = time.perf_counter() - started
        page.wait_for_timeout(3000)
        for k, room in enumerate(rooms):
            page.locator(".jp-CodeCell").nth(k + 1).scroll_into_view_if_needed()
            for tab, view in enumerate(room_classes()[room].view_classes):
                page.evaluate(OPEN_TAB, [k, tab])
                page.wait_for_timeout(3000)
                found += moved(page, f"{room}, {view.title}", view, k)
    return first, found


def notebook(cells: Sequence[str]) -> str:
    """Return a notebook of code cells as JSON."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = [
        {"cell_type": "code", "id": f"c{k}", "metadata": {}, "source": text, "outputs": [], "execution_count": None}
        for k, text in enumerate(cells)
    ]
    return json.dumps({"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})


def tabs_table(found: Sequence[Moved]) -> list[str]:
    """Return what the sliders of all tabs took: the median, the worst, and the slowest by name."""
    quick = [one for one in found if not one.is_long and one.first]
    firsts = [one.first for one in quick]
    lines = [
        f"{len(found)} sliders; those of {len(found) - len(quick)} start long work, which waits for Run, or answer at "
        f"once. Sentence and first picture: median {statistics.median(firsts):.2f} s, longest {max(firsts):.2f} s."
    ]
    lines += [
        "",
        "| the slowest | s to the sentence | s to the first picture | s to the whole answer |",
        "|---|---|---|---|",
    ]
    for one in sorted(quick, key=lambda one: -one.first)[:SLOWEST]:
        cells = (f"{value:.2f}" if value else "" for value in (one.sentence, one.picture, one.whole))
        lines.append(f"| {one.where} | {' | '.join(cells)} |")
    return lines


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


def start_long_run(context: BrowserContext, address: str, run: str = LONG_RUN) -> Page:
    """Open a tab that asks for long work, the paper's experiment, and press Run."""
    page = context.new_page()
    page.goto(f"{address}/{run}")
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


def nine_visitors(context: BrowserContext, address: str) -> list[tuple[Page, str]]:
    """Open the pages of nine visitors, and let each have an answer: nothing is compiled while the clock runs."""
    pages = []
    for name, label in SLIDERS:
        page = context.new_page()
        page.goto(f"{address}/{name}")
        page.locator(".bk-Figure").first.wait_for(timeout=90_000)
        page.locator(".sentence").first.wait_for(timeout=90_000)
        page.evaluate(WATCH)
        pages.append((page, label))
    time.sleep(5)
    for page, label in pages:
        answer(page, label)
    return pages


def beside_training(context: BrowserContext, address: str) -> dict[str, list[Answer]]:
    """Return the answer times of nine visitors, alone and while a tenth trains a network."""
    pages = nine_visitors(context, address)
    quiet = [answer(page, label) for page, label in pages]
    busy_page = start_long_run(context, address, TRAINING)
    time.sleep(10)  # the process of its own has begun
    busy = [answer(page, label) for page, label in pages]
    if not busy_page.get_by_role("button", name="Cancel").is_visible():
        raise RuntimeError("the training ended too soon to measure")
    busy_page.get_by_role("button", name="Cancel").click()
    return {"quiet": quiet, "busy": busy}


def training_table(answers: dict[str, list[Answer]]) -> list[str]:
    """Return what nine visitors waited for beside a training, and the longest that it added for one of them."""
    lines = ["| nine visitors move a slider | s to the sentence | s to the last picture |", "|---|---|---|"]
    for name, key in (("one by one", "quiet"), ("one by one, beside a training", "busy")):
        told, drawn = zip(*answers[key], strict=True)
        lines.append(f"| {name} | {_spread(told)} | {_spread(drawn)} |")
    added = [after.sentence - before.sentence for before, after in zip(answers["quiet"], answers["busy"], strict=True)]
    kept = sum(after.sentence <= PROMISED for after in answers["busy"])
    return [
        *lines,
        "",
        f"Median and longest. The training added {statistics.median(added):+.2f} s to a sentence, at most "
        f"{max(added):+.2f} s; {kept} of {len(added)} came within {PROMISED} s.",
    ]


def crowd(context: BrowserContext, address: str) -> dict[str, list[Answer] | list[float]]:
    """Return the answer times of nine visitors: alone, while a tenth runs something long, and all at once."""
    pages = nine_visitors(context, address)
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


def opening_table(opened: dict[str, tuple[float, float]]) -> list[str]:
    """Return how long each room takes to open."""
    lines = ["| room | s until the page has loaded | s from there to the first picture |", "|---|---|---|"]
    lines += [f"| {room} | {loaded:.2f} | {drawn:.2f} |" for room, (loaded, drawn) in opened.items()]
    return [*lines, "", f"Medians of {OPENINGS}, server and browser on the same machine."]


def crowd_table(answers: dict[str, list]) -> list[str]:
    """Return what nine visitors waited for."""
    lines = ["| nine visitors move a slider | s to the sentence | s to the last picture |", "|---|---|---|"]
    for name, key in (("one by one", "quiet"), ("one by one, beside minutes of work", "busy")):
        told, drawn = zip(*answers[key], strict=True)
        lines.append(f"| {name} | {_spread(told)} | {_spread(drawn)} |")
    lines.append(f"| all at the same moment, beside minutes of work | {_spread(answers['at once'])} | |")
    lines += ["", "Median and longest. All ten pages share the cores with the server, and pages that are not in front"]
    return [*lines, "paint nothing, so that the last row has no pictures."]


def memory_table(left: dict[str, list[float]]) -> list[str]:
    """Return what sessions leave behind."""
    rounds = " | ".join(f"round {k + 1}" for k in range(ROUNDS))
    lines = [f"| MB left by {SESSIONS} sessions | {rounds} |", "|---" * (ROUNDS + 1) + "|"]
    return [
        *lines,
        *(f"| {room} | {' | '.join(f'{value:+.1f}' for value in values)} |" for room, values in left.items()),
    ]


HEADING = "# Many visitors\n\n`python benchmarks/visitors.py`; each part with the day on which it was measured.\n"


def tell(part: str, lines: Sequence[str], write: bool) -> None:
    """Print one part of the report and, if wanted, put it into the place of its predecessor in the file."""
    text = "\n".join([f"## {part}", "", f"{os.cpu_count()} cores, {date.today()}.", "", *lines]) + "\n"
    print(text, flush=True)
    if write:
        file = Path(__file__).with_name("results") / "visitors.md"
        before = file.read_text().split("\n## ")[1:] if file.exists() else []
        kept = {one.split("\n")[0]: f"## {one.rstrip()}\n" for one in before}
        kept[part] = text
        file.write_text("\n".join([HEADING, *kept.values()]))


def _spread(times: Sequence[float]) -> str:
    return f"{statistics.median(times):.2f}, {max(times):.2f}"


def main() -> None:
    """Measure, print, and with ``--write`` store the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="store the parts in benchmarks/results/visitors.md")
    for part, told in PARTS.items():
        parser.add_argument(f"--{part}", action="store_true", help=f"only {told}; several parts may be named")
    parser.add_argument("--room", action="append", choices=list(ROOMS), help="only these rooms' tabs")
    wanted = parser.parse_args()
    parts = [part for part in PARTS if getattr(wanted, part)] or list(PARTS)
    rooms = ("home", *ROOMS)
    listed = wanted.room or list(ROOMS)
    which = f": {', '.join(wanted.room)}" if wanted.room else ""
    port = free_port()
    with serving(command(port=port), port) as (address, started):
        with launched() as browser:
            context = browser.new_context()
            if "opening" in parts:
                opened = {room: opening_times(context, address, room) for room in rooms}
                tell("Opening a page", opening_table(opened), wanted.write)
            if "tabs" in parts:
                found = served_tabs(context, address, listed)
                tell(f"Every slider of every tab, served{which}", tabs_table(found), wanted.write)
            if "answers" in parts:
                tell("Nine visitors", crowd_table(crowd(context, address)), wanted.write)
            if "training" in parts:
                context = browser.new_context()
                tell("Beside a training", training_table(beside_training(context, address)), wanted.write)
        if "memory" in parts:
            time.sleep(10)
            left = {room: memory_left(address, psutil.Process(started.pid), room) for room in rooms}
            tell("What sessions leave behind", memory_table(left), wanted.write)
    if "lab" in parts:
        with launched() as browser:
            first, found = notebook_tabs(browser.new_context(viewport={"width": 1400, "height": 1000}), listed)
        lines = [*tabs_table(found), "", f"From “Run All Cells” to the first sentence: {first:.1f} s."]
        tell(f"Every slider of every tab, in JupyterLab{which}", lines, wanted.write)


if __name__ == "__main__":
    main()
