"""The files that ship: each is a valid result, read once, and a caller cannot spoil it for the next."""

import pytest

from workbench import data, results

SHIPPED = sorted(str(path.relative_to(data.folder())) for path in data.folder().rglob("*.nc"))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_result_is_valid_and_what_its_file_says(name):
    found = data.result(name)
    assert not results.problems(found)
    assert found.identical(results.open(data.path(name)))


def test_a_shipped_result_is_read_once_and_each_caller_has_a_dataset_of_its_own(monkeypatch):
    first = data.result(SHIPPED[0])
    monkeypatch.setattr(results, "open", None)  # a second read would fail
    first.attrs["title"] = "mine"
    second = data.result(SHIPPED[0])
    assert second is not first
    assert "title" not in second.attrs


def test_an_unknown_name_tells_what_there_is():
    with pytest.raises(FileNotFoundError, match=r"no shipped data file 'nothing\.nc'.*flows/paper\.nc"):
        data.result("nothing.nc")
    with pytest.raises(FileNotFoundError, match="no shipped data file"):
        data.path("../pyproject.toml")


def test_a_shipped_result_is_found_by_the_arguments_it_was_made_with():
    made = {"x": "torus", "y": "cube", "n": 1000, "steps": 60, "checkpoints": (0, 15, 30, 60)}
    assert data.result_for("flows/first_flow.nc", **made).identical(data.result("flows/first_flow.nc"))
    for other in ({"steps": 61}, {"x": "cube"}, {"checkpoints": ()}, {"colour": "red"}):
        assert data.result_for("flows/first_flow.nc", **{**made, **other}) is None
