"""The rules themselves: unit vectors, weights, exactness, uniformity of the random rotation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import sph_harm_y

from workbench import flows
from workbench.transport.designs.make import energy, fibonacci, make, moments
from workbench.transport.estimators.base import random_rotations
from workbench.transport.estimators.harmonic import affordable_degree, harmonic_count, harmonic_weights
from workbench.transport.estimators.spiral import spiral_points
from workbench.transport.evaluate import make_rule


def rules():
    for name, entry in flows.ESTIMATORS.items():
        for dim in [entry.facts["dim"]] if "dim" in entry.facts else [2, 3, 5]:
            yield name, dim


@pytest.mark.parametrize(("method", "dim"), list(rules()))
def test_a_rule_is_unit_vectors_with_weights_of_sum_one(method, dim):
    for number in (60, 100, 101):
        rule = make_rule(method, number, dim, np.random.default_rng(0))
        assert rule.directions.shape == (number, dim)
        np.testing.assert_allclose(np.linalg.norm(rule.directions, axis=1), 1, rtol=1e-13)
        assert rule.weights.sum() == pytest.approx(1, abs=1e-12)
    again = flows.directions(method, 100, dim, seed=3)
    np.testing.assert_array_equal(again, flows.directions(method, 100, dim, seed=3))
    assert not np.allclose(again, flows.directions(method, 100, dim, seed=4))


@pytest.mark.parametrize(("method", "dim"), list(rules()))
def test_every_direction_is_uniform(method, dim):
    """Second and fourth moments of one direction over many draws: E θθᵀ = I/d, E θ_1⁴ = 3/(d(d+2))."""
    rng = np.random.default_rng(5)
    weighted = []
    for _ in range(400):
        rule = make_rule(method, 60, dim, rng)
        first, fourth = rule.directions[:, 0] ** 2, rule.directions[:, 0] ** 4
        weighted.append([rule.weights @ first, rule.weights @ fourth])
    mean, error = np.mean(weighted, axis=0), np.std(weighted, axis=0, ddof=1) / 20
    assert (np.abs(mean - [1 / dim, 3 / (dim * (dim + 2))]) < 4 * error + 1e-12).all()


def test_rotations_are_haar(rng):
    rotations = random_rotations(20_000, 3, rng)
    np.testing.assert_allclose(rotations[0] @ rotations[0].T, np.eye(3), atol=1e-14)
    traces = np.einsum("kii->k", rotations)
    # moments of the trace of a Haar orthogonal matrix (Diaconis & Shahshahani): 0, 1, 0, 3
    for power, expected in ((1, 0), (2, 1), (3, 0), (4, 3)):
        sample = traces**power
        assert abs(sample.mean() - expected) < 4 * sample.std() / np.sqrt(len(sample))
    determinants = np.linalg.det(rotations)
    assert abs(determinants.mean()) < 0.03
    # the first entry must be symmetric: a QR without the sign fix has it always of one sign
    assert abs((rotations[:, 0, 0] > 0).mean() - 0.5) < 0.02


def test_orthogonal_blocks_are_orthogonal():
    blocks = flows.directions("orthogonal", 12, 4).reshape(3, 4, 4)
    for block in blocks:
        np.testing.assert_allclose(block @ block.T, np.eye(4), atol=1e-14)


def test_the_spiral_is_the_published_one():
    """By hand for one point, 1.8 · π/2 = 162° on the equator; for many, what the construction is for.

    Every point has a zone of equal area, the next one along the spiral lies 3.6/√L away wherever the spiral is wound
    densely, and the turns lie 2π/(1.8 √L) apart.
    """
    np.testing.assert_allclose(
        spiral_points(1), [[-np.sqrt(10 + 2 * np.sqrt(5)) / 4, (np.sqrt(5) - 1) / 4, 0]], atol=1e-15
    )
    number = 10_000
    points = spiral_points(number)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1)
    edges = np.concatenate([[1], (points[1:, 2] + points[:-1, 2]) / 2, [-1]])
    np.testing.assert_allclose(-np.diff(edges), 2 / number, rtol=1e-9)
    middle = points[np.abs(points[:, 2]) < 0.9]
    steps = np.linalg.norm(np.diff(middle, axis=0), axis=1) * np.sqrt(number)
    np.testing.assert_allclose(steps, 3.6, rtol=5e-3)
    turn = np.flatnonzero(np.diff(np.sign(middle[:, 1])) > 0)  # where the spiral passes the half-plane y = 0, x > 0
    apart = -np.diff(np.arcsin(middle[turn, 2])) * np.sqrt(number)
    assert apart.mean() == pytest.approx(2 * np.pi / 1.8, rel=5e-3)


@pytest.mark.parametrize("number", [1, 4, 9])
def test_equal_angles_are_exact_below_their_degree(number):
    theta = flows.directions("equispaced", number, 2, seed=1)
    angle = np.arctan2(theta[:, 1], theta[:, 0])
    for k in range(2, 2 * number, 2):
        assert abs(np.exp(1j * k * angle).mean()) < 1e-14
    assert abs(np.exp(2j * number * angle).mean()) == pytest.approx(1)


@pytest.mark.parametrize("number", flows.design_sizes())
def test_every_shipped_design_is_one(number):
    """All even harmonics up to the degree vanish, also after a rotation, so the table is a true design."""
    degree = flows.design_degree(number)
    table = flows.design_table(number) @ random_rotations(1, 3, np.random.default_rng(number))[0]
    polar, azimuth = np.arccos(np.clip(table[:, 2], -1, 1)), np.arctan2(table[:, 1], table[:, 0])
    largest = max(abs(sph_harm_y(k, m, polar, azimuth).mean()) for k in range(2, degree + 1, 2) for m in range(k + 1))
    assert largest < 1e-12
    # and no better than counted: a design of the next degree would contradict the table of degrees
    beyond = max(abs(sph_harm_y(degree + 2, m, polar, azimuth).mean()) for m in range(degree + 3))
    assert beyond > 1e-6


def test_known_degrees():
    assert [flows.design_degree(number) for number in (6, 10, 30, 100, 300)] == [4, 4, 8, 18, 32]
    assert 100 in flows.design_sizes()
    assert flows.design_table(99) is None
    with pytest.raises(ValueError, match="read-only"):
        flows.design_table(100)[0, 0] = 1


def test_the_energy_of_a_design_is_zero_and_its_gradient_right():
    value, _ = energy(np.ascontiguousarray(flows.design_table(30)), 8)
    assert abs(value) < 1e-9
    points = fibonacci(7)
    value, gradient = energy(points, 6)
    values, _ = moments(points, 6)
    # addition theorem: E = 4π L² Σ_{k,m} |mean Y_km|², where m and −m give 2 (Re² + Im²)
    expected, position = 0.0, 0
    for k in range(2, 7, 2):
        for m in range(k + 1):
            parts = values[position : position + (2 if m else 1)]
            expected += 4 * np.pi * 49 * (2 if m else 1) * np.sum(parts**2)
            position += len(parts)
    assert value == pytest.approx(expected, rel=1e-10)
    h = 1e-6
    for i, axis in ((0, 0), (3, 1)):
        tangent = np.eye(3)[axis] - points[i] * points[i, axis]
        ends = []
        for sign in (1, -1):
            moved = points.copy()
            moved[i] += sign * h * tangent
            moved[i] /= np.linalg.norm(moved[i])
            ends.append(energy(moved, 6)[0])
        assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(gradient[i] @ tangent, rel=1e-6)


def test_a_design_can_be_made_again():
    points, degree, largest = make(10)
    assert (len(points), degree) == (10, 4)
    assert largest < 1e-13


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 6), st.integers(0, 10**6))
def test_harmonic_weights_are_exact_in_any_dimension(dim, seed):
    rng = np.random.default_rng(seed)
    number = 3 * harmonic_count(dim, 4)
    theta = flows.directions("monte-carlo", number, dim, seed=rng)
    weights = harmonic_weights(theta)
    assert affordable_degree(number, dim) >= 4
    axis = flows.directions("monte-carlo", 1, dim, seed=rng)[0]
    assert weights.sum() == pytest.approx(1, abs=1e-11)
    assert weights @ (theta @ axis) ** 2 == pytest.approx(1 / dim, abs=1e-11)
    assert weights @ (theta @ axis) ** 4 == pytest.approx(3 / (dim * (dim + 2)), abs=1e-11)


def test_harmonic_weights_are_the_regression_of_the_paper(rng):
    """w ∝ (I − H (HᵀH)⁻¹ Hᵀ) 1 with H the real even harmonics."""
    theta = flows.directions("monte-carlo", 90, 3, seed=rng)
    polar, azimuth = np.arccos(theta[:, 2]), np.arctan2(theta[:, 1], theta[:, 0])
    columns = []
    for k in (2, 4, 6):
        for m in range(k + 1):
            y = sph_harm_y(k, m, polar, azimuth)
            columns += [y.real, y.imag] if m else [y.real]
    h = np.stack(columns, axis=1)
    weights = 1 - h @ np.linalg.solve(h.T @ h, h.T @ np.ones(90))
    np.testing.assert_allclose(harmonic_weights(theta, 6), weights / weights.sum(), atol=1e-11)


def test_harmonic_weights_refuse_too_few_directions(rng):
    theta = flows.directions("monte-carlo", 20, 3, seed=rng)
    with pytest.raises(ValueError, match="fewer harmonics"):
        harmonic_weights(theta, 6)
    with pytest.raises(ValueError, match="even"):
        harmonic_weights(theta, 3)


def test_unknown_methods_name_the_known():
    with pytest.raises(ValueError, match="Choose one of: monte-carlo, lower-cv"):
        flows.directions("quasi", 10, 3)
    with pytest.raises(ValueError, match="'spiral' is for clouds in 3"):
        flows.directions("spiral", 10, 2)
