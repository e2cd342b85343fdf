"""Signals beside what a user would otherwise run, in one process: time as ratios, and how far the values are off.

    python benchmarks/metrics_signals.py [--quick] [--no-install] [--write]

The best of interleaved rounds: noise only ever adds. No package computes the metric, so the rivals are the released
plots' estimator (200 log-spaced SNRs, 50 noise paths, left sums), a pass for each pair instead of each point, and the
plain NumPy form of the same rule. SSIM is compared with scikit-image, which is no dependency: it is installed into an
environment of the benchmark's own (see rivals.py) and timed there; ``--no-install`` leaves it out.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rivals
from report import best_of, kept, options
from scipy.special import logsumexp

from workbench import metrics
from workbench.metrics import signals
from workbench.metrics.signals.photographs import photograph_mixture, unseen_crops
from workbench.metrics.signals.pictures import patches
from workbench.metrics.signals.rules import rule

RIVAL = "scikit-image==0.25.2"
SSIM = """
import json, sys, time
import numpy as np
from skimage.metrics import structural_similarity
data = np.load(sys.argv[1])
best = np.inf
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    _, full = structural_similarity(data["a"], data["b"], data_range=1.0, gaussian_weights=True, sigma=1.5,
                                    use_sample_covariance=False, full=True)
    best = min(best, time.perf_counter() - start)
print(json.dumps([best, float(full[5:-5, 5:-5].mean())]))
"""
EXACT = 5.547131657972
A, B = (2.5, -2.0), (0.0, 1.0)


def plotted(density: metrics.Mixture, seed: int) -> float:
    """Return one estimate as the released plots make it."""
    rng = np.random.default_rng(seed)
    snr = 2.0 ** np.linspace(-10, 10, 200)
    path = np.cumsum(np.sqrt(np.diff(snr, prepend=0.0))[:, None, None] * rng.normal(size=(200, 50, 2)), axis=0)
    total = 0.0
    for j, width in enumerate(np.diff(snr)):
        sigma = snr[j] ** -0.5
        one, two = (density.score(np.array(x) + path[j] / snr[j], sigma) for x in (A, B))
        total += width * sigma**4 * np.square(one - two).sum(axis=1).mean()
    return float(np.sqrt(total))


def one_pair(quick: bool) -> None:
    """Print one distance of the paper's mixture by both estimators."""
    density = signals.paper_mixture()
    runs: dict[str, Callable[[], object]] = {
        f"{digits} digits": lambda digits=digits: metrics.iem(density, A, B, digits=digits) for digits in (6, 12)
    }
    runs["released plots"] = lambda: plotted(density, 0)
    seconds, found = best_of(2 if quick else 7, runs)
    spread = np.std([plotted(density, k) for k in range(10 if quick else 40)])
    print("## One distance in the paper's mixture\n")
    print("| estimator | ms | ratio | off the exact value | its own error bar |")
    print("|---|---|---|---|---|")
    for name, value in found.items():
        distance = float(value.distance) if hasattr(value, "distance") else float(value)
        error = f"{float(value.error):.0e}" if hasattr(value, "error") else f"none (spread {spread:.2f})"
        ratio = seconds["released plots"] / seconds[name]
        print(f"| {name} | {1e3 * seconds[name]:.1f} | {ratio:.2g} | {abs(distance - EXACT):.0e} | {error} |")


def many_points(quick: bool) -> None:
    """Print all distances of N points from N passes, beside a pass for each pair, and the memory of the vectors."""
    density = signals.paper_mixture()
    print("\n## All distances of N points\n")
    print("| points | from feature vectors, s | pair by pair, s | ratio | apart |")
    print("|---|---|---|---|---|")
    for n in (20, 40) if quick else (20, 50, 100):
        points = density.sample(n, seed=0)

        def pairwise(points: np.ndarray = points) -> np.ndarray:
            found = np.zeros((len(points), len(points)))
            for i in range(len(points)):
                for j in range(i):
                    a, b = metrics.iem_features(density, points[[i, j]], nodes=16, step=0.8)
                    found[i, j] = found[j, i] = np.linalg.norm(a - b)
            return found

        def at_once(points: np.ndarray = points) -> np.ndarray:
            vectors = metrics.iem_features(density, points, nodes=16, step=0.8)
            squares = (vectors**2).sum(axis=1)
            gram = vectors @ vectors.T
            return np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * gram, 0))

        seconds, found = best_of(1 if quick else 2, {"ours": at_once, "pairs": pairwise})
        apart = np.abs(found["ours"] - found["pairs"]).max()
        print(
            f"| {n} | {seconds['ours']:.3f} | {seconds['pairs']:.3f} | {seconds['pairs'] / seconds['ours']:.1f} | "
            f"{apart:.0e} |"
        )


def plain_features(density: metrics.Mixture, points: np.ndarray, samples: int) -> np.ndarray:
    """Return feature vectors by NumPy alone: einsum over components, the whole noise at once."""
    made = rule(density, nodes=20, samples=samples, seed=0)
    found = []
    for sigma, weight in zip(made.snr.sigma, made.snr.weights, strict=True):
        z = points[:, None] + sigma * made.noise.noise
        inverse = 1 / (density.eigenvalues + sigma**2)
        turned = np.einsum("nmkd,kde->nmke", z[:, :, None] - density.means, density.axes, optimize=True)
        logs = np.log(density.weights) + np.log(inverse).sum(axis=1) / 2 - (turned**2 * inverse).sum(axis=3) / 2
        shares = np.exp(logs - logsumexp(logs, axis=2, keepdims=True))
        score = -np.einsum("nmk,nmke,kde->nmd", shares, turned * inverse, density.axes, optimize=True)
        found.append(np.sqrt(weight * made.noise.weights)[:, None] * sigma**2 * score)
    return np.stack(found, axis=1).reshape(len(points), -1)


def photographs(quick: bool) -> None:
    """Print feature vectors of 8 × 8 patches, beside the plain NumPy form."""
    density = photograph_mixture()
    points = patches(unseen_crops(1)[0])[: 8 if quick else 32]
    runs = {
        "ours": lambda: metrics.iem_features(density, points, nodes=20, samples=64),
        "numpy": lambda: plain_features(density, points, 64),
    }
    seconds, found = best_of(2 if quick else 3, runs)
    apart = np.abs(found["ours"] - found["numpy"]).max() / np.abs(found["ours"]).max()
    print("\n## Patches of photographs: 64 dimensions, 8 components, 64 noise vectors, 20 SNRs\n")
    print("| | ms a patch | ratio | apart, relatively |")
    print("|---|---|---|---|")
    for label, name in (("ours", "ours"), ("NumPy (einsum)", "numpy")):
        each = 1e3 * seconds[name] / len(points)
        print(f"| {label} | {each:.1f} | {seconds['numpy'] / seconds[name]:.1f} | {apart:.0e} |")


def similarity(python: Path, folder: Path) -> None:
    """Print SSIM beside scikit-image's."""
    a = signals.photographs.grey_photograph("china")[:256, :256]
    b = metrics.distorted(a, "blur", 0.04)[0]
    np.savez(folder / "data.npz", a=a, b=b)
    seconds, found = best_of(5, {"ours": lambda: metrics.ssim(a, b)})
    theirs, value = rivals.asked(python, SSIM, folder / "data.npz", 5)
    print("\n## SSIM of 256 × 256 pixels\n")
    print("| ours, ms | scikit-image, ms | ratio | values |")
    print("|---|---|---|---|")
    print(
        f"| {1e3 * seconds['ours']:.1f} | {1e3 * theirs:.1f} | {theirs / seconds['ours']:.2f} | {found['ours']:.12f}, "
        f"{value:.12f} |"
    )


def main() -> None:
    """Print the tables."""
    given = options(__doc__, rivals="scikit-image")
    metrics.iem(signals.paper_mixture(), A, B, digits=4)
    with (
        kept("metrics_signals", "Signals", ("numpy", "numba", "scipy"), write=given.write),
        tempfile.TemporaryDirectory() as folder,
    ):
        python = None if given.no_install else rivals.told_environment("signals", [RIVAL])
        one_pair(given.quick)
        many_points(given.quick)
        photographs(given.quick)
        if python is not None:
            similarity(python, Path(folder))


if __name__ == "__main__":
    main()
