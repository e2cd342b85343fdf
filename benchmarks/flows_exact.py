"""Exact and entropic transport next to POT, SciPy, OTT-JAX, regot and geomloss: time, memory, what is proved.

    python benchmarks/flows_exact.py [--quick] [--no-install] [--write]

Times are CPU seconds of one thread, each the best of interleaved rounds; trust the ratios. OTT-JAX, regot and geomloss
are installed into an environment of their own (see rivals.py) and run there on the same costs and clouds; what does not
install or stops is said, ``--no-install`` leaves them out. Whole, it takes some five minutes.
"""

import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import ot
import rivals
from report import best_of, finish, heading, options
from scipy.optimize import linear_sum_assignment

from workbench import flows
from workbench.progress import Progress
from workbench.transport.assignment import solve_exact
from workbench.transport.exact import dense_wasserstein
from workbench.transport.measures import prepare_pair
from workbench.transport.solution import of_clouds

HERE = Path(__file__).resolve().parent
PACKAGES = ("regot==0.0.3", "geomloss==0.3.1", "ott-jax==0.6.0")
ETA, N = 1200.0, 500
Action = Callable[[], float]


def clouds(n: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a torus and a cube, or two Gaussian clouds in another dimension."""
    if dim == 3:
        return flows.cloud("torus", n, 0), flows.cloud("cube", n, 1)
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, dim)), rng.normal(size=(n, dim)) + 0.3


def pot_exact(x: np.ndarray, y: np.ndarray) -> float:
    """POT's dense network simplex, cost matrix included."""
    return float(ot.emd2(np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y)), ot.dist(x, y), numItermax=10**8))


def scipy_exact(x: np.ndarray, y: np.ndarray) -> float:
    """SciPy's assignment solver, cost matrix included."""
    cost = ot.dist(x, y)
    return float(cost[linear_sum_assignment(cost)].mean())


def timed(actions: dict[str, Action], rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return the best CPU time of each action over rounds in which they take turns, and the values."""
    return best_of(rounds, actions, time.process_time)


def exact(cases: list[tuple[int, int]], rounds: int) -> list[str]:
    """Exact transport, equal weights."""
    rows = [
        "## Exact W₂², equal weights: CPU seconds",
        "",
        "| n | d | workbench | POT emd2 | SciPy assignment | POT ÷ ours | SciPy ÷ ours | proved gap | POT − ours |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    flows.exact_transport(*clouds(50, 3))
    for n, dim in cases:
        x, y = clouds(n, dim)
        actions = {
            "ours": lambda x=x, y=y: flows.exact_transport(x, y).value,
            "pot": lambda x=x, y=y: pot_exact(x, y),
            "scipy": lambda x=x, y=y: scipy_exact(x, y),
        }
        best, values = timed(actions, rounds if n < 5000 else 1)
        gap = flows.exact_transport(x, y).relative_gap
        times = " | ".join(f"{best[name]:.3g}" for name in actions)
        ratios = " | ".join(f"{best[name] / best['ours']:.2g}" for name in ("pot", "scipy"))
        rows.append(f"| {n} | {dim} | {times} | {ratios} | {gap:.0e} | {values['pot'] - values['ours']:.0e} |")
    return [*rows, ""]


def crossing(rounds: int, seconds: float) -> list[str]:
    """The size from which the sparse solver is the faster of the two that ``flows.wasserstein`` chooses from."""
    sizes = [round(100 * 2 ** (k / 2)) for k in range(14)]
    rows = [
        "## POT's dense solver ÷ ours, inside flows.wasserstein (above 1: ours is faster)",
        "",
        f"| d | {' | '.join(map(str, sizes))} |",
        "|---" * (1 + len(sizes)) + "|",
    ]
    for dim in (1, 2, 3, 8, 20):
        cells = []
        for n in sizes:
            a, b = prepare_pair(*clouds(n, dim), dtype=np.float64)
            actions = {
                "ours": lambda a=a, b=b: solve_exact(of_clouds(a, b), Progress()).value,
                "dense": lambda a=a, b=b: dense_wasserstein(a, b),
            }
            best, _ = timed(actions, rounds if n < 1000 else 1)
            cells.append(f"{best['dense'] / best['ours']:.2g}")
            if sum(best.values()) > seconds:
                break
        rows.append(f"| {dim} | {' | '.join(cells + ['—'] * (len(sizes) - len(cells)))} |")
    return [*rows, ""]


MEMORY = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
import flows_exact as bench

def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024

make = {"ours": lambda x, y: bench.flows.exact_transport(x, y).value, "pot": bench.pot_exact}[sys.argv[1]]
make(*bench.clouds(800, 3))
x, y = bench.clouds(int(sys.argv[2]), 3)
Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
make(x, y)
print(status("VmHWM") - before)
"""


def peak(who: str, n: int) -> float:
    """Return the growth of the resident memory in MiB over one call, in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-c", MEMORY, who, str(n), str(HERE)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def memory(sizes: list[int], largest_pot: int) -> list[str]:
    """Peak memory beyond the clouds."""
    rows = ["## Peak memory beyond the clouds (MiB)", "", "| n | workbench | POT emd2 |", "|---|---|---|"]
    for n in sizes:
        pot = f"{peak('pot', n):.0f}" if n <= largest_pot else "—"
        rows.append(f"| {n} | {peak('ours', n):.0f} | {pot} |")
    return [*rows, ""]


def entropic(rounds: int) -> list[str]:
    """Entropic plans of one random assignment problem."""
    cost = np.random.default_rng(0).random((N, N))
    a = np.full(N, 1 / N)
    rows = [
        f"## Entropic plan, C uniform, n = {N}, η = {ETA:g}",
        "",
        "| solver | CPU s | ÷ Newton | L1 error of the marginals | ⟨C, P⟩ |",
        "|---|---|---|---|---|",
    ]
    plans: dict[str, np.ndarray] = {}

    def ours(name: str, **options: object) -> Action:
        def run() -> float:
            found = flows.entropic_plan(cost=cost, eta=ETA, bounds=False, **options)
            plans[name] = found.plan.toarray()
            return found.value

        return run

    def pot(name: str, method: str, limit: int) -> Action:
        def run() -> float:
            plans[name] = ot.sinkhorn(a, a, cost, 1 / ETA, method=method, numItermax=limit, stopThr=1e-13, warn=False)
            return float((plans[name] * cost).sum())

        return run

    actions = {
        "workbench, Newton": ours("workbench, Newton", method="newton"),
        "workbench, SNS λ = 2/n": ours("workbench, SNS λ = 2/n", method="sns"),
        "workbench, SNS λ = 10/n": ours("workbench, SNS λ = 10/n", method="sns", density=10 / N),
        "workbench, Sinkhorn, 5000 steps": ours("workbench, Sinkhorn, 5000 steps", method="sinkhorn", steps=5000),
        "POT sinkhorn_log, 500 steps": pot("POT sinkhorn_log, 500 steps", "sinkhorn_log", 500),
        "POT sinkhorn_stabilized, 5000 steps": pot("POT sinkhorn_stabilized, 5000 steps", "sinkhorn_stabilized", 5000),
    }
    best, values = timed(actions, rounds)
    for name in actions:
        error = float(np.abs(plans[name].sum(0) - a).sum() + np.abs(plans[name].sum(1) - a).sum())
        ratio = best[name] / best["workbench, Newton"]
        rows.append(f"| {name} | {best[name]:.3g} | {ratio:.2g} | {error:.0e} | {values[name]:.8f} |")
    return [*rows, ""]


THEIRS = """
import json, sys, time
import numpy as np
n, eta = int(sys.argv[1]), float(sys.argv[2])
cost = np.random.default_rng(0).random((n, n))
a = np.full(n, 1 / n)
clouds = np.load(sys.argv[3])
rows = {"entropic": [], "divergence": []}

def row(table, name, run, rounds=3):
    try:
        best, answer = np.inf, None
        run()  # compiled
        for _ in range(rounds):
            started = time.process_time()
            answer = run()
            best = min(best, time.process_time() - started)
        if table == "entropic":
            plan = np.asarray(answer, dtype=float)
            error = float(np.abs(plan.sum(0) - a).sum() + np.abs(plan.sum(1) - a).sum())
            rows[table].append([name, best, error, float((plan * cost).sum())])
        else:
            rows[table].append([name, best, None, float(answer)])
    except Exception as error:
        rows[table].append([name, None, None, f"{type(error).__name__}: {error}"[:80]])

def regot():
    import regot
    for name in ("sinkhorn_ssns", "sinkhorn_splr", "sinkhorn_sparse_newton"):
        solver, limit = getattr(regot, name, None), 100 if "sparse" in name else 500
        if solver is not None:
            run = lambda: solver(cost, a, a, 1 / eta, tol=1e-12, max_iter=limit).plan
            row("entropic", f"regot {name}, at most {limit} steps", run, 1)

def ott():
    import jax
    jax.config.update("jax_enable_x64", True)
    from ott.geometry import geometry, pointcloud
    from ott.problems.linear import linear_problem
    from ott.solvers.linear import sinkhorn
    for steps in (500, 5000):
        geom = geometry.Geometry(cost_matrix=jax.numpy.asarray(cost), epsilon=1 / eta)
        solver = jax.jit(sinkhorn.Sinkhorn(threshold=1e-12, max_iterations=steps))
        problem = linear_problem.LinearProblem(geom)
        row("entropic", f"OTT-JAX Sinkhorn, {steps} steps", lambda: solver(problem).matrix.block_until_ready(), 1)

def geomloss():
    import torch
    from geomloss import SamplesLoss
    torch.set_num_threads(1)
    x, y = (torch.tensor(clouds[key]) for key in ("x", "y"))
    for scaling in (0.5, 0.9, 0.99):
        loss = SamplesLoss("sinkhorn", p=2, blur=float(clouds["blur"]), scaling=scaling, debias=False,
                           backend="tensorized")
        row("divergence", f"geomloss, scaling {scaling}", lambda: 2 * float(loss(x, y)))

for load in (regot, ott, geomloss):
    try:
        load()
    except Exception as error:
        rows["entropic"].append([load.__name__, None, None, f"{type(error).__name__}: {error}"[:120]])
print(json.dumps(rows))
"""


def others(n: int) -> list[str]:
    """Solvers that are not among our dependencies, in an environment of their own, on the same problems."""
    x, y = clouds(n, 3)
    mean = float(ot.dist(x, y).mean())
    ours, value = timed({"ours": lambda: entropic_value(x, y, 0.01)}, 2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clouds.npz"
        np.savez(path, x=x, y=y, blur=np.sqrt(0.01 * mean / 2))
        try:
            python, told = rivals.environment("transport", PACKAGES)
            found = rivals.asked(python, THEIRS, N, ETA, path)
        except (OSError, RuntimeError) as error:
            return ["## Rivals in an environment of their own", "", f"They could not be asked: {error}.", ""]
    rows = ["## Rivals in an environment of their own", "", f"{'; '.join(told)}.", ""]
    rows += ["| solver, C uniform | CPU s | L1 error of the marginals | ⟨C, P⟩ |", "|---|---|---|---|"]
    for name, seconds, error, cost in found["entropic"]:
        shown = (f"{seconds:.3g}", f"{error:.0e}", f"{cost:.8f}") if seconds is not None else ("—", "—", cost)
        rows.append(f"| {name} | {' | '.join(shown)} |")
    rows += [
        "",
        f"Torus → cube, n = {n}, ε = 1 % of the mean cost: min ⟨C, P⟩ + ε KL(P | a ⊗ b), bias and all.",
        "",
        "| solver | CPU s | value | off by |",
        "|---|---|---|---|",
        f"| workbench, Newton | {ours['ours']:.3g} | {value['ours']:.8f} | |",
    ]
    for name, seconds, _, cost in found["divergence"]:
        shown = (f"{seconds:.3g}", f"{cost:.8f}", f"{cost / value['ours'] - 1:.1e}") if seconds else ("—", cost, "")
        rows.append(f"| {name} | {' | '.join(shown)} |")
    return [*rows, ""]


def entropic_value(x: np.ndarray, y: np.ndarray, share: float) -> float:
    """Return ⟨C, P⟩ + ε KL(P | a ⊗ b) at the optimum, which is what geomloss returns."""
    found = flows.entropic_plan(x, y, epsilon=share, bounds=False)
    plan = found.plan.toarray()
    inside = plan > 0
    entropy = float((plan[inside] * np.log(plan[inside] * len(x) * len(y))).sum())
    return found.value + entropy / found.stats["eta"]


def main() -> None:
    """Run the benchmark and print its tables."""
    given = options(__doc__, rivals="OTT-JAX, regot and geomloss")
    warnings.simplefilter("ignore")
    cases = [(500, 3), (1000, 3), (2000, 3)]
    if not given.quick:
        cases += [(4000, 3), (10_000, 3), (2000, 2), (2000, 10), (2000, 50)]
    command = "python benchmarks/flows_exact.py --write"
    lines = heading("Exact and entropic transport", command, ("numpy", "numba", "scipy", "POT"))
    lines += exact(cases, rounds=2 if given.quick else 3)
    lines += crossing(rounds=2 if given.quick else 3, seconds=0.2 if given.quick else 2.0)
    lines += memory([2000] if given.quick else [2000, 10_000, 50_000], largest_pot=10_000)
    lines += entropic(rounds=1 if given.quick else 2)
    if not given.no_install:
        lines += others(500 if given.quick else 1000)
    finish("flows_exact", lines, write=given.write)


if __name__ == "__main__":
    main()
