"""The process apart: the same answers, within limits, whatever the function does."""

import math
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import isolated_toys as toys
import numpy as np
import psutil
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from workbench import fields, isolated, results
from workbench.isolated import calls, experiments
from workbench.progress import Cancelled, Progress

SHORT = isolated.Limits(seconds=1)

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()) | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(st.characters()), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=60)
@given(PLAIN)
def test_plain_data_come_back_the_same(value):
    assert isolated.call(toys.same, value, name=value) == [[value], {"name": value}]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.arange(12)[::-2],
        np.array(["a", "λμ"]),
        np.array([1 + 2j], dtype=np.complex64),
        np.zeros((0, 3)),
        np.array(3.5),
        np.array([True, False]),
        np.arange(3, dtype=">i4"),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    ],
)
def test_arrays_come_back_the_same(array):
    ((found,), _) = isolated.call(toys.same, array)
    np.testing.assert_array_equal(found, array)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)


def test_one_process_serves_many_calls_quickly():
    first = isolated.call(toys.process)
    assert first != os.getpid()
    assert {isolated.call(toys.process) for _ in range(20)} == {first}


def test_errors_arrive_with_their_words():
    for kind, error in {"value": ValueError, "type": TypeError, "file": FileNotFoundError}.items():
        with pytest.raises(error, match=f"no {kind}"):
            isolated.call(toys.fail, kind)
    with pytest.raises(RuntimeError, match="KeyError: 'no key'"):
        isolated.call(toys.fail, "key")
    with pytest.raises(TypeError, match="object cannot be handed to another process"):
        isolated.call(toys.foreign)
    with pytest.raises(TypeError, match="cannot be handed to another process"):
        isolated.call(toys.same, object())
    with pytest.raises(TypeError, match="top of a module"):
        isolated.call(lambda: 1)
    assert isolated.call(toys.chatter) == "said"


@pytest.mark.parametrize("work", [(toys.spin, 60.0), (toys.sleep, 60.0), (toys.hold_the_interpreter,)])
def test_what_takes_too_long_is_ended(work):
    before = isolated.call(toys.process)
    with pytest.raises(isolated.Stopped, match="it took longer than 1 s and was stopped"):
        isolated.call(*work, limits=SHORT)
    assert not psutil.pid_exists(before)
    assert isolated.call(toys.same, 1) == [[1], {}]


def test_what_takes_too_much_memory_is_ended():
    small = isolated.Limits(memory=100 * 2**20)
    assert isolated.call(toys.take, 50 * 2**20, limits=small) == 50 * 2**20
    with pytest.raises(isolated.Stopped, match="more than the 100 MiB of memory allowed"):
        isolated.call(toys.take, 200 * 2**20, limits=small)
    assert isolated.call(toys.take, 200 * 2**20) == 200 * 2**20  # the limit is the call's own


@pytest.mark.parametrize(
    ("work", "words"), [((toys.crash,), "crashed"), ((toys.leave, 3), "crashed"), ((toys.kill,), "memory")]
)
def test_a_crash_is_a_sentence_and_the_next_call_works(work, words):
    with pytest.raises(isolated.Stopped, match=words):
        isolated.call(*work)
    assert isolated.call(toys.same, 1) == [[1], {}]


def test_an_answer_larger_than_the_limit_is_not_taken():
    assert len(isolated.call(toys.large_answer)) == 2**27
    with pytest.raises(isolated.Stopped):
        isolated.call(toys.large_answer, limits=isolated.Limits(memory=2**26))


def test_it_can_be_cancelled():
    progress = Progress()
    threading.Timer(0.3, progress.cancel).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        isolated.call(toys.sleep, 60.0, limits=isolated.Limits(seconds=60), progress=progress)
    assert time.monotonic() - started < 30


def test_a_process_that_has_left_is_replaced():
    for _ in range(3):
        psutil.Process(isolated.call(toys.process)).kill()
    assert isolated.call(toys.same, 1) == [[1], {}]


def test_calls_from_many_threads_do_not_mix():
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda k: isolated.call(toys.same, k, np.full(1000, k)), range(60)))
    for k, ((number, array), _) in enumerate(found):
        assert number == k
        assert (array == k).all()
    assert len(calls._idle) <= isolated.MOST_PROCESSES


ORPHAN = """
import sys; sys.path.insert(0, sys.argv[1])
import isolated_toys as toys
from workbench import isolated
print(isolated.call(toys.process), flush=True)
if sys.argv[2] == "busy":
    isolated.call(toys.sleep, 600.0, limits=isolated.Limits(seconds=600))
input()
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_it_does_not_outlive_the_one_who_asks(state):
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHAN, os.path.dirname(toys.__file__), state],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        child = psutil.Process(int(parent.stdout.readline()))
        time.sleep(0.2)
        parent.kill()
    child.wait(timeout=30)


def test_it_runs_where_no_fork_and_no_main_guard_are(tmp_path):
    script = tmp_path / "plain.py"
    script.write_text("import math\nfrom workbench import isolated\nprint(isolated.call(math.hypot, 3.0, 4.0))\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("5.0\n", "")
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(("option", "value"), [("seconds", 0), ("seconds", float("nan")), ("memory", 1)])
def test_limits_are_checked(option, value):
    with pytest.raises(ValueError, match=option):
        isolated.Limits(**{option: value})


# ---- experiments in a process of their own --------------------------------------------------------------------------

TRAINING = {"target": "two-blobs", "points": 32, "width": 16, "depth": 2, "batch": 64, "looks": 4}


class Watched(Progress):
    """Keeps what it is told, and may cancel at the first part of a result."""

    def __init__(self, patience=math.inf):
        super().__init__()
        self.told, self.parts, self.patience = [], [], patience

    def show(self, done, total, message):
        self.told.append((done, total, message))

    def publish(self, result):
        self.parts.append(result)
        if len(self.parts) >= self.patience:
            self.cancel()


def test_a_training_apart_is_the_training_here_with_its_progress():
    watched = Watched()
    with threadpool_limits(1):
        here = fields.train_field(**TRAINING, steps=40, seed=3)
        apart = experiments.compute(fields.train_field, TRAINING | {"steps": 40, "seed": 3}, progress=watched)
    xr.testing.assert_equal(apart, here)
    assert apart.attrs["parameters"] == here.attrs["parameters"]
    assert all(apart[name].attrs == here[name].attrs for name in here.variables)
    assert all(variable.values.flags.writeable for variable in apart.data_vars.values())
    assert watched.told[-1][1] == 40
    assert results.missing(watched.parts[0]).endswith("more steps")
    with pytest.raises(ValueError, match="batch must be at least 2"):
        experiments.compute(fields.train_field, TRAINING | {"batch": 1})


def test_a_training_that_is_cancelled_ends_with_its_process():
    """So long that it could not end by itself; the first part of its result is what cancels it."""
    watched = Watched(patience=1)
    before = {process._process.pid for process in experiments.WORKERS.idle}
    known = {child.pid for child in psutil.Process().children()}
    with pytest.raises(Cancelled):
        experiments.compute(fields.train_field, TRAINING | {"steps": 50_000, "looks": 200}, progress=watched)
    assert len(watched.parts) == 1
    left = {child.pid for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE}
    idle = {process._process.pid for pool in calls._pools for process in pool.idle}
    assert left <= (known - before) | idle  # what worked at it is gone; others may have been made ready meanwhile


def test_only_experiments_with_plain_arguments_go_apart():
    with pytest.raises(TypeError, match="is no experiment"):
        experiments.compute(fields.populations, {"kind": "swarm"})
    with pytest.raises(TypeError, match="cannot be handed to another process"):
        experiments.compute(fields.train_field, {"target": fields.LAWS["two-blobs"]()})


def test_work_apart_lets_others_go_first():
    assert calls.run(experiments.WORKERS, toys.niceness, [], {}, SHORT, None) >= experiments.NICE
