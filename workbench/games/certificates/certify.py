"""The one entry: bring bounds or a game, leave with a certificate or with the reason why not."""

import time
from typing import Any

import numpy as np

from workbench import checks
from workbench.games.certificates.box_job import Question
from workbench.games.certificates.certificate import Certificate
from workbench.games.certificates.from_bounds import certify_bounds, confirmed
from workbench.games.certificates.on_box import METHODS, certify_on_box
from workbench.games.certificates.units import Units, smooth_back, smooth_unit
from workbench.games.models.bounds import Bounds
from workbench.games.models.region import Box
from workbench.games.models.smooth import SmoothGame
from workbench.progress import Progress


def certify(
    game: Any,
    region: Box | None = None,
    alpha: float | None = None,
    *,
    method: str = "auto",
    max_boxes: int = 20_000,
    seconds: float = 30.0,
    seed: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> Certificate:
    """Return a contraction certificate for a game, or for bounds alone.

    Parameters
    ----------
    game : :class:`Bounds`; a game whose bounds hold everywhere (quadratic, normal form with entropy); a
        :class:`SmoothGame` of formulas, rigorous on ``region``; or a game of callables, sampled on ``region``
        (ESTIMATED at best)
    region : the box to certify on; games whose bounds hold everywhere need none
    alpha : the margin to reach (default: any positive one)
    method : "auto", "aggregate" (one set of bounds; a refusal is of these bounds, with its witness) or "leafwise" (one
        common w on every leaf), for formulas only
    max_boxes, seconds : the budget of the branch and bound (verification by the checker at the end comes on top); when
        it is used up the status is UNKNOWN, with the share of the region that was certified

    Games in units far from 1 are scaled first, by a power of two that the certificate names (``scale``); what it says,
    and proves, is about the game as given. A sampled game is never CERTIFIED; a margin within rounding of zero is
    REFUSED or UNKNOWN. Raises ``TypeError`` for something that is no game, ``ValueError`` for a region that is missing,
    empty, unbounded or of the wrong dimension.

    >>> from workbench import games
    >>> games.certify(games.Bounds([1.0, 1.0], [2.0, 2.0], [[0, 4.0], [0.01, 0]]))
    Certificate(CERTIFIED, margin=0.8: margin 0.8 of at most tau = 0.8, reached by these weights)
    """
    target = None if alpha is None else checks.real("alpha", alpha)
    checks.choice("method", method, METHODS)
    boxes = checks.integer("max_boxes", max_boxes, minimum=1)
    deadline = time.monotonic() + checks.real("seconds", seconds, exclusive_minimum=0)
    if isinstance(game, Bounds):
        return certify_bounds(game, target, region=region)
    if callable(getattr(game, "bounds", None)):
        return certify_bounds(game.bounds(), target, game=game.payload(), region=region)
    if isinstance(game, SmoothGame):
        box = _region(game, region)
        unit = smooth_unit(game, box)
        if unit == 1.0:
            return certify_on_box(Question(game, box, target, boxes, deadline, progress or Progress(), seed), method)
        near, share = game.scaled(1 / unit), Units(unit, np.zeros(game.players, dtype=int)).target(target)
        small = certify_on_box(Question(near, box, share, boxes, deadline, progress or Progress(), seed), method)
        return confirmed(smooth_back(small, unit, game, target))
    if callable(getattr(game, "sampled_bounds", None)):
        box = _region(game, region)
        sampled = game.sampled_bounds(box, seed=seed)
        return certify_bounds(sampled, target, game={"type": "sampled"}, region=box)
    raise TypeError(f"cannot certify a {type(game).__name__}; give Bounds or one of the games of this room")


def _region(game: Any, region: Box | None) -> Box:
    if region is None:
        raise ValueError("this game's curvature changes from point to point: say where, with region=Box(lower, upper)")
    if not isinstance(region, Box):
        raise TypeError(f"region must be a Box, got {type(region).__name__}")
    if region.dimension != game.dimension:
        raise ValueError(f"the region has {region.dimension} coordinates, the game {game.dimension}")
    return region
