"""The inner loops: scores, second derivatives and log-densities of a blurred mixture at points plus noise.

Everything happens in the axes of each component, where its covariance is diagonal: ``places`` (n, k, d) are points from
the component's mean, ``noise`` (m, k, d) noise vectors, both turned into its axes beforehand, so that a point with
noise is a sum and no matrix is applied until a component has been found to matter. ``rows`` (k, d, d) are the axes, one
in each row, so that the innermost loops run along memory.

What one point with one noise vector needs is written into the loops around it (``inline``): as a function of its own it
would count references of its arrays at every call, which takes longer than its work.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NEGLIGIBLE = 1e-19
"""Responsibility below which a component adds nothing to the last digit."""
LEAST_LOG = np.log(NEGLIGIBLE)
CHUNK = 512
"""Noise vectors whose scores are taken together, so that they stay in the cache."""
CLOSE = {"reassoc", "contract"}
"""What a compiler may do to the order of sums; never to NaN and infinity."""


@njit(inline="always")
def _responsibilities(places, i, noise, j, sigma, log_weights, inverse, r):
    """Write the responsibilities (k,) of the components at point ``i`` with noise ``j``; return the largest log, and Σ.

    The log of the density is the largest log + log Σ; who needs the responsibilities alone is spared the logarithm.
    """
    k, d = inverse.shape
    top = -np.inf
    for c in range(k):
        q = 0.0
        for a in range(d):
            v = places[i, c, a] + sigma * noise[j, c, a]
            q += v * v * inverse[c, a]
        r[c] = log_weights[c] - 0.5 * q
        top = max(top, r[c])
    total = 0.0
    for c in range(k):
        r[c] = np.exp(r[c] - top)
        total += r[c]
    over = 1.0 / total
    for c in range(k):
        r[c] *= over
    return top, total


@njit(inline="always")
def _plane_score(places, i, noise, j, sigma, log_weights, inverse, rows, r):
    """Return both coordinates of ∇ log q_σ at point ``i`` with noise ``j`` in the plane.

    What the loops over axes do in any dimension, written out: a third of the time, and the plane is what people drag.
    """
    k = len(log_weights)
    top = -np.inf
    for c in range(k):
        u = places[i, c, 0] + sigma * noise[j, c, 0]
        v = places[i, c, 1] + sigma * noise[j, c, 1]
        r[c] = log_weights[c] - 0.5 * (u * u * inverse[c, 0] + v * v * inverse[c, 1])
        top = max(top, r[c])
    total = 0.0
    first = 0.0
    second = 0.0
    for c in range(k):
        below = r[c] - top
        if below < LEAST_LOG:  # far away: most are where noise is small, and subnormal numbers are slow
            continue
        w = np.exp(below)
        total += w
        u = w * inverse[c, 0] * (places[i, c, 0] + sigma * noise[j, c, 0])
        v = w * inverse[c, 1] * (places[i, c, 1] + sigma * noise[j, c, 1])
        first += rows[c, 0, 0] * u + rows[c, 1, 0] * v
        second += rows[c, 0, 1] * u + rows[c, 1, 1] * v
    return -first / total, -second / total


@njit(cache=True, nogil=True, fastmath=CLOSE)
def log_densities(places: Floats, log_weights: Floats, inverse: Floats, out: Floats) -> None:
    """Write log Σ_k exp(log_weights − ½ quadratic form) of every point into ``out`` (n,)."""
    n, k, d = places.shape
    r = np.empty(k)
    nothing = np.zeros((1, k, d))
    for i in range(n):
        top, total = _responsibilities(places, i, nothing, 0, 0.0, log_weights, inverse, r)
        out[i] = top + np.log(total)


@njit(cache=True, nogil=True, fastmath=CLOSE)
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
            if d == 2:
                first, second = _plane_score(places, i, noise, j, sigma, log_weights, inverse, rows, r)
                out[i, j, 0] = scale * first
                out[i, j, 1] = scale * second
            else:
                _responsibilities(places, i, noise, j, sigma, log_weights, inverse, r)
                for b in range(d):
                    out[i, j, b] = 0.0
                for c in range(k):
                    if r[c] > NEGLIGIBLE:
                        for a in range(d):
                            y = -r[c] * scale * inverse[c, a] * (places[i, c, a] + sigma * noise[j, c, a])
                            for b in range(d):
                                out[i, j, b] += rows[c, a, b] * y


@njit(cache=True, nogil=True, fastmath=CLOSE)
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
            _responsibilities(places, i, noise, j, sigma, log_weights, inverse, r)
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


@njit(cache=True, nogil=True, fastmath=CLOSE)
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
    one = np.empty((1, CHUNK, d))
    two = np.empty((1, CHUNK, d))
    scale = sigma * sigma
    apart = 0.0
    energy = 0.0
    for start in range(0, m, CHUNK):
        count = min(CHUNK, m - start)
        mine = noise[start : start + count]
        scaled_scores(first, mine, sigma, log_weights, inverse, rows, scale, one)
        scaled_scores(second, mine, sigma, log_weights, inverse, rows, scale, two)
        for j in range(count):
            square = 0.0
            cross = 0.0
            for b in range(d):
                difference = two[0, j, b] - one[0, j, b]  # ε₁ − ε₂, for ε = −σe − σ² ∇ log q
                square += difference * difference
                total = -2 * sigma * plain[start + j, b] - one[0, j, b] - two[0, j, b]  # ε₁ + ε₂
                cross += difference * total
            apart += weights[start + j] * square
            energy += weights[start + j] * cross
    return apart, energy
