"""Burgers vectors next to OVITO's dislocation analysis, on dislocations that matscipy builds: equal values, then time.

    python benchmarks/shapes_defects.py [--quick] [--write]

matscipy (with atomman), ase and ovito are installed in an environment of their own (see ``rivals.py``). The cylinders
of tungsten and copper are relaxed by anisotropic elasticity there and written to a file; both sides then look at the
same atoms, on one thread, the best of several rounds. DXA refuses cells of one period: it gets them repeated to 20 Å,
and that is in its time.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from report import finish, heading
from rivals import asked, environment

from workbench import shapes
from workbench.shapes.defects.atoms import Atoms

PACKAGES = ("matscipy==1.3.1", "atomman==1.5.4", "ase==3.29.0", "ovito==3.17.2")
NAMES = (
    "BCCScrew111Dislocation", "BCCEdge111Dislocation", "BCCMixed111Dislocation", "FCCScrew110Dislocation",
    "FCCEdge110Dislocation",
)  # fmt: skip
BUILD = """
import json, sys
import numpy as np
from matscipy import dislocation as d
folder, radius, names = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
metals = {"BCC": ("W", 3.1434, 523.0, 203.0, 163.0), "FCC": ("Cu", 3.615, 169.0, 122.0, 75.3)}
told = []
for name in names:
    symbol, a, c11, c12, c44 = metals[name[:3]]
    made = getattr(d, name)(a, c11, c12, c44, symbol=symbol)
    _, atoms = made.build_cylinder(radius)
    axes = np.array(made.axes, dtype=float)
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    np.savez(f"{folder}/{name}.npz", positions=atoms.positions, cell=np.array(atoms.cell), pbc=atoms.pbc, axes=axes,
             burgers=np.array(made.burgers), a=a, numbers=atoms.numbers)
    told.append(len(atoms))
print(json.dumps(told))
"""
DXA = """
import json, sys, time
import numpy as np
from ase import Atoms
from ovito.io.ase import ase_to_ovito
from ovito.modifiers import DislocationAnalysisModifier as Analysis
from ovito.pipeline import Pipeline, StaticSource
folder, rounds, names = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
found = {}
for name in names:
    own = np.load(f"{folder}/{name}.npz")
    atoms = Atoms(own["numbers"], own["positions"], cell=own["cell"], pbc=own["pbc"])
    atoms = atoms.repeat((1, 1, int(np.ceil(20 / atoms.cell[2, 2]))))  # a cell of one period is too short for it
    best = float("inf")
    for _ in range(rounds):
        pipeline = Pipeline(source=StaticSource(data=ase_to_ovito(atoms)))
        analysis = Analysis()
        analysis.input_crystal_structure = Analysis.Lattice.BCC if name[:3] == "BCC" else Analysis.Lattice.FCC
        pipeline.modifiers.append(analysis)
        began = time.process_time()
        data = pipeline.compute()
        best = min(best, time.process_time() - began)
    found[name] = best, [list(map(float, line.true_burgers_vector)) for line in data.dislocations.lines]
print(json.dumps(found))
"""
LOOPS = ((10.0, (0.0, 0.0)), (15.0, (0.0, 0.0)), (12.0, (3.0, 2.0)))


def look(own: dict[str, np.ndarray], lattice: str) -> tuple[float, list[tuple[int, ...]], bool, float]:
    """Return the seconds for labels and three loops, the integers, whether all are proved, the checker's seconds."""
    began = time.process_time()
    found = shapes.as_atoms(own["positions"], own["cell"][own["pbc"]])
    nearest = float(own["a"]) * (np.sqrt(0.75) if lattice == "bcc" else np.sqrt(0.5))
    atoms = Atoms(found.positions, nearest, found.periods, lattice, own["axes"])
    labelled = shapes.label_bonds(atoms)
    centre = atoms.positions[:, :2].mean(0)
    circuits = [shapes.holonomy(labelled, radius=r, at=centre + np.array(at)) for r, at in LOOPS]
    seconds = time.process_time() - began
    began = time.process_time()
    proved = all(shapes.check_circuit(one.document()).valid for one in circuits)
    return seconds, [one.burgers for one in circuits if one.burgers], proved, time.process_time() - began


def compared(python: Path, rounds: int, told: list[str]) -> list[str]:
    """Return the table: what both sides find on the same atoms, and their times as ratios."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            counts = asked(python, BUILD, folder, 20, *NAMES)
        except RuntimeError as error:
            return [f"The rivals could not be asked: {error} ({'; '.join(told)})."]
        try:
            theirs = asked(python, DXA, folder, rounds, *NAMES)
        except RuntimeError as error:
            theirs, told = {}, [*told, f"OVITO did not answer: {error}"]
        lines = [
            "| dislocation | atoms | b put in (Å) | ours, 3 loops | proved | DXA | DXA ÷ ours | checker ÷ ours |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for name, count in zip(NAMES, counts, strict=True):
            with np.load(Path(folder) / f"{name}.npz") as file:
                own = dict(file)
            lattice = name[:3].lower()
            best = min((look(own, lattice) for _ in range(rounds)), key=lambda one: one[0])
            seconds, burgers, proved, checked = best
            in_space = own["burgers"]
            turned = {tuple(np.round(own["axes"] @ (np.array(b) * float(own["a"]) / 2), 4) + 0.0) for b in burgers}
            known = name in theirs
            dxa = "; ".join(str(np.round(b, 3).tolist()) for b in theirs[name][1]) if known else "–"
            ratio = f"{theirs[name][0] / seconds:.2g}" if known else "–"
            lines.append(
                f"| {name} | {count:,} | {np.round(in_space, 4).tolist()} | {sorted(set(burgers))} = "
                f"{[[*map(float, one)] for one in turned]} Å | {proved} | {dxa} | {ratio} | {checked / seconds:.2g} |"
            )
    return [*lines, "", f"{'; '.join(told)}. DXA counts cube edges, up to a symmetry of the lattice; we half edges."]


def main() -> None:
    """Build, look from both sides, and print or store one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--write", action="store_true", help="store the table in benchmarks/results/shapes_defects.md")
    given = parser.parse_args()
    lines = heading("Defects of crystals", "python benchmarks/shapes_defects.py --write", ("numpy", "scipy"))
    python, told = environment("shapes-defects", PACKAGES)
    lines += compared(python, 1 if given.quick else 3, told)
    finish("shapes_defects", lines, write=given.write)


if __name__ == "__main__":
    main()
