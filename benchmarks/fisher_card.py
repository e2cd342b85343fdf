"""The exact curvature on a graphics card next to the same machine's processor.

    python benchmarks/fisher_card.py [--out FILE.json] [--largest 256] [--checked 128]

Needs CUDA. Every side is computed twice on the card (the first time compiles and fills caches, the second is the time
that counts) and, up to ``--checked``, by the Pfaffian engine on all cores; both must agree to 1e-9. The values go to
the file, with the card's and torch's names, for ``data/make_fisher.py large``.
"""

import argparse
import json
import os
import time
from pathlib import Path

import torch

from workbench import fisher

SIDES = (32, 64, 96, 128, 160, 192, 224, 256)
NAMES = ("scalar_curvature", "cumulant_norm", "trace_norm")
TOLERANCE = 1e-9


def timed(L: int, method: str) -> tuple[float, dict[str, float]]:
    """Return seconds and values."""
    started = time.perf_counter()
    ds = fisher.ising_curvature(L, method=method)
    values = {name: float(ds[name]) for name in NAMES}
    return time.perf_counter() - started, values


def main() -> None:
    """Measure, compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--largest", type=int, default=256)
    parser.add_argument("--checked", type=int, default=128, help="largest side that the processor computes as well")
    wanted = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("no CUDA card: nothing to measure")
    card = torch.cuda.get_device_name()
    print(f"{card}, torch {torch.__version__}, {os.cpu_count()} cores", flush=True)
    print("| L | s on the card | GB of the card | s on the processor | largest relative difference |", flush=True)
    print("|---|---|---|---|---|", flush=True)
    timed(8, "torch"), timed(8, "pfaffian")
    found = {"card": card, "torch": torch.__version__, "values": {}}
    for L in (side for side in SIDES if side <= wanted.largest):
        torch.cuda.reset_peak_memory_stats()
        timed(L, "torch")
        seconds, values = timed(L, "torch")
        gigabytes = torch.cuda.max_memory_allocated() / 1e9
        torch.cuda.empty_cache()
        found["values"][L] = values
        cells = ["", ""]
        if wanted.checked >= L:
            on_cpu, expected = timed(L, "pfaffian")
            worst = max(abs(values[name] / expected[name] - 1) for name in NAMES)
            cells = [f"{on_cpu:.2f}", f"{worst:.1e}"]
            if worst > TOLERANCE:
                raise SystemExit(f"L = {L}: the engines differ by {worst:.1e}")
        print(f"| {L} | {seconds:.2f} | {gigabytes:.1f} | {' | '.join(cells)} |", flush=True)
        if wanted.out:
            wanted.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
