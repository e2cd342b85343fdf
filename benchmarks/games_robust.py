"""Decisions against the worst case, beside a general solver and beside published results: one core, one run.

    python benchmarks/games_robust.py [--quick] [--write] [--seeds 60] [--time-limit 10] [--instances FOLDER]
        [--keep FILE]

- The exact worst case of a plan: this package against cutting planes written with SciPy (``linprog`` and ``milp``, both
  HiGHS), best CPU time of the rounds, as a ratio; the values must agree.
- Random instances of every class and size, ``--seeds`` of each: what is closed, the gaps and the times.
- ``--instances``: a folder of the instances of A. N. Arslan and B. Detienne with their ``published.csv`` (time, best
  primal bound, solved within three hours or not); a fixed sample over all classes and sizes. A plan that is worth more
  than the published bound is evaluated once more by SciPy.
"""

import argparse
import csv
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from report import finish, heading
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from workbench.games import robust

KINDS = tuple(robust.CLASSES)
THREE_HOURS = 10_800.0
EVERY = 9  # of the published instances of a class and size, one in so many: 2 × 4 × 7 = 56 in all
NAME = re.compile(r"RKP_(?P<kind>[A-Z]+)_n(?P<n>\d+)_R1000_H100_h\d+_dev[\d.]+_d[\d.]+")


def second_stage(problem: robust.Knapsack, plan: np.ndarray, scenario: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the best recourse against a scenario by SciPy: its value, and whether each item is used and exposed."""
    n = problem.items
    lost = problem.loss * scenario
    cost = -np.r_[problem.outsourcing - lost, lost]
    rows = [LinearConstraint(np.r_[problem.weight, problem.repair][None], -np.inf, problem.capacity)]
    rows.append(LinearConstraint(np.hstack([-np.eye(n), np.eye(n)]), -np.inf, 0.0))
    found = milp(cost, integrality=np.ones(2 * n), bounds=Bounds(0, np.r_[plan, plan]), constraints=rows,
                 options={"mip_rel_gap": 0.0})  # fmt: skip
    chosen = np.rint(found.x).astype(int)
    return -found.fun, chosen


def by_scipy(problem: robust.Knapsack, plan: np.ndarray, tolerance: float = 1e-7) -> float:
    """Return the worst case of a plan by plain cutting planes: a linear and an integer programme a round."""
    n = problem.items
    fixed = float(((problem.profit - problem.outsourcing) * plan).sum())
    rows, sides = [np.r_[np.ones(n), 0.0]], [problem.budget]
    scenario, upper = np.zeros(n), np.inf
    while True:
        value, chosen = second_stage(problem, plan, scenario)
        upper = min(upper, value)
        used, repaired = chosen[:n], chosen[n:]
        rows.append(np.r_[-problem.loss * (used - repaired), -1.0])
        sides.append(-float((problem.outsourcing * used).sum()))
        done = linprog(np.r_[np.zeros(n), 1.0], A_ub=np.array(rows), b_ub=sides,
                       bounds=[(0, 1)] * n + [(None, None)])  # fmt: skip
        if upper - done.fun <= tolerance * max(1.0, abs(upper)):
            return fixed + upper
        scenario = done.x[:n]


def evaluations(quick: bool) -> list[str]:
    """Time the exact worst case of good plans."""
    lines = ["## The exact worst case of a plan", "", "| class | n | ms | SciPy, ms | ratio | difference |"]
    lines.append("|---|---|---|---|---|---|")
    for n in (12, 20, 40, 80):
        for kind in KINDS:
            problem = robust.knapsack(kind, n, h=40, share=0.15, seed=1)
            plan = robust.solve(problem, "price-and-branch", time_limit=1.0).plan
            ours, value = timed(lambda p=problem, x=plan: robust.worst_case(p, x).profit, 5)
            cells = ["—", "—", "—"]
            if n <= (12 if quick else 40):
                theirs, other = timed(lambda p=problem, x=plan: by_scipy(p, x), 1)
                cells = [f"{1e3 * theirs:,.0f}", f"{theirs / ours:,.0f}", f"{abs(other - value) / abs(value):.0e}"]
            lines.append(f"| {kind} | {n} | {1e3 * ours:.2f} | {' | '.join(cells)} |")
    return [*lines, ""]


def timed(run, rounds: int) -> tuple[float, object]:
    """Return the best CPU time and the result."""
    best, found = np.inf, None
    for _ in range(rounds):
        start = time.process_time()
        found = run()
        best = min(best, time.process_time() - start)
    return best, found


class Kept:
    """Runs that were finished, one line each in a file: a benchmark that was stopped goes on where it was."""

    def __init__(self, path: Path | None) -> None:
        self.path, self.runs = path, {}
        if path and path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                run = json.loads(line)
                self.runs[run["key"]] = run

    def __call__(self, key: str, run: Callable[[], dict[str, float]]) -> dict[str, float]:
        """Return what a run found, from the file if it is there."""
        if key not in self.runs:
            self.runs[key] = {"key": key, **run()}
            if self.path:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(self.runs[key]) + "\n")
        return self.runs[key]


def solved(problem: robust.Knapsack, limit: float) -> dict[str, float]:
    """Solve one instance; CPU seconds, both bounds, and what no branching leaves."""
    start = time.process_time()
    found = robust.solve(problem, time_limit=limit)
    seconds = time.process_time() - start
    root = min(robust.priced_bound(problem), robust.bound(problem).value)
    greedy = robust.solve(problem, "greedy", time_limit=limit).profit
    return {
        "profit": found.profit,
        "gap": 0.0 if found.optimal else found.gap,
        "root": root / found.profit - 1,
        "seconds": seconds,
        "behind": 1 - greedy / found.profit,
        "plan": "".join(map(str, found.plan.tolist())),
        "checked": robust.check(found.certificate),
    }


def generated(sizes: tuple[int, ...], seeds: int, limit: float, kept: Kept) -> list[str]:
    """Race over random instances: half with little capacity, spreads and budgets in turn."""
    lines = [
        f"## Random instances: {seeds} of each class and size, at most {limit:g} s each",
        "",
        "| class | n | closed | checked | median gap | largest gap | largest root gap | median s | largest s | "
        "greedy behind, median |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        for n in sizes:
            runs = []
            for seed in range(seeds):
                problem = robust.knapsack(
                    kind, n, h=(40, 80)[seed % 2], deviation=(0.1, 0.5, 1.0)[seed % 3],
                    share=(0.1, 0.15, 0.2)[seed // 3 % 3], seed=seed,
                )  # fmt: skip
                runs.append(kept(f"{kind} {n} {seed} {limit:g}", lambda p=problem: solved(p, limit)))
            gaps, roots, times, behind = ([run[name] for run in runs] for name in ("gap", "root", "seconds", "behind"))
            lines.append(
                f"| {kind} | {n} | {gaps.count(0.0)} of {seeds} | {sum(run['checked'] for run in runs)} | "
                f"{np.median(gaps):.3%} | {max(gaps):.3%} | {max(roots):.2%} | {np.median(times):.2f} | "
                f"{max(times):.1f} | {np.median(behind):.2%} |"
            )
            print(lines[-1], flush=True)
    return [*lines, ""]


def published(folder: Path, limit: float, every: int, kept: Kept) -> list[str]:
    """Compare with the published branch and price on a fixed sample of its instances."""
    with (folder / "published.csv").open(encoding="utf-8-sig", newline="") as file:
        told = {row["File name"]: row for row in csv.DictReader(file)}
    chosen: dict[tuple[str, int], list[str]] = {}
    for name in sorted(told):
        place = NAME.fullmatch(name)
        if place and (folder / name).is_file():
            chosen.setdefault((place["kind"], int(place["n"])), []).append(name)
    lines = [
        f"## Published instances, at most {limit:g} s each (theirs: three hours)",
        "",
        "| class | n | instances | closed | closed by them | profit against theirs, median | worst | best | "
        "median gap | largest root gap | median s | theirs, s |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    finds = []
    for k, ((kind, n), names) in enumerate(sorted(chosen.items())):
        better, theirs, runs, won = [], [], [], 0
        for name in names[4 * k % every :: every]:  # another spread and budget in each class and size
            problem, row = robust.read_instance((folder / name).read_text()), told[name]
            run = kept(f"{name} {limit:g}", lambda p=problem: solved(p, limit))
            best = float(row["Best primal bound"])
            runs.append(run)
            better.append(run["profit"] / best - 1)
            theirs.append(THREE_HOURS if row["Time"] == "TIME_LIMIT" else float(row["Time"]))
            won += row["Solved to optimality"].strip() == "1"
            if run["profit"] > best * (1 + 1e-5):
                plan = np.array([int(digit) for digit in run["plan"]])
                again = kept(f"{name} again {run['plan']}", lambda p=problem, x=plan: {"profit": by_scipy(p, x)})
                finds.append((name, best, run["profit"], again["profit"]))
        gaps, roots, times = ([run[key] for run in runs] for key in ("gap", "root", "seconds"))
        lines.append(
            f"| {kind} | {n} | {len(runs)} | {gaps.count(0.0)} | {won} | {np.median(better):+.3%} | "
            f"{min(better):+.3%} | {max(better):+.3%} | {np.median(gaps):.3%} | {max(roots):.2%} | "
            f"{np.median(times):.2f} | {np.median(theirs):,.0f} |"
        )
        print(lines[-1], flush=True)
    lines += ["", "Plans worth more than the published bound, evaluated again by SciPy:", ""]
    lines += [f"- {name}: {ours:.4f} (SciPy {again:.4f}) against {best}" for name, best, ours, again in finds]
    return [*lines, "" if finds else "none", ""]


def main() -> None:
    """Run everything, print the tables and store them on request."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes and few seeds only")
    parser.add_argument("--write", action="store_true", help="store the table in benchmarks/results")
    parser.add_argument("--seeds", type=int, default=60, help="random instances of each class and size")
    parser.add_argument("--time-limit", type=float, default=10.0, help="seconds for each instance")
    parser.add_argument("--instances", type=Path, help="a folder of published instances with their published.csv")
    parser.add_argument("--every", type=int, default=EVERY, help="of these, one in so many of a class and size")
    parser.add_argument("--only-instances", action="store_true", help="the published instances alone")
    parser.add_argument("--keep", type=Path, help="a file for finished runs: a stopped benchmark goes on from there")
    parser.add_argument("--sizes", type=int, nargs="+", default=[20, 40, 60, 80], help="items of the random instances")
    options = parser.parse_args()
    kept = Kept(options.keep)
    seeds = min(options.seeds, 3) if options.quick else options.seeds
    lines = heading("Robust decisions", "python benchmarks/games_robust.py", ("numpy", "scipy", "highspy", "numba"))
    if not options.only_instances:
        lines += evaluations(options.quick)
        lines += generated((20,) if options.quick else tuple(options.sizes), seeds, options.time_limit, kept)
    if options.instances:
        lines += published(options.instances, options.time_limit, options.every, kept)
    finish("games_robust", lines, write=options.write)


if __name__ == "__main__":
    main()
