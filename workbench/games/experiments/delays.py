"""Delays and asynchrony: what is observed against what is certified, in max_i |x_i|/z_i."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.games.experiments.simulate import simulate
from workbench.games.gallery.resolve import certificate_for, resolve
from workbench.progress import Progress


@results.experiment
def delay_study(
    game: Any,
    options: Mapping[str, Any] | None = None,
    *,
    delays: Sequence[int] = (0, 1, 2, 4, 8),
    share: float = 0.7,
    steps: int = 120,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return runs with bounded delays, and asynchronous runs with windows of the same length plus one.

    ``late`` and ``lazy`` (delay, step): max_i |x_i|/z_i relative to the start; ``late_bound`` and ``lazy_bound`` what
    is certified (NaN if nothing is). Every player uses ``share`` of its own largest certified rate 2/(mu_i + ell_i).
    """
    example = resolve(game, options)
    progress = progress or Progress()
    checks.real("share", share, exclusive_minimum=0, maximum=1)
    rng = checks.generator(seed)
    certificate = certificate_for(example, progress)
    allowed = certificate.player_steps
    rates = np.full(len(example.game.sizes), 0.1) if allowed is None else share * allowed
    values = {name: np.full((len(delays), steps + 1), np.nan) for name in ("late", "lazy", "late_bound", "lazy_bound")}
    rounds = np.arange(steps + 1)
    for k, delay in enumerate(delays):
        progress.update(k, len(delays), f"delay {delay}")
        for name, dynamics in (("late", "delayed"), ("lazy", "asynchronous")):
            run = simulate(
                example,
                dynamics=dynamics,
                step=rates,
                steps=steps,
                delay=delay,
                window=delay + 1,
                seed=rng,
                certificate=certificate,
            )
            first = float(run.distance_max[0])
            values[name][k] = run.distance_max.values / (first if first > 0 else 1.0)
            span = int(run.certified_span)
            factor = float(run.certified_factor)
            if np.isfinite(factor):
                values[f"{name}_bound"][k] = factor ** (rounds // span)
    labels = {
        "late": "distance with delays, relative to the start",
        "lazy": "distance with asynchronous moves, relative to the start",
        "late_bound": "certified bound with delays",
        "lazy_bound": "certified bound with asynchronous moves",
    }
    return results.dataset(
        {
            **{name: (("delay", "step"), values[name], label) for name, label in labels.items()},
            "rate": (("player",), rates, "rate of each player", "time"),
        },
        {
            "delay": (("delay",), np.asarray(delays, dtype=int), "delay (window less one)", "steps"),
            "step": (("step",), rounds, "round"),
            "player": (("player",), np.arange(1, len(rates) + 1), "player"),
        },
        {"game": example.game.name, "status": certificate.status.value, "reason": certificate.reason},
    )
