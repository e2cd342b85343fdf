"""What one visitor can do to the others: attacks on a served workbench, and how long it was silent.

    python benchmarks/attacks.py [--write] [NAME ...]

Needs Chromium. Each attack runs against one server, as ``workbench serve`` starts it, while a watcher asks /liveness
twenty times a second and reads the memory of the server with its children. After each attack a fresh page must answer.
The limits asked for: /liveness within half a second throughout, memory bounded, everything recovered afterwards.
"""

import argparse
import json
import os
import statistics
import struct
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import psutil
from playwright.sync_api import Browser, Page

from workbench import data, flows, results
from workbench.games.verifier.document import digest
from workbench.rooms import ROOMS
from workbench.ui.server.serve import command, environment

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from chromium import free_port, launched, serving

TARGET = Path(__file__).with_name("results") / "attacks.md"
LOOK_EVERY = 0.05
PATIENCE = 60.0  # seconds that a page may take to say what is wrong with a file


@dataclass
class Watch:
    """What was seen of the server while something went on."""

    slowest: float = 0.0
    answers: list[float] = field(default_factory=list)
    memory: float = 0.0


@contextmanager
def watching(address: str, process: psutil.Process) -> Iterator[Watch]:
    """Ask /liveness and read the memory until the block ends."""
    seen, stop = Watch(), threading.Event()

    def look() -> None:
        while not stop.is_set():
            started = time.perf_counter()
            try:
                with urllib.request.urlopen(f"{address}/liveness", timeout=120) as answer:
                    answer.read()
            except OSError:
                pass
            took = time.perf_counter() - started
            seen.answers.append(took)
            seen.slowest = max(seen.slowest, took)
            stop.wait(LOOK_EVERY)

    def weigh() -> None:
        while not stop.is_set():
            total = 0
            for one in (process, *process.children(recursive=True)):
                try:
                    total += one.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            seen.memory = max(seen.memory, total / 1e6)
            stop.wait(0.2)

    threads = [threading.Thread(target=look), threading.Thread(target=weigh)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@dataclass
class Stage:
    """Where the attacks take place."""

    browser: Browser
    address: str
    files: Path
    results: Path

    @contextmanager
    def page(self, path: str) -> Iterator[Page]:
        """Open a page in a context of its own."""
        context = self.browser.new_context()
        page = context.new_page()
        page.goto(f"{self.address}/{path}")
        try:
            yield page
        finally:
            context.close()

    def upload(self, path: str, accepted: str, name: str, content: bytes) -> str:
        """Hand a file to the chooser of a page that accepts such files, and return what the page says of it."""
        file = self.files / name
        file.write_bytes(content)
        said = ".sentence, [role=alert], [role=status], [aria-live]"
        with self.page(path) as page:
            page.locator(f"input[type=file][accept*='{accepted}']").first.wait_for(state="attached", timeout=90_000)
            page.wait_for_timeout(3000)
            before = page.locator(said).all_inner_texts()
            page.locator(f"input[type=file][accept*='{accepted}']").first.set_input_files(file)
            deadline, asked = time.monotonic() + PATIENCE, time.monotonic() - 12
            while time.monotonic() < deadline:
                texts = [text.strip() for text in page.locator(said).all_inner_texts() if text not in before]
                # neither that a file is being read nor the finding of before is an answer
                new = [text for text in texts if not text.endswith("…") and not text.endswith("press Run)")]
                if any(new):
                    return max(new, key=len)[:160].replace("\n", " ")
                run = page.get_by_role("button", name="Run", exact=True)
                waits = run.count() and run.first.is_visible() and run.first.is_enabled()
                # long work waits to be asked for, and a click starts it anew
                if waits and time.monotonic() > asked + 15:
                    run.first.click()
                    asked = time.monotonic()
                page.wait_for_timeout(200)
        return "nothing was said"


# ---- certificates ------------------------------------------------------------------------------------------------


def _check(stage: Stage, name: str, document: dict[str, Any]) -> str:
    """Sign a changed certificate, as anybody can, and bring it to the page that checks."""
    document["digest"] = digest(document)
    return stage.upload("games?tab=check", ".json", name, json.dumps(document).encode())


def huge_exponent(stage: Stage) -> str:
    """A band end of 10^400000000, as a string."""
    document = json.loads(data.path("games/toy.json").read_text())
    document["band"] = ["1e400000000", document["band"][1]]
    return _check(stage, "exponent.json", document)


def many_leaves(stage: Stage) -> str:
    """2^15 leaves and a program of 8,000 instructions in one small file."""
    document = json.loads(data.path("games/cournot.json").read_text())
    program = document["game"]["program"]["instructions"]
    for _ in range(8000 - len(program)):
        program.append(["add", [len(program) - 1, 0], 0])
    document["game"]["program"]["outputs"] = [len(program) - 1, len(program) - 2]
    depth = 15
    document["tree"] = [0] * (2**depth - 1) + [-1] * 2**depth
    return _check(stage, "leaves.json", document)


def deep_json(stage: Stage) -> str:
    """A certificate of nothing but brackets."""
    return stage.upload("games?tab=check", ".json", "deep.json", b"[" * 200_000 + b"]" * 200_000)


# ---- results -----------------------------------------------------------------------------------------------------


def _result() -> Any:
    x, y = flows.cloud("torus", 30), flows.cloud("cube", 30)
    return flows.gradient_flow(x, y, steps=2)


def long_strings(stage: Stage) -> str:
    """A NetCDF of 1 MB: 20,000 strings, one of them of 50,000 letters (3.9 GB as an array)."""
    file = stage.files / "strings.nc"
    results.save(_result(), file)
    with h5py.File(file, "a") as opened:
        words = np.array(["a"] * 19_999 + ["b" * 50_000], dtype=object)
        opened.create_dataset("words", data=words, dtype=h5py.string_dtype(), compression="gzip")
    return stage.upload("flows?tab=directions", ".nc", "strings.nc", file.read_bytes())


def zip_bomb(stage: Stage) -> str:
    """A NetCDF of 1 MB that unpacks to 8 GB of zeros."""
    file = stage.files / "bomb.nc"
    results.save(_result(), file)
    with h5py.File(file, "a") as opened:
        opened.create_dataset("zeros", shape=(1000, 1_000_000), dtype="f8", chunks=(1, 1_000_000), compression="gzip")
    return stage.upload("flows?tab=directions", ".nc", "bomb.nc", file.read_bytes())


def odd_results(stage: Stage) -> str:
    """A results folder with a time that is no number, an attribute of 5,000 brackets, and a link to nowhere."""
    results.save(_result(), stage.results / "good.nc")
    for name, key, value in (("soon", "seconds", "soon"), ("nested", "parameters", "[" * 5000 + "]" * 5000)):
        file = stage.results / f"{name}.nc"
        results.save(_result(), file)
        with h5py.File(file, "a") as opened:
            opened.attrs[key] = value
    link = stage.results / "nowhere.nc"
    if not link.is_symlink():
        link.symlink_to("missing.nc")
    told = []
    for address in ("home", "flows?result=soon.nc", "flows?result=nested.nc", "flows?result=nowhere.nc"):
        with stage.page(address) as page:
            page.get_by_role("navigation", name="Rooms").wait_for(timeout=60_000)
            page.locator(".bk-Figure, canvas").first.wait_for(timeout=60_000)
            told.append(address)
    return f"{len(told)} pages stand"


# ---- clouds ------------------------------------------------------------------------------------------------------


def _clouds(stage: Stage, name: str, content: bytes) -> str:
    return stage.upload("flows?origin=file", ".npy", name, content)


def large_csv(stage: Stage) -> str:
    """A CSV of 60 MB."""
    rows = 60 * 10**6 // 30
    return _clouds(stage, "large.csv", b"0.12345678,0.23456789,0.345678\n" * rows)


def large_obj(stage: Stage) -> str:
    """An OBJ of 56 MB."""
    return _clouds(stage, "large.obj", b"v 0.1234 0.5678 0.9012\nf 1 1 1\n" * (56 * 10**6 // 31))


def large_ply(stage: Stage) -> str:
    """A PLY of 40 MB of polygons."""
    count = 3 * 10**6
    head = "ply\nformat binary_little_endian 1.0\nelement vertex 4\n"
    head += "".join(f"property float {axis}\n" for axis in "xyz")
    head += f"element face {count}\nproperty list uchar int vertex_indices\nend_header\n"
    corners = struct.pack("<12f", 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0)
    return _clouds(
        stage, "large.ply", head.encode() + corners + struct.pack("<B4i", 4, 0, 1, 2, 3) * (40 * 10**6 // 17)
    )


# ---- addresses and sockets -----------------------------------------------------------------------------------------


def addresses(stage: Stage) -> str:
    """Addresses that used to give blank pages: 300 letters of a result, 101 fields, control characters, traversal."""
    tried = (
        f"flows?result={'x' * 300}", "flows?" + "&".join(f"a{k}=1" for k in range(101)), "fisher?result=%00",
        "steps?tab=%F0%9F%92%A9", "games?result=..%2F..%2Fetc%2Fpasswd", "home?x=" + "y" * 5000, "flows?n=1e999",
    )  # fmt: skip
    stand = 0
    for address in tried:
        with stage.page(address) as page:
            page.get_by_role("navigation", name="Rooms").wait_for(timeout=60_000)
            page.locator(".bk-Figure, canvas").first.wait_for(timeout=60_000)
            stand += 1
    return f"{stand} of {len(tried)} pages stand"


def only_get(stage: Stage) -> str:
    """Twelve clients that fetch pages in a loop for 20 s and never connect; a visitor comes meanwhile."""
    stop = threading.Event()
    counts = {"pages": 0, "refused": 0}

    def fetch(k: int) -> None:
        rooms = ["home", *ROOMS]
        while not stop.is_set():
            try:
                urllib.request.urlopen(f"{stage.address}/{rooms[k % len(rooms)]}", timeout=120).read()
                counts["pages"] += 1
            except urllib.error.HTTPError:
                counts["refused"] += 1
                time.sleep(0.05)
            except OSError:
                time.sleep(0.05)
            k += 1

    with ThreadPoolExecutor(12) as pool:
        tasks = [pool.submit(fetch, k) for k in range(12)]
        time.sleep(3)
        started = time.perf_counter()
        with stage.page("fisher?tab=identity") as page:
            page.locator(".sentence").first.wait_for(timeout=90_000)
        visitor = time.perf_counter() - started
        time.sleep(max(0.0, 20 - visitor))
        stop.set()
        for task in tasks:
            task.result()
    return f"{counts['pages']} pages fetched, {counts['refused']} refused; the visitor's sentence after {visitor:.1f} s"


def endless_message(stage: Stage) -> str:
    """One message to the document in 400 parts of a megabyte."""
    script = """async (address) => {
      const page = await (await fetch(address)).text()
      const token = page.match(/"token":"([^"]+)"/)[1]
      const socket = new WebSocket(address.replace('http', 'ws') + '/ws', ['bokeh', token])
      await new Promise((resolve) => { socket.onopen = resolve })
      let closed = false
      socket.onclose = () => { closed = true }
      await new Promise((resolve) => setTimeout(resolve, 1500))
      socket.send(JSON.stringify({msgid: '1', msgtype: 'PATCH-DOC', num_buffers: 400}))
      socket.send('{}')
      socket.send(JSON.stringify({events: []}))
      const part = new Uint8Array(2 ** 20)
      let sent = 0
      for (; sent < 400 && !closed; sent++) {
        socket.send(JSON.stringify({id: String(sent)}))
        socket.send(part)
        while (socket.bufferedAmount > 2 ** 23 && !closed) await new Promise((resolve) => setTimeout(resolve, 10))
      }
      await new Promise((resolve) => setTimeout(resolve, 1000))
      return [sent, closed]
    }"""
    with stage.page("liveness") as page:
        sent, closed = page.evaluate(script, f"{stage.address}/flows")
    return f"{sent} MB sent, the connection {'was closed' if closed else 'stayed open'}"


ATTACKS: tuple[Callable[[Stage], str], ...] = (
    huge_exponent, many_leaves, deep_json, long_strings, zip_bomb, odd_results, large_csv, large_obj, large_ply,
    addresses, only_get, endless_message,
)  # fmt: skip


def recovered(stage: Stage) -> float:
    """Return the seconds until a fresh page answers."""
    started = time.perf_counter()
    with stage.page("fisher?tab=identity") as page:
        page.locator(".sentence").first.wait_for(timeout=90_000)
    return time.perf_counter() - started


def row(attack: Callable[[Stage], str], stage: Stage, process: psutil.Process) -> str:
    """Carry out one attack and return its row of the table."""
    idle = process.memory_info().rss / 1e6
    with watching(stage.address, process) as seen:
        try:
            said = attack(stage)
        except Exception as error:  # a row of the table, whatever went wrong
            said = f"FAILED: {type(error).__name__}: {str(error).splitlines()[0][:120]}"
    after = recovered(stage)
    name = (attack.__doc__ or attack.__name__).splitlines()[0]
    typical = statistics.median(seen.answers) if seen.answers else float("nan")
    made = f"{1000 * typical:.0f} ms, {seen.slowest:.2f} s | {seen.memory - idle:+.0f}"
    return f"| {name} | {said.replace('|', '/')} | {made} | {after:.1f} |"


def main() -> None:
    """Carry the attacks out, print the table, and with ``--write`` store it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"store {TARGET.name}")
    parser.add_argument("names", nargs="*", help="some of the attacks only")
    wanted = parser.parse_args()
    chosen = [attack for attack in ATTACKS if not wanted.names or attack.__name__ in wanted.names]
    lines = [
        "# Attacks", "", f"{os.cpu_count()} cores, {date.today()}; `python benchmarks/attacks.py`.", "",
        "| attack | what was said | /liveness: median, slowest | MB more at most | s until a fresh page answers |",
        "|---|---|---|---|---|",
    ]  # fmt: skip
    print("\n".join(lines))
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        files, kept = Path(folder) / "files", Path(folder) / "results"
        files.mkdir()
        kept.mkdir()
        port = free_port()
        with serving(command(port=port), port, environment(results_folder=kept)) as (address, started):
            stage = Stage(browser, address, files, kept)
            recovered(stage)
            for attack in chosen:
                lines.append(row(attack, stage, psutil.Process(started.pid)))
                print(lines[-1], flush=True)
    if wanted.write and not wanted.names:
        TARGET.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
