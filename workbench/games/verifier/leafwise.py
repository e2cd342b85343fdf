"""The claims of a "leafwise" certificate: one common w on every leaf of the region, in balls."""

import numpy as np

from .document import Refused
from .exact import rational, semidefinite
from .games import shown
from .leaves import BlockEnclosure, leaf_matrix, leaves, lipschitz_holds, step_is_safe
from .model import Document, Formulas
from .perron import claimed, nothing_else, positive_margin, quoted

CANNOT = ("z", "v", "tau", "attained", "band", "step_h0", "step_rk4", "player_steps", "bounds")
CANNOT += ("beta_vector", "sharp_vector", "witness")


def leafwise_claims(document: Document) -> None:
    """On every leaf C(w, margin) > 0 with the one common w, the sharp step is non-expansive in M(w), β holds."""
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
    w = weights.tolist()
    for number, leaf in enumerate(leaves(region.lower, region.upper, tree)):
        bounds = BlockEnclosure(game, leaf).bounds()
        if not semidefinite(leaf_matrix(bounds, w, margin), strict=True):
            raise Refused(f"the margin {margin} is not proved on leaf {number}, {shown(leaf)}", "margin")
        if not step_is_safe(bounds, w, h):
            raise Refused(f"the sharp step {h} is not proved on leaf {number}, {shown(leaf)}", "step_sharp")
        if not lipschitz_holds(bounds, w, beta):
            raise Refused(f"the Lipschitz constant {beta} is not proved on leaf {number}, {shown(leaf)}", "beta")
