"""Rankings beside scikit-learn and MLstatkit, in one run: time as ratios, and how far the values are apart.

    python benchmarks/metrics_rankings.py [--quick] [--no-install] [--write]

The best of interleaved rounds: noise only ever adds. MLstatkit is no dependency: it is installed into an environment of
the benchmark's own (see rivals.py) and timed there, in a process apart; ``--no-install`` leaves it out.
"""

import tempfile
from pathlib import Path

import numpy as np
import rivals
from report import best_of, kept, options
from sklearn.metrics import average_precision_score, roc_auc_score

from workbench import metrics
from workbench.metrics.rankings import levels, sample

RIVAL = "MLstatkit==0.1.91"
DELONG = """
import json, sys, time
import numpy as np
from MLstatkit import Delong_test
data = np.load(sys.argv[1])
best = np.inf
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    z, p = Delong_test(data["y"], data["a"], data["b"])[:2]
    best = min(best, time.perf_counter() - start)
print(json.dumps([best, float(z), float(p)]))
"""
AUROC, AP = metrics.RANKING_SCORES["auroc"], metrics.RANKING_SCORES["ap"]


def both_scores(y: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """Return AUROC and AP from one sort."""
    found = levels(sample(y, scores))
    return AUROC(found), AP(found)


def scores_table(quick: bool) -> None:
    """Print AUROC and AP together beside scikit-learn's two calls, as the ranking grows."""
    print("## AUROC and AP\n")
    print(
        "| items | ties | ours, ms | with errors, curves and ties, ms | scikit-learn's two calls, ms | ratio | apart |"
    )
    print("|---|---|---|---|---|---|---|")
    for count in (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000):
        for decimals in (None, 2):
            y, scores = metrics.binormal(count, prevalence=0.05, seed=1)
            scores = scores if decimals is None else scores.round(decimals)
            runs = {
                "ours": lambda y=y, s=scores: both_scores(y, s),
                "all": lambda y=y, s=scores: metrics.ranking(y, s),
                "theirs": lambda y=y, s=scores: (roc_auc_score(y, s), average_precision_score(y, s)),
            }
            seconds, found = best_of(3 if quick else 7, runs)
            apart = np.abs(np.subtract(found["ours"], found["theirs"])).max()
            print(
                f"| {count:,} | {'none' if decimals is None else 'two digits'} | {1e3 * seconds['ours']:.1f} | "
                f"{1e3 * seconds['all']:.1f} | {1e3 * seconds['theirs']:.1f} | "
                f"{seconds['theirs'] / seconds['ours']:.1f} | {apart:.0e} |"
            )


def bootstrap_table(quick: bool) -> None:
    """Print the bootstrap of both scores beside resampling with scikit-learn."""
    count, replicates = (5000, 100) if quick else (20_000, 500)
    y, scores = metrics.binormal(count, prevalence=0.05, seed=2)

    def resampling() -> tuple[float, float]:
        rng = np.random.default_rng(0)
        values = []
        for _ in range(replicates):
            chosen = rng.integers(0, count, count)
            values.append(
                (roc_auc_score(y[chosen], scores[chosen]), average_precision_score(y[chosen], scores[chosen]))
            )
        return tuple(np.std(values, axis=0, ddof=1))

    metrics.bootstrap(y[:100], scores[:100], 5, stratified=True)
    runs = {
        "ours": lambda: metrics.bootstrap(y, scores, replicates),
        "formula": lambda: metrics.ranking(y, scores),
        "theirs": resampling,
    }
    seconds, found = best_of(1 if quick else 2, runs)
    ours, formula = found["ours"], found["formula"]
    print(f"\n## Errors of both scores: {count:,} items, {replicates} replicates\n")
    print("| | seconds | ratio | error of AUROC | error of AP |")
    print("|---|---|---|---|---|")
    rows = (
        ("formulas (DeLong, influence)", "formula", float(formula.auroc_error[0]), float(formula.ap_error[0])),
        ("bootstrap from one sort", "ours", float(ours.auroc_sd), float(ours.ap_sd)),
        ("resampling with scikit-learn", "theirs", *found["theirs"]),
    )
    for label, name, auroc, ap in rows:
        ratio = seconds["theirs"] / seconds[name]
        print(f"| {label} | {seconds[name]:.3g} | {ratio:.3g} | {auroc:.5f} | {ap:.5f} |")


def delong_table(quick: bool, python: Path, folder: Path) -> None:
    """Print the paired test beside MLstatkit's, which has none for AP."""
    print("\n## Two models on the same items: DeLong's test\n")
    print("| items | ours (AUROC and AP), ms | MLstatkit (AUROC), ms | ratio | size of z, both |")
    print("|---|---|---|---|---|")
    for count in (10_000,) if quick else (10_000, 100_000):
        y, a = metrics.binormal(count, prevalence=0.1, seed=3)
        b = a + np.random.default_rng(4).normal(size=count)
        np.savez(folder / "data.npz", y=y, a=a, b=b)
        seconds, found = best_of(3, {"ours": lambda y=y, a=a, b=b: metrics.compare(y, a, b)})
        theirs, z, _ = rivals.asked(python, DELONG, folder / "data.npz", 3)
        own = float(found["ours"].z.sel(metric="auroc"))
        print(
            f"| {count:,} | {1e3 * seconds['ours']:.1f} | {1e3 * theirs:.1f} | {theirs / seconds['ours']:.1f} | "
            f"{abs(own):.12f}, {abs(z):.12f} |"
        )


def main() -> None:
    """Print the tables."""
    given = options(__doc__, rivals="MLstatkit")
    both_scores(*metrics.binormal(100))
    metrics.ranking(*metrics.binormal(100))
    with (
        kept("metrics_rankings", "Rankings", ("numpy", "numba", "scikit-learn"), write=given.write),
        tempfile.TemporaryDirectory() as folder,
    ):
        python = None if given.no_install else rivals.told_environment("rankings", [RIVAL])
        scores_table(given.quick)
        bootstrap_table(given.quick)
        if python is not None:
            delong_table(given.quick, python, Path(folder))


if __name__ == "__main__":
    main()
