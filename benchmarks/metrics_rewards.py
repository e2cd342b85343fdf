"""Worst-case regret and canonical rewards beside the tools at hand, in one run.

    python benchmarks/metrics_rewards.py [--quick] [--write]

- W against one linear program over two occupancies, solved by HiGHS (a dependency of SciPy), on sparse grids.
- Minimal in closed form against Adam on the same least-squares problem, which the paper's code runs (our own few lines
  of torch: the code is no package).
- The certificate: its size, and the time of its checker.
- VAL, EPIC and range for many states, with the peak of memory.

CPU seconds of one core, the best of the rounds. No package computes STARC distances or worst-case regret; nothing is
installed.
"""

import resource
import time

import numpy as np
import torch
from report import kept, options
from scipy import sparse
from scipy.optimize import linprog

from workbench import metrics
from workbench.metrics.rewards.reward import as_reward
from workbench.metrics.rewards.worlds import GridWorld, random_mdp

SIDES = (10, 20, 30, 50, 100)
LP_UP_TO = 30


def grid(side: int, seed: int = 0) -> tuple[GridWorld, list]:
    """Return a grid with walls on a tenth of its cells, slip 0.1, γ = 0.95, and two Gaussian rewards."""
    rng = np.random.default_rng(seed)
    tiles = np.where(rng.random((side, side)) < 0.1, "#", "F")
    tiles[0, 0], tiles[-1, -1] = "S", "G"
    world = metrics.grid_world(["".join(row) for row in tiles], slip=0.1, discount=0.95)
    first, other = rng.normal(size=(2, side, side))
    return world, [world.reward(first), world.reward(first + 0.5 * other)]


def timed(run, rounds: int) -> tuple[float, object]:
    """Return the best CPU time and the result."""
    best, found = np.inf, None
    for _ in range(rounds):
        start = time.process_time()
        found = run()
        best = min(best, time.process_time() - start)
    return best, found


def by_lp(mdp: metrics.MDP, r1: np.ndarray, r2: np.ndarray) -> float:
    """Return W · ρ(R₁) by HiGHS."""
    rows = mdp.states * mdp.actions
    own = sparse.csr_array((np.ones(rows), (np.arange(rows) // mdp.actions, np.arange(rows))), shape=(mdp.states, rows))
    flow = own - mdp.discount * mdp.table.T
    found = linprog(
        np.concatenate([-r1.ravel(), r1.ravel()]),
        A_ub=np.concatenate([r2.ravel(), -r2.ravel()])[None],
        b_ub=[0.0],
        A_eq=sparse.block_diag([flow, flow]),
        b_eq=np.concatenate([mdp.start, mdp.start]),
        method="highs",
    )
    return -found.fun


def minimal_by_adam(mdp: metrics.MDP, reward: np.ndarray, steps: int) -> float:
    """Return the norm that Adam reaches over potentials and redistributions, from zero."""
    move = torch.tensor(mdp.dense())
    given = torch.tensor(reward)
    phi = torch.zeros(mdp.states, dtype=torch.float64, requires_grad=True)
    free = torch.zeros(given.shape, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([phi, free], lr=1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        hidden = free - (move * free).sum(-1, keepdim=True)
        size = ((given + mdp.discount * phi - phi[:, None, None] + hidden) ** 2).sum()
        size.backward()
        optimiser.step()
    return float(size.detach() ** 0.5)


def tables(quick: bool) -> None:
    """Print four tables."""
    torch.set_num_threads(1)
    rounds = 1 if quick else 3
    sides = SIDES[:2] if quick else SIDES
    small, rewards = grid(4)
    metrics.worst_case_regret(small.mdp, *rewards)  # compiles
    print("## Worst-case regret on a grid, four moves, slip 0.1, γ = 0.95\n")
    heads = "states | W | upper − lower | evaluations | ours, s | HiGHS, s | HiGHS ÷ ours | difference"
    print(f"| {heads} | certificate, MB | proved width | checker, s |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for side in sides:
        world, (first, second) = grid(side)
        mdp = world.mdp
        ours, found = timed(
            lambda m=mdp, a=first, b=second: metrics.worst_case_regret(m, a, b), rounds if side < 50 else 1
        )
        cells = ["—", "—", "—"]
        if side <= LP_UP_TO:
            lp, gap = timed(lambda m=mdp, r=found.rewards: by_lp(m, *r), 1)
            cells = [f"{lp:.2f}", f"{lp / ours:.1f}", f"{abs(gap / found.ends[0].range - found.value):.0e}"]
        text = found.certificate()
        check, report = timed(lambda t=text: metrics.check_regret(t), 1)
        assert report.valid, report.message
        width, proved = found.upper - found.lower, report.upper - report.lower
        row = [f"{mdp.states:,}", f"{found.value:.10f}", f"{width:.0e}", str(found.evaluations), f"{ours:.3f}", *cells]
        row += [f"{len(text) / 1e6:.2f}", f"{proved:.0e}", f"{check:.2f}"]
        print(f"| {' | '.join(row)} |")
    rng = np.random.default_rng(0)
    mdp = random_mdp(32, 4, seed=rng)
    reward = rng.normal(size=(32, 4, 32))
    ours, form = timed(lambda: metrics.canonical(mdp, reward, "minimal"), 5)
    steps = 300 if quick else 3000
    adam, size = timed(lambda: minimal_by_adam(mdp, reward, steps), 1)
    print(f"\nMinimal form of 32 states, 4 actions: {1e3 * ours:.2f} ms, norm {form.norm():.12f}; Adam, {steps} steps: "
          f"{adam:.1f} s ({adam / ours:,.0f} ×), norm {size:.12f}")  # fmt: skip
    world, pair = grid(30 if quick else 100)
    print(f"\n## Distances of {world.mdp.states:,} states\n\n| distance | s | value |\n|---|---|---|")
    for entry in metrics.REWARD_DISTANCES.values():
        seconds, value = timed(lambda e=entry: e(world.mdp, *(as_reward("r", r, world.mdp) for r in pair)), 1)
        print(f"| {entry.label} | {seconds:.2f} | {value:.6f} |")
    print(f"\nPeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def main() -> None:
    """Run the benchmark."""
    given = options(__doc__)
    with kept("metrics_rewards", "Rewards", ("numpy", "numba", "scipy", "torch"), write=given.write):
        tables(given.quick)


if __name__ == "__main__":
    main()
