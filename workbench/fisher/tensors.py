"""Curvature of any exponential family from its dense second and third cumulants: the definition, and the oracle.

In natural parameters the metric is F_ab = ∂_a∂_b ln Z and the only other ingredient is T_abc = ∂_a∂_b∂_c ln Z:

    R = ¼ (‖T‖² − ‖tr T‖²),   ‖T‖² = T_abc T^abc,   T_a = F^bc T_abc,   ‖tr T‖² = T_a T^a,

with indices raised by F⁻¹ and the sign in which a round sphere is positive (the trinomial family has R = +½).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks


@dataclass(frozen=True)
class Invariants:
    """The two scalars that third cumulants leave, and what is made of them."""

    cumulant_norm: float
    trace_norm: float

    @property
    def scalar_curvature(self) -> float:
        """R = ¼ (‖T‖² − ‖tr T‖²)."""
        return (self.cumulant_norm - self.trace_norm) / 4

    @property
    def ricci_terms(self) -> tuple[float, float, float, float]:
        """The four terms R₁…R₄ that the paper sums to R.

        Two come from the derivative of the connection and two from its square. R₃ = −R₁/2 and R₄ = −R₂/2 hold for
        *any* symmetric T, so they say nothing about data (M. Zhuravlev, "Fisher Curvature Scaling at Critical
        Points", arXiv 2603.07651).
        """
        return -self.trace_norm / 2, self.cumulant_norm / 2, self.trace_norm / 4, -self.cumulant_norm / 4


def invariants(metric: ArrayLike, cumulant: ArrayLike) -> Invariants:
    """Contract a dense (m, m) metric with a dense symmetric (m, m, m) third cumulant; O(m⁴) time, O(m³) memory.

    Raises ``ValueError`` for wrong shapes, NaN, a cumulant that is not symmetric or a metric that is not positive
    definite in double precision.
    """
    F = checks.finite_array("metric", metric, ndim=2)
    T = checks.finite_array("cumulant", cumulant, ndim=3)
    m = len(F)
    if F.shape != (m, m) or T.shape != (m, m, m):
        raise ValueError(f"metric must be (m, m) and cumulant (m, m, m); got {F.shape} and {T.shape}")
    size = np.abs(T).max()
    if not (
        np.allclose(T, T.transpose(1, 0, 2), atol=1e-9 * size)
        and np.allclose(T, T.transpose(0, 2, 1), atol=1e-9 * size)
    ):
        raise ValueError("cumulant must be symmetric in all three indices")
    white = whitener(F)
    for _ in range(3):
        T = np.tensordot(T, white, axes=(0, 1))  # cycles through the axes: after three turns all are white
    trace = np.einsum("abb->a", T)
    return Invariants(float(np.sum(T * T)), float(trace @ trace))


def whitener(metric: NDArray) -> NDArray:
    """Return W with Wᵀ W = F⁻¹; raises ``ValueError`` if F is singular to working precision."""
    eigenvalues, vectors = np.linalg.eigh(metric)
    if eigenvalues[0] <= 1e-12 * eigenvalues[-1]:
        raise ValueError(
            f"the Fisher metric is singular to working precision (eigenvalues {eigenvalues[0]:.1e} to "
            f"{eigenvalues[-1]:.1e}); a doubled bond, a free bond counted twice or a very strong coupling does this"
        )
    return vectors.T / np.sqrt(eigenvalues)[:, None]
