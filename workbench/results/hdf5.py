"""A look at an HDF5 file before anything of it is read: what it would unpack to, and whether it is of our kind.

A file of a megabyte can stand for terabytes (compression, blank arrays), can make a reader take gigabytes for a few
strings (one heap entry that twenty thousand entries share, widened to the longest), and can point to other files of
the machine (external links, external storage, virtual datasets). All of that is written in the file's tables, which
are small; so it is judged there, and only a file that passes is handed to xarray.
"""

import math
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from workbench.results.attributes import MOST_ATTRIBUTES, MOST_NAME, MOST_NUMBERS, MOST_TEXT
from workbench.results.conventions import MOST_DIMENSIONS, MOST_VARIABLES

BYTES_PER_LETTER = 4  # NumPy's fixed-width text
BYTES_PER_STRING = 64  # a Python string beside its letters
BYTES_PER_ENTRY_ON_DISK = 16  # length (4), address of the heap (8), index in it (4)
MOST_STRINGS_ONE_BY_ONE = 100_000
LARGEST_CHUNK = 256 * 2**20
HIDDEN_ATTRIBUTES = ("DIMENSION_LIST", "REFERENCE_LIST")
KNOWN_FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32"}


class Unfit(ValueError):
    """The file is no result of the workbench, or would unpack to more than is allowed; the message says why."""


def unpacked_bytes(source: Path | BinaryIO, max_bytes: int) -> int:
    """Return how much memory reading the file takes; raises :class:`Unfit` as soon as that exceeds ``max_bytes``.

    Takes memory in proportion to the file at most, and about 0.1 ms for each variable and attribute.

    >>> from workbench import data
    >>> unpacked_bytes(data.path("fisher/lattice.nc"), 10**7) < 10**6
    True
    """
    import h5py

    with h5py.File(source, "r") as file:
        found = _Look(max_bytes)
        found.attributes(file.id, "the result")
        if len(file) > MOST_VARIABLES:
            raise Unfit(f"it has {len(file):,} variables; the most is {MOST_VARIABLES:,}")
        for name in file:
            if len(name) > MOST_NAME:
                raise Unfit(f"it has a variable whose name has {len(name):,} letters; the most is {MOST_NAME}")
            if not isinstance(file.get(name, getlink=True), h5py.HardLink):
                raise Unfit(f"{name!r} is a link to another place; a result holds its data itself")
            if file.get(name, getclass=True) is not h5py.Dataset:
                raise Unfit(f"{name!r} is a group or a type; a result holds variables only")
            found.variable(name, file[name], source)
        return found.total


class _Look:
    """The sum so far, compared with the limit after each addition."""

    def __init__(self, max_bytes: int) -> None:
        self.total, self._text, self._max_bytes = 0, 0, max_bytes

    def _add(self, count: int) -> None:
        self.total += count
        if self.total > self._max_bytes:
            raise Unfit(f"it unpacks to {self.total:,} bytes or more, more than the {self._max_bytes:,} allowed here")

    def variable(self, name: str, dataset: Any, source: Path | BinaryIO) -> None:
        """Count one variable, and refuse what a result of ours never has."""
        import h5py

        if dataset.shape is None or len(dataset.shape) > MOST_DIMENSIONS:
            raise Unfit(f"{name!r} has no shape, or more than {MOST_DIMENSIONS} dimensions")
        if dataset.external or dataset.is_virtual:
            raise Unfit(f"{name!r} lies in another file; a result holds its data itself")
        kind = dataset.id.get_type().get_class()
        if kind not in (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.STRING, h5py.h5t.ENUM):
            raise Unfit(f"{name!r} holds neither numbers nor text")
        self._storage(name, dataset)
        for axis in range(len(dataset.shape)):
            if h5py.h5ds.get_num_scales(dataset.id, axis) > 1:
                raise Unfit(f"{name!r} has several coordinates for one dimension")
        self.attributes(dataset.id, repr(name))
        count = math.prod(dataset.shape)
        if kind != h5py.h5t.STRING:
            self._add(count * max(dataset.dtype.itemsize, 1))
        elif dataset.id.get_type().is_variable_str():
            self._strings(count, dataset, source)
        else:
            self._add(count * (dataset.dtype.itemsize * BYTES_PER_LETTER + BYTES_PER_STRING))

    def _storage(self, name: str, dataset: Any) -> None:
        if dataset.chunks and math.prod(dataset.chunks) * dataset.dtype.itemsize > LARGEST_CHUNK:
            raise Unfit(f"{name!r} is packed in pieces of more than {LARGEST_CHUNK:,} bytes")
        plan = dataset.id.get_create_plist()
        for position in range(plan.get_nfilters()):
            if plan.get_filter(position)[0] not in KNOWN_FILTERS:
                raise Unfit(f"{name!r} is packed by a method other than {', '.join(KNOWN_FILTERS.values())}")

    def _strings(self, count: int, dataset: Any, source: Path | BinaryIO) -> None:
        """Count text of any length: its letters once as Python strings, then as wide as the longest, as NumPy does."""
        self._add(count * BYTES_PER_STRING)
        if count == 0 or dataset.id.get_storage_size() == 0:
            return
        if dataset.id.get_offset() is not None:
            lengths = _lengths_on_disk(dataset.id.get_offset(), count, source)
        else:
            if count > MOST_STRINGS_ONE_BY_ONE:
                raise Unfit(f"{dataset.name!r} has {count:,} packed texts; the most is {MOST_STRINGS_ONE_BY_ONE:,}")
            lengths = _lengths_one_by_one(dataset, self._max_bytes)
        self._add(int(lengths.sum(dtype=np.int64)) + count * int(lengths.max()) * BYTES_PER_LETTER)

    def attributes(self, owner: Any, called: str) -> None:
        """Judge the attributes of the file or of a variable by their types and sizes, and measure each text."""
        import h5py

        count = h5py.h5a.get_num_attrs(owner)
        if count > MOST_ATTRIBUTES:
            raise Unfit(f"{called} has {count:,} attributes; the most is {MOST_ATTRIBUTES}")
        for position in range(count):
            attribute = h5py.h5a.open(owner, index=position)
            name, kind = attribute.name.decode(errors="replace"), attribute.get_type()
            numbers, size = attribute.get_space().get_simple_extent_npoints(), attribute.get_storage_size()
            if size > MOST_TEXT or (numbers > MOST_NUMBERS and name not in HIDDEN_ATTRIBUTES):
                raise Unfit(f"{called} has an attribute {name[:40]!r} of {size:,} bytes, which is too long")
            self._count_text(size)
            if name in HIDDEN_ATTRIBUTES:
                continue
            if isinstance(kind, h5py.h5t.TypeStringID):
                if numbers > 1:
                    raise Unfit(f"{called} has an attribute {name[:40]!r} that is a list of texts")
                if kind.is_variable_str() and numbers == 1:
                    self._count_text(_text_length(owner, attribute.name))
            elif kind.get_class() not in (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM) and not _is_complex(kind):
                raise Unfit(f"{called} has an attribute {name[:40]!r} that is neither a number nor text")

    def _count_text(self, count: int) -> None:
        self._text += count
        if self._text > 4 * MOST_TEXT:
            raise Unfit(f"its attributes hold more than {4 * MOST_TEXT:,} bytes")
        self._add(count)


def _is_complex(kind: Any) -> bool:
    """A complex attribute, which early results may carry, is a pair of numbers; other compounds are not ours."""
    return kind.dtype.kind == "c"


def _text_length(owner: Any, name: bytes) -> int:
    """Read one text and let go of it: at most as long as the file."""
    import h5py

    attribute = h5py.h5a.open(owner, name)
    value = np.empty((), dtype=attribute.dtype)
    attribute.read(value)
    return len(value[()] or b"")


def _lengths_on_disk(offset: int, count: int, source: Path | BinaryIO) -> np.ndarray:
    """The lengths of texts that lie in one piece, from the entries themselves, without unpacking any."""
    wanted = count * BYTES_PER_ENTRY_ON_DISK
    if isinstance(source, Path):
        with source.open("rb") as file:
            file.seek(offset)
            data = file.read(wanted)
    else:
        source.seek(offset)
        data = source.read(wanted)
    if len(data) < wanted:
        raise Unfit("it ends before its texts do")
    return np.frombuffer(data, dtype="<u4").reshape(count, 4)[:, 0]


def _lengths_one_by_one(dataset: Any, max_bytes: int) -> np.ndarray:
    lengths, total = [], 0
    for index in np.ndindex(dataset.shape):
        lengths.append(len(dataset[index]))
        total += lengths[-1]
        if total > max_bytes or max(lengths[-1], 1) * math.prod(dataset.shape) * BYTES_PER_LETTER > max_bytes:
            raise Unfit(f"its texts unpack to more than the {max_bytes:,} allowed here")
    return np.array(lengths)
