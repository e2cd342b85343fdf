"""Labelled features from files: what is read, what is said, what is refused."""

import io

import numpy as np
import pytest

from workbench import metrics


def stream(data, name):
    found = io.BytesIO(data)
    found.name = name
    return found


def archive(**arrays):
    found = io.BytesIO()
    np.savez(found, **arrays)
    return found.getvalue()


def array(value):
    found = io.BytesIO()
    np.save(found, value)
    return found.getvalue()


X = np.arange(12.0).reshape(6, 2) ** 2
Y = np.array([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize("apart", [False, True])
def test_a_table_an_archive_and_an_array_say_the_same(apart):
    rows = b"u;kind;v\n" + b"".join(b"%g;c%d;%g\n" % (u, y, v) for (u, v), y in zip(X, Y, strict=True))
    for data, name, told in (
        (rows, "a.csv", "6 items of 2 features; 3 classes in the column kind; separated by semicolons"),
        (archive(features=X, labels=Y, other=X), "a.npz", "3 classes in the array labels; left out: other"),
        (array(np.column_stack([X, Y])), "a.npy", "3 classes in the last column"),
    ):
        found = metrics.read_embeddings(stream(data, name), apart=apart)
        np.testing.assert_array_equal(found.features, X)
        assert [one.removeprefix("c") for one in found.labels.tolist()] == [str(y) for y in Y]
        assert told in found.sentence


def test_a_column_can_be_named_and_many_are_read():
    rows = b"a,b,c\nx,p,1\ny,q,2\nx,q,3\n"
    with pytest.raises(ValueError, match=r"several columns that may hold the classes \(a, b\)"):
        metrics.read_embeddings(stream(rows, "a.csv"))
    found = metrics.read_embeddings(stream(rows, "a.csv"), column="b")
    assert found.labels.tolist() == ["p", "q", "q"]
    assert "left out: a" in found.sentence
    names = ["label", *(f"f{k}" for k in range(512))]
    wide = "\n".join([",".join(names), *(",".join(map(str, [k % 2, *range(512)])) for k in range(4))])
    assert metrics.read_embeddings(stream(wide.encode(), "wide.csv")).features.shape == (4, 512)


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "a.csv", "is empty"),
        (b"a,b\n1,2\n", "a.xls", "the formats are"),
        (b"a,b\n1,2\n3,4\n", "a.csv", "no column that names the classes"),
        (b"label,b\n1,x\n2,y\n", "a.csv", "no column of numbers"),
        (b"label,b\n1,2\n1,3\n", "a.csv", "a.csv: all 2 items are of class 1"),
        (b"label,b\n1,\n2,3\n", "a.csv", "line 2 of a.csv has no value"),
        (archive(points=X), "a.npz", "name the labels"),
        (archive(vectors=X, labels=Y), "a.npz", "name the features"),
        (archive(features=X, labels=np.eye(6)), "a.npz", r"labels \(6, 6\)"),
        (archive(features=X, labels=np.array(list("abcabc"))), "a.npz", "not numbers"),
        (archive(features=X[:5], labels=Y), "a.npz", "5 rows and labels has 6"),
        (array(X + 0.5), "a.npy", "holds fractions"),
        (array(np.arange(4)), "a.npy", "features, and the class as last column"),
        (array(np.array([{}, {}])), "a.npy", "pickled objects are never read"),
        (b"\x93NUMPY broken", "a.npy", "not a NumPy file"),
    ],
)
def test_refusals(data, name, words):
    with pytest.raises(ValueError, match=words):
        metrics.read_embeddings(stream(data, name))
