"""Time and memory of the exact engine against one FFT, the other engines, and the sampler against a public one.

    python benchmarks/fisher.py [--quick] [--write] [--large]

Every ratio is taken within one run. Peak memory is that of a fresh process that computes one size only. ``--quick``
stops at L = 32; ``--large`` adds L = 128 and 192 and the trace term at 2048 (minutes, up to 6 GB). mcising, a public
sampler, is compared when it is importable and skipped politely when not.
"""

import argparse
import json
import math
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numba
import numpy as np
import scipy
import scipy.fft

from workbench import fisher
from workbench.fisher import monte_carlo as mc

RESULTS = Path(__file__).parent / "results" / "fisher.md"


def best(function: Callable[[], object], repeats: int = 3) -> float:
    """Return the shortest of several wall times."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return min(times)


def table(header: list[str], rows: list[list]) -> str:
    """Return a markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def fft_4d(side: int) -> float:
    """Return the time of one real 4-D FFT of side⁴ doubles, SciPy's default (one thread)."""
    data = np.random.default_rng(0).normal(size=(side,) * 4)
    return best(lambda: scipy.fft.rfftn(data))


def measured_apart(kind: str, L: int) -> dict:
    """Compute one size in a fresh process; return its seconds, peak memory in bytes and value."""
    command = [sys.executable, __file__, "--one", kind, str(L)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def one(kind: str, L: int) -> None:
    """Be that fresh process: warm the kernels on a small size, then time the one asked for."""
    function = {
        "curvature": lambda side: float(fisher.ising_curvature(side).scalar_curvature),
        "trace": fisher.trace_norm,
    }[kind]
    function(6)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    started = time.perf_counter()
    value = function(L)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "before": before, "value": value}))


def curvature_section(sides: list[int]) -> str:
    """R for growing L: seconds, peak memory, and the ratio to one FFT of n² doubles where that fits."""
    rows = []
    for L in sides:
        if L >= 128:
            print(
                f"L = {L}: exact curvature, announced cost {fisher.estimate_cost(L)[0]:.0f} s …",
                file=sys.stderr,
                flush=True,
            )
        found = measured_apart("curvature", L)
        reference = fft_4d(L) if L <= 64 else math.nan
        ratio = f"{found['seconds'] / reference:.1f}" if L <= 64 else "–"
        fft = f"{reference:.3f}" if L <= 64 else "–"
        rows.append([L, f"{found['value']:.9g}", f"{found['seconds']:.3f}", fft, ratio, f"{found['peak'] / 1e9:.2f}"])
    header = ["L", "R", "seconds", "one rfftn of L⁴ doubles, s", "ratio", "peak memory of the process, GB"]
    return "## Exact curvature at J_c\n\n" + table(header, rows)


def trace_section(sides: list[int]) -> str:
    """The trace term alone, beside a few 2-D FFTs of the same size."""
    rows = []
    for L in sides:
        found = measured_apart("trace", L)
        plane = np.random.default_rng(0).normal(size=(L, L)) + 0j
        fft = best(lambda plane=plane: scipy.fft.fft2(plane))
        rows.append(
            [
                L,
                f"{found['value'] / L**2:.9f}",
                f"{found['seconds']:.2f}",
                f"{fft * 1e3:.1f}",
                f"{found['seconds'] / fft:.0f}",
                f"{found['peak'] / 1e9:.2f}",
            ]
        )
    header = ["L", "‖tr T‖²/n", "seconds", "one complex L² FFT, ms", "ratio", "peak memory of the process, GB"]
    return "## Trace term\n\n" + table(header, rows)


def engine_section(sides: list[int]) -> str:
    """All engines side by side where they can go, with their distance from the default one."""
    rows = []
    for L in sides:
        reference = None
        for name, entry in fisher.ENGINES.items():
            if entry.facts.get("largest", math.inf) < L:
                continue
            value = float(fisher.ising_curvature(L, method=name).scalar_curvature)
            seconds = best(lambda name=name, L=L: fisher.ising_curvature(L, method=name), 1 if L == 8 else 2)
            reference = value if reference is None else reference
            rows.append([L, entry.label, f"{seconds:.4f}", f"{abs(value / reference - 1):.1e}"])
    return "## Engines side by side\n\n" + table(["L", "engine", "seconds", "relative difference from the first"], rows)


def sampler_section(sides: list[int], sweeps: int) -> str:
    """Cluster updates of one chain on one core: site updates a second, against mcising where it is installed."""
    try:
        import mcising
    except ImportError:
        mcising = None
    rows = []
    for L in sides:
        chain = mc.Chain(mc.MODELS["ising-2d"](), L, seed=0)
        chain.thermalise(100)
        ours = best(lambda chain=chain: chain.take(sweeps))
        theirs = math.nan
        if mcising is not None:
            config = mcising.SimulationConfig(
                lattice=mcising.LatticeConfig(size=L), algorithm=mcising.Algorithm("swendsen_wang"), seed=1,
                temperatures=(1 / fisher.J_CRITICAL,), n_sweeps=sweeps, n_thermalization=1, measurement_interval=1,
                store_configs=False,
            )  # fmt: skip
            theirs = best(lambda config=config: mcising.Simulation(config).run(show_progress=False))
        rate = sweeps * L * L / 1e6
        public = "not installed" if mcising is None else f"{rate / theirs:.1f}"
        ratio = "–" if mcising is None else f"{theirs / ours:.2f}"
        rows.append([L, f"{rate / ours:.1f}", public, ratio])
    header = ["L", "this room, 10⁶ site updates/s/core", "mcising", "speed ratio"]
    text = "## Swendsen–Wang at J_c, one core, measuring after every sweep\n\n" + table(header, rows)
    rows = []
    for entry in mc.MODELS.values():
        model = entry()
        chain = mc.Chain(model, 32 if model.dimension == 2 else 12, seed=0, algorithm="wolff")
        chain.thermalise(50)
        started = time.perf_counter()
        flips = chain.take(200)[2]
        rows.append([entry.label, chain.spins.size, f"{flips / (time.perf_counter() - started) / 1e6:.1f}"])
    return text + "\n\n## Wolff, flips a second on one core\n\n" + table(["model", "sites", "10⁶ flips/s"], rows)


def machine() -> str:
    """Say where this was measured."""
    parts = [
        f"{len(os.sched_getaffinity(0))} cores ({platform.processor() or platform.machine()})",
        f"Python {platform.python_version()}",
    ]
    parts += [f"{m.__name__} {m.__version__}" for m in (np, scipy, numba)]
    load = os.getloadavg()[0]
    return (
        f"{date.today().isoformat()}; "
        + ", ".join(parts)
        + f"; load average {load:.1f} at the start (a shared machine: trust ratios)"
    )


def main() -> None:
    """Run every section and print, or store, one markdown page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.one[0], int(arguments.one[1]))
        return
    sides = [8, 16, 32] if arguments.quick else [8, 16, 32, 64, 96]
    traces = [256] if arguments.quick else [256, 512, 1024]
    if arguments.large:
        sides, traces = [*sides, 128, 192], [*traces, 2048]
    engines, samplers = ([3, 4, 6], [32]) if arguments.quick else ([3, 4, 6, 8, 16, 32], [32, 64, 128])
    head = f"# The fisher room\n\n{machine()}"
    sections = [
        curvature_section(sides),
        trace_section(traces),
        engine_section(engines),
        sampler_section(samplers, 200 if arguments.quick else 1000),
    ]
    page = "\n\n".join([head, *sections]) + "\n"
    print(page)
    if arguments.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(page)


if __name__ == "__main__":
    main()
