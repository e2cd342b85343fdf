"""Files of visitors: read once, apart, within limits; ended when nobody wants them; never kept beyond the limit."""

import gc
import threading
import time
from pathlib import Path

import isolated_toys as toys
import numpy as np
import psutil
import pytest

from workbench import isolated
from workbench.clouds import foreign
from workbench.isolated import calls
from workbench.progress import Cancelled, Progress
from workbench.ui.flows.flow import FlowView
from workbench.ui.kit import upload
from workbench.ui.kit.choices.clouds import FILE, CloudFile
from workbench.ui.kit.upload import ReadUpload, asked_by, check_size, file_chooser, reading_line

FILES = Path(__file__).parents[1] / "data" / "files"


class Counted(ReadUpload):
    """A file whose readings are counted."""

    readings: list = []  # noqa: RUF012  emptied by each test

    def read(self, progress):
        self.readings.append(progress)
        if self.data == b"bad":
            raise ValueError(f"{self.name} is bad")
        if self.data == b"busy" and len(self.readings) == 1:
            raise isolated.Busy("too many files are being read at once")
        return np.arange(3), f"{len(self.data)} bytes"


class Stuck(ReadUpload):
    """A file on which the reader never ends."""

    def read(self, progress):
        return isolated.read(
            toys.stuck, self.data, self.name, limits=isolated.Limits(seconds=len(self.data)), progress=progress
        )


@pytest.fixture(autouse=True)
def _nothing_read():
    Counted.readings.clear()


def test_a_file_is_read_once_whoever_asks_first():
    file = Counted("a.csv", b"1,2")
    assert file.sentence() == "3 bytes"
    assert file.contents() is file.contents()
    assert file.sentence() == "3 bytes"
    assert len(Counted.readings) == 1


def test_many_who_ask_at_once_wait_for_one_reading():
    file, found = Counted("a.csv", b"1,2"), []
    threads = [threading.Thread(target=lambda: found.append(file.contents())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(Counted.readings) == 1


def test_a_large_file_hands_its_contents_over_and_keeps_its_sentence(monkeypatch):
    monkeypatch.setattr(upload, "LARGEST_KEPT", 2)
    file = Counted("a.csv", b"1,2")
    assert file.sentence() == "3 bytes"
    file.contents()
    assert len(Counted.readings) == 1, "what was read for the sentence serves the work"
    assert file._reading.contents is None
    file.contents()
    assert len(Counted.readings) == 2
    assert file.sentence() == "3 bytes"
    assert len(Counted.readings) == 2


def test_a_file_that_cannot_be_read_is_not_tried_again():
    file = Counted("a.csv", b"bad")
    for ask in (file.sentence, file.contents, file.contents):
        with pytest.raises(ValueError, match=r"a\.csv is bad"):
            ask()
    assert len(Counted.readings) == 1


def test_a_file_that_found_no_place_is_tried_again():
    file = Counted("a.csv", b"busy")
    with pytest.raises(isolated.Busy):
        file.contents()
    assert file.sentence() == "4 bytes"


def test_an_overlong_reading_is_ended_and_says_so():
    before = isolated.call(toys.process)
    file = Stuck("mine.csv", b"1")
    for _ in range(2):
        with pytest.raises(ValueError, match=r"mine\.csv is refused: it took longer than 1 s and was stopped"):
            file.contents()
    assert not psutil.pid_exists(before)


@pytest.mark.parametrize("who", ["the reader", "one who waits for it"])
def test_a_cancelled_reading_is_ended(who):
    file, progress = Stuck("mine.csv", b"1" * 60), Progress()
    holds = threading.Thread(target=_swallow, args=(file, first := Progress()))
    if who != "the reader":
        holds.start()
        while not file._reading.lock.locked():
            time.sleep(0.01)
    threading.Timer(0.3, progress.cancel).start()
    started = time.monotonic()
    with asked_by(progress), pytest.raises(Cancelled):
        file.contents()
    assert time.monotonic() - started < 30
    if who != "the reader":
        assert file._reading.lock.locked(), "the other one reads on"
        first.cancel()
        holds.join()
    assert not file._reading.lock.locked()


def _swallow(file, progress):
    with asked_by(progress), pytest.raises(Cancelled):
        file.contents()


def test_a_view_that_is_cancelled_reads_no_more():
    view = FlowView()
    line = reading_line(view, "origin_file")
    view._started = True
    slow = type("Slow", (CloudFile,), {"read": Stuck.read})("mine.csv", b"1" * 60)
    view.origin_file = slow
    view.origin = FILE
    view.run()
    assert "mine.csv: is being read" in line.object
    view.cancel()
    deadline = time.monotonic() + 30
    while "cancelled" not in line.object and time.monotonic() < deadline:
        time.sleep(0.02)
    assert "mine.csv: the reading was cancelled" in line.object
    assert not view.runner.busy
    while slow._reading.lock.locked() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not slow._reading.lock.locked()
    view.close()


def test_the_line_names_files_without_running_what_they_say():
    view = FlowView()
    line = reading_line(view, "origin_file")
    view._started = False
    view.origin_file = CloudFile("<b>a</b>.csv", b"1,2\n3,4\n")
    deadline = time.monotonic() + 60
    while "2 rows" not in line.object and time.monotonic() < deadline:
        time.sleep(0.02)
    assert "&lt;b&gt;a&lt;/b&gt;.csv: 2 rows; columns 1, 2" in line.object
    view.close()


# ---- what comes from the browser -------------------------------------------------------------------------------------


def piece(name, number, of, data, kind="text/csv"):
    return {"name": name, "chunk": number, "total_chunks": of, "mime_type": kind, "data": data}


def sent(chooser, *pieces):
    for one in pieces:
        chooser._process_chunk(one)
    chooser._flush_buffer()


def held(chooser):
    parts = [len(part) for pieces in chooser._process_chunk._coming.values() for part in pieces.values()]
    return sum(parts) + sum(bytes.__len__(one["value"]) for one in chooser._buffer)


def test_a_file_comes_in_pieces():
    taken = []
    chooser = file_chooser("a file", ".csv", lambda name, data: taken.append((name, data)))
    sent(chooser, piece("a.csv", 1, 2, memoryview(b"1,2\n")), piece("a.csv", 2, 2, b"3,4\n"))
    assert taken == [("a.csv", b"1,2\n3,4\n")]


def test_a_file_that_goes_on_and_on_is_not_kept(monkeypatch):
    monkeypatch.setattr(upload, "LARGEST_UPLOAD", 100)
    taken = []
    chooser = file_chooser("a file", ".csv", lambda name, data: taken.append((name, data)))
    for number in range(1, 1000):
        chooser._process_chunk(piece("a.csv", number, 1000, bytes(10)))
        assert held(chooser) <= 100
    sent(chooser, piece("a.csv", 1000, 1000, bytes(10)))
    ((name, left),) = taken
    assert (name, len(left), left[:10]) == ("a.csv", 10_000, b"")
    with pytest.raises(ValueError, match=r"a\.csv has 1 MiB; this page takes files up to 0 MiB"):
        check_size(name, type(left)(2**20), 100)
    sent(chooser, piece("b.csv", 1, 1, b"1,2"))
    assert taken[-1] == ("b.csv", b"1,2"), "the next file is taken as any other"


def test_many_files_at_once_share_the_limit(monkeypatch):
    monkeypatch.setattr(upload, "LARGEST_UPLOAD", 100)
    chooser = file_chooser("a file", ".csv", lambda name, data: None)
    for number in range(50):
        chooser._process_chunk(piece(f"{number}.csv", 1, 2, bytes(10)))
        assert held(chooser) <= 100


def test_a_file_that_lost_a_piece_is_not_taken_for_a_whole_one(monkeypatch):
    monkeypatch.setattr(upload, "LARGEST_UPLOAD", 100)
    taken = []
    chooser = file_chooser("a file", ".csv", lambda name, data: taken.append((name, len(data), bytes.__len__(data))))
    for number in range(1, 4):
        chooser._process_chunk(piece("a.csv", number, 5, bytes(10)))
    chooser._process_chunk(piece("b.csv", 1, 2, bytes(90)))  # too much together: what was there is let go
    sent(chooser, piece("a.csv", 4, 5, bytes(10)), piece("a.csv", 5, 5, bytes(10)))
    assert taken == [("a.csv", 101, 0)]


def test_pieces_without_end_or_name_take_no_memory(monkeypatch):
    monkeypatch.setattr(upload, "MOST_PIECES", 50)
    chooser = file_chooser("a file", ".csv", lambda name, data: None)
    for number in range(1, 500):
        chooser._process_chunk(piece("a.csv", number, 10**9, b""))
        chooser._process_chunk(piece(f"{number}.csv", 1, 2, b""))
        taken = chooser._process_chunk
        assert len(taken._sizes) <= 51
        assert sum(map(len, taken._coming.values())) <= 50


def test_a_page_refuses_what_was_not_kept_with_its_size(monkeypatch):
    view = FlowView()
    monkeypatch.setattr(upload, "LARGEST_UPLOAD", 2**20)
    chooser = file_chooser("a cloud", ".csv", lambda name, data: view.take_file("origin", name, data))
    data = bytes(2**20)
    sent(chooser, *(piece("big.csv", number, 65, data) for number in range(1, 66)))
    assert view.complaint == "big.csv has 65 MiB; this page takes files up to 64 MiB"
    assert view.origin_file is None
    gc.collect()


def test_a_warm_process_is_replaced_when_it_had_to_be_ended(monkeypatch):
    monkeypatch.setattr(calls, "_kept_warm", [])
    isolated.warm("workbench.results", foreign.prepare)
    deadline = time.monotonic() + 60
    while (not calls._idle or calls._warming.locked()) and time.monotonic() < deadline:
        time.sleep(0.02)
    for process in calls._idle[1:]:
        process.end()
    before = isolated.call(toys.process)
    with pytest.raises(isolated.Stopped):
        isolated.call(toys.crash)
    while not any(process.usable() for process in calls._idle) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert isolated.call(toys.process) != before
