"""Capital budgeting: invest now or later, when four factors have moved costs and revenues; certified by bisection.

Projects chosen now (x) earn their whole revenue, those chosen later (y) a share k of it. With factors ξ ∈ [-1, 1]⁴,
costs are c_i(ξ) = (1 + Φ_i·ξ/2) c̄_i and revenues r_i(ξ) = (1 + Ψ_i·ξ/2) r̄_i; whatever happens the budget must hold:
c(ξ)ᵀ(x + y) ≤ B. The uncertainty sits in a constraint, so that the value min_ξ max_y r(ξ)ᵀ(x + k y) jumps in ξ and
no cutting plane describes it. But Φ, Ψ ≥ 0: on a box [lo, hi] of factors, a later choice that can be paid at hi can be
paid in the whole box and earns there no less than at lo. That bounds the value of a box from below; the second stage
solved at any point of it bounds the worst case from above; splitting the box with the least bound brings the two
together. Samples alone give an upper bound, and not how far it is off.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.progress import Progress

FACTORS = 4
MOST_PROJECTS = 40
LATER = 0.8  # k of the published instances
ROUNDING = 1e-12  # relative: what sums of doubles may be off; subtracted from what is claimed
CHUNK = 4_000  # boxes between two looks at the clock
MOST_BOXES = 2_000_000


@dataclass(frozen=True, eq=False)
class CapitalBudgeting:
    """A capital budgeting problem of n projects.

    ``cost`` and ``revenue`` (n,) at ξ = 0, ``cost_factors`` Φ and ``revenue_factors`` Ψ (n, 4) with entries ≥ 0 and
    rows that sum to at most 1 (so that costs and revenues stay positive), ``budget`` B and the share ``later`` k in
    [0, 1] that a project chosen later earns. Raises ``ValueError`` for other shapes, signs or sums.

    >>> capital_budgeting(6, seed=0).projects
    6
    """

    cost: NDArray[np.float64]
    revenue: NDArray[np.float64]
    cost_factors: NDArray[np.float64]
    revenue_factors: NDArray[np.float64]
    budget: float
    later: float = LATER

    def __post_init__(self) -> None:
        n = checks.finite_array("cost", self.cost, ndim=1).size
        if not 1 <= n <= MOST_PROJECTS:
            raise ValueError(f"cost must hold 1 to {MOST_PROJECTS} projects, got {n}")
        for name, shape in (
            ("cost", (n,)),
            ("revenue", (n,)),
            ("cost_factors", (n, FACTORS)),
            ("revenue_factors", (n, FACTORS)),
        ):
            array = np.array(checks.finite_array(name, getattr(self, name), ndim=len(shape)), np.float64)
            if array.shape != shape:
                raise ValueError(f"{name} must have shape {shape}, got {array.shape}")
            if (array < 0).any() or (len(shape) == 1 and (array <= 0).any()):
                raise ValueError(f"{name} must not be negative (costs and revenues not zero), got {array.min():g}")
            if len(shape) == 2 and (array.sum(axis=1) > 1 + 1e-9).any():
                raise ValueError(f"each row of {name} must sum to at most 1, got {array.sum(axis=1).max():g}")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "budget", checks.real("budget", self.budget, exclusive_minimum=0.0))
        object.__setattr__(self, "later", checks.real("later", self.later, minimum=0.0, maximum=1.0))

    @property
    def projects(self) -> int:
        """The number of projects n."""
        return self.cost.size

    def plan(self, x: ArrayLike) -> NDArray[np.int8]:
        """Return ``x`` as a checked plan: n zeros and ones whose dearest cost is within the budget."""
        if isinstance(x, str):
            if set(x) - {"0", "1"}:
                raise ValueError(f"a plan as text holds only 0 and 1, got {x[:40]!r}")
            x = [int(letter) for letter in x]
        array = checks.finite_array("x", x, ndim=1)
        if array.size != self.projects or not np.isin(array, (0, 1)).all():
            raise ValueError(f"x must hold {self.projects} entries, each 0 or 1, got {array.size} entries")
        dearest = float(self.at(np.ones(FACTORS))[0] @ array)
        if dearest > self.budget:
            raise ValueError(
                f"the plan costs up to {dearest:.6g} and the budget is {self.budget:.6g}; take projects out of it"
            )
        return array.astype(np.int8)

    def at(self, factors: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (costs, revenues), each (n,), at factors ξ (4,)."""
        xi = np.asarray(factors, np.float64)
        return (
            self.cost * (1 + 0.5 * self.cost_factors @ xi),
            self.revenue * (1 + 0.5 * self.revenue_factors @ xi),
        )


@dataclass(frozen=True)
class BudgetWorstCase:
    """What a plan earns in its worst case: between ``at_least`` and ``at_most``, which is attained at ``factors`` (4,).

    ``boxes`` is how many boxes of factors were looked at, ``history`` (m, 3) holds (boxes, at least, at most).
    """

    plan: NDArray[np.int8]
    at_least: float
    at_most: float
    factors: NDArray[np.float64]
    boxes: int
    history: NDArray[np.float64]

    @property
    def gap(self) -> float:
        """The relative gap (at_most - at_least) / at_most."""
        return (self.at_most - self.at_least) / max(self.at_most, 1e-300)


def capital_budgeting(n: int = 10, *, seed: int | np.random.Generator = 0) -> CapitalBudgeting:
    """Return a random instance of the published family: c̄ ~ U[1, 10], r̄ = c̄/5, B = Σc̄/2, k = 0.8.

    The rows of Φ and Ψ are uniform on the simplex. Same seed, same instance.

    >>> problem = capital_budgeting(10, seed=1)
    >>> bool(np.allclose(problem.cost_factors.sum(axis=1), 1))
    True
    """
    n = checks.integer("n", n, minimum=1, maximum=MOST_PROJECTS)
    draw = checks.generator(seed)
    cost = draw.uniform(1, 10, n)
    factors = draw.dirichlet(np.ones(FACTORS), (2, n))
    return CapitalBudgeting(cost, cost / 5, factors[0], factors[1], float(cost.sum() / 2))


def second_stage(problem: CapitalBudgeting, x: ArrayLike, factors: ArrayLike) -> tuple[float, NDArray[np.int8]]:
    """Return (what is earned, later choice y (n,)) of a plan at known factors ξ (4,), exactly."""
    plan = problem.plan(x)
    cost, revenue = problem.at(checks.finite_array("factors", factors, ndim=1))
    return _earned(plan, cost, revenue, problem.budget, problem.later)


def sampled_worst_case(
    problem: CapitalBudgeting, x: ArrayLike, samples: int = 1000, *, seed: int | np.random.Generator = 0
) -> float:
    """Return the least that a plan earns at random factors, as plans are usually evaluated: no lower bound of anything.

    >>> problem = capital_budgeting(6, seed=0)
    >>> found = budget_worst_case(problem, "000000")
    >>> sampled_worst_case(problem, "000000", 100) >= found.at_least
    True
    """
    return float(sampled_values(problem, x, samples, seed=seed).min())


def sampled_values(
    problem: CapitalBudgeting, x: ArrayLike, samples: int = 1000, *, seed: int | np.random.Generator = 0
) -> NDArray[np.float64]:
    """Return what a plan earns at random factors, uniform in the box, shape (samples,)."""
    plan, draw = problem.plan(x), checks.generator(seed)
    samples = checks.integer("samples", samples, minimum=1, maximum=10**6)
    points = draw.uniform(-1, 1, (samples, FACTORS))
    return np.array([_earned(plan, *problem.at(point), problem.budget, problem.later)[0] for point in points])


def budget_worst_case(
    problem: CapitalBudgeting,
    x: ArrayLike,
    *,
    gap: float = 0.01,
    boxes: int = 200_000,
    progress: Progress | None = None,
) -> BudgetWorstCase:
    """Return bounds on the worst case of a plan, by splitting the box of factors where it may be worst.

    Stops at the relative ``gap``, or after so many ``boxes``; both bounds are valid whenever it stops, the lower one
    less an allowance for rounding. Some ten microseconds a box at n = 10, growing with n. Raises ``ValueError`` for a
    plan that the budget does not allow.

    >>> found = budget_worst_case(capital_budgeting(6, seed=0), "100000")
    >>> found.at_least <= found.at_most and found.gap < 0.02
    True
    """
    plan = problem.plan(x)
    gap = checks.real("gap", gap, minimum=0.0, maximum=1.0)
    boxes = checks.integer("boxes", boxes, minimum=1, maximum=MOST_BOXES)
    progress = progress or Progress()
    low, high = np.empty((2 * boxes + 1, FACTORS)), np.empty((2 * boxes + 1, FACTORS))
    bounds, heap = np.empty(2 * boxes + 1), np.zeros(2 * boxes + 1, np.int64)
    low[0], high[0], bounds[0] = -1.0, 1.0, 0.0
    data = (
        plan, problem.cost, problem.revenue, problem.cost_factors, problem.revenue_factors,
        problem.budget, problem.later,
    )  # fmt: skip
    count, size, split = 1, 1, 0
    worst, at_most = np.zeros(FACTORS), _earned(plan, *problem.at(np.zeros(FACTORS)), problem.budget, problem.later)[0]
    history = []
    while True:
        asked = min(CHUNK, boxes - split)
        before = count
        count, size, at_most = _bisect(*data, low, high, bounds, heap, count, size, asked, gap, worst, at_most)
        split += (count - before) // 2
        at_least = min(float(bounds[heap[0]]), at_most)
        history.append((count, at_least, at_most))
        progress.update(split, boxes, f"{at_least:,.6g} to {at_most:,.6g}")
        if count - before < 2 * asked or split >= boxes:
            break
    return BudgetWorstCase(plan, at_least, float(at_most), worst, count, np.array(history))


def _earned(plan: NDArray, cost: NDArray, revenue: NDArray, budget: float, later: float) -> tuple[float, NDArray]:
    value, chosen = _later(plan, cost, revenue, budget, later)
    return float(value), chosen


@njit(cache=True, nogil=True)
def _later(plan: NDArray, cost: NDArray, revenue: NDArray, budget: float, later: float) -> tuple[float, NDArray]:
    """Return (what is earned, later choice): a knapsack in real weights, depth first with the linear bound."""
    n = plan.size
    left, sure = budget, 0.0
    free = np.empty(n, np.int64)
    m = 0
    for i in range(n):
        if plan[i]:
            left -= cost[i]
            sure += revenue[i]
        else:
            free[m] = i
            m += 1
    chosen = np.zeros(n, np.int8)
    if left < 0.0:
        return -np.inf, chosen
    ratio = np.empty(m)
    for k in range(m):
        ratio[k] = -revenue[free[k]] / cost[free[k]]
    order = free[:m][np.argsort(ratio)]
    taken, best_taken = np.zeros(m, np.int8), np.zeros(m, np.int8)
    best, value, k = 0.0, 0.0, 0
    while True:
        most, rest, j = value, left, k
        while j < m and cost[order[j]] <= rest:
            most += revenue[order[j]]
            rest -= cost[order[j]]
            j += 1
        if j < m:
            most += revenue[order[j]] * rest / cost[order[j]]
        if most > best * (1.0 + 1e-13):
            while k < m and cost[order[k]] <= left:
                taken[k] = 1
                value += revenue[order[k]]
                left -= cost[order[k]]
                k += 1
            if k < m:
                taken[k] = 0
                k += 1
                if k < m:
                    continue
            if value > best:
                best = value
                best_taken[:] = taken
        k -= 1
        while k >= 0 and taken[k] == 0:
            k -= 1
        if k < 0:
            break
        taken[k] = 0
        value -= revenue[order[k]]
        left += cost[order[k]]
        k += 1
    total = sure
    for k in range(m):
        if best_taken[k]:
            chosen[order[k]] = 1
            total += later * revenue[order[k]]
    return total, chosen


@njit(cache=True, nogil=True)
def _moved(base: NDArray, factors: NDArray, xi: NDArray, out: NDArray) -> None:
    for i in range(base.size):
        total = 0.0
        for d in range(xi.size):
            total += factors[i, d] * xi[d]
        out[i] = base[i] * (1.0 + 0.5 * total)


@njit(cache=True, nogil=True)
def _bisect(
    plan: NDArray,
    cost: NDArray,
    revenue: NDArray,
    cost_factors: NDArray,
    revenue_factors: NDArray,
    budget: float,
    later: float,
    low: NDArray,
    high: NDArray,
    bounds: NDArray,
    heap: NDArray,
    count: int,
    size: int,
    most: int,
    gap: float,
    worst: NDArray,
    at_most: float,
) -> tuple[int, int, float]:
    """Split up to ``most`` boxes, the least bound first; ``worst`` becomes the factors of the least value met."""
    n = cost.size
    dear, poor, middle = np.empty(n), np.empty(n), np.empty(low.shape[1])
    # how much a step in each factor moves costs, in units of value, and revenues: which side to split
    effect = np.zeros(middle.size)
    for d in range(middle.size):
        for i in range(n):
            effect[d] += cost[i] * cost_factors[i, d] * at_most / budget + revenue[i] * revenue_factors[i, d]
    for _ in range(most):
        box = heap[0]
        if bounds[box] >= at_most * (1.0 - gap):
            return count, size, at_most
        side, widest = 0, -1.0
        for d in range(middle.size):
            width = (high[box, d] - low[box, d]) * effect[d]
            if width > widest:
                side, widest = d, width
        cut = 0.5 * (low[box, side] + high[box, side])
        size -= 1
        heap[0] = heap[size]
        _sink(heap, bounds, size)
        for half in range(2):
            low[count], high[count] = low[box], high[box]
            if half == 0:
                high[count, side] = cut
            else:
                low[count, side] = cut
            _moved(cost, cost_factors, high[count], dear)
            _moved(revenue, revenue_factors, low[count], poor)
            safe, _ = _later(plan, dear, poor, budget * (1.0 - ROUNDING), later)
            bounds[count] = max(safe * (1.0 - ROUNDING), bounds[box])
            for d in range(middle.size):
                middle[d] = 0.5 * (low[count, d] + high[count, d])
            _moved(cost, cost_factors, middle, dear)
            _moved(revenue, revenue_factors, middle, poor)
            value, _ = _later(plan, dear, poor, budget, later)
            if value < at_most:
                at_most = value
                worst[:] = middle
            heap[size] = count
            _rise(heap, bounds, size)
            size += 1
            count += 1
    return count, size, at_most


@njit(cache=True, nogil=True)
def _rise(heap: NDArray, bounds: NDArray, place: int) -> None:
    while place > 0:
        above = (place - 1) // 2
        if bounds[heap[above]] <= bounds[heap[place]]:
            break
        heap[above], heap[place] = heap[place], heap[above]
        place = above


@njit(cache=True, nogil=True)
def _sink(heap: NDArray, bounds: NDArray, size: int) -> None:
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and bounds[heap[child + 1]] < bounds[heap[child]]:
            child += 1
        if bounds[heap[place]] <= bounds[heap[child]]:
            break
        heap[place], heap[child] = heap[child], heap[place]
        place = child
