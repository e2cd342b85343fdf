"""Full disks, read-only folders, damaged cells, SIGKILL in the middle of a write: clear words, and nothing lost."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sweep_toys as toys
import xarray as xr

from workbench import sweeps
from workbench.sweeps.store import Store

GRID = {"steps": [4, 9], "scale": [0.5, 1.0, 2.0]}


def walks(store, **options):
    return sweeps.sweep(toys.walk, GRID, **{"store": store, "seed": 7, **options})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return walks(tmp_path_factory.mktemp("undisturbed") / "store")


def same(ds, undisturbed):
    xr.testing.assert_equal(ds, undisturbed)
    for name in ds.variables:
        assert ds[name].values.tobytes() == undisturbed[name].values.tobytes()


def run_script(text, *arguments, **options):
    code = "import sys; sys.path.insert(0, sys.argv[1])\n" + text
    here = str(Path(__file__).parent)
    return subprocess.Popen(
        [sys.executable, "-c", code, here, *arguments], stdout=subprocess.PIPE, text=True, **options
    )


KILLED_IN_MID_WRITE = """
import os, time
import sweep_toys as toys
from workbench import sweeps

flush, written = os.fsync, []

def stuck(handle):
    written.append(handle)
    if len(written) == int(sys.argv[3]):
        print("writing", flush=True)
        time.sleep(600)
    flush(handle)

os.fsync = stuck
sweeps.sweep(toys.walk, {"steps": [4, 9], "scale": [0.5, 1.0, 2.0]}, store=sys.argv[2], seed=7)
"""


@pytest.mark.parametrize("flush", [1, 4, 9, 14])
def test_a_sweep_killed_in_mid_write_resumes_to_the_same_result(tmp_path, undisturbed, flush):
    store = tmp_path / "store"
    victim = run_script(KILLED_IN_MID_WRITE, str(store), str(flush))
    assert victim.stdout.readline() == "writing\n"
    victim.kill()
    victim.wait()
    victim.stdout.close()
    finished = len(list(store.glob("cells/*/*.npz")))
    assert finished < 6
    ds = walks(store)
    same(ds, undisturbed)
    assert not list(store.rglob(".*.part"))


def test_a_power_cut_cannot_lose_what_was_flushed(tmp_path, monkeypatch):
    """Every cell's bytes, and the folder that names it, are flushed before the next cell is taken."""
    flushed = []
    flush = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda handle: (flushed.append(os.readlink(f"/proc/self/fd/{handle}")), flush(handle))
    )
    walks(tmp_path / "store")
    parts = [name for name in flushed if name.endswith(".part")]
    folders = [name for name in flushed if Path(name).parent.name == "cells"]
    assert len(parts) == 6 + 1
    assert len(folders) == 6


FULL_DISK = """
import resource
import sweep_toys as toys
from workbench import sweeps

resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))  # the system refuses longer files, as a full disk would
try:
    sweeps.sweep(toys.field, {"size": [10, 20, 30_000, 40]  , "depth": 1}, store=sys.argv[2], seed=7)
except OSError as error:
    print(error)
"""


def test_a_disk_that_is_full(tmp_path):
    store = tmp_path / "store"
    run = run_script(FULL_DISK, str(store))
    said = run.communicate(timeout=120)[0]
    assert "its disk is full; free some space, then run the same line again" in said
    assert sweeps.status(store).finished == 2
    assert not list(store.rglob(".*.part"))
    ds = sweeps.sweep(toys.field, {"size": [10, 20, 30_000, 40], "depth": 1}, store=store, seed=7)
    assert not ds["cell_failed"].any()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "disk is full"),
        (errno.EROFS, "read-only, or not yours"),
        (errno.EIO, "Input/output error"),
    ],
)
@pytest.mark.parametrize("executor", [None, 2])
def test_errors_of_the_disk_in_mid_sweep(tmp_path, monkeypatch, undisturbed, number, words, executor):
    store, replace = tmp_path / "store", os.replace

    def refuse(source, target):
        if len(list(store.glob("cells/*/*.npz"))) >= 2:
            raise OSError(number, os.strerror(number))
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        with pytest.raises(OSError, match=f"could not write to the sweep's store .*{words}.*same line again") as caught:
            walks(store, executor=executor if number == errno.ENOSPC else None)
    assert caught.value.errno == number
    assert sweeps.status(store).finished == 2
    same(walks(store), undisturbed)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_read_only_folder_is_refused_before_anything_is_computed(tmp_path, monkeypatch, number):
    def refuse(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    trace = tmp_path / "trace"
    trace.mkdir()
    with pytest.raises(OSError, match="it cannot be written to"):
        sweeps.sweep(toys.counted, {"x": [1], "folder": str(trace)}, store=tmp_path / "s", seed=None)
    assert os.listdir(trace) == []


@pytest.fixture
def nobody():
    """Root may write anywhere, so give that up for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_a_folder_without_permission(tmp_path, nobody):
    if os.geteuid() != 65534:
        tmp_path.chmod(0o500)  # to nobody, pytest's folders are closed anyway
    with pytest.raises(PermissionError, match="it cannot be written to"):
        walks(tmp_path / "store")


def damage_nothing(file):
    file.write_bytes(b"")


def damage_bit(file):
    data = bytearray(file.read_bytes())
    data[data.index(b'"key"') + 1] ^= 4
    file.write_bytes(bytes(data))


def damage_end(file):
    file.write_bytes(file.read_bytes()[:-40])


def damage_by_another(file):
    other = next(f for f in sorted(file.parent.parent.glob("*/*.npz")) if f != file)
    file.write_bytes(other.read_bytes())


@pytest.mark.parametrize("damage", [damage_nothing, damage_bit, damage_end, damage_by_another])
def test_a_damaged_cell_is_named_kept_and_computed_again(tmp_path, undisturbed, damage):
    store = tmp_path / "store"
    walks(store)
    victim = sorted(store.glob("cells/*/*.npz"))[2]
    damage(victim)
    broken = victim.read_bytes()
    with pytest.warns(UserWarning, match=r"the cell .*'steps'.* was damaged on disk .* computed again"):
        ds = walks(store)
    same(ds, undisturbed)
    assert (store / "damaged" / victim.name).read_bytes() == broken
    assert sweeps.status(store).damaged == 1
    same(walks(store), undisturbed)


def test_a_damaged_failure_record_is_still_a_failure(tmp_path):
    ds = sweeps.sweep(toys.fussy, {"x": [1.0, -1.0]}, store=tmp_path / "s", seed=0)
    (record,) = (tmp_path / "s").glob("failed/*.json")
    record.write_text("{")
    ds = sweeps.sweep(toys.fussy, {"x": [1.0, -1.0]}, store=tmp_path / "s", seed=0, retry_failed=False)
    assert ds["cell_failed"].values.tolist() == [False, True]
    assert "record of this failure is damaged" in str(ds["cell_error"].values[1])


def test_folders_that_hold_other_things_are_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ValueError, match="holds other things"):
        walks(tmp_path)
    with pytest.raises(ValueError, match="is a file; give a folder"):
        walks(tmp_path / "letter.txt")
    assert os.listdir(tmp_path) == ["letter.txt"]
    with pytest.raises(ValueError, match="is not the store of a sweep"):
        sweeps.status(tmp_path)


def test_the_half_written_file_of_a_living_process_is_left_alone(tmp_path):
    import socket

    store = Store(tmp_path / "s").prepare()
    living = store.path / "cells" / f".{socket.gethostname()}.{os.getpid()}.abc.part"
    elsewhere = store.path / "cells" / ".another.host.4711.abc.part"
    dead = store.path / "cells" / f".{socket.gethostname()}.{2**22 + 5}.abc.part"
    for file in (living, elsewhere, dead):
        file.touch()
    store.prepare()
    assert (living.exists(), elsewhere.exists(), dead.exists()) == (True, True, False)


def test_two_sweeps_share_a_store(tmp_path):
    a = sweeps.sweep(toys.cube, {"x": [1.0, 2.0]}, store=tmp_path / "s", seed=None)
    b = sweeps.sweep(toys.named_pair, {"x": [1.0, 2.0]}, store=tmp_path / "s", seed=None)
    np.testing.assert_array_equal(a["value"], [1, 8])
    np.testing.assert_array_equal(b["value"], [1, 2])
    assert sweeps.status(tmp_path / "s").finished == 4
