"""Work off the event loop: the newest request wins, older ones are cancelled, progress is a set of parameters.

Two lanes, shared by all visitors of a server: short work never waits behind long work. A long job that finds its lane
full waits in a queue and is told how many are ahead. The numbers of workers are read once from WORKBENCH_QUICK_WORKERS
(default 4) and WORKBENCH_LONG_WORKERS (default 2).
"""

import os
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import param

from workbench.progress import Cancelled, Progress, RemainingTime
from workbench.ui.kit.dispatch import Place

REPORT_EVERY = 0.15
DRAWING = 0.3  # seconds that work waits at most for the page to draw what it has published
SHOW_AFTER = 0.5  # seconds; buttons that come and go at every move of a slider cost the browser more than the move


class Lane:
    """A pool of worker threads with a queue whose length can be asked."""

    def __init__(self, name: str, workers: int) -> None:
        self.workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=f"workbench-{name}")
        self._lock = threading.Lock()
        self._pending = 0

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        """Queue ``work``; the count of pending jobs falls when it ends or is cancelled while waiting."""
        with self._lock:
            self._pending += 1
        future = self._pool.submit(work)
        future.add_done_callback(lambda _: self._finished())
        return future

    def _finished(self) -> None:
        with self._lock:
            self._pending -= 1

    @property
    def waiting(self) -> int:
        """How many jobs wait for a worker."""
        return max(0, self._pending - self.workers)


QUICK = Lane("quick", int(os.environ.get("WORKBENCH_QUICK_WORKERS", "4")))
LONG = Lane("long", int(os.environ.get("WORKBENCH_LONG_WORKERS", "2")))


class Runner(param.Parameterized):
    """Runs one piece of work at a time for one page, with its state as parameters that a page can show."""

    busy = param.Boolean(default=False, doc="work is queued or running")
    lasting = param.Boolean(default=False, doc="it is long, or has gone on for half a second: worth a progress bar")
    fraction = param.Number(default=0.0, bounds=(0, 1), doc="how much is done")
    seconds_left = param.Number(default=None, allow_None=True, doc="estimate; None while unknown")
    message = param.String(default="", doc="what the work is doing")
    ahead = param.Integer(default=0, doc="jobs of other visitors that come first")

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.place = Place()
        self._job: _Job | None = None
        self._changing = threading.Lock()  # without an event loop outcomes come on the worker's thread
        self._idle = threading.Event()
        self._idle.set()

    def submit(
        self,
        work: Callable[[Progress], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
        *,
        partial: Callable[[Any], None] | None = None,
        long: bool = False,
    ) -> None:
        """Run ``work(progress)`` in a thread, then ``done(result)`` or ``failed(error)`` at home.

        Whatever ran before is cancelled and its outcome dropped. ``partial`` receives what the work hands to
        ``progress.publish``. A cancelled job calls neither ``done`` nor ``failed``.
        """
        lane = LONG if long else QUICK
        job = _Job(self, done, failed, partial)
        with self._changing:  # not cancel(): whoever waits would be told that nothing runs, the moment before this does
            self._idle.clear()
            self._drop()
            self._job = job
        ahead = lane.waiting + (1 if long and lane._pending >= lane.workers else 0)
        self.param.update(busy=True, lasting=long, fraction=0.0, seconds_left=None, message="", ahead=ahead)
        job.future = lane.submit(lambda: job.run(work))
        if not long:
            job.show_later()

    def cancel(self) -> None:
        """Stop the current work at its next report, or before it starts."""
        self.close()
        if self.busy:
            self._rest()

    def _rest(self) -> None:
        self.param.update(busy=False, lasting=False, fraction=0.0, seconds_left=None, message="", ahead=0)

    def close(self) -> None:
        """Stop the current work and show nothing any more: the page is gone."""
        with self._changing:
            self._drop()
            self._idle.set()

    def _drop(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.progress.cancel()
            if job.future is not None:
                job.future.cancel()

    def drawn(self) -> None:
        """Tell the work that what it published is on the page."""
        if self._job is not None:
            self._job.drawn.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until nothing runs; for scripts and tests. Returns False on timeout."""
        return self._idle.wait(timeout)

    def _settle(self, job: "_Job", callback: Callable[..., None] | None, *args: Any) -> None:
        """Take the outcome of ``job`` if it is still the newest."""
        with self._changing:
            if self._job is not job:
                return
            self._job = None
        self._rest()
        try:
            if callback is not None:
                callback(*args)
        finally:
            with self._changing:
                if self._job is None:
                    self._idle.set()

    def _report(self, job: "_Job", fraction: float, seconds_left: float | None, message: str) -> None:
        if self._job is job:
            self.param.update(
                fraction=min(max(fraction, 0.0), 1.0), seconds_left=seconds_left, message=message, ahead=0
            )

    def _show(self, job: "_Job") -> None:
        if self._job is job:
            self.lasting = True

    def _publish(self, job: "_Job", value: Any) -> None:
        if self._job is job and job.partial is not None:
            job.partial(value)


class PageProgress(Progress):
    """Feeds a runner's parameters a few times a second, and carries intermediate results to the page."""

    def __init__(self, job: "_Job") -> None:
        super().__init__()
        self._job = job
        self._remaining = RemainingTime()
        self._next_report = self._next_result = 0.0

    def show(self, done: float, total: float, message: str) -> None:
        """Report at most every ``REPORT_EVERY`` seconds."""
        now = time.monotonic()
        if now >= self._next_report:
            self._next_report = now + REPORT_EVERY
            fraction = done / total if total else 0.0
            self._job.send("_report", fraction, self._remaining.seconds(done, total), message)

    def publish(self, value: Any, every: float = 0.25) -> None:
        """Hand an intermediate result to the page, at most every ``every`` seconds, and wait while the page draws it.

        Drawing and computing are threads of one interpreter: side by side they take turns, and the picture that
        somebody waits for would come three times as late.
        """
        now = time.monotonic()
        if now >= self._next_result and self._job.partial is not None:
            self._job.drawn.clear()
            self._job.send("_publish", value)
            self._job.drawn.wait(DRAWING)
            self._next_result = time.monotonic() + every


class _Job:
    """One submitted piece of work. It knows its runner weakly, so that a forgotten page can be freed at once."""

    def __init__(
        self,
        runner: Runner,
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
        partial: Callable[[Any], None] | None,
    ) -> None:
        self._runner = weakref.ref(runner)
        self._place = runner.place
        self._done, self._failed, self.partial = done, failed, partial
        self.progress = PageProgress(self)
        self.drawn = threading.Event()
        self.future: Future[Any] | None = None

    def send(self, method: str, *args: Any) -> None:
        """Call a method of the runner at home, if the runner is still there."""

        def deliver() -> None:
            runner = self._runner()
            if runner is not None:
                getattr(runner, method)(self, *args)

        self._place.call(deliver)

    def show_later(self) -> None:
        """Tell the runner after a moment that this work lasts, if it still runs then."""
        timer = threading.Timer(SHOW_AFTER, lambda: self.send("_show"))
        timer.daemon = True
        timer.start()
        if self.future is not None:
            self.future.add_done_callback(lambda _: timer.cancel())

    def run(self, work: Callable[[Progress], Any]) -> None:
        """Do the work in the current (worker) thread and send its outcome home."""
        try:
            if self.progress.cancelled:
                return
            outcome = work(self.progress)
        except Cancelled:
            self.send("_settle", None)
        except Exception as error:  # whatever went wrong is shown on the page
            self.send("_settle", self._failed, error)
        else:
            self.send("_settle", self._done, outcome)
