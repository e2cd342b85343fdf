"""A visitor's matrix or edges: every way to read them, and everything that is refused before any work."""

import io

import numpy as np
import pytest

from workbench import fisher

TRIANGLE = fisher.graph_metric(fisher.GRAPHS["complete"](3), 0.5)


def stream(name, data):
    made = io.BytesIO(data if isinstance(data, bytes) else data.encode())
    made.name = name
    return made


def array(name, value, **named):
    out = io.BytesIO()
    np.savez(out, **named) if named else np.save(out, value)
    return stream(name, out.getvalue())


def csv(values):
    return "\n".join(",".join(f"{x!r}" for x in row) for row in np.asarray(values).tolist())


@pytest.mark.parametrize(
    "source",
    [
        lambda: array("F.npy", TRIANGLE),
        lambda: array("F.npz", None, F=TRIANGLE, other=np.ones(3)),
        lambda: stream("F.csv", csv(TRIANGLE)),
        lambda: stream("edges.csv", "0,1,0.5\n1,2,0.5\n2,0,0.5\n"),
        lambda: stream("edges.tsv", "source\ttarget\tJ\n7\t1\t0,5\n1\t-2\t0,5\n-2\t7\t0,5\n"),
        lambda: stream("edges.txt", "0 1\n1 2\n2 0\n"),
    ],
    ids=["npy", "npz", "csv", "edges", "decimal comma, odd numbers", "no couplings"],
)
def test_a_triangle_in_every_form(source):
    np.testing.assert_allclose(fisher.read_regulator(source()).metric(0.5), TRIANGLE, atol=1e-12)


def test_how_it_was_read_is_told():
    assert "a matrix of 3 parameters" in fisher.read_regulator(stream("F.csv", csv(TRIANGLE))).sentence
    told = fisher.read_regulator(stream("e.csv", "0,1\n1,2\n")).sentence
    assert "2 edges between 3 sites, no couplings given" in told


def test_a_table_that_could_be_both_is_settled_by_rule_or_by_name():
    both = "1,0\n0,2\n"
    assert fisher.read_regulator(stream("x.csv", both)).matrix is not None
    edges = fisher.read_regulator(stream("x.csv", both), kind="edges")
    assert edges.graph.edges == ((1, 0), (0, 2))
    assert fisher.read_regulator(stream("x.csv", "0,1\n1,2\n")).graph is not None


def test_what_a_stranger_sends_is_read_apart():
    found = fisher.read_regulator(array("F.npy", TRIANGLE), apart=True)
    np.testing.assert_allclose(found.metric(), TRIANGLE, rtol=1e-15)


BAD = {
    "F is singular": lambda: stream("F.csv", "1,1\n1,1\n"),
    "F has the negative eigenvalue": lambda: stream("F.csv", "1,2\n2,1\n"),
    "neither a symmetric square matrix nor edges": lambda: stream("F.csv", "1,2,3,4\n2,1,5,6\n"),
    "to itself": lambda: stream("e.csv", "0,1,1\n2,2,1\n"),
    "rows 1 and 3": lambda: stream("e.csv", "0,1,1\n1,2,1\n1,0,2\n"),
    "whole numbers": lambda: stream("e.csv", "0,1.5,1\n1,2,1\n"),
    "names 40 sites": lambda: stream("e.csv", "\n".join(f"{i},{i + 1}" for i in range(39))),
    "beyond ±5": lambda: stream("e.csv", "0,1,9\n1,2,1\n"),
    "shape": lambda: array("F.npy", np.ones((2, 2, 2))),
    "the formats are": lambda: stream("F.pkl", b"x"),
    "NaN": lambda: array("F.npy", np.array([[np.nan, 1.0], [1.0, 2.0]])),
    "name the one to take 'F'": lambda: array("F.npz", None, a=np.eye(2), b=np.eye(2)),
    "lists 200 edges": lambda: stream("e.csv", "\n".join(f"{i % 14},{20 + i},1" for i in range(200))),
}


@pytest.mark.parametrize(("words", "source"), BAD.items())
def test_what_is_neither_is_refused_in_words(words, source):
    with pytest.raises(ValueError, match=words):
        fisher.read_regulator(source())


def test_pickled_objects_are_never_read():
    out = io.BytesIO()
    np.save(out, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="never read"):
        fisher.read_regulator(stream("F.npy", out.getvalue()))


def test_a_header_that_promises_more_than_the_file_holds():
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": "<f8", "fortran_order": False, "shape": (100_000, 100_000)})
    with pytest.raises(ValueError, match="cut off"):
        fisher.read_regulator(stream("F.npy", out.getvalue() + b"\0" * 64))
