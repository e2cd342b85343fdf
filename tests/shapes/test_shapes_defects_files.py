"""Atoms from files: tables, formats of ase, and what is refused."""

import io

import numpy as np
import pytest

from workbench import shapes


def stream(content, name):
    found = io.BytesIO(content if isinstance(content, bytes) else content.encode())
    found.name = name
    return found


def test_a_flat_table_lies_in_the_plane():
    made = shapes.crystal("triangular", 6)
    rows = "\n".join(f"{x};{y};0.0" for x, y in made.positions)
    found = shapes.read_atoms(stream(f"x;y;z\n{rows}", "mine.csv"))
    assert found.atoms.dimension == 2
    np.testing.assert_allclose(found.atoms.positions, made.positions)
    assert "in the plane" in found.sentence


def test_ase_s_formats_keep_their_periods():
    ase = pytest.importorskip("ase")
    from ase.io import write

    made = shapes.insert(shapes.crystal("bcc", 7, spacing=2.7), "screw")
    height = float(made.periods[0, 2])
    atoms = ase.Atoms(f"W{len(made)}", made.positions, cell=[60, 60, height], pbc=[False, False, True])
    for ending, kind in (("xyz", "extxyz"), ("cif", "cif")):
        text = io.StringIO() if ending == "xyz" else io.BytesIO()
        atoms.pbc = [False, False, True] if ending == "xyz" else True
        write(text, atoms, format=kind)
        found = shapes.read_atoms(stream(text.getvalue(), f"mine.{ending}"))
        assert len(found.atoms.periods) == (1 if ending == "xyz" else 3)
    text = io.StringIO()
    atoms.pbc = [False, False, True]
    write(text, atoms, format="extxyz")
    found = shapes.read_atoms(stream(text.getvalue(), "mine.xyz")).atoms
    np.testing.assert_allclose(found.periods, [[0, 0, height]], atol=1e-6)
    centre = found.positions.mean(0)[:2] - made.positions.mean(0)[:2]
    circuit = shapes.holonomy(found, radius=4.5 * 2.7, at=centre)
    np.testing.assert_allclose(circuit.vector, [0, 0, height], atol=0.05)


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("x,y\n1,2\n", "mine.pdf", "give a file that ends in"),
        ("x,y\n1,2\n3,4\n", "mine.csv", "2 atoms; give 7"),
        ("data_\nnonsense\n", "mine.cif", "ase cannot read this as cif"),
        ("\n".join(["x,y"] + ["1,1"] * 9), "mine.csv", "two atoms lie at one place"),
    ],
)
def test_what_is_no_file_of_atoms_is_refused(content, name, words):
    pytest.importorskip("ase")
    with pytest.raises(ValueError, match=words):
        shapes.read_atoms(stream(content, name))
