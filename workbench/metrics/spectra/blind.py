"""What moves a layer score, what leaves it standing, and the layer that it takes for a trained one."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.metrics import grammar
from workbench.metrics.spectra.layers import Layer, one_matrix
from workbench.metrics.spectra.networks import accuracy, example_layers, trained_weights
from workbench.metrics.spectra.scores import SPECTRAL_SCORES, ks_fit, scores_of
from workbench.metrics.spectra.spectrum import Spectrum, layer_spectrum

TRANSFORMATIONS = {
    "rescale": ("all weights × 2", True),
    "transpose": ("transposed", True),
    "renumber": ("units renumbered", True),
    "rotate": ("singular vectors drawn anew", False),
    "level": ("all below the tail made equal", False),
    "shuffle": ("entries shuffled", False),
}
SAME = 1e-9
"""A score that moves by less has been fooled."""


def labels() -> dict[str, str]:
    """Return the labels of the scores."""
    return {name: entry.label for name, entry in SPECTRAL_SCORES.items()}


def transformed(name: str, matrix: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a matrix after one of :data:`TRANSFORMATIONS`."""
    if name == "rescale":
        return 2 * matrix
    if name == "transpose":
        return matrix.T
    if name == "renumber":
        return matrix[rng.permutation(len(matrix))][:, rng.permutation(matrix.shape[1])]
    if name == "rotate":
        return redrawn(matrix, rng)
    if name == "level":
        return levelled(matrix)
    return rng.permutation(matrix.ravel()).reshape(matrix.shape)


def redrawn(matrix: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a matrix with the same singular values and random singular vectors: same spectrum, nothing learned."""
    values = np.linalg.svd(matrix, compute_uv=False)
    left = np.linalg.qr(rng.normal(size=(matrix.shape[0], len(values))))[0]
    right = np.linalg.qr(rng.normal(size=(matrix.shape[1], len(values))))[0]
    return (left * values) @ right.T


def crossed(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a matrix whose left vectors, values kept, have gone to the right vectors in the opposite order."""
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    return (left * values) @ right[::-1]


def levelled(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a matrix whose eigenvalues below the fitted tail are all their mean: same tail, same sum."""
    tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    fit = ks_fit(layer_spectrum(tall))
    left, values, right = np.linalg.svd(tall, full_matrices=False)
    below = np.arange(len(values)) >= fit.tail
    values[below] = np.sqrt(np.mean(values[below] ** 2)) if below.any() else values[below]
    made = (left * values) @ right
    return made if tall is matrix else made.T


def invariance_part(layer: Layer, rng: np.random.Generator) -> grammar.Part:
    """Return how far every score moves under every transformation of a layer, relative to its size where above 1."""
    matrix = np.asarray(layer.matrix, dtype=np.float64)
    own = scores_of(layer.spectrum())
    change = np.full((len(own), len(TRANSFORMATIONS)), np.nan)
    for j, name in enumerate(TRANSFORMATIONS):
        try:
            other = scores_of(layer_spectrum(transformed(name, matrix, rng)))
        except ValueError:  # e.g. all equal below a threshold that was the lowest
            continue
        change[:, j] = [abs(other[key] - value) / max(1.0, abs(value)) for key, value in own.items()]
    change[change < grammar.STANDS] = 0.0
    return grammar.invariances(labels(), TRANSFORMATIONS, change)


def constant_part(layer: Layer) -> grammar.Part:
    """Return what each score can be at least and at most, and by how much it moves when the weights grow tenfold."""
    spectrum = layer.spectrum()
    own = scores_of(spectrum)
    tenfold = scores_of(Spectrum(100 * spectrum.eigenvalues, spectrum.rows, spectrum.columns, spectrum.dropped))
    bounds = {"alpha": (1, np.nan), "stable-rank": (1, len(spectrum.eigenvalues)), "entropy": (0, 1)}
    values = [[*bounds.get(name, (np.nan, np.nan)), round(tenfold[name] - own[name], 12)] for name in SPECTRAL_SCORES]
    axioms = {
        "least": "least possible",
        "most": "largest possible for this layer's size",
        "tenfold": "moves by, when all weights grow tenfold",
    }
    return grammar.constants(labels(), axioms, values)


def blind_part(layer: Layer, rng: np.random.Generator) -> grammar.Part:
    """Return, for a layer without data, the pair "layer and its spectrum on random vectors", judged by ‖ΔW‖/‖W‖."""
    matrix = np.asarray(layer.matrix, dtype=np.float64)
    other = redrawn(matrix, rng)
    seen = _moved(matrix, other)
    far = float(np.linalg.norm(other - matrix) / np.linalg.norm(matrix))
    count = len(SPECTRAL_SCORES)
    pair = f"{layer.name} and its singular values on random vectors"
    return grammar.blind_spots(labels(), list(seen.values()), [far] * count, ["‖ΔW‖/‖W‖"] * count, [pair] * count)


def _moved(matrix: NDArray[np.float64], other: NDArray[np.float64]) -> dict[str, float]:
    before, after = (scores_of(layer_spectrum(each)) for each in (matrix, other))
    return {name: abs(after[name] - value) for name, value in before.items()}


@results.experiment
def spectra_invariances(weights: Any = None, *, seed: int = 0) -> xr.Dataset:
    """Move a layer in six ways and say how far each score moves: the table score × transformation, with constants.

    ``weights`` is a matrix or kernel; without it the second layer of the shipped perceptron. Changes are relative to
    the score where that exceeds 1; what stands to 1e-12 counts as standing. Raises ``ValueError`` as
    :func:`layer_spectrum`. Cost: ten eigenvalue problems and one singular value decomposition.

    >>> found = spectra_invariances(np.random.default_rng(0).normal(size=(60, 40)))
    >>> float(found.invariance_change.sel(yardstick="alpha", transformation="transpose"))
    0.0
    """
    rng = checks.generator(seed)
    layer = _layer_of(weights)
    return results.dataset(*grammar.joined(invariance_part(layer, rng), constant_part(layer)))


def _layer_of(weights: Any) -> Layer:
    if weights is None:
        return example_layers("digits")[1]
    return weights if isinstance(weights, Layer) else Layer("weights", one_matrix("weights", weights), "matrix")


@results.experiment
def spectra_confusions(*, seed: int = 0) -> xr.Dataset:
    """Find the network that each score takes for the trained one: same score, least accuracy on the test digits.

    Candidates change one layer of the shipped perceptron: singular vectors drawn anew, left vectors crossed with right
    ones, all below the tail made equal, entries shuffled. Of those that a score does not see (below 1e-9) the one that
    reads fewest digits is its blind spot; the reference is the loss of test accuracy.

    >>> found = spectra_confusions()
    >>> float(found.blind_seen.sel(yardstick="alpha")), float(found.blind_reference.sel(yardstick="alpha")) > 0.5
    (0.0, True)
    """
    rng = checks.generator(seed)
    weights = trained_weights()
    whole = accuracy(weights)
    candidates = {
        "its singular vectors drawn anew": lambda matrix: redrawn(matrix, rng),
        "its left and right vectors crossed": crossed,
        "all below its tail made equal": levelled,
        "its entries shuffled": lambda matrix: transformed("shuffle", matrix, rng),
    }
    best: dict[str, tuple[float, float, str]] = {}
    for key in ("layer0.weight", "layer1.weight"):
        for told, change in candidates.items():
            other = change(weights[key])
            lost = whole - accuracy({**weights, key: other})
            for name, seen in _moved(weights[key], other).items():
                if seen <= SAME and lost > best.get(name, (0.0, -1.0, ""))[1]:
                    best[name] = (
                        0.0 if seen < grammar.STANDS else seen,
                        lost,
                        f"the network, and with {told} in {key}",
                    )
    rows = [best.get(name, (np.nan, np.nan, "no pair found")) for name in SPECTRAL_SCORES]
    part = grammar.blind_spots(
        labels(), [r[0] for r in rows], [r[1] for r in rows], ["test accuracy"] * len(rows), [r[2] for r in rows]
    )
    variables, coordinates = part
    variables["accuracy"] = ((), whole, "share of test digits that the whole network reads rightly")
    return results.dataset(variables, coordinates)
