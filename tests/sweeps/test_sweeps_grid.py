"""Grids: which cells there are, what they are called, and where their seeds come from."""

import hashlib
import inspect
import itertools
from typing import Any

import numpy as np
import pytest
import sweep_toys as toys
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench
from workbench.sweeps.grid import axis_labels, plan

VALUES = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=4, unique=True)


def cells_of(grid, **options: Any):
    return {
        tuple(sorted((k, str(v)) for k, v in cell.parameters.items() if k != "seed")): (cell.seed, cell.key)
        for cell in plan(toys.walk, grid, **{"repeats": 1, "seed": 1, **options}).cells
    }


def test_cells_come_in_the_order_of_the_grid():
    made = plan(toys.walk, {"steps": [5, 6], "scale": (1.0, 2.0), "kind": "normal"}, repeats=2, seed=0)
    assert made.shape == (2, 2, 2)
    assert [cell.index for cell in made.cells] == list(itertools.product(range(2), repeat=3))
    assert [(c.parameters["steps"], c.parameters["scale"]) for c in made.cells[::2]] == [
        (5, 1.0),
        (5, 2.0),
        (6, 1.0),
        (6, 2.0),
    ]
    assert {cell.parameters["kind"] for cell in made.cells} == {"normal"}


@settings(deadline=None, max_examples=30)
@given(VALUES, VALUES, st.randoms())
def test_a_cell_is_the_same_in_any_grid_that_holds_it(few, more, shuffler):
    """Neither the order, nor other values, nor the place of a cell changes its seed or its file."""
    wide = list(dict.fromkeys([*more, *few]))
    shuffler.shuffle(wide)
    small, large = cells_of({"steps": [5], "scale": few}), cells_of({"scale": wide, "steps": [7, 5]})
    assert small.items() <= large.items()


def test_seeds_and_keys_are_all_different():
    made = plan(toys.walk, {"steps": range(1, 60), "scale": np.linspace(0, 1, 20)}, repeats=5, seed=3)
    assert len({cell.key for cell in made.cells}) == len({cell.seed for cell in made.cells}) == 59 * 20 * 5
    bits = np.unpackbits(np.array([c.seed for c in made.cells], dtype=">u8").view(np.uint8).reshape(-1, 8), axis=1)
    assert np.all(np.abs(bits[:, 11:].mean(axis=0) - 0.5) < 5 * 0.5 / np.sqrt(len(bits)))
    assert not bits[:, :11].any()


def test_the_seed_of_the_sweep_matters():
    assert not set(cells_of({"steps": [5, 6]}, seed=1).values()) & set(cells_of({"steps": [5, 6]}, seed=2).values())


def test_naming_a_default_changes_nothing():
    implicit = plan(toys.walk, {"steps": [5]}, repeats=1, seed=1).cells[0]
    explicit = plan(toys.walk, {"steps": [5], "scale": [1.0]}, repeats=1, seed=1).cells[0]
    assert (implicit.key, implicit.seed) == (explicit.key, explicit.seed)


def test_paired_parameters_share_randomness():
    made = plan(toys.walk, {"steps": [5, 6], "kind": ["normal", "laplace"]}, repeats=2, seed=1, paired=["kind"])
    seeds = np.array([cell.seed for cell in made.cells]).reshape(made.shape)
    np.testing.assert_array_equal(seeds[:, 0], seeds[:, 1])
    assert len(np.unique(seeds)) == 4
    assert len({cell.key for cell in made.cells}) == 8


def test_version_and_source_are_part_of_the_key(monkeypatch):
    before = plan(toys.cube, {"x": [1.0]}, repeats=1, seed=None).cells[0].key
    monkeypatch.setattr("workbench.__version__", "99.0")
    after = plan(toys.cube, {"x": [1.0]}, repeats=1, seed=None).cells[0].key
    monkeypatch.setattr("workbench.sweeps.grid.source_digest", lambda function: "edited")
    edited = plan(toys.cube, {"x": [1.0]}, repeats=1, seed=None).cells[0].key
    assert len({before, after, edited}) == 3


def test_keys_can_be_computed_by_hand():
    """Stores of earlier days are found again as long as the version stays, so the recipe must."""
    cell = plan(toys.cube, {"x": [0.5]}, repeats=1, seed=None).cells[0]
    source = hashlib.sha256(inspect.getsource(toys.cube).encode()).hexdigest()
    text = (
        f'{{"function":"sweep_toys:cube","parameters":{{"x":0.5}},"seed":null,"source":"{source}",'
        f'"version":"{workbench.__version__}"}}'
    )
    assert cell.key == hashlib.sha256(text.encode()).hexdigest()[:40]


@pytest.mark.parametrize(
    ("values", "dtype", "labels"),
    [
        ([1, 2], "int64", [1, 2]),
        ([1, 2.5], "float64", [1.0, 2.5]),
        ([True, False], "bool", [True, False]),
        (["a", "b"], "<U1", ["a", "b"]),
        ([[1, 2], None, "a"], "<U5", ["[1,2]", "null", "a"]),
        ([2**70], "<U22", ["1180591620717411303424"]),
    ],
)
def test_axis_labels(values, dtype, labels):
    made = axis_labels(values)
    assert made.tolist() == labels
    assert made.dtype.kind == np.dtype(dtype).kind


@pytest.mark.parametrize(
    ("grid", "options", "message"),
    [
        ({"stepz": [1]}, {}, r"no parameter 'stepz'; it takes: steps, scale, kind, seed"),
        ({"scale": [1.0]}, {}, r"needs a value for 'steps'"),
        ({"steps": []}, {}, r"axis 'steps' is empty"),
        ({"steps": [5, 5]}, {}, r"names the value 5 more than once"),
        ({"steps": [5], "scale": [1, 1.0]}, {}, r"more than once"),
        ({"steps": [5]}, {"repeats": 0}, r"repeats must be at least 1"),
        ({"steps": [5]}, {"seed": -1}, r"seed must be at least 0"),
        ({"steps": [5]}, {"seed": None}, r"give the sweep a seed"),
        ({"steps": [5], "seed": [1, 2]}, {"seed": 3}, r"the grid sets 'seed' itself"),
        ({"steps": [5]}, {"paired": ["kind"]}, r"paired names 'kind', which is not in the grid"),
        ({"steps": range(2000), "scale": range(2000)}, {}, r"4,000,000 cells; the largest sweep is 500,000"),
    ],
)
def test_bad_grids_are_refused_with_a_sentence(grid, options, message):
    with pytest.raises(ValueError, match=message):
        plan(toys.walk, grid, **{"repeats": 1, "seed": 1, **options})


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ([("steps", [5])], "must map parameter names"),
        ({5: [5]}, "must be strings"),
        ({"steps": [object()]}, "type object, which cannot be written"),
        ({"steps": [5], "scale": len}, "cannot be written"),
    ],
)
def test_grids_of_wrong_type(grid, message):
    with pytest.raises(TypeError, match=message):
        plan(toys.walk, grid, repeats=1, seed=1)


def test_repeats_need_a_seed():
    with pytest.raises(ValueError, match="takes no seed"):
        plan(toys.cube, {"x": [1.0]}, repeats=2, seed=1)
    with pytest.raises(TypeError, match="list of parameter names"):
        plan(toys.walk, {"steps": [5]}, repeats=1, seed=1, paired="steps")


def test_seeds_in_the_grid_are_used_as_they_are():
    made = plan(toys.walk, {"steps": [5], "seed": [3, 4]}, repeats=1, seed=None)
    assert [cell.parameters["seed"] for cell in made.cells] == [3, 4]
    assert len({cell.key for cell in made.cells}) == 2


def test_a_list_alone_in_a_list_is_one_value_for_every_cell():
    made = plan(toys.walk, {"steps": [5, 6], "kind": [["a", "b"]]}, repeats=1, seed=1)
    assert made.shape == (2,)
    assert [cell.parameters["kind"] for cell in made.cells] == [["a", "b"], ["a", "b"]]
    assert plan(toys.walk, {"steps": [5], "kind": [["a"], ["b"]]}, repeats=1, seed=1).shape == (1, 2)
