"""Closed-form radii of the softmax partition function along a straight step.

Along θ(τ) = θ₀ + τv the logits of a sample are z + τa to first order, a = J v. The cross-entropy is analytic in τ up
to the nearest complex zero ("ghost") of F(τ) = Σ_k exp(z_k + a_k τ). Two lower bounds cost no more than the slopes:

* ``bound_radius``      ρ_a = π T / Δ, Δ = max_k a − min_k a (temperature T)
* ``dominance_radius``  ρ_dom = √(u² + (πT/Δ)²), where up to |Re τ| = u one class outweighs all the others together

and always ρ_a ≤ ρ_dom ≤ ρ*, the exact radius of :func:`workbench.steps.exact_radius`.

Reference: P. Sao, "Ghosts of Softmax", arXiv 2603.13552 (the bound); the dominance bound is derived here.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks

FloatArray = NDArray[np.float64]


def spread(slopes: ArrayLike) -> FloatArray:
    """Return Δ = max_k a_k − min_k a_k of each sample.

    ``slopes`` has shape (batch, classes), in logits per unit of τ; the result has shape (batch,). Raises ``ValueError``
    for NaN, infinity, another shape, or a single class (whose loss is constant: there is nothing to measure).
    """
    return np.ptp(checked_slopes(slopes), axis=1)


def bound_radius(slopes: ArrayLike, *, temperature: float = 1.0) -> FloatArray:
    """Return the bound ρ_a = πT/Δ of each sample: no zero of F lies nearer.

    ``slopes``: (batch, classes), logits per unit of τ; result: (batch,), in units of τ. Constant slopes give ∞: the
    loss does not change at all. Errors as :func:`spread`. Costs one pass over the slopes.

    Read on the real line: for linear logits the loss of a sample changes by at most πr within τ = r·ρ_a, and its
    prediction can only flip if its margin is below πr. Reference: arXiv 2603.13552.

    >>> bound_radius([[0.0, 1.0]])
    array([3.14159265])
    """
    temperature = checks.real("temperature", temperature, exclusive_minimum=0)
    return radius_from_spread(spread(slopes), temperature)


def radius_from_spread(delta: ArrayLike, temperature: float = 1.0) -> FloatArray:
    """Return πT/Δ, with ∞ where Δ = 0."""
    delta = np.asarray(delta, dtype=float)
    with np.errstate(divide="ignore", over="ignore"):
        return np.where(delta > 0, np.pi * temperature / delta, np.inf)


def set_radius(radii: ArrayLike, *, quantile: float = 1.0) -> float:
    """Return the radius of a whole set of samples.

    ``quantile=1`` is the paper's: the smallest radius, the one that every sample respects. ``quantile=q`` lets the
    fraction 1 − q of the samples with the smallest radii pass, so that a single outlier does not rule the step: the
    answer is π over the q-quantile of the spreads π/ρ (linear interpolation). Raises ``ValueError`` outside (0, 1].
    """
    quantile = checks.real("quantile", quantile, exclusive_minimum=0, maximum=1)
    radii = np.asarray(radii, dtype=float)
    if radii.ndim != 1 or radii.size == 0 or np.isnan(radii).any() or (radii < 0).any():
        raise ValueError("radii must be a non-empty vector of radii ≥ 0 (∞ is allowed), one for each sample")
    with np.errstate(divide="ignore"):
        inverse = np.where(np.isinf(radii), 0.0, 1.0 / radii)
        widest = np.max(inverse) if quantile == 1 else np.quantile(inverse, quantile)
        return float(1.0 / widest) if widest > 0 else float("inf")


def binary_radius(gap: ArrayLike, slope: ArrayLike, *, temperature: float = 1.0) -> FloatArray:
    """Return the exact radius √(δ² + T²π²)/|Δ| of two classes with logit gap δ and slope difference Δ (∞ for Δ = 0).

    ``gap`` and ``slope`` broadcast. Solves 1 + exp((δ + Δτ)/T) = 0. Reference: arXiv 2603.13552.

    >>> float(binary_radius(2.0, 1.0))
    3.724191778237173
    """
    temperature = checks.real("temperature", temperature, exclusive_minimum=0)
    gap, slope = checks.finite_array("gap", gap), np.abs(checks.finite_array("slope", slope))
    with np.errstate(divide="ignore"):
        return np.where(slope > 0, np.hypot(gap, temperature * np.pi) / slope, np.inf)


def dominance_radius(logits: ArrayLike, slopes: ArrayLike, *, temperature: float = 1.0) -> FloatArray:
    """Return the dominance bound ρ_dom ≥ ρ_a of each sample.

    Let m be the top class and g(u) = Σ_{k≠m} exp((z_k − z_m) + (a_k − a_m)u), a convex function. While g(Re τ) < 1
    the top class outweighs all others and F cannot vanish; every zero has |Im τ| ≥ πT/Δ. So if g(0) < 1, no zero is
    nearer than √(u² + (πT/Δ)²), u the smaller |u| with g(u) = 1; otherwise the bound is ρ_a. Exact for two classes.

    Shapes (batch, classes) both; result (batch,). Constant slopes give ∞. A logit of −∞ is a class that is masked
    out, whose slope does not count. Raises as :func:`spread`, also when the shapes differ or differences overflow.
    Costs about 30 vectorised evaluations of g.
    """
    logits, slopes = checked_pair(logits, slopes)
    temperature = checks.real("temperature", temperature, exclusive_minimum=0)
    logits, slopes = scaled_pair(logits, slopes, temperature)
    delta = np.ptp(slopes, axis=1)
    radius = radius_from_spread(delta)
    rows = np.flatnonzero(delta > 0)
    if rows.size:
        gaps, rates = _relative_to_top(logits[rows], slopes[rows] / delta[rows, None])
        u = np.minimum(_level_crossing(gaps, rates), _level_crossing(gaps, -rates))
        radius[rows] = np.hypot(u, np.pi) / delta[rows]
    return radius


def _relative_to_top(logits: FloatArray, slopes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return z_k − z_m and a_k − a_m of the classes other than the top one m."""
    top = np.argmax(logits, axis=1)
    rows = np.arange(len(top))
    others = np.ones(logits.shape, dtype=bool)
    others[rows, top] = False
    shape = (len(top), logits.shape[1] - 1)
    gaps = (logits - logits[rows, top][:, None])[others].reshape(shape)
    rates = (slopes - slopes[rows, top][:, None])[others].reshape(shape)
    return gaps, rates


def _level_crossing(gaps: FloatArray, rates: FloatArray) -> FloatArray:
    """Return for each row the smallest u ≥ 0 with log Σ_k exp(gap_k + rate_k u) = 0; 0 if it starts above, ∞ if none.

    The left side is convex and starts below zero. A line gap_k + rate_k u reaches zero no earlier than the sum does,
    so the first of the lines brackets the crossing from above, and Newton from there falls monotonically onto it.
    """

    def value_and_derivative(u: FloatArray) -> tuple[FloatArray, FloatArray]:
        exponents = gaps + rates * u[:, None]
        largest = exponents.max(axis=1)
        weights = np.exp(exponents - largest[:, None])
        total = weights.sum(axis=1)
        return largest + np.log(total), (weights * rates).sum(axis=1) / total

    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        upper = np.where(rates > 0, -gaps / rates, np.inf).min(axis=1)
    start, _ = value_and_derivative(np.zeros(len(gaps)))
    active = np.isfinite(upper) & (start < 0)
    u = np.where(active, upper, 0.0)
    for _ in range(60):
        value, derivative = value_and_derivative(u)
        moving = active & (value > 1e-15) & (derivative > 0)
        if not moving.any():
            break
        u = np.where(moving, np.maximum(u - value / np.where(moving, derivative, 1.0), 0.0), u)
    return np.where(start >= 0, 0.0, np.where(active, u, np.inf))


def checked_slopes(slopes: ArrayLike) -> FloatArray:
    """Return slopes as a finite (batch, classes ≥ 2) float64 array or raise ``ValueError``."""
    array = checks.finite_array("slopes", slopes, ndim=2)
    if array.shape[1] < 2:
        raise ValueError(
            f"slopes have {array.shape[1]} class(es); cross-entropy needs at least 2. For a model with one logit "
            "(binary) give the columns 0 and a, which is what steps.logits_and_slopes does"
        )
    return array


def checked_pair(logits: ArrayLike, slopes: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return logits and slopes as arrays of one shape (batch, classes ≥ 2) or raise ``ValueError``.

    All is finite but for logits of −∞: classes that are masked out. Every sample keeps at least one class.
    """
    slopes = checked_slopes(slopes)
    present = np.asarray(logits)
    if present.shape == slopes.shape and present.dtype.kind == "f" and np.isneginf(present).any():
        masked = np.isneginf(present)
        if masked.all(axis=1).any():
            row = int(np.flatnonzero(masked.all(axis=1))[0])
            raise ValueError(f"every logit of sample {row} is −∞; its softmax is undefined. Leave the sample out")
        logits = np.where(masked, -np.inf, checks.finite_array("logits", np.where(masked, 0.0, present), ndim=2))
    else:
        logits = checks.finite_array("logits", logits, ndim=2)
    if logits.shape != slopes.shape:
        raise ValueError(f"logits and slopes must have the same shape, got {logits.shape} and {slopes.shape}")
    return logits, slopes


def scaled_pair(logits: FloatArray, slopes: FloatArray, temperature: float) -> tuple[FloatArray, FloatArray]:
    """Return (logits − top)/T and (slopes − slope of the top class)/T; a masked class moves with the top one.

    So it counts in no spread and weighs nothing. Raises ``ValueError`` where a difference overflows.
    """
    top = np.argmax(logits, axis=1)[:, None]
    with np.errstate(over="ignore", invalid="ignore"):
        gaps = (logits - np.take_along_axis(logits, top, axis=1)) / temperature
        rates = (slopes - np.take_along_axis(slopes, top, axis=1)) / temperature
        rates[np.isneginf(logits)] = 0.0
        spreads = np.ptp(rates, axis=1)
    lost = ~(np.isfinite(np.where(np.isneginf(logits), 0.0, gaps)).all(axis=1) & np.isfinite(spreads))
    if lost.any():
        raise ValueError(
            f"the logits or slopes of sample {int(np.flatnonzero(lost)[0])} differ by more than a float64 holds "
            f"(after division by the temperature {temperature:g}); give them in smaller units"
        )
    return gaps, rates
