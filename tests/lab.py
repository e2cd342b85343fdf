"""A real JupyterLab to look at: the same one that ``make lab`` starts, with nothing of the machine's own settings."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from chromium import free_port, serving

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
CONFIG = NOTEBOOKS / "lab-config"
OPTIONS = ("--no-browser", "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.allow_root=True")


@contextmanager
def jupyterlab(further: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start JupyterLab over a copy of the notebooks, live, with folders of its own; yields its address.

    ``further`` are more notebooks, name → JSON.
    """
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        work = place / "notebooks"
        work.mkdir()
        for notebook in NOTEBOOKS.glob("*.ipynb"):
            (work / notebook.name).write_bytes(notebook.read_bytes())
        for name, text in (further or {}).items():
            (work / name).write_text(text)
        own = {f"JUPYTER_{kind}_DIR": str(place / kind.lower()) for kind in ("CONFIG", "RUNTIME")}
        own |= {"JUPYTERLAB_SETTINGS_DIR": str(place / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(place / "spaces")}
        own |= {"JUPYTER_CONFIG_PATH": str(CONFIG), "WORKBENCH_LIVE": "1", "IPYTHONDIR": str(place / "ipython")}
        own["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", "jupyterlab", *OPTIONS, f"--port={port}", f"--ServerApp.root_dir={work}"]
        with serving(command, port, {**os.environ, **own}, alive="api") as (address, _):
            yield address


def open_notebook(page: "Page", address: str, name: str = "tour.ipynb") -> None:
    """Open one notebook, and wait until its kernel is there."""
    page.goto(f"{address}/lab/tree/{name}")
    page.get_by_text("(ipykernel) | Idle").wait_for(timeout=120_000)
    page.locator(".jp-CodeCell").first.wait_for(timeout=120_000)


def run_all(page: "Page", patience: float = 240.0) -> float:
    """Run all cells from the menu and wait until the last has its number; returns the seconds it took."""
    started = time.perf_counter()
    page.get_by_role("menuitem", name="Run", exact=True).first.click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    waiting = page.locator(".jp-InputPrompt").filter(has_text="[*]")
    page.wait_for_timeout(1500)
    while waiting.count():
        if time.perf_counter() - started > patience:
            raise TimeoutError(f"{waiting.count()} cells are not done after {patience:.0f} s")
        page.wait_for_timeout(100)
    return time.perf_counter() - started


def cell_with(page: "Page", text: str) -> "Locator":
    """Return the code cell whose source holds ``text``."""
    return page.locator(".jp-CodeCell").filter(has_text=text)
