"""Many visitors at one server: does anybody wait for somebody else's run, and what does a session leave behind?

    python benchmarks/visitors.py [--write]

Needs Chromium. First every room is opened a few times: how long from asking for the page until it has loaded, and from
there until its first picture stands. Then one visitor starts the paper's experiment of the flows room (minutes of
work); nine others, three at each of three tabs, move a slider, one after the other, and wait for the new sentence. All
pages live in one browser on the machine that also serves them, so the times include the browser's own work. Afterwards
forty sessions are opened and closed in every room, and the server's memory is read before and after.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import pairwise
from pathlib import Path

# The client must know the models that a page sends.
import panel_material_ui  # noqa: F401
import psutil
from bokeh.client import pull_session
from playwright.sync_api import BrowserContext, Page, sync_playwright

import workbench.ui.pointcloud
import workbench.ui.screen  # noqa: F401
from workbench.ui.serve import ROOMS, command

LONG_RUN = "flows?tab=paper&n=2000&seeds=5"
SLIDERS = {
    "fisher?tab=identity": "Random tensors",
    "games?tab=contraction": "a",
    "flows?tab=directions": "Directions",
}
FLAGS = ["--headless", "--no-sandbox", "--disable-background-networking", "--enable-unsafe-swiftshader"]
SENTENCE = ".sentence"
PICTURE = ".bk-Figure canvas, canvas"
OPENINGS = 5
SESSIONS = 40
WISHED = 0.5  # seconds until a slider answers, whoever else works
ROUNDS = 1


@contextmanager
def server() -> Iterator[tuple[str, psutil.Process]]:
    """Serve all rooms; yields the address and the process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = subprocess.Popen(command(port=port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(400):
            try:
                urllib.request.urlopen(f"{address}/liveness", timeout=2).close()
                break
            except OSError:
                time.sleep(0.5)
        yield address, psutil.Process(started.pid)
    finally:
        started.terminate()
        started.wait(20)


@contextmanager
def browsing() -> Iterator[BrowserContext]:
    """Start Chromium; yields a context in which pages share what they have fetched."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser.new_context()
        browser.close()


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


def answer_time(page: Page, label: str) -> float:
    """Press an arrow key on a slider and wait for another sentence; seconds."""
    page.bring_to_front()  # a browser draws the pages behind the front one once a second only
    page.wait_for_timeout(300)
    before = page.locator(SENTENCE).first.inner_text()
    page.get_by_label(label, exact=True).first.focus()
    started = time.perf_counter()
    page.keyboard.press("ArrowRight")
    while page.locator(SENTENCE).first.inner_text() == before:
        if time.perf_counter() - started > 30:
            raise TimeoutError(f"no answer to {label} in 30 s")
        page.wait_for_timeout(5)
    return time.perf_counter() - started


def crowd(context: BrowserContext, address: str) -> tuple[list[float], list[float]]:
    """Return the answer times of nine visitors, alone and while a tenth runs something long."""
    pages = []
    for name, label in list(SLIDERS.items()) * 3:
        page = context.new_page()
        page.goto(f"{address}/{name}")
        page.locator(".bk-Figure").first.wait_for(timeout=90_000)
        pages.append((page, label))
    time.sleep(5)
    for page, label in pages:  # once each, so that nothing is compiled or imported while the clock runs
        answer_time(page, label)
    quiet = [answer_time(page, label) for page, label in pages]
    busy_page = start_long_run(context, address)
    time.sleep(5)
    crowded = [answer_time(page, label) for page, label in pages]
    assert busy_page.get_by_role("button", name="Cancel").is_visible(), "the long run ended too soon to measure"
    return quiet, crowded


def memory_left(address: str, process: psutil.Process, room: str) -> list[float]:
    """Return by how many MB the server grows in each round of ``SESSIONS`` sessions of one room, after warming up."""

    def size_after(visits: int) -> float:
        for _ in range(visits):
            pull_session(url=f"{address}/{room}").close()
        time.sleep(7)
        return process.memory_info().rss / 1e6

    sizes = [size_after(20)] + [size_after(SESSIONS) for _ in range(ROUNDS)]
    return [after - before for before, after in pairwise(sizes)]


def report(
    opened: dict[str, tuple[float, float]], quiet: list[float], crowded: list[float], left: dict[str, list[float]]
) -> str:
    """Return the findings as markdown."""
    lines = ["# Many visitors", "", f"{os.cpu_count()} cores, {date.today()}; `python benchmarks/visitors.py`.", ""]
    lines += ["| room | s until the page has loaded | s from there to the first picture |", "|---|---|---|"]
    lines += [f"| {room} | {loaded:.2f} | {drawn:.2f} |" for room, (loaded, drawn) in opened.items()]
    lines += ["", f"Medians of {OPENINGS}, server and browser on the same machine.", ""]
    lines += ["| nine visitors move a slider | median s | longest s |", "|---|---|---|"]
    for name, times in (("nobody else works", quiet), ("a tenth runs minutes of work", crowded)):
        lines.append(f"| {name} | {statistics.median(times):.2f} | {max(times):.2f} |")
    met = "is met" if max(crowded) <= WISHED else "is not met here"
    lines += ["", f"All ten pages share the cores with the server. The wish, an answer in {WISHED} s, {met}."]
    rounds = " | ".join(f"round {k + 1}" for k in range(ROUNDS))
    lines += ["", f"| MB left by {SESSIONS} sessions | {rounds} |", "|---" * (ROUNDS + 1) + "|"]
    lines += [f"| {room} | {' | '.join(f'{value:+.1f}' for value in values)} |" for room, values in left.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, and with ``--write`` store the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="store benchmarks/results/visitors.md")
    wanted = parser.parse_args()
    with server() as (address, process):
        with browsing() as context:
            opened = {room: opening_times(context, address, room) for room in ROOMS}
            quiet, crowded = crowd(context, address)
        time.sleep(10)
        left = {room: memory_left(address, process, room) for room in ROOMS}
    text = report(opened, quiet, crowded, left)
    print(text)
    if wanted.write:
        Path(__file__).with_name("results").joinpath("visitors.md").write_text(text)


if __name__ == "__main__":
    main()
