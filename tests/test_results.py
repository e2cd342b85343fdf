"""Results: conventions, provenance, and the round trip through files."""

import ast
import dataclasses
import datetime
import decimal
import enum
import json
import os
import re
import uuid
from pathlib import Path

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import xarray as xr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workbench import results
from workbench.sweeps.experiments import experiments


@results.experiment
def wave(n: int, amplitude: float = 1.0, samples=None, seed: int = 0, progress=None) -> xr.Dataset:
    time = np.linspace(0, 1, n)
    rng = np.random.default_rng(seed)
    return results.dataset(
        {
            "displacement": (("time",), amplitude * np.sin(time) + rng.normal(size=n), "displacement", "m"),
            "label": ((), "first wave", "label"),
            "above": (("time",), time > 0.5, "in the second half"),
        },
        {"time": (("time",), time, "time", "s")},
        {"note": None, "flag": True, "table": {"a": [1, 2]}},
    )


@pytest.fixture
def ds():
    return wave(128, amplitude=2.0)


def test_provenance_is_complete(ds):
    assert json.loads(ds.attrs["parameters"]) == {"n": 128, "amplitude": 2.0, "samples": None, "seed": 0}
    assert ds.attrs["function"].endswith("wave")
    assert ds.attrs["seed"] == 0
    assert results.is_experiment(wave)
    assert not results.is_experiment(len)


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_round_trip_keeps_everything(ds, tmp_path, suffix):
    path = results.save(ds, tmp_path / f"wave{suffix}")
    again = results.open(path)
    xr.testing.assert_identical(again, ds)
    assert {name: v.dtype.kind for name, v in again.variables.items()} == {
        name: v.dtype.kind for name, v in ds.variables.items()
    }
    assert os.listdir(tmp_path) == [path.name]


def test_round_trip_through_bytes(ds):
    xr.testing.assert_identical(results.open_bytes(results.to_bytes(ds)), ds)


@settings(deadline=None, max_examples=25)
@given(hnp.arrays(hnp.floating_dtypes(sizes=(32, 64)) | hnp.integer_dtypes(), hnp.array_shapes(min_dims=1, max_dims=3)))
def test_any_numeric_array_survives(values):
    dims = tuple(f"axis_{k}" for k in range(values.ndim))
    made = results.dataset(
        {"values": (dims, values, "values")},
        {d: ((d,), np.arange(n), d) for d, n in zip(dims, values.shape, strict=True)},
        {"function": "f", "parameters": "{}", "seed": 0, "version": "0", "seconds": 0.0},
    )
    xr.testing.assert_identical(results.open_bytes(results.to_bytes(made)), made)


def test_validator_lists_all_problems_at_once(ds):
    broken = ds.copy()
    del broken.attrs["seed"]
    broken.attrs["parameters"] = "{not json"
    broken["naked"] = ("elsewhere", np.zeros(2, dtype=complex))
    found = "\n".join(results.problems(broken))
    for part in ("'seed' is missing", "not JSON", "'elsewhere' has no coordinate", "no 'units'", "complex"):
        assert part in found
    with pytest.raises(ValueError, match="'seed' is missing"):
        results.validate(broken)
    with pytest.raises(TypeError, match="Dataset"):
        results.validate({"a": 1})


def test_a_failed_write_leaves_the_old_file(ds, tmp_path, monkeypatch):
    path = results.save(ds, tmp_path / "wave.nc")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", full)
    with pytest.raises(OSError, match=r"wave\.nc.*No space left"):
        results.save(wave(8), path)
    xr.testing.assert_identical(results.open(path), ds)
    assert os.listdir(tmp_path) == ["wave.nc"]


def test_save_refuses_with_a_sentence(ds, tmp_path):
    with pytest.raises(ValueError, match=r"\.nc"):
        results.save(ds, tmp_path / "wave.pickle")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        results.save(ds, tmp_path / "nowhere" / "wave.nc")


def test_open_refuses_what_is_no_result(ds, tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        results.open(tmp_path / "missing.nc")
    with pytest.raises(ValueError, match="not a NetCDF-4"):
        results.open_bytes(b"\x80\x04pickle")
    whole = results.to_bytes(ds)
    with pytest.raises(ValueError, match="damaged"):
        results.open_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="more than the 100 allowed"):
        results.open_bytes(whole, max_bytes=100)
    foreign = xr.Dataset({"a": ("x", [1.0])})
    foreign.to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    with pytest.raises(ValueError, match="not a valid workbench result"):
        results.open(tmp_path / "foreign.nc")


def test_large_arrays_are_described_by_digest():
    first, second = np.zeros(1000), np.zeros(1000)
    second[500] = 1e-12
    assert results.describe(first) != results.describe(second)
    assert results.describe(first)["shape"] == [1000]
    assert results.describe(np.arange(3)) == [0, 1, 2]
    assert results.describe(float("nan")) == "nan"
    json.dumps(results.describe({"a": (1, {2.5}), "f": len, "r": np.random.default_rng(0)}))


def test_python_lines_repeat_the_result(ds):
    lines = results.python_lines(ds)
    assert "n=128" in lines
    assert "seed=0" in lines
    big = results.python_lines(wave(4, samples=np.zeros(1000)))
    assert "# samples: your array of shape (1000,)" in big
    assert "samples=samples" in big
    compile(big, "lines", "exec")


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Size:
    n: int
    d: int


OWN = {
    "bool": (np.bool_(True), True),
    "when": (datetime.datetime(2026, 1, 2, 3, 4), "2026-01-02T03:04:00"),
    "day": (np.datetime64("2026-01-02"), "2026-01-02"),
    "path": (Path("a") / "b.csv", "a/b.csv"),
    "large": (2**70, 2**70),
    "text": ("json:{", "json:{"),
    "nothing": ("json:", "json:"),
    "nul": ("a\0b", "a\0b"),
    "surrogate": ("\ud800", "\ud800"),
    "empty": ("", ""),
    "words": (np.array(["a", "b"]), ["a", "b"]),
    "flags": (np.array([True, False]), [True, False]),
    "matrix": (np.eye(2), [[1.0, 0.0], [0.0, 1.0]]),
    "none": (np.array([]), []),
    "pair": ((1, None), [1, None]),
    "set": ({3, 1}, [1, 3]),
    "complex": (1 + 2j, "(1+2j)"),
    "decimal": (decimal.Decimal("1.50"), "1.50"),
    "enum": (Colour.RED, "red"),
    "size": (Size(3, 4), {"n": 3, "d": 4}),
    "id": (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    "inf": (float("inf"), float("inf")),
    "mapping": ({1: Path("x")}, {"1": "x"}),
}


@pytest.mark.parametrize("name", OWN)
def test_attributes_of_ones_own_come_back_as_they_are_announced(ds, name):
    given, wanted = OWN[name]
    ds.attrs[name] = given
    ds["displacement"].attrs[name] = given
    again = results.open_bytes(results.to_bytes(ds))
    assert again.attrs[name] == again["displacement"].attrs[name] == wanted
    assert type(again.attrs[name]) is type(wanted)

    @results.experiment
    def run() -> xr.Dataset:
        return results.dataset({"a": ((), 1.0, "a")}, attrs={name: given})

    xr.testing.assert_identical(results.open_bytes(results.to_bytes(made := run())), made)


@pytest.mark.parametrize("value", [object(), b"bytes", np.array([object()]), [1, [object()]], len])
def test_an_attribute_that_no_file_can_hold_is_refused_where_it_is_given(ds, value):
    with pytest.raises(TypeError, match=r"the attribute 'own' cannot be saved: it holds a value of type \w+; use"):
        results.dataset({}, attrs={"own": value})
    ds.attrs["own"] = value
    with pytest.raises(ValueError, match="the attribute 'own' cannot be saved"):
        results.to_bytes(ds)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("", 1, "must be 1 to 256 printable letters"),
        ("a" * 257, 1, "must be 1 to 256"),
        ("a\nb", 1, "printable"),
        (3, 1, "printable"),
        ("coordinates", "x", "belongs to the file format"),
        ("_FillValue", 3, "belongs to the file format"),
        ("long", "x" * (2**24 + 1), "too long; make it a variable"),
        ("array", np.zeros(2**18), "too long"),
        ("loop", [[]], ""),
    ],
)
def test_attributes_are_judged_before_anything_is_written(ds, tmp_path, name, value, message):
    if name == "loop":
        value[0].append(value)
        message = "nested"
    ds.attrs[name] = value
    with pytest.raises(ValueError, match=message):
        results.save(ds, tmp_path / "a.nc")
    assert os.listdir(tmp_path) == []


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.text(min_size=1, max_size=8), PLAIN, max_size=4))
def test_any_attribute_is_refused_before_writing_or_comes_back(own):
    made = results.dataset(
        {"a": ((), 1.0, "a")}, attrs={"function": "f", "parameters": "{}", "seed": 0, "version": "0", "seconds": 0.0}
    )
    made.attrs = {**own, **made.attrs}
    if results.problems(made):
        with pytest.raises(ValueError, match="not a valid workbench result"):
            results.to_bytes(made)
        return
    again = results.open_bytes(results.to_bytes(made))
    assert repr(again.attrs) == repr(made.attrs) or again.attrs == made.attrs


def test_values_of_other_libraries_are_described_by_their_numbers():
    import pandas as pd
    import scipy.sparse
    import torch

    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    assert results.describe(frame) == [[1.0, 3.0], [2.0, 4.0]]
    assert results.describe(pd.Series([1, 2], dtype="Int64")) == [1, 2]
    assert results.describe(xr.DataArray([1.0])) == [1.0]
    assert results.describe(torch.ones(2, requires_grad=True)) == [1.0, 1.0]
    assert results.describe(torch.ones(2, dtype=torch.bfloat16)) == [1.0, 1.0]
    assert results.describe(np.ma.array([1, 2], mask=[0, 1])) != results.describe(np.ma.array([1, 2], mask=[0, 0]))
    sparse = scipy.sparse.csr_array(np.eye(3))
    assert results.describe(sparse) == results.describe(sparse.copy()) != results.describe(2 * sparse)
    objects = np.array([1, "a", None] * 200, dtype=object)
    assert results.describe(objects) == results.describe(objects.copy()) != results.describe(objects[::-1])
    for value in (
        frame,
        pd.Series(["a"]),
        pd.Index([1]),
        pd.Timestamp(0),
        pd.NA,
        xr.Dataset({"a": 1}),
        torch.nn.Linear(1, 1),
    ):
        json.dumps(results.describe(value))
    assert np.isfinite(wave(4, samples=frame).displacement).all()


def test_numbers_finer_than_a_float_and_bytes_tell_themselves_apart():
    fine = np.longdouble(1) / 3
    assert results.describe(fine) == str(fine)
    assert results.describe(np.array([fine])) == [str(fine)]
    assert results.describe(np.nextafter(fine, np.longdouble(1))) != results.describe(fine)
    assert results.describe(b"abc") == [97, 98, 99] != results.describe(b"abd")
    assert results.describe(np.bytes_(b"abc")) == results.describe(bytearray(b"abc")) == [97, 98, 99]
    assert results.describe(bytes(1000))["shape"] == [1000]


def test_only_a_describe_of_the_workbench_is_called():
    class Foreign:
        def describe(self):
            raise AssertionError("called")

    class Own(results.Described):
        def describe(self):
            return {"n": np.arange(2)}

    assert results.describe(Foreign()).endswith("Foreign>")
    assert results.describe(Own()) == {"n": [0, 1]}
    loop = []
    loop.append(loop)
    json.dumps(results.describe(loop))
    json.dumps(results.describe(10**10_000))
    assert results.describe({2, "a", (1, 2)}) == results.describe({(1, 2), "a", 2})


def test_a_list_too_long_to_record_becomes_a_digest_before_the_run():
    ds = wave(4, samples=[float(k) for k in range(300_000)])
    told = json.loads(ds.attrs["parameters"])["samples"]
    assert (told["type"], told["length"], len(told["sha256"])) == ("list", 300_000, 64)
    assert "# samples: your list of length 300000" in results.python_lines(ds)
    results.open_bytes(results.to_bytes(ds))


HOSTILE = [
    *("x=0)\nimport os\n#", "x\r\nimport os", "\u2028import os", "__import__('os')"),
    *("a b", "class", "ｅval", "", "é"),
]


def stolen(ds, called="workbench.fisher.ising_curvature", /, **parameters):
    """``ds`` as somebody might have rewritten it."""
    return ds.assign_attrs({"parameters": json.dumps(parameters), "function": called})


def calls_of(lines):
    """The syntax tree must be one import and one call of literals, whatever the words in it."""
    source, *rest = ast.parse(lines).body
    assert isinstance(source, (ast.Import, ast.ImportFrom))
    (line,) = rest
    assert isinstance(line, ast.Assign)
    assert isinstance(line.value, ast.Call)
    assert not line.value.args
    read = {}
    for argument in line.value.keywords:
        if argument.arg is None:
            read |= ast.literal_eval(argument.value)
        elif isinstance(argument.value, ast.Name):
            assert argument.value.id == argument.arg
        else:
            read[argument.arg] = ast.literal_eval(argument.value)
    return read


@pytest.mark.parametrize("word", HOSTILE)
def test_a_stranger_puts_no_code_into_the_python_lines(ds, word):
    assert calls_of(results.python_lines(stolen(ds, **{word: 1, "n": word}))) == {word: 1, "n": word}
    assert calls_of(results.python_lines(stolen(ds, seed=word, n={word: [word]}))) == {
        "seed": word,
        "n": {word: [word]},
    }
    for blank in (
        f"<{word}>",
        {"sha256": word, "shape": [1]},
        {"sha256": "0", "shape": word},
        {"sha256": "0", "file": word},
    ):
        calls_of(results.python_lines(stolen(ds, **{word: blank, "n": blank})))
    for function in (word, f"os.{word}", f"{word}.system", f"workbench.{word}.b", f"workbench.flows.{word}", "os;x.f"):
        assert ast.parse(results.python_lines(stolen(ds, function, n=1))).body == []


@pytest.mark.parametrize(
    "function", ["os.system", "workbench.data.os.system", "workbench.cli.main", "workbench.data.os"]
)
def test_only_experiments_of_the_rooms_are_called_in_the_lines(ds, function):
    lines = results.python_lines(stolen(ds, function, command="true"))
    assert ast.parse(lines).body == []
    assert "is no experiment of the workbench" in lines


@settings(deadline=None, max_examples=200)
@given(st.text(), st.text())
def test_python_lines_of_any_function_name(first, second):
    assume(first not in experiments("fisher"))
    for function in (first, f"{first}.{second}", f"workbench.fisher.{first}"):
        made = xr.Dataset(attrs={"function": function, "parameters": "{}"})
        assert ast.parse(results.python_lines(made)).body == []


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.text(), PLAIN.filter(lambda v: not isinstance(v, dict)), max_size=4))
def test_python_lines_of_any_parameters(parameters):
    lines = results.python_lines(stolen(xr.Dataset(), **parameters))
    read = calls_of(re.sub(r"float\('(-?)(nan|inf)'\)", r"\g<1>2e999", lines))
    assert read.keys() <= parameters.keys()


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("seconds", "soon", "'seconds' is not a time, got 'soon'"),
        ("seconds", float("nan"), "not a time"),
        ("seconds", [1.0], "not a time"),
        ("seconds", -1, "not a time"),
        ("parameters", "[" * 5000 + "]" * 5000, "nested more than 64 deep"),
        ("parameters", '{"a": ' * 5000 + "1" + "}" * 5000, "nested more than 64 deep"),
        ("parameters", 3, "must be a text"),
        ("parameters", "[]", "not a JSON object"),
        ("function", 3, "'function' is not a name"),
        ("function", "f" * 300, "'function' is not a name"),
        ("version", ["0"], "'version' is not a name"),
        ("seed", [1], "neither a whole number nor a word"),
    ],
)
def test_provenance_is_checked_by_type(ds, attribute, value, message):
    with pytest.raises(ValueError, match=message):
        results.validate(ds.assign_attrs({attribute: value}))


def test_many_problems_are_counted_not_listed(ds):
    broken = ds.assign({f"v{k}": ((), 1j) for k in range(500)})
    with pytest.raises(ValueError, match=r"and 14\d\d more") as caught:
        results.validate(broken)
    assert len(str(caught.value)) < 4000


def test_names_are_what_an_import_would_say():
    from workbench import flows
    from workbench.sweeps.experiments import name_of

    assert results.public_path(flows.gradient_flow) == ("workbench.flows", "gradient_flow")
    assert results.public_name(wave) == f"{__name__}.wave"
    assert results.public_path(results.describe) == ("workbench.results", "describe")
    assert results.public_path(name_of) == ("workbench.sweeps.experiments", "name_of")
