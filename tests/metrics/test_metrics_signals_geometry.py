"""Feature vectors, matrices, tensors, geodesics and confusable pairs: oracles, and what Euclidean space demands."""

import numpy as np
import pytest

from workbench import metrics
from workbench.metrics import signals
from workbench.metrics.signals.confusable import separation
from workbench.metrics.signals.rules import noise_grid, rule, snr_nodes, sobol_noise
from workbench.metrics.signals.tensor import _energy
from workbench.progress import Cancelled, Progress

BUMPS = signals.bumps()
PAPER = signals.paper_mixture()
SPATIAL = metrics.Mixture([0.5, 0.5], [[-2, 0, 0], [2, 0, 0]], [np.diag([0.25, 1.0, 2.0])] * 2)

WIDE = metrics.Mixture([1.0], np.zeros((1, 65)), np.eye(65)[None])


def test_feature_vectors_have_the_distances():
    points = PAPER.sample(12, seed=0)
    features = metrics.iem_features(PAPER, points)
    apart = np.linalg.norm(features[:, None] - features[None], axis=2)
    matrix = metrics.iem_matrix(PAPER, points)
    np.testing.assert_allclose(matrix.distance, apart, atol=1e-10)
    exact = float(metrics.iem(PAPER, points[0], points[1]).distance)
    assert float(matrix.distance[0, 1]) == pytest.approx(exact, abs=1e-5)
    assert abs(float(matrix.distance[0, 1]) - exact) <= float(matrix.error[0, 1])


@pytest.mark.parametrize(("density", "step"), [(BUMPS, 0.1), (BUMPS, 1.5), (PAPER, 0.4), (PAPER, 1.2), (SPATIAL, None)])
def test_any_rule_gives_a_metric(density, step):
    """However coarse: symmetry, the triangle inequality over all triples, a positive semidefinite Gram matrix."""
    ds = metrics.iem_matrix(density, density.sample(30, seed=2), step=step, samples=32)
    distance = ds.distance.values
    np.testing.assert_array_equal(distance, distance.T)
    assert (np.diag(distance) == 0).all()
    assert (distance[~np.eye(30, dtype=bool)] > 0).all()
    excess = max((row[None] - row[:, None] - distance).max() for row in distance)
    assert excess <= 1e-12 * distance.max()
    centre = np.eye(30) - 1 / 30
    values = np.linalg.eigvalsh(-centre @ distance**2 @ centre / 2)
    assert values[0] > -1e-12 * values[-1]


def test_the_map_is_exact_for_points_on_a_gaussian_line():
    density = metrics.Mixture([1.0], [0.0], [4.0])
    ds = metrics.iem_matrix(density, [0.0, 1.0, 5.0])
    np.testing.assert_allclose(ds.explained, [1.0, 0.0], atol=1e-10)
    np.testing.assert_allclose(np.abs(np.diff(ds.place[:, 0])), [0.5, 2.0], atol=1e-9)


def test_the_error_over_scrambles_covers_in_space():
    points = np.array([[-0.5, 0, 0], [1.0, 0.5, 1.0], [2.0, 0.0, 0.0]])
    exact = np.sqrt(float(metrics.iem(BUMPS, -0.5, 1.0).squared) + 0.25 + 0.5)
    ds = metrics.iem_matrix(SPATIAL, points, samples=1024, nodes=48, seed=5)
    assert abs(float(ds.distance[0, 1]) - exact) < 5 * float(ds.error[0, 1])
    assert 0 < float(ds.error[0, 1]) < 0.05 * exact


def test_the_tensor_has_the_published_values():
    found = metrics.iem_tensor(BUMPS, [0.0, 1.0, 2.0], nodes=192, step=0.05).tensor.values.ravel()
    np.testing.assert_allclose(found, [101.122371933594, 5.838845749567, 3.732920518219], rtol=1e-12)
    plane = metrics.iem_tensor(PAPER, [0.5, 0.0], nodes=96, step=0.1).tensor.values[0]
    np.testing.assert_allclose(plane, [[8.919417291, -25.132056530], [-25.132056530, 85.194387422]], atol=2e-9)
    default = metrics.iem_tensor(PAPER, [0.5, 0.0])
    assert np.abs(default.tensor.values[0] - plane).max() <= float(default.error[0])


@pytest.mark.parametrize("d", [1, 2, 4])
def test_the_tensor_of_a_gaussian_is_its_inverse_covariance(d):
    rng = np.random.default_rng(d)
    root = rng.normal(size=(d, d))
    covariance = root @ root.T + 0.3 * np.eye(d)
    density = metrics.Mixture([1.0], np.zeros((1, d)), ((covariance + covariance.T) / 2)[None])
    found = metrics.iem_tensor(density, rng.normal(size=(2, d)), samples=32)
    np.testing.assert_allclose(found.tensor[1], np.linalg.inv(covariance), rtol=1e-10, atol=1e-11)
    at_four = metrics.iem_tensor(density, np.zeros(d), snr=4.0, samples=32).tensor.values[0]
    np.testing.assert_allclose(at_four, np.linalg.inv(covariance + np.eye(d) / 4), rtol=1e-10, atol=1e-11)
    assert (found.eigenvalue.values >= 0).all()


def test_small_steps_follow_the_tensor():
    place, step = np.array([0.5, 0.0]), 1e-3
    tensor = metrics.iem_tensor(PAPER, place, nodes=96, step=0.1).tensor.values[0]
    for direction in (np.array([1.0, 0.0]), np.array([0.6, -0.8])):
        found = metrics.iem(PAPER, place - step / 2 * direction, place + step / 2 * direction)
        assert float(found.squared) / step**2 == pytest.approx(direction @ tensor @ direction, rel=1e-4)


def test_paths_on_a_line_have_the_published_lengths():
    across, between = metrics.iem_geodesic(BUMPS, -0.25, 0.25), metrics.iem_geodesic(BUMPS, -2.0, 2.0)
    assert float(across.length) == pytest.approx(4.29879, abs=1e-5)
    assert float(across.chord) == pytest.approx(3.44263, abs=1e-5)
    assert float(between.length) == pytest.approx(14.2532, abs=1e-4)
    assert float(between.chord) == pytest.approx(1.7335, abs=1e-4)


def test_a_gaussian_is_flat():
    density = metrics.Mixture([1.0], [[0.0, 0.0]], [[[2.0, 0.6], [0.6, 0.5]]])
    found = metrics.iem_geodesic(density, (0, 0), (1.0, -0.7))
    assert float(found.length) == pytest.approx(float(found.chord), rel=1e-6)
    straight = np.linspace((0, 0), (1.0, -0.7), found.sizes["step"])
    np.testing.assert_allclose(found.path, straight, atol=1e-3)


def test_the_path_in_the_plane_is_shorter_than_the_segment_and_longer_than_the_chord():
    found = metrics.iem_geodesic(PAPER, (2.5, -2.0), (0.0, 1.0))
    assert float(found.chord) == pytest.approx(5.5471316, abs=1e-6)
    assert float(found.chord) <= float(found.length) < 0.97 * float(found.straight)
    np.testing.assert_allclose(found.path[0], (2.5, -2.0))
    np.testing.assert_allclose(found.path[-1], (0.0, 1.0), atol=1e-12)


def test_gradients_of_the_searches_agree_with_differences():
    made = rule(PAPER, nodes=8, step=0.9)
    path = np.linspace((2.5, -2.0), (0.0, 1.0), 5) + 0.1
    _, slope = _energy(PAPER, path, made)
    x, y = path[0], path[3]
    _, pull = separation(PAPER, x, y, made)
    h = 1e-6
    for axis in range(2):
        up, down = path.copy(), path.copy()
        up[2, axis] += h
        down[2, axis] -= h
        numeric = (_energy(PAPER, up, made)[0] - _energy(PAPER, down, made)[0]) / (2 * h)
        assert slope[2, axis] == pytest.approx(numeric, rel=1e-5)
        step = h * np.eye(2)[axis]
        numeric = (separation(PAPER, x, y + step, made)[0] - separation(PAPER, x, y - step, made)[0]) / (2 * h)
        assert pull[axis] == pytest.approx(numeric, rel=1e-5)


def test_confusable_pairs_are_the_ends_of_the_circle():
    found = metrics.confusable_pairs(PAPER, (0.5, 0.0), 0.5)
    assert np.linalg.norm(found.point.values - (0.5, 0.0), axis=1) == pytest.approx([0.5, 0.5])
    low, high = float(found.profile.min()), float(found.profile.max())
    assert 0.98 * low < float(found.distance[0]) <= low * (1 + 1e-4)
    assert high * (1 - 1e-4) <= float(found.distance[1]) < 1.02 * high
    for end, sign in ((0, 1), (1, -1)):  # a third of a degree to either side is no better
        x, y = found.point.values[end] - (0.5, 0.0)
        for turn in (-0.006, 0.006):
            beside = np.array([0.5 + x - turn * y, y + turn * x])
            assert sign * float(metrics.iem(PAPER, (0.5, 0.0), beside, digits=7).distance) > sign * found.distance[end]
    tiny = metrics.confusable_pairs(PAPER, (0.5, 0.0), 1e-3)
    values = metrics.iem_tensor(PAPER, (0.5, 0.0)).eigenvalue.values[0]
    np.testing.assert_allclose((tiny.distance / 1e-3) ** 2, values, rtol=1e-2)


def test_confusable_pairs_in_space_follow_the_quiet_direction():
    density = metrics.Mixture([1.0], [[0, 0, 0]], [np.diag([0.1, 1.0, 9.0])])
    found = metrics.confusable_pairs(density, [0, 0, 0], 2.0, starts=1, samples=16)
    np.testing.assert_allclose(np.abs(found.point / 2), [[0, 0, 1], [1, 0, 0]], atol=1e-3)
    assert float(found.ratio) == pytest.approx(np.sqrt(90), rel=1e-4)


def test_rules_integrate_what_they_should():
    noise = noise_grid(2, 0.5)
    np.testing.assert_allclose(noise.weights @ noise.noise**2, [1, 1], atol=1e-12)
    np.testing.assert_allclose(noise.weights @ noise.noise**4, [3, 3], atol=1e-11)
    for snr in (3.0, np.inf):
        nodes = snr_nodes(PAPER, snr, 40)
        value = nodes.weights @ (1 / (1 + nodes.snr) ** 2)  # ∫ dg / (1 + g)²
        assert value == pytest.approx(1 if np.isinf(snr) else 0.75, rel=1e-13)
    sobol = sobol_noise(5, 1000, 0)
    assert np.bincount(sobol.scramble).tolist() == [64] * 16
    np.testing.assert_allclose(sobol.noise.mean(axis=0), 0, atol=0.03)
    with pytest.raises(ValueError, match="take a larger one"):
        noise_grid(2, 1e-3)


def test_long_work_reports_and_can_be_cancelled():
    class Stops(Progress):
        def show(self, done, total, message):
            self.cancel()

    with pytest.raises(Cancelled):
        metrics.iem_matrix(PAPER, PAPER.sample(64, seed=0), progress=Stops())
    with pytest.raises(Cancelled):
        metrics.iem_geodesic(PAPER, (0, 0), (1, 1), progress=Stops())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.iem_matrix(PAPER, np.zeros((3, 3))), "points has points of 3 coordinates"),
        (lambda: metrics.iem_features(BUMPS, [0.0], nodes=1), "nodes must be at least 2"),
        (lambda: metrics.iem_tensor(WIDE, np.zeros(65)), "up to 64"),
        (lambda: metrics.confusable_pairs(PAPER, (0, 0), -1.0), "radius must be greater than 0"),
        (lambda: metrics.signal_invariances(SPATIAL, [0, 0, 0], [1, 0, 0]), "in one and two dimensions"),
        (lambda: metrics.signal_invariances(BUMPS, 1.0, 1.0), "a and b are one point"),
        (lambda: metrics.signal_report([1.0], [[0] * 3], [np.eye(3)], a=[0] * 3, b=[1] * 3), "one and two dim"),
        (lambda: metrics.signal_report([1.0]), "together, or none of them"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()
