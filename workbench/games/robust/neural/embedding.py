"""The network inside of mixed-integer programmes: the plan that it thinks best, the scenario that it thinks worst.

A plan is binary, so that φ_x(x_i, a_i) = φ_x(0, a_i) + x_i (φ_x(1, a_i) - φ_x(0, a_i)) is linear in x: the item network
of the plans costs no binary variable at all, however large it is. φ_ξ(ξ_i, a_i) is piecewise linear in one number ξ_i,
with the places known at which its rectifiers switch; it is written by increments between these, exactly. Only the
rectifiers after the sums, 16 + 8 a scenario, are written with a binary variable each, and of those only the ones whose
sign is not known from the start.
"""

import numpy as np
from numpy.typing import NDArray

from workbench.games.robust.neural.network import Network, features, perceptron
from workbench.games.robust.neural.programme import Programme
from workbench.games.robust.problem import Knapsack

ARGMAX, MAX = "argmax", "max"
SAME = 1e-9  # breakpoints nearer than that are one


def best_plan(
    network: Network, problem: Knapsack, scenarios: list[NDArray], variant: str, seconds: float
) -> NDArray[np.int8] | None:
    """Return the plan that is worth most against these scenarios, in the eyes of the network; None if not in time.

    "max": each scenario counts with the value that the network gives it. "argmax": the network only says which of the
    scenarios is worst for a plan, and a true recourse answers that one; such a plan earns that much in truth.
    """
    n, prices = problem.items, problem.outsourcing.astype(float)
    unit, known = float(prices.sum()), features(problem)
    programme = Programme()
    x = programme.variables(
        n, (problem.profit >= problem.outsourcing).astype(float), 1.0, whole=True,
        cost=-(problem.profit - prices) / unit,
    )  # fmt: skip
    theta = programme.variables(1, -1e3, 1e3, cost=-1.0)[0]
    h, tops = _post(programme, network, known, x)
    values = [_value(programme, network, h, tops, network.scenario_code(known, scenario)) for scenario in scenarios]
    if variant == MAX:
        for places, weights, offset, _, _ in values:
            programme.row(np.append(places, theta), np.append(-weights, 1.0), most=offset)
    else:
        _choose(programme, problem, x, theta, scenarios, values)
    found = programme.solve(seconds)
    return None if found is None else (found[0][x] > 0.5).astype(np.int8)


Expression = tuple[NDArray, NDArray, float, float, float]
"""Places, weights and offset of an affine function of the variables, and bounds of it."""


def _post(programme: Programme, network: Network, known: NDArray, x: NDArray) -> tuple[NDArray, NDArray]:
    """Add the rectifiers of post_x; return (their places, their upper bounds)."""
    n = len(x)
    without = perceptron(network.parts["plan_item"], np.column_stack([np.zeros(n), known]))
    taken = perceptron(network.parts["plan_item"], np.column_stack([np.ones(n), known]))
    inner = ((taken - without) / n).T
    return programme.hidden(network.parts["plan_post"], x, inner, without.mean(axis=0), np.zeros(n), np.ones(n))


def _value(programme: Programme, network: Network, h: NDArray, tops: NDArray, code: NDArray) -> Expression:
    """Add the head for one scenario; return its value as an affine function of the head's rectifiers."""
    post = network.parts["plan_post"]
    matrix = np.vstack([post[2], np.zeros((len(code), len(h)))])
    return _headed(programme, network, h, matrix, np.concatenate([post[3], code]), tops)


def _headed(
    programme: Programme, network: Network, h: NDArray, matrix: NDArray, shift: NDArray, tops: NDArray
) -> Expression:
    head = network.parts["head"]
    places, most = programme.hidden(head, h, matrix, shift, np.zeros(len(h)), tops)
    weights, offset = head[2][0], float(head[3][0])
    low = offset + float(np.minimum(weights, 0.0) @ most)
    high = offset + float(np.maximum(weights, 0.0) @ most)
    return places, weights, offset, low, high


def _choose(
    programme: Programme,
    problem: Knapsack,
    x: NDArray,
    theta: int,
    scenarios: list[NDArray],
    values: list[Expression],
) -> None:
    """Let the least of the values name a scenario, and a true recourse answer it."""
    n, unit = problem.items, float(problem.outsourcing.sum())
    y, r = programme.variables(n, whole=True), programme.variables(n, whole=True)
    one = np.array([1.0, -1.0])
    for i in range(n):
        programme.row(np.array([y[i], x[i]]), one, most=0.0)
        programme.row(np.array([r[i], y[i]]), one, most=0.0)
    programme.row(np.r_[y, r], np.r_[problem.weight, problem.repair], most=problem.capacity)
    low, high = min(value[3] for value in values), max(value[4] for value in values)
    least = programme.variables(1, low, high)[0]
    named = programme.variables(len(values), whole=True)
    programme.row(named, np.ones(len(values)), least=1.0, most=1.0)
    prices = problem.outsourcing / unit
    for s, (places, weights, offset, _, top) in enumerate(values):
        programme.row(np.append(places, least), np.append(-weights, 1.0), most=offset)
        if len(values) > 1:
            room = top - low
            programme.row(
                np.concatenate([places, [least, named[s]]]), np.concatenate([weights, [-1.0, room]]), most=room - offset
            )
        lost = problem.loss * scenarios[s] / unit
        slack = float(lost.sum())
        programme.row(
            np.concatenate([[theta], y, r, [named[s]]]),
            np.concatenate([[1.0], lost - prices, -lost, [slack]]),
            most=slack,
        )


def worst_scenario(network: Network, problem: Knapsack, plan: NDArray, seconds: float) -> NDArray[np.float64] | None:
    """Return the scenario against which the network gives a plan least; None if none was found in time.

    Items that are not in the plan are not hit: that would cost nature budget and bring it nothing.
    """
    known, n = features(problem), problem.items
    chosen = np.flatnonzero(plan)
    programme = Programme()
    part = network.parts["scenario_item"]
    at_zero = perceptron(part, np.column_stack([np.zeros(n), known]))
    places, columns, items, lengths = [], [], [], []
    for i in chosen:
        breaks = breakpoints(part[0], part[1], known[i])
        codes = perceptron(part, np.column_stack([breaks, np.repeat(known[i][None], len(breaks), axis=0)]))
        steps = np.diff(breaks)
        filled = programme.variables(len(steps))  # of each piece, between 0 and 1, one after the other
        if len(steps) > 1:
            full = programme.variables(len(steps) - 1, whole=True)
            for k in range(len(steps) - 1):
                programme.row(np.array([filled[k], full[k]]), np.array([1.0, -1.0]), least=0.0)
                programme.row(np.array([filled[k + 1], full[k]]), np.array([1.0, -1.0]), most=0.0)
        places.append(filled)
        columns.append(np.diff(codes, axis=0).T / n)
        items.append(np.full(len(steps), i))
        lengths.append(steps)
    if not places:
        return np.zeros(n)
    inputs, matrix = np.concatenate(places), np.hstack(columns)
    item, length = np.concatenate(items), np.concatenate(lengths)
    programme.row(inputs, length, most=problem.budget)
    post = network.parts["scenario_post"]
    ones = np.ones(len(inputs))
    h, tops = programme.hidden(post, inputs, matrix, at_zero.mean(axis=0), 0.0 * ones, ones)
    code = network.plan_code(known, plan)
    matrix = np.vstack([np.zeros((len(code), len(h))), post[2]])
    value, weights, *_ = _headed(programme, network, h, matrix, np.concatenate([code, post[3]]), tops)
    theta = programme.variables(1, -1e6, 1e6, cost=1.0)[0]
    programme.row(np.append(value, theta), np.append(-weights, 1.0), least=0.0)
    found = programme.solve(seconds)
    if found is None:
        return None
    scenario = np.zeros(n)
    np.add.at(scenario, item, np.clip(found[0][inputs], 0.0, 1.0) * length)
    over = scenario.sum() / problem.budget if problem.budget > 0 else np.inf
    return np.zeros(n) if over == np.inf else np.clip(scenario / max(over, 1.0), 0.0, 1.0)


def breakpoints(weights: NDArray, shift: NDArray, known: NDArray) -> NDArray[np.float64]:
    """Return 0, the places in (0, 1) where a rectifier of φ_ξ(ξ, a) switches for this a, and 1, in order."""
    slope, level = weights[:, 0], weights[:, 1:] @ known + shift
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = -level / slope
    inside = np.sort(crossings[(crossings > SAME) & (crossings < 1.0 - SAME)])
    if inside.size:
        inside = inside[np.r_[True, np.diff(inside) > SAME]]
    return np.r_[0.0, inside, 1.0]
