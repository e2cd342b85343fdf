"""Files of strangers are read as one's own, in a process apart: the same numbers, sentences and refusals."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench import clouds, isolated
from workbench.clouds import foreign
from workbench.clouds.arrays import read_members
from workbench.clouds.tables import read_table
from workbench.progress import Cancelled, Progress

FILES = sorted((Path(__file__).parents[1] / "data" / "files").glob("*.*"))
LARGE = 10**7


def npz(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


CLOUDS = {path.name: path.read_bytes() for path in FILES if path.suffix != ".png"} | {
    "weighted.npz": npz(points=np.eye(4, 3), weights=np.arange(4.0)),
    "mesh.npz": npz(vertices=np.eye(3), faces=np.array([[0, 1, 2]])),
    "empty.csv": b"",
    "wrong.doc": b"1,2",
    "pickled.npy": b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    + b" " * 50
    + b"\n",
}


def outcome(read):
    try:
        return read()
    except (ValueError, TypeError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("name", CLOUDS)
def test_a_strangers_cloud_is_read_as_ones_own(name):
    data = CLOUDS[name]
    stream = io.BytesIO(data)
    stream.name = name
    mine = outcome(lambda: clouds.read_cloud(stream, max_bytes=LARGE))
    theirs = outcome(lambda: foreign.read_cloud(data, name, max_bytes=LARGE))
    if isinstance(mine, tuple):
        assert theirs == mine
        return
    assert theirs.sentence == mine.sentence
    for part in ("points", "weights", "faces"):
        np.testing.assert_array_equal(getattr(theirs, part), getattr(mine, part))
    np.testing.assert_array_equal(theirs.cloud(20, seed=1), mine.cloud(20, seed=1))


def test_tables_arrays_and_pictures_too():
    data = b"a;b\n1,5;2\n3;4\n"
    table, sentence = foreign.read_table(data, "a.csv")
    own, own_sentence = read_table(data, "a.csv")
    assert sentence == own_sentence
    np.testing.assert_array_equal(table, own)
    members = npz(trials=np.ones((3, 2, 5)), labels=np.arange(3))
    found = foreign.read_members(members, "a.npz", LARGE)
    for key, value in read_members(members, "a.npz", LARGE).items():
        np.testing.assert_array_equal(found[key], value)
    stream = io.BytesIO()
    Image.fromarray(np.arange(3000, dtype=np.uint8).reshape(20, 50, 3)).save(stream, "PNG")
    picture = foreign.read_picture(stream.getvalue(), "a.png", longest=25, max_bytes=LARGE)
    own_picture = clouds.read_picture(stream.getvalue(), name="a.png", longest=25)
    assert picture.sentence == own_picture.sentence
    np.testing.assert_array_equal(picture.pixels, own_picture.pixels)


def test_the_limits_are_known_before_a_file_is_looked_into():
    small, large = foreign.limits(1000), foreign.limits(64 * 2**20)
    assert small.seconds == pytest.approx(foreign.SECONDS, abs=0.01)
    assert large.seconds == foreign.SECONDS + 64 * foreign.SECONDS_PER_MIB
    assert large.memory == 256 * 2**20 + 12 * 64 * 2**20
    assert foreign.limits(1000, 64 * 2**20).memory == large.memory


def test_a_file_that_asks_for_more_than_its_share_is_refused_with_its_name(monkeypatch):
    monkeypatch.setattr(foreign, "limits", lambda *_: isolated.Limits(seconds=60, memory=2**25))
    with pytest.raises(ValueError, match=r"big\.csv is refused: it needs more than the 32 MiB of memory allowed"):
        foreign.read_cloud(b"1,2,3\n" * 2_000_000, "big.csv", max_bytes=LARGE * 10)


def test_whoever_asks_can_end_each_of_them(monkeypatch):
    def ended(function, data, name, *arguments, limits, progress):
        assert isinstance(limits, isolated.Limits)
        progress.update(0, 1)

    monkeypatch.setattr(isolated, "read", ended)
    for read in (
        lambda progress: foreign.read_cloud(b"1,2", "a.csv", max_bytes=10, progress=progress),
        lambda progress: foreign.read_picture(b"1,2", "a.png", longest=9, max_bytes=10, progress=progress),
        lambda progress: foreign.read_table(b"1,2", "a.csv", progress=progress),
        lambda progress: foreign.read_members(b"1,2", "a.npz", 10, progress=progress),
    ):
        progress = Progress()
        progress.cancel()
        with pytest.raises(Cancelled):
            read(progress)
