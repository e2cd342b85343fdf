"""Files of strangers, read in a process that can be ended: the same readers, the same words, bounded time and memory.

A server calls these for whatever a visitor uploads; a reader that hangs, crashes or takes all memory on a file made to
do that is ended with its process, and one that is cancelled at once. Files of one's own need no such care: read them
with :func:`workbench.clouds.read_cloud`, :func:`~workbench.clouds.read_picture` and their sisters.

All take ``progress``, which is looked at ten times a second, and raise what the readers raise, and
:class:`workbench.isolated.Stopped`, a ``ValueError`` with a sentence. Cost beside the reading: where a process is warm,
a millisecond, and the time to copy the file and its numbers through a pipe; about a second where none is.
"""

from numpy.typing import NDArray

from workbench import isolated
from workbench.clouds import arrays, files, pictures, scanning, tables
from workbench.clouds.files import Reading
from workbench.clouds.pictures import ReadPicture
from workbench.progress import Progress

SECONDS, SECONDS_PER_MIB = 20.0, 0.5
"""Time for a file: several times what the slowest reader takes on a machine that does nothing else."""
BESIDE_THE_DATA = 256 * 2**20
MEMORY_PER_BYTE = 12
"""What the hungriest reader takes for each byte of a file, unpacked."""


def limits(size: int, unpacked: int = 0) -> isolated.Limits:
    """Return what reading a file of ``size`` bytes may take, known before it is looked into.

    >>> limits(2**20)
    Limits(seconds=20.5, memory=281018368)
    """
    return isolated.Limits(
        seconds=SECONDS + SECONDS_PER_MIB * size / 2**20,
        memory=BESIDE_THE_DATA + MEMORY_PER_BYTE * max(size, unpacked),
    )


def prepare() -> None:
    """Make ready what reads clouds, in the process that calls it: the first time on a machine, code is compiled."""
    square = b"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3 4\n"
    scanning.scan_obj(square)
    files.read_bytes(square, "square.obj")


def read_cloud(data: bytes, name: str, *, max_bytes: int, progress: Progress | None = None) -> Reading:
    """Read a cloud or mesh as :func:`workbench.clouds.read_cloud`; the name's ending tells the format.

    >>> read_cloud(b"x,y\\n1,2\\n3,5\\n", "mine.csv", max_bytes=1000).sentence
    '2 rows; columns x, y; separated by commas; 1 header row'
    """
    unpacked = max_bytes if name.lower().endswith((".npz", ".gii", ".gii.gz")) else 0
    bound = limits(len(data), unpacked)
    return Reading(*isolated.read(_cloud, data, name, max_bytes, limits=bound, progress=progress))


def read_picture(
    data: bytes, name: str, *, longest: int, max_bytes: int, progress: Progress | None = None
) -> ReadPicture:
    """Read a picture as :func:`workbench.clouds.read_picture`, shrunk to at most ``longest`` pixels a side."""
    pixels = pictures.BYTES_PER_PIXEL * pictures.MOST_PIXELS  # a small file may hold as many as are allowed
    bound = isolated.Limits(seconds=SECONDS, memory=BESIDE_THE_DATA + pixels)
    return ReadPicture(*isolated.read(_picture, data, name, longest, max_bytes, limits=bound, progress=progress))


def read_table(data: bytes, name: str, *, progress: Progress | None = None) -> tuple[NDArray, str]:
    """Read a table of numbers as :func:`workbench.clouds.tables.read_table`."""
    table, sentence = isolated.read(tables.read_table, data, name, limits=limits(len(data)), progress=progress)
    return table, sentence


def read_members(data: bytes, name: str, max_bytes: int, *, progress: Progress | None = None) -> dict[str, NDArray]:
    """Read all arrays of an NPY or NPZ file as :func:`workbench.clouds.arrays.read_members`."""
    bound = limits(len(data), max_bytes)
    return isolated.read(arrays.read_members, data, name, max_bytes, limits=bound, progress=progress)


def _cloud(data: bytes, name: str, max_bytes: int) -> tuple:
    """Return a reading as plain data. Runs in the process apart."""
    found = files.read_bytes(data, name, max_bytes=max_bytes)
    return found.points, found.weights, found.faces, found.sentence


def _picture(data: bytes, name: str, longest: int, max_bytes: int) -> tuple:
    """Return a picture as plain data. Runs in the process apart."""
    found = pictures.read_picture(data, name=name, longest=longest, max_bytes=max_bytes)
    return found.pixels, found.sentence
