"""The sweep: right numbers, wherever they are computed; resumed, failing, cancelled, uneven and too large."""

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import sweep_toys as toys
import xarray as xr

from workbench import results, sweeps
from workbench.progress import Cancelled, Progress

GRID = {"steps": [4, 9], "scale": [0.5, 1.0, 2.0]}


def without_time(ds):
    return ds.drop_attrs(deep=False).assign_attrs({k: v for k, v in ds.attrs.items() if k != "seconds"})


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    return sweeps.sweep(toys.walk, GRID, store=tmp_path_factory.mktemp("serial") / "store", repeats=3, seed=11)


def test_every_cell_is_what_the_function_says(serial):
    results.validate(serial)
    assert serial["end"].dims == ("steps", "scale", "repeat")
    assert serial["path"].dims == ("steps", "scale", "repeat", "time")
    for i, j, k in itertools.product(range(2), range(3), range(3)):
        cell = serial.isel(steps=i, scale=j, repeat=k)
        seed = int(cell["cell_seed"])
        direct = toys.walk(GRID["steps"][i], GRID["scale"][j], seed=seed)
        assert float(cell["end"]) == float(direct["end"])
        assert int(cell["turns"]) == int(direct["turns"])
        np.testing.assert_array_equal(cell["path"].dropna("time").values, direct["path"].values)
    assert not serial["cell_failed"].any()


def test_labels_units_and_provenance(serial):
    assert serial["end"].attrs == {"long_name": "end of the walk", "units": "m"}
    assert serial["time"].attrs["units"] == "s"
    assert serial["turns"].dtype == np.int64
    np.testing.assert_array_equal(serial["scale"], [0.5, 1.0, 2.0])
    assert "steps" not in serial.data_vars, "the axis carries what a cell only repeats"
    assert serial.attrs["model"] == "walk"
    assert "own" not in serial.attrs, "cells disagree on it"
    assert (serial.attrs["swept_function"], serial.attrs["cells"], serial.attrs["seed"]) == ("sweep_toys:walk", 18, 11)
    assert json.loads(serial.attrs["parameters"])["grid"] == {"steps": [4, 9], "scale": [0.5, 1.0, 2.0]}
    assert "sweeps.sweep(function='sweep_toys:walk', grid={'steps': [4, 9]" in results.python_lines(serial)


def test_uneven_cells_are_lined_up_by_their_labels(serial):
    np.testing.assert_array_equal(serial["time"], np.arange(9))
    short = serial["path"].sel(steps=4)
    assert short.sel(time=slice(0, 3)).notnull().all()
    assert short.sel(time=slice(4, 8)).isnull().all()


@pytest.mark.parametrize("executor", ["two threads", "one process", "two processes", 2, 1])
def test_bit_equal_wherever_it_runs(serial, tmp_path, executor):
    made = {
        "two threads": lambda: ThreadPoolExecutor(2),
        "one process": lambda: sweeps.processes(1),
        "two processes": lambda: sweeps.processes(2),
    }.get(executor, lambda: None)()
    if made is None:
        ds = sweeps.sweep(toys.walk, GRID, executor=executor, store=tmp_path / "store", repeats=3, seed=11)
    else:
        with made:
            ds = sweeps.sweep(toys.walk, GRID, executor=made, store=tmp_path / "store", repeats=3, seed=11)
    xr.testing.assert_identical(without_time(ds), without_time(serial))
    for name in ds.variables:
        assert ds[name].values.tobytes() == serial[name].values.tobytes()


def test_linear_algebra_is_bit_equal_too(tmp_path):
    """BLAS rounds differently with other numbers of threads; a sweep holds it to the same number everywhere."""
    grid = {"size": [150, 301]}
    here = sweeps.sweep(toys.product, grid, store=tmp_path / "a", seed=0, repeats=2)
    there = sweeps.sweep(toys.product, grid, store=tmp_path / "b", seed=0, repeats=2, executor=2)
    assert here["trace"].values.tobytes() == there["trace"].values.tobytes()


def test_threads_are_put_back(tmp_path):
    from threadpoolctl import threadpool_info

    before = [library["num_threads"] for library in threadpool_info()]
    environment = dict(os.environ)
    sweeps.sweep(toys.product, {"size": [20]}, store=tmp_path / "s", seed=0)
    assert [library["num_threads"] for library in threadpool_info()] == before
    assert dict(os.environ) == environment


def test_resuming_computes_only_what_is_missing(tmp_path):
    trace = tmp_path / "trace"
    trace.mkdir()
    first = sweeps.sweep(toys.counted, {"x": [1, 2], "folder": str(trace)}, store=tmp_path / "s", seed=None)
    again = sweeps.sweep(toys.counted, {"x": [1, 2], "folder": str(trace)}, store=tmp_path / "s", seed=None)
    xr.testing.assert_identical(first, again)
    wider = sweeps.sweep(toys.counted, {"x": [3, 2, 1], "folder": str(trace)}, store=tmp_path / "s", seed=None)
    assert sorted(name.split("-")[0] for name in os.listdir(trace)) == ["1", "2", "3"]
    assert wider["value"].values.tolist() == [3, 2, 1]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (toys.cube, {"value": [0.125, 8.0]}),
        (toys.named_pair, {"value": [0.5, 2.0], "standard_error": [0.05, 0.2]}),
        (toys.point, {"inside": [True, False]}),
    ],
)
def test_functions_that_return_numbers(tmp_path, function, expected):
    ds = sweeps.sweep(function, {"x": [0.5, 2.0]}, store=tmp_path / "s", seed=0)
    for name, values in expected.items():
        np.testing.assert_array_equal(ds[name], values)
    assert "cell_seed" not in ds


def test_a_flat_mapping_is_a_dataset_of_scalars(tmp_path):
    ds = sweeps.sweep(toys.moments, {"n": [10, 1000]}, store=tmp_path / "s", seed=0, repeats=20)
    assert ds["mean"].dims == ("n", "repeat")
    assert float(ds["mean"].sel(n=1000).std()) < float(ds["mean"].sel(n=10).std())


def test_failed_cells_do_not_stop_the_rest(tmp_path):
    ds = sweeps.sweep(toys.fussy, {"x": [4.0, -1.0, 9.0]}, store=tmp_path / "s", seed=0)
    np.testing.assert_array_equal(ds["value"], [2, np.nan, 3])
    np.testing.assert_array_equal(ds["cell_failed"], [False, True, False])
    assert ds["cell_error"].values.tolist() == ["", "ArithmeticError: no root of -1.0", ""]
    (record,) = sweeps.failures(tmp_path / "s")
    assert record["parameters"] == {"x": -1.0}
    assert "raise ArithmeticError" in record["traceback"]
    assert sweeps.status(tmp_path / "s").failed == 1


def test_a_mended_cell_is_tried_again_only_if_wanted(tmp_path):
    call = {"function": toys.mended, "grid": {"x": [1.0], "folder": [str(tmp_path), str(tmp_path / "other")]}}
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mended").touch()
    first = sweeps.sweep(**call, store=tmp_path / "s", seed=None)
    assert first["cell_failed"].values.tolist() == [[True, False]]
    (tmp_path / "mended").touch()
    left = sweeps.sweep(**call, store=tmp_path / "s", seed=None, retry_failed=False)
    assert left["cell_failed"].values.tolist() == [[True, False]]
    tried = sweeps.sweep(**call, store=tmp_path / "s", seed=None)
    assert not tried["cell_failed"].any()
    assert sweeps.failures(tmp_path / "s") == []


def test_all_cells_failing_is_an_error_with_the_first_reason(tmp_path):
    with pytest.raises(RuntimeError, match=r"all 2 cells failed; the first says ArithmeticError: no root of -2"):
        sweeps.sweep(toys.fussy, {"x": [-2.0, -1.0]}, store=tmp_path / "s", seed=0)


def test_a_result_of_the_wrong_kind_is_a_failure_in_words(tmp_path):
    with pytest.raises(RuntimeError, match=r"the function returned value = list; a swept function returns a Dataset"):
        sweeps.sweep(toys.text, {"x": [1.0]}, store=tmp_path / "s", seed=None)


class Notes(Progress):
    def __init__(self, stop_after=None):
        super().__init__()
        self.notes, self.stop_after = [], stop_after

    def show(self, done, total, message):
        self.notes.append((done, total, message))
        if done == self.stop_after:
            self.cancel()


def test_progress_tells_what_is_done_failed_and_left(tmp_path):
    notes = Notes()
    sweeps.sweep(toys.fussy, {"x": [1.0, -1.0, 2.0]}, store=tmp_path / "s", seed=0, progress=notes)
    assert [(done, total) for done, total, _ in notes.notes] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert notes.notes[1][2].endswith(" left")
    assert notes.notes[2][2].startswith("1 failed, ")
    assert notes.notes[3][2] == "1 failed"
    resumed = Notes()
    sweeps.sweep(toys.fussy, {"x": [1.0, 2.0, 5.0]}, store=tmp_path / "s", seed=0, progress=resumed)
    assert [done for done, _, _ in resumed.notes] == [2, 3]


@pytest.mark.parametrize("threads", [None, 2])
def test_cancelled_sweeps_keep_what_is_finished(tmp_path, threads):
    executor = ThreadPoolExecutor(threads) if threads else None
    grid = {"x": list(range(40)), "seconds": 0.02}
    with pytest.raises(Cancelled):
        sweeps.sweep(toys.slow, grid, executor=executor, store=tmp_path / "s", seed=None, progress=Notes(stop_after=5))
    assert 5 <= sweeps.status(tmp_path / "s").finished < 40
    if executor:
        executor.shutdown()
    ds = sweeps.sweep(toys.slow, grid, store=tmp_path / "s", seed=None)
    np.testing.assert_array_equal(ds["value"], np.sin(np.arange(40)))


def test_a_cell_that_reports_progress_is_cancelled_midway(tmp_path):
    progress = Progress()
    threading.Timer(0.3, progress.cancel).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        sweeps.sweep(toys.patient, {"x": [1]}, store=tmp_path / "s", seed=None, progress=progress)
    assert time.monotonic() - started < 5


def test_only_the_wanted_variables(tmp_path):
    ds = sweeps.sweep(toys.walk, GRID, store=tmp_path / "s", seed=0, keep=["end"])
    assert set(ds.data_vars) == {"end", "cell_failed", "cell_error", "cell_seed"}
    assert "time" not in ds.dims
    with pytest.raises(ValueError, match=r"unknown variable 'ends'\. Did you mean 'end'"):
        sweeps.sweep(toys.walk, GRID, store=tmp_path / "s", seed=0, keep=["ends"])


def test_what_cannot_be_lined_up_can_be_left_out(tmp_path):
    with pytest.raises(ValueError, match=r"'part' has repeating labels .*keep=\[…\]"):
        sweeps.sweep(toys.tangled, {"size": [2, 3]}, store=tmp_path / "s", seed=None)
    ds = sweeps.sweep(toys.tangled, {"size": [2, 3]}, store=tmp_path / "s", seed=None, keep=["total"])
    np.testing.assert_array_equal(ds["total"], [2, 3])


def test_fixed_parameters_label_the_result(tmp_path):
    ds = sweeps.sweep(toys.walk, {"steps": 6, "kind": "laplace", "scale": [1.0, 2.0]}, store=tmp_path / "s", seed=0)
    assert (int(ds["steps"]), str(ds["kind"].values)) == (6, "laplace")
    assert ds["end"].dims == ("scale",)
    alone = sweeps.sweep(toys.walk, {"steps": 6}, store=tmp_path / "s", seed=0)
    lazy = sweeps.sweep(toys.walk, {"steps": 6}, store=tmp_path / "s", seed=0, zarr=tmp_path / "one.zarr")
    xr.testing.assert_identical(lazy.load(), alone)
    assert alone["end"].dims == ()
    assert alone["path"].dims == ("time",)


def test_names_used_twice_are_told_apart(tmp_path):
    ds = sweeps.sweep(toys.clashing, {"repeat": [1, 2], "time": [0.5, 1.5]}, store=tmp_path / "s", seed=0)
    assert ds["path"].dims == ("repeat", "sweep_time", "time")
    np.testing.assert_array_equal(ds["sweep_time"], [0.5, 1.5])
    np.testing.assert_array_equal(ds["time"], [0, 1, 2])
    np.testing.assert_array_equal(ds["path"].sel(repeat=2, sweep_time=1.5), [2, 3.5, 5])


@pytest.mark.parametrize("box_bytes", [1, 2_000, 10**9])
def test_zarr_region_by_region_equals_memory(tmp_path, monkeypatch, box_bytes):
    monkeypatch.setattr("workbench.sweeps.zarr_regions.BOX_BYTES", box_bytes)
    call = {"function": toys.field, "grid": {"size": [3, 8], "depth": [2, 4]}, "repeats": 2, "seed": 5}
    whole = sweeps.sweep(**call, store=tmp_path / "s")
    lazy = sweeps.sweep(**call, store=tmp_path / "s", zarr=tmp_path / "out.zarr")
    assert lazy["field"].chunks is not None
    xr.testing.assert_identical(lazy.load(), whole)
    xr.testing.assert_identical(results.open(tmp_path / "out.zarr"), whole)
    assert sorted(os.listdir(tmp_path)) == ["out.zarr", "s"]


def test_zarr_holds_little_in_memory(tmp_path, monkeypatch):
    """Peak memory while writing stays near one box, far below the result."""
    import tracemalloc

    grid = {"size": [100_000], "depth": list(range(1, 25))}
    sweeps.sweep(toys.field, grid, store=tmp_path / "s", seed=0, keep=["name"])
    monkeypatch.setattr("workbench.sweeps.zarr_regions.BOX_BYTES", 20 * 2**20)
    tracemalloc.start()
    ds = sweeps.sweep(toys.field, grid, store=tmp_path / "s", seed=0, zarr=tmp_path / "out.zarr")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert ds["field"].nbytes > 450e6
    assert peak < 150e6


def test_zarr_targets_are_checked_first(tmp_path):
    for target, error, message in [
        (tmp_path / "out.nc", ValueError, "ends in .zarr"),
        (tmp_path / "no" / "out.zarr", FileNotFoundError, "does not exist"),
    ]:
        with pytest.raises(error, match=message):
            sweeps.sweep(toys.walk, GRID, store=tmp_path / "s", seed=0, zarr=target)
    assert not (tmp_path / "s").exists()


def test_results_larger_than_memory_are_refused_with_advice(tmp_path, monkeypatch):
    import psutil

    class Memory:
        available = 100

    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    with pytest.raises(ValueError, match=r"the result of this sweep .*use zarr=.* needs about"):
        sweeps.sweep(toys.walk, GRID, store=tmp_path / "s", seed=0)
    assert sweeps.status(tmp_path / "s").finished == 6


def capture():
    here = 3

    def inner(x: float) -> float:
        return here * x

    return inner


@pytest.mark.parametrize(
    ("function", "options", "error", "message"),
    [
        (capture(), {}, ValueError, "captures variables from around it .here."),
        (print, {}, TypeError, "takes a function or its name"),
        (3, {}, TypeError, "got int"),
        ("fisher", {}, ValueError, "write it as room.function"),
        ("attic.walk", {}, ValueError, "unknown room 'attic'"),
        ("os:system", {}, ValueError, "to import it would run it.*allow_import=True"),
        ("os:system", {"allow_import": True}, ValueError, "not a function decorated"),
        ("no_such_module_here:f", {"allow_import": True}, ValueError, "cannot import the module"),
        ("os.path", {}, ValueError, "unknown room 'os'"),
        ("workbench.cli.__main__:main", {}, ValueError, "to import it would run it"),
        (toys.cube, {"repeats": 10**12}, ValueError, "takes no seed|largest sweep"),
        (toys.cube, {"executor": "threads"}, TypeError, "executor must be None, a number"),
        (toys.cube, {"executor": 0}, ValueError, "executor must be at least 1"),
        (toys.cube, {"threads": 0}, ValueError, "threads must be at least 1"),
        (toys.cube, {"store": 3}, TypeError, "store must be the path"),
    ],
)
def test_bad_calls_are_refused_before_anything_is_done(tmp_path, monkeypatch, function, options, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        sweeps.sweep(function, {"x": [1.0]}, **{"store": "s", "seed": None, **options})
    assert os.listdir(tmp_path) == []


def test_lambdas_run_here_but_not_in_processes(tmp_path):
    double = lambda x: 2 * x  # noqa: E731
    assert sweeps.sweep(double, {"x": [1, 2]}, store=tmp_path / "s", seed=None)["value"].values.tolist() == [2, 4]
    with pytest.raises(ValueError, match="cannot import"):
        sweeps.sweep(double, {"x": [1, 2]}, executor=2, store=tmp_path / "s", seed=None)


def test_the_cell_that_kills_its_worker_is_found(tmp_path):
    ds = sweeps.sweep(toys.deadly, {"x": list(range(8))}, executor=2, store=tmp_path / "s", seed=None)
    assert ds["cell_failed"].values.tolist() == [x == 3 for x in range(8)]
    assert "the worker process died" in str(ds["cell_error"].values[3])
    np.testing.assert_array_equal(ds["value"].dropna("x"), [0, 1, 2, 4, 5, 6, 7])


WITHOUT_GUARD = """
import sys
sys.path.insert(0, sys.argv[1] if len(sys.argv) > 1 else "")
import sweep_toys as toys
from workbench import sweeps

sweeps.sweep(toys.cube, {"x": [1.0, 2.0, 3.0, 4.0, 5.0]}, executor=1, store="store", seed=None)
"""


def test_a_script_without_its_guard_is_told_so(tmp_path):
    (tmp_path / "script.py").write_text(WITHOUT_GUARD)
    arguments = [sys.executable, "script.py", str(Path(toys.__file__).parent)]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "no worker process stays alive" in done.stderr
    assert "if __name__ == '__main__':" in done.stderr


def test_a_pool_of_yours_that_breaks_is_explained(tmp_path):
    with ProcessPoolExecutor(1) as pool, pytest.raises(sweeps.WorkersDied, match="finished cells are kept"):
        sweeps.sweep(toys.deadly, {"x": list(range(8))}, executor=pool, store=tmp_path / "s", seed=None)


def test_an_executor_that_is_shut_down_is_explained(tmp_path):
    class Gone(Executor):
        def submit(self, *args, **kwargs):
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(RuntimeError, match="shut down, or lost its scheduler"):
        sweeps.sweep(toys.cube, {"x": [1.0, 2.0]}, executor=Gone(), store=tmp_path / "s", seed=None)


def test_experiments_are_found_by_name():
    assert sweeps.find("sweep_toys:walk", allow_import=True) is toys.walk
    with pytest.raises(ValueError, match="not a function decorated"):
        sweeps.find("sweep_toys:cube", allow_import=True)
    with pytest.raises(ValueError, match="'sweep_toys:walk' is not part of the workbench"):
        sweeps.find("sweep_toys:walk")
