"""Embeddings beside pytorch-metric-learning and scikit-learn, in one run: values and time as ratios.

    python benchmarks/metrics_embeddings.py [--quick] [--no-install] [--write]

The best of several rounds: noise only ever adds. pytorch-metric-learning is no dependency: it is installed into an
environment of the benchmarks' own and asked there (PML below; its accuracy calculator through its own neighbour search,
since faiss is not needed for that); ``--no-install`` leaves it out.
"""

import tempfile
from pathlib import Path

import numpy as np
import rivals
from report import best_of, kept, options
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from workbench import metrics
from workbench.metrics.embeddings.confusion import confusion
from workbench.metrics.embeddings.inputs import labelled
from workbench.metrics.embeddings.losses import EMBEDDING_LOSSES, Pairs
from workbench.metrics.embeddings.retrieval import scores

RIVAL = "pytorch-metric-learning==2.9.0"
CALCULATOR = """
import json, sys, time
import numpy as np, torch
torch.set_num_threads(1)
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN
data = np.load(sys.argv[1])
x, y = torch.tensor(data["x"]), torch.tensor(data["y"])
asked = AccuracyCalculator(("precision_at_1", "mean_average_precision_at_r"), k="max_bin_count",
                           knn_func=CustomKNN(LpDistance(normalize_embeddings=False)))
best = np.inf
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    found = asked.get_accuracy(x, y, x, y, ref_includes_query=True)
    best = min(best, time.perf_counter() - start)
print(json.dumps([best, found["precision_at_1"], found["mean_average_precision_at_r"]]))
"""
LOSSES = """
import json, sys, time
import numpy as np, torch
torch.set_num_threads(1)
from pytorch_metric_learning import losses, distances, reducers
data = np.load(sys.argv[1])
y = torch.tensor(data["y"])
made = {"triplet": losses.TripletMarginLoss(margin=0.1, distance=distances.LpDistance(power=2))}
found = {}
for name, loss in made.items():
    best = np.inf
    for _ in range(int(sys.argv[2])):
        f = torch.tensor(data["x"], requires_grad=True)
        start = time.perf_counter()
        value = loss(f, y)
        value.backward()
        best = min(best, time.perf_counter() - start)
    found[name] = [best, value.item(), f.grad.numpy().ravel()[:50].tolist()]
print(json.dumps(found))
"""


def by_neighbours(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return R@1 and MAP@R from scikit-learn's neighbours; ties as its sort leaves them."""
    counts = np.bincount(y)
    most = int(counts.max())
    near = NearestNeighbors(n_neighbors=most, algorithm="brute", n_jobs=1).fit(x)
    order = near.kneighbors(return_distance=False)
    right = y[order] == y[:, None]
    wanted = (counts[y] - 1)[:, None]
    right &= np.arange(most)[None, :] < wanted
    precision = np.cumsum(right, axis=1) / np.arange(1, most + 1)
    return float(right[:, 0].mean()), float(np.mean(np.sum(precision * right, axis=1) / wanted[:, 0]))


def retrieval_table(quick: bool, python: Path | None, folder: Path) -> None:
    """Print R@1 and MAP@R and their times, as the items grow."""
    print("## R@1 and MAP@R, one thread\n")
    print("| items × features | ours, ms | scikit-learn, ms | ratio | PML, ms | ratio | MAP@R of each |")
    print("|---|---|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    digits, label = load_digits(return_X_y=True)
    cases = [("600 digits × 64", digits[:600], label[:600])]
    for n in (1000,) if quick else (1000, 4000):
        y = rng.integers(0, 20, n)
        cases.append((f"{n} × 64", rng.normal(size=(n, 64)) + 0.6 * rng.normal(size=(20, 64))[y], y))
    rounds = 2 if quick else 3
    for name, x, y in cases:
        given = labelled(x, y)
        scores(given)
        seconds, found = best_of(
            rounds,
            {"ours": lambda given=given: scores(given), "sklearn": lambda x=x, y=y: by_neighbours(x, y)},
        )
        ours, other = seconds["ours"], seconds["sklearn"]
        values = f"{found['ours'][1]:.6f}, {found['sklearn'][1]:.6f}"
        rival = ["—", "—"]
        if python is not None:
            np.savez(folder / "data.npz", x=x, y=y)
            best, _, score = rivals.asked(python, CALCULATOR, folder / "data.npz", rounds)
            rival, values = [f"{1e3 * best:.1f}", f"{best / ours:.1f}"], f"{values}, {score:.6f}"
        print(
            f"| {name} | {1e3 * ours:.1f} | {1e3 * other:.1f} | {other / ours:.1f} | {rival[0]} | {rival[1]} | "
            f"{values} |"
        )


def loss_table(quick: bool, python: Path | None, folder: Path) -> None:
    """Print a step of the triplet loss, value and gradient, beside pytorch-metric-learning's."""
    if python is None:
        return
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(40, 16)), np.repeat(np.arange(5), 8)
    pairs = Pairs.of(y)
    np.savez(folder / "loss.npz", x=x, y=y)
    found = rivals.asked(python, LOSSES, folder / "loss.npz", 20 if quick else 200)
    print("\n## A batch of 40 in 16 dimensions: loss and gradient\n")
    print("| loss | ours, µs | PML, µs | ratio | values | gradients apart |")
    print("|---|---|---|---|---|---|")
    for name, (best, value, slope) in found.items():
        seconds, own = best_of(200, {"ours": lambda name=name: EMBEDDING_LOSSES[name](x, pairs)})
        ours, (own_value, own_slope) = seconds["ours"], own["ours"]
        apart = np.abs(own_slope.ravel()[:50] - slope).max()
        print(
            f"| {name} | {1e6 * ours:.0f} | {1e6 * best:.0f} | {best / ours:.1f} | {own_value:.9f}, {value:.9f} | "
            f"{apart:.0e} |"
        )


def confusion_table(quick: bool) -> None:
    """Print the exact term beside all pairs and beside ten pairs an item, as the released code draws them."""
    print("\n## Energy confusion\n")
    print("| items × 64 | exact by moments, ms | all pairs in NumPy, ms | ratio | apart | ten pairs an item: error |")
    print("|---|---|---|---|---|---|")
    rng = np.random.default_rng(2)
    for n in (500,) if quick else (500, 2000):
        x, y = rng.normal(size=(n, 64)), rng.integers(0, 10, n)
        given = labelled(x, y)

        def pairs(x: np.ndarray = x, y: np.ndarray = y) -> float:
            norms = np.sum(x**2, axis=1)
            squares = norms[:, None] + norms[None, :] - 2 * x @ x.T
            apart = y[:, None] != y[None, :]
            return 0.5 * float(squares[apart].mean())

        seconds, found = best_of(5, {"ours": lambda given=given: confusion(given)[0], "pairs": pairs})
        drawn = []
        for _ in range(50):
            i = np.repeat(np.arange(n), 10)
            j = rng.integers(0, n, 10 * n)
            keep = y[i] != y[j]
            drawn.append(0.5 * np.mean(np.sum((x[i[keep]] - x[j[keep]]) ** 2, axis=1)))
        off = np.std(drawn) / found["ours"]
        print(
            f"| {n} | {1e3 * seconds['ours']:.2f} | {1e3 * seconds['pairs']:.1f} | "
            f"{seconds['pairs'] / seconds['ours']:.0f} | {abs(found['ours'] / found['pairs'] - 1):.0e} | {off:.1%} |"
        )


def main() -> None:
    """Print the tables."""
    given = options(__doc__, rivals="pytorch-metric-learning")
    metrics.retrieval(np.eye(3), [0, 0, 1], replicates=0)
    with (
        kept("metrics_embeddings", "Embeddings", ("numpy", "numba", "scikit-learn", "torch"), write=given.write),
        tempfile.TemporaryDirectory() as folder,
    ):
        python = None if given.no_install else rivals.told_environment("embeddings", [RIVAL])
        retrieval_table(given.quick, python, Path(folder))
        loss_table(given.quick, python, Path(folder))
        confusion_table(given.quick)


if __name__ == "__main__":
    main()
