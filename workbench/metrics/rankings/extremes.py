"""How different can AP be at one AUROC? The least and the greatest, with the two orders, exactly or between bounds.

Let 0 ≤ f_1 ≤ … ≤ f_P ≤ M be how many negatives stand above the i-th positive. Then AUROC = 1 − Σ f/(P M) and
AP = (1/P) Σ i/(i + f_i): at one AUROC, Σ f = S is fixed, and AP is a sum of convex functions.

*Exactly*, by dynamic programming over (i, f_i, sum). *Between bounds*, where that table grows too large: for real f the
greatest AP stands at a vertex, f ∈ {0, c, M} (or below the concave hull of the orders with f ∈ {0, M}); the least has
i/(i + f_i)² level where no constraint binds, an isotonic problem whose tail is pooled. Rounding either to whole numbers
gives an order that exists, so that the truth lies between the two numbers that are returned.
"""

import numpy as np
import xarray as xr
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import psi, zeta

from workbench import checks, results
from workbench.metrics.rankings.scores import chance_ap

MOST_CLASS = 2_000_000
EXACT_STATES = 60_000_000
"""Up to this many states the table is filled: a quarter of a second, a byte each."""
MOST_VERTICES = 3_000_000
"""Up to so many every vertex is looked at: a third of a second."""
Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@results.experiment
def ap_range(positives: int = 20, negatives: int = 180, auroc: float = 0.9) -> xr.Dataset:
    """Return the least and the greatest AP of all orders of P positives and M negatives with one AUROC, without ties.

    ``auroc`` is taken to the nearest multiple of 1/(P M), halves upwards, which is returned as ``auroc``. ``lowest``
    and ``highest`` are attained by the orders with the positives at ``lowest_rank`` and ``highest_rank`` (positive,);
    nothing lies outside ``lowest_bound`` and ``highest_bound``, which are the same numbers where ``is_exact``. Raises
    ``ValueError`` for sizes outside 1 to 2,000,000. Cost: 20 ms at P = 20, M = 180; up to 0.5 s where exact.

    >>> found = ap_range(10, 90, 0.9)
    >>> round(float(found.lowest), 12), round(float(found.highest), 12), bool(found.is_exact)
    (0.348372563969, 0.91, True)
    """
    p = checks.integer("positives", positives, minimum=1, maximum=MOST_CLASS)
    m = checks.integer("negatives", negatives, minimum=1, maximum=MOST_CLASS)
    auroc = checks.real("auroc", auroc, minimum=0, maximum=1)
    return results.dataset(*range_variables(p, m, auroc))


def range_variables(p: int, m: int, auroc: float) -> tuple[dict, dict]:
    """Return the variables and coordinates of :func:`ap_range`."""
    total = p * m
    kept = min(int(np.floor(auroc * total + 0.5)), total)
    low, high, low_bound, high_bound, is_exact = extremes(p, m, total - kept)
    place = np.arange(1, p + 1)
    one = ("positive",)
    variables = {
        "range_auroc": ((), kept / total, "AUROC of both orders, a multiple of 1/(P M)"),
        "lowest": ((), ap_of(low), "least AP at this AUROC, attained"),
        "highest": ((), ap_of(high), "greatest AP at this AUROC, attained"),
        "lowest_bound": ((), min(low_bound, ap_of(low)), "no order of this AUROC has a smaller AP"),
        "highest_bound": ((), max(high_bound, ap_of(high)), "no order of this AUROC has a greater AP"),
        "is_exact": ((), is_exact, "whether the attained values are the extremes"),
        "range_chance": ((), chance_ap(p, p + m), "expected AP of a random order"),
        "lowest_rank": (one, place + low, "rank of the positive in the order of least AP"),
        "highest_rank": (one, place + high, "rank of the positive in the order of greatest AP"),
    }
    return variables, {"positive": (one, place, "positive, from the top")}


def ap_of(above: Counts) -> float:
    """Return the AP of an order whose i-th positive has ``above[i]`` negatives above it."""
    place = np.arange(1, len(above) + 1, dtype=float)
    return float(np.mean(place / (place + above)))


def labels_of(above: Counts, negatives: int) -> NDArray[np.int64]:
    """Return the labels (N,) from the top of an order whose i-th positive has ``above[i]`` negatives above it.

    >>> labels_of(np.array([0, 2]), 3).tolist()
    [1, 0, 0, 1, 0]
    """
    labels = np.zeros(len(above) + negatives, dtype=np.int64)
    labels[np.arange(len(above)) + above] = 1
    return labels


def extremes(p: int, m: int, total: int) -> tuple[Counts, Counts, float, float, bool]:
    """Return the orders (P,) of least and of greatest AP with Σ f = ``total``, a bound for each, and exactness."""
    if states(p, m, total) <= EXACT_STATES:
        low, high = (_table_order(p, m, total, sign) for sign in (-1.0, 1.0))
        return low, high, ap_of(low), ap_of(high), True
    low, low_bound = least_between(p, m, total)
    high, high_bound = greatest_between(p, m, total)
    return low, high, low_bound, high_bound, False


def states(p: int, m: int, total: int) -> float:
    """Return how many states the table has: f_i (P − i + 1) ≤ Σ f leaves most of them out."""
    left = np.arange(min(p, 10**7), 0, -1)
    return float(np.minimum(m, total // left).sum() + p) * (total + 1.0)


def least_between(p: int, m: int, total: int) -> tuple[Counts, float]:
    """Return an order of small AP and a bound below which no order goes (Lagrange dual of the real problem)."""
    if total in (0, p * m):
        order = np.full(p, 0 if total == 0 else m, dtype=np.int64)
        return order, ap_of(order)
    place = np.arange(1, p + 1, dtype=float)

    def excess(log_price: float) -> float:
        return float(_level_order(place, m, np.exp(log_price)).sum()) - total

    floor = np.log(1e-3 * p) - 2 * np.log(p + m + 1.0) - np.log(1e3 * p)
    log_price = brentq(excess, floor, 0.0, xtol=1e-13, rtol=1e-14, maxiter=200)
    price = float(np.exp(log_price))
    real = _level_order(place, m, price)
    value = float(np.sum(place / (place + real))) + price * (float(real.sum()) - total)
    trials = [_whole(real, m, total)]
    # Whole numbers within the pool would tilt it, which costs in first order: leave it level and move the others.
    for level in {int(np.floor(real[-1])), int(np.ceil(real[-1]))}:
        trial = _with_level(real, level, m, total)
        trials += [] if trial is None else [trial]
    return min(trials, key=ap_of), value / p - 1e-12


def greatest_between(p: int, m: int, total: int) -> tuple[Counts, float]:
    """Return an order of great AP and a bound above which no order goes."""
    place = np.arange(1, p + 1, dtype=float)
    if p * (total // m + 1) <= MOST_VERTICES:
        lone, bound = _best_vertex(p, m, total)
        return lone, bound + 1e-12
    # f ∈ {0, M}: with k positives at the bottom AP is concave in k, and lines between them bound all orders
    at_bottom = np.append(0.0, np.cumsum((place / (place + m) - 1)[::-1]))
    bound = (p + np.interp(total / m, np.arange(p + 1), at_bottom)) / p
    k, rest = divmod(total, m)
    best = np.zeros(p, dtype=np.int64)
    best[p - k :] = m
    if k < p:
        best[p - k - 1] = rest
    for size in (2, 5, 20, 100):  # a middle block of several may do better than one
        if size * p > MOST_VERTICES:
            break
        for bottom in range(max(k - size, 0), k + 1):
            spread = total - bottom * m
            if bottom + size <= p and 0 <= spread <= size * m:
                trial = _stepped(p, m, bottom, size, spread)
                best = trial if ap_of(trial) > ap_of(best) else best
    return best, float(bound) + 1e-12


def _stepped(p: int, m: int, bottom: int, size: int, spread: int) -> Counts:
    """Return 0 … 0, a block of ``size`` neighbouring values that sum to ``spread``, then M for the ``bottom`` last."""
    order = np.zeros(p, dtype=np.int64)
    order[p - bottom :] = m
    low, more = divmod(spread, size)
    block = np.full(size, low)
    block[size - more :] += 1 if more else 0
    order[p - bottom - size : p - bottom] = block
    return order


def _best_vertex(p: int, m: int, total: int) -> tuple[Counts, float]:
    """Look at every 0^a c^b M^rest: the best real value is a bound, the best whole order is attained."""
    place = np.arange(1, p + 1, dtype=float)
    tail = np.append(np.cumsum((place / (place + m))[::-1])[::-1], 0.0)  # Σ_{i > k} i/(i + M)
    bound, choice = -np.inf, (0, 0)
    for bottom in range(p + 1):
        spread = total - bottom * m
        if spread < 0:
            break
        size = np.arange(1, p - bottom + 1)
        size = size[size * m >= spread]
        if spread == 0 or not len(size):
            if spread == 0:
                value = p - bottom + tail[p - bottom]
                if value > bound:
                    bound, choice = value, (bottom, 0)
            continue
        level = spread / size
        last = p - bottom
        first = last - size  # positives before the block
        block = size - level * (psi(last + 1 + level) - psi(first + 1 + level))
        value = first + block + tail[last]
        k = int(np.argmax(value))
        if value[k] > bound:
            bound, choice = float(value[k]), (bottom, int(size[k]))
    bottom, size = choice
    if size == 0:
        return _stepped(p, m, bottom, 1, 0) if bottom < p else np.full(p, m, dtype=np.int64), bound / p
    return _stepped(p, m, bottom, size, total - bottom * m), bound / p


def _level_order(place: Floats, m: int, price: float) -> Floats:
    """Minimise Σ i/(i + f_i) + price f_i over 0 ≤ f_1 ≤ … ≤ f_P ≤ M.

    Alone, f_i = √(i/price) − i, which rises to i = 1/(4 price) and then falls: from some k on all are pooled.
    """
    p = len(place)
    alone = np.sqrt(place / price) - place
    if p == 1 or alone[-1] >= alone[-2]:
        return np.clip(alone, 0, m)

    def pooled(k: int) -> float:  # the common value of the positives k … P (from 1), 0 if they would go below

        def slope(t: float) -> float:
            one = psi(p + 1 + t) - psi(k + t)
            two = zeta(2, k + t) - zeta(2, p + 1 + t)
            return float(one - t * two) - price * (p - k + 1)

        if slope(0.0) <= 0:
            return 0.0
        top = max(float(np.sqrt(p / price)), 1.0)
        return brentq(slope, 0.0, top, xtol=1e-12, rtol=1e-14) if slope(top) < 0 else top

    low, high = 1, p  # the first k whose neighbour above does not exceed the pool
    while low < high:
        k = (low + high + 1) // 2
        if alone[k - 2] <= pooled(k):
            low = k
        else:
            high = k - 1
    found = alone.copy()
    found[low - 1 :] = pooled(low)
    return np.clip(found, 0, m)


def _with_level(real: Floats, level: int, m: int, total: int) -> Counts | None:
    """Return whole numbers near ``real`` whose pool stands at ``level``, with the sum asked for; None if none do."""
    first = int(np.searchsorted(real, real[-1] - 1e-9))  # the pool begins here
    head = total - level * (len(real) - first)
    if level > m or first == 0 or not 0 <= head <= level * first:
        return None
    place = np.arange(1, first + 1, dtype=float)

    def at(log_price: float) -> Floats:
        return np.clip(np.maximum.accumulate(np.sqrt(place / np.exp(log_price)) - place), 0, level)

    low, high = -2 * np.log(level + first + 1.0) - 1, 1.0  # all at the level, all at 0
    if not at(high).sum() <= head <= at(low).sum():
        return None
    free = at(brentq(lambda x: float(at(x).sum()) - head, low, high, xtol=1e-12))
    return np.append(_whole(free, level, head), np.full(len(real) - first, level))


def _whole(real: Floats, m: int, total: int) -> Counts:
    """Return whole numbers near ``real``, rising, within 0 … M, with the sum asked for."""
    order = np.floor(real + 1e-9).astype(np.int64)
    fraction = real - order
    left = total - int(order.sum())
    while left:
        room = order < m if left > 0 else order > 0
        chosen = np.flatnonzero(room)[np.argsort(-np.sign(left) * fraction[room], kind="stable")[: abs(left)]]
        order[chosen] += np.sign(left)
        left = total - int(order.sum())
    return np.sort(order)


# ---- exactly --------------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _table_order(p, m, total, sign):
    # best[f, s]: best sign · Σ i/(i + f_i) of the first i positives with f_i ≤ f and sum s
    width = total + 1
    reach = np.empty(p + 1, np.int64)  # the largest f_i that leaves a sum: P − i + 1 positives have at least as much
    reach[0] = 0
    offset = np.zeros(p + 1, np.int64)
    for i in range(1, p + 1):
        reach[i] = min(m, total // (p - i + 1))
        offset[i] = offset[i - 1] + (reach[i - 1] + 1 if i > 1 else 0)
    taken = np.zeros((offset[p] + reach[p] + 1, width), np.uint8)
    old = np.full((reach[p] + 1, width), -np.inf)
    new = np.full((reach[p] + 1, width), -np.inf)
    old[0, 0] = 0.0
    for i in range(1, p + 1):
        for f in range(reach[i] + 1):
            before = old[min(f, reach[i - 1])]
            gain = sign * (i / (i + f))
            row = new[f]
            if f:
                row[:] = new[f - 1]
            else:
                row[:] = -np.inf
            mark = taken[offset[i] + f]
            for s in range(f, width):
                value = before[s - f] + gain
                if value > row[s]:
                    row[s] = value
                    mark[s] = 1
        old, new = new, old
    order = np.empty(p, np.int64)
    f, s = reach[p], total
    for i in range(p, 0, -1):
        f = min(f, reach[i])
        while not taken[offset[i] + f, s]:
            f -= 1
        order[i - 1] = f
        s -= f
    return order


@njit(cache=True, nogil=True)
def extreme_profile(p: int, m: int, sign: float) -> Floats:
    """Return the best sign · P · AP of all orders for every Σ f from 0 to P M."""
    width = p * m + 1
    old = np.full((m + 1, width), -np.inf)
    new = np.full((m + 1, width), -np.inf)
    old[:, 0] = 0.0
    for i in range(1, p + 1):
        for f in range(m + 1):
            gain = sign * (i / (i + f))
            row = new[f]
            if f:
                row[:] = new[f - 1]
            else:
                row[:] = -np.inf
            before = old[f]
            for s in range(f, min(width, i * m + 1)):
                value = before[s - f] + gain
                if value > row[s]:
                    row[s] = value
        old, new = new, old
    return sign * old[m]
