"""Distances of configurations: metric or not, invariant or not; farthest points and what they promise."""

import itertools

import numpy as np
import pytest

from workbench.steps.saddles.distances import DISTANCES, configuration_distance, farthest_points, kabsch

SPECIES = "HHHCCO"


def turned(x, rng):
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    return x @ rotation.T + rng.normal(size=3)


def permuted(x, rng):
    return x[np.concatenate([rng.permutation(3), 3 + rng.permutation(2), [5]])]


def brute_force(a, b, species):
    total = 0.0
    for name in dict.fromkeys(species):
        atoms = [k for k, s in enumerate(species) if s == name]
        total += min(
            np.mean([np.linalg.norm(a[i] - b[j]) for i, j in zip(atoms, order, strict=True)])
            for order in itertools.permutations(atoms)
        )
    return total


def test_exact_assignment_is_the_best_of_all_permutations(rng):
    for _ in range(20):
        a, b = rng.normal(size=(2, 6, 3))
        assert configuration_distance(a, b, SPECIES) == pytest.approx(brute_force(a, b, SPECIES), abs=1e-12)


def test_the_greedy_trap():
    a, b = [[0, 0, 0], [1, 0, 0]], [[0.6, 0, 0], [-1, 0, 0]]
    assert configuration_distance(a, b, "HH", "assignment") == pytest.approx(0.7)
    assert configuration_distance(a, b, "HH", "greedy") == pytest.approx(1.3)
    assert configuration_distance(b, a, "HH", "greedy") == pytest.approx(0.7)


@pytest.mark.parametrize("kind", DISTANCES)
def test_a_permutation_within_species_changes_nothing(kind, rng):
    a = rng.normal(size=(6, 3))
    assert configuration_distance(a, permuted(a, rng), SPECIES, kind) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("kind", [name for name, entry in DISTANCES.items() if entry.fact("metric")])
def test_what_is_called_a_metric_is_one(kind, rng):
    for _ in range(30):
        a, b, c = rng.normal(size=(3, 6, 3))
        ab, ba, bc, ac = (configuration_distance(*p, SPECIES, kind) for p in ((a, b), (b, a), (b, c), (a, c)))
        assert ab == pytest.approx(ba, abs=1e-12)
        assert ac <= ab + bc + 1e-12


def test_greedy_is_not_symmetric(rng):
    pairs = rng.normal(size=(50, 2, 6, 3))
    found = [
        (configuration_distance(a, b, "H" * 6, "greedy"), configuration_distance(b, a, "H" * 6, "greedy"))
        for a, b in pairs
    ]
    exact = [configuration_distance(a, b, "H" * 6) for a, b in pairs]
    assert any(abs(one - other) > 0.01 for one, other in found)
    assert all(one >= best - 1e-12 for (one, _), best in zip(found, exact, strict=True))


def test_a_rotation_moves_the_plain_distance_and_not_the_invariant_ones(rng):
    a = rng.normal(size=(6, 3))
    b = permuted(turned(a, rng), rng)
    assert configuration_distance(a, b, SPECIES) > 0.5
    assert configuration_distance(a, b, SPECIES, "sorted-pairs") == pytest.approx(0, abs=1e-12)
    assert configuration_distance(a, turned(a, rng), SPECIES, "aligned") == pytest.approx(0, abs=1e-6)
    c = rng.normal(size=(6, 3))
    centred = [x - x.mean(axis=0) for x in (a, c)]
    assert configuration_distance(a, c, SPECIES, "aligned") <= configuration_distance(*centred, SPECIES) + 1e-12


def test_kabsch_finds_the_rotation(rng):
    a = rng.normal(size=(5, 3))
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    assert np.allclose(kabsch(a @ rotation.T, a), rotation, atol=1e-12)


def test_farthest_points_cover_within_twice_the_best(rng):
    for _ in range(10):
        points = rng.normal(size=(9, 2))
        matrix = np.linalg.norm(points[:, None] - points[None], axis=2)
        for latest, size in ((1, 3), (2, 4)):
            found = farthest_points(matrix, size, latest=latest)
            assert found.radius == pytest.approx(matrix[:, found.indices].min(axis=1).max())
            assert set(range(9 - latest, 9)) <= set(found.indices.tolist())
            best = min(
                matrix[:, list(c)].min(axis=1).max() for c in itertools.combinations(range(9), size - latest + 1)
            )
            assert found.radius <= 2 * best + 1e-12


def test_bad_distances_are_refused():
    with pytest.raises(ValueError, match="same shape"):
        configuration_distance(np.zeros((2, 3)), np.zeros((3, 3)), "HH")
    with pytest.raises(ValueError, match="need coordinates"):
        configuration_distance(np.zeros((2, 3)), np.zeros((2, 3)), "HHH")
    with pytest.raises(ValueError, match="greedy"):
        configuration_distance(np.zeros((2, 3)), np.zeros((2, 3)), "HH", "gredy")
    with pytest.raises(ValueError, match="square"):
        farthest_points(np.zeros((2, 3)), 2)
