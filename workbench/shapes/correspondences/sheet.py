"""A strip of a minimal surface, bent without stretching from helicoid to catenoid, in any number of triangles."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LENGTH = 4.6
"""Of the strip along v, less than 2π, so that the catenoid does not meet itself."""
PLASTIC = (0.7548776662466927, 0.5698402909980532)
"""Powers of the inverse of the plastic number, the even sequence of the plane with the best known gaps."""


def bent(u: Floats, v: Floats, t: float) -> Floats:
    """Return points between helicoid (t = 0) and catenoid (t = π/2); their metric cosh²u(du² + dv²) has no t."""
    c, s = np.cos(t), np.sin(t)
    return np.stack(
        [
            c * np.sinh(u) * np.sin(v) + s * np.cosh(u) * np.cos(v),
            -c * np.sinh(u) * np.cos(v) + s * np.cosh(u) * np.sin(v),
            c * v + s * u,
        ],
        axis=1,
    )


def _low(v: Floats) -> Floats:
    return -0.9 - 0.25 * np.sin(1.3 * v)


def _high(v: Floats) -> Floats:
    return 1.0 + 0.22 * np.cos(2.1 * v + 0.4)


def _stretched(u: Floats) -> Floats:
    return u / 2 + np.sinh(2 * u) / 4  # the integral of cosh²: areas along u


def sheet(n: int, rng: np.random.Generator, ratios: tuple[float, float]) -> tuple[Floats, Ints]:
    """Return (u, v) of about n points even in area and their triangles; the outline has no symmetry."""
    fine = np.linspace(0, LENGTH, 4001)
    ends = [np.linspace(_low(v), _high(v), 801) for v in (0.0, LENGTH)]
    line = np.concatenate(
        [
            np.stack([_low(fine), fine], axis=1),
            np.stack([ends[1], np.full(801, LENGTH)], axis=1)[1:],
            np.stack([_high(fine), fine], axis=1)[::-1][1:],
            np.stack([ends[0], np.zeros(801)], axis=1)[::-1][1:-1],
        ]
    )
    s_low, s_high = float(_stretched(_low(fine)).min()), float(_stretched(_high(fine)).max())
    area = float(np.trapezoid(_stretched(_high(fine)) - _stretched(_low(fine)), fine))
    spacing = np.sqrt(2 / np.sqrt(3) * area / n)
    places = bent(*line.T, 0.0)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(places, axis=0), axis=1))])
    count = max(int(along[-1] / spacing), 12)
    wanted = (np.arange(count) + rng.random()) / count * along[-1]
    rim = np.stack([np.interp(wanted, along, line[:, k]) for k in range(2)], axis=1)
    corners = line[[0, 4000, 4800, 8800]]
    rim = np.concatenate([corners, rim[cKDTree(corners).query(rim)[0] > 0.5 * spacing]])
    # Kronecker's sequence: as even as a lattice, moved by an offset of its own
    many = int(1.3 * n * (s_high - s_low) * LENGTH / area) + 50
    steps = np.arange(1, many + 1)[:, None] * np.array(ratios)
    unit = (steps + rng.random(2)) % 1.0
    table = np.linspace(-1.6, 1.6, 4001)
    u = np.interp(s_low + unit[:, 0] * (s_high - s_low), _stretched(table), table)
    v = unit[:, 1] * LENGTH
    inside = (u > _low(v)) & (u < _high(v))
    points = np.stack([u[inside], v[inside]], axis=1)
    points = points[cKDTree(bent(*rim.T, 0.0)).query(bent(*points.T, 0.0))[0] > 0.6 * spacing]
    points = np.concatenate([rim, points[: max(n - len(rim), 12)]])
    triangles = Delaunay(points).simplices.astype(np.int64)
    u, v = points[triangles].mean(axis=1).T
    inside = (u > _low(v)) & (u < _high(v))
    flat = points[triangles]
    (ax, ay), (bx, by) = (flat[:, 1] - flat[:, 0]).T, (flat[:, 2] - flat[:, 0]).T
    crossed = ax * by - ay * bx
    triangles[crossed < 0] = triangles[crossed < 0][:, ::-1]
    triangles = triangles[inside & (np.abs(crossed) > 1e-9)]
    used = np.unique(triangles)
    return points[used], np.searchsorted(used, triangles)
