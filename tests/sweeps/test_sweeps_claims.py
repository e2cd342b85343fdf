"""Sweeps at once share the work: every cell is computed by one of them, whoever is killed on the way."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
import sweep_toys as toys
import xarray as xr

from workbench import sweeps
from workbench.progress import Cancelled, Progress
from workbench.sweeps.claims import Claims

SCRIPT = """
import sys; sys.path.insert(0, sys.argv[1])
import sweep_toys as toys
from workbench import sweeps

if __name__ == "__main__":
    grid = {"x": [[*range(12)], [*range(11, -1, -1)]][int(sys.argv[4])], "folder": sys.argv[3], "seconds": 0.15}
    workers = int(sys.argv[5]) or None
    sweeps.sweep(toys.one_at_a_time, grid, store=sys.argv[2], seed=1, executor=workers)
"""


@pytest.fixture
def trace(tmp_path):
    (tmp_path / "trace").mkdir()
    return tmp_path / "trace"


def started(tmp_path, trace, direction, workers=0):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    here = str(Path(__file__).parent)
    return subprocess.Popen([sys.executable, script, here, tmp_path / "s", trace, str(direction), str(workers)])


def computed(trace):
    return sorted(int(name.rsplit("-", 2)[0]) for name in os.listdir(trace))


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_two_processes_compute_every_cell_once(tmp_path, trace, workers):
    both = [started(tmp_path, trace, 0), started(tmp_path, trace, 1, workers)]
    assert [one.wait(timeout=120) for one in both] == [0, 0]
    assert computed(trace) == list(range(12))
    assert sweeps.status(tmp_path / "s").finished == 12


def test_many_threads_of_one_process_compute_every_cell_once(tmp_path, trace):
    grid = {"x": list(range(8)), "folder": str(trace), "seconds": 0.02}

    def one(_):
        return sweeps.sweep(toys.one_at_a_time, grid, store=tmp_path / "s", seed=1)

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(one, range(4))
    assert computed(trace) == list(range(8))
    for other in others:
        xr.testing.assert_equal(first, other)


@pytest.mark.slow
def test_the_cells_of_a_killed_sweep_are_taken_over(tmp_path, trace):
    victim = started(tmp_path, trace, 0)
    while not os.listdir(trace):
        time.sleep(0.01)
    threading.Timer(0.3, victim.kill).start()
    ds = sweeps.sweep(
        toys.one_at_a_time,
        {"x": list(range(12)), "folder": str(trace), "seconds": 0.15},
        store=tmp_path / "s",
        seed=1,
    )
    victim.wait()
    assert not ds["cell_failed"].any()
    assert set(computed(trace)) == set(range(12))


def test_a_cell_at_which_another_fails_is_not_tried_again_at_once(tmp_path, trace):
    grid = {"x": [-1, 1], "folder": str(trace), "seconds": 0.5}
    with ThreadPoolExecutor(2) as pool:
        for ds in pool.map(lambda _: sweeps.sweep(toys.one_at_a_time, grid, store=tmp_path / "s", seed=1), range(2)):
            assert ds["cell_failed"].values.tolist() == [True, False]
    assert computed(trace) == [-1, 1]
    sweeps.sweep(toys.one_at_a_time, grid, store=tmp_path / "s", seed=1)
    assert computed(trace) == [-1, -1, 1]


def test_waiting_for_another_sweep_can_be_cancelled(tmp_path, trace):
    grid = {"x": [1], "folder": str(trace), "seconds": 3.0}
    options = {"store": tmp_path / "s", "seed": 1}
    other = threading.Thread(target=sweeps.sweep, args=(toys.one_at_a_time, grid), kwargs=options)
    other.start()
    while not os.listdir(trace):
        time.sleep(0.01)
    progress, said = Progress(), []
    progress.show = lambda done, total, message: said.append(message)
    threading.Timer(0.5, progress.cancel).start()
    with pytest.raises(Cancelled):
        sweeps.sweep(toys.one_at_a_time, grid, store=tmp_path / "s", seed=1, progress=progress)
    assert any("1 computed by another sweep" in message for message in said)
    other.join()
    assert computed(trace) == [1]


def test_claims_are_let_go(tmp_path):
    keys = [f"{k:040x}" for k in (1, 2**100, 2**159 + 7)]
    first, second = Claims(tmp_path), Claims(tmp_path)
    for key in keys:
        assert first.take(key)
        assert first.take(key)
        assert not second.take(key)
    first.release(keys[0])
    assert second.take(keys[0])
    first.close()
    assert all(second.take(key) for key in keys)
    second.close()


def test_a_place_without_locks_does_without(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.fcntl", no_locks)
    ds = sweeps.sweep(toys.cube, {"x": [1.0, 2.0]}, store=tmp_path / "s", seed=None)
    np.testing.assert_array_equal(ds["value"], [1, 8])


@pytest.mark.slow
def test_workers_end_when_their_parent_is_killed(tmp_path, trace):
    parent = started(tmp_path, trace, 0, workers=2)
    while len({name.split("-")[-2] for name in os.listdir(trace)}) < 2:
        time.sleep(0.02)
    workers = [psutil.Process(int(name.split("-")[-2])) for name in os.listdir(trace)]
    parent.kill()
    parent.wait()
    gone, alive = psutil.wait_procs(workers, timeout=30)
    assert gone
    assert not alive
