"""Cell files: nothing is lost on the way, and no damage goes unseen."""

import io
import json
import string
import zipfile

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import sweep_toys as toys
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import results
from workbench.sweeps import cellfile

HEADER = {"key": "k", "seconds": 0.5}
WALK = toys.walk(20, seed=1).assign_attrs(seconds=0.25)
DTYPES = hnp.floating_dtypes(sizes=(32, 64)) | hnp.integer_dtypes() | hnp.boolean_dtypes() | hnp.unicode_string_dtypes()


def round_trip(ds):
    return cellfile.decode(io.BytesIO(cellfile.encode(ds, HEADER)))


def test_a_dataset_comes_back_identical():
    ds = toys.walk(12, seed=3)
    header, again = round_trip(ds)
    xr.testing.assert_identical(again, ds)
    assert header["key"] == "k"
    assert {n: v.dtype for n, v in again.variables.items()} == {n: v.dtype for n, v in ds.variables.items()}


def entries(dtype):
    """Strings as wide as the type allows; everything else as hypothesis draws it."""
    if dtype.kind != "U":
        return None
    return st.text(string.ascii_letters + " é∂", max_size=dtype.itemsize // 4)


@settings(deadline=None, max_examples=40)
@given(DTYPES.flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, max_dims=3), elements=entries(d))))
def test_any_array_survives(values):
    dims = tuple(f"axis {k}" for k in range(values.ndim))
    ds = results.dataset(
        {"a/b": (dims, values, "values")}, {d: ((d,), np.arange(n), d) for d, n in zip(dims, values.shape, strict=True)}
    )
    xr.testing.assert_identical(round_trip(ds)[1], ds)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_flipped_bit_is_found_or_harmless(data):
    ds, whole = WALK, bytearray(cellfile.encode(WALK, HEADER))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        cellfile.verify(io.BytesIO(bytes(whole)), "k")
        _, again = cellfile.decode(io.BytesIO(bytes(whole)))
    except cellfile.Damaged:
        return
    xr.testing.assert_identical(again, ds)


@pytest.mark.parametrize("share", [0, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_damaged(share):
    whole = cellfile.encode(toys.walk(20, seed=1), HEADER)
    with pytest.raises(cellfile.Damaged):
        cellfile.verify(io.BytesIO(whole[: int(share * len(whole))]), "k")


def test_a_file_under_a_wrong_name_is_damaged():
    with pytest.raises(cellfile.Damaged, match="holds the cell k, not other"):
        cellfile.verify(io.BytesIO(cellfile.encode(toys.walk(5), HEADER)), "other")


def test_objects_are_never_read(tmp_path):
    header = {"key": "k", "attrs": {}, "variables": [{"name": "a", "dims": [], "attrs": {}, "coordinate": False}]}
    np.savez(tmp_path / "evil.npz", **{"0": np.array({}, dtype=object)})
    with zipfile.ZipFile(tmp_path / "evil.npz", "a") as archive:
        archive.writestr("header.json", json.dumps(header))
    with pytest.raises(cellfile.Damaged, match="allow_pickle=False"):
        cellfile.read(tmp_path / "evil.npz")


def test_numpy_opens_a_cell_by_itself(tmp_path):
    (tmp_path / "cell.npz").write_bytes(cellfile.encode(WALK, HEADER))
    with np.load(tmp_path / "cell.npz") as archive:
        names = [entry["name"] for entry in json.loads(archive["header.json"])["variables"]]
        np.testing.assert_array_equal(archive[str(names.index("path"))], WALK["path"])


def test_attributes_that_cannot_be_stored_are_named():
    ds = toys.walk(5)
    ds.attrs["thing"] = object()
    with pytest.raises(TypeError, match="attribute of type object"):
        cellfile.encode(ds, HEADER)
