"""The state in the address: what is written is read back, and nothing bad gets in."""

import param
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.ui.kit import url


class Settings(param.Parameterized):
    size = param.Integer(8, bounds=(3, 128), label="lattice size")
    rate = param.Number(0.5, bounds=(0, 10))
    method = param.Selector(default="design", objects=["design", "spiral"])
    methods = param.ListSelector(default=["a"], objects=["a", "b"])
    fast = param.Boolean(False)
    name_shown = param.String("")
    window = param.Range((6, 9), bounds=(3, 64))


NAMES = ("size", "rate", "method", "methods", "fast", "name_shown", "window")


@given(
    st.fixed_dictionaries(
        {
            "size": st.integers(3, 128),
            "rate": st.floats(0, 10),
            "method": st.sampled_from(["design", "spiral"]),
            "methods": st.lists(st.sampled_from(["a", "b"]), unique=True),
            "fast": st.booleans(),
            "name_shown": st.text(max_size=50).filter(lambda s: s.isprintable()),
            "window": st.tuples(st.integers(3, 30), st.integers(30, 64)),
        }
    )
)
def test_what_is_written_is_read_back(values):
    there = Settings(**values)
    back = Settings()
    assert url.apply_state(back, NAMES, url.read_state(url.query(url.write_state(there, NAMES)))) == []
    assert {name: getattr(back, name) for name in NAMES} == values


def test_defaults_need_no_address():
    assert url.query(url.write_state(Settings(), NAMES)) == ""


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("size=2", "size"),
        ("size=1e9", "size"),
        ("size=abc", "size"),
        ("size=true", "size"),
        ("size=8.5", "size"),
        ("rate=NaN", "rate"),
        ("rate=Infinity", "rate"),
        ("rate=-1", "rate"),
        ("method=pickle", "method"),
        ("methods=a,c", "methods"),
        ("fast=1", "fast"),
        ("window=[1,9]", "window"),
        ("window=[[[[", "window"),
        ("window=[NaN,9]", "window"),
    ],
)
def test_bad_values_are_named_and_refused(query, name):
    target = Settings()
    before = getattr(target, name)
    complaints = url.apply_state(target, NAMES, url.read_state(query))
    assert len(complaints) == 1
    assert "not allowed" in complaints[0]
    assert getattr(target, name) == before


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text):
    target = Settings()
    for name in NAMES:
        for complaint in url.apply_state(target, NAMES, {name: text}):
            assert "not allowed" in complaint


def test_overlong_values_are_dropped():
    assert url.read_state("name_shown=" + "x" * 5000) == {}
    (complaint,) = url.apply_state(Settings(), NAMES, url.read_state("name_shown=" + "x" * 1000))
    assert "not allowed" in complaint


def test_the_sentence_says_what_is_allowed():
    (complaint,) = url.apply_state(Settings(), NAMES, {"size": "500"})
    assert "lattice size" in complaint
    assert "3 to 128" in complaint
    assert "using 8" in complaint


@pytest.mark.parametrize("fields", [101, 5000])
def test_an_address_of_very_many_fields_is_read_as_far_as_it_may_be(fields):
    state = url.read_state("?tab=first&" + "&".join(f"a{k}={k}" for k in range(fields)))
    assert state["tab"] == "first"
    assert 50 < len(state) <= url.MOST_FIELDS
