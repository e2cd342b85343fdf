"""Energy surfaces of molecules from any ASE calculator: EMT, GFN2-xTB by tblite, or one's own (extra ``[chem]``)."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.steps.saddles.surfaces import LARGEST_CLUSTER, Surface

if TYPE_CHECKING:
    from ase import Atoms


def ase_surface(atoms: "Atoms", *, tolerance: float = 0.01) -> Surface:
    """Return the surface of an ``ase.Atoms`` with a calculator, started at its positions; in Å and eV.

    ``tolerance`` (eV/Å) is for the largest component of the gradient. The atoms are copied, the calculator is used as
    it is: charge and multiplicity are its own. An error of the calculator in the middle of a search ends that search
    with a reason. Raises ``TypeError`` for anything but atoms, ``ValueError`` for atoms without a calculator, periodic
    cells, constraints and more than 64 atoms. Cost: one energy with forces a call.

    With the extra installed::

        from ase.build import molecule
        from tblite.ase import TBLite

        atoms = molecule("CH3CHO")
        atoms.calc = TBLite(method="GFN2-xTB", verbosity=0)
        found = steps.saddle(steps.ase_surface(atoms))
    """
    if not (hasattr(atoms, "get_positions") and hasattr(atoms, "get_chemical_symbols")):
        raise TypeError(f"atoms must be an ase.Atoms, got {type(atoms).__name__}")
    if atoms.calc is None:
        raise ValueError("atoms have no calculator; set atoms.calc, for example to tblite.ase.TBLite()")
    if np.any(atoms.pbc):
        raise ValueError("periodic cells are not supported: distances here know no images; set atoms.pbc = False")
    if atoms.constraints:
        raise ValueError("constrained atoms are not supported; remove the constraints with atoms.set_constraint()")
    checks.integer("the number of atoms", len(atoms), minimum=2, maximum=LARGEST_CLUSTER)
    own = atoms.copy()
    own.calc = atoms.calc

    def evaluate(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        own.set_positions(x.reshape(-1, 3))
        return float(own.get_potential_energy()), -np.asarray(own.get_forces(), dtype=np.float64).reshape(-1)

    species = tuple(own.get_chemical_symbols())
    start = np.asarray(own.get_positions(), dtype=np.float64).reshape(-1)
    tolerance = checks.real("tolerance", tolerance, exclusive_minimum=0)
    surface = Surface(
        str(own.symbols), evaluate, start, species, tolerance=tolerance, length_unit="Å", energy_unit="eV"
    )
    surface.check("atoms", start)
    return surface
