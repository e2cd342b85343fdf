"""Compiled kernels behind the exact radius: hull ties, Prony roots, Newton, winding number.

All work on one sample in normal form: gaps l_k = z_k − z_top ≤ 0 and rates b_k of spread 1, so that the zeros of
F(u) = Σ_k exp(l_k + b_k u) obey |Im u| ≥ π. The kernels release the interpreter lock and hold no state.
"""

import numpy as np
from numba import njit

NEWTON_STEPS = 60
NEWTON_CAP = 1.5
PRONY_TERMS = 48
PRONY_ROOTS = 8
WINDING_JUMP = 0.8
WINDING_DEPTH = 14
INSIDE = 0.999
SIMPLE_ENOUGH = 1e-5
PASSES = 4
NEGLIGIBLE = -45.0


@njit(cache=True, nogil=True)
def partition(gaps, rates, u_re, u_im):
    """Return F and F' at u, both divided by the largest term's modulus, and Σ of the moduli on the same scale."""
    largest = -np.inf
    for k in range(gaps.size):
        largest = max(largest, gaps[k] + rates[k] * u_re)
    f_re, f_im, d_re, d_im, total = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(gaps.size):
        exponent = gaps[k] + rates[k] * u_re - largest
        if exponent > NEGLIGIBLE:
            weight = np.exp(exponent)
            angle = rates[k] * u_im
            c, s = weight * np.cos(angle), weight * np.sin(angle)
            f_re += c
            f_im += s
            d_re += rates[k] * c
            d_im += rates[k] * s
            total += weight
    return complex(f_re, f_im), complex(d_re, d_im), total


@njit(cache=True, nogil=True)
def newton(gaps, rates, start):
    """Follow Newton's iteration on F from ``start``; return the point reached and whether it is a simple zero.

    "Simple" means that F vanishes to rounding there while F' does not: next to a multiple zero both vanish, and the
    position is not trustworthy.
    """
    u = start
    for _ in range(NEWTON_STEPS):
        f, d, _total = partition(gaps, rates, u.real, u.imag)
        if abs(d) < 1e-300:
            return u, False
        step = f / d
        size = abs(step)
        if size > NEWTON_CAP:
            step *= NEWTON_CAP / size
        u -= step
        if size < 1e-15 * (1 + abs(u)):
            break
    f, d, total = partition(gaps, rates, u.real, u.imag)
    rounding = 1e-14 * total * (1 + abs(u))
    return u, abs(f) < 1e3 * rounding and abs(d) > SIMPLE_ENOUGH * total


@njit(cache=True, nogil=True)
def hull_ties(gaps, rates, order):
    """Return the points where neighbouring lines of the upper envelope max_k(l_k + b_k u) cancel: the 2-class zeros.

    ``order`` sorts the rates upwards. At most K − 1 points, u = (l_j − l_k + iπ)/(b_k − b_j).
    """
    hull = np.empty(order.size, dtype=np.int64)
    size = 0
    for index in order:
        while size > 0:
            last = hull[size - 1]
            if rates[index] - rates[last] <= 1e-14:
                if gaps[index] <= gaps[last]:
                    break
                size -= 1
                continue
            if size > 1:
                before = hull[size - 2]
                crossing = (gaps[last] - gaps[index]) * (rates[last] - rates[before])
                previous = (gaps[before] - gaps[last]) * (rates[index] - rates[last])
                if crossing <= previous:
                    size -= 1
                    continue
            hull[size] = index
            size += 1
            break
        if size == 0:
            hull[0] = index
            size = 1
    ties = np.empty(max(size - 1, 0), dtype=np.complex128)
    for j in range(size - 1):
        low, high = hull[j], hull[j + 1]
        ties[j] = complex(gaps[low] - gaps[high], np.pi) / (rates[high] - rates[low])
    return ties


@njit(cache=True, nogil=True)
def log_derivative_series(gaps, rates, scale, terms):
    """Return the first ``terms`` Taylor coefficients of F'/F in w = u/scale at 0 (rates centred on their mean)."""
    weights = np.exp(gaps)
    weights /= weights.sum()
    mean = (weights * rates).sum()
    powers = weights.copy()
    f = np.zeros(terms + 1)
    for n in range(terms + 1):
        f[n] = powers.sum()
        powers *= (rates - mean) * scale / (n + 1)
    series = np.zeros(terms)
    for n in range(1, terms + 1):
        value = n * f[n]
        for j in range(1, n):
            value -= series[j - 1] * f[n - j]
        series[n - 1] = value
    return series


@njit(cache=True, nogil=True)
def prony_roots(series, count):
    """Return the poles w of Σ c_n wⁿ = Σ_j 1/(w − w_j) from its last coefficients by linear prediction.

    The tail obeys c_{n+p} = Σ_i q_i c_{n+i}; the roots of the recurrence are 1/w_j. Least squares by the normal
    equations of the scaled series is enough, since Newton polishes every root afterwards.
    """
    terms = series.size
    start = max(0, terms - 4 * count)
    rows = terms - start - count
    matrix = np.empty((rows, count))
    target = np.empty(rows)
    for n in range(rows):
        for i in range(count):
            matrix[n, i] = series[start + n + i]
        target[n] = series[start + n + count]
    size = np.max(np.abs(matrix))
    if not (size > 0 and np.isfinite(size) and np.all(np.isfinite(target))):
        return np.empty(0, dtype=np.complex128)
    prediction = np.linalg.lstsq(matrix / size, target / size, 1e-12)[0]
    companion = np.zeros((count, count), dtype=np.complex128)
    for i in range(count):
        companion[count - 1, i] = prediction[i]
        if i > 0:
            companion[i - 1, i] = 1.0
    inverse = np.linalg.eigvals(companion)
    keep = np.abs(inverse) > 1e-3
    return 1.0 / inverse[keep]


@njit(cache=True, nogil=True)
def phase_between(gaps, rates, radius, low, high, f_low, f_high):
    """Return the continuous change of arg F along the arc, or NaN if it turns too fast to follow (a zero nearby)."""
    change = np.angle(f_high * np.conj(f_low))
    lows = np.empty(WINDING_DEPTH + 2)
    highs = np.empty(WINDING_DEPTH + 2)
    low_values = np.empty(WINDING_DEPTH + 2, dtype=np.complex128)
    high_values = np.empty(WINDING_DEPTH + 2, dtype=np.complex128)
    lows[0], highs[0], low_values[0], high_values[0] = low, high, f_low, f_high
    pending, total, smallest = 1, 0.0, (high - low) / 2.0**WINDING_DEPTH
    while pending > 0:
        pending -= 1
        a, b, fa, fb = lows[pending], highs[pending], low_values[pending], high_values[pending]
        change = np.angle(fb * np.conj(fa))
        if abs(change) < WINDING_JUMP:
            total += change
            continue
        if b - a < smallest:
            return np.nan
        middle = 0.5 * (a + b)
        fm, _d, _t = partition(gaps, rates, radius * np.cos(middle), radius * np.sin(middle))
        lows[pending], highs[pending], low_values[pending], high_values[pending] = a, middle, fa, fm
        pending += 1
        lows[pending], highs[pending], low_values[pending], high_values[pending] = middle, b, fm, fb
        pending += 1
    return total


@njit(cache=True, nogil=True)
def winding(gaps, rates, radius):
    """Return how many zeros F has in |u| < radius (−1 if the phase cannot be followed).

    Half the circle is enough, F(ū) being the conjugate of F(u). The phase of one term turns by at most radius·π/2
    between neighbouring starting angles divided by their number, so nothing can turn unseen; steps are halved until
    each changes the phase by less than 0.8.
    """
    arcs = max(12, int(np.ceil(radius * np.pi / 2)))
    total = 0.0
    f_low, _d, _t = partition(gaps, rates, radius, 0.0)
    for j in range(arcs):
        low, high = np.pi * j / arcs, np.pi * (j + 1) / arcs
        f_high, _d, _t = partition(gaps, rates, radius * np.cos(high), radius * np.sin(high))
        total += phase_between(gaps, rates, radius, low, high, f_low, f_high)
        f_low = f_high
    if np.isnan(total):
        return -1
    return int(np.round(total / np.pi))


@njit(cache=True, nogil=True)
def circle_roots(gaps, rates, radius, count):
    """Return ``count`` estimates of the zeros in |u| < radius from the moments of F'/F on the circle."""
    points = max(64, 4 * int(np.ceil(radius)))
    moments = np.zeros(count + 1)
    for j in range(points):  # midpoints of the upper half circle; the lower half is its mirror
        angle = np.pi * (j + 0.5) / points
        f, d, _t = partition(gaps, rates, radius * np.cos(angle), radius * np.sin(angle))
        turn = complex(np.cos(angle), np.sin(angle))
        power = turn
        for n in range(count + 1):
            moments[n] += (radius * power * d / f).real / points
            power *= turn
    # Newton's identities: power sums to elementary symmetric functions, then the roots of the polynomial
    symmetric = np.zeros(count + 1)
    symmetric[0] = 1.0
    for n in range(1, count + 1):
        value = 0.0
        for i in range(1, n + 1):
            value += (-1.0) ** (i - 1) * symmetric[n - i] * moments[i]
        symmetric[n] = value / n
    companion = np.zeros((count, count), dtype=np.complex128)
    for i in range(count):
        companion[0, i] = -((-1.0) ** (i + 1)) * symmetric[i + 1]
        if i > 0:
            companion[i, i - 1] = 1.0
    return radius * np.linalg.eigvals(companion)


@njit(cache=True, nogil=True)
def nearest(gaps, rates, candidates, best, best_simple):
    """Polish the candidates by Newton; return the zero nearest to the origin and whether it is simple."""
    for start in candidates:
        if not np.isfinite(start.real) or abs(start) > 3.0 * abs(best) + 10.0:
            continue
        # every zero lies at |Im u| ≥ π: a start below that line is lifted onto it
        lifted = complex(start.real, max(abs(start.imag), np.pi))
        u, simple = newton(gaps, rates, lifted)
        u = complex(u.real, abs(u.imag))
        _f, _d, total = partition(gaps, rates, u.real, u.imag)
        is_zero = abs(_f) < 1e-10 * total * (1 + abs(u))
        if is_zero and u.imag > np.pi * (1 - 1e-9) and abs(u) < abs(best) * (1 - 1e-13):
            best, best_simple = u, simple
    return best, best_simple


@njit(cache=True, nogil=True)
def solve_one(gaps, rates, order):
    """Return the nearest zero of one sample in normal form and whether the result is certified."""
    ties = hull_ties(gaps, rates, order)
    best, simple = nearest(gaps, rates, ties[np.argsort(np.abs(ties))], complex(np.inf, 0.0), False)
    scale = min(abs(best), 12.0)
    roots = prony_roots(log_derivative_series(gaps, rates, scale, PRONY_TERMS), PRONY_ROOTS)
    best, simple = nearest(gaps, rates, roots * scale, best, simple)
    if not np.isfinite(abs(best)):
        best, simple = nearest(gaps, rates, np.array([complex(0.0, np.pi)]), best, simple)
    if not np.isfinite(abs(best)):
        return best, False
    for _ in range(PASSES):
        inside = winding(gaps, rates, INSIDE * abs(best))
        if inside == 0:
            return best, simple
        if inside < 0 or inside > 64:
            return best, False
        previous = abs(best)
        found = circle_roots(gaps, rates, INSIDE * previous, inside)
        best, simple = nearest(gaps, rates, found, best, simple)
        if abs(best) >= previous:
            return best, False
    return best, False


@njit(cache=True, nogil=True)
def solve(gaps, rates, order, zeros, certified):
    """Fill ``zeros`` and ``certified`` for a batch in normal form."""
    for i in range(gaps.shape[0]):
        zeros[i], certified[i] = solve_one(gaps[i], rates[i], order[i])
