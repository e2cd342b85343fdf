"""Tails of spectra next to weightwatcher and powerlaw: equal values first, then time as ratios.

    python benchmarks/metrics_spectra.py [--quick] [--no-install] [--write]

The rivals are installed in an environment of the benchmark's own (see rivals.py), without what they declare beside
their imports; all fits run there in one process, CPU seconds of one thread, the best of rounds in which they take
turns. ``--no-install`` leaves the rivals out: then our own times are all there is.
"""

import json
import logging
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rivals
import torch
from report import best_of, kept, options

from workbench import metrics

PACKAGES = ("weightwatcher==0.7.7", "powerlaw==2.0.0")
LIGHT = ("pandas", "matplotlib", "tqdm", "mpmath")
"""What the rivals import beside NumPy and torch, where our environment lacks it."""


def rival_fits() -> dict[str, Callable[[np.ndarray], float]]:
    """Return the fits of the packages that are here, by name."""
    import powerlaw
    from weightwatcher.WW_powerlaw import WWFit

    return {
        "weightwatcher": lambda values: float(WWFit(values).alpha),
        "powerlaw": lambda values: float(powerlaw.Fit(values, verbose=False).alpha),
    }


def fits(sizes: list[int], rounds: int, theirs: dict[str, Callable[[np.ndarray], float]]) -> list[str]:
    """Compare the fits of one tail."""
    rows = [
        "## The scan for one tail",
        "",
        "| M | workbench | weightwatcher | powerlaw | weightwatcher ÷ ours | powerlaw ÷ ours | α apart by |",
        "|---|---|---|---|---|---|---|",
    ]
    for m in sizes:
        values = np.exp(1.5 * np.random.default_rng(0).normal(size=m))  # all above 1e-5, what the package drops
        metrics.tail_fit(values)
        actions = {"ours": lambda values=values: [metrics.tail_fit(values).alpha for _ in range(20)][-1]}
        for name, fit in theirs.items():
            if name != "powerlaw" or m <= 3072:  # its scan takes minutes beyond
                actions[name] = lambda fit=fit, values=values: fit(values)
        times, found = best_of(rounds, actions, time.process_time)
        times["ours"] /= 20
        apart = max(found.values()) - min(found.values())
        if apart > 1e-9 * found["ours"]:
            raise SystemExit(f"M = {m}: the values differ, {found}")
        shown = [f"{1000 * times[n]:.3g} ms" if n in times else "—" for n in ("ours", "weightwatcher", "powerlaw")]
        ratio = [f"{times[n] / times['ours']:.0f}" if n in times else "—" for n in ("weightwatcher", "powerlaw")]
        rows.append(f"| {m:,} | {' | '.join(shown)} | {' | '.join(ratio)} | {apart:.0e} |")
    return [*rows, ""]


def whole(rounds: int, alone: bool) -> list[str]:
    """Compare the scores of a whole network: here the eigenvalues take most of the time, on both sides."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = torch.nn.Sequential(*[torch.nn.Linear(384, 384, bias=False) for _ in range(12)])
    with torch.no_grad():
        for layer in model:
            layer.weight *= (1 - torch.rand(384)) ** -0.3
    actions = {"ours": lambda: metrics.score_layers(model).alpha.values}
    if not alone:
        import weightwatcher

        actions["ww"] = lambda: weightwatcher.WeightWatcher(model=model).analyze().alpha.values
    actions["ours"]()
    times, found = best_of(rounds, actions, time.process_time)
    cells = "— | — | —"
    if not alone:
        apart = float(np.abs(np.sort(found["ours"]) - np.sort(found["ww"])).max())
        cells = f"{times['ww']:.2f} | {times['ww'] / times['ours']:.1f} | {apart:.0e}"
    return [
        "## A whole network, 12 layers of 384 × 384",
        "",
        "| workbench, s | weightwatcher `analyze()`, s | ratio | α apart by at most |",
        "|---|---|---|---|",
        f"| {times['ours']:.2f} | {cells} |",
    ]


def inside(quick: bool, alone: bool) -> None:
    """Run the comparison; the last line of what is printed holds the tables in JSON, the packages print as well."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    theirs = {} if alone else rival_fits()
    lines = fits([768] if quick else [768, 3072, 8192], 2 if quick else 3, theirs)
    print(f"\n{json.dumps(lines + whole(1 if quick else 3, alone))}")


def main() -> None:
    """Run the comparison in the rivals' environment and print its tables."""
    if "--inside" in sys.argv:
        inside("--quick" in sys.argv, "--alone" in sys.argv)
        return
    given = options(__doc__, rivals="weightwatcher and powerlaw")
    with kept("metrics_spectra", "Spectra", ("numpy", "numba", "scipy", "torch"), write=given.write):
        python = None if given.no_install else rivals.told_environment("spectra", LIGHT)
        python = python and rivals.told_environment("spectra", PACKAGES, bare=True)
        command = [str(python or sys.executable), "-W", "ignore", str(Path(__file__).resolve()), "--inside"]
        flags = [*(["--quick"] if given.quick else []), *([] if python else ["--alone"])]
        root = str(Path(__file__).resolve().parents[1])
        surroundings = {**os.environ, **rivals.ONE_THREAD, "PYTHONPATH": root}
        done = subprocess.run([*command, *flags], env=surroundings, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"the comparison broke off: {done.stderr.strip()[-400:]}")
        print("\n".join(json.loads(done.stdout.splitlines()[-1])))


if __name__ == "__main__":
    main()
