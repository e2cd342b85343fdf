"""What the estimators average: the transport cost along every direction, and where a rule looks at it."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.clouds.named import pair
from workbench.progress import Progress
from workbench.transport.evaluate import draw, make_rule
from workbench.transport.measures import prepare_pair
from workbench.transport.sliced import projected_costs


@results.experiment
def direction_costs(
    x: ArrayLike | str,
    y: ArrayLike | str,
    *,
    n: int = 1000,
    method: str = "design",
    n_directions: int = 100,
    resolution: int = 49,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return f(θ) = W_2² along the directions of one draw of an estimator, and as a map over the sphere.

    Shapes: ``x`` (n, d), ``y`` (m, d), or names of shapes of ``n`` points.

    The Dataset holds ``directions`` (direction, axis), ``cost`` and ``weight``
    (direction), the ``estimate``, and in three dimensions ``cost_map`` (height, azimuth) on a grid of
    ``resolution`` × 2 ``resolution`` cells of equal area (half the sphere is computed, f is even), in the plane
    ``cost_map`` (azimuth). Distances are squared. Errors as :func:`~workbench.flows.sliced_wasserstein`. Cost:
    (L + resolution²) × n × 10 ns.

    >>> ds = direction_costs("torus", "cube", n=200, resolution=9)
    >>> ds.cost_map.shape, bool(ds.cost_map.min() <= ds.estimate <= ds.cost_map.max())
    ((9, 18), True)
    """
    progress = progress or Progress()
    n_directions = checks.integer("n_directions", n_directions, minimum=1, maximum=100_000)
    resolution = checks.integer("resolution", resolution, minimum=3, maximum=500)
    x, y = pair(x, y, n, seed)
    cloud_x, cloud_y = prepare_pair(x, y)
    dim = cloud_x.dim
    rule = make_rule(method, n_directions, dim, checks.generator(seed))
    progress.update(0, 2, "costs along the directions")
    found = draw(cloud_x, cloud_y, rule)
    progress.update(1, 2, "map of all directions")
    variables, coordinates = cost_map(x, y, dim, resolution)
    progress.update(2, 2, "done")
    return results.dataset(
        {
            "directions": (("direction", "axis"), rule.directions, "direction"),
            "cost": (("direction",), found.costs, "W₂² along the direction (squared)"),
            "weight": (("direction",), rule.weights, "weight of the direction"),
            "estimate": ((), found.value, "estimate of SW₂² (squared)"),
            **variables,
        },
        {
            "direction": (("direction",), np.arange(n_directions), "number of the direction"),
            "axis": (("axis",), np.array([f"x{k + 1}" for k in range(dim)]), "axis"),
            **coordinates,
        },
    )


def cost_map(x: ArrayLike, y: ArrayLike, dim: int, resolution: int) -> tuple[dict[str, tuple], dict[str, tuple]]:
    """Return the map of f and its coordinates; nothing beyond three dimensions, where there is no picture of it."""
    azimuth = _middles(-np.pi, np.pi, 2 * resolution)
    angle = (("azimuth",), azimuth, "azimuth", "rad")
    label = "W₂² along every direction (squared)"
    if dim == 2:
        theta = np.stack([np.cos(azimuth), np.sin(azimuth)], axis=1)
        return {"cost_map": (("azimuth",), projected_costs(x, y, theta), label)}, {"azimuth": angle}
    if dim != 3:
        return {}, {}
    height = _middles(-1, 1, resolution)
    z, phi = np.meshgrid(height, azimuth[:resolution], indexing="ij")  # f(−θ) = f(θ): one half tells all
    radius = np.sqrt(1 - z**2)
    theta = np.stack([radius * np.cos(phi), radius * np.sin(phi), z], axis=2).reshape(-1, 3)
    half = projected_costs(x, y, theta).reshape(resolution, resolution)
    whole = np.concatenate([half, half[::-1]], axis=1)
    return (
        {"cost_map": (("height", "azimuth"), whole, label)},
        {"height": (("height",), height, "height on the sphere"), "azimuth": angle},
    )


def _middles(low: float, high: float, number: int) -> NDArray[np.float64]:
    return low + (np.arange(number) + 0.5) * (high - low) / number
