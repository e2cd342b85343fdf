"""Defects of crystals: their charges as integers, and what three dictionaries of geometry call them.

>>> from workbench.shapes import defects
>>> defects.torsion_shares([0, 0, 1], [0, 0, 1])[1]  # a screw has nothing in the trace of torsion
0.0
"""

from workbench.shapes.defects.atoms import Atoms, as_atoms, crystal
from workbench.shapes.defects.checker import check_circuit
from workbench.shapes.defects.dictionaries import defect_dictionaries
from workbench.shapes.defects.files import read_atoms
from workbench.shapes.defects.frames import (
    CoframeField,
    nonmetricity_traces,
    sampled_frame,
    torsion_parts,
    torsion_shares,
)
from workbench.shapes.defects.holonomy import Holonomy, holonomy
from workbench.shapes.defects.insertion import DEFECTS, insert
from workbench.shapes.defects.labels import label_bonds
from workbench.shapes.defects.lattices import LATTICES
from workbench.shapes.defects.report import circuit_report, find_defects, lattice_frame, place
from workbench.shapes.defects.study import dislocation_circuits, noise_breakdown
from workbench.shapes.defects.triangles import triangulate
from workbench.shapes.defects.verification import circuit_verification

__all__ = [
    "DEFECTS",
    "LATTICES",
    "Atoms",
    "CoframeField",
    "Holonomy",
    "as_atoms",
    "check_circuit",
    "circuit_report",
    "circuit_verification",
    "crystal",
    "defect_dictionaries",
    "dislocation_circuits",
    "find_defects",
    "holonomy",
    "insert",
    "label_bonds",
    "lattice_frame",
    "noise_breakdown",
    "nonmetricity_traces",
    "place",
    "read_atoms",
    "sampled_frame",
    "torsion_parts",
    "torsion_shares",
    "triangulate",
]
