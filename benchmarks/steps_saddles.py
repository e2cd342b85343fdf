"""Saddle searches beside ASE's dimer and Sella: ``python benchmarks/steps_saddles.py [--starts 50] [--without-sella]``.

The rivals are installed into an environment of the benchmark's own (a folder that is removed afterwards), ours stays as
it is; that environment gets the same starts and axes through a file and answers with calls and end points, which are
judged here by one rule: a first-order saddle by the surface's own Hessian. Calls are exact, so the load of the machine
does not matter to them; failures are counted at what they cost.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

from workbench import steps
from workbench.steps.saddles.experiments import random_start
from workbench.steps.saddles.modes import spectrum

PACKAGES = {"ase-dimer": ("ase",), "sella": ("ase", "sella")}
MOST = 600
RIVAL = """
import json, sys
import numpy as np
from ase import Atoms
from ase.calculators.lj import LennardJones

class Enough(Exception):
    pass

class Counting(LennardJones):
    calls = 0
    def calculate(self, *args, **kwargs):
        if self.calls >= MOST:
            raise Enough
        self.calls += 1
        super().calculate(*args, **kwargs)

MOST = int(sys.argv[3])
answers = []
for start, axis in json.load(open(sys.argv[1])):
    atoms = Atoms("Ar" + str(len(start) // 3), positions=np.array(start).reshape(-1, 3))
    calculator = atoms.calc = Counting(rc=1000.0)
    try:
        if sys.argv[4] == "sella":
            from sella import Sella
            Sella(atoms, order=1, logfile=None).run(fmax=0.01, steps=MOST)
        else:
            from ase.mep import DimerControl, MinModeAtoms, MinModeTranslate
            with DimerControl(initial_eigenmode_method="displacement", displacement_method="vector", logfile=None,
                              eigenmode_logfile=None, mask=[True] * len(atoms)) as control:
                found = MinModeAtoms(atoms, control, eigenmodes=[np.array(axis).reshape(-1, 3)])
                with MinModeTranslate(found, trajectory=None, logfile=None) as search:
                    search.run(fmax=0.01, steps=MOST)
    except Enough:
        pass
    answers.append([calculator.calls, atoms.get_positions().reshape(-1).tolist()])
json.dump(answers, open(sys.argv[2], "w"))
"""


def main() -> None:
    """Run all methods from the same starts and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=50)
    parser.add_argument("--atoms", type=int, default=7)
    parser.add_argument("--without-sella", action="store_true", help="its dependencies are large")
    options = parser.parse_args()
    surface = steps.SURFACES["lennard-jones"](options.atoms)
    starts = [random_start(surface, rng) for rng in np.random.default_rng(0).spawn(options.starts)]
    rows = {}
    for method in ("gp", "dimer", "eigenvector-following"):
        most = 60 if method == "gp" else MOST
        found = [steps.saddle(surface, x, method, axis=axis, most_calls=most) for x, axis in starts]
        rows[method] = [(f.calls, f.x) for f in found]
    for rival, packages in PACKAGES.items():
        if rival != "sella" or not options.without_sella:
            rows[rival] = ask(rival, packages, starts)
    print(
        f"\nLJ{options.atoms}, {options.starts} starts\n\n| method | saddles | 95 % | median calls |\n|---|---|---|---|"
    )
    for method, ends in rows.items():
        calls, good = np.array([c for c, _ in ends]), [is_saddle(surface, x) for _, x in ends]
        share = steps.success_rate(sum(good), len(good))
        median = steps.median_calls(calls, good)
        print(f"| {method} | {sum(good)} of {len(good)} | {share.low:.2f}–{share.high:.2f} | {median:.0f} |")


def is_saddle(surface: steps.Surface, x: np.ndarray) -> bool:
    """Return whether a point is a first-order saddle by the surface's own gradient and Hessian."""
    x = np.asarray(x)
    flat = np.abs(surface(x)[1]).max() < 2 * surface.tolerance
    return bool(flat and spectrum(surface.hessian(x), x, surface.species).index(1e-4) == 1)


def ask(rival: str, packages: tuple[str, ...], starts: list) -> list:
    """Run a rival in an environment of its own and return its calls and end points."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        venv.create(home / "own", with_pip=True)
        python = home / "own" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        (home / "rival.py").write_text(RIVAL)
        (home / "starts.json").write_text(json.dumps([[x.tolist(), axis.tolist()] for x, axis in starts]))
        arguments = ["rival.py", "starts.json", "answers.json", str(MOST), rival]
        subprocess.run([python, *arguments], check=True, cwd=home)
        return [(calls, np.array(x)) for calls, x in json.loads((home / "answers.json").read_text())]


if __name__ == "__main__":
    main()
