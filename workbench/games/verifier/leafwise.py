"""The claims of a "leafwise" certificate: one common w, and maybe one common z, on every leaf of the region, in balls.

What holds for the Jacobian at every point of a box holds for its mean along a segment, which is what moves two points
apart: norms are convex, and so are the rows of A z.
"""

import numpy as np
from flint import arb

from .document import Refused
from .exact import rational, semidefinite
from .games import shown
from .leaves import (
    BlockEnclosure,
    Leaf,
    largest_entry,
    leaf_matrix,
    leaves,
    lipschitz_holds,
    players_shrink,
    step_is_safe,
)
from .model import Document, Formulas
from .perron import claimed, nothing_else, positive_margin, quoted, scale_claim

CANNOT = ("v", "tau", "attained", "band", "bounds", "beta_vector", "sharp_vector", "witness")
TOGETHER = (("step_h0", "rate_h0"), ("z", "player_steps", "rate_players"))  # each is about the others


def leafwise_claims(document: Document) -> None:
    """On every leaf C(w, margin) > 0 with the one w, β holds, and the steps do what is said of them."""
    nothing_else(document, CANNOT)
    game, region, tree, margin = document.game, document.region, document.tree, positive_margin(document)
    if not isinstance(game, Formulas) or region is None or tree is None:
        raise Refused("a leaf-by-leaf certificate needs a game of formulas, a region and its tree of boxes", "game")
    weights, h, beta = (claimed(document, name) for name in ("weights", "step_sharp", "beta"))
    if not (np.all(weights > 0) and h > 0 and beta > 0):
        raise Refused("the weights, the sharp step and beta must be positive", "weights")
    best = 2 * rational(margin) / rational(beta) ** 2
    sharp = rational(h)
    quoted("step_paper", claimed(document, "step_paper"), min(best, sharp))
    _steps_are_whole(document)
    w, largest = weights.tolist(), arb(0)
    first, z = document.step_h0, None if document.z is None else document.z.tolist()
    rate, steps, together = document.rate_h0, document.player_steps, document.rate_players
    for number, leaf in enumerate(leaves(region.lower, region.upper, tree)):
        bounds, place = BlockEnclosure(game, leaf).bounds(), (number, leaf)
        if not semidefinite(leaf_matrix(bounds, w, margin), strict=True):
            raise _unproved(f"the margin {margin} is not proved", place, "margin")
        if not step_is_safe(bounds, w, h):
            raise _unproved(f"the sharp step {h} is not proved", place, "step_sharp")
        if not lipschitz_holds(bounds, w, beta):
            raise _unproved(f"the Lipschitz constant {beta} is not proved", place, "beta")
        if first is not None and not step_is_safe(bounds, w, first, rate):
            raise _unproved(f"a step {first} is not proved to shrink at the rate {rate}", place, "step_h0")
        if z is not None and not players_shrink(bounds, z, steps.tolist(), together):
            raise _unproved(f"the rates by player are not proved with z and {together}", place, "player_steps")
        largest = largest.max(largest_entry(bounds))
    scale_claim(document, largest)


def _unproved(what: str, place: tuple[int, Leaf], field: str) -> Refused:
    number, leaf = place
    return Refused(f"{what} on leaf {number}, {shown(leaf)}", field)


def _steps_are_whole(document: Document) -> None:
    """Entries that are about each other are all there or none is, and positive; RK4's step is the sharp one."""
    for names in TOGETHER:
        stated = [name for name in names if getattr(document, name) is not None]
        if stated and len(stated) < len(names):
            raise Refused(f"{', '.join(names)} are one claim: all of them must be stated, or none", stated[0])
        for name in stated:
            if not np.all(np.asarray(getattr(document, name)) > 0):
                raise Refused(f"{name} must be positive", name)
    if document.step_rk4 is not None and not document.step_rk4 == document.step_sharp:
        raise Refused("step_rk4 is not the sharp step, which is what is proved for RK4 leaf by leaf", "step_rk4")
