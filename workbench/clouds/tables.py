"""Tables of numbers as people's programs write them: CSV in every dialect, text in columns, XYZ.

One separator holds for a whole file: tab or semicolon before comma, white space where there is none of them. Between
tabs and semicolons a comma inside a number is the decimal comma. A row is a header only if no field of it is a number.
A header that names x, y and z (or x and y) chooses these columns; the others are left out, and that is said. Nothing is
guessed: a missing value, a thousands separator, NaN or a row of another length is refused with its row.

The numbers are read by ``numpy.loadtxt``: it is as strict as these rules ask and rounds correctly. (pandas' parser is
twice as fast, but fills short rows and empty fields with NaN and cannot say where.) What is written here is what it
leaves open: what is wrong with a row that it refuses. Which dialect a file is in stands in
:mod:`~workbench.clouds.dialects`.
"""

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.clouds.decoding import TextFile, open_text
from workbench.clouds.dialects import (
    COMMA,
    LARGEST_DIM,
    MISSING,
    NOT_FINITE,
    SEMICOLON,
    SEPARATORS,
    SPACE,
    TAB,
    Layout,
    is_number,
    layout_of,
    tidy,
    uncommented,
)

__all__ = ["LARGEST_DIM", "read_columns", "read_table"]


def read_table(data: bytes, name: str, *, xyz: bool = False) -> tuple[NDArray[np.float64], str]:
    """Return the points of a table, (n, d), and a sentence that says how it was read.

    ``xyz`` marks a file of coordinates in space: without names, its first three columns are x, y, z; a first line
    with the number of points is understood, and so are the symbols of a chemical XYZ file. Raises ``ValueError`` with
    the row for whatever is not a table of finite numbers. Cost: about 0.2 s and four times the file's size per 10 MB.

    >>> points, sentence = read_table("y;x;z;label\\n1,5;2;3;a\\n4;5;6;b\\n".encode(), "a.csv")
    >>> points.tolist()
    [[2.0, 1.5, 3.0], [5.0, 4.0, 6.0]]
    >>> sentence
    '2 rows; columns x, y, z of 4 (left out: label); separated by semicolons; decimal comma; 1 header row'
    """
    text = open_text(data, name)
    return read_columns(text, layout_of(text, xyz))


def read_columns(text: TextFile, layout: Layout) -> tuple[NDArray[np.float64], str]:
    """Return the numbers of the columns that a layout has chosen, as :func:`read_table` does.

    >>> text = open_text(b"date,mm\\n2012-01-01,3\\n", "a.csv")
    >>> layout = layout_of(text, xyz=False)
    >>> layout.chosen = [1]
    >>> read_columns(text, layout)[0].tolist()
    [[3.0]]
    """
    return _Reader(text, layout).read()


class _Reader:
    """Hands the rows of one file to ``numpy.loadtxt``, and explains what it refuses."""

    def __init__(self, text: TextFile, layout: Layout) -> None:
        self.text, self.layout = text, layout
        self.row = self.line = 0
        self.content = ""
        self.comma_line = self.point_line = 0
        self.is_whole = len(layout.chosen) == layout.width

    def read(self) -> tuple[NDArray[np.float64], str]:
        layout = self.layout
        checks.memory(8 * len(self.text.data), self.text.name)
        points = self.loaded()
        if not np.isfinite(points).all():
            row, column = np.argwhere(~np.isfinite(points))[0]
            for _ in self.rows():
                if self.row == row + 1:
                    raise ValueError(self.reason(not_finite=int(column)))
        if layout.promised is not None and layout.promised != len(points):
            raise ValueError(
                f"{self.text.name} announces {layout.promised} points and holds {len(points)}; it is cut off, or it "
                "holds several frames (give one)"
            )
        return points, self.sentence(points)

    def loaded(self) -> NDArray[np.float64]:
        """Return the points of the table, row by row."""
        layout = self.layout
        chosen = set(layout.chosen)
        kinds = [(f"f{i}", np.float64 if i in chosen else "U1") for i in range(layout.width)]
        try:
            table = np.loadtxt(
                self.rows(),
                dtype=np.dtype(kinds),
                delimiter=None if layout.separator == SPACE else layout.separator,
                comments=None,
                quotechar=layout.quote,
                ndmin=1,
            )
        except _Refused as error:
            raise ValueError(str(error)) from None
        except ValueError as error:
            raise ValueError(self.reason() or f"{self.where()} cannot be read: {error}") from None
        if layout.chosen == list(range(layout.width)):
            return table.view(np.float64).reshape(len(table), layout.width)
        return np.stack([table[f"f{i}"] for i in layout.chosen], axis=1)

    def rows(self) -> Iterator[str]:
        """Yield the rows as ``loadtxt`` reads them; ``row``, ``line`` and ``content`` tell where it is."""
        layout, text = self.layout, self.text
        separator, quote = layout.separator, layout.quote
        has_remarks, has_quotes = text.has("#"), text.has(quote)
        has_fortran = text.has("d", "D")
        has_commas = separator in (TAB, SEMICOLON) and text.has(",")
        has_tabs = separator in (SEMICOLON, COMMA) and text.has("\t")
        end = re.compile(rf"{re.escape(separator)}\s*$")
        after_separator = re.compile(rf"(^|{re.escape(separator)})\s+(?={quote})")
        blank_and_quote = " " + quote
        is_ascii = text.encoding == "ascii"
        self.row = 0
        for number, line in text.lines():
            if number < layout.first_line:
                continue
            if has_remarks:
                line = uncommented(line, quote)
            if not line or line.isspace():
                continue
            self.row += 1
            self.line, self.content = number, line
            if has_tabs:
                line = tidy(line)
            if layout.trailing:
                line = end.sub("", line)
            if has_quotes and quote in line:
                if line.count(quote) % 2:
                    raise _Refused(f"{self.where()} opens a quotation that it does not close; one row a line is read")
                if blank_and_quote in line or line[0].isspace():
                    line = after_separator.sub(r"\1", line)
            if not is_ascii:
                line = line.replace("−", "-")
            if has_commas:
                self.note_marks(line)
                line = line.replace(",", ".")
            if has_fortran:
                line = line.replace("D", "e").replace("d", "e")
            yield line

    def note_marks(self, line: str) -> None:
        """Remember where a decimal comma and where a decimal point was seen; one file has one of them."""
        if self.is_whole:
            comma, point = "," in line, "." in line
        else:
            fields = self.layout.split(line)
            values = [fields[index] for index in self.layout.chosen if index < len(fields)]
            comma, point = any("," in value for value in values), any("." in value for value in values)
        self.comma_line = self.comma_line or comma * self.line
        self.point_line = self.point_line or point * self.line
        if self.comma_line and self.point_line:
            raise _Refused(
                f"{self.where()} mixes decimal marks: line {self.comma_line} has a comma and line {self.point_line} a "
                "point inside its numbers; write one mark, and no separators of thousands"
            )

    def where(self) -> str:
        return f"row {self.row} (line {self.line}) of {self.text.name}"

    def reason(self, not_finite: int | None = None) -> str:
        """Say what is wrong with the row that was read last; an empty string if these rules find nothing."""
        layout = self.layout
        content = tidy(self.content) if layout.separator != TAB else self.content
        fields = layout.split(content)
        if layout.trailing and len(fields) == layout.width + 1 and not fields[-1]:
            fields = fields[:-1]
        if len(fields) != layout.width:
            return f"{self.where()} has {len(fields)} values, the first row {layout.width}"
        for index in layout.chosen:
            value = fields[index]
            if not value or MISSING.fullmatch(value):
                written = f" ({value!r})" if value else ""
                return f"{self.where()} has no value in {layout.column(index)}{written}; fill it in or remove the row"
            if NOT_FINITE.fullmatch(value):
                return f"{self.where()} has {value!r} in {layout.column(index)}: NaN or infinite; remove the row"
            if not is_number(value, layout.separator):
                hint = ""
                if layout.separator in (COMMA, SPACE) and "," in value:
                    hint = "; a comma inside numbers is read where tabs or semicolons separate the columns"
                elif re.fullmatch(r"[+-]?\d{1,3}([.,' \u00a0\u202f]\d{3})+([.,]\d*)?", value):
                    hint = "; write it without separators of thousands"
                return f"{self.where()} is not a row of numbers: {value[:60]!r} in {layout.column(index)}{hint}"
        if not_finite is not None:
            index = layout.chosen[not_finite]
            return f"{self.where()} has {fields[index][:60]!r} in {layout.column(index)}, beyond the largest number"
        return ""

    def sentence(self, points: NDArray[np.float64]) -> str:
        """Say how the file was read."""
        layout = self.layout
        names, width = layout.names or [], layout.width
        parts = [f"{len(points)} row{'s' * (len(points) != 1)}"]
        shown = [names[i] if names and names[i] else str(i + 1) for i in layout.chosen]
        columns = ", ".join(shown) if len(shown) <= 6 else f"{shown[0]} to {shown[-1]}"
        if self.is_whole:
            parts.append(f"column{'s' * (width != 1)} {columns}")
        else:
            others = [names[i] or "one without a name" for i in range(width) if names and i not in layout.chosen]
            listed = f" (left out: {', '.join(others[:6])}{', …' * (len(others) > 6)})" if others else ""
            parts.append(f"columns {columns} of {width}{listed}")
        parts.append(f"separated by {SEPARATORS[layout.separator]}")
        if self.comma_line:
            parts.append("decimal comma")
        if layout.headers:
            parts.append(f"{layout.headers} header row{'s' * (layout.headers != 1)}")
        if self.text.encoding not in ("ascii", "utf-8"):
            parts.append({"utf-8-sig": "UTF-8 with a byte order mark"}.get(self.text.encoding, self.text.encoding))
        if max(points.max(), -points.min()) >= 2**53:
            parts.append("whole numbers beyond 2⁵³ rounded to the nearest double")
        return "; ".join(parts)


class _Refused(Exception):
    """A row that must not be read; not a ``ValueError``, so that it passes through ``loadtxt`` as it is."""
