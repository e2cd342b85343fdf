"""The inner loops: scores, second derivatives and log-densities of a blurred mixture at points plus noise.

Everything happens in the axes of each component, where its covariance is diagonal: ``places`` (n, k, d) are points from
the component's mean, ``noise`` (m, k, d) noise vectors, both turned into its axes beforehand, so that a point with
noise is a sum and no matrix is applied until a component has been found to matter. ``rows`` (k, d, d) are the axes, one
in each row, so that the innermost loops run along memory.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NEGLIGIBLE = 1e-19
"""Responsibility below which a component adds nothing to the last digit."""


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _responsibilities(place, noise, sigma, log_weights, inverse, r):
    """Write the responsibilities (k,) of the components at one point with one noise vector; return log Σ."""
    k, d = place.shape
    top = -np.inf
    for c in range(k):
        q = 0.0
        for a in range(d):
            v = place[c, a] + sigma * noise[c, a]
            q += v * v * inverse[c, a]
        r[c] = log_weights[c] - 0.5 * q
        top = max(top, r[c])
    total = 0.0
    for c in range(k):
        r[c] = np.exp(r[c] - top)
        total += r[c]
    for c in range(k):
        r[c] /= total
    return top + np.log(total)


@njit(cache=True, nogil=True)
def log_densities(places: Floats, log_weights: Floats, inverse: Floats, out: Floats) -> None:
    """Write log Σ_k exp(log_weights − ½ quadratic form) of every point into ``out`` (n,)."""
    n, k, d = places.shape
    r = np.empty(k)
    nothing = np.zeros((k, d))
    for i in range(n):
        out[i] = _responsibilities(places[i], nothing, 0.0, log_weights, inverse, r)


@njit(cache=True, nogil=True)
def scaled_scores(
    places: Floats,
    noise: Floats,
    sigma: float,
    log_weights: Floats,
    inverse: Floats,
    rows: Floats,
    scale: float,
    out: Floats,
) -> None:
    """Write ``scale`` · ∇ log q_σ(x_i + σ e_j) into ``out`` (n, m, d).

    With scale = σ² this is x̂ − z, the denoiser's correction: bounded where σ is large and where it is small.
    """
    n, k, d = places.shape
    m = len(noise)
    r = np.empty(k)
    for i in range(n):
        for j in range(m):
            _responsibilities(places[i], noise[j], sigma, log_weights, inverse, r)
            for b in range(d):
                out[i, j, b] = 0.0
            for c in range(k):
                if r[c] > NEGLIGIBLE:
                    for a in range(d):
                        v = places[i, c, a] + sigma * noise[j, c, a]
                        y = -r[c] * scale * inverse[c, a] * v
                        for b in range(d):
                            out[i, j, b] += rows[c, a, b] * y


@njit(cache=True, nogil=True)
def scaled_hessians(
    places: Floats,
    noise: Floats,
    sigma: float,
    log_weights: Floats,
    inverse: Floats,
    rows: Floats,
    precisions: Floats,
    scale: float,
    out: Floats,
) -> None:
    """Write ``scale`` · ∇² log q_σ(x_i + σ e_j) into ``out`` (n, m, d, d)."""
    n, k, d = places.shape
    m = len(noise)
    r = np.empty(k)
    g = np.empty(d)
    s = np.empty(d)
    for i in range(n):
        for j in range(m):
            _responsibilities(places[i], noise[j], sigma, log_weights, inverse, r)
            h = out[i, j]
            h[:] = 0.0
            s[:] = 0.0
            for c in range(k):
                if r[c] > NEGLIGIBLE:
                    g[:] = 0.0
                    for a in range(d):
                        y = -inverse[c, a] * (places[i, c, a] + sigma * noise[j, c, a])
                        for b in range(d):
                            g[b] += rows[c, a, b] * y
                    for b in range(d):
                        s[b] += r[c] * g[b]
                        for a in range(d):
                            h[b, a] += r[c] * (g[b] * g[a] - precisions[c, b, a])
            for b in range(d):
                for a in range(d):
                    h[b, a] = scale * (h[b, a] - s[b] * s[a])


@njit(cache=True, nogil=True)
def error_differences(
    first: Floats,
    second: Floats,
    noise: Floats,
    plain: Floats,
    weights: Floats,
    sigma: float,
    log_weights: Floats,
    inverse: Floats,
    rows: Floats,
) -> tuple[float, float]:
    """Return E‖ε₁ − ε₂‖² and E(‖ε₁‖² − ‖ε₂‖²) at one σ, ε = x − x̂(x + σe) with the same noise for both points.

    ``first``, ``second`` (1, k, d) are the points, ``plain`` (m, d) the noise before it was turned, ``weights`` (m,).
    """
    m, d = plain.shape
    one = np.empty((1, 1, d))
    two = np.empty((1, 1, d))
    apart = 0.0
    energy = 0.0
    for j in range(m):
        scaled_scores(first, noise[j : j + 1], sigma, log_weights, inverse, rows, sigma * sigma, one)
        scaled_scores(second, noise[j : j + 1], sigma, log_weights, inverse, rows, sigma * sigma, two)
        square = 0.0
        cross = 0.0
        for b in range(d):
            difference = two[0, 0, b] - one[0, 0, b]  # ε₁ − ε₂, for ε = −σe − σ² ∇ log q
            square += difference * difference
            total = -2 * sigma * plain[j, b] - one[0, 0, b] - two[0, 0, b]  # ε₁ + ε₂
            cross += difference * total
        apart += weights[j] * square
        energy += weights[j] * cross
    return apart, energy
