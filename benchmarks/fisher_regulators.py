"""Regulators next to what one would do by hand: equal numbers first, then time as ratios.

    python benchmarks/fisher_regulators.py [--quick] [--write]

There is no other package for this, so the rivals are the plain ways: gradient descent that is run until it is there
(with NumPy), and the Fisher matrix of a torus taken apart as a dense matrix. One process, CPU seconds of one thread,
the best of interleaved rounds.
"""

import argparse
import time

import numpy as np
from report import Told, heading

from workbench import fisher
from workbench.fisher.metric import metric_in_space, pairs
from workbench.fisher.regulators.spectra import spectrum
from workbench.fisher.torus import torus

say = Told()


def best(actions: dict, rounds: int) -> tuple[dict, dict]:
    """Return the best CPU time of each action over rounds in which they take turns, and the values."""
    times, values = dict.fromkeys(actions, float("inf")), {}
    for _ in range(rounds):
        for name, action in actions.items():
            started = time.process_time()
            values[name] = action()
            times[name] = min(times[name], time.process_time() - started)
    return times, values


def by_running(F: np.ndarray, dampings: np.ndarray, tolerance: float = 1e-6) -> np.ndarray:
    """Return the steps that gradient descent with the best step takes, counted as they are taken."""
    counts = []
    for c in dampings:
        g = F @ F + c * F
        update = np.linalg.inv(g)
        rates = np.linalg.eigvalsh(update)
        factor = np.abs(1 - 2 / (rates[0] + rates[-1]) * rates)
        squared, taken = np.ones_like(factor), 0
        while squared.max() > tolerance:
            squared, taken = squared * factor**2, taken + 1
        counts.append(taken)
    return np.array(counts)


def dense_torus(L: int) -> np.ndarray:
    """Return the eigenvalues of the torus's metric as a dense matrix of 2L² bonds."""
    F = metric_in_space(pairs(torus(L)))
    shift = np.arange(L)
    across = (shift[None, :] - shift[:, None]) % L
    blocks = [[F[a, b][across[:, None, :, None], across[None, :, None, :]].reshape(L * L, L * L) for b in (0, 1)]
              for a in (0, 1)]  # fmt: skip
    return np.linalg.eigvalsh(np.block(blocks))


def main() -> None:
    """Print both comparisons and how the report grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller sizes")
    parser.add_argument("--write", action="store_true", help="keep the report in benchmarks/results")
    options = parser.parse_args()
    quick = options.quick
    say("\n".join(heading("Regulators", "python benchmarks/fisher_regulators.py --write", ("numpy", "scipy"))))
    rounds = 3 if quick else 7
    rng = np.random.default_rng(0)
    say("## Steps of gradient descent, 40 dampings\n")
    for m in (5, 50) if quick else (5, 50, 300):
        X = rng.normal(size=(3 * m, m))
        F = X.T @ X / (3 * m)
        dampings = np.geomspace(1e-3, 1e3, 40)
        own = spectrum(F)
        times, values = best(
            {
                "closed form": lambda own=own, d=dampings: (
                    fisher.measured_convergence(own.values, d).whole_steps.values
                ),
                "run": lambda F=F, d=dampings: by_running(F, d),
            },
            rounds,
        )
        off = int(np.abs(values["closed form"] - values["run"]).max())
        say(f"- m = {m}: run / closed form = {times['run'] / times['closed form']:.1f}, counts differ by {off}")
    say("\n## Eigenvalues of the Ising torus's metric\n")
    for L in (8, 16) if quick else (8, 16, 32):
        times, values = best(
            {"momenta": lambda L=L: fisher.torus_spectrum(L, fisher.J_CRITICAL), "dense": lambda L=L: dense_torus(L)},
            1 if L == 32 else rounds,
        )
        off = float(np.abs(values["momenta"] - values["dense"]).max())
        say(f"- L = {L}: dense / momenta = {times['dense'] / times['momenta']:.0f}, they differ by {off:.0e}")
    say("\n## Whole report\n")
    actions = {f"K{n}": lambda n=n: fisher.regulator_report("complete", L=n) for n in (4, 6, 8)}
    actions |= {f"torus {L}": lambda L=L: fisher.regulator_report("torus", L=L) for L in (8, 32, 64)}
    times, _ = best(actions, rounds)
    say("- " + ", ".join(f"{name}: {seconds / times['K4']:.2f} × K4" for name, seconds in times.items()))
    say(f"- K4: {times['K4']:.3f} s of processor time")
    if options.write:
        say.write("fisher_regulators")


if __name__ == "__main__":
    main()
