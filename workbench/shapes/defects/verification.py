"""The checker of circuits as an experiment: a stranger's document, proved or refused in a process apart."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from workbench import checks, isolated, results
from workbench.isolated import Limits, Stopped
from workbench.progress import Progress
from workbench.shapes.defects import checker

SECONDS = 30.0
MEMORY = 2**30
MOST_DRAWN = 4_000
"""Atoms and steps that are handed on for a picture; of more, evenly chosen ones."""


@results.experiment
def circuit_verification(
    document: str | bytes | Path, *, seconds: float = SECONDS, progress: Progress | None = None
) -> xr.Dataset:
    """Check a circuit that anybody has made (JSON text, bytes or a path), and return what is proved and what it holds.

    ``valid``, and ``message`` with the reason; ``rotation`` in turns of the lattice and ``burgers`` (axis,) in crystal
    axes, NaN where nothing is proved or a rotation is enclosed; ``path`` (step, axis) and ``atom_place`` (atom, axis)
    in spacings, empty for a document that proves nothing; ``proves`` and ``not_proved``, a sentence a line. The check
    runs in a process of its own that is ended after ``seconds``. Raises ``FileNotFoundError`` for a path that leads
    nowhere. Cost: some hundredths of a second for a loop of 60 bonds, some seconds for the largest.

    >>> found = circuit_verification('{"format": "nothing"}')
    >>> bool(found.valid), found.sizes["step"]
    (False, 0)
    """
    limit = checks.real("seconds", seconds, exclusive_minimum=0)
    content = checker.content_of(document)
    found: dict[str, Any] = {**_nothing(), "message": ""}
    try:
        found |= isolated.call(examined, content, limits=Limits(limit, MEMORY), progress=progress)
    except isolated.Busy:
        raise
    except Stopped as error:
        found["message"] = f"the check came to no end: {error}"
    burgers = np.array(found["burgers"], dtype=float)
    path, atoms = np.array(found["path"], dtype=float), np.array(found["atoms"], dtype=float)
    d = len(burgers)
    axis = ("axis",)
    return results.dataset(
        {
            "valid": ((), bool(found["valid"]), "whether every claim is proved"),
            "message": ((), found["message"], "what the checker says"),
            "kind": ((), found["kind"], "what the circuit is made of"),
            "lattice": ((), found["lattice"], "the lattice"),
            "bonds": ((), float(found["bonds"]), "steps of the circuit"),
            "atoms": ((), float(found["count"]), "atoms in the file"),
            "spacing": ((), float(found["spacing"]), "distance of nearest neighbours", "length"),
            "rotation": ((), float(found["rotation"]), "rotation that is enclosed", "turns of the lattice"),
            "angle": ((), float(found["angle"]), "angle Ω of that rotation", "degree"),
            "burgers": (axis, burgers, "Burgers vector in crystal axes"),
            "path": (("step", *axis), path.reshape(-1, d), "the circuit", "spacings"),
            "atom_place": (("atom", *axis), atoms.reshape(-1, d), "atoms of the file", "spacings"),
            "proves": ((), _proves(found) if found["valid"] else "", "what this proves"),
            "not_proved": ((), "\n".join(found["not_proved"]), "what it does not prove"),
        },
        {
            "axis": (axis, ["x", "y", "z"][:d], "axis"),
            "step": (("step",), np.arange(len(path)), "step of the circuit"),
            "atom": (("atom",), np.arange(len(atoms)), "number of the atom"),
        },
    )


def examined(content: bytes) -> dict[str, Any]:
    """Return the checker's report on a document, and of one that holds what a picture needs, as plain data."""
    report = checker.check_circuit(content)
    if not report.valid:  # what proves nothing is not drawn either: it may hold anything
        return {"message": report.message}
    plain = checker.read(content)
    spacing = float(plain["spacing"])
    if plain["kind"] == "triangles":
        atoms = np.array(plain["atoms"], dtype=float)
        path = atoms[np.array(plain["walk"])].mean(axis=1)
        count = len(atoms)
    else:
        path = np.array(plain["path"], dtype=float)
        atoms, count = path[:-1], len(path) - 1
    middle, order = path.mean(axis=0), plain["order"]
    turns = -report.rotation % order  # as an angle that is positive for a wedge cut out
    d = path.shape[1]
    return {
        "valid": True,
        "message": report.message,
        "kind": plain["kind"],
        "lattice": plain.get("lattice", "triangular"),
        "bonds": len(path) - 1,
        "count": count,
        "spacing": spacing,
        "rotation": report.rotation,
        "angle": 360.0 / order * (turns if turns <= order / 2 else turns - order),
        "burgers": [np.nan] * d if report.burgers is None else list(report.burgers),
        "path": _few((path - middle) / spacing),
        "atoms": _few((atoms - middle) / spacing),
        "not_proved": list(report.not_proved),
    }


def _few(places: np.ndarray) -> np.ndarray:
    """Return at most ``MOST_DRAWN`` rows, evenly chosen, the last among them."""
    if len(places) <= MOST_DRAWN:
        return places
    return places[np.linspace(0, len(places) - 1, MOST_DRAWN).round().astype(int)]


def _nothing() -> dict[str, Any]:
    """Return what is known of a document that proves nothing."""
    numbers = dict.fromkeys(("bonds", "count", "spacing", "rotation", "angle"), np.nan)
    return {
        "valid": False, "kind": "", "lattice": "", **numbers, "burgers": [np.nan] * 2, "path": [], "atoms": [],
        "not_proved": [],
    }  # fmt: skip


def _proves(found: dict[str, Any]) -> str:
    what = "triangles of neighbours" if found["kind"] == "triangles" else "bonds that name their neighbours"
    walk = f"The {found['bonds']} {what} in the file make a closed walk in a {found['lattice']} lattice."
    if found["rotation"]:
        return (
            f"{walk}\nIt encloses a rotation of {found['angle']:g}°: a disclination, with no Burgers vector of its own."
        )
    b = ", ".join(f"{one:d}" for one in found["burgers"])
    told = "no dislocation, or some that cancel" if not any(found["burgers"]) else "a dislocation, or several"
    return f"{walk}\nIt encloses the Burgers vector ({b}) in crystal axes, and no rotation: {told}."
