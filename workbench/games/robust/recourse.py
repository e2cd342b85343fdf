"""The best recourse against one known scenario: a knapsack in which every item is left, used, or used and repaired.

A dynamic programme over lists of undominated states, expanded from the items nearest to the break of the linear
relaxation outwards (D. Pisinger, *A minimal algorithm for the multiple-choice knapsack problem*, European Journal of
Operational Research 83, 1995). Written as losses against the Lagrangian L(u) = uC + Σ_i max_k (g_ik - u w_ik), a state
is a weight and a loss; what cannot beat the best complete state any more is dropped. A list never holds two states of
one weight, so the worst case is the plain dynamic programme over (items × capacities); the usual case is far below it.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

SLACK = 1e-13  # of the value: states that could improve by less are dropped


@njit(cache=True, nogil=True)
def break_price(gains: NDArray, weights: NDArray, capacity: int) -> float:
    """Return u at which the linear relaxation fills the capacity: the efficiency of its break segment."""
    n = gains.shape[0]
    efficiency, length = np.zeros(2 * n), np.zeros(2 * n)
    m = 0
    for i in range(n):
        g1, g2, w1, w2 = gains[i, 0], gains[i, 1], weights[i, 0], weights[i, 1]
        e1, e2 = g1 / w1, g2 / w2
        if e2 >= e1:  # the first choice lies below the hull
            if e2 > 0:
                efficiency[m], length[m] = e2, w2
                m += 1
        else:
            if e1 > 0:
                efficiency[m], length[m] = e1, w1
                m += 1
            if w2 > w1 and g2 > g1 and g2 > 0:
                efficiency[m], length[m] = (g2 - g1) / (w2 - w1), w2 - w1
                m += 1
    used = 0.0
    for k in np.argsort(-efficiency[:m]):
        used += length[k]
        if used > capacity:
            return efficiency[k]
    return 0.0


@njit(cache=True, nogil=True)
def best_choices(base: NDArray, gains: NDArray, weights: NDArray, capacity: int) -> tuple[float, NDArray]:
    """Return (value, choices): the most Σ_i (base_i + what is gained) within the capacity, and how it is reached.

    ``gains`` and ``weights`` have a row per item and a column for "used" and "used and repaired"; a weight is at least
    1. ``choices`` holds 0 (left), 1 (used) or 2 (repaired) per item. O(n · capacity) at worst.
    """
    value, rows, _ = several_choices(base, gains, weights, capacity, 1, 0.0)
    return value, rows[0]


@njit(cache=True, nogil=True)
def several_choices(
    base: NDArray, gains: NDArray, weights: NDArray, capacity: int, most: int, blunt: float
) -> tuple[float, NDArray, int]:
    """Return (value, choices (most, n), found): the best recourse first, then others that were met on the way.

    As :func:`best_choices`, whose answer stands in the first row; the ``found`` rows differ from one another. The best
    may be missed by ``blunt``, which saves much work where many recourses are nearly as good.
    """
    n = base.size
    u = break_price(gains, weights, capacity)
    home = np.zeros(n, np.int8)
    lagrangian, start = u * capacity, 0
    changes, losses = np.zeros((n, 2), np.int64), np.zeros((n, 2))
    kinds = np.zeros((n, 2), np.int8)
    count = np.zeros(n, np.int8)
    key = np.zeros(n)
    scale = 1.0
    for i in range(n):
        g = (0.0, gains[i, 0], gains[i, 1])
        w = (0, weights[i, 0], weights[i, 1])
        best, k0 = 0.0, 0
        for k in range(1, 3):
            if g[k] - u * w[k] > best:
                best, k0 = g[k] - u * w[k], k
        home[i] = k0
        lagrangian += best + base[i]
        scale += abs(base[i]) + best
        start += w[k0]
        key[i] = np.inf
        for k in range(3):
            d = w[k] - w[k0]
            if k != k0 and d != 0 and w[k] <= capacity:
                c = count[i]
                changes[i, c], losses[i, c], kinds[i, c] = d, max(best - (g[k] - u * w[k]), 0.0), k
                key[i] = min(key[i], losses[i, c] / abs(d))
                count[i] = c + 1
    order = np.argsort(key)
    # what the items still to come can do: the least loss per unit of weight, upwards and downwards, and how far down
    up, down, fall = np.full(n + 1, np.inf), np.full(n + 1, np.inf), np.zeros(n + 1, np.int64)
    for p in range(n - 1, -1, -1):
        i = order[p]
        up[p], down[p], fall[p] = up[p + 1], down[p + 1], fall[p + 1]
        deepest = 0
        for c in range(count[i]):
            d = changes[i, c]
            if d > 0:
                up[p] = min(up[p], losses[i, c] / d)
            else:
                down[p] = min(down[p], losses[i, c] / -d)
                deepest = max(deepest, -d)
        fall[p] += deepest

    slack = max(SLACK * (scale + u * capacity), blunt)
    room = 1024
    parent, item, kind = np.empty(room, np.int64), np.empty(room, np.int32), np.empty(room, np.int8)
    pooled = 0
    W, P, S = np.array([start]), np.zeros(1), np.full(1, -1, np.int64)  # weights, losses, places in the pool
    # the best complete states so far, best first: their losses and places
    least, states = np.full(most, np.inf), np.full(most, -2, np.int64)
    if start <= capacity:
        least[0], states[0] = u * (capacity - start), -1
    for p in range(n):
        if W.size == 0:
            break
        i = order[p]
        m, branches = W.size, count[i]
        total = m * (1 + branches)
        nW, nP, nS = np.empty(total, np.int64), np.empty(total), np.empty(total, np.int64)
        a = np.zeros(3, np.int64)
        d, loss = np.zeros(3, np.int64), np.zeros(3)
        for c in range(branches):
            d[c + 1], loss[c + 1] = changes[i, c], losses[i, c]
        made, top = 0, -np.inf
        while True:
            chosen, w = -1, 0
            for c in range(1 + branches):  # the lightest of the up to three heads; of equal ones the least loss
                if a[c] < m:
                    v = W[a[c]] + d[c]
                    if chosen < 0 or v < w or (v == w and P[a[c]] + loss[c] < P[a[chosen]] + loss[chosen]):
                        chosen, w = c, v
            if chosen < 0:
                break
            s = a[chosen]
            a[chosen] += 1
            l = P[s] + loss[chosen]
            if u * w - l <= top:
                continue  # dominated: no lighter state should be worth as much
            if w <= capacity:
                low = l + min(u, up[p + 1]) * (capacity - w) if w < capacity else l
                final = l + u * (capacity - w)
            else:
                if w - capacity > fall[p + 1]:
                    continue
                low, final = l + down[p + 1] * (w - capacity), np.inf
            better = chosen > 0 and final < least[most - 1]
            promising = low < least[0] - slack
            if not promising and not better:
                continue
            if promising:
                top = u * w - l
            place = S[s]
            if chosen > 0:
                if pooled == room:
                    room *= 2
                    bigger_parent, bigger_item, bigger_kind = (
                        np.empty(room, np.int64), np.empty(room, np.int32), np.empty(room, np.int8),
                    )  # fmt: skip
                    bigger_parent[:pooled], bigger_item[:pooled], bigger_kind[:pooled] = parent, item, kind
                    parent, item, kind = bigger_parent, bigger_item, bigger_kind
                parent[pooled], item[pooled], kind[pooled] = place, i, kinds[i, chosen - 1]
                place = pooled
                pooled += 1
            if better:
                k = most - 1
                while k > 0 and final < least[k - 1]:
                    least[k], states[k] = least[k - 1], states[k - 1]
                    k -= 1
                least[k], states[k] = final, place
                promising = low < least[0] - slack
            if promising:
                nW[made], nP[made], nS[made] = w, l, place
                made += 1
        W, P, S = nW[:made], nP[:made], nS[:made]
    rows = np.zeros((most, n), np.int8)
    found = 0
    for k in range(most):
        if states[k] == -2:
            break
        rows[k] = home
        state = states[k]
        while state >= 0:
            rows[k, item[state]] = kind[state]
            state = parent[state]
        found += 1
    value = 0.0  # summed from the choices: the Lagrangian form loses digits
    for i in range(n):
        value += base[i]
        if rows[0, i] > 0:
            value += gains[i, rows[0, i] - 1]
    return value, rows, found
