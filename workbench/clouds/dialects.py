"""What dialect a table is written in: its separator, its quotation marks, its headers, and the columns to take.

One separator holds for a whole file: tab or semicolon before comma, white space where there is none of them. Between
tabs and semicolons a comma inside a number is the decimal comma. A row is a header only if no field of it is a number.
A header that names x, y and z (or x and y) chooses these columns; the others are left out, and that is said.
"""

import csv
import re
from dataclasses import dataclass, field

from workbench.clouds.decoding import TextFile

LARGEST_DIM = 256
MOST_COLUMNS = 4096
SAMPLE = 50
MOST_HEADERS = 200
TAB, SEMICOLON, COMMA, SPACE = "\t", ";", ",", " "
SEPARATORS = {TAB: "tabs", SEMICOLON: "semicolons", COMMA: "commas", SPACE: "spaces"}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?", re.ASCII)
COMMA_NUMBER = re.compile(r"[+-]?(\d+,?\d*|,\d+)([eEdD][+-]?\d+)?", re.ASCII)
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity|1\.#\w+)(\([\w ]*\))?", re.I)
NUMERAL = re.compile(r"[+-]?[\d.,'_|\s]*\d[\d.,'_|\s]*([eEdD][+-]?\d+)?")
"""What somebody means as a number, though it may be none here: its row is no header, and is refused in words."""
AXIS = re.compile(r"[^\w]*([xyz])\s*([\[(/].*)?", re.I)
MISSING = re.compile(r"n/?a|null|none|nil|#n/a", re.I)
REMARK = re.compile(r"(?:^|(?<=\s))#(?!(N/A|REF!|DIV/0!|VALUE!|NUM!|NAME\?|NULL!))")
"""Where a comment begins; the words of spreadsheets for a missing or a wrong value begin none."""
ANNOUNCED = re.compile(r'"?sep=(.)"?', re.I)


@dataclass
class Layout:
    """How the rows of one file are to be read."""

    separator: str
    quote: str = '"'
    first_line: int = 1
    headers: int = 0
    width: int = 0
    names: list[str] | None = None
    chosen: list[int] = field(default_factory=list)
    trailing: bool = False
    promised: int | None = None
    """The number of points that the first line of an XYZ file gives."""

    def split(self, line: str) -> list[str]:
        """Return the fields of a line, without quotes and outer blanks."""
        if self.quote not in line:
            parts = line.split() if self.separator == SPACE else line.split(self.separator)
        elif self.separator == SPACE:
            found = re.finditer(rf"{self.quote}((?:[^{self.quote}]|{self.quote * 2})*){self.quote}|\S+", line)
            parts = [match[0] if match[1] is None else match[1].replace(self.quote * 2, self.quote) for match in found]
        else:
            try:
                rows = csv.reader([line], delimiter=self.separator, quotechar=self.quote, skipinitialspace=True)
                parts = next(rows)
            except csv.Error:
                parts = line.split(self.separator)
        return [part.strip() for part in parts]

    def column(self, index: int) -> str:
        """Name a column for a message: by its header, or by its number."""
        named = self.names[index] if self.names and index < len(self.names) else ""
        return f"column {named}" if named else f"column {index + 1}"


def is_number(text: str, separator: str) -> bool:
    """Tell whether a field is a number, or a word for one that is not finite, in a file with this separator.

    >>> is_number("1,5", ";"), is_number("1,5", ","), is_number("1.5D+01", ",")
    (True, False, True)
    """
    text = text.replace("−", "-")
    if NUMBER.fullmatch(text) or NOT_FINITE.fullmatch(text):
        return True
    return separator in (TAB, SEMICOLON) and COMMA_NUMBER.fullmatch(text) is not None


def _is_data(fields: list[str], headers: list[list[str]]) -> bool:
    """Tell whether a row is one of the table: a field is meant as a number, or all are missing under their names."""
    values = [value.replace("−", "-") for value in fields]
    if any(pattern.fullmatch(value) for value in values for pattern in (NUMERAL, NOT_FINITE, MISSING)):
        return True
    return not any(fields) and any(len(names) == len(fields) and any(names) for names in headers)


def uncommented(line: str, quote: str = '"') -> str:
    """Return a line up to a # at its start or after a blank that does not stand in quotes (a colour is #ff0000)."""
    if "#" not in line or (match := REMARK.search(line)) is None:
        return line
    if quote not in line:
        return line[: match.start()]
    for match in REMARK.finditer(line):
        if line.count(quote, 0, match.start()) % 2 == 0:
            return line[: match.start()]
    return line


def layout_of(text: TextFile, xyz: bool) -> Layout:
    """Return how the rows of a file are to be read; ``ValueError`` for one that holds no rows of numbers.

    >>> from workbench.clouds.decoding import open_text
    >>> found = layout_of(open_text(b"id;x;y\\n7;1,5;2\\n", "a.csv"), xyz=False)
    >>> found.separator, found.names, found.chosen
    (';', ['id', 'x', 'y'], [1, 2])
    """
    sample: list[str] = []
    for _, line in text.lines():
        announced = ANNOUNCED.fullmatch(line.strip())
        if announced and announced[1] in SEPARATORS and not sample:
            return _columns(text, Layout(announced[1], _quote([line])), xyz)
        if not _is_remark(line):
            sample.append(line[:65536])
        if len(sample) == SAMPLE:
            break
    quote = _quote(sample)
    scores = dict.fromkeys(SEPARATORS, 0)
    for separator in SEPARATORS:
        layout = Layout(separator, quote)
        for line in sample:
            fields = layout.split(tidy(uncommented(line, quote)))
            numbers = sum(is_number(value, separator) for value in fields)
            # Labels such as "sample 12" hold numbers between blanks: blanks separate where they leave only numbers.
            if len(fields) > 1 and not (separator == SPACE and numbers < len(fields)):
                scores[separator] += numbers
    best = max(scores, key=lambda separator: scores[separator])
    return _columns(text, Layout(best if scores[best] else SPACE, quote), xyz)


def _quote(sample: list[str]) -> str:
    joined = "\n".join(sample)
    single = re.search(r"(^|[,;\t ])'[^'\n]*'($|[,;\t ])", joined, re.M)
    return "'" if single and '"' not in joined else '"'


def _is_remark(line: str) -> bool:
    """Tell whether a line before the first row says nothing of numbers: blank, or a comment of some language."""
    stripped = line.strip()
    return not stripped or REMARK.match(stripped) is not None or stripped.startswith(("%", "//"))


def tidy(line: str) -> str:
    """Drop the blanks, tabs too, that follow a comma or semicolon: they separate nothing further."""
    return re.sub(r"([,;])[ \t]+(?=[^\s,;])", r"\1", line) if "\t" in line else line


def _columns(text: TextFile, layout: Layout, xyz: bool) -> Layout:
    """Find the header rows, the first row of numbers and the columns to take."""
    headers: list[str] = []
    remark = ""
    lines = text.lines()
    first = None
    for number, line in lines:
        if _is_remark(line):
            remark = line.strip() or remark
            continue
        if ANNOUNCED.fullmatch(line.strip()) and not headers:
            continue
        content = tidy(uncommented(line, layout.quote))
        fields = layout.split(content)
        if xyz and layout.promised is None and len(fields) == 1 and fields[0].isascii() and fields[0].isdigit():
            layout.promised = int(fields[0])
            ahead = [(number, line) for (number, line), _ in zip(lines, range(2), strict=False)]
            if len(ahead) == 2 and _is_atom(ahead[1][1].split()):
                (_, _), (number, line) = ahead
                fields = line.split()
                layout.separator, layout.names = SPACE, ["symbol", "x", "y", "z", *[""] * (len(fields) - 4)]
            elif ahead:
                number, line = ahead[0]
                fields = layout.split(tidy(line))
        if _is_data(fields, [layout.split(header) for header in headers[-3:]]):
            first, row = number, fields
            trailing = not row[-1] and len(row) > 1 and any(row)
            is_quoted = line.lstrip().startswith(layout.quote)
            break
        headers.append(content)
        if len(headers) > MOST_HEADERS:
            raise ValueError(f"{text.name} has no row of numbers among its first {MOST_HEADERS} lines of text")
    if first is None:
        raise ValueError(f"{text.name} holds no rows of numbers")
    if len(row) > MOST_COLUMNS:
        raise ValueError(f"{text.name} has {len(row)} columns; a table may have up to {MOST_COLUMNS}")
    layout.first_line, layout.headers = first, len(headers)
    _name_columns(text, layout, headers, remark, row, trailing, is_quoted)
    layout.chosen = _choose(text, layout, xyz)
    return layout


def _is_atom(fields: list[str]) -> bool:
    """Tell whether a row is one of a chemical XYZ file: a symbol, three numbers, perhaps more."""
    return len(fields) >= 4 and fields[0][:1].isalpha() and all(NUMBER.fullmatch(value) for value in fields[1:4])


def _name_columns(
    text: TextFile, layout: Layout, headers: list[str], remark: str, row: list[str], trailing: bool, is_quoted: bool
) -> None:
    """Find the names over the columns, and whether every row ends with a separator that begins no column."""
    layout.width = len(row)
    if layout.names is not None:
        return
    rows = [layout.split(line) for line in reversed(headers)]
    # Prose may have as many words as the table has columns: elsewhere only x and y make words names.
    spaced = [re.split(r"[\s,;]+", line.strip()) for line in headers]
    remarked = [remark.lstrip("#%/ \t")]
    rows += [names for names in [*spaced, *map(layout.split, remarked), *map(str.split, remarked)] if _axes(names)]
    fitting = [names for names in rows if len(names) == layout.width]
    placed = [names for names in fitting if _axes(names)] or fitting
    if trailing and (not placed or (not placed[0][-1] and _axes(placed[0]))):
        shorter = [names for names in rows if len(names) == layout.width - 1]
        if not placed or placed[0][-1] == "":
            layout.trailing, layout.width = True, layout.width - 1
            placed = [placed[0][:-1]] if placed else [names for names in shorter if _axes(names)] or shorter
    layout.names = placed[0] if placed else None
    if layout.names is None:
        for names in (layout.split(line) for line in reversed(headers)):
            if _axes(names):
                _fit_row_names(text, layout, names, is_quoted or not NUMERAL.fullmatch(row[0]))
                break


def _fit_row_names(text: TextFile, layout: Layout, names: list[str], begins_with_text: bool) -> None:
    """Take a first column without a name as the names of the rows, as R writes them; refuse any other misfit."""
    if layout.width == len(names) + 1 and begins_with_text:
        layout.names = ["", *names]
        return
    raise ValueError(
        f"the header of {text.name} has {len(names)} names ({', '.join(names)[:60]}) and row 1 (line "
        f"{layout.first_line}) has {layout.width} values; give every column a name"
    )


def _axes(names: list[str]) -> list[int]:
    """Return the places of x, y and z, or of x and y, among the names; nothing if they are not there."""
    found: dict[str, int] = {}
    for index, name in enumerate(names):
        match = AXIS.fullmatch(name)
        if match:
            found.setdefault(match[1].lower(), index)
    return [found[axis] for axis in "xyz" if axis in found] if {"x", "y"} <= set(found) else []


def _choose(text: TextFile, layout: Layout, xyz: bool) -> list[int]:
    names = layout.names or []
    chosen = _axes(names)
    for axis in "xyz":
        twice = [name for name in names if (match := AXIS.fullmatch(name)) and match[1].lower() == axis]
        if chosen and len(twice) > 1:
            raise ValueError(f"the header of {text.name} names {axis} {len(twice)} times ({', '.join(twice)})")
    if xyz and len(chosen) != 3:
        if layout.width < 3:
            raise ValueError(
                f"{text.name} has {layout.width} columns; an XYZ file needs three (use .csv for other clouds)"
            )
        return [0, 1, 2]
    if not chosen:
        chosen = [index for index in range(layout.width) if not (names and names[index] == "" and any(names))]
    if len(chosen) > LARGEST_DIM:
        raise ValueError(f"{text.name} has {len(chosen)} columns; a cloud may have up to {LARGEST_DIM} coordinates")
    return chosen
