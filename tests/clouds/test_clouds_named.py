"""Shapes lie where they should and are spread evenly; text and real data are what they claim."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import flows
from workbench.clouds.lorenz import advance, velocity

PROCEDURAL = [name for name, entry in flows.SHAPES.items() if "source" not in entry.facts]


@pytest.mark.parametrize("name", flows.SHAPES)
def test_every_shape_has_its_dimension_and_its_seed(name):
    points = flows.cloud(name, 500, seed=3)
    assert points.shape == (500, flows.SHAPES[name].facts["dim"])
    assert np.isfinite(points).all()
    np.testing.assert_array_equal(points, flows.cloud(name, 500, seed=3))
    assert not np.array_equal(points, flows.cloud(name, 500, seed=4))
    assert flows.cloud(name, 1).shape[0] == 1
    assert 0.2 < np.abs(points).max() < 3


def test_there_are_enough_shapes():
    assert len(PROCEDURAL) >= 15
    assert {flows.SHAPES[name].facts["dim"] for name in PROCEDURAL} >= {2, 3, 4, 10}


def ring_distance(points):
    """Distance from the core circle of radius 1."""
    return np.hypot(np.hypot(points[:, 0], points[:, 1]) - 1, points[:, 2])


@pytest.mark.parametrize(
    ("name", "residual"),
    [
        ("torus", lambda p: ring_distance(p) - 0.4),
        ("trefoil", lambda p: ring_distance(p) - 0.4),
        ("torus-knot-3-7", lambda p: ring_distance(p) - 0.4),
        ("sphere", lambda p: np.linalg.norm(p, axis=1) - 1),
        ("hypersphere", lambda p: np.linalg.norm(p, axis=1) - 1),
        ("circle", lambda p: np.linalg.norm(p, axis=1) - 1),
        ("cube-surface", lambda p: np.abs(p).max(axis=1) - 1),
        ("ellipsoid", lambda p: np.sum((p / [1.2, 0.8, 0.5]) ** 2, axis=1) - 1),
        ("cone", lambda p: np.hypot(p[:, 0], p[:, 1]) - (1 - p[:, 2]) / 2),
        ("saddle", lambda p: p[:, 2] - 0.7 * (p[:, 0] ** 2 - p[:, 1] ** 2)),
        ("helix", lambda p: np.hypot(p[:, 0], p[:, 1]) - 0.5),
        ("clifford-torus", lambda p: np.hypot(p[:, 0], p[:, 1]) - np.sqrt(0.5)),
    ],
)
def test_points_lie_on_the_surface(name, residual):
    assert np.abs(residual(flows.cloud(name, 2000))).max() < 2e-4


def within(sample, expected):
    """Whether the mean of a sample is its expectation, at four standard errors."""
    return abs(sample.mean() - expected) < 4 * sample.std() / np.sqrt(len(sample))


def test_uniform_by_area_and_volume():
    n = 40_000
    torus = flows.cloud("torus", n)
    # area element ∝ 1 + 0.4 cos v, so the mean of cos v is 0.4/2
    assert within((np.hypot(torus[:, 0], torus[:, 1]) - 1) / 0.4, 0.2)
    assert within(flows.cloud("sphere", n)[:, 2] ** 2, 1 / 3)
    assert within(np.linalg.norm(flows.cloud("ball", n), axis=1) ** 3, 1 / 2)
    assert within(np.sum(flows.cloud("disc", n) ** 2, axis=1), 1 / 2)
    cylinder = flows.cloud("cylinder", n)
    assert within((np.abs(cylinder[:, 2]) == 1).astype(float), 0.7 / 2.7)
    assert within((1 - flows.cloud("cone", n)[:, 2]) ** 2 / 4, 1 / 2)
    faces = flows.cloud("cube-surface", n)
    for axis in range(3):
        assert within((np.abs(faces[:, axis]) == 1).astype(float), 1 / 3)


def test_the_ellipsoid_has_its_area_density():
    from scipy.integrate import quad

    # share of the area with |z| < 0.25, by quadrature over the zone
    def zone(t):
        return quad(
            lambda u: np.sqrt(
                (0.8 * 0.5 * np.sin(t) ** 2 * np.cos(u)) ** 2
                + (1.2 * 0.5 * np.sin(t) ** 2 * np.sin(u)) ** 2
                + (1.2 * 0.8 * np.sin(t) * np.cos(t)) ** 2
            ),
            0,
            2 * np.pi,
        )[0]

    share = quad(zone, np.pi / 3, 2 * np.pi / 3)[0] / quad(zone, 0, np.pi)[0]
    inside = np.abs(flows.cloud("ellipsoid", 40_000)[:, 2]) < 0.25
    assert within(inside.astype(float), share)


def test_curves_are_uniform_by_length():
    spiral = flows.cloud("spiral-2d", 40_000)
    radius = np.linalg.norm(spiral, axis=1)
    # arc length of r = t/6π up to the whole curve
    t = np.linspace(0, 6 * np.pi, 200_001)
    length = np.cumsum(np.hypot(t, 1)) / np.hypot(t, 1).sum()
    expected = np.interp(0.5, t / (6 * np.pi), length)
    assert within((radius < 0.5).astype(float), expected)


def test_the_lorenz_flow_is_integrated_to_fourth_order():
    start = np.array([[1.0, 2.0, 20.0]])
    from scipy.integrate import solve_ivp

    exact = solve_ivp(lambda _, s: velocity(s[None])[0], (0, 0.5), start[0], rtol=1e-11, atol=1e-11).y[:, -1]
    np.testing.assert_allclose(advance(start, 50)[0], exact, atol=2e-4)
    states = flows.cloud("lorenz", 4000) * 20 + [0, 0, 25]
    assert 20 < states[:, 2].mean() < 27  # the known mean height of the attractor is 23.5
    assert (np.sign(states[:, 0]) > 0).mean() == pytest.approx(0.5, abs=0.1)


@settings(deadline=None, max_examples=20)
@given(st.text(alphabet="ABCxyz012", min_size=1, max_size=6), st.integers(1, 200), st.integers(0, 10**6))
def test_text_stays_in_its_frame(text, n, seed):
    points = flows.text_cloud(text, n, seed)
    assert points.shape == (n, 2)
    assert np.abs(points).max() <= 1
    np.testing.assert_array_equal(points, flows.text_cloud(text, n, seed))


def test_text_has_the_shape_of_its_letters():
    bar = flows.text_cloud("l", 2000)
    dash = flows.text_cloud("-", 2000)
    assert np.ptp(bar[:, 1]) > 3 * np.ptp(bar[:, 0])
    assert np.ptp(dash[:, 0]) > 1.5 * np.ptp(dash[:, 1])
    ring = flows.text_cloud("O", 4000)
    assert np.linalg.norm(ring, axis=1).min() > 0.3  # the hole
    assert np.ptp(flows.text_cloud("A", 500, depth=0.2)[:, 2]) == pytest.approx(0.2, abs=0.01)
    np.testing.assert_array_equal(flows.cloud("text:Hi", 50, seed=2), flows.text_cloud("Hi", 50, seed=2))


def test_text_refusals():
    with pytest.raises(ValueError, match="no ink"):
        flows.text_cloud("   ", 10)
    with pytest.raises(ValueError, match="up to 60"):
        flows.text_cloud("a" * 61, 10)
    with pytest.raises(TypeError, match="string"):
        flows.text_cloud(3, 10)


def test_real_data():
    points, weights = flows.digit(0, index=2)
    assert points.shape == (64, 2)
    assert weights.shape == (64,)
    assert weights.min() == 0 < weights.max() == 1
    centre = weights @ points / weights.sum()
    assert np.abs(centre).max() < 0.2
    near_centre = np.linalg.norm(points, axis=1) < 0.3
    assert weights[near_centre].max() < 0.5  # a zero has a hole
    photo = flows.photograph("china", step=4)
    assert photo.shape == (107, 160, 3)
    assert 0 <= photo.min() < photo.max() <= 1
    heights = flows.terrain_heights()
    assert heights.shape == (344, 403)
    terrain = flows.cloud("terrain", 5000)
    assert np.ptp(terrain[:, 2]) == pytest.approx(1, abs=0.1)


def test_refusals():
    with pytest.raises(ValueError, match="Did you mean 'torus'"):
        flows.cloud("tours", 10)
    with pytest.raises(ValueError, match="at least 1"):
        flows.cloud("torus", 0)
    with pytest.raises(ValueError, match="at most"):
        flows.cloud("torus", 10**12)
    with pytest.raises(ValueError, match="china, flower"):
        flows.photograph("rome")
    with pytest.raises(ValueError, match="at most 9"):
        flows.digit(10)
