"""Find the first place where a function along a ray turns positive."""

import math
from collections.abc import Callable

GROWTH = 1.15
DECADES = 6


def first_crossing(
    excess: Callable[[float], float], scale: float, *, decades: int = DECADES, growth: float = GROWTH
) -> float:
    """Return the smallest τ seen with excess(τ) ≥ 0, refined by bisection to 1e-6 relative; ∞ if there is none.

    Scans τ = scale·growthⁿ over ``decades`` powers of ten, so an excursion narrower than ``growth`` can be missed. A
    value that is NaN counts as positive (the loss has overflowed). ``scale`` = ∞ (nothing moves) gives ∞.
    """
    if not math.isfinite(scale) or scale <= 0:
        return math.inf
    low, tau = 0.0, scale
    while tau <= scale * 10.0**decades:
        value = excess(tau)
        if not value < 0:
            return _bisect(excess, low, tau)
        low, tau = tau, tau * growth
    return math.inf


def _bisect(excess: Callable[[float], float], low: float, high: float) -> float:
    while high - low > 1e-6 * high:
        middle = 0.5 * (low + high)
        if excess(middle) < 0:
            low = middle
        else:
            high = middle
    return high
