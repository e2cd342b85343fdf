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

        Two come from the derivative of the connection and two from its square. They are written here as multiples of
        the two norms, which takes R₃ = −R₁/2 and R₄ = −R₂/2 for granted; :func:`connection_terms` does not (M.
        Zhuravlev, "Fisher Curvature Scaling at Critical Points", arXiv 2603.07651).
        """
        return -self.trace_norm / 2, self.cumulant_norm / 2, self.trace_norm / 4, -self.cumulant_norm / 4


def invariants(metric: ArrayLike, cumulant: ArrayLike) -> Invariants:
    """Contract a dense (m, m) metric with a dense symmetric (m, m, m) third cumulant; O(m⁴) time, O(m³) memory.

    Raises ``ValueError`` for wrong shapes, NaN, a cumulant that is not symmetric or a metric that is not positive
    definite in double precision.

    >>> import numpy as np
    >>> flat = invariants(np.eye(2), np.zeros((2, 2, 2)))
    >>> flat.scalar_curvature
    0.0
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


def connection_terms(metric: ArrayLike, cumulant: ArrayLike) -> tuple[float, float, float, float]:
    """Return the four Ricci terms from the Christoffel symbols, each by its own contraction; O(m⁴) time.

    With Γ^a_bc = ½ F^am T_mbc and R = F^bd (∂_a Γ^a_db − ∂_d Γ^a_ab + Γ^a_ae Γ^e_db − Γ^a_de Γ^e_ab) the terms are the
    four summands in this order. The derivative of Γ has a part with the fourth cumulant, equal and opposite in the
    first two, which is left out, and one with ∂F⁻¹ = −F⁻¹ T F⁻¹. Unlike :attr:`Invariants.ricci_terms` nothing here
    knows that two of the terms are −½ of the others. Errors as in :func:`invariants`.
    """
    T = checks.finite_array("cumulant", cumulant, ndim=3)
    white = whitener(checks.finite_array("metric", metric, ndim=2))
    inverse = white.T @ white
    gamma = np.einsum("am,mbc->abc", inverse, T) / 2
    by_inverse = -np.einsum("ak,ckl,ldb->acdb", inverse, T, 2 * gamma, optimize=True) / 2  # ∂_c Γ^a_db through F⁻¹
    ricci = (
        np.einsum("aadb->bd", by_inverse),
        -np.einsum("adab->bd", by_inverse),
        np.einsum("aae,edb->bd", gamma, gamma, optimize=True),
        -np.einsum("ade,eab->bd", gamma, gamma, optimize=True),
    )
    first, second, third, fourth = (float(np.sum(inverse * term)) for term in ricci)
    return first, second, third, fourth


def whitener(metric: NDArray) -> NDArray:
    """Return W with Wᵀ W = F⁻¹; raises ``ValueError`` if F is singular to working precision."""
    eigenvalues, vectors = np.linalg.eigh(metric)
    if eigenvalues[0] <= 1e-12 * eigenvalues[-1]:
        raise ValueError(
            f"the Fisher metric is singular to working precision (eigenvalues {eigenvalues[0]:.1e} to "
            f"{eigenvalues[-1]:.1e}); a doubled bond, a free bond counted twice or a very strong coupling does this"
        )
    return vectors.T / np.sqrt(eigenvalues)[:, None]
