"""Steps: what is certified against the true limit, along one common step and over two players' rates."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from workbench import checks, results
from workbench.games.gallery import Example
from workbench.games.gallery.resolve import bounds_for, equilibrium_for, resolve
from workbench.games.models.bounds import Bounds
from workbench.games.small_gain import steps
from workbench.games.small_gain.weights import lipschitz, perron
from workbench.progress import Progress

ROUNDS = 60


@results.experiment
def step_curve(
    game: Any, options: Mapping[str, Any] | None = None, *, points: int = 120, progress: Progress | None = None
) -> xr.Dataset:
    """Return factors over the step h: certified ρ(T_h), true spectral radius at the equilibrium, observed.

    Scalars: ``paper``, ``h0``, ``sharp``, ``rk4_guideline`` (2.5/β) and ``true_limit``, the largest step below which
    the Euler map is stable at the equilibrium. ``observed`` is the mean factor of 60 Euler steps in |.|_M.
    """
    example = resolve(game, options)
    progress = progress or Progress()
    bounds = bounds_for(example, progress)
    best = perron(bounds)
    centre = equilibrium_for(example)
    jacobian = np.asarray(example.game.jacobian(centre))
    limit = true_limit(jacobian)
    certified = best.margin > 0
    beta = lipschitz(bounds, best.w)
    marks = {
        "paper": steps.paper_step(best.margin, beta) if certified else np.nan,
        "h0": steps.h0(bounds) if certified else np.nan,
        "sharp": steps.sharp_step(bounds, best.z).step if certified else np.nan,
        "rk4_guideline": steps.rk4_guideline(beta),
        "true_limit": limit,
    }
    known = [value for value in (marks["sharp"], limit) if np.isfinite(value)]
    top = 1.3 * max(known) if known else 2 / beta
    grid = np.linspace(0, top, checks.integer("points", points, minimum=3, maximum=2000))
    radius = np.array([steps.step_radius(bounds, h) for h in grid])
    true = np.max(np.abs(np.linalg.eigvals(np.eye(len(centre)) - grid[:, None, None] * jacobian)), axis=1)
    progress.update(1, 2, f"running {len(grid)} step sizes")
    observed = mean_factors(example, centre, np.repeat(best.w, example.game.sizes), grid)
    names = {
        "paper": "the paper's step 2α/β²",
        "h0": "h0 = min 2/(mu + ell)",
        "sharp": "sharp step",
        "rk4_guideline": "RK4 guideline 2.5/beta",
        "true_limit": "true limit of the Euler map",
    }
    return results.dataset(
        {
            "certified": (("h",), radius, "certified factor rho(T_h)"),
            "true": (("h",), true, "true spectral radius at the equilibrium"),
            "observed": (("h",), observed, "observed mean factor of a step"),
            **{name: ((), value, names[name], "time") for name, value in marks.items()},
            "tau": ((), best.tau, "best margin", "1/time"),
        },
        {"h": (("h",), grid, "step", "time")},
        {"game": example.game.name},
    )


def mean_factors(example: Example, centre: NDArray, w: NDArray, steps_tried: NDArray) -> NDArray:
    """Return the mean factor of up to 60 Euler steps in |.|_M for each step size; NaN for h = 0.

    A run stops counting once it has shrunk to 1e-12 or grown to 1e9 of its first distance.
    """
    x = np.tile(example.start, (len(steps_tried), 1))
    first = np.sqrt(np.sum(w * (example.start - centre) ** 2))
    last, done = np.full(len(x), first), np.zeros(len(x))
    going = steps_tried > 0
    for _ in range(ROUNDS):
        with np.errstate(all="ignore"):
            x[going] = x[going] - steps_tried[going, None] * example.game.field(x[going])
            now = np.sqrt(np.sum(w * (x - centre) ** 2, axis=1))
            going &= np.isfinite(now) & (now < 1e9 * first) & (now > 1e-12 * first)
        last, done = np.where(going, now, last), done + going
        if not going.any():
            break
    with np.errstate(all="ignore"):
        return np.where(done > 0, (last / first) ** (1 / np.maximum(done, 1)), np.nan)


def true_limit(jacobian: NDArray) -> float:
    """Return the largest h with all |1 - h lambda| < 1, min 2 Re(lambda)/|lambda|²; 0 if J is not stable.

    >>> import numpy as np
    >>> round(true_limit(np.array([[1.0, 1.0], [-1.0, 1.0]])), 6)
    1.0
    """
    values = np.linalg.eigvals(jacobian)
    if values.real.min() <= 1e-12 * np.abs(values).max():
        return 0.0
    return float(np.min(2 * values.real / np.abs(values) ** 2))


@results.experiment
def rate_map(
    game: Any, options: Mapping[str, Any] | None = None, *, points: int = 41, progress: Progress | None = None
) -> xr.Dataset:
    """Return certified and true factors over the rates (eta_1, eta_2) of the first two players, the others at h0.

    ``certified`` is ρ(T_eta), ``true`` the spectral radius of I - diag(eta) J at the equilibrium. ``area_share`` is
    the certified part of the truly stable area. Any rates up to 2/(mu_i + ell_i) are certified.
    """
    example = resolve(game, options)
    progress = progress or Progress()
    bounds = bounds_for(example, progress)
    if bounds.players < 2:
        raise ValueError("a map over two players' rates needs two players")
    count = checks.integer("points", points, minimum=3, maximum=201)
    limits = np.where(bounds.mu + bounds.ell > 0, 2 / np.maximum(bounds.mu + bounds.ell, 1e-300), 1.0)
    limits = np.minimum(limits, 1e6)
    axes = [np.linspace(0, 1.6 * limits[i], count + 1)[1:] for i in range(2)]
    jacobian = np.asarray(example.game.jacobian(equilibrium_for(example)))
    certified, true = np.empty((count, count)), np.empty((count, count))
    for a, eta in enumerate(axes[0]):
        progress.update(a, count, "rates of the first player")
        rates = np.tile(limits, (count, 1))
        rates[:, 0], rates[:, 1] = eta, axes[1]
        certified[a] = _radii(bounds, rates)
        by_coordinate = np.repeat(rates, example.game.sizes, axis=1)
        maps = np.eye(len(jacobian)) - by_coordinate[:, :, None] * jacobian
        true[a] = np.max(np.abs(np.linalg.eigvals(maps)), axis=1)
    stable = true < 1
    share = float(np.mean(certified[stable] < 1)) if np.any(stable) else np.nan
    return results.dataset(
        {
            "certified": (("eta_1", "eta_2"), certified, "certified factor rho(T_eta)"),
            "true": (("eta_1", "eta_2"), true, "true spectral radius at the equilibrium"),
            "limit": (("player",), limits, "certified rate of each player alone", "time"),
            "area_share": ((), share, "share of the stable area that is certified"),
        },
        {
            "eta_1": (("eta_1",), axes[0], "rate of player 1", "time"),
            "eta_2": (("eta_2",), axes[1], "rate of player 2", "time"),
            "player": (("player",), np.arange(1, bounds.players + 1), "player"),
        },
        {"game": example.game.name},
    )


def _radii(bounds: Bounds, rates: NDArray) -> NDArray:
    matrices = np.stack([steps.step_matrix(bounds, eta) for eta in rates])
    return np.max(np.abs(np.linalg.eigvals(matrices)), axis=1)
