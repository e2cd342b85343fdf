"""The rivals' side of ``steps_saddles.py``: runs in an environment that has ASE and Sella, and nothing of ours.

It reads a search on each line of its input, asks for every energy on its output, and ends with where the search went:
the surface and the counting of calls stay with the one who asks, so that all methods see one surface and one counter.
"""

import json
import os
import sys
import time
import warnings

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

ASK = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # whatever the packages print goes to the errors


class Enough(Exception):
    """The one who asks wants no more calls."""


def asked(message: dict) -> dict:
    """Say something and return the answer."""
    ASK.write(json.dumps(message) + "\n")
    ASK.flush()
    return json.loads(sys.stdin.readline())


class Asking(Calculator):
    """A calculator whose energies come from the other side; a plane is one atom that must keep z = 0."""

    implemented_properties = ("energy", "forces")

    def __init__(self, plane: bool) -> None:
        super().__init__()
        self.plane = plane

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """Ask for the energy and the gradient at the atoms' positions."""
        super().calculate(atoms, properties, system_changes)
        positions = self.atoms.get_positions()
        answer = asked({"x": (positions[0, :2] if self.plane else positions.reshape(-1)).tolist()})
        if "stop" in answer:
            raise Enough(answer["stop"])
        forces = -np.array(answer["gradient"])
        self.results["energy"] = answer["energy"]
        self.results["forces"] = np.array([[*forces, 0.0]]) if self.plane else forces.reshape(-1, 3)


def ase_dimer(atoms: Atoms, axis: np.ndarray, fmax: float, most: int) -> None:
    """ASE's dimer as it comes, told the first axis."""
    from ase.mep import DimerControl, MinModeAtoms, MinModeTranslate

    control = DimerControl(logfile=None, eigenmode_logfile=None)
    wrapped = MinModeAtoms(atoms, control, eigenmodes=[axis], random_seed=0)
    MinModeTranslate(wrapped, trajectory=None, logfile=None).run(fmax=fmax, steps=most)


def sella(atoms: Atoms, axis: np.ndarray, fmax: float, most: int, **options: object) -> None:
    """Sella as it comes, told the first axis (in Cartesian coordinates).

    In a plane z is fixed and nothing rigid is taken out.
    """
    from sella import Constraints, Sella

    if atoms.calc.plane:
        constraints = Constraints(atoms)
        constraints.fix_translation(0, dim=2)
        options |= {"constraints": constraints, "proj_trans": False, "proj_rot": False}
    search = Sella(atoms, order=1, logfile=None, **options)
    if not options.get("internal"):
        search.pes.v0 = axis.reshape(-1) @ search.pes.get_Ufree()  # among the coordinates that are free
    search.run(fmax=fmax, steps=most)


METHODS = {
    "ase-dimer": ase_dimer,
    "sella": sella,
    "sella-internal": lambda *search: sella(*search, internal=True),
}


def main() -> None:
    """Search as long as there are searches."""
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        search = json.loads(line)
        plane = len(search["x"]) == 2
        points, axis = (
            np.array([[*search[name], 0.0]]) if plane else np.array(search[name]).reshape(-1, 3)
            for name in ("x", "axis")
        )
        atoms = Atoms(search["symbols"] or ["Ar"] * len(points), positions=points)
        atoms.calc = Asking(plane)
        reason, began = "", time.process_time()
        try:
            METHODS[search["method"]](atoms, axis, search["fmax"], search["most"])
        except Enough as enough:
            reason = str(enough)
        except Exception as error:  # a rival that breaks has failed, and the others go on
            reason = f"{type(error).__name__}: {error}"[:200]
        positions = atoms.get_positions()
        end = positions[0, :2] if plane else positions.reshape(-1)
        ASK.write(json.dumps({"end": end.tolist(), "reason": reason, "seconds": time.process_time() - began}) + "\n")
        ASK.flush()


if __name__ == "__main__":
    main()
