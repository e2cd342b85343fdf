"""The map of costs over all directions agrees with single directions, is even, and averages to the distance."""

import numpy as np
import pytest

from workbench import flows


def test_the_map_is_even_and_its_mean_is_the_distance():
    x, y = flows.cloud("torus", 300), flows.cloud("two-blobs", 300, seed=1)
    ds = flows.direction_costs(x, y, n_directions=100, resolution=40)
    costs = ds.cost_map.values
    np.testing.assert_array_equal(costs[:, :40], costs[::-1, 40:])
    reference = flows.sliced_wasserstein(x, y, n_directions=1000)
    assert costs.mean() == pytest.approx(reference.value, rel=5e-3)  # cells of equal area, midpoint rule
    assert float(ds.estimate) == pytest.approx(reference.value, rel=5e-3)
    assert float(ds.estimate) == pytest.approx(float(ds.weight @ ds.cost))
    z, phi = float(ds.height[7]), float(ds.azimuth[61])
    theta = [np.sqrt(1 - z * z) * np.cos(phi), np.sqrt(1 - z * z) * np.sin(phi), z]
    assert costs[7, 61] == pytest.approx(flows.projected_costs(x, y, [theta])[0], rel=1e-5)


def test_plane_and_many_dimensions():
    plane = flows.direction_costs(flows.cloud("disc", 50), flows.cloud("square", 60), n_directions=5)
    assert plane.cost_map.dims == ("azimuth",)
    many = flows.direction_costs(flows.cloud("hypersphere", 50), flows.cloud("hypersphere", 50, 1), n_directions=5)
    assert "cost_map" not in many
    assert many.directions.shape == (5, 10)


def test_refusals():
    with pytest.raises(ValueError, match="2 dimensions and y in 3"):
        flows.direction_costs(flows.cloud("disc", 5), flows.cloud("torus", 5))
    with pytest.raises(ValueError, match="unknown estimator"):
        flows.direction_costs(np.eye(3), np.eye(3), method="grid")
    with pytest.raises(ValueError, match="resolution must be at least 3"):
        flows.direction_costs(np.eye(3), np.eye(3), resolution=1)
