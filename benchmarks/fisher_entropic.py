"""Density fields beside what a user would otherwise run, in one process: time as ratios, and how far values are off.

    python benchmarks/fisher_entropic.py [--quick] [--no-install] [--write]

The best of interleaved rounds: noise only ever adds. No public code computes entropic curvature, so the rivals are
those of its parts: eigenvalues for the classes (batched ``eigvalsh``), central differences for the Hessian, exact
transport of samples (POT) for periodic transport. The tidal web of cosmic-web-classifier is another tensor at the same
work; it is installed into an environment of the benchmark's own and timed there. ``--no-install`` leaves it out.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import ot
from report import Told, heading
from rivals import asked, environment

from workbench import fisher
from workbench.fisher.entropic.fields import displaced_density
from workbench.fisher.entropic.grid import Grid
from workbench.fisher.entropic.symmetric import matrices

say = Told()
TIDAL = """
import json, sys, time
import numpy as np
from pyhipp.field.cubic_box import Field, Mesh, TidalClassifier, TidalField
values, rounds = np.load(sys.argv[1]), int(sys.argv[2])
mesh, best = Mesh.new(len(values), 1.0), np.inf
for _ in range(rounds):
    start = time.perf_counter()
    found = TidalField(r_sm=0.03).run(Field.new_by_data(values, mesh))
    TidalClassifier(found.lam, mesh, lam_th=0.0)
    best = min(best, time.perf_counter() - start)
print(json.dumps(best))
"""


def best_of(rounds: int, runs: Mapping[str, Callable[[], object]]) -> tuple[dict[str, float], dict[str, object]]:
    """Return the shortest time of each run over interleaved rounds, and what it returned."""
    seconds, found = dict.fromkeys(runs, np.inf), {}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            found[name] = run()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds, found


def classes(quick: bool) -> None:
    """Print counting signs beside eigenvalues."""
    say(
        "## Classes of the web\n\n| cells | signs, s | eigvalsh, s | ratio | classes that differ "
        "|\n|---|---|---|---|---|"
    )
    for side in (48,) if quick else (64, 96):
        rho = fisher.field(shape=(side,) * 3, smoothing=0.04).density.values
        parts = fisher.curvature_field(rho).curvature.values
        full = matrices(parts)
        seconds, found = best_of(
            2 if quick else 3,
            {
                "signs": lambda parts=parts: fisher.web(parts),
                "eigenvalues": lambda full=full: (np.linalg.eigvalsh(full) > 0).sum(axis=-1),
            },
        )
        differ = int((found["signs"] != found["eigenvalues"]).sum())
        ratio = seconds["eigenvalues"] / seconds["signs"]
        say(f"| {side}³ | {seconds['signs']:.3f} | {seconds['eigenvalues']:.2f} | {ratio:.0f} | {differ} |")


def hessians(quick: bool) -> None:
    """Print Fourier derivatives beside central differences, on a field whose Hessian is known."""
    say(
        "\n## Hessian of a known field (all three entries, 256²)\n\n| | ms | off, of the largest entry |\n|---|---|---|"
    )
    grid = Grid((256, 256))
    x = 2 * np.pi * grid.positions(0)
    field = np.cos(8 * x)[:, None] * np.cos(5 * x)
    k = 2 * np.pi
    exact = np.stack(
        [-((8 * k) ** 2) * field, -((5 * k) ** 2) * field, 40 * k**2 * np.outer(np.sin(8 * x), np.sin(5 * x))]
    )

    def differences() -> np.ndarray:
        h = grid.cell
        gx = (np.roll(field, -1, 0) - np.roll(field, 1, 0)) / (2 * h)
        fxx = (np.roll(field, -1, 0) + np.roll(field, 1, 0) - 2 * field) / h**2
        fyy = (np.roll(field, -1, 1) + np.roll(field, 1, 1) - 2 * field) / h**2
        return np.stack([fxx, fyy, (np.roll(gx, -1, 1) - np.roll(gx, 1, 1)) / (2 * h)])

    runs = {
        "one transform, three inverse": lambda: grid.second(grid.forward(field)),
        "central differences": differences,
    }
    seconds, found = best_of(3 if quick else 9, runs)
    for name, values in found.items():
        say(f"| {name} | {1e3 * seconds[name]:.1f} | {np.abs(values - exact).max() / np.abs(exact).max():.0e} |")


def whole_web(quick: bool, install: bool) -> None:
    """Print the curvature and classes of a cube beside the tidal web of another package."""
    side = 32 if quick else 64
    rho = fisher.field(shape=(side,) * 3, smoothing=0.04).density.values
    seconds, _ = best_of(2 if quick else 3, {"ours": lambda: fisher.curvature_field(rho, smoothing=0.03)})
    say(f"\n## From a density of {side}³ to classes\n\n- ours (log Hessian): {seconds['ours']:.3f} s")
    if not install:
        return
    python, told = environment("web", ["cosmic-web-classifier==1.0.1"])
    with tempfile.TemporaryDirectory() as folder:
        np.save(path := Path(folder) / "field.npy", rho)
        try:
            other = asked(python, TIDAL, path, 2)
        except RuntimeError as error:
            say(f"- {told[0]}: did not run ({error})")
        else:
            say(f"- {told[0]} (tidal tensor): {other:.3f} s, {other / seconds['ours']:.1f} times ours")


def transports(quick: bool) -> None:
    """Print exact periodic transport beside exact transport between the cells as points."""
    say("\n## W² of a known displacement, periodic\n")
    say("| | cells | W, cells | s | off, relatively |\n|---|---|---|---|---|")
    for side in (16, 24) if quick else (16, 24, 64, 128, 256):
        grid = Grid((side, side))
        x, y = (2 * np.pi * grid.positions(axis) for axis in range(2))
        potential = 0.15 * (np.cos(x)[:, None] + 0.7 * np.cos(y) + 0.5 * np.cos(x[:, None] + 2 * y)) / (2 * np.pi) ** 2
        exact = sum((one**2).mean() for one in grid.gradient(grid.forward(potential)))
        rho = displaced_density(grid, potential)
        runs: dict[str, Callable[[], float]] = {"periodic_transport": lambda rho=rho: fisher.periodic_transport(rho).W2}
        if side <= 24:
            places = np.stack(np.meshgrid(*(grid.positions(a) for a in range(2)), indexing="ij"), axis=-1).reshape(
                -1, 2
            )
            off = np.abs(places[:, None] - places[None])
            cost = (np.minimum(off, 1 - off) ** 2).sum(axis=-1)
            mass, even = rho.ravel() / rho.sum(), np.full(rho.size, 1 / rho.size)
            runs["POT, emd between cells"] = lambda cost=cost, mass=mass, even=even: ot.emd2(mass, even, cost)
        seconds, found = best_of(1 if quick else 2, runs)
        for name, value in found.items():
            say(f"| {name} | {side}² | {side * exact**0.5:.1f} | {seconds[name]:.3f} | {abs(value / exact - 1):.0e} |")


def growth(quick: bool) -> None:
    """Print what the curvature costs as the field grows."""
    say("\n## Curvature and classes as the field grows\n\n| cells | s | ns a cell |\n|---|---|---|")
    for shape in (
        ((64,) * 2, (32,) * 3) if quick else ((128,) * 2, (256,) * 2, (512,) * 2, (64,) * 3, (96,) * 3, (128,) * 3)
    ):
        rho = fisher.field(shape=shape, smoothing=0.04).density.values
        seconds, _ = best_of(2, {"ours": lambda rho=rho: fisher.curvature_field(rho)})
        name = f"{shape[0]}{'²' if len(shape) == 2 else '³'}"
        say(f"| {name} | {seconds['ours']:.3f} | {1e9 * seconds['ours'] / rho.size:.0f} |")


def main() -> None:
    """Run all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds")
    parser.add_argument("--no-install", action="store_true", help="leave out what is no dependency")
    parser.add_argument("--write", action="store_true", help="keep the tables in benchmarks/results")
    options = parser.parse_args()
    command = "python benchmarks/fisher_entropic.py --write"
    say("\n".join(heading("Curvature of densities", command, ("numpy", "scipy", "numba", "POT"))))
    classes(options.quick)
    hessians(options.quick)
    whole_web(options.quick, not options.no_install)
    transports(options.quick)
    growth(options.quick)
    if options.write:
        say.write("fisher_entropic")


if __name__ == "__main__":
    main()
