"""A second, flat frame beside the metric: torsion and its three parts, non-metricity and its two traces.

In a crystal the second frame is there: the lattice coframe E = J dx, dual to the local lattice vectors. Its own
connection has no curvature. What is left of the defects is torsion Tᶜ = dEᶜ and non-metricity Q_kab = −½ ∂_k g_ab, with
the metric in lattice components g = J⁻ᵀ G J⁻¹ and ∂_k = (J⁻¹)ᵐ_k ∂_m. Signs are those of the general teleparallel
theory of defects (Adak, Dereli and others, arXiv 2602.01408).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks

STENCIL = ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))
"""Offsets and weights of the central difference of order six."""


@dataclass(frozen=True)
class CoframeField:
    """A coframe and a metric at points, with their derivatives; the last axis of a gradient is ∂_m.

    ``points`` (n, d); ``coframe`` J (n, a, i), so that Eᵃ = Jᵃ_i dxⁱ; ``coframe_gradient`` (n, a, i, m); ``metric`` G
    (n, i, j) in the coordinates, the identity for positions in ordinary space; ``metric_gradient`` (n, i, j, m).
    """

    points: NDArray
    coframe: NDArray
    coframe_gradient: NDArray
    metric: NDArray
    metric_gradient: NDArray

    @property
    def inverse(self) -> NDArray:
        """J⁻¹ (n, i, a): the lattice vectors as columns."""
        return np.linalg.inv(self.coframe)


def sampled_frame(
    points: ArrayLike,
    coframe: Callable[[NDArray], NDArray] | None = None,
    metric: Callable[[NDArray], NDArray] | None = None,
    *,
    step: float = 1e-2,
) -> CoframeField:
    """Return the field of two functions at ``points`` (n, d), differentiated by central differences of order six.

    Each function takes points (n, d) and returns matrices (n, d, d); None is the identity. ``step`` is a length, small
    beside that over which they change: the error is its sixth power, and rounding divided by it.

    >>> bent = lambda x: np.stack([np.stack([1 - 0.1 * x[:, 1], -0.1 * x[:, 0]], 1),
    ...                            np.stack([0.1 * x[:, 0], 1 + 0 * x[:, 0]], 1)], 1)
    >>> field = sampled_frame([[0.0, 0.0]], bent)  # a crystal bent without a defect
    >>> nonmetricity_traces(field).first.round(9).tolist(), bool(abs(torsion_parts(field).torsion).max() < 1e-9)
    ([[0.0, -0.1]], True)
    """
    at = checks.finite_array("points", points, ndim=2)
    step = checks.real("step", step, minimum=1e-6, maximum=1e3)
    eye = np.broadcast_to(np.eye(at.shape[1]), (len(at), at.shape[1], at.shape[1]))
    values, gradients = [], []
    for name, function in (("coframe", coframe), ("metric", metric)):
        if function is None:
            values.append(eye)
            gradients.append(np.zeros((*eye.shape, at.shape[1])))
            continue
        values.append(_matrices(name, function(at), eye.shape))
        slopes = []
        for m in range(at.shape[1]):
            along = np.zeros(at.shape[1])
            along[m] = step
            slopes.append(sum(w * (function(at + k * along) - function(at - k * along)) for k, w in STENCIL) / step)
        gradients.append(np.stack(slopes, -1))
    return CoframeField(at, values[0], gradients[0], values[1], gradients[1])


def _matrices(name: str, value: ArrayLike, shape: tuple[int, ...]) -> NDArray:
    found = checks.finite_array(name, value, ndim=3)
    if found.shape != shape:
        raise ValueError(f"{name} returned shape {found.shape} for {shape[0]} points; it must return {shape}")
    return found


class TorsionParts(NamedTuple):
    """Torsion at points: ``torsion`` (n, a, c) of lattice index a, its dual form (c = 1 in the plane, 3 in space).

    ``nye`` α (n, 3, 3) has both indices in space (Nye's tensor); ``axial``, ``vector`` and ``tensor`` (n,) are the
    squared norms of its trace, antisymmetric, and symmetric trace-free part: they sum to |α|².
    """

    torsion: NDArray
    nye: NDArray
    axial: NDArray
    vector: NDArray
    tensor: NDArray


def torsion_parts(frame: CoframeField) -> TorsionParts:
    """Return the torsion Tᶜ_mn = ∂_m Jᶜ_n − ∂_n Jᶜ_m of a coframe and the squares of its three parts.

    The vector part is the trace ι_a Tᵃ of the torsion. In the plane the line of a dislocation stands upright.
    """
    slope = frame.coframe_gradient
    d = frame.points.shape[1]
    pairs = [(0, 1)] if d == 2 else [(1, 2), (2, 0), (0, 1)]
    torsion = np.stack([slope[:, :, n, m] - slope[:, :, m, n] for m, n in pairs], -1)
    nye = np.zeros((len(torsion), 3, 3))
    nye[:, :d, 3 - len(pairs) :] = frame.inverse @ torsion
    return TorsionParts(torsion, nye, *_squares(nye))


def _squares(nye: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    axial = np.trace(nye, axis1=1, axis2=2) ** 2 / 3
    turned = nye.swapaxes(1, 2)
    vector = (((nye - turned) / 2) ** 2).sum((1, 2))
    symmetric = (((nye + turned) / 2) ** 2).sum((1, 2))
    return axial, vector, symmetric - axial


def torsion_shares(burgers: ArrayLike, line: ArrayLike) -> tuple[float, float, float]:
    """Return which shares of a dislocation's torsion are axial, vector (its trace) and tensor; they sum to 1.

    ``burgers`` and ``line`` are vectors in space (3,), of any length: the Nye tensor is their product. In the plane
    the line is (0, 0, 1). ``ValueError`` for a vector that vanishes.

    >>> [round(share, 4) for share in torsion_shares([1, 0, 1], [0, 0, 1])]  # mixed, 45°: 1/6, 1/4, 7/12
    [0.1667, 0.25, 0.5833]
    """
    found = []
    for name, value in (("burgers", burgers), ("line", line)):
        vector = checks.finite_array(name, value, ndim=1)
        if vector.shape != (3,) or not np.any(vector):
            raise ValueError(f"{name} must be three numbers, not all 0; got {vector.tolist()}")
        vector = vector / np.abs(vector).max()
        found.append(vector / np.linalg.norm(vector))
    axial, vector, tensor = (float(part[0]) for part in _squares(np.outer(*found)[None]))
    return axial, vector, tensor


class Traces(NamedTuple):
    """Both traces of non-metricity (n, d), as covectors in the coordinates and in the lattice frame.

    ``first`` = Qᵃ_a = −½ d ln det g, ``second`` = (ι_a Qᵃᵇ) e_b.
    """

    first: NDArray
    second: NDArray
    first_in_lattice: NDArray
    second_in_lattice: NDArray


def nonmetricity_traces(frame: CoframeField) -> Traces:
    """Return the two traces of Q_kab = −½ ∂_k g_ab of a coframe in its metric."""
    inverse = frame.inverse
    # d(J⁻¹) = −J⁻¹ dJ J⁻¹, and g = J⁻ᵀ G J⁻¹
    moved = -np.einsum("nia,najm,njb->nibm", inverse, frame.coframe_gradient, inverse)
    half = np.einsum("niam,nij,njb->nabm", moved, frame.metric, inverse)
    slope = half + half.swapaxes(1, 2) + np.einsum("nia,nijm,njb->nabm", inverse, frame.metric_gradient, inverse)
    metric = np.einsum("nia,nij,njb->nab", inverse, frame.metric, inverse)
    up = np.linalg.inv(metric)
    q = -0.5 * np.einsum("nabm,nmk->nkab", slope, inverse)
    first = np.einsum("nab,nkab->nk", up, q)
    second = np.einsum("nka,nkab->nb", up, q)
    return Traces(
        np.einsum("nk,nkm->nm", first, frame.coframe), np.einsum("nk,nkm->nm", second, frame.coframe), first, second
    )
