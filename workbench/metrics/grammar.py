"""The one form in which every family of this room tells what its yardsticks see: invariances, constants, blind spots.

Each function returns the variables and coordinates of a part of a result, over (yardstick, …), for
:func:`workbench.results.dataset`; :func:`joined` puts parts together. One table of the page shows them, whatever the
family measures::

    variables, coordinates = grammar.joined(
        grammar.invariances(labels, {"rescale": ("all values × 2", True)}, change),
        grammar.blind_spots(labels, seen, reference, ["AP"], ["two orders of 200 items"]),
    )
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

STANDS = 1e-12
"""Up to this change a yardstick is said to stand still."""

Part = tuple[dict[str, tuple[Any, ...]], dict[str, tuple[Any, ...]]]


def invariances(
    yardsticks: Mapping[str, str], transformations: Mapping[str, tuple[str, bool]], change: ArrayLike
) -> Part:
    """Return how far each yardstick moves under each transformation, ``change`` (yardstick, transformation).

    ``yardsticks`` maps names to labels; ``transformations`` maps a name to what is done, and whether it should not
    matter (True: the yardstick ought to stand still). For a distance, the change is that between an object and its
    transformed self. NaN: not defined.

    >>> variables, _ = invariances({"a": "A"}, {"move": ("shifted", True), "cut": ("halved", False)}, [[0.0, 0.5]])
    >>> variables["invariance_harmless"][1].tolist()
    [True, False]
    """
    values = _table("change", change, len(yardsticks), len(transformations))
    where = ("transformation",)
    variables = {
        "invariance_change": (("yardstick", *where), values, "how far the yardstick moves"),
        "invariance_harmless": (
            where,
            np.array([harmless for _, harmless in transformations.values()], dtype=bool),
            "whether the transformation should not matter",
        ),
        "transformation_label": (where, np.array([told for told, _ in transformations.values()]), "what is done"),
    }
    coordinates = {"transformation": (where, np.array(list(transformations)), "transformation")}
    return _with_yardsticks(yardsticks, variables, coordinates)


def constants(yardsticks: Mapping[str, str], axioms: Mapping[str, str], values: ArrayLike) -> Part:
    """Return numbers that belong to each yardstick, ``values`` (yardstick, axiom): bounds, violations, steps.

    ``axioms`` maps a name to what the number is. NaN: the question does not arise.
    """
    table = _table("values", values, len(yardsticks), len(axioms))
    variables = {
        "constant": (("yardstick", "axiom"), table, "what holds of the yardstick"),
        "axiom_label": (("axiom",), np.array(list(axioms.values())), "what the number is"),
    }
    coordinates = {"axiom": (("axiom",), np.array(list(axioms)), "axiom or constant")}
    return _with_yardsticks(yardsticks, variables, coordinates)


def blind_spots(
    yardsticks: Mapping[str, str],
    seen: ArrayLike,
    reference: ArrayLike,
    references: Sequence[str],
    pairs: Sequence[str],
) -> Part:
    """Return the pair that fools each yardstick: what it sees of their difference, and what a reference sees.

    ``seen`` and ``reference`` (yardstick,) are differences between the two, ``references`` the names of what judged
    them, ``pairs`` the two in words.
    """
    count = len(yardsticks)
    given = {"references": list(references), "pairs": list(pairs)}
    for name, texts in given.items():
        if len(texts) != count:
            raise ValueError(f"{name} has {len(texts)} texts for {count} yardsticks; give one each")
    one = ("yardstick",)
    variables = {
        "blind_seen": (one, _row("seen", seen, count), "difference that the yardstick sees between the two"),
        "blind_reference": (one, _row("reference", reference, count), "difference that the reference sees"),
        "blind_reference_name": (one, np.array(given["references"]), "the reference"),
        "blind_pair": (one, np.array(given["pairs"]), "the two, in words"),
    }
    return _with_yardsticks(yardsticks, variables, {})


def joined(*parts: Part) -> Part:
    """Return several parts as one; ``ValueError`` where two of them name other yardsticks, or one thing twice."""
    variables: dict[str, tuple[Any, ...]] = {}
    coordinates: dict[str, tuple[Any, ...]] = {}
    for more, axes in parts:
        for name, axis in axes.items():
            if name in coordinates and not np.array_equal(coordinates[name][1], axis[1]):
                raise ValueError(f"two parts have different {name}s: {coordinates[name][1]} and {axis[1]}")
        for name, value in more.items():
            if name in variables and not np.array_equal(variables[name][1], value[1]):
                raise ValueError(f"two parts bring the variable {name!r} with different values")
        variables |= more
        coordinates |= axes
    return variables, coordinates


def _with_yardsticks(yardsticks: Mapping[str, str], variables: dict, coordinates: dict) -> Part:
    one = ("yardstick",)
    variables["yardstick_label"] = (one, np.array(list(yardsticks.values())), "the yardstick's label")
    coordinates["yardstick"] = (one, np.array(list(yardsticks)), "yardstick")
    return variables, coordinates


def _table(name: str, values: ArrayLike, rows: int, columns: int) -> np.ndarray:
    found = np.asarray(values, dtype=float)
    if found.shape != (rows, columns):
        raise ValueError(f"{name} has shape {found.shape}; {rows} yardsticks and {columns} columns are named")
    return found


def _row(name: str, values: ArrayLike, count: int) -> np.ndarray:
    found = np.asarray(values, dtype=float)
    if found.shape != (count,):
        raise ValueError(f"{name} has shape {found.shape}; {count} yardsticks are named")
    return found
