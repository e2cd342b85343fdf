"""Strangers' circuits as an experiment: what is proved, what is drawn, and what is refused in words."""

import json

import numpy as np
import pytest

from workbench import data, isolated, shapes
from workbench.shapes.defects import verification


@pytest.fixture(scope="module")
def circuits():
    flat = shapes.insert(shapes.crystal("triangular", 9), "edge", burgers=[1, 0])
    wedge = shapes.insert(shapes.crystal("triangular", 9), "wedge")
    screw = shapes.insert(shapes.crystal("sc", 6), "screw")
    return {name: shapes.holonomy(made, radius=r) for name, made, r in (
        ("edge", flat, 4), ("wedge", wedge, 4), ("screw", screw, 3))}  # fmt: skip


@pytest.mark.parametrize("name", ["edge", "wedge", "screw"])
def test_what_is_proved_is_what_was_found(circuits, name):
    found = circuits[name]
    ds = shapes.circuit_verification(found.document())
    assert bool(ds.valid)
    assert int(ds.bonds) == found.bonds
    assert float(ds.angle) == pytest.approx(found.degrees)
    if found.burgers is None:
        assert np.isnan(ds.burgers.values).all()
        assert "a disclination" in ds.proves.item()
    else:
        assert ds.burgers.values.tolist() == list(found.burgers)
        assert f"Burgers vector ({', '.join(map(str, found.burgers))})" in ds.proves.item()
    # what is drawn is the walk of the file, in spacings, about its middle
    content = found.content
    path = np.array(content["path"]) if "path" in content else np.array(content["atoms"])[content["walk"]].mean(axis=1)
    np.testing.assert_allclose(ds.path.values, (path - path.mean(axis=0)) / content["spacing"], atol=1e-9)


@pytest.mark.parametrize("change", [{"shift": [0, 0]}, {"spacing": 1e99}, {"kind": "bonds"}, {"format": "other"}])
def test_a_false_document_proves_nothing_and_is_not_drawn(circuits, change):
    document = {**circuits["edge"].content, **change}
    ds = shapes.circuit_verification(json.dumps(document).encode())
    assert not bool(ds.valid)
    assert ds.message.item()
    assert ds.sizes["step"] == ds.sizes["atom"] == 0
    assert np.isnan(float(ds.rotation))
    assert ds.proves.item() == ds.not_proved.item() == ""


def test_a_check_that_does_not_end_is_told(monkeypatch):
    def stop(*_, **__):
        raise isolated.Stopped("it took longer than 30 s and was stopped")

    monkeypatch.setattr(verification.isolated, "call", stop)
    ds = shapes.circuit_verification("{}")
    assert ds.message.item() == "the check came to no end: it took longer than 30 s and was stopped"
    assert not bool(ds.valid)


def test_paths_and_limits(tmp_path):
    with pytest.raises(FileNotFoundError):
        shapes.circuit_verification(tmp_path / "none.json")
    assert bool(shapes.circuit_verification(data.path("shapes/circuit.json")).valid)
    large = shapes.circuit_verification(b"[" + b" " * 2**23 + b"]")
    assert "larger than 8 MiB" in large.message.item()
    with pytest.raises(ValueError, match="seconds must be greater than 0"):
        shapes.circuit_verification("{}", seconds=0)
