"""Pairs of a real surface: the cortex fsaverage5, read from where nilearn is installed and never copied.

White matter, pial and inflated surface of a hemisphere have one sphere as their parameter domain, so any two sets of
directions give two triangulations with the exact truth between them.
"""

import importlib.util

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from workbench.shapes.correspondences.examples import PAIRS, Pair, directions, known_pair
from workbench.shapes.correspondences.mesh import TriangleMesh
from workbench.shapes.cortex import cortex_layer

Floats = NDArray[np.float64]
NEAR = 12
"""Faces around a direction that are looked at for the one that holds it."""


def is_there() -> bool:
    """Return whether nilearn, which brings the surfaces, is installed."""
    return importlib.util.find_spec("nilearn") is not None


def at_directions(way: Floats, sphere: Floats, faces: NDArray[np.int64], *surfaces: Floats) -> list[Floats]:
    """Return the points of each surface over the directions ``way`` (m, 3), straight within the faces of the sphere."""
    unit = sphere / np.linalg.norm(sphere, axis=1, keepdims=True)
    corners = unit[faces]  # (F, 3, 3)
    _, near = cKDTree(corners.mean(axis=1)).query(way, k=min(NEAR, len(faces)))
    shares = np.linalg.solve(corners[near].swapaxes(2, 3), np.broadcast_to(way[:, None, :, None], (*near.shape, 3, 1)))
    shares = shares[..., 0]  # (m, near, 3): way = Σ share · corner
    shares /= shares.sum(axis=2, keepdims=True)
    best = shares.min(axis=2).argmax(axis=1)
    rows = np.arange(len(way))
    chosen, weights = near[rows, best], np.clip(shares[rows, best], 0, None)
    weights /= weights.sum(axis=1, keepdims=True)
    return [np.einsum("mk,mkd->md", weights, one[faces[chosen]]) for one in surfaces]


def _remeshed(pair: str, other: str, n: int, dial: float, rng: np.random.Generator) -> Pair:
    """Return the white surface and another over turned sets of directions; the dial blends the second from white."""
    sphere, faces = cortex_layer("sphere")
    white, second = cortex_layer("white")[0], cortex_layer(other)[0]
    blended = (1 - dial) * white + dial * second
    first_way, first_faces = directions(n, rng)
    second_way, second_faces = directions(n, rng)
    (x,) = at_directions(first_way, sphere, faces, white)
    y, places = at_directions(second_way, sphere, faces, blended, white)
    return known_pair(pair, TriangleMesh(x, first_faces), TriangleMesh(y, second_faces), places)


@PAIRS.add(
    "cortex-pial",
    label="Cortex: white → pial",
    formula="fsaverage5, left, over the sphere that both share",
    reference="needs nilearn (data: FreeSurfer)",
    dial="the share of the way from white to pial",
    start=1.0,
    most=1.0,
    isometric=False,
    needs="nilearn",
)
def cortex_pial(n: int, dial: float, rng: np.random.Generator) -> Pair:
    """Return the inner and the outer surface of a cortex, remeshed: nearly isometric, with fine folds."""
    return _remeshed("cortex-pial", "pial", n, dial, rng)


@PAIRS.add(
    "cortex-inflated",
    label="Cortex: white → inflated",
    formula="fsaverage5, left, over the sphere that both share",
    reference="needs nilearn (data: FreeSurfer)",
    dial="the share of the way from white to inflated",
    start=1.0,
    most=1.0,
    isometric=False,
    needs="nilearn",
)
def cortex_inflated(n: int, dial: float, rng: np.random.Generator) -> Pair:
    """Return a cortex and the same one inflated: far from isometric, the open example."""
    return _remeshed("cortex-inflated", "inflated", n, dial, rng)
