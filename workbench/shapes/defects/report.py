"""One crystal with its defects: which atoms are wrong, what a loop encloses, and what the dictionaries make of it."""

import functools
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.progress import Progress
from workbench.shapes.defects.atoms import Atoms, as_atoms, crystal
from workbench.shapes.defects.checker import check_circuit
from workbench.shapes.defects.fluxes import LoopFluxes, loop_fluxes
from workbench.shapes.defects.frames import CoframeField, nonmetricity_traces, torsion_parts, torsion_shares
from workbench.shapes.defects.holonomy import Holonomy, from_walk, holonomy, is_triangular, polygon
from workbench.shapes.defects.insertion import DEFECTS, insert
from workbench.shapes.defects.labels import Labelled, label_bonds
from workbench.shapes.defects.triangles import Triangulation, clusters, triangulate, walk_around

MOST_PLACED = 40
MOST_CLUSTERS = 400
"""Groups of wrong atoms whose Burgers vectors are looked for; a crystal with more of them has molten."""
MOST_FRAMED = 20_000
SETTINGS = {"edge": "burgers", "screw": "burgers", "mixed": "burgers", "boundary": "burgers", "wedge": "degrees"}
FIELDS = ("torsion", "axial", "first", "second")


def lattice_frame(atoms: Atoms | ArrayLike | Labelled, lattice: str = "auto") -> CoframeField:
    """Return the lattice coframe of a crystal at its atoms, in space: what the labels tend to when a crystal is large.

    J is the inverse of each atom's frame, its derivative the least-squares slope over the well-named bonds of the atom;
    atoms with too few of them are left out. ``ValueError`` if no lattice fits.

    >>> from workbench import shapes
    >>> field = shapes.lattice_frame(shapes.crystal("square", 6))
    >>> bool(abs(shapes.torsion_parts(field).nye).max() < 1e-9)
    True
    """
    labelled = atoms if isinstance(atoms, Labelled) else label_bonds(as_atoms(atoms), lattice)
    return _field(labelled)[0]


def _field(labelled: Labelled) -> tuple[CoframeField, NDArray]:
    atoms, bonds, d = labelled.atoms, labelled.bonds, labelled.atoms.dimension
    good = labelled.is_good
    i, j, v = bonds.first[good], bonds.second[good], bonds.vectors[good]
    inverse = np.full_like(labelled.frames, np.nan)
    inverse[labelled.is_framed] = np.linalg.inv(labelled.frames[labelled.is_framed])
    gram, mixed = np.zeros((len(atoms), d, d)), np.zeros((len(atoms), d, d, d))
    np.add.at(gram, i, v[:, :, None] * v[:, None, :])
    np.add.at(mixed, i, (inverse[j] - inverse[i])[..., None] * v[:, None, None, :])
    usable = labelled.is_framed & (np.linalg.cond(gram) < 1e4)
    slope = np.einsum("naim,nml->nail", mixed[usable], np.linalg.inv(gram[usable]))
    eye = np.broadcast_to(np.eye(d), (int(usable.sum()), d, d))
    field = CoframeField(atoms.positions[usable], inverse[usable], slope, eye, np.zeros((*eye.shape, d)))
    return field, np.flatnonzero(usable)


def find_defects(atoms: Atoms | ArrayLike | Triangulation) -> xr.Dataset:
    """Return the defects of a triangular crystal: groups of atoms with wrong coordination, with their exact charges.

    Each group is gone around within its own triangles: ``rotation`` (sixths of a turn), ``burgers`` in crystal axes and
    ``vector`` in space (NaN where a rotation is enclosed, or where the group is no disc), ``charge`` Σ(6 − z).
    ``ValueError`` for atoms in space, whose defects are found by loops, and beyond 400 groups.

    >>> from workbench import shapes
    >>> found = shapes.find_defects(shapes.insert(shapes.crystal("triangular", 12), "edge", burgers=[0, 1]))
    >>> found.burgers.values.tolist(), found.charge.values.tolist()
    ([[0.0, 1.0]], [0])
    """
    mesh = atoms if isinstance(atoms, Triangulation) else triangulate(as_atoms(atoms))
    groups = clusters(mesh)
    if len(groups) > MOST_CLUSTERS:
        raise ValueError(
            f"{len(groups):,} groups of atoms have a wrong coordination, more than the {MOST_CLUSTERS} that are gone "
            "around: this is no crystal, or it has molten"
        )
    n = len(groups)
    rotation, burgers, vector = np.full(n, np.nan), np.full((n, 2), np.nan), np.full((n, 2), np.nan)
    for k, group in enumerate(groups):
        walk = walk_around(mesh, group)
        if walk is None:
            continue
        found = from_walk(mesh, walk, limited=False)
        rotation[k] = found.rotation
        if found.burgers is not None and found.vector is not None:
            burgers[k], vector[k] = found.burgers, found.vector
    places = np.array([mesh.atoms.positions[group].mean(0) for group in groups]).reshape(-1, 2)
    return results.dataset(
        {
            "place": (("defect", "axis"), places, "place of the defect", "length"),
            "charge": (("defect",), [int(mesh.charges[g].sum()) for g in groups], "sum of 6 − z", "60 degrees"),
            "rotation": (("defect",), rotation, "rotation around it", "60 degrees"),
            "burgers": (("defect", "axis"), burgers, "Burgers vector in crystal axes"),
            "vector": (("defect", "axis"), vector, "Burgers vector in space", "length"),
            "size": (("defect",), [len(group) for group in groups], "atoms of wrong coordination"),
        },
        {
            "defect": (("defect",), np.arange(n), "number of the defect"),
            "axis": (("axis",), ["x", "y"], "axis"),
        },
    )


def place(atoms: Atoms, text: str) -> Atoms:
    """Return a crystal with the defects that a text names, one after the other: ``kind x y settings; …``.

    Settings are the integers of a Burgers vector, or the degrees of a wedge: ``edge 0 0 1 0; vacancy 5 2``.
    ``ValueError`` names the part that cannot be read.
    """
    parts = [part.split() for part in text.split(";") if part.strip()]
    if len(parts) > MOST_PLACED:
        raise ValueError(f"{len(parts)} defects are placed; the most are {MOST_PLACED}")
    for words in parts:
        kind = checks.choice("defect", words[0], DEFECTS)
        numbers = [_number(word, " ".join(words)) for word in words[1:]]
        if len(numbers) < 2:
            raise ValueError(f"“{' '.join(words)[:80]}” lacks its place; write: {kind} x y …")
        rest: dict[str, Any] = {}
        if numbers[2:]:
            if kind not in SETTINGS:
                raise ValueError(f"“{' '.join(words)[:80]}” says more than where; a {kind} has no settings")
            rest = {SETTINGS[kind]: numbers[2] if kind == "wedge" and len(numbers) == 3 else numbers[2:]}
        atoms = insert(atoms, kind, at=numbers[:2], **rest)
    return atoms


def _number(word: str, whole: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = np.nan
    if not abs(value) < 1e6:
        raise ValueError(f"“{whole[:80]}” holds {word[:20]!r}, which is no number within ±1e6")
    return value


@results.experiment
def circuit_report(
    lattice: str = "triangular",
    size: float = 14.0,
    placed: str = "edge 0 0 1 0",
    noise: float = 0.0,
    loop: ArrayLike | None = None,
    radius: float = 6.0,
    atoms: Atoms | ArrayLike | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Make a crystal in the plane with defects, or take ``atoms``, and go around a loop; torsion and non-metricity.

    ``placed`` names defects as :func:`place` reads them, ``noise`` shakes the atoms (in spacings), ``loop`` (m, 2) is a
    polygon in spacings, without one a circle of ``radius`` spacings around the middle. Atoms of one's own, (n, 2) or
    (n, 3), are taken as they are; ``lattice`` may then be "auto".

    Returns positions, coordination, fields at the atoms, the loop with what it encloses, and the defects. A loop that
    cannot be gone around is no error here: ``burgers`` is NaN and the attribute ``refusal`` says why.
    """
    progress = progress or Progress()
    if atoms is None:
        made, mesh, labelled, failed = _made(lattice, size, placed, noise, seed)
    else:
        made = as_atoms(atoms)
        made = replace(
            made, positions=made.positions - np.where(np.arange(made.dimension) < 2, made.positions.mean(0), 0)
        )
        made = made.shaken(noise, seed) if noise else made
        progress.update(0, 3, "the lattice")
        mesh, labelled, failed = _read(made, lattice)
    progress.update(1, 3, "the loop")
    corners = None if loop is None else checks.finite_array("loop", loop, ndim=2)
    scaled = None if corners is None else corners * made.spacing
    ground: Any = mesh if mesh is not None else labelled
    found, refusal = None, failed
    if ground is not None:
        try:
            found, refusal = holonomy(ground, scaled, radius=radius * made.spacing), ""
        except ValueError as error:
            if corners is not None and corners.shape[1:] != (2,):
                raise
            refusal = str(error)
    progress.update(2, 3, "the fields")
    fluxes = None
    if labelled is not None and made.dimension == 2:
        fluxes = loop_fluxes(
            lattice_frame(labelled), polygon(made, scaled, (0, 0), radius * made.spacing), made.spacing
        )
    return _as_dataset(made, mesh, labelled, found, refusal, fluxes)


@functools.lru_cache(maxsize=8)
def _made(
    lattice: str, size: float, placed: str, noise: float, seed: int
) -> tuple[Atoms, Triangulation | None, Labelled | None, str]:
    """Make a crystal, kept for the next loop: while one is dragged, nothing else changes."""
    made = place(crystal(lattice, size), placed)
    if made.dimension != 2:
        raise ValueError(f"{lattice} is a lattice in space; here crystals are made in the plane, or give atoms")
    made = made.shaken(noise, seed) if noise else made
    return made, *_read(made, "auto")


def _read(atoms: Atoms, lattice: str) -> tuple[Triangulation | None, Labelled | None, str]:
    flat = is_triangular(atoms, lattice)
    return triangulate(atoms) if flat else None, *_labelled(atoms, "triangular" if flat else lattice)


def _labelled(atoms: Atoms, lattice: str) -> tuple[Labelled | None, str]:
    if len(atoms) > MOST_FRAMED:
        return None, f"fields are drawn for up to {MOST_FRAMED:,} atoms"
    try:
        return label_bonds(atoms, lattice), ""
    except ValueError as error:
        return None, str(error)


def _as_dataset(
    atoms: Atoms,
    mesh: Triangulation | None,
    labelled: Labelled | None,
    found: Holonomy | None,
    refusal: str,
    fluxes: LoopFluxes | None,
) -> xr.Dataset:
    n, d = atoms.positions.shape
    fields = {name: np.full(n, np.nan) for name in FIELDS}
    if labelled is not None:
        frame, at = _field(labelled)
        parts, traces = torsion_parts(frame), nonmetricity_traces(frame)
        for name, values in (
            ("torsion", np.sqrt(parts.vector)), ("axial", np.sqrt(parts.axial)),
            ("first", np.linalg.norm(traces.first, axis=1)), ("second", np.linalg.norm(traces.second, axis=1)),
        ):  # fmt: skip
            fields[name][at] = values * atoms.spacing
    if mesh is not None:
        z, inner, odd = mesh.degrees, mesh.is_inner, mesh.charges
    else:
        count = np.zeros(n, dtype=int) if labelled is None else np.bincount(
            labelled.bonds.first[labelled.is_good], minlength=n)  # fmt: skip
        z, inner = count, np.ones(n, dtype=bool)
        odd = np.zeros(n, dtype=int) if labelled is None else (~labelled.is_framed).astype(int)
    listed = _listed(mesh)
    b = np.full(d, np.nan) if found is None or found.burgers is None else np.array(found.burgers, dtype=float)
    vector = np.full(d, np.nan) if found is None or found.vector is None else found.vector
    path = np.zeros((1, d)) if found is None else found.path
    across = np.zeros(3)
    across[:d] = np.nan_to_num(vector)
    shares = torsion_shares(across, [0, 0, 1]) if np.any(across) else (np.nan,) * 3
    report = check_circuit(found.document()) if found is not None else None
    closing = np.full(d, np.nan) if fluxes is None else fluxes.closing
    axis, atom, step = ("axis",), ("atom",), ("step",)
    return results.dataset(
        {
            "position": ((*atom, *axis), atoms.positions, "position", "length"),
            "coordination": (atom, z, "neighbours, by triangles or well-named bonds"),
            "is_inner": (atom, inner, "whether the atom is away from the rim"),
            "charge": (atom, odd, "6 − z, or 1 where no bond can be named", "60 degrees"),
            "torsion": (atom, fields["torsion"], "vector part of the torsion, its trace, times the spacing"),
            "axial": (atom, fields["axial"], "axial part of the torsion, times the spacing"),
            "first": (atom, fields["first"], "first trace of non-metricity, times the spacing"),
            "second": (atom, fields["second"], "second trace of non-metricity, times the spacing"),
            "path": ((*step, *axis), path, "the loop, by triangles crossed or atoms passed", "length"),
            "burgers": (axis, b, "Burgers vector in crystal axes"),
            "vector": (axis, vector, "Burgers vector in space", "length"),
            "closing": (axis, closing, "closing failure of the lattice coframe, −∮E in crystal axes", "length"),
            "first_flux": ((), np.nan if fluxes is None else fluxes.first, "flux of the first trace, ∮Q·n ds", "rad"),
            "second_flux": (
                (),
                np.nan if fluxes is None else fluxes.second,
                "flux of the second trace, ∮P·n ds",
                "rad",
            ),
            "rotation": (
                (),
                -1 if found is None else found.rotation,
                "rotation, −1: not known",
                "turns of the lattice",
            ),
            "angle": ((), np.nan if found is None else found.degrees, "enclosed angle Ω", "degree"),
            "bonds": ((), 0 if found is None else found.bonds, "bonds of the loop"),
            "is_checked": ((), report is not None and report.valid, "whether the small checker agrees"),
            "share": (("part",), np.array(shares), "share of the enclosed torsion, line along z"),
            "spacing": ((), atoms.spacing, "distance of nearest neighbours", "length"),
            **listed,
        },
        {
            "atom": (atom, np.arange(n), "number of the atom"),
            "axis": (axis, ["x", "y", "z"][:d], "axis"),
            "step": (step, np.arange(len(path)), "step of the loop"),
            "part": (("part",), ["axial", "vector", "tensor"], "part of the torsion"),
            "defect": (("defect",), np.arange(len(listed["defect_charge"][1])), "number of the defect"),
        },
        {
            "refusal": refusal or ("" if report is None or report.valid else f"the checker refuses: {report.message}"),
            "document": "" if found is None else found.document(),
            "lattice": "triangular" if mesh is not None else "" if labelled is None else labelled.lattice,
        },
    )


def _listed(mesh: Triangulation | None) -> dict[str, Any]:
    """Return the defects as variables; none where they are too many, or not of triangles."""
    found = None
    if mesh is not None:
        try:
            found = find_defects(mesh)
        except ValueError:
            found = None
    axes = ("defect",)
    empty = np.zeros(0)
    names = {"place": "place of a defect", "vector": "Burgers vector of a defect"}
    made: dict[str, Any] = {}
    for name, told in names.items():
        for k, word in enumerate("xy"):
            values = empty if found is None else found[name].values[:, k]
            made[f"defect_{name}_{word}"] = (axes, values, f"{told}, {word}", "length")
    charge = empty.astype(int) if found is None else found.charge.values
    made["defect_charge"] = (axes, charge, "sum of 6 − z of a defect", "60 degrees")
    return made
