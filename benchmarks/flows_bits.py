"""Rounding in few bits next to pychop and NumPy's own short floats: nanoseconds a number, in one run.

    python benchmarks/flows_bits.py [--quick] [--write]

pychop is none of our dependencies: it is installed into an environment of its own (see rivals.py), which times it in a
process of its own, on the same numbers. Each figure is the best of the rounds, on one thread. ``round_to`` makes a new
array, as pychop does; for a million numbers that is most of its time, so the loop alone is timed as well.
"""

import time
from collections.abc import Callable

import numpy as np
import rivals
from report import finish, heading, options

from workbench import flows
from workbench.flows.bits.rounding import number_format, round_into

RIVAL_PACKAGE = "pychop==0.6"
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


def best(action: Callable[[], object], rounds: int) -> float:
    """Return the best time of the rounds, in seconds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return min(times)


def roundings(n: int, rounds: int) -> list[str]:
    """Rounding a million numbers, in the range of a double and in that of half precision."""
    told, theirs = [RIVAL_PACKAGE], None
    try:
        python, told = rivals.environment("pychop", (RIVAL_PACKAGE,))
        theirs = rivals.asked(python, RIVAL, n, rounds)
    except (OSError, RuntimeError) as error:
        told = [*told, f"it could not be asked: {error}"]
    x, out, stream = np.random.default_rng(0).normal(size=n), np.empty(n), np.ones(1, np.uint64)
    lines = [
        f"Rival: {'; '.join(told)}.",
        "",
        f"## {n:,} numbers to 10 bits",
        "",
        "| rounding | ns a number | pychop, range of half | pychop ÷ ours |",
        "|---|---|---|---|",
    ]
    for rounding in ("nearest", "stochastic"):
        for exponent_bits, span in ((11, "range of a double"), (5, "range of half")):
            fmt = number_format(10, rounding, exponent_bits)
            actions = {
                "round_to": lambda r=rounding, e=exponent_bits: flows.round_to(x, 10, r, exponent_bits=e),
                "the loop alone": lambda f=fmt: round_into(x, out, f, stream),
            }
            for name, action in actions.items():
                action()
                ours = 1e9 * best(action, rounds) / n
                cells = f"{theirs[rounding]:.0f} | {theirs[rounding] / ours:.0f}" if theirs else "— | —"
                lines.append(f"| {rounding}, {span}, {name} | {ours:.2f} | {cells} |")
    short = 1e9 * best(lambda: x.astype(np.float16).astype(float), rounds) / n
    return [*lines, f"| NumPy's float16, there and back | {short:.2f} | | |", ""]


def models() -> list[str]:
    """A step of each model, every operation rounded to 12 bits, and in double precision.

    Two runs of different length are subtracted: what a run costs besides its steps is as much as a thousand of them.
    """
    lines = ["## A step", "", "| a step of | nearest, ns | stochastic, ns | double, ns |", "|---|---|---|---|"]
    for name in flows.MODELS:
        steps = 20_000 if name != "shallow-water" else 1000
        cells = []
        for bits, rounding in ((12, "nearest"), (12, "stochastic"), (52, "nearest")):
            times = []
            for length in (steps, 2 * steps):
                given = {"runs": 1, "steps": length, "every": length, "spin_up": 0}
                times.append(best(lambda m=name, b=bits, r=rounding, g=given: flows.low_precision_run(m, b, r, **g), 5))
            cells.append(f"{1e9 * (times[1] - times[0]) / steps:.0f}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Time and print the tables."""
    given = options(__doc__)
    lines = heading("Few bits", "python benchmarks/flows_bits.py --write", ("numpy", "numba"))
    lines += roundings(*((100_000, 5) if given.quick else (1_000_000, 20)))
    finish("flows_bits", lines + models(), write=given.write)


if __name__ == "__main__":
    main()
