"""Which batch normalisation helps a network of covariance matrices: the same net, split and start for every layer."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from workbench import checks, results
from workbench.flows.bits.climate_test import holm
from workbench.progress import Progress
from workbench.registry import Fact, Registry
from workbench.transport.gaussians import covariances

FEATURES = 14
RIDGE = 1e-6
BATCH = 60
REDUCED = 10
RECTIFIED = 1e-4
LEARNING_RATE = 5e-3
SHARE_FOR_TRAINING = 2 / 3
SPD_LAYERS = Registry("layer", facts={"variant": Fact(str, says="how SPDBatchNorm is built")})


def _layer(name: str, label: str, metric: str, variant: str = "exact", power: float = 1.0) -> None:
    def make(n: int) -> Any:
        from workbench.flows.covariances.layer import SPDBatchNorm

        return SPDBatchNorm(n, metric, power, variant=variant)

    SPD_LAYERS.add(name, label=label, variant=variant, reference="arXiv 2504.00660")(make)


@SPD_LAYERS.add("none", label="no batch norm", variant="none")
def no_layer(n: int) -> None:
    """Return nothing: the net without batch normalisation."""


_layer("affine", "affine-invariant", "affine")
_layer("log-euclidean", "log-Euclidean", "log-euclidean")
_layer("log-cholesky", "log-Cholesky", "log-cholesky")
_layer("bures-released", "Bures, as released", "bures", "released")
_layer("bures-paper", "Bures, as in the paper", "bures", "paper")
_layer("bures-exact", "Bures, exact and fold-free", "bures", "exact")
_layer("generalised-released", "generalised, p = ½, as released", "generalised-bures", "released", 0.5)
_layer("generalised-paper", "generalised, p = ½, as in the paper", "generalised-bures", "paper", 0.5)
_layer("generalised-exact", "generalised, p = ½, exact and fold-free", "generalised-bures", "exact", 0.5)


def digit_covariances() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the covariance of 14 features over the 64 pixels of each digit, (1797, 14, 14), and the digits.

    Features: x and y from −1 to 1, the intensity I, its first and second derivatives, |∇I|, and xI, yI, xyI, x²I, y²I.
    A ridge of 1e-6 of the mean variance makes them positive definite.

    >>> x, labels = digit_covariances()
    >>> x.shape, float(np.median(np.linalg.cond(x)).round(-1))
    ((1797, 14, 14), 390.0)
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    image = digits.images / 16
    x, y = np.meshgrid(np.linspace(-1, 1, 8), np.linspace(-1, 1, 8))
    x, y = np.broadcast_to(x, image.shape), np.broadcast_to(y, image.shape)
    iy, ix = np.gradient(image, axis=(1, 2))
    iyy, _ = np.gradient(iy, axis=(1, 2))
    ixy, ixx = np.gradient(ix, axis=(1, 2))
    features = [x, y, image, ix, iy, ixx, iyy, ixy, np.hypot(ix, iy)]
    features += [x * image, y * image, x * y * image, x**2 * image, y**2 * image]
    rows = np.stack(features, axis=1).reshape(len(image), FEATURES, -1)
    rows = rows - rows.mean(axis=2, keepdims=True)
    found = rows @ np.swapaxes(rows, 1, 2) / (rows.shape[2] - 1)
    ridge = RIDGE * np.trace(found, axis1=1, axis2=2)[:, None, None] / FEATURES
    return found + ridge * np.eye(FEATURES), digits.target.astype(np.int64)


@results.experiment
def spd_batchnorm_study(
    x: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    layers: Sequence[str] | None = None,
    *,
    seeds: Sequence[int] = tuple(range(10)),
    epochs: int = 12,
    reduced: int = REDUCED,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Train BiMap → batch norm → ReEig → LogEig → linear with every layer of ``SPD_LAYERS``, and compare them in pairs.

    ``x`` (N, n, n) positive definite with ``labels`` (N,), integers; without them scikit-learn's digits as covariances
    (:func:`digit_covariances`). ``reduced`` is the size after BiMap. Every seed draws one split (two thirds to train
    on) and one start, the same for all layers. Adam, 5e-3, batches of 60, no choice of the best epoch.

    Returns over (layer, seed) the test ``accuracy``, and ``folded``, the share of test matrices that folded or were
    held back; per layer ``mean_accuracy``, ``standard_error``, the ``difference`` from no batch norm with its standard
    error, and ``p_value`` of the paired t-test, corrected after Holm. Raises ``ValueError`` for unknown layers,
    singular matrices and labels that do not fit. Cost: about 10 s a layer and seed on the digits.

    Reference: arXiv 2504.00660, section on SPDNet; Huang, Van Gool, arXiv 1608.04233 (BiMap, ReEig, LogEig).

    >>> from workbench import flows
    >>> x, labels = flows.random_covariances(60, 3), np.arange(60) % 2
    >>> ds = spd_batchnorm_study(x, labels, ("bures-exact",), seeds=(0, 1), epochs=1, reduced=2)
    >>> ds.layer.values.tolist(), ds.accuracy.shape
    (['none', 'bures-exact'], (2, 2))
    """
    progress = progress or Progress()
    names = list(SPD_LAYERS) if layers is None else [SPD_LAYERS[name].name for name in layers]
    if len(set(names)) != len(names) or not names:
        raise ValueError(f"layers must name at least one layer, each once, got {list(names)}")
    if "none" not in names:
        names = ["none", *names]
    seeds = [checks.integer("a seed", seed, minimum=0) for seed in seeds]
    if len(seeds) < 2 or len(set(seeds)) != len(seeds):
        raise ValueError(f"seeds must be at least two different numbers, for an error bar needs them; got {seeds}")
    epochs = checks.integer("epochs", epochs, minimum=1, maximum=1000)
    x, labels = _data(x, labels)
    reduced = checks.integer("reduced", reduced, minimum=1, maximum=x.shape[1])
    accuracy, folded = np.zeros((2, len(names), len(seeds)))
    for j, seed in enumerate(seeds):
        for i, name in enumerate(names):
            done = j * len(names) + i

            def tell(share: float, done: int = done, name: str = name, seed: int = seed) -> None:
                progress.update(done + share, len(names) * len(seeds), f"{name}, seed {seed}")

            accuracy[i, j], folded[i, j] = _train(x, labels, name, seed, epochs, reduced, tell)
    progress.update(1, 1, "done")
    return _table(names, seeds, accuracy, folded)


def _data(x: ArrayLike | None, labels: ArrayLike | None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    if x is None and labels is None:
        return digit_covariances()
    if x is None or labels is None:
        raise ValueError("give x and labels, or neither for the digits")
    x = covariances("x", x, ndim=3, definite=True)
    found = np.asarray(labels)
    if found.shape != (len(x),) or found.dtype.kind not in "iu":
        raise ValueError(f"labels must be {len(x)} whole numbers, one a matrix, got shape {found.shape}, {found.dtype}")
    classes, index = np.unique(found, return_inverse=True)
    if not 2 <= len(classes) <= 1000 or len(x) < 30:
        raise ValueError(f"{len(x)} matrices of {len(classes)} class(es); give at least 30 of 2 to 1000 classes")
    return x, index.astype(np.int64)


def _train(
    x: NDArray[np.float64],
    labels: NDArray[np.int64],
    name: str,
    seed: int,
    epochs: int,
    reduced: int,
    tell: Callable[[float], None],
) -> tuple[float, float]:
    """Return the accuracy on the test matrices and the share of them that folded or was held back."""
    import torch

    from workbench.flows.covariances.stable import logarithm, rectified

    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    count = round(SHARE_FOR_TRAINING * len(x))
    given, wanted = torch.from_numpy(x[order]), torch.from_numpy(labels[order])
    generator = torch.Generator().manual_seed(seed)
    double = {"dtype": torch.float64, "generator": generator}
    rows, columns = np.triu_indices(reduced)
    classes = int(labels.max()) + 1
    raw = torch.nn.Parameter(torch.randn(x.shape[1], reduced, **double))
    weights = torch.nn.Parameter(torch.randn(len(rows), classes, **double) / np.sqrt(len(rows)))
    offsets = torch.nn.Parameter(torch.zeros(classes, dtype=torch.float64))
    layer = SPD_LAYERS[name](reduced)
    parameters = [raw, weights, offsets, *(layer.parameters() if layer is not None else ())]
    optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE)

    def logits(batch: Any) -> Any:
        frame, _ = torch.linalg.qr(raw)  # BiMap: the columns stay orthonormal
        small = frame.mT @ batch @ frame
        small = (small + small.mT) / 2
        if layer is not None:
            small = layer(small)
        return logarithm(rectified(small, RECTIFIED))[:, rows, columns] @ weights + offsets

    for epoch in range(epochs):
        tell(epoch / epochs)
        shuffled = rng.permutation(count)
        for start in range(0, count - 1, BATCH):
            chosen = shuffled[start : start + BATCH]
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(logits(given[chosen]), wanted[chosen]).backward()
            optimizer.step()
    if layer is not None:
        layer.eval()
    with torch.no_grad():
        right = (logits(given[count:]).argmax(1) == wanted[count:]).double().mean()
    return float(right), 0.0 if layer is None else layer.folded + layer.capped


def _table(names: list[str], seeds: list[int], accuracy: NDArray, folded: NDArray) -> xr.Dataset:
    count = len(seeds)
    differences = accuracy - accuracy[names.index("none")]
    error = differences.std(axis=1, ddof=1) / np.sqrt(count)
    p_values = np.ones(len(names))
    others = [i for i, name in enumerate(names) if name != "none"]
    raw = [float(2 * stats.t.sf(abs(differences[i].mean()) / error[i], count - 1)) if error[i] else 1.0 for i in others]
    if others:
        p_values[others] = holm(raw)
    return results.dataset(
        {
            "accuracy": (("layer", "seed"), accuracy, "share of the test matrices classified rightly"),
            "folded": (("layer", "seed"), folded, "share of the test matrices that folded or were held back"),
            "mean_accuracy": (("layer",), accuracy.mean(axis=1), "mean accuracy over seeds"),
            "standard_error": (("layer",), accuracy.std(axis=1, ddof=1) / np.sqrt(count), "its standard error"),
            "difference": (("layer",), differences.mean(axis=1), "accuracy minus that without batch norm, in pairs"),
            "difference_error": (("layer",), error, "its standard error"),
            "p_value": (("layer",), p_values, "p-value of the paired t-test, corrected after Holm"),
        },
        {
            "layer": (("layer",), np.array(names), "layer"),
            "seed": (("seed",), np.array(seeds), "seed"),
        },
    )
