"""Studies behind the verdicts: how much shaking the integers stand, and dislocations in space."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from workbench import checks, results
from workbench.progress import Progress
from workbench.shapes.defects.atoms import crystal
from workbench.shapes.defects.checker import check_circuit
from workbench.shapes.defects.frames import torsion_shares
from workbench.shapes.defects.holonomy import holonomy
from workbench.shapes.defects.insertion import insert
from workbench.shapes.defects.labels import label_bonds
from workbench.shapes.defects.triangles import triangulate

LOOPS = ((4.0, (0.0, 0.0)), (8.0, (0.0, 0.0)), (12.0, (2.0, 1.0)), (15.0, (-3.0, 4.0)))
"""Radius and centre in spacings of loops around a dislocation in the middle; the last two are off centre."""
MISSES = ((5.0, (14.0, 8.0)), (5.0, (-14.0, 8.0)))
NOISES = (0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.14)
CASES: dict[str, tuple[str, tuple[int, int, int], str, tuple[int, int, int]]] = {
    "bcc screw": ("bcc", (1, 1, 1), "screw", (1, 1, 1)),
    "bcc edge": ("bcc", (1, -2, 1), "edge", (1, 1, 1)),
    "bcc mixed": ("bcc", (1, 1, 0), "mixed", (1, 1, 1)),
    "fcc screw": ("fcc", (1, 1, 0), "screw", (1, 1, 0)),
    "fcc edge": ("fcc", (1, 1, -2), "edge", (1, -1, 0)),
}
"""Name → lattice, line, kind and Burgers vector; integers in half cube edges."""
CIRCUITS = ((5.0, (0.0, 0.0)), (7.0, (0.0, 0.0)), (6.0, (2.0, 1.0)))


@results.experiment
def noise_breakdown(
    noises: ArrayLike = NOISES,
    repeats: int = 20,
    size: float = 30.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Shake a crystal with one dislocation until loops around it give a wrong answer.

    For each standard deviation in ``noises`` (spacings, along each axis) and each of ``repeats`` draws: how many of
    four loops that enclose it and two that miss it answer (1, 0) and (0, 0), how many are refused, how many are wrong,
    and how many atoms have a wrong coordination. About 60 ms a draw at 3,262 atoms.
    """
    levels = checks.finite_array("noises", noises, ndim=1)
    repeats = checks.integer("repeats", repeats, minimum=1, maximum=10_000)
    size = checks.real("size", size, minimum=22, maximum=120)
    progress = progress or Progress()
    made = insert(crystal("triangular", size), "edge", burgers=[1, 0])
    shape = (len(levels), repeats)
    exact, refused, wrong, odd = (np.zeros(shape, dtype=int) for _ in range(4))
    generators = np.random.default_rng(seed).spawn(repeats)
    for k, noise in enumerate(levels):
        for r, generator in enumerate(generators):
            progress.update(k * repeats + r, len(levels) * repeats, "shaking")
            mesh = triangulate(made.shaken(float(noise), generator))
            odd[k, r] = int((mesh.charges != 0).sum())
            for loops, truth in ((LOOPS, (1, 0)), (MISSES, (0, 0))):
                for radius, at in loops:
                    try:
                        found = holonomy(mesh, radius=radius, at=at).burgers
                    except ValueError:
                        refused[k, r] += 1
                        continue
                    exact[k, r] += found == truth
                    wrong[k, r] += found != truth
    dims = ("noise", "repeat")
    return results.dataset(
        {
            "exact": (dims, exact, "loops with the exact answer"),
            "refused": (dims, refused, "loops that were refused"),
            "wrong": (dims, wrong, "loops with another answer"),
            "odd": (dims, odd, "atoms of wrong coordination"),
            "loops": ((), len(LOOPS) + len(MISSES), "loops"),
            "atoms": ((), len(made), "atoms"),
        },
        {
            "noise": (("noise",), levels, "standard deviation of the shaking", "spacings"),
            "repeat": (("repeat",), np.arange(repeats), "draw"),
        },
    )


@results.experiment
def dislocation_circuits(
    size: float = 12.0, noise: float = 0.0, seed: int = 0, progress: Progress | None = None
) -> xr.Dataset:
    """Go around five dislocations in space, three loops each, one off centre; found and expected, in crystal axes.

    The crystals are cylinders one period high, so a loop may climb along the line and come back by the period. Returns
    Burgers vectors in half cube edges, whether the checker proves each, and the shares of the torsion.
    """
    size = checks.real("size", size, minimum=11, maximum=40)
    progress = progress or Progress()
    n, m = len(CASES), len(CIRCUITS)
    found, expected = np.zeros((n, m, 3), dtype=int), np.zeros((n, 3), dtype=int)
    proved, bonds, shares = np.zeros((n, m), dtype=bool), np.zeros((n, m), dtype=int), np.zeros((n, 3))
    for k, (name, (lattice, line, kind, burgers)) in enumerate(CASES.items()):
        progress.update(k, n, name)
        made = insert(crystal(lattice, size, line=line), kind, burgers=burgers)
        labelled = label_bonds(made.shaken(noise, seed) if noise else made)
        expected[k] = burgers
        unit: Any = np.array(burgers, dtype=float)
        shares[k] = torsion_shares(unit, np.array(line, dtype=float))
        for c, (radius, at) in enumerate(CIRCUITS):
            one = holonomy(labelled, radius=radius, at=at)
            found[k, c], bonds[k, c] = one.burgers, one.bonds
            proved[k, c] = check_circuit(one.document()).valid
    case, loop, axis = ("case",), ("case", "loop"), ("axis",)
    return results.dataset(
        {
            "found": ((*loop, *axis), found, "Burgers vector found", "half cube edges"),
            "expected": ((*case, *axis), expected, "Burgers vector put in", "half cube edges"),
            "is_proved": (loop, proved, "whether the checker proves it"),
            "bonds": (loop, bonds, "bonds of the loop"),
            "share": ((*case, "part"), shares, "share of the torsion"),
        },
        {
            "case": (case, list(CASES), "dislocation"),
            "loop": (("loop",), np.arange(m), "loop"),
            "axis": (axis, ["x", "y", "z"], "crystal axis"),
            "part": (("part",), ["axial", "vector", "tensor"], "part of the torsion"),
        },
    )
