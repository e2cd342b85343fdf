"""The edge of stability as a distance: 2‖g‖/λ_max, the sharpness found by Lanczos on Hessian–vector products."""

import math

import numpy as np
import torch

from workbench.steps.predictors.registry import PREDICTORS
from workbench.steps.ray import Ray

LANCZOS_TOLERANCE = 1e-3


@PREDICTORS.add(
    "sharpness",
    label="2‖g‖/λ_max",
    formula=r"2\|g\|/\lambda_{\max}(H)",
    cost="10–30 HVPs (Lanczos)",
    reference="J. Cohen et al., arXiv 2103.00065 (edge of stability)",
    group="quadratic",
)
def sharpness(ray: Ray, ratio: float) -> float:
    """Length of the largest stable gradient step of the steepest quadratic direction; ∞ if λ_max ≤ 0."""
    largest = largest_eigenvalue(ray)
    return 2 * float(ray.gradient.norm()) / largest if largest > 0 else math.inf


def largest_eigenvalue(ray: Ray, *, tolerance: float = LANCZOS_TOLERANCE) -> float:
    """Return the largest (most positive) eigenvalue of the Hessian of the batch loss, by ARPACK's Lanczos.

    Starts from the gradient (or ones, if it vanishes), so it is deterministic. ``tolerance`` is relative.
    """
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    size = ray.gradient.numel()
    if size <= 3:  # Lanczos needs room; so few columns can be had directly
        columns = [ray.hessian_product(row).numpy() for row in torch.eye(size, dtype=torch.float64)]
        return float(np.linalg.eigvalsh(np.array(columns)).max())

    def product(vector: np.ndarray) -> np.ndarray:
        flat = np.ascontiguousarray(vector, dtype=float).reshape(-1)
        return ray.hessian_product(torch.from_numpy(flat.copy())).numpy()

    start = ray.gradient.numpy() if float(ray.gradient.norm()) > 0 else np.ones(size)
    operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
    try:
        values = eigsh(operator, k=1, which="LA", v0=start, tol=tolerance, ncv=min(size, 20), return_eigenvectors=False)
    except ArpackNoConvergence as error:
        raise ArithmeticError(f"Lanczos did not converge to {tolerance} for the {size} × {size} Hessian") from error
    return float(values[0])
