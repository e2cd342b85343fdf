"""The one line at the top of a notebook, and the folder of shipped data."""

import pytest

from workbench import data, notebook


def test_static_notebooks_name_the_live_widget(monkeypatch):
    monkeypatch.delenv("WORKBENCH_LIVE", raising=False)
    notebook._state["live"] = False
    assert not notebook.is_live()
    assert "make lab" in notebook.widget(dict).data


def test_live_notebooks_build_it():
    notebook._state["live"] = True
    try:
        assert notebook.widget(dict, a=1) == {"a": 1}
    finally:
        notebook._state["live"] = False


def test_data_paths_stay_in_the_folder():
    assert data.path("README.md").is_file()
    for name in ("../pyproject.toml", "missing.nc"):
        with pytest.raises(FileNotFoundError, match="README"):
            data.path(name)
