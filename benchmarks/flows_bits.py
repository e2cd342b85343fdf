"""Rounding in few bits next to pychop and NumPy's own short floats: nanoseconds a number, in one run.

    python benchmarks/flows_bits.py [--quick]

pychop is none of our dependencies: it is installed into an environment of its own (``~/.cache/geometry-workbench``),
which times it in a process of its own, on the same numbers, interleaved with ours. Each figure is the best of the
rounds, on one thread.
"""

import argparse
import json
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from workbench import flows
from workbench.flows.bits.rounding import number_format, round_in_place

HOME = Path.home() / ".cache" / "geometry-workbench" / "pychop"
RIVAL = """
import json, sys, time
import numpy as np
from pychop import Chop
n, rounds = int(sys.argv[1]), int(sys.argv[2])
x = np.random.default_rng(0).normal(size=n)
found = {}
for name, mode in (("nearest", 1), ("stochastic", 5)):
    chop = Chop(exp_bits=5, sig_bits=10, rmode=mode)
    chop(x)
    best = 1e9
    for _ in range(rounds):
        started = time.perf_counter()
        chop(x)
        best = min(best, time.perf_counter() - started)
    found[name] = 1e9 * best / n
print(json.dumps(found))
"""


def rival(n: int, rounds: int) -> dict[str, float]:
    """Return pychop's nanoseconds a number, by rounding; installs it the first time."""
    python = HOME / "bin" / "python"
    if not python.exists():
        venv.create(HOME, with_pip=True)
    if subprocess.run([python, "-c", "import pychop"], capture_output=True).returncode:
        subprocess.run([python, "-m", "pip", "install", "--quiet", "pychop"], check=True)
    run = subprocess.run([python, "-c", RIVAL, str(n), str(rounds)], check=True, capture_output=True, text=True)
    return json.loads(run.stdout.splitlines()[-1])


def best(action: Callable[[], object], rounds: int) -> float:
    """Return the best time of the rounds, in seconds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    """Time and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    n, rounds = (100_000, 5) if quick else (1_000_000, 20)
    x, rng = np.random.default_rng(0).normal(size=n), np.ones(1, np.uint64)
    theirs = rival(n, rounds)
    print(f"| {n:,} numbers to 10 bits | ns a number | pychop | pychop ÷ ours |\n|---|---|---|---|")
    for rounding in ("nearest", "stochastic"):
        fmt = number_format(10, rounding)
        flows.round_to(x, 10, rounding)
        for name, action in (
            (f"{rounding}, round_to", lambda rounding=rounding: flows.round_to(x, 10, rounding)),
            (f"{rounding}, in place", lambda fmt=fmt: round_in_place(x.copy(), fmt, rng)),
            (f"{rounding}, range of half", lambda rounding=rounding: flows.round_to(x, 10, rounding, exponent_bits=5)),
        ):
            ours = 1e9 * best(action, rounds) / n
            print(f"| {name} | {ours:.2f} | {theirs[rounding]:.1f} | {theirs[rounding] / ours:.0f} |")
    short = 1e9 * best(lambda: x.astype(np.float16).astype(float), rounds) / n
    print(f"| NumPy's float16, there and back | {short:.2f} | | |")
    for name in flows.MODELS:
        steps = 2000 if name != "shallow-water" else 200
        given = {"runs": 1, "steps": steps, "every": steps, "spin_up": 0}
        for rounding in ("nearest", "stochastic"):
            run = best(lambda name=name, r=rounding, g=given: flows.low_precision_run(name, 12, r, **g), 5)
            print(f"| {name}, a step, {rounding} | {1e9 * run / steps:.0f} | | |")


if __name__ == "__main__":
    sys.exit(main())
