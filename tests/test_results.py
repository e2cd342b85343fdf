"""Results: conventions, provenance, and the round trip through files."""

import json
import os

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings

from workbench import results


@results.experiment
def wave(n: int, amplitude: float = 1.0, samples=None, seed: int = 0, progress=None) -> xr.Dataset:
    time = np.linspace(0, 1, n)
    rng = np.random.default_rng(seed)
    return results.dataset(
        {
            "displacement": (("time",), amplitude * np.sin(time) + rng.normal(size=n), "displacement", "m"),
            "label": ((), "first wave", "label"),
            "above": (("time",), time > 0.5, "in the second half"),
        },
        {"time": (("time",), time, "time", "s")},
        {"note": None, "flag": True, "table": {"a": [1, 2]}},
    )


@pytest.fixture
def ds():
    return wave(128, amplitude=2.0)


def test_provenance_is_complete(ds):
    assert json.loads(ds.attrs["parameters"]) == {"n": 128, "amplitude": 2.0, "samples": None, "seed": 0}
    assert ds.attrs["function"].endswith("wave")
    assert ds.attrs["seed"] == 0
    assert results.is_experiment(wave)
    assert not results.is_experiment(len)


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_round_trip_keeps_everything(ds, tmp_path, suffix):
    path = results.save(ds, tmp_path / f"wave{suffix}")
    again = results.open(path)
    xr.testing.assert_identical(again, ds)
    assert {name: v.dtype.kind for name, v in again.variables.items()} == {
        name: v.dtype.kind for name, v in ds.variables.items()
    }
    assert os.listdir(tmp_path) == [path.name]


def test_round_trip_through_bytes(ds):
    xr.testing.assert_identical(results.open_bytes(results.to_bytes(ds)), ds)


@settings(deadline=None, max_examples=25)
@given(hnp.arrays(hnp.floating_dtypes(sizes=(32, 64)) | hnp.integer_dtypes(), hnp.array_shapes(min_dims=1, max_dims=3)))
def test_any_numeric_array_survives(values):
    dims = tuple(f"axis_{k}" for k in range(values.ndim))
    made = results.dataset(
        {"values": (dims, values, "values")},
        {d: ((d,), np.arange(n), d) for d, n in zip(dims, values.shape, strict=True)},
        {"function": "f", "parameters": "{}", "seed": 0, "version": "0", "seconds": 0.0},
    )
    xr.testing.assert_identical(results.open_bytes(results.to_bytes(made)), made)


def test_validator_lists_all_problems_at_once(ds):
    broken = ds.copy()
    del broken.attrs["seed"]
    broken.attrs["parameters"] = "{not json"
    broken["naked"] = ("elsewhere", np.zeros(2, dtype=complex))
    found = "\n".join(results.problems(broken))
    for part in ("'seed' is missing", "not JSON", "'elsewhere' has no coordinate", "no 'units'", "complex"):
        assert part in found
    with pytest.raises(ValueError, match="'seed' is missing"):
        results.validate(broken)
    with pytest.raises(TypeError, match="Dataset"):
        results.validate({"a": 1})


def test_a_failed_write_leaves_the_old_file(ds, tmp_path, monkeypatch):
    path = results.save(ds, tmp_path / "wave.nc")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", full)
    with pytest.raises(OSError, match=r"wave\.nc.*No space left"):
        results.save(wave(8), path)
    xr.testing.assert_identical(results.open(path), ds)
    assert os.listdir(tmp_path) == ["wave.nc"]


def test_save_refuses_with_a_sentence(ds, tmp_path):
    with pytest.raises(ValueError, match=r"\.nc"):
        results.save(ds, tmp_path / "wave.pickle")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        results.save(ds, tmp_path / "nowhere" / "wave.nc")


def test_open_refuses_what_is_no_result(ds, tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        results.open(tmp_path / "missing.nc")
    with pytest.raises(ValueError, match="not a NetCDF-4"):
        results.open_bytes(b"\x80\x04pickle")
    whole = results.to_bytes(ds)
    with pytest.raises(ValueError, match="damaged"):
        results.open_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="more than the 100 allowed"):
        results.open_bytes(whole, max_bytes=100)
    foreign = xr.Dataset({"a": ("x", [1.0])})
    foreign.to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    with pytest.raises(ValueError, match="not a valid workbench result"):
        results.open(tmp_path / "foreign.nc")


def test_large_arrays_are_described_by_digest():
    first, second = np.zeros(1000), np.zeros(1000)
    second[500] = 1e-12
    assert results.describe(first) != results.describe(second)
    assert results.describe(first)["shape"] == [1000]
    assert results.describe(np.arange(3)) == [0, 1, 2]
    assert results.describe(float("nan")) == "nan"
    json.dumps(results.describe({"a": (1, {2.5}), "f": len, "r": np.random.default_rng(0)}))


def test_python_lines_repeat_the_result(ds):
    lines = results.python_lines(ds)
    assert "n=128" in lines
    assert "seed=0" in lines
    big = results.python_lines(wave(4, samples=np.zeros(1000)))
    assert "# samples: your array of shape (1000,)" in big
    assert "samples=samples" in big
    compile(big, "lines", "exec")
