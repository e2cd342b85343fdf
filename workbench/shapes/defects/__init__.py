"""Defects of crystals: their charges as integers, and what three dictionaries of geometry call them.

>>> from workbench.shapes import defects
>>> defects.torsion_shares([0, 0, 1], [0, 0, 1])[1]  # a screw has nothing in the trace of torsion
0.0
"""

from workbench.shapes.defects.dictionaries import defect_dictionaries
from workbench.shapes.defects.frames import (
    CoframeField,
    nonmetricity_traces,
    sampled_frame,
    torsion_parts,
    torsion_shares,
)

__all__ = [
    "CoframeField",
    "defect_dictionaries",
    "nonmetricity_traces",
    "sampled_frame",
    "torsion_parts",
    "torsion_shares",
]
