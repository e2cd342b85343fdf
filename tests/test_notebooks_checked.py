"""nbval passes in silence on cells that never ran; this fails instead."""

import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))
LARGEST = 1_500_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_ran_in_order_and_the_notebook_checks_something(path):
    text = path.read_text()
    assert len(text) < LARGEST, "never commit inlined bundles"
    cells = [
        cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code" and "".join(cell["source"]).strip()
    ]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    sources = ["".join(cell["source"]) for cell in cells]
    assert any("assert " in source for source in sources), "no cell asserts anything"
    assert any(cell["outputs"] for cell in cells), "no output is stored"
    assert "workbench.notebook import setup" in sources[0]
    for cell in cells:
        assert not any(output["output_type"] == "error" for output in cell["outputs"])
        if "nbval-check-output" in cell["metadata"].get("tags", []):
            assert cell["outputs"], "a checked cell without stored output checks nothing"


def test_there_are_notebooks():
    assert NOTEBOOKS
