"""The certified box, leaf by leaf, its basin, and what the corners alone would have said."""

import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from workbench import checks, results
from workbench.games.certificates.basin import with_basin
from workbench.games.certificates.boxes import leaf_bounds, leaf_margins
from workbench.games.certificates.certificate import Certificate
from workbench.games.certificates.certify import certify
from workbench.games.gallery.resolve import equilibrium_for, resolve
from workbench.games.models.quadratic import block_bounds
from workbench.games.models.region import Box
from workbench.games.models.smooth import SmoothGame
from workbench.games.small_gain.weights import perron
from workbench.games.verifier.leaves import leaves as tree_leaves
from workbench.progress import Progress

GRID = 41


@results.experiment
def box_study(
    game: Any,
    options: Mapping[str, Any] | None = None,
    *,
    method: str = "leafwise",
    alpha: float = 0.0,
    max_boxes: int = 6000,
    seconds: float = 8.0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the certificate's leaves with their margins, the pointwise margin, the corner estimate and the basin.

    For games of formulas. ``margin_map`` (x, y): α(w) at points of the plane of players 1 and 2 through the centre;
    ``leaf_lower``, ``leaf_upper`` (leaf, coordinate), ``leaf_margin`` (leaf). ``corner_margin`` is what sampling the
    corners suggests (ESTIMATED), ``point_margin`` the smallest over the map. ``basin_radius`` is in |.|_M, NaN without
    a certificate or an equilibrium inside. The certificate is in the attributes (JSON).
    ``progress.publish`` gets the map and the corners before the certificate is there.
    """
    example = resolve(game, options)
    if not isinstance(example.game, SmoothGame) or example.region is None:
        raise ValueError("boxes are for games of formulas on a region; a game with a constant Jacobian needs none")
    target = checks.real("alpha", alpha, minimum=0) or None
    progress = progress or Progress()
    region, formulas = example.region, example.game
    corners = block_bounds(formulas.jacobian(region.vertices()), formulas.sizes, proved=False)
    sampled = perron(corners).w
    progress.publish(results.unfinished(_dataset(formulas, region, sampled, None), "the certificate"))
    certificate = certify(
        formulas, region, target, method=method, max_boxes=max_boxes, seconds=seconds, progress=progress
    )
    w = certificate.weights if certificate.weights is not None else sampled
    if certificate.certified:
        # without an equilibrium inside there is no basin, and the certificate stands as it is
        with contextlib.suppress(ValueError):
            certificate = with_basin(formulas, certificate, equilibrium_for(example))
    return _dataset(formulas, region, w, certificate)


def _dataset(formulas: SmoothGame, region: Box, w: np.ndarray, certificate: Certificate | None) -> xr.Dataset:
    """Return what the points, the corners and, once it is there, the certificate say under the weights ``w``."""
    lower, upper = _leaves(certificate, region)
    plane = np.array([0, formulas.sizes[0] if formulas.players > 1 else formulas.dimension - 1])
    axes = [np.linspace(region.lower[k], region.upper[k], GRID) for k in plane]
    points = np.tile(region.centre, (GRID, GRID, 1))
    points[..., plane[0]], points[..., plane[1]] = np.meshgrid(*axes, indexing="ij")
    flat = points.reshape(-1, formulas.dimension)
    pointwise = leaf_margins(leaf_bounds(formulas, flat, flat), w).reshape(GRID, GRID)
    at_corners = leaf_margins(leaf_bounds(formulas, region.vertices(), region.vertices()), w)
    by_leaf = leaf_margins(leaf_bounds(formulas, lower, upper), w)
    basin = (certificate.basin if certificate is not None else None) or {}
    nowhere = np.full(formulas.dimension, np.nan)
    centre = 0.5 * (np.array(basin["lower"]) + np.array(basin["upper"])) if basin else nowhere
    return results.dataset(
        {
            "leaf_lower": (("leaf", "coordinate"), lower, "lower side of a leaf"),
            "leaf_upper": (("leaf", "coordinate"), upper, "upper side of a leaf"),
            "leaf_margin": (("leaf",), by_leaf, "margin on a leaf", "1/time"),
            "margin_map": (("x", "y"), pointwise, "margin at a point", "1/time"),
            "corner_margin": ((), float(at_corners.min()), "margin suggested by the corners", "1/time"),
            "point_margin": ((), float(pointwise.min()), "smallest margin over the map", "1/time"),
            "margin": ((), np.nan if certificate is None else certificate.margin, "certified margin", "1/time"),
            "basin_radius": ((), basin.get("radius", np.nan), "radius of the certified basin in the M norm"),
            "equilibrium": (("coordinate",), centre, "verified equilibrium"),
            "weight": (("player",), w, "metric weight"),
            "region": (("side", "coordinate"), np.stack([region.lower, region.upper]), "sides of the region"),
        },
        {
            "leaf": (("leaf",), np.arange(len(lower)), "leaf"),
            "coordinate": (("coordinate",), np.arange(formulas.dimension), "coordinate"),
            "x": (("x",), axes[0], "coordinate of player 1"),
            "y": (("y",), axes[1], "coordinate of player 2"),
            "player": (("player",), np.arange(1, formulas.players + 1), "player"),
            "side": (("side",), np.array(["lower", "upper"]), "side"),
        },
        {"game": formulas.name, "plane": plane.tolist(), **_words(certificate)},
    )


def _words(certificate: Certificate | None) -> dict[str, str]:
    if certificate is None:
        return {}
    return {
        "status": certificate.status.value,
        "reason": certificate.reason,
        "kind": certificate.kind,
        "certificate": certificate.to_json(indent=None),
    }


def _leaves(certificate: Certificate | None, region: Box) -> tuple[np.ndarray, np.ndarray]:
    if certificate is None or certificate.tree is None:
        return region.lower[None], region.upper[None]
    sides = list(tree_leaves(region.lower.tolist(), region.upper.tolist(), certificate.tree))
    return np.array([low for low, _ in sides]), np.array([high for _, high in sides])
