"""Tables in every dialect are read back exactly, or refused for the right reason with the right row."""

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.clouds import read_cloud
from workbench.clouds.decoding import open_text
from workbench.clouds.tables import read_table

FILES = Path(__file__).parents[1] / "data" / "files"


def table(text, *, xyz=False):
    data = text if isinstance(text, bytes) else text.encode()
    points, sentence = read_table(data, "t.csv", xyz=xyz)
    return points.tolist(), sentence


def test_the_files_that_were_misread():
    comma = read_cloud(FILES / "dc.csv")
    np.testing.assert_array_equal(
        comma.points, [[1.5, -2.25, 3], [4, 5.5, -6.125], [7.75, 8, 9.5], [0.5, 0.25, 0.125], [-1, -2, -3.5]]
    )
    assert comma.sentence == "5 rows; columns x, y, z; separated by semicolons; decimal comma; 1 header row"
    with pytest.raises(ValueError, match=r"row 2 \(line 3\) of ef\.csv has no value in column z"):
        read_cloud(FILES / "ef.csv")
    fortran = read_cloud(FILES / "fortran.csv")
    np.testing.assert_array_equal(fortran.points, [[1.5, 2, 3], [0.1, 0.2, 0.3], [4, 5, 6]])


@pytest.mark.parametrize(
    ("text", "points", "said"),
    [
        ("1,2,3", [[1, 2, 3]], "columns 1, 2, 3; separated by commas"),
        ("1,2,\n3,4,\n", [[1, 2], [3, 4]], "columns 1, 2;"),
        ("x,y,z,\n1,2,3,\n", [[1, 2, 3]], "columns x, y, z;"),
        ("x,y,z\n1,2,3,\n4,5,6,\n", [[1, 2, 3], [4, 5, 6]], "columns x, y, z;"),
        (",x,y,z\n0,1.5,2,3\n", [[1.5, 2, 3]], "of 4 (left out: one without a name)"),
        ("id,Z,label,X,Y\n1,2,a,3,4\n", [[3, 4, 2]], "columns X, Y, Z of 5 (left out: id, label)"),
        ("X [m];Y [m];Z [m];t\n1,5;2;3;9", [[1.5, 2, 3]], "left out: t"),
        ("a,b\n1,2\n", [[1, 2]], "columns a, b;"),
        (",a,b\n0,1,2\n", [[1, 2]], "columns a, b of 3 (left out: one without a name)"),
        ("sep=;\nx;y\n1,5;2\n", [[1.5, 2]], "separated by semicolons; decimal comma"),
        ('"x" "y" "z"\n"1" 0.1 0.2 0.3\n"2" 1 2 3\n', [[0.1, 0.2, 0.3], [1, 2, 3]], "of 4"),
        ("//X Y Z R\n1 2 3 4\n", [[1, 2, 3]], "columns X, Y, Z of 4 (left out: R); separated by spaces"),
        ("# z,y,x,w\n1,2,3,4\n", [[3, 2, 1]], "left out: w"),
        ("# made by me, 3 May\n1,2\n", [[1, 2]], "columns 1, 2"),
        ("x,y,z\n[m],[m],[m]\n1,2,3\n", [[1, 2, 3]], "2 header rows"),
        ("Scan\nof; a thing\n1;2,5\n3;4\n", [[1, 2.5], [3, 4]], "2 header rows"),
        ("1,\t2,\t3\n", [[1, 2, 3]], "separated by commas"),
        (",5\t,25\t-,125\n", [[0.5, 0.25, -0.125]], "separated by tabs; decimal comma"),
        ("0.1 0.2\t0.3\n1\t2 3\n", [[0.1, 0.2, 0.3], [1, 2, 3]], "separated by spaces"),
        ("x,y,label\n1,2,dog\n3,4,cat # c\n", [[1, 2], [3, 4]], "columns x, y of 3 (left out: label)"),
        ('x,y,label\n1,2,"a,b"\n3,4,"c""d"\n', [[1, 2], [3, 4]], "left out: label"),
        ("x;y;file\n1,5;2;a.b\n", [[1.5, 2]], "decimal comma"),
        ("x;y;file\n1.5;2;a,b\n", [[1.5, 2]], "separated by semicolons; 1 header row"),
        ("x\ty\tname\n1\t2\tsample 3\n", [[1, 2]], "separated by tabs"),
        ('1, "2" ,3\n', [[1, 2, 3]], "columns 1, 2, 3"),
        ("'1','2'\n'3','4'\n", [[1, 2], [3, 4]], "columns 1, 2"),
        ("5\n6\n", [[5], [6]], "2 rows; column 1"),
        ("1,2\r3,4\r5,6", [[1, 2], [3, 4], [5, 6]], "3 rows"),
        ("1e2,1E-2,1d1,1D+0", [[100, 0.01, 10, 1]], "1 row"),
        ("+1.,-.5", [[1, -0.5]], "1 row"),
        ("x;y\n−1,5;2\n", [[-1.5, 2]], "decimal comma"),
        ("9007199254740993,1", [[9007199254740992, 1]], "beyond 2⁵³ rounded"),
        (",,\n1,2,3", [[1, 2, 3]], "1 header row"),
        ("x;y;Größe\n1;2;3\n".encode("cp1252"), [[1, 2]], "(left out: Größe)"),
        ("x;y;Größe\n1;2;3\n".encode("utf-16"), [[1, 2]], "utf-16"),
    ],
)
def test_dialects(text, points, said):
    found, sentence = table(text)
    assert found == points
    assert said in sentence


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y,z\n1,2,3\n4,5\n", r"row 2 \(line 3\) of t\.csv has 2 values, the first row 3"),
        ("x,y,z\n\n1,2,3\n4,5,6,7\n", r"row 2 \(line 4\) of t\.csv has 4 values, the first row 3"),
        ("x\ty\tz\n1\t\t3\n", r"row 1 \(line 2\) .* no value in column y"),
        ("1,2\n,\n", r"row 2 \(line 2\) .* no value in column 1"),
        ("x,y\n,\n1,2\n", r"row 1 \(line 2\) .* no value in column x"),
        ("1,2,\n3,4,5\n", r"row 2 \(line 2\) of t\.csv has 3 values, the first row 2"),
        ("x,y,z\n1,2,\n", "row 1 .* no value in column z"),
        ("1,2\nnan,3", "row 2 .* 'nan' in column 1: NaN or infinite"),
        ("nan,nan\n1,2", "row 1 .* NaN or infinite"),
        ("1,2\n-Infinity,3", "row 2 .* NaN or infinite"),
        ("1,2\n1.#QNAN,3", "row 2 .* NaN or infinite"),
        ("1,2\n1e400,3", "row 2 .* beyond the largest number"),
        ("1;2\n1.000,5;3", "row 2 .* mixes decimal marks: line 2 has a comma and line 2 a point"),
        ("1,5;2\n1.5;3", "row 2 .* mixes decimal marks: line 1 has a comma and line 2 a point"),
        ("1,000,000;2;3;4", "row 1 .* not a row of numbers: '1,000,000' .* separators of thousands"),
        ("1 000;2\n3;4", "row 1 .* '1 000' in column 1; write it without separators of thousands"),
        ('"1,5","2,5"', "row 1 .* a comma inside numbers is read where tabs or semicolons"),
        ("1,5 2,5\n3,5 4,5\n", "row 1 .* not a row of numbers: '5 2'"),
        ("1_000,2\n3,4\n", "row 1 .* '1_000'"),
        ("1|2\n3,4\n", "row 1 .* '1[|]2'"),
        ("x,y\nNA,NA\n1,2\n", r"row 1 \(line 2\) .* no value in column x \('NA'\)"),
        ("x,y\n1,2\n#N/A,3\n", r"row 2 \(line 3\) .* no value in column x \('#N/A'\)"),
        ("x,y\n1, #DIV/0!\n", "row 1 .* not a row of numbers: '#DIV/0!'"),
        ("$1.5,2\n", "row 1 .* '[$]1.5'"),
        ("0x10,2\n3,4\n", "row 1 .* '0x10'"),
        ("1,2,dog\n3,4,cat\n", "row 1 .* not a row of numbers: 'dog' in column 3"),
        ("a,b\n1,2\n3,x\n", "row 2 .* 'x' in column b"),
        ("x,y\n1,2\nx,y\n3,4\n", r"row 2 \(line 3\) .* not a row of numbers: 'x'"),
        ("x,y,z\n1,2,3,4\n", r"has 3 names \(x, y, z\) and row 1 \(line 2\) has 4 values"),
        ("x,y,x\n1,2,3\n", "names x 2 times"),
        ('x,y,s\n1,2,"a\nb"\n', "row 1 .* opens a quotation"),
        ("hello\nworld\n", "holds no rows of numbers"),
        ("# only a comment", "holds no rows of numbers"),
        ("١,٢\n1,2\n", "row 1 .* not a row of numbers: '١'"),
        (b"\xff\xfe\x31", "not readable text"),
        (b"1,2\x81\n", "not readable text"),
        (b"1,2\n\0\1\2", "binary data"),
        ("1 " * 300, "300 columns"),
        ("1," * 5000, "up to 4096"),
        ("1," * 2**20, "more than 1 MiB"),
    ],
)
def test_refusals_name_the_row_and_the_reason(text, message):
    with pytest.raises(ValueError, match=message):
        table(text)


def test_xyz_files():
    chemical = "3\ncomment 1 2\nC 0 0 0\nH 1 2 3\nH 4 5 6\n"
    assert table(chemical, xyz=True)[0] == [[0, 0, 0], [1, 2, 3], [4, 5, 6]]
    assert table(chemical.replace("comment 1 2", ""), xyz=True)[0] == [[0, 0, 0], [1, 2, 3], [4, 5, 6]]
    assert table("2\n1 2 3\n4 5 6\n", xyz=True)[0] == [[1, 2, 3], [4, 5, 6]]
    assert table("1 2 3 4\n5 6 7 8", xyz=True) == (
        [[1, 2, 3], [5, 6, 7]],
        "2 rows; columns 1, 2, 3 of 4; separated by spaces",
    )
    assert table("r g b x y z\n1 2 3 4 5 6", xyz=True)[0] == [[4, 5, 6]]
    with pytest.raises(ValueError, match="announces 2 points and holds 1"):
        table("2\n1 2 3\n", xyz=True)
    with pytest.raises(ValueError, match=r"frames|values, the first row"):
        table("1\na\nC 0 0 0\n1\nb\nC 1 1 1\n", xyz=True)
    with pytest.raises(ValueError, match="needs three"):
        table("1 2\n", xyz=True)


def test_a_line_is_bounded_in_every_encoding():
    deceit = ("\u0a0a," * 600_000).encode("utf-16-le")  # its bytes look like ends of lines
    with pytest.raises(ValueError, match="more than 1 MiB"):
        list(open_text(b"\xff\xfe" + deceit, "a.csv").lines())


# ---- every dialect --------------------------------------------------------------------------------------------------

NAMES = ("label", "intensity", "Größe", "time [s]", "quality")


@dataclass(frozen=True)
class Dialect:
    """How a table is written."""

    separator: str
    mark: str
    exponent: str
    quote: str
    newline: str
    encoding: str
    axes: tuple[str, ...] | None
    others: tuple[str, ...]
    titles: int
    comment: bool
    trailing: bool
    blank: bool
    final: bool


@st.composite
def dialects(draw):
    separator = draw(st.sampled_from(["\t", ";", ",", " ", "  ", ", ", "; "]))
    can_comma = separator.strip(" ") in (";", "\t")
    axes = draw(st.sampled_from([None, ("x", "y", "z"), ("Z", "X", "Y"), ("y", "x"), ("X [m]", "Y [m]", "z(m)")]))
    others = tuple(draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3))) if axes else ()
    if separator.strip(" ") == "":
        others = tuple(name for name in others if " " not in name)
        axes = tuple(name.replace(" ", "") for name in axes) if axes else None
    return Dialect(
        separator,
        draw(st.sampled_from([".", ","])) if can_comma else ".",
        draw(st.sampled_from("eEdD")),
        draw(st.sampled_from(["", "names", "all"])),
        draw(st.sampled_from(["\n", "\r\n", "\r"])),
        draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-32"])),
        axes,
        others,
        draw(st.integers(0, 3)),
        draw(st.booleans()),
        draw(st.booleans()) and separator.strip(" ") != "",
        draw(st.booleans()),
        draw(st.booleans()),
    )


NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**6), 10**6).map(float)


def written(number, dialect):
    text = repr(number) if not float(number).is_integer() or abs(number) > 1e15 else str(int(number))
    return text.replace("e", dialect.exponent).replace(".", dialect.mark)


def place_columns(dialect, width):
    """Return the header's names, and for each of them the coordinate that it is, or None for another column."""
    if dialect.axes is None:
        return None, list(range(width))
    names, places = [], []
    for index, axis in enumerate(dialect.axes):
        names.append(axis)
        places.append(sorted(a.lower()[0] for a in dialect.axes).index(axis.lower()[0]))
        if index < len(dialect.others):
            names.append(dialect.others[index])
            places.append(None)
    return names, places


def lines_of(rows, dialect, labels):
    names, places = place_columns(dialect, len(rows[0]))

    def line(fields, quoted):
        fields = [f'"{field}"' if quoted and field else field for field in fields]
        return dialect.separator.join(fields) + dialect.separator.rstrip(" ") * dialect.trailing

    found = ["A title of the thing"] * dialect.titles
    found += ["# written by a program"] * dialect.comment
    if names:
        found.append(line(names, bool(dialect.quote)))
    first = len(found) + 1
    for row, label in zip(rows, labels, strict=True):
        fields = [label if place is None else row[place] for place in places]
        found.append(line(fields, dialect.quote == "all"))
    if dialect.blank:
        found.append("")
    text = dialect.newline.join(found) + dialect.newline * dialect.final
    return text.encode(dialect.encoding), first


@st.composite
def tables(draw):
    dialect = draw(dialects())
    width = len(dialect.axes) if dialect.axes else draw(st.integers(2, 5))
    rows = draw(st.lists(st.lists(NUMBERS, min_size=width, max_size=width), min_size=1, max_size=6))
    labels = draw(st.lists(st.sampled_from(["dog", "a-b", "7", "Ä"]), min_size=len(rows), max_size=len(rows)))
    return dialect, rows, labels


@settings(max_examples=400, deadline=None)
@given(tables())
def test_every_dialect_is_read_back_exactly(given_table):
    dialect, rows, labels = given_table
    data, _ = lines_of([[written(value, dialect) for value in row] for row in rows], dialect, labels)
    points, sentence = read_table(data, "t.csv")
    np.testing.assert_array_equal(points, rows)
    assert sentence.startswith(f"{len(rows)} row")
    assert ("decimal comma" in sentence) == (b"," in data and dialect.mark == "," and "," in "".join(
        written(value, dialect) for row in rows for value in row
    ))  # fmt: skip
    assert ("left out" in sentence) == bool(len(place_columns(dialect, len(rows[0]))[1]) > len(rows[0]))


FAULTS = {
    "missing": ("", "no value in"),
    "nan": ("nan", "NaN or infinite"),
    "inf": ("-Inf", "NaN or infinite"),
    "text": ("dog", "not a row of numbers: 'dog'"),
    "thousands": ("1'234", "not a row of numbers|values, the first row"),
    "huge": ("1e999", "beyond the largest"),
    "long": (None, "values, the first row"),
    "short": (None, "values, the first row"),
}


@settings(max_examples=400, deadline=None)
@given(tables(), st.sampled_from(sorted(FAULTS)), st.data())
def test_every_fault_is_refused_with_its_row(given_table, fault, data):
    dialect, rows, labels = given_table
    value, message = FAULTS[fault]
    if not dialect.separator.strip(" ") and fault == "missing":
        message = "values, the first row"
    dialect = Dialect(**{**dialect.__dict__, "trailing": False})
    texts = [[written(value, dialect) for value in row] for row in rows]
    width = len(texts[0])
    texts.insert(0, ["1"] * width)  # the first row says how wide the table is
    labels = ["dog", *labels]
    row = data.draw(st.integers(1, len(texts) - 1))
    if fault in ("long", "short"):
        if dialect.axes is not None:
            dialect = Dialect(**{**dialect.__dict__, "axes": None, "others": ()})
        texts[row] = [*texts[row], "1"] if fault == "long" else texts[row][:-1]
        lines = [len(text) for text in texts]
        assert len(set(lines)) == 2
        raw = dialect.newline.join(dialect.separator.join(text) for text in texts).encode(dialect.encoding)
        first = 1
        if len(texts[row]) == 1 and not dialect.separator.strip(" "):
            message = "values, the first row"
    else:
        texts[row][data.draw(st.integers(0, width - 1))] = value
        raw, first = lines_of(texts, dialect, labels)
    with pytest.raises(ValueError) as caught:
        read_table(raw, "t.csv")
    assert re.search(message, str(caught.value)), str(caught.value)
    assert f"row {row + 1} (line {first + row}) of t.csv" in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text("0123456789.,;\t \n\"'#eD+-xyzna", max_size=80).map(str.encode), st.booleans())
def test_whatever_comes_is_read_or_refused_in_words(data, xyz):
    with contextlib.suppress(ValueError):
        points, _ = read_table(data, "t.csv", xyz=xyz)
        assert points.ndim == 2
        assert points.size
        assert np.isfinite(points).all()
