"""The text of a file, whatever wrote it: UTF-8 with or without a mark, UTF-16, UTF-32 or Windows' cp1252, by lines.

The bytes are never held a second time as one string: lines are decoded as they are asked for. A line ends at LF, CR LF
or CR. All limits are looked at in the bytes, before a line is made.
"""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

LONGEST_LINE = 2**20
CHUNK = 2**22
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


@dataclass(frozen=True)
class TextFile:
    """The lines of a text file: ``data`` as it came, the ``name`` for messages, the ``encoding`` found."""

    data: bytes
    name: str
    encoding: str

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield (number from 1, line without its end), decoding as it goes."""
        with io.TextIOWrapper(io.BytesIO(self.data), encoding=self.encoding, newline=None) as stream:
            for number, line in enumerate(stream, start=1):
                if len(line) > LONGEST_LINE:  # bytes of UTF-16 may look like ends of lines
                    raise _too_long(self.name)
                yield number, line.rstrip("\n")

    def has(self, *characters: str) -> bool:
        """Tell whether any of the ASCII ``characters`` may occur (their bytes do)."""
        return any(character.encode("ascii") in self.data for character in characters)


def open_text(data: bytes, name: str) -> TextFile:
    """Return the text of ``data``, or raise ``ValueError`` for binary data and for lines longer than 1 MiB.

    >>> [line for _, line in open_text("x;y\\r1,5;2".encode("utf-16"), "a.csv").lines()]
    ['x;y', '1,5;2']
    """
    encoding = next((encoding for mark, encoding in MARKS if data.startswith(mark)), None) or _unmarked(data, name)
    if encoding is None:
        encoding = "cp1252" if _fails(data, "utf-8") else "utf-8"
    problem = _fails(data, encoding)
    if problem:
        raise ValueError(f"{name} is not readable text: {problem}; save it as UTF-8")
    _check_lines(data, name)
    return TextFile(data, name, encoding)


def _unmarked(data: bytes, name: str) -> str | None:
    """Recognise UTF-16 without a mark by the zero in every second byte of its ASCII letters."""
    if data.isascii() and b"\0" not in data:
        return "ascii"
    head = np.frombuffer(data[:4096], np.uint8)
    if len(head) > 1 and (head == 0).any():
        even, odd = np.mean(head[::2] == 0), np.mean(head[1::2] == 0)
        if len(data) % 2 == 0 and min(even, odd) == 0 and max(even, odd) > 0.7:
            return "utf-16-be" if even else "utf-16-le"
    if b"\0" in data:
        raise ValueError(f"{name} holds binary data but its name says text; use the suffix of its real format")
    return None


def _fails(data: bytes, encoding: str) -> str:
    """Return why ``data`` is not in ``encoding``, or nothing."""
    if encoding == "ascii":
        return ""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(data), CHUNK):
            decoder.decode(data[start : start + CHUNK], final=start + CHUNK >= len(data))
    except UnicodeDecodeError as error:
        return f"{error.reason} at byte {start + error.start} for {encoding.upper()}"
    return ""


def _check_lines(data: bytes, name: str) -> None:
    """Raise for a line that no table and no mesh has, since a reader would take it whole."""
    last = -1
    for start in range(0, len(data), CHUNK):
        chunk = np.frombuffer(data, np.uint8, min(CHUNK, len(data) - start), start)
        ends = np.flatnonzero((chunk == 10) | (chunk == 13)) + start
        if len(ends):
            if np.diff(ends, prepend=last).max() > LONGEST_LINE:
                raise _too_long(name)
            last = int(ends[-1])
    if len(data) - last > LONGEST_LINE:
        raise _too_long(name)


def _too_long(name: str) -> ValueError:
    return ValueError(f"{name} has a line of more than 1 MiB; a table or mesh has one row or element a line")
