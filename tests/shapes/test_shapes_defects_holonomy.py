"""Integers around defects: what is put in is found, by every loop, in the plane and in space."""

import itertools

import numpy as np
import pytest
from scipy.spatial import cKDTree

from workbench import shapes
from workbench.shapes.defects.atoms import Atoms
from workbench.shapes.defects.fluxes import loop_fluxes
from workbench.shapes.defects.holonomy import from_walk
from workbench.shapes.defects.labels import guess_lattice, near_pairs
from workbench.shapes.defects.lattices import LATTICES, is_vector
from workbench.shapes.defects.triangles import clusters, develop, turned, walk_around

ROTATION = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
ROTATION *= np.sign(np.linalg.det(ROTATION))


@pytest.fixture(scope="module")
def disc():
    return shapes.crystal("triangular", 20)


@pytest.fixture(scope="module")
def edge(disc):
    return shapes.triangulate(shapes.insert(disc, "edge", burgers=[1, 0]))


def test_eisenstein_integers_turn_as_complex_numbers_do():
    zeta = np.exp(1j * np.pi / 3)
    for a, b, k in itertools.product(range(-3, 4), range(-3, 4), range(7)):
        c, d = turned((a, b), k)
        assert abs((c + d * zeta) - (a + b * zeta) * zeta**k) < 1e-12


@pytest.mark.parametrize("burgers", [(1, 0), (0, 1), (-1, 1), (2, 0), (1, 1), (2, -1), (-3, 1)])
def test_every_loop_around_an_edge_finds_its_burgers_vector(disc, burgers):
    mesh = shapes.triangulate(shapes.insert(disc, "edge", burgers=burgers, at=(0.7, -0.3)))
    for radius, at in ((5, (0, 0)), (8, (1, 2)), (11, (-2, 1))):
        found = shapes.holonomy(mesh, radius=radius, at=at)
        assert (found.burgers, found.rotation) == (burgers, 0)
    unit = LATTICES["triangular"].fact("unit")
    np.testing.assert_allclose(found.vector, np.array(burgers) @ unit, atol=0.1 * np.linalg.norm(burgers))
    assert shapes.holonomy(mesh, radius=4, at=(12, 4)).burgers == (0, 0)


def test_the_answer_does_not_depend_on_the_shape_of_the_loop_and_adds_up(disc):
    made = shapes.insert(shapes.insert(disc, "edge", burgers=[1, 0], at=(-6, 0)), "edge", burgers=[0, 1], at=(6, 0.4))
    mesh = shapes.triangulate(made)
    rng = np.random.default_rng(3)
    turn = np.sort(rng.uniform(0, 2 * np.pi, 40))
    wild = (rng.uniform(10, 15, 40) * np.stack([np.cos(turn), np.sin(turn)])).T
    for loop in (wild, wild[::-1], wild[:, ::-1]):
        assert shapes.holonomy(mesh, loop).burgers == (1, 1)
    halves = [shapes.holonomy(mesh, radius=4.2, at=at).burgers for at in ((-6, 0), (6, 0.4))]
    assert halves == [(1, 0), (0, 1)]
    listed = shapes.find_defects(mesh)
    assert sorted(listed.burgers.values.tolist()) == [[0, 1], [1, 0]]


@pytest.mark.parametrize(("degrees", "rotation"), [(60, 5), (-60, 1)])
def test_a_wedge_is_a_rotation_for_every_enclosing_loop(disc, degrees, rotation):
    mesh = shapes.triangulate(shapes.insert(disc, "wedge", degrees=degrees))
    for radius, at in ((4, (0, 0)), (9, (2, 1)), (12, (0, -2))):
        found = shapes.holonomy(mesh, radius=radius, at=at)
        assert (found.rotation, found.burgers, found.degrees) == (rotation, None, degrees)
    assert shapes.holonomy(mesh, radius=4, at=(9, 3)).burgers == (0, 0)
    assert mesh.charges.sum() == degrees / 60


@pytest.mark.parametrize("kind", ["vacancy", "interstitial"])
def test_point_defects_have_no_charge_though_their_atoms_do(disc, kind):
    mesh = shapes.triangulate(shapes.insert(disc, kind))
    found = shapes.holonomy(mesh, radius=5)
    assert (found.burgers, found.rotation, mesh.charges.sum()) == ((0, 0), 0, 0)
    assert mesh.charges.any()


def test_a_boundary_is_a_row_of_dislocations(disc):
    mesh = shapes.triangulate(shapes.insert(disc, "boundary", apart=8, count=3))
    assert shapes.holonomy(mesh, radius=13).burgers == (3, 0)
    assert shapes.find_defects(mesh).burgers.values.tolist() == [[1, 0]] * 3


def test_perfect_crystals_turned_and_strained_have_nothing(disc):
    turn = np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    positions = disc.positions @ (turn @ np.array([[1.05, 0.03], [0.0, 0.97]])).T * 3.7
    mesh = shapes.triangulate(shapes.as_atoms(positions))
    assert not mesh.charges.any()
    assert shapes.holonomy(mesh, radius=9 * 3.7).burgers == (0, 0)
    field = shapes.lattice_frame(positions)
    assert np.abs(shapes.torsion_parts(field).nye).max() < 1e-9
    assert np.abs(shapes.nonmetricity_traces(field).first).max() < 1e-9


def test_charges_sum_to_euler_s_number(edge):
    """Σ_inner (6 − z) + Σ_rim (4 − z) = 6χ, z counting neighbours."""
    tri = edge.triangles
    sides = np.sort(np.concatenate([tri[:, [0, 1]], tri[:, [1, 2]], tri[:, [2, 0]]]), 1)
    bonds, count = np.unique(sides, axis=0, return_counts=True)
    neighbours = np.bincount(bonds.ravel(), minlength=len(edge.atoms))
    on_rim = np.zeros(len(edge.atoms), dtype=bool)
    on_rim[bonds[count == 1].ravel()] = True
    used = neighbours > 0
    euler = used.sum() - len(bonds) + len(tri)
    assert (6 - neighbours)[used & ~on_rim].sum() + (4 - neighbours)[on_rim].sum() == 6 * euler == 6


def test_holonomies_compose(edge):
    """A walk around a group of atoms by its own triangles, against the loop that is drawn in the plane."""
    (group,) = clusters(edge)
    walk = walk_around(edge, group)
    assert from_walk(edge, walk, limited=False).burgers == shapes.holonomy(edge, radius=7).burgers
    r, _ = develop(walk[::-1])
    assert r == 0
    for atom in group:  # five and seven by themselves: a rotation each, opposite
        fan = walk_around(edge, np.array([atom]))
        assert from_walk(edge, fan, limited=False).rotation == -int(edge.charges[atom]) % 6


@pytest.mark.parametrize("noise", [0.02, 0.06])
def test_thermal_noise_changes_no_integer(disc, noise):
    made = shapes.insert(disc, "edge", burgers=[0, 1])
    for seed in range(3):
        mesh = shapes.triangulate(made.shaken(noise, seed))
        assert {shapes.holonomy(mesh, radius=r).burgers for r in (5, 9, 13)} == {(0, 1)}


CASES = [
    ("bcc", (1, 1, 1), "screw", (1, 1, 1)),
    ("fcc", (1, 1, -2), "edge", (1, -1, 0)),
    ("sc", (0, 0, 1), "mixed", (1, 0, 1)),
]


@pytest.mark.parametrize(("lattice", "line", "kind", "burgers"), CASES)
def test_dislocations_in_space_with_their_sign(lattice, line, kind, burgers):
    made = shapes.insert(shapes.crystal(lattice, 9, line=line), kind, burgers=burgers)
    labelled = shapes.label_bonds(made)
    for radius, at in ((4.5, (0, 0)), (6, (1, 0.5))):
        found = shapes.holonomy(labelled, radius=radius, at=at)
        assert found.burgers == burgers
        assert shapes.check_circuit(found.document()).burgers == burgers
    assert shapes.holonomy(labelled, radius=2.5, at=(5, 4)).burgers == (0, 0, 0)


def test_a_turned_and_scaled_crystal_is_recognised_without_a_word_about_it():
    """The vector in space is the same; which of the equal crystal axes are named is the finder's choice."""
    made = shapes.insert(shapes.crystal("bcc", 7), "screw")
    known = shapes.holonomy(made, radius=4.5)
    turned_atoms = shapes.as_atoms(2.74 * made.positions @ ROTATION.T, 2.74 * made.periods @ ROTATION.T)
    assert guess_lattice(turned_atoms)[0] == "bcc"
    loop = np.array([[np.cos(t), np.sin(t), 0.0] for t in np.linspace(0, 2 * np.pi, 30)[:-1]]) * 4.5
    middle = np.array([0, 0, made.positions[:, 2].mean()])
    labelled = shapes.label_bonds(turned_atoms)
    found = shapes.holonomy(labelled, 2.74 * (loop + middle) @ ROTATION.T)
    sign = 1 if ROTATION[2, 2] > 0 else -1  # counter-clockwise as seen from above
    np.testing.assert_allclose(found.vector, sign * 2.74 * ROTATION @ known.vector, atol=0.15)
    assert sorted(map(abs, found.burgers)) == [1, 1, 1]


def test_orientation_is_carried_along_a_bent_crystal():
    """Turned by 114° from end to end: one orientation for all would give most of it other names."""

    def bent(x):
        return np.stack([(60 - x[:, 1]) * np.sin(x[:, 0] / 60), 60 - (60 - x[:, 1]) * np.cos(x[:, 0] / 60)], 1)

    strip = np.stack(np.meshgrid(np.arange(-60.0, 61), np.arange(-6.0, 7)), -1).reshape(-1, 2)
    labelled = shapes.label_bonds(bent(strip), "square")
    assert labelled.is_framed.mean() > 0.8
    along, up = np.linspace(-55, 55, 120), np.full(120, 3.3)
    loop = np.concatenate([np.stack([along, -up], 1), np.stack([along[::-1], up], 1)])
    found = shapes.holonomy(labelled, bent(loop))
    assert found.burgers == (0, 0)
    assert found.bonds > 220
    assert shapes.check_circuit(found.document())


def test_the_field_of_the_labels_has_its_torsion_in_the_core(disc):
    """∮E = −b around it, by the coframe itself and not by the labels; outside, the torsion tends to zero."""
    made = shapes.insert(disc, "edge", burgers=[1, 0])
    field = shapes.lattice_frame(made, "triangular")

    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    circle = 8 * np.stack([np.cos(turn), np.sin(turn)], 1)
    near = cKDTree(field.points).query(circle, k=1)[1]
    # to first order from the nearest atom
    frames = field.coframe[near] + np.einsum("naim,nm->nai", field.coframe_gradient[near], circle - field.points[near])
    steps = (np.roll(circle, -1, 0) - np.roll(circle, 1, 0)) / 2
    np.testing.assert_allclose(np.einsum("nai,ni->a", frames, steps), [-1, 0], atol=0.03)
    parts = shapes.torsion_parts(field)
    r = np.hypot(*field.points.T)
    assert np.sqrt(parts.vector)[(r > 6) & (r < 16)].max() < 0.01 < np.sqrt(parts.vector)[r < 3].max()
    np.testing.assert_allclose(parts.vector, parts.tensor, atol=1e-12)  # every edge: half and half


@pytest.mark.parametrize("degrees", [60, -60])
def test_around_a_wedge_the_second_trace_has_its_flux_and_the_first_none(degrees):
    """Of the lattice's cone in flat space: 2πr P_r = π(1 − β²); one-sided slopes along the seam cost some of it."""
    made = shapes.insert(shapes.crystal("triangular", 20), "wedge", degrees=degrees)
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    field = shapes.lattice_frame(made, "triangular")
    found = loop_fluxes(field, 13 * np.stack([np.cos(turn), np.sin(turn)], 1), 1.0)
    assert found.second == pytest.approx(np.pi * (1 - (1 - degrees / 360) ** 2), rel=0.06)
    assert abs(found.first) < 0.03
    assert np.isnan(found.closing).all()  # two orientations meet at the seam


def test_grains_that_are_turned_have_no_loop_through_their_boundary():
    x = shapes.crystal("square", 16).positions
    turn = np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    turned_grain = x @ turn.T
    both = np.concatenate([x[x[:, 0] < 0], turned_grain[turned_grain[:, 0] > 0.6]])
    labelled = shapes.label_bonds(both, "square")
    assert 0.3 < labelled.is_framed.mean() < 0.7  # one of the two
    with pytest.raises(ValueError, match="boundary of grains"):
        shapes.holonomy(labelled, radius=8)


def test_pairs_count_images():
    atoms = shapes.crystal("sc", 4)
    bonds = near_pairs(atoms, 1.2)
    inner = np.hypot(*atoms.positions[:, :2].T) < 2.5
    assert set(np.bincount(bonds.first, minlength=len(atoms))[inner]) == {6}  # two of them are images of itself
    np.testing.assert_allclose(np.linalg.norm(bonds.vectors, axis=1), 1)


def test_lattice_vectors_of_cubic_crystals():
    for vector in itertools.product(range(-2, 3), repeat=3):
        inside = [is_vector(name, np.array(vector)) for name in ("sc", "bcc", "fcc")]
        assert inside == [True, len({v % 2 for v in vector}) == 1, sum(vector) % 2 == 0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c: shapes.insert(c, "edge", burgers=[0, 0]), "not all 0"),
        (lambda c: shapes.insert(c, "screw"), "crystal in space"),
        (lambda c: shapes.insert(c, "wedge", degrees=45), "60 or −60"),
        (lambda c: shapes.insert(shapes.insert(c, "wedge"), "edge", burgers=[1, 0]), "a wedge has turned the lattice"),
        (lambda c: shapes.insert(shapes.insert(c, "vacancy"), "wedge"), "must come first"),
        (lambda c: shapes.insert(shapes.as_atoms(c.positions), "edge"), "these atoms were not"),
        (lambda c: shapes.insert(shapes.crystal("bcc", 4), "edge", burgers=[1, 1, 0]), "no vector of the bcc lattice"),
        (lambda c: shapes.insert(shapes.crystal("bcc", 4), "edge", burgers=[1, 1, 1]), "must stand on the line"),
        (lambda c: shapes.insert(c, "dent"), "unknown defect 'dent'"),
        (lambda c: shapes.holonomy(c, radius=50), "where there is no crystal"),
        (lambda c: shapes.holonomy(c, [[0, 0], [40, 0], [0, 9]]), "leaves the crystal"),
        (lambda c: shapes.holonomy(c, [[0, 0], [1, 0]]), "3 to 1000 corners"),
        (lambda c: shapes.holonomy(c), "give a loop"),
        (lambda c: shapes.as_atoms([[0, 0]] * 9), "two atoms lie at one place"),
        (lambda c: shapes.as_atoms(np.zeros((3, 2))), "3 atoms; give 7"),
        (lambda c: shapes.crystal("bcc", 300), "the most are 200,000"),
        (lambda c: shapes.crystal("square", 9, line=[1, 0, 0]), "has no line"),
        (lambda c: shapes.place(c, "edge 1"), "lacks its place"),
        (lambda c: shapes.place(c, "vacancy 1 2 3"), "has no settings"),
        (lambda c: shapes.place(c, "edge 1 nan"), "no number"),
        (lambda c: shapes.label_bonds(np.random.default_rng(0).normal(size=(300, 3))), "no lattice fits"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_words(disc, call, words):
    with pytest.raises(ValueError, match=words):
        call(disc)


def test_a_loop_through_a_core_names_the_bond():
    made = shapes.insert(shapes.crystal("square", 12), "vacancy")
    core = np.argsort(np.hypot(*made.positions.T))[:1]
    split = Atoms(made.positions + np.where(np.arange(len(made))[:, None] == core, 0.5, 0), 1.0, made.periods)
    with pytest.raises(ValueError, match=r"atom \d+ .*draw the loop around it|the bond between them is bad"):
        shapes.holonomy(split, radius=0.8, at=split.positions[core[0]], lattice="square")
