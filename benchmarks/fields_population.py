"""Populations beside what a user would otherwise write: `python benchmarks/fields_population.py [--quick]`.

Training steps of a field with and without an embedding against a plain torch loop (the same layers, batches and
clouds, torch's own differentiation and Adam), and the interval over populations that one's own table is answered with.
Ratios are of the fastest of several runs on one thread, alternating.
"""

import argparse
import itertools
import time
from collections.abc import Callable, Sequence

import numpy as np

from workbench.fields import Population, example_population_table, own_population_report, populations, train_populations
from workbench.fields.population.network import INNER, NUMBERS
from workbench.fields.population.training import TOGETHER

BATCH, WIDTH = 128, 128


def fastest(works: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Return the seconds of the fastest run of each, in turn, after one of each that does not count."""
    best = [np.inf] * len(works)
    for k in range(repeats + 1):
        for i, work in enumerate(works):
            begun = time.perf_counter()
            work()
            if k:
                best[i] = min(best[i], time.perf_counter() - begun)
    return best


def torch_training(those: Sequence[Population], embedding: str, steps: int) -> None:
    """Train the same layers on the same sort of batches, as one writes it first."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    told = NUMBERS if embedding == "deep-sets" else 0
    sides = [3 + told, WIDTH, WIDTH, WIDTH]
    outer = nn.Sequential(*(m for a, b in itertools.pairwise(sides) for m in (nn.Linear(a, b), nn.SiLU())))
    outer.append(nn.Linear(WIDTH, 2))
    inner = nn.Sequential(nn.Linear(2, INNER), nn.SiLU(), nn.Linear(INNER, INNER), nn.SiLU(), nn.Linear(INNER, NUMBERS))
    parameters = [*outer.parameters(), *(inner.parameters() if told else ())]
    adam = torch.optim.Adam(parameters, lr=1e-3)
    sources = [torch.from_numpy(one.source).float() for one in those]
    targets = [torch.from_numpy(one.target).float() for one in those]
    rng = np.random.default_rng(0)
    for _ in range(steps):
        chosen = rng.choice(len(those), TOGETHER, replace=False)
        rows = [torch.from_numpy(rng.integers(len(sources[i]), size=BATCH)) for i in chosen]
        x0 = torch.cat([sources[i][row] for i, row in zip(chosen, rows, strict=True)])
        x1 = torch.cat([targets[i][row] for i, row in zip(chosen, rows, strict=True)])
        t = torch.rand(len(x0), 1)
        entering = [x0 + t * (x1 - x0), t]
        if told:
            phi = torch.stack([inner(sources[i]).mean(0) for i in chosen])
            entering.append(phi.repeat_interleave(BATCH, dim=0))
        loss = ((outer(torch.cat(entering, dim=1)) - (x1 - x0)) ** 2).sum(1).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()


def training(quick: bool) -> list[str]:
    """Return the rows of the table on training steps."""
    those, steps = populations("letters", 24, 300), 10 if quick else 100
    rows = []
    for embedding in ("none", "deep-sets"):
        own, theirs = fastest(
            [
                lambda e=embedding: train_populations(those, e, steps, width=WIDTH, batch=BATCH),
                lambda e=embedding: torch_training(those, e, steps),
            ],
            2 if quick else 5,
        )
        rows.append(f"| {embedding} | {1e3 * own / steps:.2f} | {steps / own:.0f} | {theirs / own:.2f} |")
    (graph,) = fastest([lambda: train_populations(those, "graph", steps, width=WIDTH, batch=BATCH)], 2)
    rows.append(f"| graph of neighbours | {1e3 * graph / steps:.2f} | {steps / graph:.0f} | |")
    return [
        f"| embedding, {TOGETHER} letters of 300 points, {BATCH} pairs each | ms a step | steps a s | torch ÷ ours |",
        "|---|---|---|---|",
        *rows,
    ]


def own_table(quick: bool) -> list[str]:
    """Return how long an answer for one's own table takes, and what it says of the example."""
    table, steps = example_population_table(), 20 if quick else 1000
    begun = time.perf_counter()
    ds = own_population_report(table.features, table.population, table.time, steps=steps)
    seconds = time.perf_counter() - begun
    return [
        "| own table: populations, steps | s | W₂ saved by being told | nearer on |",
        "|---|---|---|---|",
        f"| {ds.sizes['population']}, {steps:,} | {seconds:.1f} | {float(ds.mean_gain_distance):.2f} ± "
        f"{float(ds.reach_distance):.2f} | {int(ds.wins)} |",
    ]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    given = parser.parse_args()
    print("\n\n".join("\n".join(table) for table in (training(given.quick), own_table(given.quick))))


if __name__ == "__main__":
    main()
