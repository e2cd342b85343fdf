"""The runner: newest wins, cancel, failure, progress, and two lanes that do not wait for each other."""

import threading
import time

import pytest

from workbench.ui.kit import runner as runner_module
from workbench.ui.kit.runner import Lane, Runner


@pytest.fixture
def runner():
    made = Runner()
    yield made
    made.cancel()


def nothing(*_):
    """Take an outcome and ignore it."""


def wait_for(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def endless(progress):
    for step in range(100_000):
        progress.update(step, 100_000, "endless")
        time.sleep(0.002)


def test_result_arrives_and_the_runner_rests(runner):
    got = []
    runner.submit(lambda progress: 42, got.append, nothing)
    assert runner.wait(5)
    assert got == [42]
    assert not runner.busy


def test_newest_wins(runner):
    got = []
    for number in range(20):

        def work(progress, number=number):
            for step in range(10):
                progress.update(step, 10)
                time.sleep(0.003)
            return number

        runner.submit(work, got.append, nothing)
    assert runner.wait(10)
    assert got == [19]


def test_who_waits_is_not_told_of_the_moment_between_two_works(runner):
    got, waits = [], threading.Event()

    def first(progress):
        waits.wait(5)
        time.sleep(0.05)  # the other thread is in runner.wait by now
        progress.publish("first answer")
        endless(progress)

    def second(_):
        time.sleep(0.1)
        return "second"

    runner.submit(first, nothing, nothing, partial=lambda _: runner.submit(second, got.append, nothing))
    waits.set()
    assert runner.wait(5)
    assert got == ["second"]


def test_cancel_stops_the_work_and_reports_nothing(runner):
    outcomes, ended = [], threading.Event()

    def work(progress):
        try:
            endless(progress)
        finally:
            ended.set()

    runner.submit(work, outcomes.append, outcomes.append)
    wait_for(lambda: runner.message == "endless")
    assert runner.busy
    runner.cancel()
    assert not runner.busy
    assert ended.wait(5)
    assert outcomes == []


def test_errors_are_handed_over(runner):
    errors = []

    def work(progress):
        raise ValueError("no such lattice")

    runner.submit(work, nothing, errors.append)
    assert runner.wait(5)
    assert str(errors[0]) == "no such lattice"
    assert not runner.busy


def test_progress_is_shown(runner):
    seen = []
    runner.param.watch(lambda event: seen.append(event.new), "fraction")
    gate = threading.Event()

    def work(progress):
        progress.update(1, 4, "a quarter")
        gate.wait(5)
        return None

    runner.submit(work, nothing, nothing)
    wait_for(lambda: runner.fraction == 0.25)
    assert runner.message == "a quarter"
    assert runner.seconds_left is not None
    gate.set()
    assert runner.wait(5)


def test_intermediate_results_are_shown_while_the_work_goes_on(runner):
    parts, gate = [], threading.Event()

    def work(progress):
        progress.publish("half")
        gate.wait(5)
        return "whole"

    runner.submit(work, parts.append, nothing, partial=parts.append)
    wait_for(lambda: parts == ["half"])
    gate.set()
    assert runner.wait(5)
    assert parts == ["half", "whole"]


def test_work_waits_until_what_it_published_is_drawn(runner, monkeypatch):
    monkeypatch.setattr(runner_module, "DRAWING", 5.0)
    happened = []

    def work(progress):
        progress.publish("half")
        happened.append("goes on")
        return "whole"

    runner.submit(work, nothing, nothing, partial=lambda _: happened.append("taken"))
    wait_for(lambda: happened)
    time.sleep(0.05)
    assert happened == ["taken"]
    happened.append("drawn")
    runner.drawn()
    assert runner.wait(5)
    assert happened == ["taken", "drawn", "goes on"]


def test_work_does_not_wait_for_a_page_that_draws_nothing(runner, monkeypatch):
    monkeypatch.setattr(runner_module, "DRAWING", 0.01)
    got = []
    runner.submit(lambda progress: progress.publish("half") or "whole", got.append, nothing, partial=nothing)
    assert runner.wait(5)
    assert got == ["whole"]


def test_quick_work_does_not_wait_for_long_work(monkeypatch):
    monkeypatch.setattr(runner_module, "LONG", Lane("test-long", 1))
    holders = [Runner() for _ in range(3)]
    try:
        for holder in holders:
            holder.submit(endless, nothing, nothing, long=True)
        wait_for(lambda: holders[0].message == "endless")
        assert holders[2].ahead >= 1
        quick, got = Runner(), []
        started = time.monotonic()
        quick.submit(lambda progress: "done", got.append, nothing)
        assert quick.wait(5)
        assert got == ["done"]
        assert time.monotonic() - started < 2
        holders[0].cancel()
        wait_for(lambda: holders[1].message == "endless")
        assert holders[1].ahead == 0
    finally:
        for holder in holders:
            holder.cancel()


def test_only_work_that_lasts_is_shown(monkeypatch):
    """Buttons that come and go at every move of a slider would cost the browser more than the move itself."""
    from workbench.ui.kit import runner as module

    monkeypatch.setattr(module, "SHOW_AFTER", 0.1)
    runner, release, seen = Runner(), threading.Event(), []
    runner.param.watch(lambda event: seen.append(event.new), "lasting")
    runner.submit(lambda progress: 1, lambda _: None, lambda _: None)
    assert runner.wait(5)
    time.sleep(0.2)
    assert seen == []
    runner.submit(lambda progress: release.wait(5), lambda _: None, lambda _: None)
    deadline = time.monotonic() + 5
    while not runner.lasting and time.monotonic() < deadline:
        time.sleep(0.01)
    assert runner.lasting
    release.set()
    assert runner.wait(5)
    assert seen == [True, False]
    runner.submit(lambda progress: 1, lambda _: None, lambda _: None, long=True)  # asked for by Run: shown at once
    assert runner.wait(5)
    assert seen == [True, False, True, False]
