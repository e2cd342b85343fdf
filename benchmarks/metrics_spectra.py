"""Tails of spectra next to weightwatcher and powerlaw: equal values first, then time as ratios.

    python benchmarks/metrics_spectra.py [--quick]

The rivals are installed in an environment of the benchmark's own (benchmarks/.rivals, not ours), which reads NumPy and
torch from ours; all fits run there in one process, CPU seconds of one thread, the best of interleaved rounds.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
RIVALS = HERE / ".rivals" / "spectra"
PACKAGES = ("weightwatcher==0.7.7", "powerlaw==2.0.0")
LIGHT = ("pandas", "matplotlib", "tqdm", "mpmath")
"""What the rivals import beside NumPy and torch, where our environment lacks it."""


def environment() -> Path:
    """Return the Python of the rivals' environment, made on the first call; it sees our packages after its own."""
    python = RIVALS / "bin" / "python"
    if not python.exists():
        venv.create(RIVALS, with_pip=True)
        purelib = subprocess.run(
            [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        (Path(purelib) / "ours.pth").write_text(f"{sysconfig.get_path('purelib')}\n{HERE.parent}\n")
        pip = [str(python), "-m", "pip", "install", "-q"]
        subprocess.run([*pip, "--no-deps", *PACKAGES], check=True)
        for name in LIGHT:
            found = subprocess.run([str(python), "-c", f"import {name.replace('-', '_')}"], capture_output=True)
            if found.returncode:
                subprocess.run([*pip, name], check=False)
    return python


def best(actions: dict, rounds: int) -> tuple[dict, dict]:
    """Return the best CPU time of each action over rounds in which they take turns, and the values."""
    times, values = dict.fromkeys(actions, float("inf")), {}
    for _ in range(rounds):
        for name, action in actions.items():
            started = time.process_time()
            values[name] = action()
            times[name] = min(times[name], time.process_time() - started)
    return times, values


def fits(sizes: list[int], rounds: int) -> list[str]:
    """Compare the fits of one tail."""
    import logging
    import warnings

    import numpy as np
    import powerlaw
    from weightwatcher.WW_powerlaw import WWFit

    from workbench import metrics

    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    rows = [
        "| M | workbench | weightwatcher | powerlaw | weightwatcher ÷ ours | powerlaw ÷ ours | α apart by |",
        "|---|---|---|---|---|---|---|",
    ]
    for m in sizes:
        values = np.exp(1.5 * np.random.default_rng(0).normal(size=m))  # all above 1e-5, what the package drops
        metrics.tail_fit(values)
        actions = {
            "ours": lambda values=values: [metrics.tail_fit(values).alpha for _ in range(20)][-1],
            "ww": lambda values=values: float(WWFit(values).alpha),
        }
        if m <= 3072:
            actions["powerlaw"] = lambda values=values: float(powerlaw.Fit(values, verbose=False).alpha)
        times, found = best(actions, rounds)
        times["ours"] /= 20
        apart = max(found.values()) - min(found.values())
        if apart > 1e-9 * found["ours"]:
            raise SystemExit(f"M = {m}: the values differ, {found}")
        shown = [f"{1000 * times[n]:.3g} ms" if n in times else "—" for n in actions | {"powerlaw": None}]
        ratio = [f"{times[n] / times['ours']:.0f}" if n in times else "—" for n in ("ww", "powerlaw")]
        rows.append(f"| {m:,} | {' | '.join(shown)} | {' | '.join(ratio)} | {apart:.0e} |")
    return rows


def whole(rounds: int) -> list[str]:
    """Compare the scores of a whole network: here the eigenvalues take most of the time, on both sides."""
    import logging
    import warnings

    import numpy as np
    import torch
    import weightwatcher

    from workbench import metrics

    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = torch.nn.Sequential(*[torch.nn.Linear(384, 384, bias=False) for _ in range(12)])
    with torch.no_grad():
        for layer in model:
            layer.weight *= (1 - torch.rand(384)) ** -0.3
    actions = {
        "ours": lambda: metrics.score_layers(model).alpha.values,
        "ww": lambda: weightwatcher.WeightWatcher(model=model).analyze().alpha.values,
    }
    actions["ours"]()
    times, found = best(actions, rounds)
    apart = float(np.abs(np.sort(found["ours"]) - np.sort(found["ww"])).max())
    return [
        "",
        f"A whole network, 12 layers of 384 × 384: workbench {times['ours']:.2f} s, weightwatcher `analyze()` "
        f"{times['ww']:.2f} s, {times['ww'] / times['ours']:.1f} times; α apart by {apart:.0e} at most.",
    ]


def main() -> None:
    """Run the comparison in the rivals' environment and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not given.inside:
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        command = [str(environment()), __file__, "--inside", *(["--quick"] if given.quick else [])]
        sys.exit(subprocess.run(command, env={**os.environ, **threads}, check=False).returncode)
    lines = fits([768] if given.quick else [768, 3072, 8192], rounds=2 if given.quick else 3)
    print("\n".join(lines + whole(1 if given.quick else 3)))


if __name__ == "__main__":
    main()
