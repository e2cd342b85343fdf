"""Files from strangers: judged from their tables, before they can take memory or reach for other files."""

import contextlib
import io
import resource
import subprocess
import sys
import tracemalloc

import h5py
import isolated_toys
import numpy as np
import pytest
import xarray as xr

from workbench import results
from workbench.results.hdf5 import Unfit, unpacked_bytes

ATTRS = {"function": "f", "parameters": "{}", "seed": 0, "version": "0", "seconds": 0.0}
LIMIT = 64 * 2**20


def valid(**variables):
    made = {"a": (("x",), np.arange(5.0), "a"), **variables}
    size = {"x": (("x",), np.arange(5), "x")}
    return results.dataset(made, size, ATTRS)


@pytest.fixture
def rewritten(tmp_path):
    """A valid file that the test changes with h5py, as bytes."""

    def change(edit):
        path = results.save(valid(), tmp_path / "a.nc")
        with h5py.File(path, "r+") as file:
            edit(file)
        return path.read_bytes()

    return change


def scale(file, name, data, **options):
    """A variable of the file with all that a valid one has."""
    made = file.create_dataset(name, data=data, **options)
    made.attrs["long_name"], made.attrs["units"] = "v", "1"
    return made


def shared_strings(file):
    """20,000 strings that share one heap entry of 50,000 letters: a megabyte on disk, a gigabyte of strings."""
    made = scale(file, "s", np.array([b"a"] * 20_000, dtype=object), dtype=h5py.string_dtype())
    made[0] = "x" * 50_000
    offset = made.id.get_offset()
    file.flush()
    with open(file.filename, "r+b") as raw:
        raw.seek(offset)
        entry = raw.read(16)
        raw.seek(offset)
        raw.write(entry * 20_000)


def wide_strings(file):
    scale(file, "s", np.array([b"a"] * 20_000, dtype=object), dtype=h5py.string_dtype())[7] = "x" * 50_000


def packed_strings(file):
    wide = np.array([b"a"] * 20_000, dtype=object)
    wide[9] = b"x" * 50_000
    scale(file, "s", wide, dtype=h5py.string_dtype(), chunks=(100,), compression="gzip")


def bomb(file):
    scale(file, "big", np.zeros(1), maxshape=(None,), chunks=(2**20,), compression="gzip").resize((2**36,))


def blank(file):
    made = file.create_dataset("blank", shape=(2**40,), dtype="f8")
    made.attrs["long_name"] = "v"


def fixed_strings(file):
    file.create_dataset("s", shape=(2**20,), dtype="S4096")


def many_variables(file):
    for k in range(2_001):
        file.create_dataset(f"v{k}", data=0.0)


def many_attributes(file):
    for k in range(201):
        file["a"].attrs[f"n{k}"] = k


def long_attribute(file):
    file.attrs.create("long", np.zeros(2**18))


def shared_attribute(file):
    for k in range(100):
        file.attrs[f"t{k}"] = "x" * 2**20


def list_attribute(file):
    file.attrs["words"] = np.array(["a", "b"], dtype=object)


def external_link(file):
    file["passwd"] = h5py.ExternalLink("/etc/passwd", "/")


def soft_link(file):
    file["again"] = h5py.SoftLink("/a")


def external_storage(file):
    file.create_dataset("e", shape=(10,), dtype="u1", external=[("/etc/passwd", 0, 10)])


def virtual(file):
    layout = h5py.VirtualLayout(shape=(5,), dtype="f8")
    layout[:] = h5py.VirtualSource("other.nc", "a", shape=(5,))
    file.create_virtual_dataset("v", layout)


def group(file):
    file.create_group("g")


def compound(file):
    file.create_dataset("c", data=np.zeros(3, dtype=[("x", "f8")]))


def sequences(file):
    file.create_dataset("l", shape=(3,), dtype=h5py.vlen_dtype(np.float64))


def large_chunk(file):
    file.create_dataset("k", shape=(4,), dtype="f8", maxshape=(None,), chunks=(2**28,), compression="gzip")


def other_filter(file):
    file.create_dataset("f", data=np.zeros(400), chunks=(100,), compression="lzf")


def many_axes(file):
    file.create_dataset("axes", data=np.zeros((1,) * 17))


def long_name(file):
    file.create_dataset("n" * 1000, data=0.0)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (shared_strings, "allowed here"),
        (wide_strings, "allowed here"),
        (packed_strings, "allowed here"),
        (bomb, "allowed here"),
        (blank, "allowed here"),
        (fixed_strings, "allowed here"),
        (many_variables, "variables; the most is 2,000"),
        (many_attributes, "attributes; the most is 200"),
        (long_attribute, "'long' of 2,097,152 bytes, which is too long"),
        (shared_attribute, "its attributes hold more than|allowed here"),
        (list_attribute, "a list of texts"),
        (external_link, "'passwd' is a link to another place"),
        (soft_link, "'again' is a link"),
        (external_storage, "'e' lies in another file"),
        (virtual, "'v' lies in another file"),
        (group, "'g' is a group"),
        (compound, "'c' holds neither numbers nor text"),
        (sequences, "'l' holds neither numbers nor text"),
        (large_chunk, "packed in pieces"),
        (other_filter, "packed by a method other than gzip"),
        (many_axes, "more than 16 dimensions"),
        (long_name, "1,000 letters"),
    ],
)
def test_refused_from_the_tables(rewritten, edit, message):
    data = rewritten(edit)
    assert len(data) < 120 * 2**20
    tracemalloc.start()
    with pytest.raises(ValueError, match=rf"the upload is refused: .*({message})"):
        results.open_bytes(data, max_bytes=LIMIT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(data) + 40 * 2**20
    with pytest.raises(Unfit, match=message):
        unpacked_bytes(io.BytesIO(data), LIMIT)


def test_the_whole_process_stays_small(rewritten, tmp_path):
    """The megabyte that took 3.9 GB: its process may take 1.5 GiB of addresses more than it has at the start."""
    (tmp_path / "bad.nc").write_bytes(rewritten(shared_strings))
    code = (
        "import resource, sys, psutil; from workbench import results; import h5netcdf;"
        "own = psutil.Process().memory_info().vms + 3 * 2**29; resource.setrlimit(resource.RLIMIT_AS, (own, own));"
        "results.open(sys.argv[1])"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "bad.nc"], capture_output=True, text=True, timeout=60)
    assert "is refused: it unpacks to" in done.stderr
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1.5 * 2**20


def test_uploads_are_read_in_a_process_that_can_be_ended(rewritten, tmp_path, monkeypatch):
    made = valid(s=(("x",), np.array(["word", "", "é", "longer", "b"]), "s"), t=((), "one", "t"), b=((), True, "b"))
    made.attrs |= {"none": None, "list": [1, "a"], "mark": "json:", "array": np.arange(3.0), "inf": np.inf}
    data = results.to_bytes(made)
    xr.testing.assert_identical(results.open_foreign(data), made)
    xr.testing.assert_identical(results.open_foreign(results.save(made, tmp_path / "a.nc")), made)
    assert list(results.open_foreign(data).variables) == list(results.open_bytes(data).variables)
    for edit in (shared_strings, external_link):
        with pytest.raises(ValueError, match=r"cloud\.nc is refused: "):
            results.open_foreign(rewritten(edit), name="cloud.nc", max_bytes=LIMIT)
    with pytest.raises(ValueError, match=r"cloud\.nc is not a NetCDF-4 file"):
        results.open_foreign(b"PK", name="cloud.nc")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        results.open_foreign(tmp_path / "none.nc")
    monkeypatch.setattr("workbench.results.foreign._parts", isolated_toys.stuck)
    with pytest.raises(ValueError, match=r"^the upload is refused: it took longer than 0\.5 s and was stopped$"):
        results.open_foreign(data, seconds=0.5)


def test_what_is_counted_is_what_is_taken():
    for made in (
        valid(),
        valid(s=(("x",), np.array(["word", "", "é", "longer text", "b"]), "s")),
        valid(t=((), "scalar", "t"), b=(("x",), np.arange(5) > 2, "b")),
    ):
        data = results.to_bytes(made)
        counted = unpacked_bytes(io.BytesIO(data), LIMIT)
        assert made.nbytes <= counted < made.nbytes + 10_000
        xr.testing.assert_identical(results.open_bytes(data, max_bytes=counted), made)
        with pytest.raises(ValueError, match="allowed here"):
            results.open_bytes(data, max_bytes=made.nbytes // 2)


def test_results_saved_with_packed_strings_or_complex_attributes_still_open(rewritten):
    def older(file):
        file.attrs["z"] = 1 + 2j
        words = np.array(["one", "two"] * 100, dtype=object)
        scale(file, "words", words, dtype=h5py.string_dtype(), chunks=(50,), compression="gzip")
        scale(file, "y", np.arange(200)).make_scale("y")
        file["words"].dims[0].attach_scale(file["y"])

    ds = results.open_bytes(rewritten(older))
    assert ds["words"].values.tolist() == ["one", "two"] * 100


def test_a_damaged_file_is_refused_by_valueerror_or_read(rewritten):
    data = bytearray(rewritten(lambda file: None))
    rng = np.random.default_rng(0)
    for _ in range(150):
        broken = bytearray(data)
        for position in rng.integers(8, len(data), size=rng.integers(1, 20)):
            broken[position] = rng.integers(256)
        end = rng.integers(8, len(data) + 1) if rng.random() < 0.3 else len(data)
        with contextlib.suppress(ValueError):
            results.open_bytes(bytes(broken[:end]), max_bytes=LIMIT)
