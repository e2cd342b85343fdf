"""Make ``tables.npz``: antipodally symmetric spherical designs for a list of sizes.

Run ``python -m workbench.transport.designs.make [size ...]``; sizes given are made and added to the shipped ones.

Two stages. First the energy

    E(θ) = Σ_ij Σ_{k even, 2 ≤ k ≤ T} (2k+1) P_k(θ_i·θ_j) = Σ_ij [P'_{T+1}(θ_i·θ_j) − 1]

(the sum telescopes, because (2k+1) P_k = P'_{k+1} − P'_{k−1}) is brought down with L-BFGS from a Fibonacci start.
By the addition theorem E is the sum of squares of all even harmonic moments, so it is ≥ 0, and 0 exactly for a
design. Summing squares limits its accuracy to about 1e-8 in a moment, so the second stage solves the moment
equations themselves by Gauss–Newton, which reaches rounding error.
"""

import sys
from pathlib import Path

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import sph_harm_y

from workbench.transport.designs.tables import FILE, design_degree

SIZES = (6, 10, 16, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100, 120, 150, 200, 250, 300, 400, 500, 1000)
LARGEST_MOMENT = 1e-13


def fibonacci(n_directions: int) -> NDArray[np.float64]:
    """Return ``n_directions`` points spread over the upper half sphere by the golden angle."""
    z = (np.arange(n_directions) + 0.5) / n_directions
    azimuth = np.arange(n_directions) * np.pi * (3 - np.sqrt(5))
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), z], axis=1)


@njit(parallel=True, fastmath=True, cache=True)
def energy(points: NDArray[np.float64], degree: int) -> tuple[float, NDArray[np.float64]]:
    """Return E for unit vectors ``points`` (L, 3) and its gradient in them (not yet tangent to the sphere)."""
    n = points.shape[0]
    order = degree + 1
    totals = np.zeros(n)
    gradient = np.zeros((n, 3))
    for i in prange(n):
        for j in range(n):
            t = 0.0
            for axis in range(3):
                t += points[i, axis] * points[j, axis]
            t = min(1.0, max(-1.0, t))
            # Derivatives of Legendre polynomials: P'_{k+1} = P'_{k-1} + (2k+1) P_k, and once more for P''.
            p_old, p = 1.0, t
            d_old, d = 0.0, 1.0
            s_old, s = 0.0, 0.0
            for k in range(1, order):
                p_new = ((2 * k + 1) * t * p - k * p_old) / (k + 1)
                d_new = d_old + (2 * k + 1) * p
                s_new = s_old + (2 * k + 1) * d
                p_old, p, d_old, d, s_old, s = p, p_new, d, d_new, s, s_new
            totals[i] += d - 1.0
            for axis in range(3):
                gradient[i, axis] += 2.0 * s * points[j, axis]
    return totals.sum(), gradient


def descend(points: NDArray[np.float64], degree: int) -> NDArray[np.float64]:
    """Minimise the energy with L-BFGS over unnormalised vectors, and return the unit vectors."""
    n = len(points)

    def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        vectors = flat.reshape(n, 3)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        units = vectors / lengths
        value, gradient = energy(units, degree)
        tangent = gradient - units * np.sum(units * gradient, axis=1, keepdims=True)
        return value / n, (tangent / lengths).ravel() / n

    found = minimize(
        objective,
        points.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 20_000, "maxfun": 30_000, "ftol": 0, "gtol": 1e-9},
    )
    vectors = found.x.reshape(n, 3)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def moments(points: NDArray[np.float64], degree: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the means of all real even harmonics 2…degree over the points, and their tangent-space Jacobian."""
    polar = np.arccos(np.clip(points[:, 2], -1, 1))
    azimuth = np.arctan2(points[:, 1], points[:, 0])
    values, rows = [], []
    for k in range(2, degree + 1, 2):
        for m in range(k + 1):
            y, first = sph_harm_y(k, m, polar, azimuth, diff_n=1)
            along_polar, along_azimuth = first[..., 0], first[..., 1] / np.sin(polar)
            for part in (np.real, np.imag) if m else (np.real,):
                values.append(part(y).mean())
                rows.append(np.concatenate([part(along_polar), part(along_azimuth)]) / len(points))
    return np.array(values), np.array(rows)


def polish(points: NDArray[np.float64], degree: int, steps: int = 12) -> NDArray[np.float64]:
    """Solve the moment equations by Gauss–Newton with the shortest step, moving along great circles."""
    for _ in range(steps):
        residual, jacobian = moments(points, degree)
        if np.abs(residual).max() < LARGEST_MOMENT / 100:
            break
        step = np.linalg.lstsq(jacobian, -residual, rcond=1e-12)[0].reshape(2, -1)
        points = _move(points, step)
    return points


def _move(points: NDArray[np.float64], step: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move each point by ``step`` = (towards larger polar angle, towards larger azimuth), and normalise."""
    polar = np.arccos(np.clip(points[:, 2], -1, 1))
    azimuth = np.arctan2(points[:, 1], points[:, 0])
    south = np.stack([np.cos(polar) * np.cos(azimuth), np.cos(polar) * np.sin(azimuth), -np.sin(polar)], axis=1)
    east = np.stack([-np.sin(azimuth), np.cos(azimuth), np.zeros_like(azimuth)], axis=1)
    moved = points + step[0][:, None] * south + step[1][:, None] * east
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def make(n_directions: int) -> tuple[NDArray[np.float64], int, float]:
    """Return the design of ``n_directions`` antipodal pairs, its degree and its largest moment."""
    if n_directions == 6:
        golden = (1 + np.sqrt(5)) / 2
        corners = np.array([[0, 1, golden], [0, -1, golden]])
        points = np.concatenate([np.roll(corners, shift, axis=1) for shift in range(3)])
        points = points / np.linalg.norm(points, axis=1, keepdims=True)
        degree = 4
    else:
        degree = design_degree(n_directions)
        points = polish(descend(fibonacci(n_directions), degree), degree)
    return points, degree, float(np.abs(moments(points, degree)[0]).max())


def main(sizes: tuple[int, ...]) -> None:
    """Make the tables of the given sizes, keep the others that are shipped already, and write the file."""
    path = Path(__file__).with_name(FILE)
    tables = {}
    if path.exists():
        with np.load(path, allow_pickle=False) as archive:
            tables = {name: archive[name] for name in archive.files}
    for size in sizes:
        points, degree, largest = make(size)
        kept = largest < LARGEST_MOMENT
        print(
            f"L = {size:5d}  degree {degree:3d}  largest moment {largest:.1e}  {'kept' if kept else 'REFUSED'}",
            flush=True,
        )
        if kept:
            tables[f"design_{size}"] = points
        np.savez_compressed(path, **tables)


if __name__ == "__main__":
    main(tuple(int(size) for size in sys.argv[1:]) or SIZES)
