"""The page of all file formats: every example is read by its reader, which says what the page says."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
SLOW = ("atoms", "network")  # they load ase, and torch in a process apart


def _loaded() -> ModuleType:
    sys.path.insert(0, str(DOCS))
    try:
        return importlib.import_module("make_file_formats")
    finally:
        sys.path.remove(str(DOCS))


formats = _loaded()
CASES = [
    pytest.param(one, id=one.folder, marks=[pytest.mark.slow] if one.folder in SLOW else [])
    for one in formats.FORMATS
]  # fmt: skip


@pytest.mark.parametrize("one", CASES)
def test_every_example_is_read_as_the_page_says(one):
    if one.folder == "atoms" and importlib.util.find_spec("ase") is None:
        pytest.skip("reading these needs ase")
    assert formats.section(one) in formats.PAGE.read_text(), "run make docs"


@pytest.mark.parametrize("one", formats.FORMATS, ids=lambda one: one.folder)
def test_every_ending_of_a_reader_has_an_example_or_a_reason(one):
    formats.without_example(one)
    there = {path.name for path in (formats.EXAMPLES / one.folder).iterdir()}
    assert there == set(one.examples)
    assert all(0 < (formats.EXAMPLES / one.folder / name).stat().st_size < 20_000 for name in there)


def test_examples_of_text_and_arrays_are_those_that_the_script_makes():
    for one in formats.FORMATS:
        for name, make in one.examples.items():
            if name.endswith((".csv", ".tsv", ".txt", ".ply", ".obj", ".off", ".gii", ".npy", ".geojson", ".xyz")):
                assert formats.path_of(one, name).read_bytes() == make(), f"{one.folder}/{name}"


def test_a_changed_example_is_noticed(tmp_path, monkeypatch):
    one = next(one for one in formats.FORMATS if one.folder == "signals")
    monkeypatch.setattr(formats, "EXAMPLES", tmp_path)
    (tmp_path / "signals").mkdir()
    for name, make in one.examples.items():
        (tmp_path / "signals" / name).write_bytes(make().replace(b"1,0,0\n", b""))
    assert formats.section(one) not in formats.PAGE.read_text()
    (tmp_path / "signals" / "mine.csv").write_bytes(b"a,b\n1,nan\n")
    with pytest.raises(ValueError, match=r"mine\.csv"):
        formats.section(one)
