"""A real Dask cluster of two worker processes: the same bits, also when one of them is killed in mid-sweep."""

import os
import signal
import threading
import time

import numpy as np
import pytest
import sweep_toys as toys
import xarray as xr

from workbench import sweeps

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.slow  # a cluster of processes


@pytest.fixture
def client():
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options, silence_logs="CRITICAL") as cluster, distributed.Client(cluster) as client:
        yield client


def test_dask_gives_the_same_bits(client, tmp_path):
    grid = {"steps": [4, 9], "scale": [0.5, 1.0, 2.0]}
    here = sweeps.sweep(toys.walk, grid, store=tmp_path / "a", repeats=3, seed=11)
    there = sweeps.sweep(toys.walk, grid, executor=client.get_executor(), store=tmp_path / "b", repeats=3, seed=11)
    xr.testing.assert_equal(here, there)
    for name in here.variables:
        assert here[name].values.tobytes() == there[name].values.tobytes()


def test_a_worker_killed_in_mid_sweep_loses_nothing(client, tmp_path):
    trace = tmp_path / "trace"
    trace.mkdir()
    grid = {"x": list(range(24)), "seconds": 0.15, "folder": str(trace)}
    killed = []

    def kill_one():
        while len(os.listdir(trace)) < 6:
            time.sleep(0.02)
        victim = sorted(os.listdir(trace))[-1].split("-")[0]
        os.kill(int(victim), signal.SIGKILL)
        killed.append(victim)

    killer = threading.Thread(target=kill_one)
    killer.start()
    ds = sweeps.sweep(toys.slow, grid, executor=client.get_executor(), store=tmp_path / "s", seed=None)
    killer.join()
    assert len({name.split("-")[0] for name in os.listdir(trace)}) == 3, "the killed worker was replaced"
    assert len(killed) == 1
    assert not ds["cell_failed"].any()
    np.testing.assert_array_equal(ds["value"], np.sin(np.arange(24)))


def test_errors_travel_from_the_cluster(client, tmp_path):
    ds = sweeps.sweep(toys.fussy, {"x": [4.0, -1.0]}, executor=client.get_executor(), store=tmp_path / "s", seed=0)
    assert ds["cell_error"].values.tolist() == ["", "ArithmeticError: no root of -1.0"]


def test_another_version_on_the_workers_is_told(client, tmp_path, monkeypatch):
    monkeypatch.setattr("workbench.__version__", "99.0")
    with pytest.raises(RuntimeError, match=r"this worker has geometry-workbench .*, the sweep 99\.0"):
        sweeps.sweep(toys.cube, {"x": [1.0]}, executor=client.get_executor(), store=tmp_path / "s", seed=None)
