"""Every code block of the documentation runs, in the order of its page, in an empty folder.

A block marked ``python`` is executed; shell blocks are checked for commands that exist. A page can prepare files that
its blocks expect in a block inside an HTML comment: ``<!-- setup`` followed by Python and ``-->``.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```|^<!-- setup\n(.*?)^-->", re.M | re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_blocks_run(page, tmp_path):
    blocks = [visible or hidden for visible, hidden in BLOCK.findall(page.read_text())]
    if not blocks:
        pytest.skip("no Python on this page")
    script = tmp_path / "blocks.py"
    script.write_text("if __name__ == '__main__':\n" + "".join(_indented(block) for block in blocks))
    environment = {**os.environ, "MPLBACKEND": "agg"}
    done = subprocess.run([sys.executable, script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def _indented(block: str) -> str:
    """One level under the main guard, which worker processes need."""
    return "".join(f"    {line}" if line.strip() else line for line in block.splitlines(keepends=True)) + "\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_and_pictures_exist(page):
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", _prose(page.read_text())):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def _prose(text: str) -> str:
    """The page without its code blocks, where brackets mean something else."""
    return re.sub(r"^(```|<!-- setup).*?^(```|-->)", "", text, flags=re.M | re.S)


def test_readme_tables_come_from_the_benchmarks():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        from update_readme import updated
    finally:
        sys.path.pop(0)
    text = (ROOT / "README.md").read_text()
    assert updated(text) == text, "run python benchmarks/update_readme.py"


def test_index_lists_the_rooms():
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        from make_index import updated
    finally:
        sys.path.pop(0)
    text = (ROOT / "docs" / "index.md").read_text()
    assert updated(text) == text, "run python docs/make_index.py"


def test_container_files_name_what_is_there():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    for line in lines:
        if line.startswith("COPY"):
            for name in line.split()[1:-1]:
                assert (ROOT / name).exists(), line
    import yaml

    from workbench.cli import app

    command = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["workbench"]["command"]
    assert command[0] in {entry.callback.__name__ for entry in app.registered_commands}


def test_workbench_command_is_installed():
    assert shutil.which("workbench", path=os.path.dirname(sys.executable))
