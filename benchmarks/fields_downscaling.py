"""Downscaling of rain, in one run: `python benchmarks/fields_downscaling.py`.

- The closed form of κ beside the integration of the same variance, which is what a user without it would do.
- The exact sampler in the eigenbasis of the posterior beside solving for the score at every noise level.
- An error budget of a trained network: what finite draws, the sampler, the network and the regulariser add to the
  99.9 % rain and to W₁ of pixels, on the same fields with the same noise.
- The fair CRPS beside the package ``scores``, installed in an environment of the benchmark's own: equal numbers, times.

CPU seconds of one core, the best of the rounds; trust the ratios.
"""

import argparse
import functools
import math
import time

import numpy as np
import torch
from fields_core import fastest
from rivals import asked, environment
from scipy.integrate import solve_ivp

from workbench import fields
from workbench.fields.downscaling.denoiser import sample_ode
from workbench.fields.downscaling.field import FieldLaw
from workbench.fields.downscaling.methods import held_out_fields
from workbench.fields.downscaling.scores import fair_crps, tail_scores

RIVAL = """
import json, sys, time
import numpy as np, xarray as xr
from scores.probability import crps_for_ensemble
days, members, pixels = (int(word) for word in sys.argv[1:])
rng = np.random.default_rng(0)
truth = xr.DataArray(rng.gamma(0.5, 8.0, (days, pixels)), dims=("day", "pixel"))
ensemble = xr.DataArray(rng.gamma(0.5, 8.0, (days, members, pixels)), dims=("day", "member", "pixel"))
best = 1e9
for _ in range(3):
    begun = time.perf_counter()
    found = crps_for_ensemble(ensemble, truth, "member", method="fair", preserve_dims="all")
    best = min(best, time.perf_counter() - begun)
print(json.dumps([best, float(found.mean()), float(found.isel(day=0, pixel=0))]))
"""


def closed_forms(quick: bool) -> list[str]:
    """Return κ by formula and by integration: agreement, and the ratio of times."""
    rows = []
    for s, w in ((0.2, 0.2), (0.2, 0.9)):

        def integrated(s: float = s, w: float = w) -> float:
            def slope(u: float, v: np.ndarray) -> np.ndarray:
                return 2 * (float(fields.wdr_gain(s, math.exp(-u), w)) - 1) * v

            ends = (-math.log(50.0), -math.log(0.01))
            found = solve_ivp(slope, ends, [s * s + 2500.0], method="DOP853", rtol=1e-9)
            return math.sqrt(float(found.y[0, -1]) / (s * s + 1e-4))

        own = fastest(functools.partial(fields.wdr_inflation, s, w), 20)
        other = fastest(integrated, 1 if quick else 3)
        apart = abs(fields.wdr_inflation(s, w) - integrated())
        rows.append(f"| s = {s:g}, w = {w:g} | {1e6 * own:.0f} | {other / own:.0f} | {apart:.0e} |")
    return ["| κ of the ODE | formula, µs | integration ÷ formula | difference |", "|---|---|---|---|", *rows]


def exact_sampler(quick: bool) -> list[str]:
    """Return the time of the exact score's sampler by eigenbasis and by a solve at every level."""
    rows = []
    for size in (8, 16) if quick else (8, 16, 32):
        exact = fields.exact_downscaler(FieldLaw(size), 4)
        coarse = exact.law.sample(16, np.random.default_rng(0)).reshape(16, size // 4, 4, size // 4, 4).mean((2, 4))
        mean, noise = exact.mean(coarse), np.random.default_rng(1).standard_normal((16, size, size))

        def solved(x: np.ndarray, sigma: float, exact: object = exact, mean: np.ndarray = mean) -> np.ndarray:
            whole = exact.covariance + sigma**2 * np.eye(len(exact.covariance))
            away = np.linalg.solve(whole, (x - mean).reshape(len(x), -1).T).T
            return x - sigma**2 * away.reshape(x.shape)

        def turned(x: np.ndarray, sigma: float, exact: object = exact, mean: np.ndarray = mean) -> np.ndarray:
            return exact.denoise(x, sigma, mean)

        own = fastest(functools.partial(sample_ode, turned, noise), 3)
        other = fastest(functools.partial(sample_ode, solved, noise), 1)
        apart = float(np.abs(sample_ode(turned, noise) - sample_ode(solved, noise)).max())
        rows.append(f"| {size} × {size} | {1e3 * own / 16:.2f} | {other / own:.0f} | {apart:.0e} |")
    return ["| exact score, 16 fields | ms a field | solves ÷ eigenbasis | difference |", "|---|---|---|---|", *rows]


def budget(quick: bool) -> list[str]:
    """Return what each part of a trained generator adds, on the same fields."""
    days, members = (40, 2) if quick else (400, 2)
    truth, coarse = held_out_fields(days, 5)
    exact = fields.exact_downscaler()
    mean = exact.mean(coarse)
    noise = np.random.default_rng(3).standard_normal((days * members, *truth.shape[1:]))
    again = mean.repeat(members, axis=0)
    made = {"finite draws of the exact law": exact.sample(coarse, members, np.random.default_rng(4))}
    for levels in (12, 24, 96):
        found = sample_ode(lambda x, sigma: exact.denoise(x, sigma, again), noise, levels)
        made[f"exact score, Heun, {levels} levels"] = found.reshape(days, members, *truth.shape[1:])
    for name, words in (("diffusion", "network, w = 0"), ("wdr", "network, w = 0.2"), ("quantile-mapping", "mapped")):
        made[words] = fields.downscale(name, coarse, members)
    made["bilinear"] = fields.downscale("bilinear", coarse, members)
    rows = []
    for words, ensemble in made.items():
        ds = tail_scores(ensemble, truth, (0.999,))
        low, high = float(ds.log_ratio_low[0]), float(ds.log_ratio_high[0])
        rows.append(
            f"| {words} | {float(ds.log_ratio[0]):+.3f} [{low:+.3f}, {high:+.3f}] | {float(ds.wasserstein):.2f} | "
            f"{float(ds.crps):.3f} | {float(ds.bias):+.2f} |"
        )
    head = "log q99.9 [95 % over fields] | W₁ of pixels, mm | CRPS, mm | bias, mm |"
    return [f"| error budget, {days} fields | {head}", "|---|---|---|---|---|", *rows]


def crps(quick: bool) -> list[str]:
    """Return the fair CRPS beside that of ``scores``."""
    shape = (20, 8, 256) if quick else (200, 16, 1024)
    days, members, pixels = shape
    rng = np.random.default_rng(0)
    truth, ensemble = rng.gamma(0.5, 8.0, (days, pixels)), rng.gamma(0.5, 8.0, shape)
    own = fastest(functools.partial(fair_crps, ensemble, truth), 3)
    found = fair_crps(ensemble, truth)
    python, told = environment("fields-downscaling", ("scores==2.7.0",))
    try:
        seconds, mean, first = asked(python, RIVAL, *shape)
    except RuntimeError as error:
        return [f"scores could not be asked: {error} ({'; '.join(told)})"]
    apart = max(abs(mean - found.mean()), abs(first - found[0, 0]))
    line = f"| {days} × {members} × {pixels} | {1e3 * own:.1f} | {seconds / own:.1f} | {apart:.0e} |"
    return ["| fair CRPS | ms | scores 2.7.0 ÷ ours | difference |", "|---|---|---|---|", line]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    given = parser.parse_args()
    torch.set_num_threads(1)
    begun = time.process_time()
    parts = [part(given.quick) for part in (closed_forms, exact_sampler, budget, crps)]
    print("\n\n".join("\n".join(part) for part in parts))
    print(f"\nAll of it in {time.process_time() - begun:.0f} s of one core.")


if __name__ == "__main__":
    main()
