"""The shadow of all policies in the plane of two returns: a convex polygon, and its longest horizontal chord."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import checks
from workbench.metrics.rewards.mdp import MDP
from workbench.metrics.rewards.planning import best_policy
from workbench.metrics.rewards.reward import as_reward
from workbench.progress import Progress

MOST_VERTICES = 2000
BEYOND = 1e-10
"""A vertex is one only if it lies this share of the polygon's size beyond the edge that it breaks."""


@dataclass(frozen=True, eq=False)
class Shadow:
    """{(J₁(π), J₂(π))} over all policies: its vertices (k, 2), anticlockwise, and the chord behind the regret."""

    vertices: NDArray[np.float64]
    chord: NDArray[np.float64]
    """(2, 2): the ends (J₁, J₂) of the pair of the worst-case regret, the one that reward 1 prefers first."""
    is_complete: bool
    """Whether every vertex was found; if not, the polygon lies inside the true one."""

    @property
    def regret(self) -> float:
        """The worst-case regret as the polygon shows it, in [0, 1]."""
        width = float(np.ptp(self.vertices[:, 0]))
        return float(self.chord[0, 0] - self.chord[1, 0]) / width if width > 0 else 0.0


def shadow(mdp: MDP, r1: Any, r2: Any, *, most: int = 400, progress: Progress | None = None) -> Shadow:
    """Return the polygon of both returns over all policies, by policy iteration in directions that turn.

    Its longest horizontal chord (J₂ equal, J₁ apart) is the worst-case regret times ρ(R₁); where the policy that is
    best for R₁ is no better for R₂ than the worst, it is the whole width. One solution of the MDP a vertex and one an
    edge; at most ``most`` vertices.

    >>> mdp = MDP([[[1.0], [1.0], [1.0]]], 0.0)
    >>> found = shadow(mdp, [[0.0, 1.0, 0.5]], [[0.0, 1.0, 0.0]])
    >>> len(found.vertices), found.regret
    (3, 0.5)
    """
    most = checks.integer("most", most, minimum=3, maximum=MOST_VERTICES)
    first, second = (as_reward(name, r, mdp).expected(mdp) for name, r in (("r1", r1), ("r2", r2)))
    return shadow_of(mdp, first, second, most=most, progress=progress)


def shadow_of(
    mdp: MDP,
    r1: NDArray[np.float64],
    r2: NDArray[np.float64],
    *,
    most: int = 400,
    progress: Progress | None = None,
) -> Shadow:
    """Return :func:`shadow` for expected rewards (S, A)."""
    count = 0

    def furthest(direction: NDArray[np.float64]) -> NDArray[np.float64]:
        nonlocal count
        count += 1
        if progress is not None:
            progress.update(min(count, 2 * most), 2 * most + 1, f"{count} directions")
        found = best_policy(mdp, direction[0] * r1 + direction[1] * r2)
        return np.array([found.returns(r1), found.returns(r2)])

    corners = [furthest(np.array(d, dtype=float)) for d in ((-1, 0), (0, -1), (1, 0), (0, 1))]
    size = np.ptp(corners, axis=0)
    size = np.where(size > BEYOND * np.abs(corners).max(axis=0), size, 0.0)
    scale = np.where(size > 0, 1 / np.where(size > 0, size, 1), 0.0)
    found: list[NDArray[np.float64]] = []
    edges = [(a, b) for a, b in zip(corners, [*corners[1:], corners[0]], strict=True)][::-1]
    complete = True
    while edges:  # anticlockwise: the last edge is looked at first, and split where something lies beyond it
        a, b = edges.pop()
        along = (b - a) * scale
        if not np.abs(along).max() > BEYOND:
            if not found or np.abs((a - found[-1]) * scale).max() > BEYOND:
                found.append(a)
            continue
        normal = np.array([along[1], -along[0]]) / np.hypot(*along)
        beyond = furthest(normal * scale)
        if len(found) + len(edges) >= most:
            complete = False
        elif normal @ ((beyond - a) * scale) > BEYOND:
            edges += [(beyond, b), (a, beyond)]
            continue
        found.append(a)
    vertices = _without_doubles(np.array(found), scale)
    return Shadow(vertices, _chord(vertices), complete)


def _without_doubles(points: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    kept = [k for k in range(len(points)) if np.abs((points[k] - points[k - 1]) * scale).max() > BEYOND]
    return points[kept] if kept else points[:1]


def _chord(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the pair furthest apart in J₁ of which the second has no less J₂."""
    right, left = vertices[np.argmax(vertices[:, 0])], vertices[np.argmin(vertices[:, 0])]
    if right[1] <= left[1] or len(vertices) < 3:
        return np.array([right, left]) if right[1] <= left[1] else np.array([right, right])
    best = np.array([right, right])
    for level in vertices[:, 1]:  # the chord's length is concave and piecewise linear in its height
        crossings = []
        for a, b in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
            if min(a[1], b[1]) <= level <= max(a[1], b[1]):
                share = (level - a[1]) / (b[1] - a[1]) if b[1] != a[1] else 0.0
                crossings.append(a[0] + share * (b[0] - a[0]))
                if b[1] == a[1]:
                    crossings.append(b[0])
        if crossings and max(crossings) - min(crossings) > best[0, 0] - best[1, 0]:
            best = np.array([[max(crossings), level], [min(crossings), level]])
    return best
