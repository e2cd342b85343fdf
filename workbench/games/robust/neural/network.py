"""The network of the paper: what a plan earns once the scenario is known, from two set encoders and a small head.

V(x, ξ) = head(post_x(Σ_i φ_x(x_i, a_i) / n), post_ξ(Σ_i φ_ξ(ξ_i, a_i) / n)), with what is known of item i in a_i; all
five are perceptrons with one hidden layer of rectifiers. The sums make it indifferent to the order of the items and let
one network serve every size. J. Dumouchelle, E. Julien, J. Kurtz and E. B. Khalil, *Neur2RO: Neural Two-Stage Robust
Optimization*, arXiv 2310.04345. Here the post networks are narrower than the paper's (16 for 64): each of their units
may cost a binary variable in the programmes of :mod:`.embedding`.
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench import data
from workbench.games.robust.problem import Knapsack

SHIPPED = "games/robust_network.safetensors"
FEATURES = ("profit", "loss", "weight", "repair", "outsourcing", "capacity", "budget")
"""Of an item: money in units of the mean price f, weights in units of the mean weight, C/Σc and Γ/n."""
HIDDEN, WIDTH = 32, 16  # of the item networks: rectifiers, outputs
POST_HIDDEN, POST_WIDTH = 16, 8  # of what follows the sums
HEAD = 8  # rectifiers of the head
SIDES = {
    "plan_item": (1 + len(FEATURES), HIDDEN, WIDTH),
    "scenario_item": (1 + len(FEATURES), HIDDEN, WIDTH),
    "plan_post": (WIDTH, POST_HIDDEN, POST_WIDTH),
    "scenario_post": (WIDTH, POST_HIDDEN, POST_WIDTH),
    "head": (2 * POST_WIDTH, HEAD, 1),
}
Layers = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Network:
    """A trained network: ``parts`` holds (W, b, W', b') of each perceptron W' max(W v + b, 0) + b' in :data:`SIDES`.

    ``low`` and ``high`` (7,) are the smallest and largest features of the training instances, ``items`` the least and
    the largest of their sizes, ``error`` the root mean square error on instances kept apart, as a share of Σf.
    """

    parts: dict[str, Layers]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    items: tuple[int, int]
    error: float

    def value(self, problem: Knapsack, plan: NDArray, scenario: NDArray) -> float:
        """Return what the network expects the recourse of a plan to bring against ξ, of Σ f y - p̂ξ (y - r)."""
        known = features(problem)
        inner = np.concatenate([self.plan_code(known, plan), self.scenario_code(known, scenario)])
        return float(perceptron(self.parts["head"], inner)[0]) * float(problem.outsourcing.sum())

    def plan_code(self, known: NDArray, plan: NDArray) -> NDArray[np.float64]:
        """Return post_x of a plan (n,), shape (8,)."""
        items = perceptron(self.parts["plan_item"], np.column_stack([plan, known]))
        return perceptron(self.parts["plan_post"], items.mean(axis=0))

    def scenario_code(self, known: NDArray, scenario: NDArray) -> NDArray[np.float64]:
        """Return post_ξ of a scenario (n,), shape (8,)."""
        items = perceptron(self.parts["scenario_item"], np.column_stack([scenario, known]))
        return perceptron(self.parts["scenario_post"], items.mean(axis=0))

    def remark(self, problem: Knapsack) -> str:
        """Return in what a problem lies outside of what the network was trained on, "" if in nothing."""
        known, told = features(problem), []
        if not self.items[0] <= problem.items <= self.items[1]:
            told.append(f"{problem.items} items (trained for {self.items[0]} to {self.items[1]})")
        for name, least, most, low, high in zip(
            FEATURES, known.min(axis=0), known.max(axis=0), self.low, self.high, strict=True
        ):
            if least < low - 1e-3 * (high - low) - 1e-6 or most > high + 1e-3 * (high - low) + 1e-6:
                told.append(f"{name} from {least:.3g} to {most:.3g} (trained on {low:.3g} to {high:.3g})")
        return "a network outside of what it was trained on: " + "; ".join(told) if told else ""

    def save(self, path: str | Path) -> None:
        """Write the network to a safetensors file, which holds numbers and no code."""
        from safetensors.numpy import save_file

        arrays = {f"{name}.{k}": np.float32(layer) for name, part in self.parts.items() for k, layer in enumerate(part)}
        arrays |= {"low": np.float32(self.low), "high": np.float32(self.high)}
        save_file(arrays, path, {"items": json.dumps(self.items), "error": repr(self.error)})


def read_network(path: str | Path) -> Network:
    """Return a network that :meth:`Network.save` wrote; ``ValueError`` for a file that holds anything else.

    >>> shipped().error < 0.02
    True
    """
    from safetensors import SafetensorError, safe_open

    name = Path(path).name
    try:
        with safe_open(path, "np") as file:
            told = file.metadata() or {}
            arrays = {key: np.asarray(file.get_tensor(key), np.float64) for key in sorted(file.keys())}
            first, last = (int(number) for number in json.loads(told["items"]))
            error = float(told["error"])
    except (SafetensorError, KeyError, TypeError, ValueError) as problem:
        raise ValueError(f"{name} holds no network for robust decisions: {problem}") from None
    shapes = {
        f"{part}.{k}": shape
        for part, (into, hidden, out) in SIDES.items()
        for k, shape in enumerate(((hidden, into), (hidden,), (out, hidden), (out,)))
    }
    shapes |= {"low": (len(FEATURES),), "high": (len(FEATURES),)}
    if {key: array.shape for key, array in arrays.items()} != shapes:
        raise ValueError(f"{name} has arrays of other names or shapes than the network here; train it again")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError(f"{name} holds numbers that are not finite; train it again")
    parts: dict[str, Layers] = {
        part: (arrays[f"{part}.0"], arrays[f"{part}.1"], arrays[f"{part}.2"], arrays[f"{part}.3"]) for part in SIDES
    }
    return Network(parts, arrays["low"], arrays["high"], (first, last), error)


@functools.cache
def shipped() -> Network:
    """Return the network that ships with the workbench, read once in a process."""
    return read_network(data.path(SHIPPED))


def perceptron(part: Layers, values: NDArray) -> NDArray[np.float64]:
    """Return W' max(W v + b, 0) + b' of values (..., into)."""
    first, shift, last, offset = part
    return np.maximum(values @ first.T + shift, 0.0) @ last.T + offset


def features(problem: Knapsack) -> NDArray[np.float64]:
    """Return what the network knows of each item, shape (n, 7), see :data:`FEATURES`; free of units."""
    money = max(float(problem.outsourcing.mean()), 1e-9)
    weight = float(problem.weight.mean())
    one = np.ones(problem.items)
    return np.column_stack(
        [
            problem.profit / money,
            problem.loss / money,
            problem.weight / weight,
            problem.repair / weight,
            problem.outsourcing / money,
            one * min(problem.capacity / float(problem.weight.sum()), 2.0),
            one * min(problem.budget / problem.items, 1.0),
        ]
    )
