"""Laplace–Beltrami operators of meshes and their spectra.

S φ = λ M φ with the cotangent stiffness S_ij = −(cot α_ij + cot β_ij)/2 and the lumped masses M; boundaries are free
(Neumann). On smooth surfaces the eigenvalues err like the square of the edge length.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.linalg import eigsh

from workbench import checks, results
from workbench.registry import Registry
from workbench.shapes.correspondences.mesh import TriangleMesh, as_mesh

LAPLACIANS = Registry("Laplacian")
SHIFT = -1.0
"""Where eigenvalues are looked for nearest, on a surface of area 1: below 0, for S itself is singular."""
DENSE = 350
"""Vertices up to which all of a small matrix is decomposed."""
Floats = NDArray[np.float64]


@LAPLACIANS.add("cotangent", label="Cotangent", formula=r"S_{ij} = -(\cot\alpha_{ij}+\cot\beta_{ij})/2")
def cotangent(mesh: TriangleMesh) -> tuple[csc_array, Floats]:
    """Return the stiffness (n, n) and the masses (n,) of the linear finite elements."""
    n, faces = len(mesh.vertices), mesh.faces
    rows, columns, entries = [], [], []
    twice = 2 * mesh.face_areas
    for k in range(3):
        i, j = faces[:, (k + 1) % 3], faces[:, (k + 2) % 3]
        a, b = mesh.vertices[i] - mesh.vertices[faces[:, k]], mesh.vertices[j] - mesh.vertices[faces[:, k]]
        half = np.einsum("fi,fi->f", a, b) / twice / 2  # half the cotangent of the angle at corner k
        rows += [i, j, i, j]
        columns += [j, i, i, j]
        entries += [-half, -half, half, half]
    stiffness = coo_array((np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))), shape=(n, n))
    return csc_array(stiffness), mesh.masses


@LAPLACIANS.add(
    "robust", label="Robust (tufted, intrinsic Delaunay)", reference="Sharp & Crane 2020; needs robust-laplacian"
)
def robust(mesh: TriangleMesh) -> tuple[csc_array, Floats]:
    """Return stiffness and masses of the package robust-laplacian, which flips edges until no angle pair is obtuse."""
    try:
        import robust_laplacian
    except ImportError:
        raise ValueError(
            "the robust Laplacian needs the package robust-laplacian (pip install geometry-workbench[shapes]); or take "
            "operator='cotangent'"
        ) from None
    stiffness, masses = robust_laplacian.mesh_laplacian(mesh.vertices, mesh.faces.astype(np.int64))
    return csc_array(stiffness), np.asarray(masses.diagonal())


@dataclass(frozen=True, eq=False)
class Basis:
    """The first k eigenpairs on a surface scaled to area 1.

    ``values`` (k,) rising; ``functions`` (n, k) with ΦᵀMΦ = I; ``masses`` (n,), of sum 1; ``area`` as given (only
    :meth:`in_units_of` another surface makes the masses sum to another number, for a part of one);
    ``residual``, the largest ‖Sφ − λMφ‖ (in M⁻¹) over 1 + λ.
    """

    values: Floats
    functions: Floats
    masses: Floats
    area: float
    residual: float

    @property
    def k(self) -> int:
        """The number of eigenpairs."""
        return len(self.values)

    def first(self, k: int) -> "Basis":
        """Return the first k eigenpairs."""
        return replace(self, values=self.values[:k], functions=self.functions[:, :k])

    def in_units_of(self, area: float) -> "Basis":
        """Return the basis of the surface scaled so that not itself but a surface of ``area`` has area 1."""
        share = self.area / area
        functions = self.functions / np.sqrt(share)
        return replace(self, values=self.values / share, functions=functions, masses=self.masses * share)

    def coefficients(self, values: Floats, k: int | None = None) -> Floats:
        """Return Φ⁺f = ΦᵀMf for functions f (n, d), (k, d), of the first k."""
        return self.functions[:, :k].T @ (self.masses[:, None] * values)


def basis(mesh: TriangleMesh, k: int, operator: str = "cotangent") -> Basis:
    """Return the first k eigenpairs, the constant function among them; signs are fixed, eigenspaces are not.

    Raises ``ValueError`` for more eigenpairs than vertices − 1. Cost: 20 ms for 300 vertices, a second for 5,000 with
    k = 100.
    """
    n = len(mesh.vertices)
    k = checks.integer("k", k, minimum=2)
    if k > n - 1:
        raise ValueError(f"k must be at most {n - 1} for a mesh of {n} vertices, got {k}; give a finer mesh")
    stiffness, masses = LAPLACIANS[operator](mesh)
    area = float(masses.sum())
    masses = masses / area
    if not masses.min() > 0:
        raise ValueError("a vertex has no area; remove the faces around it that have none")
    root = 1 / np.sqrt(masses)
    if n <= DENSE or k > n // 3:
        checks.memory(4 * 8 * n * n, "a dense spectrum")
        dense = root[:, None] * stiffness.toarray() * root
        values, functions = eigh((dense + dense.T) / 2, subset_by_index=[0, k - 1])
        functions = root[:, None] * functions
    else:
        scaled = csc_array(diags_array(root) @ stiffness @ diags_array(root))
        start = np.random.default_rng(0).normal(size=n)  # of a fixed seed: same mesh, same functions
        values, functions = eigsh(scaled, k, sigma=SHIFT, which="LM", v0=start)
        order = np.argsort(values)
        values, functions = values[order], root[:, None] * functions[:, order]
    left = stiffness @ functions - masses[:, None] * functions * values
    residual = float((np.sqrt((left**2 / masses[:, None]).sum(axis=0)) / (1 + np.abs(values))).max())
    largest = functions[np.abs(functions).argmax(axis=0), np.arange(k)]
    functions = functions * np.where(largest < 0, -1.0, 1.0)
    return Basis(np.maximum(values, 0.0), functions, masses, area, residual)


@results.experiment
def spectrum(surface: Any, k: int = 100, operator: str = "cotangent") -> xr.Dataset:
    """Compute the first ``k`` eigenvalues and eigenfunctions of a surface, in its own units.

    ``surface`` is a mesh, or (vertices, faces). ``operator`` is in ``LAPLACIANS``: "cotangent", or "robust" where the
    package robust-laplacian is installed. Returns ``eigenvalue`` (mode), ``eigenfunction`` (vertex, mode) with
    ΦᵀMΦ = I, ``mass`` (vertex), ``area``, the number of ``zeros`` (pieces of the surface) and ``residual``.

    Eigenfunctions are unique up to signs, and within an eigenspace up to a rotation: compare projectors, never columns.
    Raises ``ValueError`` for what is no mesh and k beyond its vertices. Cost: see ``costs``.

    >>> ds = spectrum(([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]]), k=3)
    >>> int(ds.zeros), ds.eigenfunction.shape
    (1, (4, 3))
    """
    mesh = as_mesh("surface", surface)
    found = basis(mesh, k, operator)
    values = found.values / found.area
    return results.dataset(
        {
            "eigenvalue": (("mode",), values, "eigenvalue", "1/length^2"),
            "eigenfunction": (("vertex", "mode"), found.functions / np.sqrt(found.area), "eigenfunction", "1/length"),
            "mass": (("vertex",), found.masses * found.area, "area of the vertex", "length^2"),
            "area": ((), found.area, "area", "length^2"),
            "zeros": ((), int((found.values < ZERO).sum()), "eigenvalues that are zero"),
            "residual": ((), found.residual, "largest residual of an eigenpair, relative"),
        },
        {
            "mode": (("mode",), np.arange(found.k), "number of the eigenvalue"),
            "vertex": (("vertex",), np.arange(len(found.masses)), "number of the vertex"),
        },
    )


ZERO = 1e-6
"""Eigenvalues below, on a surface of area 1, are those of constants: the next are of the order of 10."""
