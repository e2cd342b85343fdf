"""The folder of saved results: whatever lies in it, the page lists the rest."""

import os

import h5py
import pytest
import xarray as xr

from workbench import fisher, results
from workbench.ui.kit import saved


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_RESULTS", str(tmp_path / "results"))
    (tmp_path / "results").mkdir()
    results.save(fisher.ising_curvature(3), tmp_path / "results" / "good.nc")
    return tmp_path / "results"


def names():
    return [one.name for one in saved.recent()]


def test_what_is_no_result_is_left_out_and_the_rest_listed(folder):
    outside = results.save(fisher.ising_curvature(3), folder.parent / "outside.nc")
    (folder / "dangling.nc").symlink_to(folder / "gone")
    (folder / "ring.nc").symlink_to(folder / "ring.nc")
    (folder / "out.nc").symlink_to(outside)
    (folder / "folder.nc").mkdir()
    os.mkfifo(folder / "pipe.nc")
    (folder / "text.nc").write_text("no")
    (folder / "cut.nc").write_bytes((folder / "good.nc").read_bytes()[:1000])
    for k, value in enumerate([3, ["a"], "", "f" * 1000]):
        with h5py.File(folder / f"odd{k}.nc", "w") as file:
            file.attrs["function"] = value
    assert names() == ["good.nc"]
    for name in ("dangling.nc", "ring.nc", "out.nc", "folder.nc", "pipe.nc"):
        with pytest.raises(ValueError, match="there is no saved result"):
            saved.open_named(name)
    assert saved.open_named("good.nc").attrs["function"] == "workbench.fisher.ising_curvature"


def test_the_list_follows_the_folder(folder):
    assert [one.room for one in saved.recent()] == ["fisher"]
    changed = results.open(folder / "good.nc").assign_attrs(function="elsewhere.f")
    results.save(changed, folder / "good.nc")
    assert [one.room for one in saved.recent()] == [""]
    (folder / "good.nc").unlink()
    assert names() == []
    folder.rmdir()
    assert names() == []


@pytest.mark.parametrize(
    "name",
    ["a" * 300, "a" * 5000, "../good.nc", "/etc/passwd", "a\0b", "", ".", "..", "a\nb", "\ud800", "none.nc", None],
)
def test_a_name_from_an_address_can_be_anything(folder, name):
    with pytest.raises(ValueError, match="there is no saved result") as caught:
        saved.open_named(name)
    assert len(str(caught.value)) < 300


def test_a_result_that_somebody_has_tampered_with_is_refused_in_words(folder):
    nested = "[" * 5000 + "]" * 5000
    for attribute, value in {"seconds": "soon", "parameters": nested, "own": f"json:{nested}"}.items():
        results.save(fisher.ising_curvature(3), folder / "bad.nc")
        with h5py.File(folder / "bad.nc", "r+") as file:
            file.attrs[attribute] = value
        with pytest.raises(ValueError, match=r"not a time|nested more than 64 deep"):
            saved.open_named("bad.nc")


def test_it_is_the_result_that_was_saved(folder):
    xr.testing.assert_identical(saved.open_named("good.nc"), results.open(folder / "good.nc"))
