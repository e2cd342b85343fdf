"""The shapes room: bring atoms, samples or surfaces, and get what they hold with a proof that can be checked.

>>> from workbench import shapes
>>> shapes.torsion_shares([1, 0, 0], [0, 0, 1])  # an edge dislocation: axial, vector and tensor share
(0.0, 0.5, 0.5)
"""

from workbench.shapes.defects import (
    DEFECTS,
    LATTICES,
    Atoms,
    CoframeField,
    Holonomy,
    as_atoms,
    check_circuit,
    circuit_report,
    crystal,
    defect_dictionaries,
    defects,
    dislocation_circuits,
    holonomy,
    insert,
    label_bonds,
    lattice_frame,
    noise_breakdown,
    nonmetricity_traces,
    place,
    read_atoms,
    sampled_frame,
    torsion_parts,
    torsion_shares,
    triangulate,
)

__all__ = [
    "DEFECTS",
    "LATTICES",
    "Atoms",
    "CoframeField",
    "Holonomy",
    "as_atoms",
    "check_circuit",
    "circuit_report",
    "crystal",
    "defect_dictionaries",
    "defects",
    "dislocation_circuits",
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
