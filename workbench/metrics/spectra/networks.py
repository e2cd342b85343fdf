"""Networks to begin with: one trained on digits that ships, the same untrained, and matrices of pure noise."""

import functools
import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import checks, data
from workbench.metrics.spectra.files import safetensors_arrays
from workbench.metrics.spectra.layers import Layers, layers_of

SIDES = (64, 300, 100, 10)
"""Units of the perceptron on digits: two hidden layers, as in the paper's experiment."""
SOURCES = {
    "digits": "a perceptron trained on digits",
    "fresh": "the same before training",
    "gaussian": "Gaussian noise, 300 × 100",
    "heavy": "noise with heavy entries (Student t, 2 degrees), 300 × 100",
}
TRAINED = "metrics/spectra_digits.safetensors"


def fresh_weights(seed: int | np.random.Generator = 0) -> dict[str, NDArray[np.float64]]:
    """Return weights (out, in) and biases of the perceptron before training: uniform ±1/√in, torch's default law."""
    rng = checks.generator(seed)
    found = {}
    for k, (before, after) in enumerate(itertools.pairwise(SIDES)):
        reach = 1 / np.sqrt(before)
        found[f"layer{k}.weight"] = rng.uniform(-reach, reach, (after, before))
        found[f"layer{k}.bias"] = rng.uniform(-reach, reach, after)
    return found


@functools.cache
def trained_weights() -> dict[str, NDArray[np.float64]]:
    """Return weights and biases of the perceptron that ships, trained on scikit-learn's digits (half precision)."""
    file = data.path(TRAINED)
    found = safetensors_arrays(file.read_bytes(), file.name)
    return {name: value.astype(np.float64) for name, value in found.items()}


@functools.lru_cache(maxsize=16)
def example_layers(source: str, seed: int = 0) -> Layers:
    """Return the layers of one of :data:`SOURCES`; their spectra are computed once."""
    return layers_of(example(source, seed), source)


def example(source: str, seed: int = 0) -> dict[str, Any]:
    """Return the arrays of one of :data:`SOURCES`."""
    checks.choice("source", source, SOURCES)
    rng = np.random.default_rng(checks.integer("seed", seed, minimum=0))
    if source == "digits":
        return trained_weights()
    if source == "fresh":
        return fresh_weights(rng)
    if source == "gaussian":
        return {"noise": rng.normal(size=(300, 100))}
    return {"heavy": rng.standard_t(2, size=(300, 100))}


@functools.cache
def digits() -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return scikit-learn's digits (UCI, CC BY 4.0) in [0, 1]: training inputs, targets, 360 test inputs, targets."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    test, train = order[:360], order[360:]
    x, y = bunch.data / 16.0, bunch.target.astype(np.int64)
    return x[train], y[train], x[test], y[test]


def accuracy(weights: dict[str, NDArray[np.float64]]) -> float:
    """Return the share of test digits that a perceptron with these weights reads rightly."""
    _, _, x, y = digits()
    for k in range(len(SIDES) - 1):
        x = x @ weights[f"layer{k}.weight"].T + weights[f"layer{k}.bias"]
        x = np.maximum(x, 0) if k < len(SIDES) - 2 else x
    return float(np.mean(x.argmax(axis=1) == y))
