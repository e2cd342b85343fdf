"""A basin of attraction that is proved: a verified equilibrium and the largest M-ball around it inside the region.

Inside a certified box the flow contracts in |.|_M towards the equilibrium, so an M-ball around the equilibrium that
lies in the box is never left: every start in it converges. The equilibrium is not assumed: Krawczyk's test (R.
Krawczyk 1969; R. Moore 1977) proves that a small box holds exactly one zero of F.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench import checks
from workbench.games.certificates.certificate import Certificate, Status
from workbench.games.certificates.certify import certify
from workbench.games.certificates.from_bounds import confirmed
from workbench.games.certificates.intervals import Interval
from workbench.games.models.quadratic import block_bounds
from workbench.games.models.region import Box
from workbench.games.models.smooth import SmoothGame
from workbench.games.small_gain.weights import perron
from workbench.progress import Progress


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """A box (lower, upper), each (d,), that is proved to hold exactly one equilibrium; ``point`` is its centre."""

    lower: NDArray
    upper: NDArray

    @property
    def point(self) -> NDArray:
        """The centre of the box."""
        return 0.5 * self.lower + 0.5 * self.upper


def newton(game: Any, start: ArrayLike, iterations: int = 50) -> NDArray:
    """Return a numerical zero of F by damped Newton steps; raises ``ValueError`` if it does not converge.

    >>> from workbench import games
    >>> newton(games.GALLERY["logit-bertrand"]().game, [1.7, 1.7]).round(4).tolist()
    [1.8083, 1.8083]
    """
    x = checks.finite_array("start", start, ndim=1)
    for _ in range(iterations):
        value = game.field(x)
        step = np.linalg.lstsq(game.jacobian(x), value, rcond=None)[0]
        size = 1.0
        while size > 1e-6 and not _better(game, x - size * step, value):
            size /= 2
        new = x - size * step
        if np.linalg.norm(new - x) <= 1e-15 * (1 + np.linalg.norm(x)) or not np.any(value):
            return new
        x = new
    if np.linalg.norm(game.field(x)) > 1e-9 * (1 + np.linalg.norm(x)):
        raise ValueError("no equilibrium was found from this start; give a start nearer to one")
    return x


def _better(game: Any, x: NDArray, value: NDArray) -> bool:
    with np.errstate(all="ignore"):
        new = game.field(x)
    return bool(np.all(np.isfinite(new)) and np.linalg.norm(new) <= np.linalg.norm(value))


def verified_equilibrium(game: SmoothGame, start: ArrayLike) -> Equilibrium | None:
    """Return a proved equilibrium near ``start``, or None if no box passes the test.

    K(X) = m - Y F(m) + (I - Y J(X)) (X - m) inside the interior of X, in outward-rounded intervals, proves one zero.
    """
    centre = newton(game, start)
    inverse = np.linalg.pinv(game.jacobian(centre))
    scale = 1e-16 * (1 + np.abs(centre)) * (1 + np.linalg.cond(game.jacobian(centre)))
    for factor in (16.0, 256.0, 4096.0, 65536.0):
        lower, upper = centre - factor * scale, centre + factor * scale
        if _krawczyk(game, centre, inverse, lower, upper):
            return Equilibrium(lower, upper)
    return None


def _krawczyk(game: SmoothGame, centre: NDArray, inverse: NDArray, lower: NDArray, upper: NDArray) -> bool:
    value = game.field_on(centre[None], centre[None])
    jacobian = game.jacobian_on(lower[None], upper[None])
    correction = _product(inverse, Interval(value.lo[0][:, None], value.hi[0][:, None]))
    slope = _product(-inverse, Interval(jacobian.lo[0], jacobian.hi[0]))
    d = centre.size
    contraction = slope + Interval(np.eye(d))
    offset = Interval(lower, upper) - centre
    image = Interval(centre) - Interval(correction.lo[:, 0], correction.hi[:, 0])
    for k in range(d):
        image = image + Interval(contraction.lo[:, k], contraction.hi[:, k]) * Interval(offset.lo[k], offset.hi[k])
    return bool(np.all(image.lo > lower) and np.all(image.hi < upper))


def _product(matrix: NDArray, interval: Interval) -> Interval:
    """A float matrix times an interval matrix."""
    total = Interval(np.zeros((len(matrix), interval.lo.shape[1])))
    for k in range(matrix.shape[1]):
        total = total + Interval(matrix[:, k : k + 1]) * Interval(interval.lo[k : k + 1], interval.hi[k : k + 1])
    return total


def with_basin(game: SmoothGame, certificate: Certificate, start: ArrayLike | None = None) -> Certificate:
    """Return the certificate with a proved equilibrium and the radius of the largest M-ball around it in the region.

    The radius is in the norm sqrt(sum_i w_i |x_i|²). Raises ``ValueError`` if the certificate is not CERTIFIED on a
    region, or no equilibrium in the region's interior can be verified.
    """
    if certificate.status is not Status.CERTIFIED or certificate.region is None or certificate.weights is None:
        raise ValueError("a basin needs a CERTIFIED certificate with a region")
    region = certificate.region
    near = game if certificate.scale is None else game.scaled(1 / certificate.scale)  # the same zeros, tame numbers
    equilibrium = verified_equilibrium(near, region.centre if start is None else start)
    if equilibrium is None:
        raise ValueError("no equilibrium could be verified; give a start nearer to one")
    distance = np.minimum(equilibrium.lower - region.lower, region.upper - equilibrium.upper)
    if np.any(distance <= 0):
        raise ValueError(f"the equilibrium near {equilibrium.point} is not inside the region; move the region")
    radius = float(np.min(np.sqrt(certificate.weights[game.owner]) * distance)) * (1 - 1e-12)
    basin = {"lower": equilibrium.lower.tolist(), "upper": equilibrium.upper.tolist(), "radius": radius}
    return confirmed(replace(certificate, basin=basin))


def certified_basin(
    game: SmoothGame,
    start: ArrayLike,
    *,
    alpha: float | None = None,
    largest: float = 10.0,
    rounds: int = 12,
    max_boxes: int = 4000,
    seconds: float = 10.0,
    progress: Progress | None = None,
) -> Certificate:
    """Return the certificate of the largest cube around the equilibrium near ``start`` that was certified, with basin.

    The half-width grows fourfold while it works and is then bisected, ``rounds`` certifications in all, up to
    ``largest``; each asks leaf by leaf for the margin ``alpha`` (default: a tenth of the best at the equilibrium).
    Raises ``ValueError`` if not even a tiny cube can be certified.
    """
    progress = progress or Progress()
    centre = newton(game, start)
    local = perron(block_bounds(game.jacobian(centre)[None], game.sizes)).tau
    if local <= 0:
        raise ValueError(
            f"no weights work at the equilibrium itself (tau = {local:.4g}), so there is no basin to certify"
        )
    alpha = 0.1 * local if alpha is None else alpha
    best: Certificate | None = None
    low, high, radius = 0.0, float("inf"), 1e-3 * (1 + float(np.abs(centre).max()))
    for k in range(checks.integer("rounds", rounds, minimum=1)):
        progress.update(k, rounds, f"trying half-width {radius:.4g}")
        region = Box.around(centre, radius)
        trial = certify(game, region, alpha, method="leafwise", max_boxes=max_boxes, seconds=seconds / rounds)
        if trial.certified:
            best, low = trial, radius
        else:
            high = radius
        radius = min(4 * low, largest) if np.isinf(high) else 0.5 * (low + high)
        if radius <= low * (1 + 1e-3):
            break
    if best is None:
        raise ValueError("no cube around the equilibrium could be certified; the game may not contract there")
    return with_basin(game, best, centre)
