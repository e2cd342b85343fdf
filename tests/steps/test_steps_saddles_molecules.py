"""Molecules from files, what stands for their energy, and the survey of their saddles."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import costs, results, steps
from workbench.progress import Cancelled, Progress
from workbench.steps.saddles import molecules
from workbench.steps.saddles.surfaces import lennard_jones_energy, lennard_jones_hessian

WATER = b"3\nwater\nO 0.0 0.0 0.119\nH 0.0 0.763 -0.477\nH 0.0 -0.763 -0.477\n"
LJ7_MINIMA = (-16.505384, -15.935043, -15.593211, -15.533060)
"""All minima of seven atoms (C. Tsai, K. Jordan, J. Phys. Chem. 97 (1993) 11227)."""
QUICK = {"method": "eigenvector-following", "most_calls": 300}


# ---- the reader ----------------------------------------------------------------------------------------------------


def test_a_file_is_read_as_it_says(tmp_path):
    path = tmp_path / "water.xyz"
    path.write_bytes(WATER)
    for source in (path, str(path), WATER, io.BytesIO(WATER)):
        made = steps.read_xyz(source)
        assert made.symbols == ("O", "H", "H")
        assert np.array_equal(made.positions, [[0, 0, 0.119], [0, 0.763, -0.477], [0, -0.763, -0.477]])
    assert made.formula == "H2O"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (WATER.replace(b"\n", b"\r\n"), "3 atoms, H2O"),
        (WATER.replace(b"\n", b"\r"), "3 atoms, H2O"),
        (WATER + b"\n \n", "3 atoms, H2O"),
        (b"\xef\xbb\xbf" + WATER, "3 atoms, H2O"),
        (WATER.decode().encode("utf-16"), "3 atoms, H2O"),
        (b"2\n\n8 0 0 0 -0.3\n1 0 0 1.0D+00 0.3\n", "2 atoms, HO; 1 more column left out"),
        (b'2\nProperties=species:S:1:pos:R:3:forces:R:3 pbc="F F F"\nNA 0 0 0\ncl 0 0 2\n', "2 atoms, ClNa"),
        (b"2\nCH3CH2 is only a comment\nC 0 0 0\nH 1e0 0 0\n", "2 atoms, CH"),
    ],
)
def test_what_the_format_allows_is_read(text, sentence):
    assert steps.read_xyz(text).sentence == sentence


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "is empty"),
        (b"water\n\nO 0 0 0\n", "line 1 of the upload must be the number of atoms, got 'water'"),
        (b"3.0\n\nO 0 0 0\n", "number of atoms"),
        (b"-3\n\nO 0 0 0\n", "number of atoms"),
        (b"99999999999999999999\n", "number of atoms"),
        (b"999999999\n\n", "announces 999999999 atoms; a saddle search takes 2 to 64"),
        (b"1\n\nO 0 0 0\n", "2 to 64"),
        (b"2\n\nO 0 0 0\n", "announces 2 atoms and holds 1; it is cut off"),
        (b"2\n\nO 0 0 0\n\nH 0 0 1\n", "holds 1; it is cut off"),
        (b"2\n\nO 0 0 0\nH 0 0 1\nH 0 0 2\n", "goes on after its 2 atoms (line 5)"),
        (WATER + WATER, "one frame"),
        (b"2\n\nO 0 0 0\nQ 0 0 1\n", "line 4 of the upload begins with 'Q', which is no element"),
        (b"2\n\nO 0 0 0\nH1 0 0 1\n", "no element"),
        (b"2\n\nO 0 0 0\n0 0 0 1\n", "no element"),
        (b"2\n\nO 0 0 0\n119 0 0 1\n", "no element"),
        ("2\n\nO 0 0 0\n² 0 0 1\n".encode(), "no element"),
        (b"2\n\nO 0 0 0\nH 0 1\n", "has 2 coordinates"),
        (b"2\n\nO 0 0 0\nH 0 0 0,9\n", "decimal point"),
        (b"2\n\nO 0 0 0\nH 0 0 nan\n", "'nan' where a coordinate belongs"),
        (b"2\n\nO 0 0 0\nH 0 0 1_0\n", "'1_0'"),
        (b"2\n\nO 0 0 0\nH 0 0 0x1\n", "'0x1'"),
        (b"2\n\nO 0 0 0\nH 0 0 1e999\n", "beyond"),
        (b"2\n\nO 0 0 0\nH 0 0 1e5\n", "beyond"),
        (b"2\n\nO 0 0 0\nH 0 0 0.1\n", r"atoms 1 \(O\) and 2 \(H\) of the upload are 0.1 Å apart"),
        (b'2\nLattice="5 0 0 0 5 0 0 0 5"\nO 0 0 0\nH 0 0 1\n', "periodic cell"),
        (b'2\npbc="F F T"\nO 0 0 0\nH 0 0 1\n', "periodic cell"),
        (b"2\nProperties=pos:R:3:species:S:1\nO 0 0 0\nH 0 0 1\n", "species and positions must be the first"),
        (b"\x00\x01\x02\x03" * 20, "binary data"),
        (b"2\n\nO 0 0 0\nH 0 0 1\n" + b" " * 2**18, "more than 256 KiB"),
    ],
)
def test_what_it_does_not_is_refused_with_the_line(text, words):
    import re

    with pytest.raises(ValueError, match=words if "\\" in words else re.escape(words)):
        steps.read_xyz(text)


def test_other_sources_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        steps.read_xyz(tmp_path / "missing.xyz")
    with pytest.raises(TypeError, match="binary mode"):
        steps.read_xyz(io.StringIO("2"))
    with pytest.raises(TypeError, match="path, bytes"):
        steps.read_xyz(7)


@given(st.binary(max_size=300))
def test_bytes_are_a_molecule_or_refused(data):
    for text in (data, b"2\n\n" + data, b"2\n\nO 0 0 0\nH 0 0 1 " + data):
        try:
            made = steps.read_xyz(text)
        except ValueError:
            continue
        else:
            assert 2 <= len(made.symbols) == len(made.positions) <= 64
            assert np.isfinite(made.positions).all()


def test_ase_reads_the_same(tmp_path, rng):
    ase_io = pytest.importorskip("ase.io")
    from ase.build import molecule
    from ase.data import chemical_symbols

    assert tuple(chemical_symbols[1:]) == molecules.ELEMENTS
    for name in ("CH3CHO", "SiH4", "C6H6"):
        atoms = molecule(name)
        atoms.rattle(0.05, seed=1)
        path = tmp_path / f"{name}.xyz"
        for written in ("xyz", "extxyz"):
            ase_io.write(path, atoms, format=written)
            made = steps.read_xyz(path)
            again = ase_io.read(path)
            assert made.symbols == tuple(again.get_chemical_symbols())
            assert np.array_equal(made.positions, again.get_positions())
            assert made.formula == atoms.get_chemical_formula("hill")


def test_two_molecules_never_look_alike():
    one = steps.read_xyz(WATER)
    other = steps.read_xyz(WATER.replace(b"0.119", b"0.1190000001"))
    assert results.describe(one) == results.describe(steps.read_xyz(WATER))
    assert results.describe(one) != results.describe(other)


# ---- energies ------------------------------------------------------------------------------------------------------


def cluster(rng, symbols=("Ar", "Ar", "Ne", "Ar", "Ne")):
    grid = np.array([(x, y, z) for x in range(2) for y in range(2) for z in range(2)])[: len(symbols)]
    return molecules.Molecule(symbols, 3.7 * grid + 0.2 * rng.normal(size=(len(symbols), 3)))


@pytest.mark.parametrize("energy", ["lennard-jones", "morse"])
def test_pair_potentials_have_their_own_slopes(energy, rng):
    surface = steps.molecule_surface(cluster(rng), energy)
    x, h = surface.start, 1e-5
    slopes = [(surface(x + h * v)[0] - surface(x - h * v)[0]) / (2 * h) for v in np.eye(15)]
    bends = [(surface(x + h * v)[1] - surface(x - h * v)[1]) / (2 * h) for v in np.eye(15)]
    assert np.allclose(surface(x)[1], slopes, atol=1e-8)
    assert np.allclose(surface.hessian(x), bends, atol=1e-8)


@pytest.mark.parametrize("energy", ["lennard-jones", "morse"])
def test_a_pair_rests_at_its_distance_with_depth_one(energy):
    pair = molecules.Molecule(("Ar", "Ar"), np.array([[0.0, 0, 0], [0, 0, 3.5]]))
    value, gradient = steps.molecule_surface(pair, energy)(pair.positions)
    assert value == pytest.approx(-1)
    assert np.allclose(gradient, 0, atol=1e-12)


def test_lennard_jones_is_that_of_the_clusters(rng):
    """In units of r₀ = 2^(1/6) σ it is the same function."""
    molecule = cluster(rng)
    surface = steps.molecule_surface(molecule, "lennard-jones")
    sigma = molecules.typical_distance(molecule.positions) / 2 ** (1 / 6)
    value, gradient = lennard_jones_energy(surface.start / sigma)
    assert surface(surface.start)[0] == pytest.approx(value)
    assert np.allclose(surface(surface.start)[1], gradient / sigma)
    assert np.allclose(surface.hessian(surface.start), lennard_jones_hessian(surface.start / sigma) / sigma**2)


def test_an_energy_that_is_not_installed_is_refused_and_never_chosen(monkeypatch):
    monkeypatch.setattr(molecules.importlib.util, "find_spec", lambda name: None)
    assert steps.available_energies() == ["lennard-jones", "morse"]
    assert molecules.chosen_energy("auto") == "lennard-jones"
    with pytest.raises(ValueError, match=r"install the extra \[chem\], or choose lennard-jones or morse"):
        steps.molecule_surface(steps.read_xyz(WATER), "gfn2-xtb")


def test_energies_are_checked_before_any_work():
    water = steps.read_xyz(WATER)
    with pytest.raises(ValueError, match="unknown energy"):
        steps.molecule_surface(water, "b3lyp")
    with pytest.raises(TypeError, match="read_xyz"):
        steps.molecule_surface("H2O")
    with pytest.raises(ValueError, match="charge"):
        steps.molecule_surface(water, charge=99)


def test_gfn2_is_tblites_own():
    pytest.importorskip("tblite")
    from ase import Atoms
    from tblite.ase import TBLite

    water = steps.read_xyz(WATER)
    surface = steps.molecule_surface(water, "gfn2-xtb")
    atoms = Atoms("OHH", positions=water.positions)
    atoms.calc = TBLite(method="GFN2-xTB", verbosity=0)
    assert surface(surface.start)[0] == pytest.approx(atoms.get_potential_energy(), abs=1e-6)
    assert np.allclose(-surface(surface.start)[1].reshape(-1, 3), atoms.get_forces(), atol=1e-5)
    with pytest.raises(ValueError, match="no multiplicity of 2"):
        steps.molecule_surface(water, "gfn2-xtb", multiplicity=2)
    with pytest.raises(ValueError, match="ends with radon"):
        steps.molecule_surface(steps.read_xyz(b"2\n\nU 0 0 0\nU 0 0 2\n"), "gfn2-xtb")
    with pytest.raises(ValueError, match="leaves H2 no electron"):
        steps.molecule_surface(steps.read_xyz(b"2\n\nH 0 0 0\nH 0 0 1\n"), "gfn2-xtb", charge=2)


# ---- the survey ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seven():
    return steps.saddle_survey("lennard-jones", starts=6, kick=0.3, **QUICK)


def test_minima_of_seven_atoms_are_those_of_the_literature(seven):
    for energy in seven.minimum_energy.values:
        assert np.abs(np.array(LJ7_MINIMA) - energy).min() < 2e-5
    assert float(seven.minimum_energy[0]) == pytest.approx(LJ7_MINIMA[0], abs=2e-5)
    assert int(seven.start) == 0


def test_saddles_lie_above_both_minima_and_have_one_way_down(seven):
    surface = steps.SURFACES["lennard-jones"]()
    assert seven.sizes["saddle"] >= 2
    assert float(seven.energy.min()) > -15.4447339  # the lowest that is known
    for k in range(seven.sizes["saddle"]):
        values = np.linalg.eigvalsh(surface.hessian(seven.saddle_x.values[k].reshape(-1)))
        # where |∇E| is not quite 0 the six rigid motions have eigenvalues of its size
        assert (np.abs(values) < 0.05).sum() == 6
        assert (values < -0.05).sum() == 1
        assert values[0] == pytest.approx(float(seven.lowest[k]), rel=0.02)
        for side, n in enumerate(seven.neighbour.values[k]):
            if n >= 0:
                barrier = float(seven.energy[k] - seven.minimum_energy[n])
                assert float(seven.barrier[k, side]) == pytest.approx(barrier)
                assert barrier > 0
    assert (np.diff(seven.energy) > 0).all()


def test_a_survey_counts_every_search(seven):
    good = seven.found.values >= 0
    assert int(seven.times.sum()) == good.sum()
    assert float(seven.rate) == pytest.approx(good.mean())
    assert float(seven.calls_per_saddle) == pytest.approx(float(seven.calls.sum()) / good.sum())
    assert (seven["index"].values[good] == 1).all()
    assert int(seven.check_calls) == int((1 + seven.converged.values * 2 * 15).sum())


def test_a_survey_is_the_same_again_and_survives_a_file(tmp_path, seven):
    again = steps.saddle_survey("lennard-jones", starts=6, kick=0.3, **QUICK)
    assert again.energy.equals(seven.energy)
    assert again.calls.equals(seven.calls)
    assert results.open(results.save(seven, tmp_path / "survey.nc")).identical(seven)


def test_a_survey_that_finds_nothing_says_so(tmp_path):
    ds = steps.saddle_survey("lennard-jones", starts=2, method="dimer", most_calls=3)
    assert ds.sizes["saddle"] == 0
    assert ds.sizes["minimum"] == 1
    assert float(ds.calls_per_saddle) == np.inf
    assert results.open(results.save(ds, tmp_path / "nothing.nc")).identical(ds)


def test_partial_results_are_handed_over_and_a_survey_can_be_stopped():
    class Watching(Progress):
        def __init__(self):
            super().__init__()
            self.parts = []

        def publish(self, result):
            self.parts.append(result)

    watching = Watching()
    ds = steps.saddle_survey("lennard-jones", starts=3, progress=watching, **QUICK)
    assert [part.sizes["search"] for part in watching.parts] == [1, 2]
    assert "2 more searches" in results.missing(watching.parts[0])
    assert results.missing(ds) == ""
    stopped = Progress()
    stopped.cancel()
    with pytest.raises(Cancelled):
        steps.saddle_survey("lennard-jones", progress=stopped)


def test_a_molecule_is_surveyed_with_the_energy_that_was_asked_for():
    square = steps.read_xyz(b"4\n\nAr 0 0 0\nAr 3.8 0 0\nAr 3.8 3.8 0.3\nAr 0 3.8 0\n")
    ds = steps.saddle_survey(square, energy="lennard-jones", starts=2, kick=0.8, **QUICK)
    # the square relaxes to the regular tetrahedron: six pairs at their distance
    assert float(ds.minimum_energy[int(ds.start)]) == pytest.approx(-6, abs=1e-4)
    assert ds.symbol.values.tolist() == ["Ar"] * 4
    assert ds.attrs["engine"] == "Lennard-Jones (no chemistry)"
    assert ds.attrs["read"] == "4 atoms, Ar4"


def test_a_structure_that_is_no_minimum_is_refused():
    line = steps.read_xyz(b"3\n\nAr 0 0 0\nAr 0 0 3.8\nAr 0 0 7.6\n")
    with pytest.raises(ValueError, match="no minimum; shake it"):
        steps.saddle_survey(line, energy="lennard-jones", starts=1, **QUICK)
    with pytest.raises(ValueError, match="has no atoms"):
        steps.saddle_survey("mueller-brown")


def test_a_molecule_of_chemistry_is_surveyed():
    """Under GFN2-xTB ammonia's only low saddle is the plane through which it turns inside out."""
    pytest.importorskip("tblite")
    ammonia = steps.read_xyz(
        b"4\n\nN 0 0 0.1165\nH 0 0.9397 -0.2718\nH 0.8138 -0.4699 -0.2718\nH -0.8138 -0.4699 -0.2718\n"
    )
    ds = steps.saddle_survey(ammonia, starts=3, kick=0.5, most_calls=60)
    assert ds.attrs["engine"] == "GFN2-xTB (quantum chemistry)"
    assert ds.energy.attrs["units"] == "eV"
    flat = [
        k
        for k in range(ds.sizes["saddle"])
        if np.linalg.svd(ds.saddle_x.values[k] - ds.saddle_x.values[k].mean(0))[1][2] < 0.05
    ]
    assert flat
    k = flat[0]
    assert ds.neighbour.values[k].tolist() == [int(ds.start)] * 2  # mirror images of one minimum
    assert 0.05 < float(ds.barrier[k, 0]) < 0.6


def test_what_a_survey_costs_grows_with_the_work():
    few, many = (costs.of(steps.saddle_survey, start="lennard-jones", starts=n).seconds for n in (2, 20))
    assert many == pytest.approx(10 * few)
    water = steps.read_xyz(WATER)
    assert 0 < costs.of(steps.saddle_survey, start=water).seconds < 600
