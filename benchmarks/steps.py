"""Benchmarks of the steps room: ``python benchmarks/steps.py [--quick] [--write]``.

Five tables: the exact radius beside companion-matrix eigenvalues, M-FAC's push and solve, what a guarded step costs,
the spike laboratory over seeds, and how well every predictor forecasts the onset of damage. All ratios are measured in
one run, interleaved, in CPU time; speed is asserted nowhere.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import torch

import workbench
from workbench import steps
from workbench.steps.optimisers.mfac import InverseFisher
from workbench.steps.threads import one_thread
from workbench.steps.training import batches

TARGET = Path(__file__).resolve().parent / "results" / "steps.md"
GUARDS = {
    "exact": {},
    "difference": {"jvp": "finite-difference"},
    "difference, every 2": {"jvp": "finite-difference", "every": 2},
    "exact, every 5": {"every": 5},
}
CASES = {"mlp-layernorm": 256, "cnn-batchnorm": 256, "transformer": 256}


def main() -> None:
    """Run all tables and print them as markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller samples, under a minute")
    parser.add_argument("--write", action="store_true", help=f"store the tables in {TARGET.name}")
    options = parser.parse_args()
    torch.set_num_threads(1)
    parts = [header(options.quick)]
    for table in (exact_table, mfac_table, guard_table, spike_tables, onset_table):
        parts.append(table(options.quick))
        print(parts[-1], flush=True)
    if options.write:
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text("\n".join(parts))


def header(quick: bool) -> str:
    """Return where and with what the numbers were made."""
    return "\n".join(
        [
            "# Steps room",
            "",
            f"`python benchmarks/steps.py{' --quick' if quick else ''}`, {date.today().isoformat()}, "
            f"{os.cpu_count()} shared cores ({platform.machine()}), one thread, CPU time; workbench "
            f"{workbench.__version__}, numpy {np.__version__}, torch {torch.__version__}.",
            "",
        ]
    )


def markdown(title: str, columns: list[str], rows: list[list[str]], note: str = "") -> str:
    """Return a titled markdown table."""
    lines = [f"## {title}", "", "| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([*lines, "", *([note, ""] if note else [])])


def cpu_time(function: Callable[[], object]) -> float:
    """Return the CPU seconds of one call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def exact_table(quick: bool) -> str:
    """Time the exact radius beside the only general alternative: roots of a polynomial.

    Slopes on a grid, a_k = s·n_k with whole n_k, turn F into a polynomial in e^{sτ}, whose roots the companion matrix
    gives; it is cubic in the degree and needs such slopes. The sample below has n_k = 0 … K − 1.
    """
    rng = np.random.default_rng(0)
    cases = ((10, 2000), (100, 200), (1000, 20))
    rows = [_exact_row(rng, classes, max(4, batch // (10 if quick else 1))) for classes, batch in cases]
    columns = ["K", "µs, random slopes", "µs, grid slopes", "µs, companion matrix", "ratio", "certified", "difference"]
    note = "The companion matrix takes slopes on a regular grid only; the ratio compares the two on the same samples."
    return markdown("Exact radius of one sample", columns, rows, note)


def _exact_row(rng: np.random.Generator, classes: int, batch: int) -> list[str]:
    logits, slopes = 2 * rng.normal(size=(batch, classes)), rng.normal(size=(batch, classes))
    grid = np.tile(np.arange(float(classes)), (batch, 1))
    few = logits[: max(1, min(batch, 2000 // classes))]
    certified = steps.exact_radius(logits, slopes).certified.mean()
    random = min(cpu_time(lambda: steps.exact_radius(logits, slopes)) for _ in range(3)) / batch
    regular = min(cpu_time(lambda: steps.exact_radius(logits, grid)) for _ in range(3)) / batch
    companion = cpu_time(lambda: [np.roots(np.exp(row[::-1])) for row in few]) / len(few)
    exact = steps.exact_radius(few, grid[: len(few)]).radius
    roots = [np.abs(np.log(np.roots(np.exp(row[::-1])).astype(complex))).min() for row in few]
    return [
        str(classes),
        f"{random * 1e6:.0f}",
        f"{regular * 1e6:.0f}",
        f"{companion * 1e6:.0f}",
        f"{companion / regular:.1f}",
        f"{100 * certified:.1f} %",
        f"{np.max(np.abs(np.array(roots) / exact - 1)):.0e}",
    ]


def mfac_table(quick: bool) -> str:
    """Time M-FAC's push and solve beside the same products by torch alone, interleaved; the window is full.

    Gradients have length one, as after clipping. Where they are so long that S is ill-conditioned in single precision,
    the optimiser leaves it by itself, and takes about three times as long.
    """
    rows = []
    for size, window in ((10**5, 32), (10**6, 32)):
        generator = torch.Generator().manual_seed(0)
        gradients = [torch.randn(size, generator=generator) / size**0.5 for _ in range(4)]
        fisher = InverseFisher(size, window, 1e-3)
        for _ in range(window):
            fisher.push(torch.randn(size, generator=generator) / size**0.5)
        stored = torch.randn(window, size, generator=generator)
        times: dict[str, list[float]] = {"ours": [], "products": []}
        for n in range(5 if quick else 15):
            g = gradients[n % 4]
            times["ours"].append(cpu_time(partial(fisher.push_and_solve, g)))
            times["products"].append(cpu_time(partial(_two_products, stored, g)))
        ours, products = (min(times[name]) for name in ("ours", "products"))
        kind = "single" if fisher.single else "double"
        rows.append([f"{size:.0e}", str(window), kind, f"{1e3 * ours:.1f}", f"{ours / products:.1f}"])
    note = "Products: the window times a vector and its transpose times the result, which no method can leave out."
    return markdown("M-FAC, push and solve", ["d", "m", "precision", "ms", "÷ two products"], rows, note)


def _two_products(rows: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    return (rows @ vector) @ rows


def guard_table(quick: bool) -> str:
    """Time a training step bare and guarded, interleaved; all relative to one gradient."""
    rows = []
    data = steps.digits()
    for network, size in CASES.items():
        x, y = next(batches(data, 1, 0, size))
        runs = {name: _stepper(network, x, y, name) for name in ("gradient", "bare", *GUARDS)}
        samples: dict[str, list[float]] = {name: [] for name in runs}
        with one_thread():
            for n in range(15 if quick else 65):
                for name, run in runs.items():
                    seconds = cpu_time(run)
                    if n >= 5:  # the first rounds warm up; a multiple of 5 is left, so that each interval counts fully
                        samples[name].append(seconds)
        means = {name: statistics.fmean(s) for name, s in samples.items()}
        gradient = means["gradient"]
        rows.append(
            [
                network,
                f"{gradient * 1e3:.2f}",
                *(f"{means[name] / gradient:.2f}" for name in ("bare", *GUARDS)),
                f"{(means['exact'] - means['bare']) / gradient:.2f}",
                f"{(means['difference'] - means['bare']) / gradient:.2f}",
            ]
        )
    columns = [
        "network, batch 256",
        "gradient, ms",
        "bare AdamW step",
        "guarded, exact JVP",
        "guarded, differences",
        "differences, every 2nd",
        "exact JVP, every 5th",
        "guard alone, exact",
        "guard alone, differences",
    ]
    note = (
        "Columns after the second are multiples of one gradient (forward and backward). A measurement is two forward "
        "passes by differences, and one forward pass on dual numbers by an exact JVP."
    )
    return markdown("Cost of a guarded step", columns, rows, note)


def _stepper(network: str, x: torch.Tensor, y: torch.Tensor, kind: str) -> Callable[[], object]:
    model = steps.build(network).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def gradient() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()

    if kind == "gradient":
        return gradient
    if kind == "bare":
        return lambda: (gradient(), optimizer.step())
    guard = steps.SafeStep(optimizer, model, **GUARDS[kind])
    return lambda: (gradient(), guard.step(x))


def spike_tables(quick: bool) -> str:
    """Run the laboratory: one wrong step, and a wrong learning rate for good."""
    seeds = (0, 1) if quick else (0, 1, 2, 3, 4)
    networks = ("mlp-relu",) if quick else ("mlp-relu", "mlp-layernorm", "cnn-batchnorm")
    parts = []
    for persistent, multipliers in ((False, (10.0, 100.0, 1000.0, 10_000.0)), (True, (100.0, 1000.0))):
        ds = steps.spike_table(
            networks,
            multipliers=multipliers[-2:] if quick else multipliers,
            persistent=persistent,
            learning_rate=1e-2,
            seeds=seeds,
            steps=110,
            at=60,
        )
        rows = []
        for network in ds.network.values:
            for multiplier in ds.multiplier.values:
                one = ds.sel(network=network, multiplier=multiplier)
                cells = []
                for rule in ds.rule.values:
                    final, worst = one.accuracy.sel(rule=rule).values, one.worst.sel(rule=rule).values
                    cells.append(
                        f"{np.median(final):.3f} ({final.min():.3f}–{final.max():.3f}); {np.median(worst):.3f}"
                    )
                rows.append([str(network), f"{multiplier:g}", *cells])
        title = "learning rate wrong for good" if persistent else "one wrong step"
        note = (
            f"Test accuracy 50 steps after the spike: median (range) over {len(seeds)} seeds; then the median of the "
            "lowest accuracy on the way. Adam, learning rate 1e-2, spike at step 60 of 110."
        )
        parts.append(markdown(f"Spike laboratory: {title}", ["network", "×", *ds.rule.values], rows, note))
    return "\n".join(parts)


def onset_table(quick: bool) -> str:
    """Measure how constant measured/predicted is for every predictor."""
    ds = steps.prediction_spread(
        networks=("linear", "mlp-relu") if quick else tuple(steps.NETWORKS),
        stages=("converged",) if quick else ("middle", "converged"),
        samples=64 if quick else 128,
    )
    rows = []
    for predictor in ds.predictor.values:
        cells = [str(steps.PREDICTORS[str(predictor)].label)]
        for damage in ds.damage.values:
            one = ds.sel(predictor=predictor, damage=damage)
            cells.append(f"{float(one.spread):.3f}" if np.isfinite(one.spread) else "–")
            cells.append(f"{float(one.bias):.2f}" if np.isfinite(one.bias) else "–")
            cells.append(str(int(one.cases)))
        rows.append([*cells, str(steps.PREDICTORS[str(predictor)].cost)])
    columns = ["predictor"]
    for damage in ("loss × 2", "accuracy − 5 points"):
        columns += [f"{damage}: log10 sd", "median measured/predicted", "cases"]
    note = f"{ds.sizes['case']} cases: networks × stages × directions (−gradient, +gradient, sign, random), digits."
    return markdown("Forecasting the onset of damage", [*columns, "cost"], rows, note)


if __name__ == "__main__":
    main()
