"""Text to values: what each annotation takes, and that nothing is ever evaluated."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from workbench.cli import arguments

Seed = int | np.random.Generator


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ("64", int, 64),
        ("64.0", int, 64),
        ("1e3", int, 1000),
        ("7", float, 7.0),
        (".5", float, 0.5),
        ("true", bool, True),
        ("No", bool, False),
        ("design", str, "design"),
        ("64", str, "64"),
        ("[1]", str, "[1]"),
        ("true", str, "true"),
        ("b", Literal["a", "b"], "b"),
        ("2", Literal[1, 2], 2),
        ("none", float | None, None),
        ("0.5", float | None, 0.5),
        ("none", str | None, None),
        ("3", int | str, 3),
        ("auto", int | str, "auto"),
        ("3", Seed, 3),
        ("[6, 7]", Sequence[int], [6, 7]),
        ("[6, 7]", tuple[int, ...], (6, 7)),
        ("[6, 7]", list[float], [6.0, 7.0]),
        ('["a"]', Sequence[str], ["a"]),
        ('{"a": 1}', dict[str, float], {"a": 1}),
        ('{"a": 1}', Mapping[str, Any], {"a": 1}),
        ("data/x.csv", Path, Path("data/x.csv")),
        ("[1, 2]", Any, [1, 2]),
        ("words", Any, "words"),
        ("none", ArrayLike | None, None),
        ("torus", ArrayLike, "torus"),
        ("text:Hello", ArrayLike | None, "text:Hello"),
        ("surface of a cube", np.ndarray, "surface of a cube"),
    ],
)
def test_values(text, annotation, value):
    found = arguments.parse("--p", text, annotation)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("annotation", [ArrayLike, NDArray[np.float64], np.ndarray, ArrayLike | None])
def test_arrays(tmp_path, annotation):
    values = np.arange(6.0).reshape(3, 2)
    np.save(tmp_path / "a.npy", values)
    np.savetxt(tmp_path / "a.csv", values, delimiter=",")
    (tmp_path / "a.json").write_text(json.dumps(values.tolist()))
    for text in (json.dumps(values.tolist()), *(f"@{tmp_path}/a.{kind}" for kind in ("npy", "csv", "json"))):
        np.testing.assert_array_equal(arguments.parse("--x", text, annotation), values)


@pytest.mark.parametrize(
    ("text", "annotation", "message"),
    [
        ("six", int, "--p takes a whole number, got 'six'"),
        ("6.5", int, "--p takes a whole number"),
        ("true", int, "takes a whole number"),
        ("1", bool, "takes true or false"),
        ("c", Literal["a", "b"], "takes one of a, b, got 'c'"),
        ("5", Sequence[int], "takes a list as JSON"),
        ("[1.5]", Sequence[int], "takes a list as JSON"),
        ('["a"]', ArrayLike, "takes numbers as JSON, @file.npy or a name"),
        ("[[1], [2, 3]]", np.ndarray, "takes numbers as JSON"),
        ("[[1, 2]", ArrayLike, "takes numbers as JSON"),
        ('{"a": 1}', ArrayLike, "takes numbers as JSON"),
        ("", ArrayLike, "takes numbers as JSON"),
        ("a\nb", ArrayLike, "takes numbers as JSON"),
        ("@nowhere.npy", ArrayLike, "there is no file 'nowhere.npy'"),
        ("[1", Mapping, "JSON in braces"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(text, annotation, message):
    with pytest.raises(ValueError, match=message):
        arguments.parse("--p", text, annotation)


def test_files_of_objects_are_never_loaded(tmp_path):
    np.save(tmp_path / "evil.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="cannot read"):
        arguments.parse("--x", f"@{tmp_path}/evil.npy", ArrayLike)
    (tmp_path / "x.txt").write_text("1")
    with pytest.raises(ValueError, match=r"must end in \.npy, \.csv or \.json"):
        arguments.parse("--x", f"@{tmp_path}/x.txt", ArrayLike)


@settings(deadline=None, max_examples=200)
@given(st.text())
def test_any_text_is_a_value_or_a_sentence(text):
    """Whatever is typed, nothing but a ValueError comes out, and numbers are numbers."""
    for annotation in (int, float, float | None, Sequence[int], str, Any):
        try:
            value = arguments.parse("--p", text, annotation)
        except ValueError:
            continue
        if annotation is int:
            assert isinstance(value, int)
        if annotation is str:
            assert isinstance(value, str)


@settings(deadline=None, max_examples=100)
@given(st.floats(allow_nan=False) | st.integers())
def test_numbers_round_trip(number):
    assert arguments.parse("--p", repr(number), type(number)) == number


def test_nothing_is_evaluated():
    assert arguments.parse("--p", "__import__('os').getcwd()", Any) == "__import__('os').getcwd()"
    for file in Path(arguments.__file__).parent.glob("*.py"):
        assert "eval(" not in file.read_text()
        assert "exec(" not in file.read_text()


def test_descriptions():
    assert arguments.describe(float | None) == "a number or none"
    assert arguments.describe(Seed) == "a whole number"
    assert (
        arguments.describe(ArrayLike | None) == "numbers as JSON, @file.npy or a name that the experiment knows or none"
    )
    assert arguments.describe(np.random.Generator | None) == ""
