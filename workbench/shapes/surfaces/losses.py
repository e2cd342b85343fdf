"""What pulls one surface towards another: distances of two meshes with their gradient in the vertices of the first.

A loss is made ready once for a target, and then called with the moving mesh and a generator for what it draws:
fresh directions or samples at every call, so that nothing is fitted to a fixed set of them.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from workbench.clouds.files import sample_mesh
from workbench.registry import Registry
from workbench.shapes.meshes import Surface
from workbench.shapes.surfaces.measures import area_distance, require_winding, varifold, varifold_distance
from workbench.transport.evaluate import make_rule
from workbench.transport.sliced import sliced_wasserstein_gradient

Floats = NDArray[np.float64]
Loss = Callable[[Surface, np.random.Generator], tuple[float, Floats]]
LOSSES = Registry("loss")
VARIFOLD_LINES, SURFACE_LINES, SAMPLE_LINES = 36, 10, 100
SAMPLES = 1200


@LOSSES.add(
    "varifold",
    label="Sliced W₂² of varifolds",
    formula=r"SW_2^2\left(\sum_f a_f\delta_{(c_f,\lambda n_f)},\ \cdot\right)",
    reference="Le et al., arXiv 2305.17555; the 36 lines of E6 as directions",
    cost="a point of R⁶ for each face",
)
def varifold_loss(target: Surface, length: float) -> Loss:
    """Return SW₂² of the oriented varifolds, along the 36 lines of E6 turned anew at every call."""
    require_winding(target)
    other = varifold(target, length)

    def loss(mesh: Surface, rng: np.random.Generator) -> tuple[float, Floats]:
        rule = make_rule("design", VARIFOLD_LINES, 6, rng)
        return varifold_distance(mesh, other, length, rule.directions, rule.weights)

    return loss


@LOSSES.add(
    "surface",
    label="Sliced W₁ of surfaces (exact)",
    formula=r"SW_1\left(\mathrm{area},\ \cdot\right)",
    reference="derived for this project",
    cost="every vertex, no sample",
)
def surface_loss(target: Surface, length: float) -> Loss:
    """Return the exact SW₁ of the measures of area, along a design of 10 directions turned anew at every call."""

    def loss(mesh: Surface, rng: np.random.Generator) -> tuple[float, Floats]:
        rule = make_rule("design", SURFACE_LINES, 3, rng)
        return area_distance(mesh, target, rule.directions, rule.weights)

    return loss


@LOSSES.add(
    "cramer",
    label="Sliced Cramér distance of surfaces (exact)",
    formula=r"\mathbb{E}_\theta\int\left(F_X^\theta-F_Y^\theta\right)^2dt",
    reference="derived for this project; a quarter of the energy distance of the two measures of area",
    cost="every vertex, no sample",
)
def cramer_loss(target: Surface, length: float) -> Loss:
    """Return the exact ∫(F_X − F_Y)² of the measures of area, along a design of 10 directions turned at every call."""

    def loss(mesh: Surface, rng: np.random.Generator) -> tuple[float, Floats]:
        rule = make_rule("design", SURFACE_LINES, 3, rng)
        return area_distance(mesh, target, rule.directions, rule.weights, of="cramer")

    return loss


@LOSSES.add(
    "samples",
    label="Sliced W₂² of samples",
    formula=r"SW_2^2\left(\frac{1}{N}\sum\delta_{x_i},\ \frac{1}{N}\sum\delta_{y_j}\right)",
    reference="Le et al., arXiv 2305.17555 (empirical measures)",
    cost="1200 points, 100 directions",
)
def sample_loss(target: Surface, length: float) -> Loss:
    """Return SW₂² of 1200 fresh points of each surface along 100 random directions."""

    def loss(mesh: Surface, rng: np.random.Generator) -> tuple[float, Floats]:
        faces, shares = draw(mesh, SAMPLES, rng)
        points = np.einsum("nk,nki->ni", shares, mesh.corners[faces])
        others = sample_mesh(target.vertices, target.faces, SAMPLES, rng)
        value, gradient = sliced_wasserstein_gradient(
            points, others, method="monte-carlo", n_directions=SAMPLE_LINES, seed=rng
        )
        return float(value), to_vertices(mesh, faces, shares, gradient)

    return loss


@LOSSES.add(
    "chamfer",
    label="Chamfer distance",
    formula=r"\frac{1}{N}\sum_i\min_j|x_i-y_j|^2+\frac{1}{N}\sum_j\min_i|x_i-y_j|^2",
    reference="Fan, Su, Guibas, arXiv 1612.00603",
    cost="1200 points, a k-d tree",
)
def chamfer_loss(target: Surface, length: float) -> Loss:
    """Return the Chamfer distance of 1200 fresh points of each surface, by k-d trees."""

    def loss(mesh: Surface, rng: np.random.Generator) -> tuple[float, Floats]:
        faces, shares = draw(mesh, SAMPLES, rng)
        points = np.einsum("nk,nki->ni", shares, mesh.corners[faces])
        others = sample_mesh(target.vertices, target.faces, SAMPLES, rng)
        there, to = cKDTree(others).query(points)
        back, of = cKDTree(points).query(others)
        gradient = 2 / SAMPLES * (points - others[to])
        np.add.at(gradient, of, 2 / SAMPLES * (points[of] - others))
        return float((there**2).mean() + (back**2).mean()), to_vertices(mesh, faces, shares, gradient)

    return loss


def draw(mesh: Surface, count: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], Floats]:
    """Return faces (count,) and barycentric coordinates (count, 3) of points uniform by area."""
    faces = rng.choice(len(mesh.faces), count, p=mesh.areas / mesh.areas.sum())
    u, v = np.sqrt(rng.random(count)), rng.random(count)
    return faces, np.stack([1 - u, u * (1 - v), u * v], axis=1)


def to_vertices(mesh: Surface, faces: NDArray[np.int64], shares: Floats, gradient: Floats) -> Floats:
    """Return the gradient in the vertices from that in points with barycentric coordinates."""
    found = np.zeros_like(mesh.vertices)
    for k in range(3):
        np.add.at(found, mesh.faces[faces, k], shares[:, k, None] * gradient)
    return found
