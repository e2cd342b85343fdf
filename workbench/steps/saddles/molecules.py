"""Molecules and clusters from XYZ files, and what may stand for their energy: GFN2-xTB, or a pair potential.

The reader is strict: an XYZ file is a number of atoms, a line of words, and one atom a line. ASE's own reader takes
more (several frames, cells, short rows) and is not always installed; what a file means must not depend on that.

>>> from workbench import steps
>>> water = steps.read_xyz(b"3\\nwater\\nO 0 0 0.119\\nH 0 0.763 -0.477\\nH 0 -0.763 -0.477\\n")
>>> water.formula, water.sentence
('H2O', '3 atoms, H2O')
>>> surface = steps.molecule_surface(water, "morse")
>>> surface.size, surface.energy_unit
(9, 'well depths')
"""

import hashlib
import importlib.util
import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.clouds.decoding import open_text
from workbench.registry import Fact, Registry
from workbench.results import Described
from workbench.steps.saddles.chemistry import ase_surface
from workbench.steps.saddles.surfaces import LARGEST_CLUSTER, Surface, closest_pair, pair_surface

Array = NDArray[np.float64]
DEFAULT_LIMIT = 2**18
FARTHEST = 1e4
"""Å from the origin; farther atoms are a mistake in the units or the columns."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d{1,3})?")
COUNT = re.compile(r"\s*\d{1,9}\s*")
_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb "
    "Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au "
    "Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts "
    "Og"
)
ELEMENTS = tuple(_SYMBOLS.split())
"""By atomic number, from 1."""
HEAVIEST_XTB = 86
"""GFN2-xTB has parameters up to radon."""


@dataclass(frozen=True)
class Molecule(Described):
    """Atoms: their ``symbols`` (n), ``positions`` (n, 3) in Å, and a ``sentence`` on how they were read."""

    symbols: tuple[str, ...]
    positions: Array
    sentence: str = ""

    @property
    def formula(self) -> str:
        """Return the sum formula in Hill's order: carbon, hydrogen, then the alphabet."""
        counts = Counter(self.symbols)
        first = [symbol for symbol in ("C", "H") if symbol in counts] if "C" in counts else []
        order = first + sorted(set(counts) - set(first))
        return "".join(f"{symbol}{counts[symbol] if counts[symbol] > 1 else ''}" for symbol in order)

    def describe(self) -> dict[str, Any]:
        """Name the atoms for caches and provenance."""
        text = repr((self.symbols, np.asarray(self.positions).tolist()))
        return {"file": f"{self.formula}.xyz", "sha256": hashlib.sha256(text.encode()).hexdigest()}


def read_xyz(
    source: str | os.PathLike[str] | bytes | BinaryIO, *, name: str = "", max_bytes: int = DEFAULT_LIMIT
) -> Molecule:
    """Read one molecule from an XYZ file: a count, a line of words, then "symbol x y z" for every atom, in Å.

    ``source`` is a path, bytes or a binary file. An atomic number may stand for a symbol; columns beyond the fourth are
    left out, and that is said. Raises ``FileNotFoundError``; ``ValueError`` with the line for anything else than one
    complete frame of 2 to 64 atoms: a wrong count, an unknown element, a number that is none, atoms on top of each
    other, several frames, a periodic cell, columns in another order, a file larger than ``max_bytes``.

    >>> read_xyz(b"2\\n\\nH 0 0 0\\nH 0 0 0.74\\n").symbols
    ('H', 'H')
    """
    data, name = _bytes_of(source, name, max_bytes)
    text = open_text(data, name)
    lines = text.lines()
    first = next(lines, (1, ""))[1]
    if not COUNT.fullmatch(first):
        raise ValueError(f"line 1 of {name} must be the number of atoms, got {first.strip()[:40]!r}")
    count = int(first)
    if not 2 <= count <= LARGEST_CLUSTER:
        raise ValueError(f"{name} announces {count} atoms; a saddle search takes 2 to {LARGEST_CLUSTER}")
    _check_comment(next(lines, (2, ""))[1], name)
    symbols, points, extra = [], np.empty((count, 3)), 0
    for k in range(count):
        number, line = next(lines, (0, ""))
        fields = line.split()
        if not fields:
            raise ValueError(f"{name} announces {count} atoms and holds {k}; it is cut off")
        symbols.append(_symbol(fields[0], number, name))
        if len(fields) < 4:
            raise ValueError(f"line {number} of {name} has {len(fields) - 1} coordinates; write symbol x y z")
        points[k] = [_coordinate(field, number, name) for field in fields[1:4]]
        extra = max(extra, len(fields) - 4)
    for number, line in lines:
        if line.strip():
            raise ValueError(
                f"{name} goes on after its {count} atoms (line {number}); give one frame, and the right count"
            )
    i, j, nearest = closest_pair(points.reshape(-1))
    if nearest < 0.3:
        raise ValueError(
            f"atoms {i + 1} ({symbols[i]}) and {j + 1} ({symbols[j]}) of {name} are {nearest:.2g} Å apart; coordinates "
            "are read in Å"
        )
    made = Molecule(tuple(symbols), points)
    left = f"; {extra} more column{'s' * (extra > 1)} left out" if extra else ""
    return Molecule(made.symbols, points, f"{count} atoms, {made.formula}{left}")


def _bytes_of(source: Any, name: str, max_bytes: int) -> tuple[bytes, str]:
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {str(path)!r}")
        with path.open("rb") as stream:
            data, name = stream.read(max_bytes + 1), name or path.name
    elif isinstance(source, (bytes, bytearray)):
        data, name = bytes(source), name or "the upload"
    elif hasattr(source, "read"):
        name = name or os.path.basename(str(getattr(source, "name", "the upload")))
        data = source.read(max_bytes + 1)
        if not isinstance(data, bytes):
            raise TypeError(f"{name} is open as text; open it in binary mode, open(path, 'rb')")
    else:
        raise TypeError(f"source must be a path, bytes or a binary file, got {type(source).__name__}")
    if not data:
        raise ValueError(f"{name} is empty")
    if len(data) > max_bytes:
        raise ValueError(
            f"{name} has more than {max_bytes // 1024} KiB; {LARGEST_CLUSTER} atoms, the most that are taken, need less"
        )
    return data, name


def _check_comment(comment: str, name: str) -> None:
    """Refuse what the extended format says in the second line and a search cannot honour."""
    if re.search(r"\blattice\s*=", comment, re.I) or re.search(r'\bpbc\s*=\s*"?[^"]*T', comment):
        raise ValueError(f"{name} has a periodic cell; distances here know no images. Give a molecule or a cluster")
    columns = re.search(r'\bproperties\s*=\s*"?([\w:]+)', comment, re.I)
    if columns and not columns[1].lower().startswith("species:s:1:pos:r:3"):
        raise ValueError(f"{name} has columns {columns[1][:60]}; species and positions must be the first")


def _symbol(field: str, number: int, name: str) -> str:
    if field.isascii() and field.isdigit() and 1 <= int(field[:4]) <= len(ELEMENTS):
        return ELEMENTS[int(field[:4]) - 1]
    symbol = field.capitalize()
    if symbol not in ELEMENTS:
        raise ValueError(f"line {number} of {name} begins with {field[:20]!r}, which is no element; write C, H, O, …")
    return symbol


def _coordinate(field: str, number: int, name: str) -> float:
    if not NUMBER.fullmatch(field):
        hint = "; write a decimal point" if "," in field else ""
        raise ValueError(f"line {number} of {name} has {field[:30]!r} where a coordinate belongs{hint}")
    value = float(field.replace("D", "e").replace("d", "e"))
    if not abs(value) <= FARTHEST:
        raise ValueError(f"line {number} of {name} has a coordinate of {value:g}, beyond ±{FARTHEST:g} Å")
    return value


# ---- energies ------------------------------------------------------------------------------------------------------

ENERGIES = Registry(
    "energy",
    facts={
        "needs": Fact(str, required=False, says="the package that must be installed"),
        "chemistry": Fact(bool, says="whether it knows one element from another"),
    },
)
RANGE = 6.0
"""ρ of the Morse potential e^{ρ(1 − r/r₀)}: at 6 its well is about as wide as that of Lennard-Jones."""
Potential = Callable[[Array], tuple[Array, Array, Array]]


@ENERGIES.add(
    "gfn2-xtb",
    label="GFN2-xTB (quantum chemistry)",
    reference="C. Bannwarth, S. Ehlert, S. Grimme, J. Chem. Theory Comput. 15 (2019) 1652",
    chemistry=True,
    needs="tblite",
)
def _gfn2(molecule: Molecule, charge: int, multiplicity: int | None) -> Surface:
    heavy = [s for s in molecule.symbols if ELEMENTS.index(s) >= HEAVIEST_XTB]
    if heavy:
        raise ValueError(f"GFN2-xTB ends with radon and knows no {heavy[0]}; choose another energy")
    electrons = sum(ELEMENTS.index(s) + 1 for s in molecule.symbols) - charge
    if electrons < 1:
        raise ValueError(f"a charge of {charge} leaves {molecule.formula} no electron")
    if multiplicity is None:
        multiplicity = 1 + electrons % 2
    if multiplicity > electrons + 1 or (electrons + multiplicity) % 2 == 0:
        raise ValueError(f"{electrons} electrons have no multiplicity of {multiplicity}")
    from ase import Atoms
    from tblite.ase import TBLite

    atoms = Atoms(list(molecule.symbols), positions=molecule.positions)
    atoms.calc = TBLite(method="GFN2-xTB", charge=charge, multiplicity=multiplicity, verbosity=0)
    return ase_surface(atoms)


@ENERGIES.add(
    "lennard-jones",
    label="Lennard-Jones (no chemistry)",
    formula=r"E=\sum_{i<j}(r_0/r_{ij})^{12}-2(r_0/r_{ij})^6",
    chemistry=False,
)
def _lennard_jones(molecule: Molecule, charge: int, multiplicity: int | None) -> Surface:
    rest = typical_distance(molecule.positions)

    def potential(r: Array) -> tuple[Array, Array, Array]:
        six = (rest / r) ** 6
        return six * six - 2 * six, 12 * (six - six * six) / r, (156 * six * six - 84 * six) / r**2

    return _pairs(molecule, potential)


@ENERGIES.add(
    "morse",
    label="Morse (no chemistry)",
    formula=r"E=\sum_{i<j}e^{\rho(1-r_{ij}/r_0)}(e^{\rho(1-r_{ij}/r_0)}-2)",
    reference="P. M. Morse, Phys. Rev. 34 (1929) 57",
    chemistry=False,
)
def _morse(molecule: Molecule, charge: int, multiplicity: int | None) -> Surface:
    rest = typical_distance(molecule.positions)
    slope = RANGE / rest

    def potential(r: Array) -> tuple[Array, Array, Array]:
        e = np.exp(RANGE - slope * r)
        return e * (e - 2), 2 * slope * e * (1 - e), 2 * slope**2 * e * (2 * e - 1)

    return _pairs(molecule, potential)


def _pairs(molecule: Molecule, potential: Potential) -> Surface:
    return pair_surface(
        molecule.formula,
        potential,
        molecule.positions,
        molecule.symbols,
        length_unit="Å",
        energy_unit="well depths",
    )


def typical_distance(positions: Array) -> float:
    """Return the median distance to the nearest neighbour: where the pair potentials have their minimum."""
    gaps = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    return float(np.median(gaps.min(axis=1)))


def available_energies() -> list[str]:
    """Return the names of ``ENERGIES`` that can be used here: those that need no package, or an installed one."""
    found = []
    for name, entry in ENERGIES.items():
        package = entry.facts.get("needs", "")
        needed = ("ase", package) if package else ()
        if all(importlib.util.find_spec(module) is not None for module in needed):
            found.append(name)
    return found


def chosen_energy(energy: str) -> str:
    """Return the name of the energy that ``energy`` means here; ``auto``: the first of ``ENERGIES`` that is usable.

    Raises ``ValueError`` for one that needs a package which is not installed.
    """
    usable = available_energies()
    if energy == "auto":
        return usable[0]
    name = ENERGIES[energy].name
    if name not in usable:
        raise ValueError(
            f"{ENERGIES[name].label} needs ase and {ENERGIES[name].fact('needs')}; install the extra [chem], or choose "
            f"{' or '.join(usable)}"
        )
    return name


def molecule_surface(
    molecule: Molecule, energy: str = "auto", *, charge: int = 0, multiplicity: int | None = None
) -> Surface:
    """Return the energy surface of a molecule: GFN2-xTB in eV, or a pair potential that knows no elements.

    ``energy`` is a name of ``ENERGIES``, or ``"auto"``: GFN2-xTB with the extra ``[chem]``, else Lennard-Jones. The
    pair potentials have one well for all pairs, at the molecule's median nearest-neighbour distance, and take its depth
    as the unit: they say how atoms of that size pack, nothing of bonds. ``charge`` and ``multiplicity`` (default: 1, or
    2 for an odd number of electrons) are for GFN2-xTB. Raises ``ValueError`` as said there. Cost: nothing before the
    first call.

    >>> square = Molecule(("Ar",) * 4, np.array([[0.0, 0, 0], [3.8, 0, 0], [3.8, 3.8, 0], [0, 3.8, 0]]))
    >>> value, gradient = molecule_surface(square, "lennard-jones")(square.positions)
    >>> round(value, 3)
    -4.469
    """
    if not isinstance(molecule, Molecule):
        raise TypeError(f"molecule must come from steps.read_xyz, got {type(molecule).__name__}")
    name = chosen_energy(energy)
    charge = checks.integer("charge", charge, minimum=-10, maximum=10)
    if multiplicity is not None:
        multiplicity = checks.integer("multiplicity", multiplicity, minimum=1, maximum=15)
    return ENERGIES[name](molecule, charge, multiplicity)
