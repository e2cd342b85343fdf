"""Studies written down in TOML."""

import numpy as np
import pytest
import xarray as xr

from workbench import results, sweeps

GOOD = """
title = "Walks"
experiment = "sweep_toys:walk"
seed = 3
repeats = 2
paired = ["kind"]
keep = ["end"]
output = "walks.nc"

[grid]
steps = { from = 4, to = 8, step = 2 }
scale = { from = 0.0, to = 1.0, points = 5 }
kind = ["normal", "laplace"]
"""


def written(tmp_path, text=GOOD):
    path = tmp_path / "walks.toml"
    path.write_text(text)
    return path


def test_a_study_runs_saves_and_resumes(tmp_path):
    study = sweeps.read_study(written(tmp_path))
    assert (study.title, study.store, study.output) == ("Walks", tmp_path / "walks", tmp_path / "walks.nc")
    ds = sweeps.run_study(study, allow_import=True)
    np.testing.assert_array_equal(ds["steps"], [4, 6, 8])
    np.testing.assert_array_equal(ds["scale"], [0, 0.25, 0.5, 0.75, 1])
    assert ds["end"].dims == ("steps", "scale", "kind", "repeat")
    np.testing.assert_array_equal(ds["cell_seed"].sel(kind="normal"), ds["cell_seed"].sel(kind="laplace"))
    xr.testing.assert_identical(results.open(tmp_path / "walks.nc"), ds)
    assert ds.attrs["title"] == "Walks"
    xr.testing.assert_identical(sweeps.run_study(study, executor=2, allow_import=True), ds)


def test_a_study_can_write_zarr(tmp_path):
    study = sweeps.read_study(written(tmp_path))
    lazy = sweeps.run_study(study, output=tmp_path / "walks.zarr", allow_import=True)
    assert lazy["end"].chunks is not None
    assert results.open(tmp_path / "walks.zarr").sizes == {"steps": 3, "scale": 5, "kind": 2, "repeat": 2}
    with pytest.raises(ValueError, match="end the name in"):
        sweeps.run_study(study, output=tmp_path / "walks.csv")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[grid]", "[grid", "walks.toml is not valid TOML: .*line"),
        ("repeats = 2", "repeat = 2", "unknown key 'repeat'; a study has: .*repeats"),
        ('experiment = "sweep_toys:walk"', "", "the key 'experiment' is missing"),
        ('experiment = "sweep_toys:walk"', "experiment = 3", "'experiment' must be a string in quotes"),
        ("from = 4, to = 8, step = 2", "from = 4, to = 8, stop = 2", "grid.steps: write a list, or a table"),
        ("from = 4, to = 8, step = 2", "from = 4, to = 8, step = 0", "steps.step must be at least 1"),
        ("from = 4, to = 8, step = 2", "from = 4.5, to = 8", "steps.from must be a whole number"),
        ("points = 5", "points = 1", "scale.points must be at least 2"),
        ('keep = ["end"]', 'keep = "end"', "'keep' must be a list of names"),
        ("[grid]", "[[grid]]", r"\[grid\] must be a table"),
        ("points = 5", "points = 1000000000", "scale.points must be at most 500000"),
        ("from = 4, to = 8, step = 2", "from = 0, to = 1000000000000", "1,000,000,000,001 values; the largest sweep"),
        ("from = 4, to = 8, step = 2", f"from = 0, to = {10**400}", "the largest sweep has 500,000 cells"),
        ("repeats = 2", f"repeats = {'[' * 5000 + ']' * 5000}", "brackets are nested too deeply"),
        ("Walks", "W" * 2**22, "a study is a text of at most 4,194,304"),
    ],
)
def test_studies_with_mistakes_are_refused_in_words(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(ValueError, match=message):
        sweeps.read_study(written(tmp_path, GOOD.replace(old, new)))


def test_an_axis_from_python_is_bounded_before_it_is_made():
    with pytest.raises(ValueError, match="grid axis 'steps' has 1,000,000,000,000 values"):
        sweeps.sweep("fisher.ising_curvature", {"steps": range(10**12)}, store="never", seed=None)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_study_is_read_whatever_mark_its_editor_put_before_it(tmp_path, encoding):
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    (tmp_path / "walks.toml").write_bytes(
        (mark + GOOD.replace("Walks", "Wälks").replace("\n", "\r\n")).encode(encoding)
    )
    assert sweeps.read_study(tmp_path / "walks.toml").title == "Wälks"


def test_a_study_in_another_encoding_is_named(tmp_path):
    (tmp_path / "walks.toml").write_bytes(GOOD.replace("Walks", "Wälks").encode("latin-1"))
    with pytest.raises(ValueError, match=r"walks.toml is not UTF-8 \(byte 11\); save it as UTF-8"):
        sweeps.read_study(tmp_path / "walks.toml")


def test_a_missing_study(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        sweeps.read_study(tmp_path / "none.toml")
