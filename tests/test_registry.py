"""The registry: names, facts that are declared and kept, and errors that say what to do."""

import pytest

from workbench.registry import Fact, MissingFact, Registry

GROUPS = {"radius": "softmax radii", "quadratic": "second order"}


@pytest.fixture
def methods():
    facts = {
        "group": Fact(str, choices=GROUPS, says="what it is drawn with"),
        "dim": Fact((int, float), required=False),
    }
    return Registry("method", facts=facts)


def enter(methods, name="one", **facts):
    return methods.add(name, label="One", **facts)(lambda: 1)


def test_names_are_kept_in_order_and_unknown_ones_refused(methods):
    enter(methods, "b", group="radius")
    enter(methods, "a", group="radius")
    assert list(methods) == ["b", "a"]
    assert methods["b"]() == 1
    assert "other" not in methods
    assert repr(methods) == "Registry('method': b, a)"
    with pytest.raises(ValueError, match=r"unknown method 'other'.*b, a"):
        methods["other"]
    with pytest.raises(ValueError, match="'a' is registered already"):
        enter(methods, "a", group="radius")


def test_facts_are_read_and_a_missing_one_is_named(methods):
    enter(methods, group="radius")
    entry = methods["one"]
    assert entry.fact("group") == entry.facts["group"] == "radius"
    assert entry.facts.get("dim", 3) == 3
    assert "dim" not in entry.facts
    assert dict(entry.facts) == {"group": "radius"}
    with pytest.raises(MissingFact, match="the method 'one' has no fact 'dim'; it has group"):
        entry.fact("dim")
    with pytest.raises(KeyError):
        entry.facts["dim"]


@pytest.mark.parametrize(
    ("facts", "error", "message"),
    [
        ({}, ValueError, r"the method 'one' lacks group \(group: what it is drawn with\)"),
        ({"group": "raddius"}, ValueError, r"unknown group of the method 'one' 'raddius'\. Did you mean 'radius'"),
        ({"group": 1}, TypeError, "group of the method 'one' must be str, got 1"),
        ({"group": "radius", "dim": "3"}, TypeError, "dim of the method 'one' must be int or float, got '3'"),
        (
            {"group": "radius", "colour": "red"},
            TypeError,
            "brings a fact 'colour'; the family has: group, dim",
        ),
    ],
)
def test_declared_facts_are_checked_when_a_method_is_added(methods, facts, error, message):
    with pytest.raises(error, match=message):
        enter(methods, **facts)
    assert list(methods) == []


def test_a_family_without_declared_facts_takes_any():
    free = Registry("thing")
    enter(free, order=1)
    assert free["one"].fact("order") == 1
