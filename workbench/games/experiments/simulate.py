"""Run a game's dynamics and compare the contraction that is observed with the one that is certified."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from workbench import checks, results
from workbench.games.certificates.basin import newton
from workbench.games.certificates.certificate import Certificate
from workbench.games.certificates.certify import certify
from workbench.games.dynamics import DYNAMICS, Context
from workbench.games.gallery.resolve import NAMED, resolve
from workbench.games.models.region import Box
from workbench.games.small_gain import steps as step_sizes
from workbench.progress import Progress

LARGEST_RUN = 20_000_000
DIVERGED = 1e12


@results.experiment
def simulate(
    game: Any,
    options: Mapping[str, Any] | None = None,
    *,
    dynamics: str = "euler",
    start: ArrayLike | None = None,
    steps: int = 100,
    step: float | ArrayLike | None = None,
    delay: int = 0,
    window: int = 1,
    region: Box | None = None,
    certificate: Certificate | None = None,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the trajectory and its distances from the equilibrium, with dimensions ``step`` and ``coordinate``.

    Parameters
    ----------
    game : a game, a gallery name (with ``options``) or a gallery :class:`Example`, which bring region and start
    dynamics : a name in DYNAMICS
    step : one step size, or one a player (N,); default: the certificate's h0 (or sharp step), else 0.1
    delay, window : for "delayed" and "asynchronous"
    certificate : its weights define the norms; default: ``certify(game, region)``. Without weights M = I

    Variables: ``position``; ``distance`` in |.|_M, ``distance_euclid``, ``distance_max`` = max_i |x_i|/z_i, all to the
    equilibrium; ``observed_factor`` of each step in |.|_M (NaN at the first); ``certified_factor`` a scalar, NaN when
    nothing is proved for this dynamics and step. A run that leaves 1e12 is cut off and filled with NaN.

    >>> ds = simulate("toy", steps=5)
    >>> sorted(str(dim) for dim in ds.sizes)
    ['coordinate', 'player', 'step']
    """
    progress = progress or Progress()
    checks.choice("dynamics", dynamics, DYNAMICS)
    if isinstance(game, NAMED):
        example = resolve(game, options)
        start = example.start if start is None else start
        game, region = example.game, region or example.region
    count = checks.integer("steps", steps, minimum=1, maximum=LARGEST_RUN // game.dimension)
    checks.integer("delay", delay, minimum=0, maximum=1000)
    checks.integer("window", window, minimum=1, maximum=1000)
    if certificate is None:
        certificate = certify(game, region, progress=progress)
    x = _start(game, region, start)
    rates = _rates(game, certificate, step)
    path = _run(
        game,
        dynamics,
        x,
        count,
        rates[_owner(game)],
        Context(region, delay, window, checks.generator(seed), _owner(game), np.zeros(len(game.sizes), dtype=int)),
        progress,
    )
    return _measured(game, path, rates, certificate, dynamics, delay, window)


def _owner(game: Any) -> NDArray:
    return np.repeat(np.arange(len(game.sizes)), game.sizes)


def _start(game: Any, region: Box | None, start: ArrayLike | None) -> NDArray:
    if start is None:
        return region.lower + 0.25 * region.width if region is not None else np.ones(game.dimension)
    x = checks.finite_array("start", start, ndim=1)
    if x.size != game.dimension:
        raise ValueError(f"start has {x.size} coordinates, the game {game.dimension}")
    return x


def _rates(game: Any, certificate: Certificate, step: float | ArrayLike | None) -> NDArray:
    """One step size a player."""
    players = len(game.sizes)
    if step is None:
        known = [h for h in (certificate.step_h0, 0.5 * certificate.step_sharp) if np.isfinite(h)]
        return np.full(players, known[0] if known else 0.1)
    rates = checks.finite_array("step", step, ndim=(0, 1))
    if rates.ndim == 1 and rates.size != players:
        raise ValueError(f"step has {rates.size} entries for {players} players; give one number or one a player")
    if np.any(rates <= 0):
        raise ValueError("step sizes must be positive")
    return np.broadcast_to(rates, (players,)).copy()


def _run(
    game: Any, dynamics: str, x: NDArray, count: int, rates: NDArray, context: Context, progress: Progress
) -> NDArray:
    path = np.full((count + 1, x.size), np.nan)
    path[0] = x
    keep = context.delay + 1
    for k in range(count):
        with np.errstate(all="ignore"):
            new = DYNAMICS[dynamics](game, path[max(0, k + 1 - keep) : k + 1], rates, context)
        if not np.all(np.isfinite(new)) or np.abs(new).max() > DIVERGED:
            break
        path[k + 1] = new
        if k % 64 == 0:
            progress.update(k, count, f"step {k}")
    return path


def _measured(
    game: Any, path: NDArray, rates: NDArray, certificate: Certificate, dynamics: str, delay: int, window: int
) -> xr.Dataset:
    owner = _owner(game)
    weights = np.ones(len(game.sizes)) if certificate.weights is None else certificate.weights
    z = np.ones(len(game.sizes)) if certificate.z is None else certificate.z
    target = _equilibrium(game, path)
    away = path - target
    distance = np.sqrt(np.sum(weights[owner] * away**2, axis=1))
    by_player = np.stack([np.linalg.norm(away[:, owner == i], axis=1) for i in range(len(game.sizes))], axis=1)
    with np.errstate(all="ignore"):
        factor = np.concatenate(
            [[np.nan], distance[1:] / np.where(distance[:-1] > 1e-13 * distance[0], distance[:-1], np.nan)]
        )
    step = ("step",)
    return results.dataset(
        {
            "position": (("step", "coordinate"), path, "position of the players"),
            "equilibrium": (("coordinate",), target, "equilibrium"),
            "distance": (step, distance, "distance to the equilibrium in the certificate's norm"),
            "distance_euclid": (step, np.linalg.norm(away, axis=1), "Euclidean distance to the equilibrium"),
            "distance_max": (step, np.max(by_player / z, axis=1), "largest distance of a player over z"),
            "observed_factor": (step, factor, "factor of each step in the certificate's norm"),
            "certified_factor": ((), certified_factor(certificate, rates, dynamics, delay), "certified factor"),
            "certified_span": ((), window if dynamics == "asynchronous" else 1, "steps that the factor is for"),
            "certified_norm": ((), "max" if _in_max_norm(dynamics, rates) else "M", "norm of the certified factor"),
            "rate": (("player",), rates, "step size of each player"),
            "weight": (("player",), weights, "metric weight of each player"),
        },
        {
            "step": (step, np.arange(len(path)), "step"),
            "coordinate": (("coordinate",), np.arange(path.shape[1]), "coordinate"),
            "player": (("player",), np.arange(len(game.sizes)), "player"),
        },
        {"game": getattr(game, "name", type(game).__name__), "status": certificate.status.value},
    )


def _in_max_norm(dynamics: str, rates: NDArray) -> bool:
    return dynamics in ("delayed", "asynchronous") or bool(np.ptp(rates) > 0)


def certified_factor(certificate: Certificate, rates: NDArray, dynamics: str, delay: int = 0) -> float:
    """Return the factor that is proved for one step of the dynamics, or NaN.

    Euler and projected Euler with one common step h ≤ h0: 1 - h margin in |.|_M. Different steps, or delays: the
    factor of max_i |x_i|/z_i; with asynchronous play it holds for every ``window`` rounds, not for one. RK4 up to
    its proved step: 1 (non-expansive). Mirror steps: nothing is claimed. Of a certificate leaf by leaf its own rates.
    """
    if not certificate.certified:
        return float("nan")
    if dynamics in ("euler", "projected", "asynchronous") and not _in_max_norm(dynamics, rates):
        return certificate.factor(float(rates[0]))
    if dynamics == "rk4" and np.ptp(rates) == 0 and rates[0] <= certificate.step_rk4:
        return 1.0
    if dynamics not in ("euler", "projected", "asynchronous", "delayed") or certificate.z is None:
        return float("nan")
    if certificate.bounds is None:
        return _leafwise_factor(certificate, rates, delay if dynamics == "delayed" else 0)
    if dynamics == "delayed":
        return _below_one(step_sizes.delayed_factor(certificate.bounds, certificate.z, rates, delay))
    return _below_one(step_sizes.player_factor(certificate.bounds, certificate.z, rates))


def _leafwise_factor(certificate: Certificate, rates: NDArray, delay: int) -> float:
    """Return 1 − min η_i rate for rates within those in the certificate, its root of order delay + 1 when others are
    seen late: own_i + gain_i λ^−d ≤ (own_i + gain_i) λ^−d ≤ λ there."""
    if certificate.player_steps is None or np.any(rates > certificate.player_steps):
        return float("nan")
    return _below_one((1 - float(rates.min()) * certificate.rate_players) ** (1 / (delay + 1)))


def _below_one(factor: float) -> float:
    return factor if factor < 1 else float("nan")


def _equilibrium(game: Any, path: NDArray) -> NDArray:
    """The zero of F near the end of the run, else near its start; NaN if none is found."""
    finite = path[np.all(np.isfinite(path), axis=1)]
    for start in (finite[-1], finite[0]):
        try:
            return newton(game, start)
        except (ValueError, np.linalg.LinAlgError):
            continue
    return np.full(path.shape[1], np.nan)
