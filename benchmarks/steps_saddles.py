"""Saddle searches beside ASE's dimer and Sella: calls, success, time.

    python benchmarks/steps_saddles.py [--starts 50] [--surfaces mueller-brown leps lennard-jones] [--write]
    python benchmarks/steps_saddles.py --molecules [HCN H2CO NH3 CH3CHO] [--starts 10] [--write]

Every method gets the same starts and first axes. The rivals run in an environment of their own (a folder of the user's
cache, made at the first run; ours stays as it is) and ask this process for every energy, so that one counter counts
all calls and one rule judges all ends: the gradient is below the tolerance and the surface's own Hessian has exactly
one negative eigenvalue; in a plane the end must also be one of the saddles that are proved. Calls do not depend on the
load of the machine and are the same in every run; times do, and are given as ratios of CPU time without the energies.
Molecules are GFN2-xTB's (the extra ``[chem]``), kicked out of their relaxed shape along their softest modes.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench import data, steps
from workbench.steps.saddles.experiments import KICK, SOFT, random_start, which_saddle
from workbench.steps.saddles.modes import Spectrum, difference_spectrum, spectrum

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "geometry-workbench" / "saddle-rivals"
PACKAGES = ("ase==3.29.0", "sella==2.6.0")
OURS = ("gp", "gp-dimer", "dimer", "eigenvector-following")
RIVALS = {"mueller-brown": ("ase-dimer", "sella"), "leps": ("ase-dimer", "sella")}
ATOMS = ("ase-dimer", "sella", "sella-internal")
MOLECULES = ("HCN", "H2CO", "NH3", "CH3CHO")
MOST, MOST_SURROGATE = 600, 60
FLAT = 1e-4
STORED = (
    "Our searches of the cluster are those of the shipped study (data/steps/saddles_clusters.nc), which begins at the "
    "same starts; its CPU times were taken in another run."
)
Array = NDArray[np.float64]


class Ended(NamedTuple):
    """One search: what it spent, whether it ended at a first-order saddle, and whether its gradient vanished."""

    calls: int
    success: bool
    flat: bool
    seconds: float


def modes(surface: steps.Surface, x: Array) -> Spectrum:
    """Return the spectrum at a point: of the surface's own Hessian, or of differences where it has none."""
    if surface.hessian is not None:
        return spectrum(surface.hessian(x), x, surface.species)
    return difference_spectrum(lambda y: surface.evaluate(y)[1], x, surface.species)


def molecule(name: str) -> steps.Surface:
    """Return a molecule of ASE's G2 set under GFN2-xTB, relaxed, as a surface."""
    from ase.build import molecule as from_set
    from ase.optimize import BFGS
    from tblite.ase import TBLite

    atoms = from_set(name)
    atoms.calc = TBLite(method="GFN2-xTB", verbosity=0)
    BFGS(atoms, logfile=None).run(fmax=1e-3, steps=500)
    bare = steps.ase_surface(atoms)

    def evaluate(x: Array) -> tuple[float, Array]:
        try:
            return bare.evaluate(x)
        except RuntimeError:  # the calculation does not converge, far from any molecule
            return np.inf, np.full(x.size, np.inf)

    return replace(bare, name=name, evaluate=evaluate)


def starts_of(surface: steps.Surface, count: int) -> Iterator[tuple[Array, Array]]:
    """Yield starts and first axes: those of the shipped studies, or a molecule kicked along its softest modes."""
    soft = None if surface.hessian is not None or surface.box is not None else modes(surface, surface.start)
    for rng in np.random.default_rng(0).spawn(count):
        if soft is None:
            yield random_start(surface, rng)
            continue
        basis = soft.vectors[:, :SOFT]
        kick = basis @ rng.normal(size=basis.shape[1])
        kick /= np.linalg.norm(kick)
        yield surface.start + KICK * kick, kick


def judged(surface: steps.Surface, x: Array, calls: int, seconds: float) -> Ended:
    """Judge an end by the surface itself, whatever the method says of it."""
    x = np.asarray(x)
    with np.errstate(all="ignore"):
        gradient = surface.evaluate(x)[1]
    # the rivals ask for the length of each atom's force, we for the largest component: at most √3 apart
    flat = bool(np.isfinite(gradient).all() and np.abs(gradient).max() < surface.tolerance)
    index = modes(surface, x).index(FLAT * surface.scale) if flat else -1
    proved = surface.jet is None or (flat and which_saddle(surface, x) >= 0)
    return Ended(calls, flat and index == 1 and proved, flat, seconds)


def our_search(surface: steps.Surface, method: str, x: Array, axis: Array) -> Ended:
    """Search with one of ours."""
    most = MOST_SURROGATE if steps.SADDLE_METHODS[method].fact("surrogate") else MOST
    energies = 0.0

    def timed(x: Array) -> tuple[float, Array]:
        nonlocal energies
        started = time.process_time()
        try:
            return surface.evaluate(x)
        finally:
            energies += time.process_time() - started

    began = time.process_time()
    found = steps.saddle(replace(surface, evaluate=timed), x, method, axis=axis, most_calls=most)
    return judged(surface, found.x, found.calls, time.process_time() - began - energies)


class Rivals:
    """The other process: its searches ask for energies, and get them here."""

    def __init__(self, python: Path) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}
        environment.pop("PYTHONPATH", None)
        self.process = subprocess.Popen(
            [python, HERE / "saddle_rivals.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment,
        )  # fmt: skip
        self.reasons: dict[str, int] = {}

    def _say(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def search(self, surface: steps.Surface, method: str, x: Array, axis: Array) -> Ended:
        """Search with one of theirs, in units in which the energies are moderate numbers."""
        assert self.process.stdout is not None
        fmax = surface.tolerance / surface.scale
        symbols = None if surface.hessian is not None else surface.species  # clusters are of no element
        search = {"method": method, "x": x.tolist(), "axis": axis.tolist(), "fmax": fmax, "most": MOST}
        self._say(search | {"symbols": None if symbols is None else list(symbols)})
        calls = 0
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("the rivals' process has ended; its messages stand above")
            message = json.loads(line)
            if "end" in message:
                if message["reason"]:
                    self.reasons[message["reason"]] = self.reasons.get(message["reason"], 0) + 1
                return judged(surface, np.array(message["end"]), calls, message["seconds"])
            if calls >= MOST:
                self._say({"stop": "calls used up"})
                continue
            calls += 1
            with np.errstate(all="ignore"):
                try:
                    energy, gradient = surface.evaluate(np.array(message["x"]))
                except ArithmeticError:
                    energy, gradient = np.inf, np.zeros(1)
            if np.isfinite(energy) and np.isfinite(gradient).all():
                self._say({"energy": energy / surface.scale, "gradient": (gradient / surface.scale).tolist()})
            else:
                self._say({"stop": "no finite energy there"})


@contextmanager
def rivals() -> Iterator[Rivals]:
    """Make the environment if it is not there, and run the rivals in it."""
    python = CACHE / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not python.exists():
        venv.create(CACHE, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    made = Rivals(python)
    try:
        yield made
    finally:
        assert made.process.stdin is not None
        made.process.stdin.close()
        made.process.wait(timeout=30)


def stored(surface: steps.Surface, count: int) -> dict[str, list[Ended]]:
    """Return our own searches of a cluster from the shipped study, which begins at the same starts."""
    ds = data.result("steps/saddles_clusters.nc")
    if surface.name not in ds.surface.values or ds.sizes["start"] < count:
        return {}
    rows = {}
    for method in ds.method.values:
        one = ds.sel({"surface": surface.name, "method": method}).isel(start=slice(count))
        columns = (one.calls.values, one.success.values, one.converged.values, one.seconds.values)
        rows[str(method)] = [Ended(int(c), bool(g), bool(f), float(t)) for c, g, f, t in zip(*columns, strict=True)]
    return rows


def compared(surface: steps.Surface, methods: Sequence[str], count: int, other: Rivals) -> dict[str, list[Ended]]:
    """Run every method from the same random starts."""
    rows: dict[str, list[Ended]] = {name: [] for name in methods}
    for k, (start, axis) in enumerate(starts_of(surface, count)):
        for name in methods:
            ours = name in steps.SADDLE_METHODS
            rows[name].append((our_search if ours else other.search)(surface, name, start, axis))
        print(f"\r{surface.name}: start {k + 1} of {count}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return rows


def table(surface: steps.Surface, rows: dict[str, list[Ended]]) -> list[str]:
    """Return the table of one surface."""
    first = next(iter(rows))
    lines = [
        f"## {surface.name}, {len(rows[first])} starts",
        "",
        "| method | saddles reached (95 %) | gradient vanished at something else | calls, median (95 %) | calls per "
        f"saddle (95 %) | calls ÷ {first}'s, both succeed (95 %; pairs) | CPU time ÷ {first}'s |",
        "|---|---|---|---|---|---|---|",
    ]
    base = rows[first]
    for name, ends in rows.items():
        calls, good = np.array([e.calls for e in ends]), np.array([e.success for e in ends])
        share = steps.success_rate(int(good.sum()), len(good), kind="wilson")
        wrong = sum(e.flat and not e.success for e in ends)
        median = "–".join(written(v) for v in median_interval(calls, good))
        spent, low, high = steps.calls_per_success(calls, good)
        both = good & np.array([e.success for e in base])
        ratio = "—"
        if both.sum() > 1 and name != first:
            own = np.array([e.calls for e in base])
            value, least, most = steps.bootstrap_ratio(calls[both], own[both])
            ratio = f"{value:.2f} [{least:.2f}, {most:.2f}]; {both.sum()}"
        seconds = sum(e.seconds for e in ends) / sum(e.seconds for e in base)
        lines.append(
            f"| {name} | {good.sum()} of {len(good)} = {share.rate:.2f} [{share.low:.2f}, {share.high:.2f}] | {wrong} "
            f"| {written(steps.median_calls(calls, good))} [{median}] | {written(spent)} [{written(low)}, "
            f"{written(high)}] | {ratio} | "
            f"{seconds:.2g} |"
        )
    return [*lines, "", *break_even(rows), ""]


def written(value: float) -> str:
    """Return a number of calls as it stands in a table."""
    return f"{value:.0f}" if np.isfinite(value) else "∞"


def median_interval(calls: Array, good: NDArray[np.bool_], draws: int = 500) -> Array:
    """Return the 95 % bootstrap interval of the median of the calls, failures censored."""
    rng = np.random.default_rng(0)
    picked = (rng.integers(0, len(calls), len(calls)) for _ in range(draws))
    medians = [steps.median_calls(calls[k], good[k]) for k in picked]
    return np.quantile(medians, [0.025, 0.975], method="nearest")


def break_even(rows: dict[str, list[Ended]]) -> list[str]:
    """Say how long an energy must take before the surrogate's own work is paid for."""
    found = []
    for name in rows:
        if name in ("gp", "gp-dimer"):
            continue
        per = {
            who: (
                sum(e.calls for e in rows[who]) / max(1, sum(e.success for e in rows[who])),
                sum(e.seconds for e in rows[who]) / max(1, sum(e.success for e in rows[who])),
            )
            for who in ("gp", name)
        }
        saved, work = per[name][0] - per["gp"][0], per["gp"][1] - per[name][1]
        if saved > 0:
            found.append(f"{name} {1000 * work / saved:.2g} ms" if work > 0 else f"{name} at once")
        else:
            found.append(f"{name} never")
    told = ", ".join(found)
    return [f"Surrogate (gp) or …? Per saddle it pays once an energy takes longer than: {told} (on this machine)."]


def heading() -> list[str]:
    """Return what was measured where."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy"))
    return [
        "# Saddle searches beside ASE's dimer and Sella",
        "",
        f"`python benchmarks/steps_saddles.py {' '.join(sys.argv[1:])}`, {date.today()}, {os.cpu_count()} cores "
        f"({platform.machine()}), load {os.getloadavg()[0]:.1f} at the start; Python {platform.python_version()}, "
        f"{versions}; rivals {', '.join(PACKAGES)} as they come, told the same start and first axis.",
        "",
        "A saddle counts if the gradient is below the tolerance, the surface's own Hessian has exactly one negative "
        "eigenvalue and, in a plane, it is one of those proved. Shares: Wilson. Medians: failures censored, ∞ if fewer "
        "than half succeed. Calls per saddle: all calls ÷ saddles, failures at what they cost; at most "
        f"{MOST_SURROGATE} calls on a surrogate, {MOST} otherwise. The calls of our index check are counted apart (two "
        "for each internal coordinate, and one); rivals make none. Ours stop at the rim of a plane's box, the rivals "
        "may leave it and return. Calls are the same in every run; CPU times are ratios without the energies, taken "
        "on a machine with other work, and Sella's first searches compile.",
        "",
    ]


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=50)
    parser.add_argument("--surfaces", nargs="+", default=["mueller-brown", "leps", "lennard-jones"])
    parser.add_argument(
        "--molecules",
        nargs="*",
        metavar="NAME",
        help=f"molecules instead of surfaces, by default {' '.join(MOLECULES)}",
    )
    parser.add_argument(
        "--write", action="store_true", help="store the tables in benchmarks/results, steps_saddles.md or _molecules.md"
    )
    parser.add_argument(
        "--stored",
        action="store_true",
        help="take our searches of a cluster from the shipped study, which begins at the same starts",
    )
    options = parser.parse_args()
    lines = heading()
    if options.stored:
        lines += [STORED, ""]
    chemical = options.molecules is not None
    target = HERE / "results" / f"steps_saddles{'_molecules' if chemical else ''}.md"
    with rivals() as other:
        for name in (options.molecules or MOLECULES) if chemical else options.surfaces:
            surface = molecule(name) if chemical else steps.SURFACES[name]()
            rows = stored(surface, options.starts) if options.stored else {}
            methods = (*(() if rows else OURS), *RIVALS.get(name, ATOMS))
            rows |= compared(surface, methods, options.starts, other)
            lines += table(surface, rows)
            if options.write:  # each surface when it is measured: the next may take long
                target.write_text("\n".join(lines))
        if other.reasons:
            told = "; ".join(f"{reason} ({count})" for reason, count in sorted(other.reasons.items()))
            lines += [f"Why rivals ended without converging: {told}.", ""]
    text = "\n".join(lines)
    print(text)
    if options.write:
        target.write_text(text)


if __name__ == "__main__":
    main()
