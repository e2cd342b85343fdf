"""Rankings beside scikit-learn and MLstatkit, in one run: time as ratios, and how far the values are apart.

    python benchmarks/metrics_rankings.py [--quick] [--no-install]

The best of interleaved rounds: noise only ever adds. MLstatkit is no dependency: it is installed into an environment of
the benchmark's own (in a temporary folder) and timed there, in a process apart; ``--no-install`` leaves it out.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
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


def best_of(rounds: int, runs: Mapping[str, Callable[[], object]]) -> tuple[dict[str, float], dict[str, object]]:
    """Return the shortest time of each run over interleaved rounds, and what it returned."""
    seconds, found = dict.fromkeys(runs, np.inf), {}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            found[name] = run()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds, found


def both_scores(y: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """Return AUROC and AP from one sort."""
    found = levels(sample(y, scores))
    return AUROC(found), AP(found)


def scores_table(quick: bool) -> None:
    """Print AUROC and AP together beside scikit-learn's two calls, as the ranking grows."""
    print("### AUROC and AP\n")
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
    print(f"\n### Errors of both scores: {count:,} items, {replicates} replicates\n")
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


def delong_table(quick: bool, folder: Path) -> None:
    """Print the paired test beside MLstatkit's, which has none for AP."""
    venv.create(folder / "rival", with_pip=True)
    python = folder / "rival" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", RIVAL], check=True)
    print("\n### Two models on the same items: DeLong's test\n")
    print("| items | ours (AUROC and AP), ms | MLstatkit (AUROC), ms | ratio | size of z, both |")
    print("|---|---|---|---|---|")
    for count in (10_000,) if quick else (10_000, 100_000):
        y, a = metrics.binormal(count, prevalence=0.1, seed=3)
        b = a + np.random.default_rng(4).normal(size=count)
        np.savez(folder / "data.npz", y=y, a=a, b=b)
        seconds, found = best_of(3, {"ours": lambda y=y, a=a, b=b: metrics.compare(y, a, b)})
        done = subprocess.run(
            [python, "-c", DELONG, folder / "data.npz", "3"], check=True, capture_output=True, text=True
        )
        theirs, z, _ = json.loads(done.stdout.splitlines()[-1])
        own = float(found["ours"].z.sel(metric="auroc"))
        print(
            f"| {count:,} | {1e3 * seconds['ours']:.1f} | {1e3 * theirs:.1f} | {theirs / seconds['ours']:.1f} | "
            f"{abs(own):.12f}, {abs(z):.12f} |"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds")
    parser.add_argument("--no-install", action="store_true", help="leave MLstatkit out")
    given = parser.parse_args()
    both_scores(*metrics.binormal(100))
    metrics.ranking(*metrics.binormal(100))
    scores_table(given.quick)
    bootstrap_table(given.quick)
    if not given.no_install:
        with tempfile.TemporaryDirectory() as folder:
            try:
                delong_table(given.quick, Path(folder))
            except subprocess.CalledProcessError as error:
                print(f"\nMLstatkit could not be installed or run: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
