"""Sliced Wasserstein: our value and gradient next to naive torch and POT, estimators next to Monte Carlo, memory.

    python benchmarks/flows.py [--quick] [--write]

All ratios come from one run on one machine. Single-thread times are CPU time, which other load disturbs little; the
second core is judged by the clock. Each figure is the best of interleaved rounds: noise only ever adds.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from workbench import flows

HERE = Path(__file__).resolve().parent
N_DIRECTIONS = 100
COMPETITOR_WORK = 2e7  # point · projections per call of a competitor, so that its memory and our patience last
Action = Callable[[], object]


def clouds(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a torus and a cube of n points."""
    return flows.cloud("torus", n, 0), flows.cloud("cube", n, 1)


def ours(x: np.ndarray, y: np.ndarray, n_directions: int, threads: int) -> Action:
    """Value and gradient by the fused kernel."""
    return lambda: flows.sliced_wasserstein_gradient(x, y, n_directions=n_directions, threads=threads)


def naive_torch(x: np.ndarray | torch.Tensor, y: np.ndarray | torch.Tensor, n_directions: int) -> Action:
    """What anyone writes first: project, sort, subtract, backward. The faster of the two layouts (rows sorted)."""
    a = torch.as_tensor(x, dtype=torch.float32).detach().requires_grad_()
    b = torch.as_tensor(y, dtype=torch.float32)

    def run() -> None:
        a.grad = None
        theta = torch.nn.functional.normalize(torch.randn(n_directions, 3, device=a.device), dim=1)
        differences = (theta @ a.T).sort(dim=1).values - (theta @ b.T).sort(dim=1).values
        differences.square().mean().backward()

    return run


def pot_torch(x: np.ndarray, y: np.ndarray, n_directions: int) -> Action:
    """POT on torch tensors, with backward."""
    import ot

    a = torch.tensor(x, dtype=torch.float32, requires_grad=True)
    b = torch.tensor(y, dtype=torch.float32)

    def run() -> None:
        a.grad = None
        ot.sliced_wasserstein_distance(a, b, n_projections=n_directions, seed=0).backward()

    return run


def pot_numpy(x: np.ndarray, y: np.ndarray, n_directions: int) -> Action:
    """POT on NumPy arrays: the value only, it has no gradient there."""
    import ot

    return lambda: ot.sliced_wasserstein_distance(x, y, n_projections=n_directions, seed=0)


def interleaved(actions: dict[str, Action], rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    """Return the best time of each action over rounds in which they take turns."""
    best = dict.fromkeys(actions, np.inf)
    for action in actions.values():
        action()
    for _ in range(rounds):
        for name, action in actions.items():
            started = clock()
            action()
            best[name] = min(best[name], clock() - started)
    return best


def speed(sizes: list[int], rounds: int) -> list[str]:
    """Time per point and projection on one thread, and ratios."""
    rows = [
        f"## Value and gradient, one thread, L = {N_DIRECTIONS}: ns per point and projection (CPU time)",
        "",
        "| n | workbench | naive torch | POT, torch | POT, NumPy (value only) | ÷ naive | ÷ POT torch | ÷ POT NumPy |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for n in sizes:
        x, y = clouds(n)
        small = int(max(1, min(N_DIRECTIONS, COMPETITOR_WORK // n)))
        makers = {"naive": naive_torch, "pot torch": pot_torch, "pot numpy": pot_numpy}
        actions = {"ours": ours(x, y, N_DIRECTIONS, 1)} | {k: make(x, y, small) for k, make in makers.items()}
        best = interleaved(actions, 8 * rounds if n <= 1e4 else rounds if n < 1e6 else 2, time.process_time)
        cost = {k: 1e9 * v / n / (N_DIRECTIONS if k == "ours" else small) for k, v in best.items()}
        ratios = " | ".join(f"{cost[k] / cost['ours']:.1f}" for k in makers)
        times = " | ".join(f"{cost[k]:.1f}" for k in cost)
        rows.append(f"| {n:.0e} | {times} | {ratios} |".replace("e+0", "e"))
    return [*rows, ""]


def torch_losses(sizes: list[int], rounds: int) -> list[str]:
    """The loss for training loops next to naive torch: both engines on the CPU, the plain one on a card if there is."""
    rows = [
        f"## The loss in PyTorch, value and gradient, fresh directions, L = {N_DIRECTIONS} (ms)",
        "",
        "| device | n | naive torch | our loss | with engine torch | naive ÷ ours | naive ÷ engine torch |",
        "|---|---|---|---|---|---|---|",
    ]
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        clock = time.process_time if device == "cpu" else synchronised_clock
        for n in sizes if device == "cpu" else [*sizes, 1_000_000]:
            x, y = (torch.tensor(cloud, dtype=torch.float32, device=device) for cloud in clouds(n))
            x.requires_grad_()
            rng = np.random.default_rng(0)
            actions = {"naive": naive_torch(x, y, N_DIRECTIONS)} | {
                engine: torch_loss(x, y, rng, engine) for engine in ("auto", "torch")
            }
            best = interleaved(actions, 4 * rounds if n <= 1e4 else 2, clock)
            times = " | ".join(f"{1e3 * one:.2f}" for one in best.values())
            ratios = " | ".join(f"{best['naive'] / best[engine]:.2f}" for engine in ("auto", "torch"))
            rows.append(f"| {device} | {n} | {times} | {ratios} |")
    return [*rows, ""]


def torch_loss(x: torch.Tensor, y: torch.Tensor, rng: np.random.Generator, engine: str) -> Action:
    """Value and gradient by our loss."""

    def run() -> None:
        x.grad = None
        loss = flows.sliced_wasserstein_loss(x, y, n_directions=N_DIRECTIONS, seed=rng, engine=engine)
        loss.backward()

    return run


def synchronised_clock() -> float:
    """Return the time when the card has done all that it was given."""
    torch.cuda.synchronize()
    return time.perf_counter()


def second_core(sizes: list[int], rounds: int) -> list[str]:
    """What the second core brings, by the clock."""
    rows = [
        "## The second core (clock time, one thread ÷ two)",
        "",
        "| n | ms, one | ms, two | ratio |",
        "|---|---|---|---|",
    ]
    for n in sizes:
        x, y = clouds(n)
        actions = {"one": ours(x, y, N_DIRECTIONS, 1), "two": ours(x, y, N_DIRECTIONS, 2)}
        best = interleaved(actions, 6 * rounds if n <= 1e4 else rounds, time.perf_counter)
        rows.append(f"| {n} | {1e3 * best['one']:.1f} | {1e3 * best['two']:.1f} | {best['one'] / best['two']:.2f} |")
    return [*rows, ""]


def accuracy(repeats: int) -> list[str]:
    """Error of every estimator ÷ Monte Carlo."""
    table = flows.compare_estimators(n=2048, n_directions=N_DIRECTIONS, repeats=repeats, threads=1)
    names = [str(name) for name in table.estimator.values]
    rows = [
        f"## RMSE of SW₂² ÷ Monte Carlo, L = {N_DIRECTIONS}, n = 2048, {repeats} draws (in brackets: at equal time)",
        "",
        f"| pair | Monte Carlo, relative | {' | '.join(names[1:])} |",
        "|---" * (len(names) + 1) + "|",
    ]
    for pair in table.pair.values:
        row = table.sel(pair=pair)
        cells = [
            f"{float(row.rmse_ratio.sel(estimator=k)):.2g} ({float(row.rmse_ratio_equal_time.sel(estimator=k)):.2g})"
            for k in names[1:]
        ]
        relative = float(row.relative_rmse.sel(estimator="monte-carlo"))
        rows.append(f"| {flows.PAIRS[str(pair)].label} | {100 * relative:.1f} % | {' | '.join(cells)} |")
    return [*rows, ""]


MEMORY = """
import sys
from pathlib import Path
import numpy as np
who, n, n_directions = sys.argv[1], int(float(sys.argv[2])), int(sys.argv[3])
sys.path.insert(0, sys.argv[4])
import flows as bench

def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024

x, y = bench.clouds(n)
make = {"ours": lambda x, y, l: bench.ours(x, y, l, 2), "naive": bench.naive_torch, "pot": bench.pot_torch}[who]
small_x, small_y = bench.clouds(1000)
make(small_x, small_y, 4)()
action = make(x, y, n_directions)
Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
before = status("VmRSS")
action()
print(status("VmHWM") - before)
"""


def peak(who: str, n: float, n_directions: int) -> float:
    """Return the growth of the resident memory in MiB over one call, in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-c", MEMORY, who, str(n), str(n_directions), str(HERE)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def memory(n: float) -> list[str]:
    """Peak memory of value and gradient against the number of directions."""
    rows = [
        f"## Peak memory of value and gradient at n = {n:.0e}, two threads (MiB beyond the clouds)".replace("e+0", "e"),
        "",
        "| L | workbench | naive torch | POT, torch |",
        "|---|---|---|---|",
    ]
    for n_directions in (8, 32, 128, 512):
        others = " | ".join(
            f"{peak(who, n, n_directions):.0f}" if n * n_directions <= 9e6 else "—" for who in ("naive", "pot")
        )
        rows.append(f"| {n_directions} | {peak('ours', n, n_directions):.0f} | {others} |")
    return [*rows, "", "— : left out, it would need gigabytes.", ""]


def heading() -> list[str]:
    """Return what was measured where."""
    names = ("numpy", "numba", "torch", "POT")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return [
        "# Flows: benchmark",
        "",
        f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, "
        f"Python {platform.python_version()}, {versions}.",
        "Made by `python benchmarks/flows.py --write`. Trust the ratios more than the times.",
        "",
    ]


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, under a minute")
    parser.add_argument("--write", action="store_true", help="store the tables in benchmarks/results/flows.md")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    sizes = [1_000, 10_000] if options.quick else [1_000, 10_000, 100_000, 1_000_000]
    lines = heading()
    lines += speed(sizes, rounds=2 if options.quick else 5)
    lines += torch_losses(sizes[:2] if options.quick else sizes[:3], rounds=2 if options.quick else 5)
    lines += second_core(sizes[1:3], rounds=5 if options.quick else 9)
    lines += accuracy(repeats=30 if options.quick else 200)
    lines += memory(1e5 if options.quick else 1e6)
    text = "\n".join(lines)
    print(text)
    if options.write:
        folder = HERE / "results"
        folder.mkdir(exist_ok=True)
        (folder / "flows.md").write_text(text)


if __name__ == "__main__":
    main()
