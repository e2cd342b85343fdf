"""Own files: dialects of CSV, roles of columns, and refusals with their row."""

import importlib
import importlib.util
import io

import numpy as np
import pytest

from workbench import metrics


def read(text, name="mine.csv", **options):
    stream = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    stream.name = name
    return metrics.read_rankings(stream, **options)


def test_columns_by_their_roles():
    found = read(
        "# made by hand\nid,Y,model a,model b,Group,weight\nr1,1,0.9,3,u,1\nr2,0,.2,1e-3,v,2.5\nr3,1,-1,2,u,1\n"
    )
    assert found.positive.tolist() == [True, False, True]
    assert list(found.scores) == ["model a", "model b"]
    assert found.scores["model b"].tolist() == [3.0, 0.001, 2.0]
    assert found.group.tolist() == ["u", "v", "u"]
    assert found.weights.tolist() == [1.0, 2.5, 1.0]
    assert found.sentence == (
        "3 items, 2 positive; scores: model a, model b; groups; weights; left out: id; separated by commas"
    )
    assert found.sample("model b").positives == 2


@pytest.mark.parametrize(
    "text",
    ["label;s\n1;0,5\n0;0,25\n", "label\ts\n1\t0,5\n0\t2,5e-1\n", "s,label\n0.5,1.0\n0.25,0.0\n",
     '"s","label"\n"0.5","True"\n"0.25","False"\n', "label ; s\n\n1 ; 0,5\n0 ; 0,25\n"],
)  # fmt: skip
def test_dialects_mean_the_same(text):
    for data in (
        text.encode(),
        text.encode("utf-16"),
        b"\xef\xbb\xbf" + text.encode(),
        text.replace("\n", "\r").encode(),
    ):
        found = read(data)
        assert found.scores["s"].tolist() == [0.5, 0.25]
        assert found.positive.tolist() == [True, False]


def test_labels_in_words_are_asked_for():
    text = "target,s\nsick,0.9\nwell,0.1\n"
    with pytest.raises(ValueError, match="labels sick and well; say which is positive"):
        read(text)
    assert read(text, positive="sick").positive.tolist() == [True, False]
    assert read("y,s\n2,0.9\n1,0.1\n", positive="1").positive.tolist() == [False, True]
    with pytest.raises(ValueError, match="none of the labels"):
        read(text, positive="ill")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("label,s\n", "no rows under them"),
        ("1,0.5\n0,0.25\n", "begins with numbers"),
        ("a,b\n1,0.5\n0,0.2\n", "name the one that says which items are positive"),
        ("label,y,s\n1,1,0.5\n0,0,0.2\n", "only one of them"),
        ("label,s,s\n1,1,0.5\n0,0,0.2\n", "two columns named 's'"),
        ("label,s\n1,0.5\n0\n", "line 3 of mine.csv has 1 values"),
        ("label,s\n1,0.5\n0,\n", "line 3 of mine.csv has no value in the column s"),
        ("label,s\n1,0.5\n0,nan\n", "row 2 of mine.csv"),
        ("label,s\n1,0.5\n0,-inf\n", "finite"),
        ("label,s\n1,0.5\n1,0.7\n", "all 2 labels are positive"),
        ("label,s\n1,0.5\n2,0.7\n3,1\n", "3 different labels"),
        ("label,s\nx,0.5\nx,0.7\n", "all labels of mine.csv are x"),
        ("label,name\n1,a\n0,b\n", "no column of numbers"),
        ("label,s,weight\n1,0.5,0\n0,0.2,1\n", "weights are above 0"),
        ("label,s,weight\n1,0.5,x\n0,0.2,y\n", "holds text"),
        ('label,s\n1,"0.5\n0,0.2\n', "does not close"),
        ("label,,s\n1,2,0.5\n", "column 2 of mine.csv has no usable name"),
        ("label\n1\n0\n", "one column"),
        ("label;s\n1;0,5\n0;0.2\n", "mixes decimal marks"),
        ("label;s\n1;1.234,5\n0;2\n", "no column of numbers"),
        ("label,s\n1,0.5\n0,1e999\n", "finite"),
        ("label,s\n1,0.5\n0,--1\n", "no column of numbers"),
        ("label,s\n1,0.5\n0," + "1" * 100 + "\n", "100 letters"),
        ("label,s\n1,1_000\n0,2\n", "no column of numbers"),
        ("label,s\n" + "1,0.5\n0,0.2\n" * 10_000 + "1,oops\n", "row 20001"),
        (b"label,s\n1,\x00\n", "binary"),
    ],
)
def test_refused_with_the_place(text, words):
    with pytest.raises(ValueError, match=words):
        read(text)


def test_other_formats_and_large_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="the formats are csv"):
        read("label,s\n1,2\n", "scores.xlsx")
    with pytest.raises(ValueError, match="more than 0 MiB"):
        read("label,s\n" + "1,0.5\n" * 100, max_bytes=100)
    with pytest.raises(FileNotFoundError, match="no file"):
        metrics.read_rankings(tmp_path / "none.csv")
    with pytest.raises(TypeError, match="binary mode"):
        metrics.read_rankings(io.StringIO("label,s\n"))


def test_many_rows_are_read_in_pieces(tmp_path):
    rng = np.random.default_rng(0)
    scores, y = rng.normal(size=45_000), rng.random(45_000) < 0.1
    path = tmp_path / "many.csv"
    path.write_text("label,s\n" + "".join(f"{int(a)},{b!r}\n" for a, b in zip(y, scores.tolist(), strict=True)))
    found = metrics.read_rankings(path)
    np.testing.assert_array_equal(found.scores["s"], scores)
    np.testing.assert_array_equal(found.positive, y)


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is not None, reason="pyarrow is installed")
def test_parquet_without_its_package_is_refused_in_words():
    with pytest.raises(ValueError, match="needs the package pyarrow"):
        read(b"PAR1", "scores.parquet")


class TestParquet:
    """Where pyarrow is installed."""

    @pytest.fixture
    def arrow(self):
        return pytest.importorskip("pyarrow", reason="Parquet needs pyarrow, which is none of our dependencies")

    def parquet(self, arrow, **columns):
        parquet = importlib.import_module("pyarrow.parquet")
        stream = io.BytesIO()
        parquet.write_table(arrow.table(columns), stream)
        return stream.getvalue()

    def test_columns_keep_their_types(self, arrow):
        data = self.parquet(arrow, label=[True, False], s=arrow.array([0.1, 0.2], arrow.float32()), group=["u", "v"])
        found = read(data, "scores.parquet")
        assert found.scores["s"].dtype == np.float32
        assert found.group.tolist() == ["u", "v"]
        assert found.positive.tolist() == [True, False]

    def test_missing_values_and_broken_files_are_refused(self, arrow):
        with pytest.raises(ValueError, match=r"row 2 of scores\.parquet has no value in the column s"):
            read(self.parquet(arrow, label=[1, 0], s=[0.5, None]), "scores.parquet")
        with pytest.raises(ValueError, match="cannot be read as Parquet"):
            read(b"PAR1 no", "scores.parquet")
