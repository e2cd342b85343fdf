"""Surfaces from ASE calculators; skipped where the extra ``[chem]`` is not installed."""

import numpy as np
import pytest

from workbench import steps

ase = pytest.importorskip("ase")


def dimer(element="Cu", distance=2.4):
    from ase.calculators.emt import EMT

    atoms = ase.Atoms(f"{element}2", positions=[(0, 0, 0), (0, 0, distance)])
    atoms.calc = EMT()
    return atoms


def test_gradient_is_that_of_the_calculators_energy(rng):
    atoms = ase.Atoms("Cu3", positions=rng.uniform(0, 1, (3, 3)) + np.array([[0, 0, 0], [2.3, 0, 0], [0, 2.4, 0]]))
    atoms.calc = dimer().calc
    surface = steps.ase_surface(atoms)
    h, x = 1e-5, surface.start
    slopes = [(surface(x + h * v)[0] - surface(x - h * v)[0]) / (2 * h) for v in np.eye(9)]
    assert np.allclose(surface(x)[1], slopes, atol=1e-6)


def test_a_calculator_of_ase_agrees_with_our_cluster():
    from ase.calculators.lj import LennardJones

    own = steps.SURFACES["lennard-jones"](7)
    atoms = ase.Atoms("Ar7", positions=own.start.reshape(-1, 3))
    atoms.calc = LennardJones(rc=1000.0)
    surface = steps.ase_surface(atoms)
    x = own.start + 0.02 * np.random.default_rng(0).normal(size=21)
    assert surface(x)[0] == pytest.approx(own(x)[0], abs=1e-6)
    assert np.allclose(surface(x)[1], own(x)[1], atol=1e-6)


def test_what_cannot_be_searched_is_refused():
    with pytest.raises(TypeError, match=r"ase\.Atoms"):
        steps.ase_surface("CH4")
    bare = dimer()
    bare.calc = None
    with pytest.raises(ValueError, match="no calculator"):
        steps.ase_surface(bare)
    periodic = dimer()
    periodic.set_cell((5, 5, 5))
    periodic.pbc = True
    with pytest.raises(ValueError, match="periodic"):
        steps.ase_surface(periodic)
    with pytest.raises(ValueError, match="apart"):
        steps.ase_surface(dimer(distance=0.1))


def test_ammonia_turns_inside_out_through_its_plane():
    """The known saddle of NH₃'s inversion under GFN2-xTB is planar, with exactly one negative eigenvalue."""
    pytest.importorskip("tblite")
    from ase.build import molecule
    from tblite.ase import TBLite

    atoms = molecule("NH3")
    atoms.calc = TBLite(method="GFN2-xTB", verbosity=0)
    surface = steps.ase_surface(atoms)
    points = surface.start.reshape(4, 3).copy()
    normal = np.linalg.svd(points[1:] - points[1:].mean(axis=0))[2][2]
    height = float((points[0] - points[1:].mean(axis=0)) @ normal)
    push = np.zeros((4, 3))
    push[0] = -np.sign(height) * normal
    points[0] += 0.6 * abs(height) * push[0]
    found = steps.saddle(surface, points, axis=push, most_calls=60)
    assert found.is_saddle
    flat = found.x.reshape(4, 3)
    plane = np.linalg.svd(flat - flat.mean(axis=0))[1]
    assert plane[2] < 0.05
