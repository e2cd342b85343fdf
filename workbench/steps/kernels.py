"""Compiled kernels behind the exact radius: hull ties, Prony roots, Newton, winding number.

All work on one sample in normal form: gaps l_k = z_k − z_top ≤ 0 and rates b_k of spread 1, so that the zeros of
F(u) = Σ_k exp(l_k + b_k u) obey |Im u| ≥ π. The kernels release the interpreter lock and hold no state.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Order = NDArray[np.int64]
"""Indices that sort the rates upwards."""
Points = NDArray[np.complex128]

NEWTON_STEPS = 60
NEWTON_CAP = 1.5
PRONY_TERMS = 48
PRONY_ROOTS = 8
MOST_ARCS = 100_000
INSIDE = 0.999
SIMPLE_ENOUGH = 1e-5
PASSES = 4
NEGLIGIBLE = -45.0
ACTIVE = -60.0
ROUNDING = 4e-16
SPLIT = 134217729.0  # 2²⁷ + 1
FAR = 64.0  # from here on zeros are polished and searched for in coordinates of their own
NEAR_PLACES = 12
FIRST_TIES = 2


@njit(cache=True, nogil=True)
def partition(gaps: Vector, rates: Vector, u_re: float, u_im: float) -> tuple[complex, complex, float]:
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
def newton(gaps: Vector, rates: Vector, start: complex) -> tuple[complex, bool]:
    """Follow Newton's iteration on F from ``start``; return the point reached and whether it is a simple zero.

    "Simple" means that F vanishes to rounding there while F' does not, measured by the rates of the terms that count
    there: next to a multiple zero both vanish, and the position is not trustworthy.
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
    return u, abs(f) < 1e3 * rounding and abs(d) > SIMPLE_ENOUGH * weighted_spread(gaps, rates, u.real)


@njit(cache=True, nogil=True)
def weighted_spread(gaps: Vector, rates: Vector, x: float) -> float:
    """Return Σ w_k |b_k − mean| over the terms' moduli w_k at Re u = x, the largest being 1: the size F' may have."""
    largest = -np.inf
    for k in range(gaps.size):
        largest = max(largest, gaps[k] + rates[k] * x)
    total, mean, spread = 0.0, 0.0, 0.0
    for k in range(gaps.size):
        weight = np.exp(gaps[k] + rates[k] * x - largest)
        total += weight
        mean += weight * rates[k]
    mean /= total
    for k in range(gaps.size):
        spread += np.exp(gaps[k] + rates[k] * x - largest) * abs(rates[k] - mean)
    return spread


@njit(cache=True, nogil=True)
def hull_ties(gaps: Vector, rates: Vector, order: Order) -> Points:
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
def log_derivative_series(gaps: Vector, rates: Vector, scale: float, terms: int) -> Vector:
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
def prony_roots(series: Vector, count: int) -> Points:
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
def recentred(gaps: Vector, rates: Vector, x: float) -> Vector:
    """Return the gaps of the same F seen from the real point x: l_k + b_k x, less the largest of them.

    Next to a tie far out these are small differences of large numbers. Products and sums carry their rounding errors
    along (Dekker, Numer. Math. 18 (1971) 224), so that a tie at 10⁸ keeps all its digits.
    """
    moved = np.empty_like(gaps)
    lost = np.empty_like(gaps)
    x_high = x * SPLIT
    x_high = x_high - (x_high - x)
    x_low = x - x_high
    for k in range(gaps.size):
        b_high = rates[k] * SPLIT
        b_high = b_high - (b_high - rates[k])
        b_low = rates[k] - b_high
        product = rates[k] * x
        product_error = ((b_high * x_high - product) + b_high * x_low + b_low * x_high) + b_low * x_low
        total = gaps[k] + product
        part = total - gaps[k]
        moved[k] = total
        lost[k] = (gaps[k] - (total - part)) + (product - part) + product_error
    top = np.argmax(moved)
    high, low = moved[top], lost[top]
    for k in range(gaps.size):
        moved[k] = (moved[k] - high) + (lost[k] - low)
    moved -= moved.max()
    return moved


@njit(cache=True, nogil=True)
def on_circle(
    gaps: Vector, rates: Vector, radius: float, angle: float, height: float
) -> tuple[int, float, float, complex, bool, float]:
    """Look at F at the point u of |u| = radius under ``angle``, whose imaginary part is ``height``.

    Returns the largest term k; arg(F/term_k); how far u may run while G(u + s) = F(u + s)·exp(−r·s) provably stays in
    the half plane around F(u), and that r; whether term k outweighs all others together here, and the value of Re u
    down to which it goes on doing so.

    Two bounds on |G(u + s) − F(u)|, w_j the moduli: with r the mean rate, Σ w_j|b_j − r|·s·e^{f·s}; with r = F'/F,
    which makes G'(u) = 0, Σ w_j|b_j − r|²·s²/2·e^{f·s}; f the largest |b_j − r|. The first is better next to a zero,
    the second where many terms cancel. Both must stay below 0.9·|F|, and Lambert's W(q) ≥ 0.7·log(1 + q).
    """
    x = radius * np.cos(angle)
    top, largest = 0, -np.inf
    for k in range(gaps.size):
        if gaps[k] + rates[k] * x > largest:
            top, largest = k, gaps[k] + rates[k] * x
    noise = ROUNDING * (1.0 + abs(gaps[top]) + radius)  # of an exponent
    even = -np.log(3.0 * gaps.size) - noise
    # sums over the active terms, rates relative to the largest one's
    f, d, total, first, second = complex(0.0, 0.0), complex(0.0, 0.0), 0.0, 0.0, 0.0
    slowest, fastest, quiet, until = 0.0, 0.0, False, -np.inf
    for k in range(gaps.size):
        rate, gap = rates[k] - rates[top], gaps[k] - gaps[top]
        exponent = gap + rate * x
        if exponent > ACTIVE:
            weight = np.exp(exponent)
            term = complex(weight * np.cos(rate * height), weight * np.sin(rate * height))
            f += term
            d += rate * term
            total += weight
            first += weight * rate
            second += weight * rate * rate
            slowest, fastest = min(slowest, rate), max(fastest, rate)
        else:
            quiet = True
        if rate < 0.0:  # grows to the left; all of them together stay below 1/3 up to the first that reaches 1/(3K)
            until = max(until, (even - gap) / rate)
    room = 0.9 * (abs(f) - noise * total)
    mean = first / total
    spread = max(second - mean * first, 0.0)  # Σ w (b − mean)²
    reference, reach = complex(mean, 0.0), np.inf
    if room <= 0.0:
        reach = 0.0
    elif spread > 0.0:
        fast = max(fastest - mean, mean - slowest)
        reach = 0.7 * np.log1p(room * fast / np.sqrt(total * spread)) / fast
        tangent = d / f
        turning = spread + total * ((tangent.real - mean) ** 2 + tangent.imag**2)
        fast = max(abs(fastest - tangent), abs(slowest - tangent))
        longer = 1.4 * np.log1p(fast * np.sqrt(room / (2.0 * turning))) / fast
        if longer > reach:
            reach, reference = longer, tangent
    if quiet:  # terms too small to count here, and until one has grown to e^−45
        for k in range(gaps.size):
            exponent = gaps[k] - gaps[top] + (rates[k] - rates[top]) * x
            if exponent <= ACTIVE:
                reach = min(reach, (NEGLIGIBLE - exponent) / (1e-300 + abs(rates[k] - rates[top] - reference)))
    dominated = (total - 1.0) * np.exp(min(noise, 700.0)) < 1.0 / 3.0
    return top, np.arctan2(f.imag, f.real), reach, reference, dominated, until


@njit(cache=True, nogil=True)
def winding(gaps: Vector, rates: Vector, radius: float) -> int:
    """Return how many zeros F has in |u| < radius (−1 if the phase cannot be followed).

    Half the circle is enough, F(ū) being the conjugate of F(u). A step is short enough that F(u)·exp(−r·u) provably
    stays in a half plane, so that its phase changes by the principal value; the phase of the exponential is known.
    Where one term outweighs all others the step goes on to the next place where it does not: Σ_{j≠k}|term_j/term_k|
    is convex in Re u, so it is below 1 between two points where it is. The cost therefore does not grow with the
    radius. F is positive at both ends, so only the whole turns between steps have to be counted.
    """
    turns, angle, height = 0.0, 0.0, 0.0
    top, phase, reach, reference, dominated, until = on_circle(gaps, rates, radius, angle, height)
    for _ in range(MOST_ARCS):
        step = reach / radius
        if dominated:
            further = np.arccos(min(1.0, max(-1.0, until / radius))) * (1.0 - 1e-12) - angle
            if further > step:
                step, reference = further, complex(0.0, 0.0)
        if not step > 1e-15 * (1.0 + angle):
            return -1
        last = angle + step >= np.pi
        following = np.pi if last else angle + step
        new_height = 0.0 if last else radius * np.sin(following)
        new_top, new_phase, reach, new_reference, dominated, until = on_circle(
            gaps, rates, radius, following, new_height
        )
        across = radius * (np.cos(following) - np.cos(angle))
        change = new_phase - phase + (rates[new_top] - rates[top]) * new_height
        change -= reference.real * (new_height - height) + reference.imag * across
        turns += np.round(change / (2.0 * np.pi))
        if last:
            return int(-2.0 * turns)
        angle, height, top, phase, reference = following, new_height, new_top, new_phase, new_reference
    return -1


@njit(cache=True, nogil=True)
def circle_roots(gaps: Vector, rates: Vector, radius: float, count: int) -> Points:
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
def nearest(gaps: Vector, rates: Vector, candidates: Points, best: complex, best_simple: bool) -> tuple[complex, bool]:
    """Polish the candidates by Newton; return the zero nearest to the origin and whether it is simple."""
    for start in candidates:
        if not np.isfinite(start.real) or abs(start) > 3.0 * abs(best) + 10.0:
            continue
        base, local = 0.0, gaps
        if abs(start.real) > FAR:
            base, local = start.real, recentred(gaps, rates, start.real)
        # every zero lies at |Im u| ≥ π: a start below that line is lifted onto it
        lifted = complex(start.real - base, max(abs(start.imag), np.pi))
        u, simple = newton(local, rates, lifted)
        f, _d, total = partition(local, rates, u.real, u.imag)
        is_zero = abs(f) < 1e-10 * total * (1 + abs(u))
        u = complex(base + u.real, abs(u.imag))
        if is_zero and u.imag > np.pi * (1 - 1e-9) and abs(u) < abs(best) * (1 - 1e-13):
            best, best_simple = u, simple
    return best, best_simple


@njit(cache=True, nogil=True)
def prony_zeros(gaps: Vector, rates: Vector, base: float, scale: float) -> Points:
    """Return estimates of the zeros near the real point ``base`` from the Taylor series of F'/F there."""
    local = gaps if base == 0.0 else recentred(gaps, rates, base)
    return base + scale * prony_roots(log_derivative_series(local, rates, scale, PRONY_TERMS), PRONY_ROOTS)


@njit(cache=True, nogil=True)
def solve_one(gaps: Vector, rates: Vector, order: Order) -> tuple[complex, bool]:
    """Return the nearest zero of one sample in normal form and whether the result is certified."""
    ties = hull_ties(gaps, rates, order)
    ties = ties[np.argsort(np.abs(ties))]
    best, simple = nearest(gaps, rates, ties[:FIRST_TIES], complex(np.inf, 0.0), False)
    # mostly the nearest tie leads to the nearest zero, and the certificate says so at once
    if simple and winding(gaps, rates, INSIDE * abs(best)) == 0:
        return best, True
    best, simple = nearest(gaps, rates, ties[FIRST_TIES:], best, simple)
    best, simple = nearest(gaps, rates, prony_zeros(gaps, rates, 0.0, min(abs(best), 12.0)), best, simple)
    if not np.isfinite(abs(best)):
        best, simple = nearest(gaps, rates, np.array([complex(0.0, np.pi)]), best, simple)
    if not np.isfinite(abs(best)):
        return best, False
    for attempt in range(PASSES):
        inside = winding(gaps, rates, INSIDE * abs(best))
        if inside == 0:
            return best, simple
        if inside < 0:
            return best, False
        previous = abs(best)
        if previous <= FAR and inside <= 64:
            best, simple = nearest(gaps, rates, circle_roots(gaps, rates, INSIDE * previous, inside), best, simple)
        elif attempt < 2:  # far out the zeros gather where lines of the envelope meet: look around each such place
            for tie in ties[:NEAR_PLACES]:
                scale = tie.imag if attempt == 0 else min(tie.imag, 12.0)
                best, simple = nearest(gaps, rates, prony_zeros(gaps, rates, tie.real, scale), best, simple)
        if abs(best) >= previous:
            return best, False
    return best, False


@njit(cache=True, nogil=True)
def solve(gaps: Vector, rates: Vector, order: Order, zeros: Points, certified: NDArray[np.bool_]) -> None:
    """Fill ``zeros`` and ``certified`` for a batch in normal form."""
    for i in range(gaps.shape[0]):
        zeros[i], certified[i] = solve_one(gaps[i], rates[i], order[i])
