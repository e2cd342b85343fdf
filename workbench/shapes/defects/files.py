"""Atoms from a file of the user's own: tables of x, y(, z), XYZ, and whatever ase reads (CIF, LAMMPS, POSCAR, …)."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from workbench import checks, isolated
from workbench.clouds import foreign
from workbench.clouds.files import read_bytes
from workbench.clouds.source import bytes_of
from workbench.progress import Progress
from workbench.shapes.defects.atoms import Atoms, as_atoms

TABLES = ("csv", "tsv", "txt", "npy")
BY_ASE = {"xyz": "extxyz", "extxyz": "extxyz", "cif": "cif", "lmp": "lammps-data", "dump": "lammps-dump-text",
          "vasp": "vasp", "poscar": "vasp"}  # fmt: skip
"""Ending → the name that ase has for the format; text formats only."""
FORMATS = (*TABLES, *BY_ASE)
DEFAULT_LIMIT = 32 * 2**20
FLAT = 0.1
"""Spacings: a third coordinate that stays within it is no third dimension."""


@dataclass(frozen=True, eq=False)
class AtomsReading:
    """What a file holds: atoms, and how it was read."""

    atoms: Atoms
    sentence: str


def read_atoms(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    max_bytes: int = DEFAULT_LIMIT,
    apart: bool = False,
    progress: Progress | None = None,
) -> AtomsReading:
    """Read atoms from a path, or from a binary file with a name.

    Tables (CSV, TSV, TXT, NPY) hold x, y and perhaps z. XYZ, CIF and LAMMPS files are read by ase where it is installed
    (extra ``[chem]``), with their periods; a plain XYZ also without it. Periods are kept where the file says that the
    cell repeats. Atoms whose z does not change lie in the plane. ``apart`` reads a stranger's file in a process that
    can be ended. ``ValueError`` for an unknown ending, a broken file, and whatever :func:`as_atoms` refuses.

    >>> import io
    >>> stream = io.BytesIO(b"x,y\\n" + b"\\n".join(b"%d,%d" % (i, j) for i in range(4) for j in range(4)))
    >>> stream.name = "mine.csv"
    >>> read_atoms(stream).sentence
    '16 atoms in the plane, nearest neighbours 1 apart; 16 rows; columns x, y; separated by commas; 1 header row'
    """
    name, data = bytes_of(source, max_bytes)
    ending = Path(name).suffix.lower().lstrip(".") or Path(name).name.lower()
    if ending not in FORMATS:
        raise ValueError(f"cannot read {name!r}; give a file that ends in one of {', '.join(FORMATS)}")
    periods = np.zeros((0, 3))
    if ending in TABLES:
        found = (
            foreign.read_cloud(data, name, max_bytes=max_bytes, progress=progress) if apart else read_bytes(data, name)
        )
        positions, told = found.points, found.sentence
    else:
        bound = foreign.limits(len(data), 4 * len(data))
        made = isolated.read(ase_positions, data, ending, limits=bound, progress=progress) if apart else (
            ase_positions(data, ending))  # fmt: skip
        positions, periods, told = made
    positions = checks.finite_array(f"the positions in {name}", positions, ndim=2)
    if positions.shape[1] == 3 and not len(periods):
        spread = float(np.ptp(positions[:, 2]))
        if spread <= FLAT * as_atoms(positions).spacing:
            positions = positions[:, :2]
    atoms = as_atoms(positions, periods[:, : positions.shape[1]] if len(periods) else None)
    where = "in the plane" if atoms.dimension == 2 else "in space"
    repeat = f", repeating along {len(atoms.periods)} vectors" if len(atoms.periods) else ""
    sentence = f"{len(atoms):,} atoms {where}{repeat}, nearest neighbours {atoms.spacing:.4g} apart; {told}"
    return AtomsReading(atoms, sentence)


def ase_positions(data: bytes, ending: str) -> tuple[np.ndarray, np.ndarray, str]:
    """Return positions (n, 3), periods (p, 3) and how they were read; a plain XYZ is read where ase is missing."""
    import io

    try:
        from ase.io import read
    except ModuleNotFoundError as error:
        if ending == "xyz":
            found = read_bytes(data, "atoms.xyz")
            return found.points, np.zeros((0, 3)), found.sentence
        raise ValueError(
            f"a .{ending} file is read by ase, which is not installed: pip install ase, or give a CSV of x, y, z"
        ) from error
    try:
        stream = io.StringIO(data.decode("utf-8"))
        options = {"atom_style": "atomic"} if BY_ASE[ending] == "lammps-data" else {}
        atoms = read(stream, index=-1 if ending != "dump" else 0, format=BY_ASE[ending], **options)
    except Exception as error:  # every reader of ase raises what it likes
        raise ValueError(
            f"ase cannot read this as {BY_ASE[ending]}: {type(error).__name__}: {str(error)[:200]}"
        ) from error
    periods = np.asarray(atoms.cell)[np.asarray(atoms.pbc)]
    return np.asarray(atoms.positions), periods[np.abs(periods).sum(1) > 0], f"read by ase as {BY_ASE[ending]}"
