"""The margin over the weight ratio, with its band, and the gain graph of many players."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.games.gallery.resolve import bounds_for, resolve
from workbench.games.models.bounds import Bounds
from workbench.games.small_gain.band import coordinate_band, two_player_band
from workbench.games.small_gain.proved import Weights
from workbench.games.small_gain.weights import lipschitz, margin, perron, small_gain_radius
from workbench.progress import Progress


@results.experiment
def margin_curve(
    game: Any,
    options: Mapping[str, Any] | None = None,
    *,
    player: int = 1,
    alpha: float = 0.0,
    points: int = 201,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the margin α(w) as the weight of one player moves, the others at w*, dimension ``ratio``.

    ``ratio`` is w_player / w_0 over six decades around the best. ``band`` (2,) are the ratios with margin ≥ α,
    NaN if none: metric weights, not learning rates. ``paper_step`` is 2 α(w)/β(w)² along the curve. Cost: one
    N by N eigenvalue a point.
    """
    example = resolve(game, options)
    bounds = bounds_for(example, progress)
    n = bounds.players
    moved = checks.integer("player", player, minimum=min(1, n - 1), maximum=n - 1)
    target = checks.real("alpha", alpha)
    best = perron(bounds)
    ratios = best.w[moved] / best.w[0] * 10 ** np.linspace(-3, 3, checks.integer("points", points, minimum=3))
    margins, paper = np.empty(len(ratios)), np.empty(len(ratios))
    for k, ratio in enumerate(ratios):
        w = best.w.copy()
        w[moved] = ratio * w[0]
        margins[k] = margin(bounds, w)
        paper[k] = 2 * max(margins[k], 0) / lipschitz(bounds, w) ** 2
    band = _band(bounds, best, moved, target)
    return results.dataset(
        {
            "margin": (("ratio",), margins, "margin", "1/time"),
            "paper_step": (("ratio",), paper, "the paper's Euler step at these weights", "time"),
            "band": (("end",), np.array(band), "ratios with margin at least alpha"),
            "best_ratio": ((), best.w[moved] / best.w[0], "best weight ratio"),
            "tau": ((), best.tau, "best margin", "1/time"),
            "target": ((), target, "target margin", "1/time"),
            "attained": ((), best.attained, "whether finite weights reach the best margin"),
        },
        {
            "ratio": (("ratio",), ratios, f"weight ratio w{moved + 1}/w1"),
            "end": (("end",), np.array(["lower", "upper"]), "end of the band"),
        },
        {"game": example.game.name, "player": moved},
    )


def _band(bounds: Bounds, best: Weights, player: int, alpha: float) -> tuple[float, float]:
    if best.tau <= alpha:
        return (np.nan, np.nan)
    if bounds.players == 2:
        couplings = bounds.L.toarray() if bounds.sparse else bounds.L
        found = two_player_band((bounds.mu[0], bounds.mu[1]), couplings[0, 1], couplings[1, 0], alpha)
        return found or (np.nan, np.nan)
    low, high = coordinate_band(bounds, best.w, alpha)[player] / best.w[0]
    return float(low), float(high)


@results.experiment
def gain_graph(game: Any, options: Mapping[str, Any] | None = None, *, progress: Progress | None = None) -> xr.Dataset:
    """Return the gains L_ij/mu_i between players, the small-gain radius ρ(diag(mu)⁻¹ L), and the weights.

    Dimensions ``player`` and ``source`` (the player that acts). Certified exactly if the radius is below 1.

    >>> ds = gain_graph("toy")
    >>> dict(ds.sizes)
    {'player': 2, 'source': 2}
    """
    example = resolve(game, options)
    bounds = bounds_for(example, progress)
    best = perron(bounds)
    couplings = bounds.L.toarray() if bounds.sparse else bounds.L
    with np.errstate(divide="ignore", invalid="ignore"):
        gains = np.where(couplings > 0, couplings / np.maximum(bounds.mu[:, None], 0), 0.0)
    return results.dataset(
        {
            "gain": (("player", "source"), gains, "gain L_ij/mu_i"),
            "coupling": (("player", "source"), couplings, "coupling L_ij", "1/time"),
            "mu": (("player",), bounds.mu, "smallest own curvature", "1/time"),
            "ell": (("player",), bounds.ell, "largest own curvature", "1/time"),
            "weight": (("player",), best.w, "best metric weight"),
            "radius": ((), small_gain_radius(bounds), "small-gain radius"),
            "tau": ((), best.tau, "best margin", "1/time"),
        },
        {
            "player": (("player",), np.arange(1, bounds.players + 1), "player"),
            "source": (("source",), np.arange(1, bounds.players + 1), "acting player"),
        },
        {"game": example.game.name},
    )
